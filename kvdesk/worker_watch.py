"""Whether a worker still works, or hangs and has to be ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

HUNG_PATIENCE = 8
"""Seconds without a sign. With those until it is looked at and until it is gone, ten at most."""
REMOTE_PATIENCE = 60
"""For a worker on another computer, of which nothing but its lines is seen."""
BUSY_PATIENCE = 900
"""For one that says nothing, but computes or reads, as while something large is loaded."""
_BUSY_SECONDS = 0.05
"""The least computing in a second that counts; threads that wait for each other do a little."""
_FIRST_LOOK = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What the system says of a process.

    Attributes:
        cpu_seconds: what it has computed so far.
        io_bytes: what it has read and written so far.
        waits_for_disk: it waits in a way that even its end has to wait for.
    """

    cpu_seconds: float
    io_bytes: int
    waits_for_disk: bool

    def show_work_since(self, before: Signs) -> bool:
        """Whether it has done anything worth mentioning in the second since `before`."""
        return (
            self.waits_for_disk
            or self.io_bytes != before.io_bytes
            or self.cpu_seconds - before.cpu_seconds >= _BUSY_SECONDS
        )


class WorkerWatch:
    """Finds a worker that hangs, by its lines, its marks, and what the system says of it.

    Its seconds are the ticks of the window's own timer and the beats of the worker, so that a
    computer that slept and a window that stood still blame nobody.
    """

    def __init__(self, look: Callable[[], Signs | None] | None) -> None:
        """A watch of a worker that has just been started.

        Args:
            look: asks the system about the process, which says None where it cannot; without it
                the worker is on another computer.
        """
        self._look = look
        self._was_heard = False
        self._silent = 0  # ticks without a line
        self._still = 0  # those of them in which it has done nothing either
        self._before: Signs | None = None
        self._mark: int | None = None
        self._same_marks = 0
        self._mark_was_counted = False  # since the last tick

    def hear_line(self) -> None:
        """It has written a line."""
        self._was_heard = True

    def hear_mark(self, mark: int, *, has_work: bool) -> bool:
        """It has said that it lives.

        Args:
            mark: stays the same only if nothing happens in it.
            has_work: whether anybody waits for anything that it does.

        Returns:
            Whether it hangs: it lives, but what it is to do does not get on.
        """
        is_same = mark == self._mark
        self._mark = mark
        if not is_same or not has_work:
            self._same_marks = 0
        elif not self._mark_was_counted:
            # A window that stood still hears all at once what was said meanwhile, and what the
            # worker waited for had perhaps not left the window.
            self._mark_was_counted = True
            self._same_marks += 1
        return self._same_marks >= HUNG_PATIENCE

    def tick(self) -> bool:
        """A second of the window has gone by.

        Returns:
            Whether it hangs: it has said nothing for long, and does nothing.
        """
        self._mark_was_counted = False
        if self._was_heard:
            self._was_heard = False
            self._silent = self._still = 0
            self._before = None
            return False
        self._silent += 1
        if self._look is None:
            return self._silent >= REMOTE_PATIENCE
        if self._silent < _FIRST_LOOK:
            self._still += 1
            return False
        signs = self._look()
        works = (
            self._before is not None and signs is not None and signs.show_work_since(self._before)
        )
        self._before = signs
        self._still = 0 if works else self._still + 1
        return self._still >= HUNG_PATIENCE or self._silent >= BUSY_PATIENCE


def look_at_process(pid: int) -> Signs | None:
    """What the system says of the process `pid`; None where it is gone or not ours to look at."""
    import psutil  # only for who has to look: it would take its time of every start

    try:
        process = psutil.Process(pid)
        with process.oneshot():
            times = process.cpu_times()
            # Not every system tells these.
            io_bytes = sum(process.io_counters()) if hasattr(process, "io_counters") else 0
            waits_for_disk = process.status() == psutil.STATUS_DISK_SLEEP
    except psutil.Error:
        return None
    return Signs(
        cpu_seconds=times.user + times.system, io_bytes=io_bytes, waits_for_disk=waits_for_disk
    )
