"""Runs the writers of `writers.py` one by one, with one system call of each made to fail."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

WRITING_CALLS = (
    *("write", "pwrite64", "writev", "sendfile", "copy_file_range"),
    *("fsync", "fdatasync"),
    *("rename", "renameat", "renameat2", "link", "linkat"),
    "openat",
    *("unlink", "unlinkat", "rmdir"),
    *("mkdir", "mkdirat"),
)
"""The system calls by which files are written."""

_ALL_CALLS = (*WRITING_CALLS, "ftruncate")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The `when`-th system call `call` of a writer ends with `error`, or with the process."""

    call: str
    when: int
    error: str

    @property
    def arguments(self) -> list[str]:
        """What strace is told."""
        what = "signal=KILL" if self.error == "KILL" else f"error={self.error}"
        return ["-e", f"inject={self.call}:{what}:when={self.when}"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a writer ended: its exit code and its system calls."""

    code: int
    calls: list[str]

    def injected(self) -> str:
        """The call that was made to fail; "" where none was."""
        return next((call for call in self.calls if "(INJECTED)" in call), "")


class Writers:
    """The process that has everything imported; `close` ends it."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("writers.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        assert self._answer() == "ready"

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def write(self, writer: str, folder: Path, version: int) -> int:
        """Let `writer` do its work in `folder`, and give its exit code."""
        self._order(writer, folder, version, waits=False)
        self._answer()
        return int(self._answer())

    def write_traced(
        self, writer: str, folder: Path, version: int, fault: Fault | None = None
    ) -> Outcome:
        """Let `writer` do its work, with every system call written down and one made to fail."""
        self._order(writer, folder, version, waits=True)
        child = int(self._answer())
        log = self._scratch / "calls"
        trace = ["-e", "trace=" + ",".join(_ALL_CALLS)]
        with subprocess.Popen(
            [
                *("strace", "-f", "-y", "-s", "0", "-o", str(log), "-p", str(child)),
                *trace,
                *(fault.arguments if fault else []),
            ],
            stderr=subprocess.PIPE,
            text=True,
        ) as strace:
            assert strace.stderr is not None
            assert "attached" in strace.stderr.readline()
            os.kill(child, signal.SIGCONT)
            code = int(self._answer())
            strace.wait(timeout=30)
        calls = log.read_text(errors="replace").splitlines()
        return Outcome(code=code, calls=calls)

    def _order(self, writer: str, folder: Path, version: int, *, waits: bool) -> None:
        assert self._process.stdin is not None
        order = {"writer": writer, "folder": str(folder), "version": version, "waits": waits}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process of the writers ended"
        return line.strip()


def why_untraceable(scratch: Path) -> str:
    """Why strace cannot attach to a process here; "" where it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    sleeper = subprocess.Popen(["sleep", "10"])
    try:
        tried = subprocess.run(
            [
                "timeout",
                "-s",
                "INT",
                "0.3",
                "strace",
                "-o",
                str(scratch / "tried"),
                "-p",
                str(sleeper.pid),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        sleeper.kill()
        sleeper.wait()
    if "attached" in tried.stderr:
        return ""
    return f"strace may not attach to a process here: {tried.stderr.strip()}"
