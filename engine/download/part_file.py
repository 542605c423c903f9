"""A file that grows as its bytes come in, and gets its name when all of them are right.

It grows under the name `NAME.part`. Every so many bytes it is synced and the journal says how much
of it is there: that much outlasts a crash. The checksum is computed while it grows; what an earlier
run left is read once for it.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from engine.api.files import fsync_folder, make_folder, publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from engine.download.journal import Journal
    from engine.download.patience import Patience
    from engine.download.wanted_files import WantedFile

PART = ".part"
"""What the name of a file ends with while it is fetched."""

_CHUNK_BYTES = 4 * 2**20


def part_of(path: Path) -> Path:
    """The name that `path` has while it is fetched."""
    return path.with_name(path.name + PART)


def part_bytes(path: Path, journal: Journal, wanted: WantedFile) -> int:
    """How many bytes of `wanted` an earlier run left under the name that `path` has meanwhile."""
    try:
        there = part_of(path).stat().st_size
    except OSError:
        return 0
    return min(there, journal.of(wanted).kept_bytes)


class PartFile:
    """The part of `wanted` that is there, open for more. Use it in a `with` statement.

    Attributes:
        size: how many bytes are there.
    """

    def __init__(
        self,
        path: Path,
        wanted: WantedFile,
        journal: Journal,
        patience: Patience,
        on_read: Callable[[], None],
    ) -> None:
        """Open what an earlier run left of `path`, or begin it.

        Args:
            path: where the whole file belongs.
            wanted: the file.
            journal: of its folder.
            patience: how often to sync.
            on_read: called every few megabytes of what is read again; what it raises ends it.

        Raises:
            OSError: the disk refuses.
        """
        self._path = path
        self._wanted = wanted
        self._journal = journal
        self._patience = patience
        make_folder(path.parent)
        kept = part_bytes(path, journal, wanted)
        self._known = journal.note(journal.of(wanted), kept_bytes=kept, mtime_ns=None)
        part = part_of(path)
        part.touch()
        self._hasher = wanted.source.checksum.hasher(wanted.size)
        self.size = 0
        self._file: FileIO = part.open("r+b", buffering=0)
        try:
            self._read_again(kept, on_read)
            # What a crash left behind the last sync may be anything.
            self._file.truncate(self.size)
        except BaseException:
            self._file.close()
            raise
        self._synced = self.size
        self._synced_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self.sync()
        except OSError:
            if error is None:
                raise  # else it would hide what happened first; less is kept
        finally:
            self._file.close()

    @property
    def etag(self) -> str:
        """What the server last called the file's state."""
        return self._known.etag

    @property
    def is_complete(self) -> bool:
        """Whether all bytes have come, right or wrong."""
        return self.size >= self._wanted.size

    @property
    def is_right(self) -> bool:
        """Whether the bytes that are there are the file."""
        right = self._wanted.source.checksum.digest
        return self.is_complete and self._hasher.hexdigest() == right

    def note_etag(self, etag: str) -> None:
        """Remember what the server calls the file's state."""
        self._known = self._journal.note(self._known, etag=etag)

    def append(self, data: bytes) -> None:
        """Write `data` behind what is there.

        Raises:
            OSError: the disk refuses. What was written before can be gone on with.
        """
        left = memoryview(data)
        while left:
            count = self._file.write(left)
            self._hasher.update(left[:count])
            self.size += count
            left = left[count:]
        is_old = time.monotonic() - self._synced_at >= self._patience.block_seconds
        if is_old or self.size - self._synced >= self._patience.block_bytes:
            self.sync()

    def sync(self) -> None:
        """See to it that what is there outlasts a crash.

        Raises:
            OSError: the disk refuses.
        """
        if self.size != self._synced:
            os.fsync(self._file.fileno())
            if not self._known.kept_bytes:
                fsync_folder(self._path.parent)  # the name, once
            self._known = self._journal.note(self._known, kept_bytes=self.size)
            self._journal.save()
            self._synced = self.size
        self._synced_at = time.monotonic()

    def start_anew(self) -> None:
        """Forget all that is there.

        Raises:
            OSError: the disk refuses.
        """
        # The journal first: it must never promise bytes that are gone.
        self._known = self._journal.note(self._known, kept_bytes=0, etag="")
        self._journal.save()
        self._file.seek(0)
        self._file.truncate(0)
        self._hasher = self._wanted.source.checksum.hasher(self._wanted.size)
        self.size = self._synced = 0

    def finish(self) -> None:
        """Give the file, whose bytes are right, its own name.

        Raises:
            OSError: the disk refuses.
        """
        self._file.close()
        self._synced = self.size
        publish(part_of(self._path), self._path, overwrite=True)
        note_whole(self._journal, self._wanted, self._path)
        if self._known.kept_bytes:
            self._journal.save()  # a small file is read again as quickly as this is written

    def _read_again(self, kept: int, on_read: Callable[[], None]) -> None:
        while self.size < kept:
            data = self._file.read(min(_CHUNK_BYTES, kept - self.size))
            if not data:
                return
            self._hasher.update(data)
            self.size += len(data)
            on_read()


def note_whole(journal: Journal, wanted: WantedFile, path: Path) -> None:
    """Remember that `path` was found to be `wanted`.

    Raises:
        OSError: the disk refuses.
    """
    known = journal.of(wanted)
    journal.note(known, kept_bytes=0, etag="", mtime_ns=path.stat().st_mtime_ns)
