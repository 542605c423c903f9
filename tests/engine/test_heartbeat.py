"""A worker's heartbeat: its mark moves when anything happens, and only then."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest
from worker_process import NO_TORCH

from engine import heartbeat
from engine.api import CountTokens, ListModels
from engine.heartbeat import Heartbeat


class Listener:
    """A heartbeat whose beats this test makes, and the marks that it sent."""

    def __init__(self, *, has_work: bool = True) -> None:
        self.marks: list[int] = []
        self.events_sent = 0
        self.has_work = has_work
        self.heartbeat = Heartbeat(
            lambda alive: self.marks.append(alive.mark),
            events_sent=lambda: self.events_sent,
            has_work=lambda: self.has_work,
        )
        self.moves()

    def moves(self) -> bool:
        self.heartbeat.beat()
        return len(self.marks) > 1 and self.marks[-1] != self.marks[-2]


def settled(**options: bool) -> Listener:
    """One that has taken note of all that was before."""
    listener = Listener(**options)
    while listener.moves():
        pass
    return listener


def test_where_nothing_happens_the_mark_stands_still():
    listener = settled()
    # Its own computing does not count: so many looks take far more than a tenth of a second.
    moved = sum(listener.moves() for _ in range(100))
    assert moved == 0


def test_an_event_moves_it_once():
    listener = settled()
    listener.events_sent += 1
    assert [listener.moves() for _ in range(3)] == [True, False, False]


def test_computing_moves_it_and_waiting_does_not():
    listener = settled()
    time.sleep(0.2)
    assert not listener.moves()

    def compute() -> None:
        end = time.thread_time() + 0.15
        while time.thread_time() < end:
            sum(range(1000))

    # The thread that beats does not count.
    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    assert listener.moves()


def test_a_child_that_computes_moves_it_while_somebody_waits_for_it():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        listener = settled(has_work=False)
        time.sleep(0.3)
        assert not listener.moves()
        listener.has_work = True
        assert listener.moves()
        deadline = time.monotonic() + 30  # on a busy machine
        while not listener.moves():
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        child.kill()
        child.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what threads wait for")
def test_what_waits_for_a_disk_is_not_called_hung(monkeypatch, tmp_path):
    listener = settled()
    for number, state in enumerate("SDS"):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "stat").write_text(f"7 (a ) D) {state} 1 2", encoding="ascii")
    (tmp_path / "gone").mkdir()
    monkeypatch.setattr(heartbeat, "_THREADS_FOLDER", tmp_path)
    assert listener.moves()
    (tmp_path / "1" / "stat").write_text("7 (a ) D) S 1 2", encoding="ascii")
    assert not listener.moves()


def test_a_worker_beats_from_its_hello_on_and_stands_still_when_it_is_idle(start):
    worker = start(program=NO_TORCH).greeted()
    worker.ask(ListModels(job=1))
    worker.ask(CountTokens(job=2, model="demo", text="a red circle"))
    deadline = time.monotonic() + 30
    while len(set(worker.marks[-2:])) != 1 or len(worker.marks) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert worker.marks == sorted(worker.marks)
    assert worker.marks[0] == 1


def test_a_worker_whose_events_nobody_reads_ends_although_nobody_asks_it_anything(start):
    worker = start(program=NO_TORCH, max_events=1).greeted()
    assert worker.seconds_to_end() < 10
