"""What the disk and ffmpeg complain about, in sentences for whoever saves a video."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from engine.disk_space import disk_full, is_disk_full
from engine.errors import OutputExists, VideoFileError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from engine.errors import DiskFull

_DISK_FULL_WORDS = ("No space left on device", "Disk quota exceeded")
_MAX_DETAIL_LINES = 20
_ORIGIN = re.compile(r"^(\[[^\]]*\]\s*)+")
"""The part of ffmpeg that speaks and where it is in memory, such as "[libx264 @ 0x5581c0]"."""


@contextlib.contextmanager
def failures_explained(path: Path) -> Generator[None]:
    """Raise what the disk reports about the output `path` as a VideoFileError or a DiskFull.

    Only for blocks that call nobody else: an OSError of the caller's own code must reach them as
    it is.
    """
    try:
        yield
    except FileExistsError as error:
        raise already_there(path) from error
    except OSError as error:
        if is_disk_full(error):
            raise disk_full(path.parent, path.name, detail=str(error)) from error
        raise VideoFileError(
            f"{path.name} cannot be written to {path.parent}: {error.strerror or error}. Choose "
            "a folder that you may write to; if the file is open in another program, close it.",
            detail=str(error),
        ) from error


def already_there(path: Path) -> OutputExists:
    """The refusal to replace `path`."""
    return OutputExists(
        f"{path} exists already. Choose another name, or allow it to be replaced.",
    )


def encoding_failed(path: Path, words: str) -> VideoFileError | DiskFull:
    """The error for an output `path` that ffmpeg gave up with these `words`."""
    lines = [line for line in words.splitlines() if line.strip()]
    detail = "\n".join(lines[-_MAX_DETAIL_LINES:])
    if any(full in words for full in _DISK_FULL_WORDS):
        return disk_full(path.parent, path.name, detail=detail)
    # Its first complaint is the cause; what follows is the fall.
    gist = _ORIGIN.sub("", lines[0]).strip() if lines else "nothing, it just stopped"
    return VideoFileError(
        f"{path.name} could not be written, because ffmpeg reports: {gist}", detail=detail
    )
