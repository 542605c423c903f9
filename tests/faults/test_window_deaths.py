"""A window that is killed, at any moment, and one that is started many times at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from engine.api import CLIP_FILE, PROTOCOL_VERSION, ExportClip, SaveRequest, command_to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fault_rounds import Rounds

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("killed_window.py")
PATIENCE = 60
NUM_FRAMES = 12
STUCK_FFMPEG = "#!/bin/sh\nexec sleep 60\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills processes by signals")
linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere the end of its input ends the worker, if it reads"
)


def all_gone(processes: list[psutil.Process], rounds: Rounds) -> bool:
    # One that has just begun is gone as soon as it looks, which on a busy machine may take longer.
    deadline = time.monotonic() + rounds.wanted(small=6, large=2)
    while not all(is_gone(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def is_gone(process: psutil.Process) -> bool:
    try:  # a zombie only waits for somebody to take note of its end
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Windows:
    """Starts windows on the same folder, one after the other."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def start(self) -> psutil.Process:
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()
        line = json.loads(self._process.stdout.readline())
        if "gone" in line:  # the one before, which was killed
            line = json.loads(self._process.stdout.readline())
        return psutil.Process(line["pid"])

    def read(self) -> dict:
        line = json.loads(self._process.stdout.readline())
        assert "gone" not in line, "the window has ended by itself"
        return line

    def close(self) -> None:
        for child in psutil.Process(self._process.pid).children(recursive=True):
            child.kill()
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def windows(tmp_path) -> Iterator[Windows]:
    windows = Windows(tmp_path)
    yield windows
    windows.close()


@pytest.mark.fault(9, 15)
@pytest.mark.timeout(0)
def test_a_killed_window_loses_nothing_that_it_had_saved(windows, tmp_path, rounds: Rounds):
    chance = random.Random(15)
    count = rounds.wanted(small=2, large=200)
    saved: list[str] = []
    device = ""
    for number in range(count):
        window = windows.start()
        found = windows.read()
        assert found["device"] == device
        check_nothing_is_lost(found, saved)
        news = windows.read()
        saved += news["saved"]
        device = news["device"]
        time.sleep(chance.uniform(0, 0.8))
        everyone = [window, *window.children(recursive=True)]
        window.kill()
        assert all_gone(everyone, rounds), number
        check_files(tmp_path)
        rounds.done()
    last = windows.start()
    check_nothing_is_lost(windows.read(), saved)
    saved += windows.read()["saved"]
    deadline = time.monotonic() + PATIENCE + count
    while not all((tmp_path / "clips" / name).exists() for name in saved) or queued(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    last.kill()
    assert {name: frames_of(tmp_path / "clips" / name) for name in saved} == dict.fromkeys(
        saved, NUM_FRAMES
    )


def check_nothing_is_lost(found: dict, saved: list[str]) -> None:
    """Each job is in the queue or made; what ran waits, and the queue waits for a person."""
    jobs, clips = found["jobs"], found["clips"]
    missing = [name for name in saved if name not in jobs and clips.get(name) != NUM_FRAMES]
    assert not missing
    assert set(jobs.values()) <= {"waiting"}
    assert found["held"] or not jobs


def check_files(folder: Path) -> None:
    """What is there can be read, and nothing was set aside as damaged."""
    for path in folder.rglob("*.json"):
        assert isinstance(json.loads(path.read_bytes()), dict), path
    assert not list(folder.rglob("*.damaged"))


def frames_of(clip: Path) -> int:
    return json.loads((clip / CLIP_FILE).read_bytes())["num_frames"]


def queued(folder: Path) -> list[object]:
    return json.loads((folder / "data" / "queue.json").read_bytes())["jobs"]


# What the worker itself has started

# Starts a worker, has it export a clip, says its number as soon as it does, and waits to be killed.
EXPORTING = """
import json, os, subprocess, sys, time
worker = subprocess.Popen(
    [sys.executable, "-c", "import sys; sys.modules['torch'] = None;"
     "import engine.worker; engine.worker.main()"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    env={**os.environ, "KVDESK_PARENT_PID": str(os.getpid())},
)
for line in sys.argv[1:]:
    worker.stdin.write(line.encode() + b"\\n")
worker.stdin.flush()
while b"stage_started" not in worker.stdout.readline():
    pass
print(worker.pid, flush=True)
time.sleep(300)
"""


@pytest.mark.fault(10, 15)
@linux_only
@pytest.mark.parametrize("killed", ["window", "worker"])
def test_what_a_worker_started_is_gone_within_two_seconds(tmp_path, killed, rounds: Rounds):
    sys.path.append(str(ROOT / "tests" / "engine"))
    from finished_clips import demo_like_frames, write_clip

    clip = tmp_path / "clip"
    write_clip(clip, demo_like_frames(3))
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text(STUCK_FFMPEG, encoding="ascii")
    ffmpeg.chmod(0o755)
    save = SaveRequest(path=str(tmp_path / "clip.mp4"))
    lines = [
        json.dumps({"command": "greet", "protocol": PROTOCOL_VERSION}),
        json.dumps(command_to_json(ExportClip(job=1, folder=str(clip), save=save))),
    ]
    for _ in range(rounds.wanted(small=1, large=20)):
        window = subprocess.Popen(
            [sys.executable, "-c", EXPORTING, *lines],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT), "IMAGEIO_FFMPEG_EXE": str(ffmpeg)},
        )
        try:
            worker = psutil.Process(int(window.stdout.readline()))
            children = wait_for_child(worker, "sleep")
            (window if killed == "window" else worker).kill()
            assert all_gone([worker, *children], rounds)
        finally:
            window.kill()
            window.communicate()
        assert not Path(save.path).exists()
        rounds.done()


@pytest.mark.fault(15)
@linux_only
def test_a_worker_in_the_middle_of_c_code_goes_with_its_window(rounds: Rounds):
    stuck = """if True:
        import ctypes, os, engine.process_bonds as bonds
        bonds.end_with_parent()
        bonds.take_children_along()
        os.write(1, b"%d\\n" % os.getpid())
        ctypes.PyDLL(None).sleep(100)
    """
    parent = f"""if True:
        import os, subprocess, sys, time
        environment = {{**os.environ, "KVDESK_PARENT_PID": str(os.getpid())}}
        subprocess.Popen([sys.executable, "-c", {stuck!r}], stdin=subprocess.PIPE, env=environment)
        time.sleep(300)
    """
    window = subprocess.Popen(
        [sys.executable, "-c", parent],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        worker = psutil.Process(int(window.stdout.readline()))
        everyone = [worker, *wait_for_child(worker, "sh")]
    finally:
        window.kill()
        window.communicate()
    assert all_gone(everyone, rounds)


def wait_for_child(process: psutil.Process, name: str) -> list[psutil.Process]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        children = process.children(recursive=True)
        if any(child.name().startswith(name) for child in children):
            return children
        time.sleep(0.02)
    pytest.fail(f"no child called {name}")


# Many at once


@pytest.mark.fault(16)
@pytest.mark.slow
@pytest.mark.timeout(0)
def test_of_many_windows_started_at_once_exactly_one_stays(tmp_path, rounds: Rounds):
    places = ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
    for name in places:
        (tmp_path / name).mkdir(mode=0o700)
    environment = {**os.environ, **{name: str(tmp_path / name) for name in places}}
    environment |= {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    count = rounds.wanted(small=2, large=20)
    started = [
        subprocess.Popen([sys.executable, "-m", "kvdesk"], env=environment) for _ in range(count)
    ]
    try:
        deadline = time.monotonic() + PATIENCE + 5 * count
        while sum(process.poll() is None for process in started) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(0.5)
        codes = [process.poll() for process in started]
        assert sorted(codes, key=str) == [0] * (count - 1) + [None]
        rounds.done(count)
        (stays,) = [process for process in started if process.poll() is None]
        wait_for_child(psutil.Process(stays.pid), "python")
        stays.send_signal(signal.SIGTERM)
        assert stays.wait(PATIENCE) == 0
    finally:
        for process in started:
            process.kill()
            process.wait()
