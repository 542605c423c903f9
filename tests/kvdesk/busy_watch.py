"""How long the event loop is held up."""

from __future__ import annotations

import time

from PySide6.QtCore import QTimer


class BusyWatch:
    """Between two turns of the event loop: the most that passed, and the most that was worked.

    The second does not count what other processes of the machine took.
    """

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setInterval(1)
        self._timer.timeout.connect(self._look)

    def __enter__(self) -> BusyWatch:
        self.passed_ms = self.worked_ms = 0.0
        self._passed, self._worked = time.perf_counter(), time.thread_time()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._look()
        self._timer.stop()

    def _look(self) -> None:
        passed, worked = time.perf_counter(), time.thread_time()
        self.passed_ms = max(self.passed_ms, 1000 * (passed - self._passed))
        self.worked_ms = max(self.worked_ms, 1000 * (worked - self._worked))
        self._passed, self._worked = passed, worked

    def __str__(self) -> str:
        return f"{self.worked_ms:.0f} ms of work in one go ({self.passed_ms:.0f} ms passed)"
