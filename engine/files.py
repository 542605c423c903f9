"""Files that appear whole or not at all.

Everything is written to a hidden temporary name in the folder it belongs to, synced, and then
given its own name in one step, so that a crash or a full disk never leaves half a file behind.
Nothing here knows what is in the files; what goes wrong is an OSError.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@contextlib.contextmanager
def temporary_beside(path: Path) -> Generator[Path]:
    """Lend a free hidden name in the folder of `path`, for a file or a folder.

    Nothing is made there: that is up to the caller. Whatever still has that name at the end, for
    any reason, is removed; what has been published has not.
    """
    # Not made from path.name: with more characters it could be too long for the disk.
    temporary = path.with_name(f".kvdesk-{secrets.token_hex(8)}.tmp")
    try:
        yield temporary
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):  # it must not hide why the block was left
                temporary.unlink()


def publish(temporary: Path, path: Path, *, overwrite: bool) -> None:
    """Give the finished file `temporary` the name `path`, on the same disk, for good.

    Raises:
        FileExistsError: there is a `path` and `overwrite` is false. It is as it was.
        OSError: the disk refuses. `path` is as it was.
    """
    _fsync_file(temporary)
    if overwrite:
        temporary.replace(path)
    else:
        _rename_to_new(temporary, path)
    fsync_folder(path.parent)


def _rename_to_new(temporary: Path, path: Path) -> None:
    """Rename without a moment in which somebody else's new `path` could be replaced."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # memory cards and some network disks have no hard links
        path.touch(exist_ok=False)
        try:
            temporary.replace(path)
        except BaseException:
            path.unlink()
            raise
    else:
        temporary.unlink()


def write_text_atomically(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, which holds the old text or the new one, never a part.

    Raises:
        OSError: the disk refuses. `path` is as it was.
    """
    with temporary_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        publish(temporary, path, overwrite=True)


def _fsync_file(path: Path) -> None:
    with path.open("r+b") as file:  # Windows flushes only what is open for writing
        os.fsync(file.fileno())


def fsync_folder(folder: Path) -> None:
    """Make the names in `folder` as durable as its files. Windows has no such thing and no need."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
