"""Damage in a model is found before the first step, is named, and is mended file by file."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time

import pytest

from engine import telling_process
from engine.api import (
    CheckProgress,
    EightBitReport,
    Fps,
    FrameSize,
    GenerateRequest,
    PrepareProgress,
    Stage,
)
from engine.checkpoint import checked_files, official, preparation, prepared
from engine.checkpoint.checked_files import CheckedFiles
from engine.checkpoint.folder import ModelFolder, ModelPart, demo_folder
from engine.checkpoint.preparation_process import prepare_in_process
from engine.checkpoint.prepare import prepare_model
from engine.checkpoint.torch_archive import index_archives
from engine.errors import Cancelled, EngineError, InvalidRequest, ModelFileError
from engine.model_check import check_model

pytestmark = pytest.mark.fault(6)

REQUEST = GenerateRequest(
    prompt="a red circle", seed=1, size=FrameSize(width=64, height=64), fps=Fps.HIGH
)
LONG_AGO = 10**9
ARCHIVED = [part for part in ModelPart if part is not ModelPart.TEXT_ENCODER]


def prepare(source, destination, *, eight_bit=False, on_progress=lambda _: None,
            is_cancelled=lambda: False):  # fmt: skip
    return prepare_model(
        source, destination, expected=None, on_progress=on_progress,
        is_cancelled=is_cancelled, eight_bit=eight_bit,
    )  # fmt: skip


def check(folder, **options):
    check_model(ModelFolder.open(folder), REQUEST, eight_bit=True, **options)


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def contents(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files_of(folder)}


def flip_bit(path, position, bit=0):
    with path.open("r+b") as file:
        file.seek(position)
        (value,) = file.read(1)
        file.seek(position)
        file.write(bytes([value ^ 1 << bit]))


def make_old(folder):
    """Let the files' clocks tell them from what is changed from now on."""
    for path in files_of(folder):
        os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture(autouse=True)
def _own_memory(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def read(monkeypatch):
    """The names of the files that are read to be compared."""
    names = []
    digest = prepared.digest_file

    def digesting(path, on_bytes):
        names.append(path.name)
        return digest(path, on_bytes)

    monkeypatch.setattr(prepared, "digest_file", digesting)
    return names


@pytest.fixture(scope="module")
def demo_with_8bit(tmp_path_factory):
    """The demo with files of every kind that a prepared model can have."""
    folder = shutil.copytree(demo_folder(), tmp_path_factory.mktemp("demo") / "demo")
    prepare(folder, folder, eight_bit=True)
    return folder


@pytest.fixture
def demo(demo_with_8bit, tmp_path):
    folder = shutil.copytree(demo_with_8bit, tmp_path / "demo")
    make_old(folder)
    return folder


@pytest.fixture
def toy(prepared_folder, tmp_path):
    folder = shutil.copytree(prepared_folder, tmp_path / "toy")
    make_old(folder)
    return folder


@pytest.fixture(scope="module")
def index(official_folder):
    return index_archives([official_folder / f"{part}.pt" for part in ARCHIVED])


@pytest.fixture
def _index_is_known(index, monkeypatch):
    """The official files are indexed once for all tests: each time takes seconds."""
    monkeypatch.setattr(official, "index_archives", lambda _: index)


# Damage


@pytest.mark.timeout(0)
def test_a_flipped_bit_anywhere_is_found_before_the_first_step(demo, rounds):
    check(demo)
    draw = random.Random(0)
    files = files_of(demo)
    by_size = [path for path in files for _ in range(1 + path.stat().st_size // 100_000)]
    for number in range(rounds.wanted(small=len(files) + 20, large=2000)):
        path = files[number] if number < len(files) else draw.choice(draw.choice([files, by_size]))
        times = path.stat().st_mtime_ns, path.stat().st_mtime_ns
        position, bit = draw.randrange(path.stat().st_size), draw.randrange(8)
        flip_bit(path, position, bit)
        os.utime(path, ns=times)  # as a disk would have it that forgets by itself
        with pytest.raises(EngineError) as caught:
            check(demo)
        assert path.name in caught.value.message
        flip_bit(path, position, bit)
        os.utime(path, ns=times)
        rounds.done()
    check(demo)


@pytest.mark.timeout(0)
def test_a_file_cut_off_anywhere_is_found_before_the_first_step(demo, rounds):
    check(demo)
    draw = random.Random(1)
    files = files_of(demo)
    for number in range(rounds.wanted(small=len(files), large=500)):
        path = files[number % len(files)]
        whole = path.read_bytes()
        path.write_bytes(whole[: draw.randrange(len(whole))])
        with pytest.raises(ModelFileError) as caught:
            check(demo)
        assert path.name in caught.value.message
        path.write_bytes(whole)
        rounds.done()


def test_a_damaged_model_begins_no_clip(demo, tmp_path):
    from engine.jobs import JobRunner

    flip_bit(demo / "video_movq.safetensors", 5_000_000)  # used last of all
    events = []
    with pytest.raises(ModelFileError, match=r"video_movq\.safetensors is damaged.*kvdesk prepare"):
        JobRunner().make_clip(
            REQUEST, tmp_path / "clip", model=str(demo), device_name="cpu", until=None,
            on_event=events.append, is_cancelled=lambda: False,
        )  # fmt: skip
    assert events == []
    assert not (tmp_path / "clip").exists()


@pytest.mark.fault(6, 23)
def test_a_pipe_in_the_place_of_a_file_is_refused_without_waiting_for_it(demo):
    (demo / "preview.json").unlink()
    os.mkfifo(demo / "preview.json")
    with pytest.raises(ModelFileError, match=r"preview\.json is damaged"):
        ModelFolder.open(demo)


# What is remembered


@pytest.mark.fault(6, 7)
def test_a_file_is_read_once_and_again_when_it_has_changed(demo, read):
    check(demo)
    assert set(read) >= {path.name for path in files_of(demo)} - {"model.json"}
    read.clear()
    check(demo)
    assert set(read) == {"configs.json", "text_encoder_config.json", "eight_bit.json"}
    read.clear()
    os.utime(demo / "movq.safetensors", (LONG_AGO + 1, LONG_AGO + 1))
    check(demo)
    assert [name for name in read if name.endswith(".safetensors")] == ["movq.safetensors"]


def test_only_what_the_clip_needs_is_read(demo, read):
    few = REQUEST.__class__(prompt="", seed=1, size=REQUEST.size)
    check_model(ModelFolder.open(demo), few, until=Stage.KEY_FRAME)
    weights = {name for name in read if name.endswith(".safetensors")}
    assert weights == {
        "t2v.safetensors", "movq.safetensors", "text_encoder.safetensors",
        "t5_projections.safetensors",
    }  # fmt: skip


@pytest.mark.fault(6, 26)
@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b'{"format": 1, "files": [7]}'])
def test_a_memory_that_is_lost_or_damaged_costs_time_and_no_more(demo, tmp_path, damage):
    memory = tmp_path / "memory.json"
    files = ModelFolder.open(demo).checkable_files(tuple(ModelPart), in_8bit=True)
    CheckedFiles(memory).check(files, lambda _: None)
    assert CheckedFiles(memory).unchecked(files) == []
    memory.write_bytes(damage)
    assert CheckedFiles(memory).unchecked(files) == files
    CheckedFiles(memory).check(files, lambda _: None)
    assert CheckedFiles(memory).unchecked(files) == []


@pytest.mark.fault(6, 7)
def test_what_changed_a_moment_ago_is_not_remembered(demo, tmp_path):
    now = time.time()
    os.utime(demo / "movq.safetensors", (now, now))
    files = ModelFolder.open(demo).checkable_files(tuple(ModelPart), in_8bit=True)
    CheckedFiles(tmp_path / "memory.json").check(files, lambda _: None)
    (left,) = CheckedFiles(tmp_path / "memory.json").unchecked(files)
    assert left.name == "movq.safetensors"


def test_what_takes_long_tells_how_far_it_is_and_can_be_stopped(demo, monkeypatch):
    events = []
    check(demo, on_event=events.append)
    assert events == []  # a moment is not worth a word
    make_old(demo)
    monkeypatch.setattr("engine.model_check._SILENT_SECONDS", 0)
    monkeypatch.setattr("engine.model_check._SECONDS_BETWEEN", 0)
    with pytest.raises(Cancelled):
        check(demo, on_event=events.append, is_cancelled=lambda: len(events) == 3)
    assert len(events) == 3
    check(demo, on_event=events.append)
    assert all(isinstance(event, CheckProgress) for event in events)
    assert events[-1].done_bytes == events[-1].total_bytes


# Repair


@pytest.mark.usefixtures("_index_is_known")
def test_a_repair_replaces_what_is_damaged_and_leaves_the_rest(
    official_folder, prepared_folder, toy
):
    flip_bit(toy / "t5_projections.safetensors", 3000)
    (toy / "tokenizer" / "tokenizer.json").unlink()
    (toy / "preview.json").write_bytes(b"{}")
    progress: list[PrepareProgress] = []
    with pytest.raises(Cancelled):
        prepare(official_folder, toy, is_cancelled=lambda: len(progress) > 30,
                on_progress=progress.append)  # fmt: skip
    assert prepare(official_folder, toy, on_progress=progress.append).info.name == "toy"
    assert progress[-1].done_bytes == progress[-1].total_bytes
    assert contents(toy) == contents(prepared_folder)
    changed = {path.name for path in files_of(toy) if path.stat().st_mtime != LONG_AGO}
    assert changed == {"t5_projections.safetensors", "tokenizer.json", "preview.json"}
    check(toy)


@pytest.mark.usefixtures("_index_is_known")
def test_a_model_without_its_model_json_is_made_anew(official_folder, prepared_folder, toy):
    (toy / "model.json").write_bytes(b'{"format_version": 1')
    (toy / "mine.txt").write_text("not of the model")
    with pytest.raises(InvalidRequest, match=r"mine\.txt"):
        prepare(official_folder, toy)
    (toy / "mine.txt").unlink()
    prepare(official_folder, toy)
    assert contents(toy) == contents(prepared_folder)


@pytest.mark.usefixtures("_index_is_known")
@pytest.mark.parametrize(("field", "value"), [("size", 7), ("sha256", "0" * 64)])
def test_a_model_is_not_repaired_with_the_files_of_another(official_folder, toy, field, value):
    model = json.loads((toy / "model.json").read_text())
    del model["sha256"]
    (source,) = [entry for entry in model["sources"] if entry["name"] == "configs.json"]
    source[field] = value
    (toy / "model.json").write_text(json.dumps(model))
    (toy / "configs.json").write_bytes(b"")
    with pytest.raises(InvalidRequest, match=r"was not prepared from .*configs\.json"):
        prepare(official_folder, toy)


@pytest.mark.fault(26)
@pytest.mark.usefixtures("_index_is_known")
def test_a_model_of_a_newer_kvdesk_is_not_touched(official_folder, toy):
    (toy / "model.json").write_text('{"format_version": 2, "new": true}')
    before = contents(toy)
    with pytest.raises(ModelFileError, match="newer kvdesk"):
        prepare(official_folder, toy)
    assert contents(toy) == before


@pytest.mark.usefixtures("_index_is_known")
def test_a_disk_that_gives_other_bytes_than_it_was_given_is_found(
    official_folder, tmp_path, monkeypatch
):
    digest = preparation.digest_file

    def digesting(path, on_bytes):
        if path.name == "movq.safetensors":
            flip_bit(path, 1_000_000)
        return digest(path, on_bytes)

    monkeypatch.setattr(preparation, "digest_file", digesting)
    with pytest.raises(ModelFileError, match=r"movq\.safetensors was written, and reads different"):
        prepare(official_folder, tmp_path / "toy")
    assert not (tmp_path / "toy" / "model.json").exists()


# The process that prepares


def prepared_by(monkeypatch, folder, program, *, is_cancelled=lambda: False):
    """What comes of a preparation whose process does `program` instead."""
    monkeypatch.setattr(telling_process, "own_command", lambda _: [sys.executable, "-c", program])
    return prepare_in_process(
        folder, folder, eight_bit=True, on_progress=lambda _: None, is_cancelled=is_cancelled
    )


@pytest.mark.fault(1, 11, 13)
@pytest.mark.parametrize(
    ("program", "complaint"),
    [
        ("import os; os.kill(os.getpid(), 9)", r"the system ended it \(SIGKILL\)"),
        ("import os; os.abort()", r"the system ended it \(SIGABRT\)"),
        ("import sys; sys.exit('last words')", "it ended with code 1"),
        ("import os; os._exit(87)", "asked for a program, and nothing of that was run"),
        ("", "it ended with code 0"),
        ("print('[[')", "answered what nobody understands"),
        ("print('x' * 5_000_000)", "answered what nobody understands"),
        ('print(\'{"event": "stopped"}\')', "answered what nobody understands"),
        ('print(\'{"event": "failed", "code": "disk_full", "message": "full"}\')', "full"),
    ],
)
def test_a_preparation_whose_process_fails_is_an_error_in_words(
    demo, monkeypatch, program, complaint
):
    with pytest.raises(EngineError, match=complaint) as caught:
        prepared_by(monkeypatch, demo, program)
    assert caught.value.code == ("disk_full" if complaint == "full" else "model_file")
    assert ("last words" in caught.value.detail) == ("last words" in program)


@pytest.mark.fault(12)
def test_a_process_that_does_not_stop_is_made_to(demo, monkeypatch):
    monkeypatch.setattr(telling_process, "_SECONDS_TO_STOP", 0.3)
    monkeypatch.setattr(telling_process, "_SECONDS_TO_END", 0.3)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    begin = time.monotonic()
    with pytest.raises(Cancelled):
        prepared_by(monkeypatch, demo, deaf, is_cancelled=lambda: time.monotonic() > begin + 0.5)
    assert time.monotonic() - begin < 30


@pytest.mark.slow
@pytest.mark.fault(1, 6)
def test_the_process_prepares_what_the_function_does_and_it_is_known_then(
    official_folder, prepared_folder, tmp_path, read, monkeypatch
):
    # The small files of this model were all written a moment ago.
    monkeypatch.setattr(checked_files, "_COARSEST_CLOCK_NS", 0)
    destination = tmp_path / "toy"
    progress = []
    done = prepare_in_process(
        official_folder, destination, eight_bit=False, on_progress=progress.append,
        is_cancelled=lambda: False,
    )  # fmt: skip
    assert isinstance(done.eight_bit, EightBitReport)
    assert contents(destination) == contents(prepared_folder)
    read.clear()
    check(destination)
    assert "t2v.safetensors" not in read


@pytest.mark.slow
@pytest.mark.fault(12, 15)
def test_a_preparation_stops_when_it_is_asked_to_and_ends_with_who_asked_for_it(
    official_folder, tmp_path
):
    program = """
import sys, time
from pathlib import Path
from engine.checkpoint.preparation_process import prepare_in_process
prepare_in_process(Path(sys.argv[1]), Path(sys.argv[2]), eight_bit=True,
    on_progress=lambda _: print("on", flush=True), is_cancelled=lambda: False)
"""
    root = str(demo_folder().parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(official_folder), str(tmp_path / "toy")],
        stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait()
    process.stdout.close()
    until = time.monotonic() + 2
    while members := running_in_session(process.pid):
        assert time.monotonic() < until, members
        time.sleep(0.05)


def running_in_session(session):
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found
