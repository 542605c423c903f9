"""One window a person."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QObject

import kvdesk
from kvdesk.single_instance import SingleInstance

ROOT = Path(kvdesk.__file__).parents[1]

# Says whether it is first, and stays until its input ends.
PROGRAM = """
import sys
from PySide6.QtCore import QCoreApplication
from kvdesk.single_instance import SingleInstance
app = QCoreApplication([])
instance = SingleInstance("kvdesk-test", app)
print("first" if instance.is_first else "second", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def owner(qapp):
    """Whatever belongs to it lets go of its lock with the test."""
    owner = QObject(qapp)
    yield owner
    owner.deleteLater()


@pytest.fixture
def start_another():
    """Starts processes that make an instance each."""
    processes = []

    def start() -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_the_first_is_raised_by_the_second(qtbot, owner):
    first = SingleInstance("kvdesk-test", owner)
    second = SingleInstance("kvdesk-test", owner)
    assert (first.is_first, second.is_first) == (True, False)
    with qtbot.waitSignal(first.raised, timeout=5000):
        second.ask_first_to_raise()  # in one process nobody answers while it waits


def test_the_second_knows_that_the_first_came_forward(qtbot, owner):
    first = SingleInstance("kvdesk-test", owner)
    told = []
    first.raised.connect(lambda: told.append("raised"))
    program = PROGRAM.replace("sys.stdin.read()", "print(instance.ask_first_to_raise())")
    for number in range(1, 4):
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        qtbot.waitUntil(lambda process=process: process.poll() is not None, timeout=20_000)
        assert process.communicate()[0].split() == ["second", "True"]
        assert told == ["raised"] * number


def test_another_name_is_another_application(owner):
    assert SingleInstance("kvdesk-test", owner).is_first
    assert SingleInstance("kvdesk-other", owner).is_first


def test_the_next_is_first_when_the_first_is_gone(qtbot, owner, qapp):
    first_owner = QObject(qapp)
    SingleInstance("kvdesk-test", first_owner)
    with qtbot.waitSignal(first_owner.destroyed, timeout=5000):
        first_owner.deleteLater()
    assert SingleInstance("kvdesk-test", owner).is_first


@pytest.mark.fault(16)
@pytest.mark.skipif(sys.platform == "win32", reason="sockets there are no files")
def test_what_a_crash_left_behind_is_in_nobodys_way(qtbot, owner, start_another, tmp_path):
    crashed = start_another()
    assert crashed.stdout.readline() == "first\n"
    assert len(list(tmp_path.iterdir())) == 2  # its lock and its socket
    crashed.kill()
    crashed.wait()
    first = SingleInstance("kvdesk-test", owner)
    assert first.is_first
    with qtbot.waitSignal(first.raised, timeout=5000):
        SingleInstance("kvdesk-test", owner).ask_first_to_raise()


@pytest.mark.fault(16)
@pytest.mark.parametrize("is_after_a_crash", [False, True])
def test_of_many_that_start_at_once_exactly_one_is_first(start_another, is_after_a_crash):
    if is_after_a_crash:
        crashed = start_another()
        assert crashed.stdout.readline() == "first\n"
        crashed.kill()
        crashed.wait()
    processes = [start_another() for _ in range(20)]
    said = [process.stdout.readline().strip() for process in processes]
    assert sorted(said) == ["first"] + ["second"] * 19


def test_a_first_that_does_not_answer_costs_half_a_second(owner, start_another):
    busy = start_another()  # it reads its input and never looks at its socket
    assert busy.stdout.readline() == "first\n"
    second = SingleInstance("kvdesk-test", owner)
    began = time.monotonic()
    assert not second.ask_first_to_raise()
    assert 0.4 < time.monotonic() - began < 1.0


def test_a_socket_that_never_comes_costs_half_a_second(owner):
    first = SingleInstance("kvdesk-test", owner)
    second = SingleInstance("kvdesk-test", owner)
    first._server.close()
    began = time.monotonic()
    assert not second.ask_first_to_raise()
    assert 0.4 < time.monotonic() - began < 1.0


@pytest.mark.skipif(sys.platform == "win32", reason="sockets there are no files")
def test_only_this_person_may_use_the_socket(owner, tmp_path):
    SingleInstance("kvdesk-test", owner)
    (socket,) = [path for path in tmp_path.iterdir() if path.is_socket()]
    assert socket.stat().st_mode & 0o077 == 0


def test_who_cannot_have_a_lock_is_first(owner, tmp_path, monkeypatch, caplog):
    (tmp_path / "kvdesk").write_text("")
    monkeypatch.setattr("kvdesk.single_instance._runtime_folder", lambda: tmp_path / "kvdesk")
    assert SingleInstance("kvdesk-test", owner).is_first
    assert "will not be noticed" in caplog.text
