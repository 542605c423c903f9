"""What a worker writes, cut into lines as it arrives in pieces."""

from __future__ import annotations

import logging
from collections import deque

log = logging.getLogger(__name__)

MAX_LINE_BYTES = 8 << 20
"""A longer line is not a message: whatever wrote it, it must not fill the memory."""
MAX_TAIL_LINES = 200
MAX_TAIL_LINE_BYTES = 2000


class LineSplitter:
    """Puts pieces together and cuts them at line ends; a line that is too long is dropped."""

    def __init__(self, max_bytes: int = MAX_LINE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._num_bytes = 0
        self._is_dropping = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes, without their ends and without empty ones."""
        *ends, rest = data.split(b"\n")
        lines: list[bytes] = []
        for end in ends:
            self._append(end)
            line = b"".join(self._pieces).rstrip(b"\r")
            if line and not self._is_dropping:
                lines.append(line)
            self._pieces, self._num_bytes, self._is_dropping = [], 0, False
        self._append(rest)
        return lines

    def _append(self, piece: bytes) -> None:
        self._num_bytes += len(piece)
        if self._is_dropping:
            return
        if self._num_bytes > self._max_bytes:
            log.warning("dropped a line of the engine that is longer than %d", self._max_bytes)
            self._pieces, self._is_dropping = [], True
        elif piece:
            self._pieces.append(piece)


class Tail:
    """The last lines of a stream, for whoever looks into a failure."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=MAX_TAIL_LINES)
        self._unfinished = b""

    def feed(self, data: bytes) -> None:
        """Take what was written. A progress bar that writes over itself makes lines, too."""
        *lines, unfinished = (self._unfinished + data).replace(b"\r", b"\n").split(b"\n")
        self._lines.extend(line[:MAX_TAIL_LINE_BYTES] for line in lines if line.strip())
        self._unfinished = unfinished[:MAX_TAIL_LINE_BYTES]

    @property
    def text(self) -> str:
        """The lines, the one that has no end yet included."""
        lines = [*self._lines, self._unfinished] if self._unfinished else self._lines
        return b"\n".join(lines).decode("utf-8", errors="replace")
