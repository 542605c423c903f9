"""Becomes ffmpeg after it has locked itself up, for videos that strangers made.

`python -m engine.ffmpeg_process VIDEO PROGRAM ARGUMENTS…`: of the disk ffmpeg can then read that
one file and the system's libraries. Not for Windows, which knows no such change.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from engine.jail import lock_up
from engine.process_bonds import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store")
_LIST_OF_LIBRARIES = Path("/etc/ld.so.cache")
_MAX_MEMORY_BYTES = 4 * 2**30
_MAX_CPU_SECONDS = 1200  # of all its threads, which have five minutes
_MAX_FILE_BYTES = 1 << 20  # it writes to a pipe; what it says goes into a file


def main(arguments: Sequence[str]) -> None:
    """Lock up this process, and go on as ffmpeg."""
    video, program, *rest = arguments
    end_with_parent()
    own_libraries = Path(program).resolve().parents[1] / "lib"
    lock_up(
        readable=[Path(video), _LIST_OF_LIBRARIES],
        executable=[Path(program), own_libraries, *map(Path, _LIBRARIES)],
        memory_bytes=_MAX_MEMORY_BYTES,
        cpu_seconds=_MAX_CPU_SECONDS,
        file_bytes=_MAX_FILE_BYTES,
    )
    os.execv(program, [program, *rest])
