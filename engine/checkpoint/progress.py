"""Counts the bytes of long work on several files, and ends it where it is cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.api import PrepareProgress
from engine.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable


class ByteProgress:
    """Reports `total_bytes` of work to `on_progress`, and asks `is_cancelled` each time."""

    def __init__(
        self,
        total_bytes: int,
        on_progress: Callable[[PrepareProgress], None],
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._total_bytes = total_bytes
        self._done_bytes = 0
        self._on_progress = on_progress
        self._is_cancelled = is_cancelled

    def expect(self, more_bytes: int) -> None:
        """There is more work than was known."""
        self._total_bytes += more_bytes

    def of(self, file: str) -> Callable[[int], None]:
        """What to tell how many more bytes of `file` are done.

        The function raises `Cancelled` where the work is to end.
        """

        def on_bytes(count: int) -> None:
            if self._is_cancelled():
                raise Cancelled
            self._done_bytes = min(self._done_bytes + count, self._total_bytes)
            self._on_progress(
                PrepareProgress(
                    file=file, done_bytes=self._done_bytes, total_bytes=self._total_bytes
                )
            )

        return on_bytes


class Share:
    """A part of the progress, of which no more is told than the part is worth."""

    def __init__(self, tell: Callable[[int], None], work_bytes: int) -> None:
        self._tell = tell
        self._left = work_bytes

    def on_bytes(self, count: int) -> None:
        """`count` more bytes are done, or all that are left."""
        count = min(count, self._left)
        self._left -= count
        self._tell(count)

    def finish(self) -> None:
        """All of it is done."""
        self.on_bytes(self._left)
