"""Pictures and videos that somebody made to do harm, and a decoder that breaks down over them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from mutants import bombs, mutant, not_pictures, one_of_each
from PIL import Image

from engine import picture_opening, pictures
from engine.api import FrameSize, GenerateRequest, to_json
from engine.errors import EngineError, PictureError, VideoFileError
from engine.jail import probe
from engine.picture_opening import decoder_level, open_picture, picture_decoder
from engine.video_frames import open_video
from engine.video_io import SaveSettings, read_request, save_video

if TYPE_CHECKING:
    from collections.abc import Callable

    from fault_rounds import Rounds

ROOT = Path(__file__).parents[2]
WHITE = (255, 255, 255)
BROKE_DOWN = ("broke down", "answered nonsense", "cannot be started")


def picture_of(folder: Path, data: bytes) -> Path:
    path = folder / "picture.png"
    path.write_bytes(data)
    return path


def check_is_refusal(error: EngineError, seed: int) -> None:
    assert error.message.endswith("."), seed
    assert not any(words in error.message for words in BROKE_DOWN), (seed, error.detail)


@pytest.fixture
def fake_decoder(monkeypatch: pytest.MonkeyPatch):
    """Puts a Python program in the place of the decoder; it may use `level()` and `request()`."""
    head = """if True:
        import json, os, sys, time
        def level():
            print('{"level": "full"}', flush=True)
        def request():
            line = json.loads(sys.stdin.buffer.readline())
            sys.stdin.buffer.read(line["bytes"])
        def say(text):
            print(text, flush=True)
        """

    def use(program: str) -> None:
        command = [sys.executable, "-S", "-c", head + program]
        monkeypatch.setattr(picture_opening, "own_command", lambda _module: command)

    return use


# The decoder


@pytest.mark.fault(36)
def test_the_decoder_is_locked_up_as_far_as_the_system_goes():
    assert decoder_level() is probe()


@pytest.mark.fault(21, 36)
def test_locked_up_it_decodes_every_kind_as_it_would_outside(tmp_path: Path, rounds: Rounds):
    with picture_decoder() as decoder:
        for data in one_of_each().values():
            path = picture_of(tmp_path, data)
            apart = decoder.picture(path, background=(10, 20, 30))
            here = pictures.open_picture(path, background=(10, 20, 30))
            assert apart.tobytes() == here.tobytes()
            rounds.done()


@pytest.mark.fault(20, 22)
def test_it_refuses_in_the_same_words(tmp_path: Path, rounds: Rounds):
    with picture_decoder() as decoder:
        for data in [*bombs().values(), *not_pictures().values()]:
            path = picture_of(tmp_path, data)
            with pytest.raises(PictureError) as apart:
                decoder.picture(path, background=WHITE)
            with pytest.raises(PictureError) as here:
                pictures.open_picture(path)
            assert apart.value.message == here.value.message
            rounds.done()


@pytest.mark.fault(20)
def test_a_large_picture_passes_in_blocks(tmp_path: Path):
    rows = np.random.default_rng(1).integers(0, 255, (3001, 2003, 3), dtype=np.uint8)
    path = tmp_path / "large.bmp"
    Image.fromarray(rows).save(path)
    assert np.array_equal(np.asarray(open_picture(path)), rows)


@pytest.mark.fault(22)
@pytest.mark.timeout(0)
def test_mutated_pictures_are_opened_or_refused_and_the_decoder_lives(
    tmp_path: Path, rounds: Rounds
):
    files = list(one_of_each().values())
    count = rounds.wanted(300, 100_000)
    opened = 0
    with picture_decoder(most_seconds=7200, most_cpu_seconds=7200) as decoder:
        for seed in range(count):
            path = picture_of(tmp_path, mutant(seed, files))
            began = time.monotonic()
            try:
                picture = decoder.picture(path, background=WHITE)
                assert picture.mode == "RGB"
                opened += 1
            except PictureError as error:
                check_is_refusal(error, seed)
            assert time.monotonic() - began < 20, seed
            rounds.done()
        assert decoder.picture(picture_of(tmp_path, files[0]), background=WHITE)
    assert 0 < opened < count


@pytest.mark.fault(22)
@pytest.mark.timeout(0)
def test_mutated_videos_are_opened_or_refused(tmp_path: Path, rounds: Rounds):
    frames = [Image.new("RGB", (16, 16), (n * 90 % 256, n * 70 % 256, 0)) for n in range(3)]
    settings = SaveSettings(frames_per_second=8)
    files = []
    for name in ("a.mp4", "a.gif", "a.webp", "a.png"):
        path, *_ = save_video(frames, tmp_path / name, settings)
        files.append(path.read_bytes())
    for seed in range(rounds.wanted(4, 500)):
        path = tmp_path / "video.mp4"
        path.write_bytes(mutant(seed, files))
        folder = tmp_path / f"frames {seed}"
        try:
            video = open_video(path, folder, is_cancelled=lambda: False)
        except VideoFileError as error:
            check_is_refusal(error, seed)
            assert not folder.exists()
        else:
            assert video.num_frames > 0
        rounds.done()


@pytest.mark.fault(22, 26)
@pytest.mark.timeout(0)
def test_mutated_metadata_is_a_request_or_a_refusal(tmp_path: Path, rounds: Rounds):
    request = to_json(GenerateRequest(prompt="a cat", seed=7, size=FrameSize(width=64, height=64)))
    frames = [Image.new("RGB", (16, 16), (9, 9, 9)), Image.new("RGB", (16, 16), (99, 9, 9))]
    settings = SaveSettings(frames_per_second=8)
    files = []
    for name in ("a.gif", "a.webp", "a.png", "a.mp4"):
        path, *_ = save_video(frames, tmp_path / name, settings, request=request)
        assert read_request(path) == request
        files.append(path.read_bytes())
    blobs = rounds.wanted(200, 100_000)
    for seed in range(blobs):
        # ffmpeg is a process of its own each time; one in a hundred is enough of it.
        chosen = files if seed % 100 == 3 else files[:3]
        path = tmp_path / "video.bin"
        path.write_bytes(mutant(seed, chosen))
        try:
            assert isinstance(read_request(path), dict)
        except VideoFileError as error:
            check_is_refusal(error, seed)
        rounds.done()


# A decoder that breaks down


@pytest.mark.fault(22, 36)
@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("pass", "broke down"),
        ("os.abort()", "broke down"),
        ("level(); request(); os._exit(0)", "broke down"),
        ("level(); request(); os.kill(os.getpid(), 11)", "broke down"),
        ("level(); os._exit(1)", "broke down"),
        ('level(); request(); say(\'{"width": 9, "height": 9}\')', "broke down"),
        ("print('hello')", "nonsense"),
        ('say(\'{"level": "perfect"}\')', "nonsense"),
        ("level(); request(); say('[]')", "nonsense"),
        ("level(); request(); say('[' * 60000)", "nonsense"),
        ("level(); request(); say('{}')", "nonsense"),
        ("level(); request(); say('x' * 10**7)", "nonsense"),
        ('level(); request(); say(\'{"width": true, "height": 1}\')', "nonsense"),
        ('level(); request(); say(\'{"width": -9, "height": -9}\')', "nonsense"),
        ('level(); request(); say(\'{"width": 0, "height": 4}\')', "nonsense"),
        ('level(); request(); say(\'{"width": 30000, "height": 30000}\')', "nonsense"),
        ('level(); request(); say(\'{"width": 1e9, "height": 1}\')', "nonsense"),
    ],
)
def test_a_decoder_that_breaks_down_is_an_error_in_words(
    tmp_path: Path, fake_decoder, program: str, words: str
):
    fake_decoder(program)
    path = picture_of(tmp_path, one_of_each()["png"])
    with pytest.raises(PictureError, match=words) as caught:
        open_picture(path)
    assert len(caught.value.detail) < 3000


@pytest.mark.fault(22, 36)
@pytest.mark.parametrize("program", ["time.sleep(60)", "level(); time.sleep(60)"])
def test_a_decoder_that_hangs_is_ended(tmp_path: Path, fake_decoder, program: str):
    fake_decoder(program)
    path = picture_of(tmp_path, one_of_each()["png"] + bytes(2**20))  # more than a pipe holds
    began = time.monotonic()
    with (
        pytest.raises(PictureError, match="took too long"),
        picture_decoder(most_seconds=0.5) as decoder,
    ):
        decoder.picture(path, background=WHITE)
    assert time.monotonic() - began < 10


@pytest.mark.fault(36)
def test_a_decoder_that_speaks_without_end_is_not_listened_to(tmp_path: Path, fake_decoder):
    fake_decoder(
        "level(); request(); sys.stderr.write('x' * 10**6); say('{\"message\": \"'"
        " + 'y' * 60000 + '\"}')"
    )
    with pytest.raises(PictureError) as caught:
        open_picture(picture_of(tmp_path, one_of_each()["png"]))
    assert len(caught.value.message) == 2000


@pytest.mark.fault(7, 22)
def test_a_file_that_is_cut_while_it_is_read_is_named(tmp_path: Path, fake_decoder, monkeypatch):
    fake_decoder("level(); sys.stdin.buffer.readline(); time.sleep(60)")
    path = picture_of(tmp_path, one_of_each()["bmp"] + bytes(2**20))
    copy = picture_opening.shutil.copyfileobj

    def cut_first(source, target, length):
        os.truncate(path, 100)
        copy(source, target, length)

    monkeypatch.setattr(picture_opening.shutil, "copyfileobj", cut_first)
    with pytest.raises(PictureError, match="was changed while it was read"):
        open_picture(path)


@pytest.mark.fault(36)
def test_no_decoder_outlives_its_use(tmp_path: Path, fake_decoder):
    mark = tmp_path / "pid"
    fake_decoder(f"open({str(mark)!r}, 'w').write(str(os.getpid())); level(); time.sleep(60)")
    with pytest.raises(KeyError), picture_decoder():
        raise KeyError
    number = int(mark.read_text(encoding="ascii"))
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


@pytest.mark.fault(15, 36)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_decoder_at_work_ends_with_the_process_that_started_it():
    # The pipes stay open in this process, so that nothing but the end of the parent ends it.
    code = """if True:
        import subprocess, sys, time
        from engine.api.own_module import own_command
        from engine.own_process import own_environment
        decoder = subprocess.Popen([*own_command("engine.picture_process"), "30"],
            env=own_environment())
        print(decoder.pid, file=sys.stderr, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with parent:
        number = int(parent.stderr.readline())
        assert b"level" in parent.stdout.readline()
        parent.kill()
        parent.wait()
        wait_until(lambda: not psutil.pid_exists(number), seconds=2)


def wait_until(is_so: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


# Who decodes where


def nodes_in(folder: str, words: set[str]) -> list[tuple[str, ast.AST]]:
    """The nodes of the sources under `folder` that have one of `words`, with the file's name."""
    sources = {
        path.relative_to(ROOT / folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    return [
        (file, node)
        for file, text in sources.items()
        if any(word in text for word in words)
        for node in ast.walk(ast.parse(text))
    ]


def name_of(call: ast.Call) -> str:
    return getattr(call.func, "attr", None) or getattr(call.func, "id", "")


READERS = {
    *("QImageReader", "QMovie", "QPicture", "QBitmap", "QSvgRenderer", "QImageIOHandler"),
    *("imageData", "loadFromData", "fromData", "addPixmap", "addFile"),
}
HOLDERS = {"QImage", "QPixmap", "QIcon"}  # which read a file where a name is all they get


@pytest.mark.fault(36)
def test_the_window_decodes_nothing_but_what_this_program_has_written():
    called = {
        (file, name_of(node))
        for file, node in nodes_in("kvdesk", READERS | HOLDERS)
        if isinstance(node, ast.Call)
        and (name_of(node) in READERS or (name_of(node) in HOLDERS and len(node.args) == 1))
    }
    assert called == {
        ("app.py", "QIcon"),  # our own icon
        ("frame_loader.py", "QImageReader"),  # frames of clips, which the engine wrote
        ("strips.py", "QImageReader"),  # their small pictures, likewise
        ("opening.py", "QImage"),  # shares pixels that are there already
        ("ui/picture_slot.py", "QImage"),  # the preview that the worker wrote
        ("ui/model_progress.py", "QPixmap"),  # the first frame of a test clip, likewise
        ("ui/help_parts.py", "QPixmap"),  # our own pictures
        ("ui/icons.py", "QSvgRenderer"),  # our own icons
        ("ui/icons.py", "addPixmap"),
        ("ui/size_picker.py", "addPixmap"),
        ("ui/drops.py", "imageData"),  # bare pixels: see pixels_of
    }


@pytest.mark.fault(36)
def test_strangers_pictures_are_decoded_in_the_decoder_only():
    decoding = {"open_picture", "decode_upright", "frame_durations", "animation_frames"}
    importers = {
        file
        for file, node in nodes_in("engine", decoding)
        if isinstance(node, ast.ImportFrom)
        and node.module in {"engine.pictures", "engine.animations"}
        and {alias.name for alias in node.names} & decoding
    }
    assert importers == {"clip.py", "picture_process.py"}  # a clip keeps what was decoded
    opened = {
        file
        for file, node in nodes_in("engine", {"Image.open"})
        if isinstance(node, ast.Attribute)
        and node.attr == "open"
        and getattr(node.value, "id", "") == "Image"
    }
    # Frames that the engine wrote, and what stands in a file before its pixels.
    assert opened == {"export.py", "self_test.py", "video_metadata.py"}
