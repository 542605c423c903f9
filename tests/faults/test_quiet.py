"""Where nobody asks for a download there is no connection, no port, and no file elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from traced import LOCAL_FAMILIES, Trace, traced, why_not

ROOT = Path(__file__).parents[2]
PATIENCE = 280
PROMPT = "a red circle moving to the right on a black background"

reason = why_not()
pytestmark = [
    pytest.mark.fault(33),
    pytest.mark.skipif(bool(reason), reason=reason),
]


@pytest.fixture
def home(tmp_path):
    """The home of a person who has just installed kvdesk."""
    for name in ("home", "run", "tmp", "out"):
        (tmp_path / name).mkdir(mode=0o700)
    return tmp_path


def run(home: Path, *command: str) -> Trace:
    gone = ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "DISPLAY", "WAYLAND_DISPLAY")
    environment = {name: value for name, value in os.environ.items() if name not in gone}
    environment |= {
        "HOME": str(home / "home"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "TMPDIR": str(home / "tmp"),
        "PYTHONPATH": str(ROOT),
        "QT_QPA_PLATFORM": "offscreen",
    }
    trace = traced([sys.executable, *command], environment, home / "trace", seconds=PATIENCE)
    assert trace.status == 0, trace.output
    return trace


def assert_quiet(trace: Trace, home: Path) -> None:
    """Nothing but sockets of this computer, and nothing written but what is the person's own."""
    assert trace.families <= LOCAL_FAMILIES
    assert trace.connected == []
    assert trace.listening == []
    own = home / "home"
    allowed = [
        own / ".config" / "kvdesk",
        own / ".local" / "share" / "kvdesk",
        own / ".cache" / "kvdesk",
        own / "Videos" / "kvdesk",
        *(home / name for name in ("run", "tmp", "out")),
        Path("/dev/null"),
        Path("/proc/self"),
        Path("/dev/shm"),  # no disk, but memory: a lock that a library shares with its processes
    ]
    # Folders on the way to these are made for them.
    on_the_way = {parent for folder in allowed for parent in folder.parents}
    elsewhere = sorted(
        path
        for path in trace.written
        if path not in on_the_way
        and not any(path.is_relative_to(folder) for folder in allowed)
        and "__pycache__" not in path.parts  # what Python keeps beside the sources it has read
    )
    assert elsewhere == []


@pytest.mark.timeout(300)
def test_a_clip_by_the_command_line_is_made_in_silence(home):
    file = home / "out" / "clip.mp4"
    small = ("--width", "64", "--height", "64", "--steps", "1")
    trace = run(home, "-m", "kvdesk", "generate", PROMPT, "-o", str(file), *small)
    assert file.is_file()
    assert_quiet(trace, home)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_whole_session_of_the_window_is_silent(home):
    file = home / "out" / "clip.mp4"
    trace = run(home, str(Path(__file__).with_name("quiet_session.py")), str(file))
    assert file.is_file(), trace.output
    settings = home / "home" / ".config" / "kvdesk" / "settings.json"
    assert settings.is_file()
    assert settings in trace.written  # it is seen what is written
    assert_quiet(trace, home)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_plan_a_preparation_and_the_doctor_are_silent(home, official_folder):
    assert_quiet(run(home, "-m", "kvdesk", "plan", "--model", "demo"), home)
    prepared = home / "out" / "toy"
    trace = run(home, "-m", "kvdesk", "prepare", str(official_folder), str(prepared))
    assert (prepared / "model.json").is_file()
    assert_quiet(trace, home)
    assert_quiet(run(home, "-m", "kvdesk", "doctor"), home)


def test_what_is_not_silent_is_seen(home):
    program = f"""
import os, socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
os.chdir({str(home)!r})
open("elsewhere ä.txt", "w").close()
os.rename("elsewhere ä.txt", {str(home / "renamed")!r})
"""
    trace = run(home, "-c", program)
    assert "AF_INET" in trace.families
    assert len(trace.connected) == 1
    assert any(call.startswith("listen") for call in trace.listening)
    assert {home / "elsewhere ä.txt", home / "renamed"} <= trace.written
    with pytest.raises(AssertionError):
        assert_quiet(trace, home)
