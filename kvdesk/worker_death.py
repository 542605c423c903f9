"""Why a worker is gone, in words for the person at the screen."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QCoreApplication

from engine.api import DEVICE_LOST_EXIT_CODE, UNPICKLING_EXIT_CODE
from engine.errors import DeviceLost

# What a shell or ssh adds to the number of the signal that ended what it ran.
_SHELL_SIGNAL_BASE = 128

# QProcess takes a process on Windows for crashed when it ends with a status of the system.
_WINDOWS_STATUSES = {
    0xC0000005: "ACCESS_VIOLATION",
    0xC000001D: "ILLEGAL_INSTRUCTION",
    0xC0000094: "INTEGER_DIVIDE_BY_ZERO",
    0xC00000FD: "STACK_OVERFLOW",
    0xC0000135: "DLL_NOT_FOUND",
    0xC0000374: "HEAP_CORRUPTION",
    0xC0000409: "FAIL_FAST",
}
_WINDOWS_OUT_OF_MEMORY = {0xC0000017, 0xC000012D}


DIED_CODE = "worker_died"
"""What jobs fail as whose worker died."""
RESTARTED_CODE = "restarted"
"""The same where a person has had it ended."""


class DeathReason(StrEnum):
    """The kinds of end; RESTARTED is the only one that a person asked for."""

    KILLED = "killed"
    CRASHED = "crashed"
    ENDED = "ended"
    DEVICE_LOST = "device_lost"
    HUNG = "hung"
    TRAPPED = "trapped"
    """A file had something unpickled, which ends the process that does it."""
    RESTARTED = "restarted"
    NOT_STARTED = "not_started"
    PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDeath:
    """The end of a worker.

    Attributes:
        message: what happened, why, and what to do, translated.
        detail: the last lines that it wrote to its stderr, or what the system says.
    """

    reason: DeathReason
    message: str
    detail: str = ""

    @property
    def code(self) -> str:
        """What the jobs fail as that the worker did not end."""
        codes = {DeathReason.RESTARTED: RESTARTED_CODE, DeathReason.DEVICE_LOST: DeviceLost.code}
        return codes.get(self.reason, DIED_CODE)

    @property
    def may_heal(self) -> bool:
        """Whether another start could go better, with nothing changed in between."""
        return self.reason not in (DeathReason.NOT_STARTED, DeathReason.PROTOCOL)


def death_by_exit(code: int, detail: str, *, crashed: bool) -> WorkerDeath:
    """The death of a process that ended by itself or was ended.

    Args:
        code: what QProcess calls the exit code; the signal's number where it `crashed` on POSIX,
            the system's status where it did on Windows.
        detail: the last lines of its stderr.
        crashed: whether QProcess says so.
    """
    if code == DEVICE_LOST_EXIT_CODE and not crashed:
        return death_by_device(detail)
    if code == UNPICKLING_EXIT_CODE and not crashed:
        return WorkerDeath(reason=DeathReason.TRAPPED, message=_trapped(), detail=detail)
    status = code & 0xFFFFFFFF
    if status in _WINDOWS_OUT_OF_MEMORY:
        return WorkerDeath(reason=DeathReason.KILLED, message=_out_of_memory(), detail=detail)
    if crashed and status >= 0x80000000:
        name = _WINDOWS_STATUSES.get(status, f"0x{status:08X}")
        return WorkerDeath(reason=DeathReason.CRASHED, message=_crashed(name), detail=detail)
    number = code if crashed else code - _SHELL_SIGNAL_BASE
    name = _signal_name(number)
    if name == "SIGKILL":
        return WorkerDeath(reason=DeathReason.KILLED, message=_out_of_memory(), detail=detail)
    if name in ("SIGTERM", "SIGINT", "SIGHUP"):
        return WorkerDeath(reason=DeathReason.KILLED, message=_ended_from_outside(), detail=detail)
    if crashed or name is not None:
        message = _crashed(name or str(code))
        return WorkerDeath(reason=DeathReason.CRASHED, message=message, detail=detail)
    return WorkerDeath(reason=DeathReason.ENDED, message=_ended(code), detail=detail)


def death_by_no_start(program: str, detail: str) -> WorkerDeath:
    """The death of a worker whose `program` could not be run; `detail` is what the system says."""
    text = QCoreApplication.translate(
        "WorkerDeath",
        "The engine could not be started: {program} is missing or may not be run. "
        "Install kvdesk again.",
    )
    return WorkerDeath(
        reason=DeathReason.NOT_STARTED, message=text.format(program=program), detail=detail
    )


def death_by_protocol(detail: str) -> WorkerDeath:
    """The death of a worker that belongs to another version; `detail` is what it said."""
    text = QCoreApplication.translate(
        "WorkerDeath",
        "The engine belongs to another version of kvdesk. "
        "Both sides must come from the same installation: install kvdesk again.",
    )
    return WorkerDeath(reason=DeathReason.PROTOCOL, message=text, detail=detail)


def death_by_device(detail: str) -> WorkerDeath:
    """The death of a worker whose device broke down; `detail` is what it knows of that."""
    text = QCoreApplication.translate(
        "WorkerDeath",
        "The graphics card reported a fault, after which the engine has to start anew. "
        "If it happens again, a newer graphics driver may help.",
    )
    return WorkerDeath(reason=DeathReason.DEVICE_LOST, message=text, detail=detail)


def death_by_restart(detail: str) -> WorkerDeath:
    """The death of a worker that was ended at once, to be started anew."""
    text = QCoreApplication.translate(
        "WorkerDeath", "The engine was stopped at once and is starting again."
    )
    return WorkerDeath(reason=DeathReason.RESTARTED, message=text, detail=detail)


def death_by_hang(detail: str) -> WorkerDeath:
    """The death of a worker that hung and was ended; `detail` is what it wrote, also by then."""
    text = QCoreApplication.translate(
        "WorkerDeath",
        "The engine did not react any more and was ended. If it happens again, starting the "
        "computer anew or a newer graphics driver may help.",
    )
    return WorkerDeath(reason=DeathReason.HUNG, message=text, detail=detail)


def _out_of_memory() -> str:
    return QCoreApplication.translate(
        "WorkerDeath",
        "The system stopped the engine, possibly because the computer ran out of memory. "
        "Close other programs or choose a smaller size, then try again.",
    )


def _ended_from_outside() -> str:
    return QCoreApplication.translate(
        "WorkerDeath", "Another program or the system stopped the engine. Try again."
    )


def _trapped() -> str:
    return QCoreApplication.translate(
        "WorkerDeath",
        "The engine stopped before a file could run a program of its own. Nothing of it was run. "
        "Do not use this model; the details name what the file asked for.",
    )


def _crashed(name: str) -> str:
    text = QCoreApplication.translate(
        "WorkerDeath",
        "The engine crashed ({name}). Try again. If it happens again, a newer graphics driver "
        "may help.",
    )
    return text.format(name=name)


def _ended(code: int) -> str:
    text = QCoreApplication.translate(
        "WorkerDeath",
        "The engine ended by itself with the code {code}. Try again. If it happens again, "
        "the details say more.",
    )
    return text.format(code=code)


def _signal_name(number: int) -> str | None:
    try:
        return signal.Signals(number).name
    except ValueError:
        return None
