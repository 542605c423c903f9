"""How fast bytes come in, and a limit to it."""

from __future__ import annotations

import time
from collections import deque

_SECONDS_LOOKED_AT = 8.0
_SECONDS_TO_TELL = 1.0
_MOST_MARKS = 64


class Speed:
    """The bytes of the last seconds."""

    def __init__(self) -> None:
        now = time.monotonic()
        self._began = now
        self._marks: deque[tuple[float, int]] = deque([(now, 0)], maxlen=_MOST_MARKS)
        self._bytes = 0

    def add(self, count: int) -> None:
        """`count` more bytes came in."""
        self._bytes += count
        now = time.monotonic()
        if now - self._marks[-1][0] >= _SECONDS_LOOKED_AT / _MOST_MARKS:
            self._marks.append((now, self._bytes))

    @property
    def bytes_per_second(self) -> float:
        """Of the last seconds; 0 where nothing comes."""
        now = time.monotonic()
        while len(self._marks) > 1 and now - self._marks[0][0] > _SECONDS_LOOKED_AT:
            self._marks.popleft()
        began, before = self._marks[0]
        return (self._bytes - before) / max(now - began, 0.1)

    def seconds_left(self, missing_bytes: int) -> float | None:
        """Until `missing_bytes` have come; None where nobody can tell yet."""
        speed = self.bytes_per_second
        if speed <= 0 or time.monotonic() - self._began < _SECONDS_TO_TELL:
            return None
        return missing_bytes / speed


class SpeedLimit:
    """Says when the next bytes may be taken."""

    def __init__(self, bytes_per_second: int | None) -> None:
        self._bytes_per_second = bytes_per_second
        self._free_at = time.monotonic()

    def take(self, count: int) -> None:
        """`count` bytes were taken."""
        if self._bytes_per_second is not None:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + count / self._bytes_per_second

    @property
    def seconds_to_wait(self) -> float:
        """Until the next bytes may be taken."""
        if self._bytes_per_second is None:
            return 0.0
        return max(0.0, self._free_at - time.monotonic())
