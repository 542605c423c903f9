"""The application as a process: how it starts beside another one, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 60


@pytest.fixture
def start(tmp_path):
    """Starts `python -m kvdesk` in folders of the test."""
    started = []
    places = {
        name: str(tmp_path / name)
        for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
    }
    (tmp_path / "run").mkdir(mode=0o700)
    environment = {**os.environ, **places, "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    environment |= {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}

    def starting() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "kvdesk"], env=environment, stderr=subprocess.PIPE
        )
        started.append(process)
        return process

    yield starting
    for process in started:
        process.kill()
        process.communicate()


def workers_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        children = psutil.Process(process.pid).children(recursive=True)
        with contextlib.suppress(psutil.Error):  # of a tool that has ended meanwhile
            if any("engine.worker" in child.cmdline() for child in children):
                return children
        time.sleep(0.05)
    pytest.fail("the window starts no worker")


def all_gone(processes: list[psutil.Process], seconds: float) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    return all(process.status() == psutil.STATUS_ZOMBIE for process in alive)


@pytest.mark.fault(32)
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_a_session_that_ends_is_a_clean_end(start, tmp_path):
    process = start()
    workers = workers_of(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert process.stderr.read() == b""
    assert all_gone(workers, 2)
    settings = json.loads((tmp_path / "XDG_CONFIG_HOME" / "kvdesk" / "settings.json").read_text())
    assert settings["window_geometry"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a screen")
def test_without_a_screen_it_says_so():
    without = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in without}
    environment["PYTHONPATH"] = str(ROOT)
    said = subprocess.run(
        [sys.executable, "-m", "kvdesk"], env=environment, capture_output=True, check=False
    )
    assert said.returncode == 1
    assert b"no screen" in said.stderr


@pytest.mark.fault(15)
def test_a_worker_does_not_outlive_a_window_that_is_killed(start):
    process = start()
    workers = workers_of(process)
    time.sleep(0.5)  # the worker asks the system to end it with its parent when it starts
    process.kill()
    process.wait()
    assert all_gone(workers, 2)


def test_a_second_start_brings_the_first_to_the_front_and_ends(start):
    first = start()
    workers_of(first)
    second = start()
    assert second.wait(PATIENCE) == 0
    assert first.poll() is None


@pytest.mark.fault(33)
def test_the_window_opens_no_connection_and_no_port(start):
    process = start()
    everyone = [psutil.Process(process.pid), *workers_of(process)]
    time.sleep(2)
    assert [each.net_connections(kind="inet") for each in everyone] == [[] for _ in everyone]
