"""A filter of system calls (seccomp): no network, no look into other processes, no programs.

The numbers are those of the Linux kernel's tables for x86-64 and aarch64. Elsewhere there is no
filter. What is forbidden fails like what there is no permission for.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER = 1
_GET_ACTION_AVAILABLE = 2
_FOR_ALL_THREADS = 1
_ALLOW = 0x7FFF0000
_FAIL = 0x00050000  # the number of the error is in the lower half

_LOAD = 0x20  # a word of the description of the call
_IF_EQUAL = 0x15
_IF_AT_LEAST = 0x35
_IF_ANY_BIT = 0x45
_RETURN = 0x06
_CALL_NUMBER, _MACHINE, _FIRST_ARGUMENT = 0, 4, 16  # where they are in that description

_IS_THREAD = 0x00010000
_FOREIGN_CALLS = 0x40000000
"""From here on x86-64 has the same calls once more, for another size of pointers."""

_MACHINES = {"x86_64": (0, 0xC000003E, 317), "aarch64": (1, 0xC00000B7, 277)}
"""Of each machine the column of the tables, its name in filters, and the number of seccomp."""

# By name: the number on x86-64 and on aarch64, None where the machine has no such call.
_NETWORK = {
    "socket": (41, 198),
    "connect": (42, 203),  # a socket that was inherited
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
}
_OTHER_PROCESSES = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
}
_SYSTEM = {
    "unshare": (272, 97),
    "setns": (308, 268),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),  # goes around the paths that are allowed
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "io_uring_setup": (425, 425),  # makes calls that no filter sees
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
_PROGRAMS = {
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "kill": (62, 129),  # who starts no process has none to end
}
_CHANGES_BY_NAME = {  # of rights, owners and times, which Landlock leaves alone
    "truncate": (76, 45),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
}
_CLONE = (56, 220)
_CLONE_3 = (435, 435)


def is_offered() -> bool:
    """Whether this system has such filters, for this machine."""
    machine = _machine()
    if machine is None:
        return False
    action = ctypes.c_uint32(_FAIL)
    arguments = (_GET_ACTION_AVAILABLE, 0, ctypes.byref(action))
    return ctypes.CDLL(None).syscall(ctypes.c_long(machine[2]), *arguments) == 0


def forbid_new_rights() -> bool:
    """Let no program that is started have more rights; without root the rest depends on it."""
    return ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0


def forbid_calls(*, programs: bool) -> bool:
    """Forbid the network, other processes and more to all threads of this process, for ever.

    Nor can rights, owners and times of files be changed.

    Args:
        programs: whether other programs may be started.

    Returns:
        Whether that holds now.
    """
    machine = _machine()
    if machine is None or not forbid_new_rights():
        return False
    column, name, seccomp = machine
    tables = [_NETWORK, _OTHER_PROCESSES, _SYSTEM, _CHANGES_BY_NAME]
    tables += [] if programs else [_PROGRAMS]
    numbers = [pair[column] for table in tables for pair in table.values()]
    steps = _filter(name, [number for number in numbers if number is not None])
    steps += [] if programs else _threads_only(_CLONE[column], _CLONE_3[column])
    steps.append((_RETURN, 0, 0, _ALLOW))
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(steps), ctypes.addressof(buffer))
    arguments = (_SET_MODE_FILTER, _FOR_ALL_THREADS, ctypes.c_char_p(program))
    return ctypes.CDLL(None).syscall(ctypes.c_long(seccomp), *arguments) == 0


_Step = tuple[int, int, int, int]
"""An instruction: what it does, how many it leaves out if true and if false, and its number."""


def _filter(machine: int, forbidden: list[int]) -> list[_Step]:
    refuse = (_RETURN, 0, 0, _FAIL | errno.EACCES)
    steps = [
        (_LOAD, 0, 0, _MACHINE),
        (_IF_EQUAL, 1, 0, machine),
        refuse,
        (_LOAD, 0, 0, _CALL_NUMBER),
        (_IF_AT_LEAST, 0, 1, _FOREIGN_CALLS),
        refuse,
    ]
    for number in forbidden:
        steps += [(_IF_EQUAL, 0, 1, number), refuse]
    return steps


def _threads_only(clone: int, clone_3: int) -> list[_Step]:
    """Let `clone` make threads and no processes.

    What `clone3` makes stands where no filter can look; told that the system has no such call, C
    libraries use `clone`.
    """
    return [
        (_IF_EQUAL, 0, 1, clone_3),
        (_RETURN, 0, 0, _FAIL | errno.ENOSYS),
        (_IF_EQUAL, 0, 3, clone),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_IF_ANY_BIT, 1, 0, _IS_THREAD),
        (_RETURN, 0, 0, _FAIL | errno.EACCES),
    ]


def _machine() -> tuple[int, int, int] | None:
    # A 32-bit Python on a 64-bit kernel calls by other numbers.
    if sys.platform != "linux" or struct.calcsize("P") != 8:
        return None
    return _MACHINES.get(os.uname().machine)
