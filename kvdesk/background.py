"""Work on files that may be slow, done in a thread so that the window never waits."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, QThreadPool, Signal

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


class Background(QObject):
    """Calls functions in Qt's threads, and who asked from the event loop with what they return.

    A function must not raise: what can go wrong is part of what it returns. One that does is a
    fault, which is logged, and nobody is called.
    """

    _returned = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # A pool of one's own would wait for its threads where it is destroyed, which is at a
        # moment that Python's garbage collector chooses.
        self._pool = QThreadPool.globalInstance()
        self._is_closed = False
        self._returned.connect(self._on_returned)

    def run(
        self, function: Callable[[], _Result], on_done: Callable[[_Result], None] | None = None
    ) -> None:
        """Call `function` in a thread, and then `on_done` with its result."""

        def call() -> None:
            try:
                result = function()
            except Exception:
                # The thread has nobody above it; without this, the fault would go unseen.
                log.exception("a task in a thread failed")
                return
            if on_done is not None and not self._is_closed:
                self._returned.emit(partial(on_done, result))

        self._pool.start(call)

    def close(self, milliseconds: int) -> bool:
        """Wait for what runs; nobody is called any more.

        Returns:
            Whether everything ended in time.
        """
        self._is_closed = True
        return self._pool.waitForDone(milliseconds)

    def _on_returned(self, call: Callable[[], None]) -> None:
        if not self._is_closed:
            call()
