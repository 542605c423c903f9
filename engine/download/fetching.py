"""Fetches one file, whatever the server does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.download.answers import Answer, FileChanged, TryAgain, offset_of
from engine.download.byte_stream import ByteStream, StreamEnded
from engine.download.wanted_files import ChecksumKind
from engine.errors import DownloadError

if TYPE_CHECKING:
    from engine.download.hub import Hub
    from engine.download.pace import SpeedLimit
    from engine.download.part_file import PartFile
    from engine.download.patience import Patience
    from engine.download.progress import DownloadCount
    from engine.download.waiting import Waiting
    from engine.download.wanted_files import WantedFile

_SECONDS_BETWEEN_LOOKS = 0.2
_SECONDS_TO_TELL = 3.0
_ENOUGH_TO_TRUST_AGAIN = 64 * 1024
"""Bytes of one connection after which its server is one that works."""


class Fetcher:
    """Fetches files from one server, one after the other."""

    def __init__(
        self,
        hub: Hub,
        patience: Patience,
        limit: SpeedLimit,
        waiting: Waiting,
        count: DownloadCount,
    ) -> None:
        self._hub = hub
        self._patience = patience
        self._limit = limit
        self._waiting = waiting
        self._count = count

    def fetch(self, wanted: WantedFile, part: PartFile) -> None:
        """Fetch what `part` lacks of `wanted`, until its bytes are the right ones.

        Raises:
            DownloadError: patience has come to its end, or the server has another file.
            Cancelled: meanwhile. What has come stays in `part`.
            OSError: the disk refuses.
        """
        has_begun_anew = False
        self._waiting.succeeded()  # other work may have taken hours
        while not part.is_right:
            try:
                if part.is_complete:
                    raise FileChanged("its bytes are not those that the Hub has listed")
                self._try_once(wanted, part, with_etag=not has_begun_anew)
            except TryAgain as trouble:
                self._waiting.pause(trouble)
            except FileChanged as change:
                self._count.done(-part.size)
                part.start_anew()
                if has_begun_anew:
                    raise DownloadError(
                        f"{wanted.name} cannot be fetched: {change.reason}. It was tried twice. "
                        "Try again later, or name another server.",
                        detail=self._hub.url(wanted.source),
                    ) from change
                has_begun_anew = True

    def _try_once(self, wanted: WantedFile, part: PartFile, *, with_etag: bool) -> None:
        """Take all that one connection brings.

        Raises:
            TryAgain: it was not all, or it came too slowly.
        """
        start = part.size
        patience = self._patience
        with ByteStream(self._hub, wanted.source, start, patience.connect_seconds) as stream:
            clock = _StallClock(patience)
            passed_over = 0
            while not part.is_complete:
                self._waiting.check()
                if wait := self._limit.seconds_to_wait:
                    time.sleep(min(wait, _SECONDS_BETWEEN_LOOKS))
                    self._count.tell()
                    continue
                began = time.monotonic()
                piece = stream.next(_SECONDS_BETWEEN_LOOKS)
                match piece:
                    case Answer():
                        _check_linked(piece, wanted)
                        offset = offset_of(
                            piece, start, wanted.size, part.etag if with_etag else ""
                        )
                        # One that cannot begin in the middle sends again what is here already.
                        passed_over = start - offset
                        part.note_etag(piece.headers.get("etag", ""))
                    case bytes():
                        self._limit.take(len(piece))
                        skipped = min(passed_over, len(piece))
                        passed_over -= skipped
                        new = piece[skipped:][: wanted.size - part.size]
                        part.append(new)
                        self._count.fetched(len(new))
                        if part.size - start >= _ENOUGH_TO_TRUST_AGAIN:
                            self._waiting.succeeded()
                    case StreamEnded():
                        raise TryAgain(f"{wanted.name} came to an early end")
                    case TryAgain():
                        raise piece
                    case None:
                        self._count.tell(clock.words)
                clock.add(time.monotonic() - began, len(piece) if isinstance(piece, bytes) else 0)


class _StallClock:
    """Notices a connection that brings next to nothing."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._seconds = 0.0  # of waiting for bytes
        self._bytes = 0

    @property
    def words(self) -> str:
        """What to say where nothing has come for a while."""
        return "Waiting for the server" if self._seconds >= _SECONDS_TO_TELL else ""

    def add(self, seconds: float, count: int) -> None:
        """`count` bytes came after so many seconds.

        Raises:
            TryAgain: too few for too long.
        """
        self._seconds += seconds
        self._bytes += count
        if self._bytes >= self._patience.stall_bytes:
            self._seconds = 0.0
            self._bytes = 0
        elif self._seconds >= self._patience.stall_seconds:
            raise TryAgain("Next to nothing came in for a while")


def _check_linked(answer: Answer, wanted: WantedFile) -> None:
    """The Hub says beforehand what a large file's contents come to."""
    checksum = wanted.source.checksum
    is_known = answer.linked_digest and checksum.kind is ChecksumKind.SHA256
    is_known = is_known and len(answer.linked_digest) == len(checksum.digest)
    if is_known and answer.linked_digest != checksum.digest:
        raise FileChanged("the server has another file of that name by now")
