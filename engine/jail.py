"""Takes from this process what it does not need, for ever: files, network, programs, memory.

For processes that read what strangers made. A fault in a decoder is then worth little to whoever
wrote the file. Linux has all of it (Landlock for files, seccomp for the rest), other systems less;
`JailLevel` says what holds.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine import jail_filter
from engine.api import JailLevel

if TYPE_CHECKING:
    from collections.abc import Sequence

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every machine
_ASK_VERSION = 1
_RULE_PATH = 1
_OPEN_PATH = 0x200000  # O_PATH

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_FOLDER = 1 << 3
_TRUNCATE = 1 << 14
_CONTROL_DEVICE = 1 << 15
_ALL_IN_VERSION = {1: 2**13 - 1, 2: 2**14 - 1, 3: 2**15 - 1, 4: 2**15 - 1}
_ALL_FILE_RIGHTS = 2**16 - 1  # from version 5 on
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _CONTROL_DEVICE
_REMOVE = 1 << 4 | 1 << 5  # folders, and files
_READING = _READ_FILE | _READ_FOLDER
_TCP_VERSION, _TCP = 4, 0b11
_SCOPE_VERSION, _SCOPES = 6, 0b11  # sockets without a file, signals to others


def lock_up(
    *,
    readable: Sequence[Path] = (),
    writable: Sequence[Path] = (),
    deletable: Sequence[Path] = (),
    executable: Sequence[Path] = (),
    memory_bytes: int | None = None,
    cpu_seconds: int | None = None,
    file_bytes: int | None = None,
) -> JailLevel:
    """Lock up this process and all that it starts, for ever.

    To be called after the imports: what is not named cannot be opened any more, the standard
    library included. What is open already stays open. Files hold for the calling thread and those
    that it starts later, so a process that has more threads already, or cannot count them because
    it is locked up already, is not called locked to files.

    Args:
        readable: files, and folders with all in them, that may be read.
        writable: the same for reading, writing, creating and deleting.
        deletable: folders in which files and folders may be read and deleted.
        executable: the same for reading and starting as programs. Where it is empty, no program
            can be started and no process be forked.
        memory_bytes: how much more address space than now there may be.
        cpu_seconds: how much longer than until now it may compute; it is killed then.
        file_bytes: how large a file that it writes may become.

    Returns:
        What holds now. What the system does not offer is left out; nothing is raised for that.
    """
    if not _limit(memory_bytes, cpu_seconds, file_bytes):
        return JailLevel.NONE
    version = _landlock_version()
    allowed = [(readable, _READING), (deletable, _READING | _REMOVE)]
    allowed += [(executable, _READING | _EXECUTE)]
    allowed += [(writable, _rights(version) & ~(_EXECUTE | _CONTROL_DEVICE))]
    rules = _rules(allowed) if version else {}
    has_one_thread = _num_threads() == 1
    is_locked = version > 0 and _lock_files(version, rules)
    is_filtered = jail_filter.forbid_calls(programs=bool(executable))
    if not is_locked or not has_one_thread:
        return JailLevel.LIMITS
    return JailLevel.FULL if is_filtered else JailLevel.FILES


def probe() -> JailLevel:
    """The level that `lock_up` can reach here. Changes nothing."""
    if sys.platform == "win32":
        return JailLevel.NONE
    if _landlock_version() < 1:
        return JailLevel.LIMITS
    return JailLevel.FULL if jail_filter.is_offered() else JailLevel.FILES


# Limits.


def _limit(memory_bytes: int | None, cpu_seconds: int | None, file_bytes: int | None) -> bool:
    if sys.platform == "win32":
        return False
    import resource  # Windows has none

    limits = {resource.RLIMIT_CORE: 0}
    if memory_bytes is not None:
        limits[resource.RLIMIT_AS] = _address_space() + memory_bytes
    if cpu_seconds is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        limits[resource.RLIMIT_CPU] = int(used.ru_utime + used.ru_stime) + cpu_seconds
    if file_bytes is not None:
        limits[resource.RLIMIT_FSIZE] = file_bytes
    for kind, limit in limits.items():
        highest = resource.getrlimit(kind)[1]
        if highest != resource.RLIM_INFINITY:
            limit = min(limit, highest)
        # A limit that this system does not keep, such as the address space on macOS.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))
    return True


def _address_space() -> int:
    """Bytes of address space that are in use, 0 where the system does not say."""
    with contextlib.suppress(OSError):
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0


def _num_threads() -> int:
    with contextlib.suppress(OSError):
        return sum(1 for _ in Path("/proc/self/task").iterdir())
    return 0


# Files (Landlock).


def _landlock_version() -> int:
    """Which version of Landlock the kernel has, 0 for none."""
    if sys.platform != "linux":
        return 0
    return max(0, _call(_CREATE_RULESET, None, 0, _ASK_VERSION))


def _rights(version: int) -> int:
    return _ALL_IN_VERSION.get(version, _ALL_FILE_RIGHTS)


def _rules(allowed: Sequence[tuple[Sequence[Path], int]]) -> dict[Path, int]:
    rules: dict[Path, int] = {}
    for paths, rights in allowed:
        for path in paths:
            rules[path] = rules.get(path, 0) | rights
    return rules


def _lock_files(version: int, rules: dict[Path, int]) -> bool:
    rights = _rights(version)
    network = _TCP if version >= _TCP_VERSION else 0
    scopes = _SCOPES if version >= _SCOPE_VERSION else 0
    # A version that does not know the last numbers accepts them where they are zero.
    description = struct.pack("=QQQ", rights, network, scopes)
    ruleset = _call(_CREATE_RULESET, description, len(description), 0)
    if ruleset < 0:
        return False
    try:
        for path, allowed in rules.items():
            _allow(ruleset, path, allowed & rights)
        is_kept = jail_filter.forbid_new_rights()
        return is_kept and _call(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, _OPEN_PATH | os.O_CLOEXEC)
    except (OSError, ValueError):  # what is not there cannot be used either
        return
    try:
        if not path.is_dir():
            rights &= _FOR_FILES
        _call(_ADD_RULE, ruleset, _RULE_PATH, struct.pack("=Qi", rights, place), 0)
    finally:
        os.close(place)


def _call(number: int, *arguments: bytes | int | None) -> int:
    as_pointers = [
        ctypes.c_long(argument) if isinstance(argument, int) else ctypes.c_char_p(argument)
        for argument in arguments
    ]
    return ctypes.CDLL(None).syscall(ctypes.c_long(number), *as_pointers)
