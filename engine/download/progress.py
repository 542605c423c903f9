"""Tells how far a download is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.api import DownloadProgress
from engine.download.pace import Speed

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS_BETWEEN = 0.25


class DownloadCount:
    """Counts the bytes of all files of a download.

    Attributes:
        fetched_bytes: came over the network.
    """

    def __init__(
        self, total_bytes: int, done_bytes: int, on_progress: Callable[[DownloadProgress], None]
    ) -> None:
        self._total_bytes = total_bytes
        self._done_bytes = done_bytes
        self._on_progress = on_progress
        self._speed = Speed()
        self._file = ""
        self._told_at = 0.0
        self.fetched_bytes = 0

    def begin(self, file: str) -> None:
        """The work is at `file` now."""
        self._file = file
        self._told_at = 0.0
        self.tell()

    def fetched(self, count: int) -> None:
        """`count` more bytes came in, and are new."""
        self.fetched_bytes += count
        self._speed.add(count)
        self.done(count)

    def done(self, count: int) -> None:
        """`count` more bytes are there; fewer where it is negative."""
        self._done_bytes += count
        self.tell()

    def tell(self, waiting: str = "") -> None:
        """Say how far it is, unless it was said a moment ago."""
        now = time.monotonic()
        if now - self._told_at < _SECONDS_BETWEEN:
            return
        self._told_at = now
        missing = self._total_bytes - self._done_bytes
        self._on_progress(
            DownloadProgress(
                file=self._file,
                done_bytes=self._done_bytes,
                total_bytes=self._total_bytes,
                bytes_per_second=self._speed.bytes_per_second,
                seconds_left=None if waiting else self._speed.seconds_left(missing),
                waiting=waiting,
            )
        )
