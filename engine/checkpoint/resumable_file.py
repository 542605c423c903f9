"""Large files that are written once, and gone on with when writing them was interrupted.

A file grows under the name `NAME.partial` and gets its own name when it is whole and synced. What
an earlier attempt left is compared with what belongs there, chunk by chunk, and written only where
it differs: after a crash nobody knows which of its bytes reached the disk.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.api.files import publish
from engine.checkpoint.tensors import CHUNK_BYTES, unreadable
from engine.disk_space import disk_full, is_disk_full
from engine.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from engine.errors import DiskFull


PARTIAL = ".partial"
"""What the name of a file ends with while it is written."""

# Often enough that what `on_bytes` was told is true, and that the end does not take a minute.
_SYNC_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDigest:
    """What a file holds, in short: its bytes and their SHA-256 in hexadecimal."""

    size: int
    sha256: str


def write_chunks(
    path: Path, chunks: Iterable[bytes | memoryview], on_bytes: Callable[[int], None]
) -> FileDigest:
    """Write `chunks` to `path`, in place of any file of that name.

    Args:
        path: the file; `path` with ".partial" behind it must be free for use.
        chunks: its bytes, in order.
        on_bytes: told how many more bytes are there; what it raises ends the writing, which can
            be gone on with by the same call.

    Raises:
        ModelFileError: the disk refuses, or `chunks` cannot be read.
        DiskFull: there is no room left. What is written stays, and the same call goes on.
    """
    partial = partial_of(path)
    sha256 = hashlib.sha256()
    size = 0
    try:
        partial.touch()
        with partial.open("r+b") as file:
            for chunk in chunks:
                _put(file, size, chunk)
                sha256.update(chunk)
                size += len(chunk)
                if size // _SYNC_BYTES > (size - len(chunk)) // _SYNC_BYTES:
                    os.fsync(file.fileno())
                on_bytes(len(chunk))
            file.truncate(size)
        publish(partial, path, overwrite=True)
    except OSError as error:
        raise unwritable(path, error) from error
    return FileDigest(size=size, sha256=sha256.hexdigest())


def partial_of(path: Path) -> Path:
    """The name that `path` has while it is written."""
    return path.with_name(path.name + PARTIAL)


def file_chunks(path: Path) -> Iterator[bytes]:
    """The bytes of the file `path`.

    Raises:
        ModelFileError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise unreadable(path, error) from error


def digest_file(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
    """Read all of the file `path`; `on_bytes` is told how many more bytes were read.

    Raises:
        ModelFileError: the file cannot be read.
    """
    sha256 = hashlib.sha256()
    size = 0
    for chunk in file_chunks(path):
        sha256.update(chunk)
        size += len(chunk)
        on_bytes(len(chunk))
    return FileDigest(size=size, sha256=sha256.hexdigest())


def unwritable(path: Path, error: OSError) -> ModelFileError | DiskFull:
    """What to raise when the operating system does not let `path` be written."""
    if is_disk_full(error):
        return disk_full(path.parent, f"the model's file {path.name}", detail=repr(error))
    reason = error.strerror or str(error)
    return ModelFileError(f"{path} cannot be written: {reason}.", detail=repr(error))


def _put(file: BinaryIO, position: int, chunk: bytes | memoryview) -> None:
    file.seek(position)
    if file.read(len(chunk)) != chunk:
        file.seek(position)
        file.write(chunk)
