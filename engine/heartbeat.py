"""A worker's heartbeat: it says every second that it lives, and whether anything happens in it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from engine.api import Alive

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_BETWEEN = 1.0
_THREADS_FOLDER = Path("/proc/self/task")


class Heartbeat:
    """Sends `Alive`, whose mark stays the same only if nothing at all happens.

    To be run by a thread of its own. It imports nothing while it runs, and what it does itself
    does not count.
    """

    def __init__(
        self,
        send: Callable[[Alive], None],
        *,
        events_sent: Callable[[], int],
        has_work: Callable[[], bool],
        seconds_between: float = SECONDS_BETWEEN,
    ) -> None:
        """A heartbeat that has not begun.

        Args:
            send: writes the event; what it raises ends the heartbeat.
            events_sent: how many other events were written so far.
            has_work: whether anybody waits for anything. Only then is it worth the effort to look
                at what other processes do for this one.
            seconds_between: the time from one beat to the next.
        """
        self._send = send
        self._events_sent = events_sent
        self._has_work = has_work
        self._seconds_between = seconds_between
        self._process = psutil.Process()
        self._mark = 0
        self._own_signs: tuple[int, ...] = ()
        self._signs_of_children: tuple[tuple[int, int], ...] = ()

    def run(self) -> None:
        """Beat until the process ends.

        Raises:
            OSError: nobody reads the events any more.
        """
        while True:
            self.beat()
            time.sleep(self._seconds_between)

    def beat(self) -> None:
        """Look once whether anything has happened since the last time, and say so."""
        own_signs = self._look_at_itself()
        if own_signs != self._own_signs or (self._has_work() and self._others_work()):
            self._own_signs = own_signs
            self._mark += 1
        self._send(Alive(mark=self._mark))

    def _look_at_itself(self) -> tuple[int, ...]:
        computed = time.process_time() - time.thread_time()
        return (self._events_sent(), int(10 * computed), _bytes_read(self._process))

    def _others_work(self) -> bool:
        """Whether a child computes, or something waits for a disk, which nobody can hurry."""
        signs = tuple(
            (child.pid, int(10 * _cpu_seconds(child)))
            for child in self._process.children(recursive=True)
        )
        if signs != self._signs_of_children:
            self._signs_of_children = signs
            return True
        return _waits_for_disk()


def _bytes_read(process: psutil.Process) -> int:
    """From disks; what comes from the system's cache takes computing."""
    if sys.platform == "darwin":  # it does not tell
        return 0
    try:
        return process.io_counters().read_bytes
    except (psutil.Error, OSError):  # a system that keeps this to itself
        return 0


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:  # it has just ended
        return 0.0
    return times.user + times.system


def _waits_for_disk() -> bool:
    """Whether a thread of this process waits for the system in a way that cannot be interrupted."""
    if sys.platform != "linux":
        return False
    return any(_state_of(thread) == "D" for thread in _THREADS_FOLDER.iterdir())


def _state_of(thread: Path) -> str:
    try:
        stat = (thread / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has just ended
        return ""
    return stat.rpartition(") ")[2][:1]  # behind the name, which may hold anything
