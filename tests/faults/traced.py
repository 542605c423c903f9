"""What a program and all that it starts ask the system for: connections, and files to write."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NETWORK = "socket,socketpair,connect,bind,listen,accept,accept4"
FILES = (
    "open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,"
    "unlink,unlinkat,rmdir,truncate,chmod,fchmodat,mknod,mknodat"
)
LOCAL_FAMILIES = {"AF_UNIX", "AF_NETLINK"}
_CALL = re.compile(r"^\d+\s+(?:<\.\.\. )?(\w+)\((.*)$")
_PATH = re.compile(r'(?:(?:AT_FDCWD|\d+)<((?:[^<>\\]|\\.)*)>, )?"((?:[^"\\]|\\.)*)"')
_WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
_FAILED = re.compile(r"= -1 E\w+")


@dataclass(slots=True)
class Trace:
    """What was asked for.

    Attributes:
        status: the exit status of the program.
        families: of the sockets that were made.
        listening: the calls of `listen`, and of `bind` beyond sockets of this computer.
        connected: the calls of `connect` beyond sockets of this computer.
        written: paths that were opened for writing, made, renamed or removed.
    """

    status: int
    output: str
    families: set[str] = field(default_factory=set)
    listening: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    written: set[Path] = field(default_factory=set)


def why_not() -> str:
    """Why nothing can be traced here; empty where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed: nobody saw what was asked of the system"
    tried = subprocess.run(
        ["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else "this system lets nobody trace a program"


def traced(
    command: Sequence[str], environment: dict[str, str], log: Path, *, seconds: float
) -> Trace:
    """Run a program to its end and say what it asked for."""
    strace = ["strace", "-f", "--seccomp-bpf", "-yy", "-s", "4096", "-o", str(log)]
    done = subprocess.run(
        [*strace, "-e", f"trace={NETWORK},{FILES}", *command],
        env=environment, capture_output=True, text=True, check=False, timeout=seconds,
    )  # fmt: skip
    trace = Trace(status=done.returncode, output=done.stdout + done.stderr)
    with log.open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            if match := _CALL.match(line):
                _note(trace, match[1], match[2])
    return trace


def _note(trace: Trace, call: str, rest: str) -> None:
    if call in ("socket", "socketpair"):
        trace.families.add(rest.partition(",")[0])
    elif call in ("listen", "accept", "accept4"):
        if "UNIX" not in rest:
            trace.listening.append(f"{call}({rest}")
    elif call in ("connect", "bind"):
        if not any(f"sa_family={family}" in rest for family in LOCAL_FAMILIES):
            (trace.connected if call == "connect" else trace.listening).append(f"{call}({rest}")
    elif not _FAILED.search(rest) and (not call.startswith("open") or _WRITING.search(rest)):
        trace.written |= {_resolved(match[1], match[2]) for match in _PATH.finditer(rest)}


def _resolved(folder: str | None, path: str) -> Path:
    decoded = path.encode("latin-1", "backslashreplace").decode("unicode_escape")
    return Path(folder or "/", decoded.encode("latin-1", "replace").decode("utf-8", "replace"))
