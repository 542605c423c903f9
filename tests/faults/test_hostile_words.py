"""Prompts and names of any characters, through everything that words go into."""

from __future__ import annotations

import json
import re
import subprocess
import unicodedata
from datetime import datetime
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutants import one_of_each
from PIL import Image

from engine import ffmpeg
from engine.api import (
    FrameSize,
    GenerateRequest,
    MakeClip,
    command_from_json,
    command_to_json,
    to_json,
)
from engine.api.requests import MAX_PROMPT_CHARACTERS
from engine.errors import InvalidRequest, PictureError, VideoFileError
from engine.picture_files import shown_name
from engine.picture_opening import open_picture
from engine.video_io import SaveSettings, read_request, save_video
from kvdesk.job import clip_title, new_folder_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from fault_rounds import Rounds

WORDS = (
    "",
    "\0",
    "\ud800",
    "a\ud83d",
    "\u202egnp.exe",
    "%n %s %03d {0} {} {{}} {prompt}",
    "-i /etc/passwd -y",
    "--help",
    "'; rm -rf ~; echo '",
    "$(id) `id` | id && id > id",
    "..\\..\\..\\windows",
    "../../etc/passwd",
    "CON",
    "nul.mp4",
    "aux. ",
    "COM\u00b9",
    "<img src=x onerror=alert(1)>",
    ";FFMETADATA1\ncomment=[CHAPTER]=\\;#",
    "concat:/etc/passwd|/etc/hostname",
    "movie=/etc/passwd[a];[a]drawtext=text='x'",
    '"}\n{"event": "finished"}',
    "\r\n\u2028\u2029\x85\x1b[2J",
    "é",
    "e\u0301",
    "\ufffe\uffff",
    "👩‍👩‍👧‍👦" * 50,
    "x" * 2**20,
)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)
SETTINGS = SaveSettings(frames_per_second=8)
FRAMES = [Image.new("RGB", (16, 16), (9, 9, 9)), Image.new("RGB", (16, 16), (99, 9, 9))]


def through(
    sink: Callable[[str], None], rounds: Rounds, *, small: int, large: int, every: int = 1
) -> None:
    """Send `WORDS` (in the suite each `every`-th) and the texts wanted through `sink`."""

    def counted(text: str) -> None:
        sink(text)
        rounds.done()

    for text in WORDS[:: rounds.wanted(every, 1)]:
        counted(text)
    drawn = settings(
        max_examples=rounds.wanted(small, large),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    drawn(given(ANY_TEXT)(counted))()


def request_of(prompt: str) -> GenerateRequest | None:
    """A request, or None where the words are refused as they should be."""
    try:
        return GenerateRequest(prompt=prompt, seed=7, size=FrameSize(width=64, height=64))
    except InvalidRequest:
        is_damaged = any("\ud800" <= each <= "\udfff" for each in prompt)
        assert is_damaged or len(prompt) > MAX_PROMPT_CHARACTERS
        return None


@pytest.mark.fault(24)
@pytest.mark.timeout(0)
def test_words_are_one_line_of_ascii_between_window_and_worker(rounds: Rounds):
    def sink(text: str) -> None:
        request = request_of(text)
        if request is None:
            return
        command = MakeClip(job=1, model="demo", request=request, folder="clip")
        line = json.dumps(command_to_json(command))
        assert line.isascii()
        assert len(line.splitlines()) == 1
        assert command_from_json(json.loads(line)) == command

    through(sink, rounds, small=200, large=50_000)


@pytest.mark.fault(24, 25)
@pytest.mark.timeout(0)
def test_the_name_of_a_clips_folder_is_one_that_every_system_takes(rounds: Rounds):
    now = datetime(2026, 1, 2, 3, 4, 5)
    made: set[str] = set()

    def sink(text: str) -> None:
        name = new_folder_name(text, now)
        assert re.fullmatch(r"20260102-030405(-[a-z0-9]+)*-[0-9a-f]{4}", name)
        assert len(name) < 100
        # What is suggested for an export is the part behind the time.
        for path in (name, f"{name.split('-', 2)[-1]}.mp4"):
            assert not is_reserved(path)
            assert unicodedata.normalize("NFC", path) == path == path.casefold()
        made.add(name)

    through(sink, rounds, small=200, large=50_000)
    assert len(made) > 10


def is_reserved(name: str) -> bool:
    """An oracle of its own: what Windows refuses or takes for a device."""
    devices = {"con", "prn", "aux", "nul", "conin$", "conout$"}
    devices |= {f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"}
    stem = name.split(".")[0].rstrip(" ").casefold()
    odd = set('<>:"/\\|?*') | {chr(code) for code in range(32)}
    return (
        stem in devices
        or PureWindowsPath(name).is_reserved()
        or name != name.rstrip(". ")
        or bool(set(name) & odd)
        or len(name.encode()) > 200
    )


def without_token(argument: str) -> str:
    return re.sub(r"\.kvdesk-[\w-]+\.tmp", "(temporary)", argument)


@pytest.mark.fault(24)
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.mp4"])
def test_words_come_back_from_a_file_and_are_no_arguments_of_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rounds: Rounds, name: str
):
    started: list[list[str]] = []
    usual: list[list[list[str]]] = []
    popen = subprocess.Popen
    imageio_ffmpeg.get_ffmpeg_exe()  # which it tries out when it is called first

    def recorded(command: list[str], *arguments: object, **options: object):
        started.append(command)
        assert not options.get("shell")
        return popen(command, *arguments, **options)

    monkeypatch.setattr(ffmpeg.subprocess, "Popen", recorded)

    def sink(text: str) -> None:
        request = request_of(text)
        if request is None:
            return
        settled = SaveSettings(frames_per_second=8, overwrite=True)
        data = to_json(request)
        path, *_ = save_video(FRAMES, tmp_path / name, settled, request=data)
        assert read_request(path) == data
        # Whatever the words are, the programs are started with the same arguments.
        commands = [[without_token(each) for each in command] for command in started]
        usual.append(commands)
        assert commands == usual[0]
        started.clear()

    # ffmpeg takes its time.
    is_slow = name.endswith("mp4")
    small, large, every = (1, 300, 13) if is_slow else (3, 2000, 5)
    through(sink, rounds, small=small, large=large, every=every)
    assert {path.suffix for path in tmp_path.iterdir()} <= {Path(name).suffix, ".json"}


@pytest.mark.fault(24)
@pytest.mark.timeout(0)
def test_titles_and_names_in_messages_are_one_line(rounds: Rounds):
    def sink(text: str) -> None:
        if (request := request_of(text)) is not None:
            title = clip_title(request)
            assert len(title.splitlines()) <= 1
        shown = shown_name(Path("folder") / text.replace("\0", "").replace("/", ""))
        assert shown.isprintable()

    through(sink, rounds, small=200, large=50_000)


# Names of files

NAMES = (
    "-i.png",
    "-.png",
    "--help.png",
    "%d.png",
    "%03d.png",
    "a\nb.png",
    "a\u202eb.png",
    "file:a.png",
    "pipe:1.png",
    "concat:a|b.png",
    "http:x.png",
    "'; id; '.png",
    "$(id).png",
    "*.png",
    "[ab].png",
    "{0}.png",
    " .png",
    "...png",
    "CON.png",
    "é.png",
    "e\u0301.png",
    "A.png",
    "a.png",
    "\udcff.png",
    "x" * 251 + ".png",
)


@pytest.mark.fault(24, 25)
def test_pictures_of_any_name_are_opened_and_refused_by_a_name_that_can_be_shown(
    tmp_path: Path, rounds: Rounds
):
    good, bad = one_of_each()["png"], b"\x89PNG\r\n\x1a\n" + bytes(40)
    for name in NAMES[:: rounds.wanted(10, 1)]:
        path = tmp_path / name
        path.write_bytes(good)
        assert open_picture(path).size == (55, 45)
        path.write_bytes(bad)
        with pytest.raises(PictureError) as caught:
            open_picture(path)
        assert caught.value.message.isprintable()
        rounds.done()


@pytest.mark.fault(24, 25)
@pytest.mark.parametrize("ending", ["mp4", "gif", "webp"])
def test_a_clip_is_saved_under_the_very_name_and_no_other(
    tmp_path: Path, rounds: Rounds, ending: str
):
    data = to_json(GenerateRequest(prompt="a", seed=7, size=FrameSize(width=64, height=64)))
    chosen = NAMES[:-1]
    saved: list[str] = []
    for name in chosen[:: rounds.wanted(10, 1)]:
        path = (tmp_path / name).with_suffix(f".{ending}")
        written = save_video(FRAMES, path, SETTINGS, request=data)
        assert written[0] == path
        assert read_request(path) == data
        saved += [each.name for each in written]
        with pytest.raises(VideoFileError):
            save_video(FRAMES, path, SETTINGS, request=data)  # never over what is there
        assert sorted(each.name for each in tmp_path.iterdir()) == sorted(saved)
        rounds.done()
