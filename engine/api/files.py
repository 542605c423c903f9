"""Files that appear whole or not at all: the one way in which this program writes.

Everything is written to a hidden temporary name in the folder it belongs to, synced, and then
given its own name in one step, so that a crash or a full disk never leaves half a file behind.
Nothing here knows what is in the files; what goes wrong is an OSError.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import time
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

TEMPORARY_NAMES = ".kvdesk-*.tmp"
"""Matches every name that `temporary_beside` lends."""

_OF_PROCESS = re.compile(r"\.kvdesk-(\w{8})-(\d{1,10})-\w+\.tmp")
_SECONDS_TO_LEFTOVER = 24 * 3600  # of names that say nothing about who writes there
# A viewer or a virus scanner on Windows holds a file for a moment, and it cannot be replaced then.
_SECONDS_TO_REPLACE = 2.0 if os.name == "nt" else 0.0
_SECONDS_BETWEEN_TRIES = 0.05
# What disks of other computers answer that cannot sync a folder: nothing more can be done there.
_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)


@contextlib.contextmanager
def temporary_beside(path: Path) -> Generator[Path]:
    """Lend a free hidden name in the folder of `path`, for a file or a folder.

    Nothing is made there: that is up to the caller. Whatever still has that name at the end, for
    any reason, is removed; what has been published has not.
    """
    # Not made from path.name: with more characters it could be too long for the disk.
    token = os.urandom(8).hex()
    temporary = path.with_name(f".kvdesk-{_computer()}-{os.getpid()}-{token}.tmp")
    try:
        yield temporary
    finally:
        _remove(temporary)  # which must not hide why the block was left


def publish(temporary: Path, path: Path, *, overwrite: bool) -> None:
    """Give the finished file `temporary` the name `path`, on the same disk, for good.

    Raises:
        FileExistsError: there is a `path` and `overwrite` is false. It is as it was.
        OSError: the disk refuses. `path` is as it was or, where it was replaced and only that
            could not be made to last, the new file.
    """
    _fsync_file(temporary)
    if overwrite:
        _replace(temporary, path)
    else:
        _rename_to_new(temporary, path)
    try:
        fsync_folder(path.parent)
    except OSError:
        if not overwrite:
            path.unlink(missing_ok=True)
        raise


def publish_folder(temporary: Path, path: Path) -> None:
    """Give the finished folder `temporary`, in which there are files only, the new name `path`.

    Raises:
        OSError: the disk refuses, or there is something at `path`.
    """
    for file in temporary.iterdir():
        _fsync_file(file)
    fsync_folder(temporary)
    _replace(temporary, path)
    for parent in {path.parent, temporary.parent}:
        fsync_folder(parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path`, which holds the old bytes or the new ones, never a part.

    Raises:
        OSError: the disk refuses; see `publish`.
    """
    with temporary_beside(path) as temporary:
        temporary.write_bytes(data)
        publish(temporary, path, overwrite=True)


def write_text_atomically(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`; see `write_atomically`.

    Raises:
        OSError: the disk refuses; see `publish`.
    """
    write_atomically(path, text.encode())


def copy_atomically(source: Path, path: Path) -> None:
    """Copy the bytes of the file `source` to `path`; see `write_atomically`.

    Raises:
        OSError: the source cannot be read, or the disk refuses; see `publish`.
    """
    remove_leftovers(path.parent)
    with temporary_beside(path) as temporary:
        shutil.copyfile(source, temporary)
        publish(temporary, path, overwrite=True)


def make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, for good: a file in it can be relied on.

    Raises:
        NotADirectoryError: a file is in the way.
        OSError: the disk refuses.
    """
    if folder.is_dir():
        return
    if folder.exists():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    if folder.parent != folder:
        make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    fsync_folder(folder.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed left in `folder` under temporary names.

    What a process that is still there, or one of another computer, may be writing stays.
    """
    with contextlib.suppress(OSError):
        for leftover in list(folder.glob(TEMPORARY_NAMES)):
            if _is_abandoned(leftover):
                _remove(leftover)


def remove_all_temporaries(folder: Path) -> None:
    """Remove everything in `folder` under temporary names: nobody else writes there."""
    with contextlib.suppress(OSError):
        for leftover in list(folder.glob(TEMPORARY_NAMES)):
            _remove(leftover)


def fsync_folder(folder: Path) -> None:
    """Make the names in `folder` as durable as its files. Windows has no such thing and no need.

    Raises:
        OSError: there is no such folder, or the disk refuses.
    """
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def _replace(temporary: Path, path: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_REPLACE
    while True:
        try:
            temporary.replace(path)
        except PermissionError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_SECONDS_BETWEEN_TRIES)
        else:
            return


def _rename_to_new(temporary: Path, path: Path) -> None:
    """Rename without a moment in which somebody else's new `path` could be replaced."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # memory cards and some network disks have no hard links
        path.touch(exist_ok=False)
        try:
            _replace(temporary, path)
        except BaseException:
            path.unlink()
            raise
    else:
        _remove(temporary)


def _fsync_file(path: Path) -> None:
    with path.open("r+b") as file:  # Windows flushes only what is open for writing
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def _is_abandoned(leftover: Path) -> bool:
    named = _OF_PROCESS.fullmatch(leftover.name)
    if named is not None and named[1] == _computer() and not _may_run(int(named[2])):
        return True
    return time.time() - leftover.lstat().st_mtime > _SECONDS_TO_LEFTOVER


def _may_run(process: int) -> bool:
    if os.name == "nt":  # the same question would end the process there
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _computer() -> str:
    """Tells this computer from others that write to the same network disk."""
    name = os.environ.get("COMPUTERNAME", "") if os.name == "nt" else os.uname().nodename
    return f"{zlib.crc32(name.encode(errors='surrogateescape')):08x}"
