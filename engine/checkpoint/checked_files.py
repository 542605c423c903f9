"""Compares large files with their checksums once, and remembers which of them it did.

A file is known by its path, its size, its times and its number on the disk. What changes one of
these is read again; a disk that forgets a bit by itself changes none, and is found by who reads
all (`ModelFolder.verify`).
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.api.files import write_text_atomically
from engine.cache_folder import user_cache
from engine.checkpoint.json_file import read_json_object
from engine.checkpoint.tensors import unreadable
from engine.errors import MessageError, ModelFileError
from engine.json_codec import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

_FORMAT = 1
_KEPT_FILES = 1000
_COARSEST_CLOCK_NS = 2 * 10**9  # of the file systems' clocks: a change within it leaves no trace


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckableFile:
    """A file whose contents can be compared with checksums.

    Attributes:
        name: for the progress.
        path: where it is.
        size: its bytes.
        sha256: in hexadecimal, what they have to be; None where only the file itself says.
        check: reads all of it and tells a function how many more bytes that were; gives its
            SHA-256, or raises `ModelFileError`.
    """

    name: str
    path: Path
    size: int
    sha256: str | None
    check: Callable[[Callable[[int], None]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """What shows that a file has changed."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A file as it was when it was read, and the SHA-256 that it had."""

    path: str
    state: _State
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """The whole file that is kept, what was read last behind the rest."""

    format: int
    files: tuple[_Known, ...]


class CheckedFiles:
    """The files that this user's kvdesk has compared with their checksums.

    The memory can be lost without harm; where it cannot be written, that is only logged.
    """

    def __init__(self, path: Path | None = None) -> None:
        """`path` is the file of the memory; that in the user's cache where it is left out."""
        self._path = path or user_cache() / "checked_files.json"
        self._known = {known.path: known for known in self._read()}

    def unchecked(self, files: Sequence[CheckableFile]) -> list[CheckableFile]:
        """Those of `files` that were never compared, or have changed since.

        Raises:
            ModelFileError: a file is not there.
        """
        return [file for file in files if not self._holds(file)]

    def check(self, files: Sequence[CheckableFile], on_bytes: Callable[[int], None]) -> None:
        """Compare all of `files`, and remember it.

        Args:
            files: these are read, whatever is known of them.
            on_bytes: told how many more bytes were read; what it raises ends the work.

        Raises:
            ModelFileError: a file is damaged, or changes meanwhile; the message names it.
        """
        try:
            for file in files:
                before = _state(file.path)
                sha256 = file.check(on_bytes)
                if _state(file.path) != before:
                    raise ModelFileError(f"{file.path} changed while it was read. Try again.")
                self._add(file.path, before, sha256)
        finally:
            self._write()

    def remember(self, files: Sequence[CheckableFile]) -> None:
        """Take it that all of `files`, which say what their SHA-256 is, were just compared."""
        for file in files:
            if file.sha256 is not None:
                self._add(file.path, _state(file.path), file.sha256)
        self._write()

    def _holds(self, file: CheckableFile) -> bool:
        known = self._known.get(_key(file.path))
        if known is None or known.state != _state(file.path):
            return False
        return file.sha256 in (None, known.sha256)

    def _add(self, file: Path, state: _State, sha256: str) -> None:
        key = _key(file)
        self._known.pop(key, None)
        if abs(time.time_ns() - state.mtime_ns) > _COARSEST_CLOCK_NS:
            self._known[key] = _Known(path=key, state=state, sha256=sha256)

    def _read(self) -> tuple[_Known, ...]:
        if not self._path.exists():
            return ()
        try:
            memory = from_json(_Memory, read_json_object(self._path), where=self._path.name)
        except (ModelFileError, MessageError) as error:
            log.warning("%s cannot be used, and files are read again: %s", self._path, error)
            return ()
        return memory.files if memory.format == _FORMAT else ()

    def _write(self) -> None:
        memory = _Memory(format=_FORMAT, files=tuple(self._known.values())[-_KEPT_FILES:])
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_text_atomically(self._path, json.dumps(to_json(memory), indent=1) + "\n")
        except OSError as error:
            log.warning("%s cannot be written, and files are read again: %s", self._path, error)


def _key(file: Path) -> str:
    return str(file.absolute())


def _state(file: Path) -> _State:
    try:
        stat = file.stat()
    except OSError as error:
        raise unreadable(file, error) from error
    return _State(
        size=stat.st_size,
        mtime_ns=stat.st_mtime_ns,
        ctime_ns=stat.st_ctime_ns,
        inode=stat.st_ino,
    )
