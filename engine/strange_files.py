"""Opens files that somebody else chose or made, without waiting for what never answers."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

_WITHOUT_WAITING: int = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_BINARY: int = getattr(os, "O_BINARY", 0)


class SpecialFile(OSError):
    """It is neither a file nor a folder but a device, a pipe or a socket."""


def open_regular_file(path: Path) -> BinaryIO:
    """Open the file at `path` for reading. Never waits for a pipe or a device.

    Raises:
        IsADirectoryError: it is a folder.
        SpecialFile: it is a device, a pipe or a socket.
        OSError: it is missing or closed to us.
        ValueError: no file can have that name.
    """
    _check(path.stat().st_mode)  # before it is opened: opening alone moves some devices
    descriptor = os.open(path, os.O_RDONLY | _WITHOUT_WAITING | _BINARY)
    try:
        _check(os.fstat(descriptor).st_mode)  # another may have come to its place since
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _check(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError("It is a folder")
    if not stat.S_ISREG(mode):
        raise SpecialFile("It is a device or a pipe")
