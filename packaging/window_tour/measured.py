"""Runs the application as it is, and says on stdout how it fares; `measure_window.py` reads it.

python measured.py WHY; first it says when the window is painted. A line on stdin makes it draw a
clip; another one ends it. Where WHY is 1, it tells what kept the event loop for long.
"""

from __future__ import annotations

import faulthandler
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal

import kvdesk.app as application

if TYPE_CHECKING:
    from kvdesk.app import Desk

_TICK_MS = 5
_LONG_MS = 30
_PLAY_MS = 4000
_SETTLE_MS = 4000
PROMPT = "a red circle moving to the right on a dark blue background"


class Measuring(QObject):
    """Watches the window from inside.

    Attributes:
        asked: a line came on stdin.
    """

    asked = Signal()

    def __init__(self, stacks: IO[str] | None) -> None:
        super().__init__()
        self._desk: Desk | None = None
        self._ticks = QTimer(self, interval=_TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._ticks.timeout.connect(self._on_tick)
        self._last = 0.0
        self._gaps: list[float] = []
        self._num_previews = 0
        self._began = 0.0
        self._stacks = stacks
        self.asked.connect(self._on_asked)
        threading.Thread(target=self._read, daemon=True).start()

    def watch(self, desk: Desk) -> None:
        """Begin, with a window that is not shown yet."""
        self._desk = desk
        desk.window.installEventFilter(self)
        desk.studio.machine_changed.connect(self._on_worker_there)
        desk.studio.progress_changed.connect(self._on_progress)
        desk.studio.clip_finished.connect(self._on_finished)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wait for the first painting, and then for the turn of the event loop after it."""
        if event.type() is QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self, lambda: _say("painted"))
        return False

    def _read(self) -> None:
        for _ in sys.stdin:
            self.asked.emit()

    def _on_worker_there(self) -> None:
        if self._desk is not None:
            self._desk.studio.machine_changed.disconnect(self._on_worker_there)
        QTimer.singleShot(_SETTLE_MS, self, lambda: _say("idle"))

    def _on_asked(self) -> None:
        assert self._desk is not None
        if self._began:
            self._desk.window.close()
            return
        self._desk.form.edit("", prompt=PROMPT)
        self._began = self._last = time.perf_counter()
        self._ticks.start()
        self._desk.window.compose.request_generate()

    def _on_tick(self) -> None:
        now = time.perf_counter()
        self._gaps.append(1000 * (now - self._last))
        self._last = now
        if self._stacks is not None:
            faulthandler.dump_traceback_later(_LONG_MS / 1000, file=self._stacks)

    def _on_progress(self, progress: Any) -> None:
        self._num_previews += progress is not None and progress.preview is not None

    def _on_finished(self) -> None:
        seconds = time.perf_counter() - self._began
        QTimer.singleShot(_PLAY_MS, self, lambda: self._tell(seconds))

    def _tell(self, seconds: float) -> None:
        self._ticks.stop()
        longest = sorted(self._gaps, reverse=True)
        why = ""
        if self._stacks is not None:
            faulthandler.cancel_dump_traceback_later()
            self._stacks.seek(0)
            why = self._stacks.read()
        _say("finished", seconds=seconds, gaps=longest[:5], previews=self._num_previews, why=why)


def _say(event: str, **values: Any) -> None:
    print(json.dumps({"event": event, **values}), flush=True)


def main() -> int:
    """See the module."""
    looks_why = sys.argv[1:] == ["1"]
    # Python writes to the file by itself, without a thread that would need its lock.
    with tempfile.TemporaryFile("w+") as stacks:
        measuring = Measuring(stacks if looks_why else None)
        build = application.build

        def build_watched(*given: Any) -> Desk:
            desk = build(*given)
            measuring.watch(desk)
            return desk

        application.build = build_watched
        return application.main()


if __name__ == "__main__":
    sys.exit(main())
