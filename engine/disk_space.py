"""Is there room on the disk? Asked before long writes, and told in numbers when it runs out."""

from __future__ import annotations

import errno
import shutil
from typing import TYPE_CHECKING

from engine.errors import DiskFull

if TYPE_CHECKING:
    from pathlib import Path

_FULL = (errno.ENOSPC, errno.EDQUOT)
_SMALLEST_IN_GIGABYTES = 10**9


def is_disk_full(error: OSError) -> bool:
    """Whether the operating system said that a disk, or a person's share of it, is full."""
    return error.errno in _FULL


def check_space(folder: Path, needed_bytes: int, purpose: str) -> None:
    """Refuse work that would not fit on the disk of `folder`, before it begins.

    Args:
        folder: where it will write; it need not exist yet.
        needed_bytes: what it will still write there.
        purpose: what needs the room, such as "the clip".

    Raises:
        DiskFull: there is less room; the message says how much is missing.
    """
    free = free_bytes(folder)
    if free is not None and needed_bytes > free:
        raise disk_full(folder, purpose, needed_bytes=needed_bytes)


def disk_full(
    folder: Path, purpose: str, *, needed_bytes: int | None = None, detail: str = ""
) -> DiskFull:
    """The error for a disk that has no room, or had none left in the middle of the work.

    Args:
        folder: where `purpose` is written.
        purpose: what needs the room, such as "the clip".
        needed_bytes: what is still to be written; None where that is not known.
        detail: for whoever looks into it.
    """
    free = free_bytes(folder)
    where = f"The disk of {folder} has too little room"
    if free is None:
        state = f"{where}: {purpose} needs more. Free some space"
    elif needed_bytes is None or needed_bytes <= free:
        state = f"{where}: {_size(free)} are free, and {purpose} needs more. Free some space"
    else:
        state = (
            f"{where}: {purpose} needs {_size(needed_bytes)} more there, and {_size(free)} are "
            f"free. Free {_size(needed_bytes - free)}"
        )
    return DiskFull(f"{state}, and go on: what was done so far is kept.", detail=detail)


def free_bytes(folder: Path) -> int | None:
    """Free on the disk where `folder` is or would be; None where nobody can tell."""
    absolute = folder.absolute()
    for existing in (absolute, *absolute.parents):
        try:
            return shutil.disk_usage(existing).free
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            return None
    return None


def _size(num_bytes: int) -> str:
    """`num_bytes` as a person reads it, in units of 1000, as disks are sold by."""
    if num_bytes >= _SMALLEST_IN_GIGABYTES:
        return f"{num_bytes / 1e9:.2f} GB"
    return f"{num_bytes / 1e6:.1f} MB"
