"""Runs a command and measures each of its stages: memory, bytes read and seconds. Linux only."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_INTERVAL_S = 0.05
_RESET_PEAK = "5"  # see proc_pid_clear_refs(5)


@dataclass(slots=True, kw_only=True)
class StageFigures:
    """`read_bytes` come from the disk, `asked_bytes` from there or from the system's cache."""

    name: str
    seconds: float = 0.0
    peak_rss: int = 0
    read_bytes: int = 0
    asked_bytes: int = 0


@dataclass(slots=True, kw_only=True)
class Figures:
    """`over_limit`: it was killed because it took more memory than it may."""

    exit_code: int = 0
    seconds: float = 0.0
    peak_rss: int = 0
    over_limit: bool = False
    complaint: str = ""
    stages: list[StageFigures] = field(default_factory=list)


class WatchedProcess:
    """A command of kvdesk with `--json`, whose lines tell which stage it is in.

    The peak of a stage is the kernel's own for the process, or what was seen of the process
    together with those that it started, whichever is more.
    """

    def __init__(self, arguments: list[str], *, stage_of, limit_bytes: int | None = None) -> None:
        """`stage_of` takes an event and gives the name of the stage that begins with it, if any."""
        self._stage_of = stage_of
        self._limit_bytes = limit_bytes
        self._command = [sys.executable, "-m", "engine.cli", *arguments]
        self._figures = Figures()
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._counts = (0, 0)
        self._began = 0.0

    def run(self, on_stage=None) -> Figures:
        """Run it to its end; `on_stage` is told of every stage, with the process."""
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        began = time.monotonic()
        with (
            tempfile.TemporaryFile() as errors,
            subprocess.Popen(
                self._command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors
            ) as process,
        ):
            self._begin("start", process.pid)
            watcher = threading.Thread(target=self._watch, args=[process.pid])
            watcher.start()
            try:
                for line in process.stdout:
                    name = self._stage_of(json.loads(line))
                    if name is not None and name != self._figures.stages[-1].name:
                        self._begin(name, process.pid)
                        if on_stage is not None:
                            on_stage(process, name)
                self._figures.exit_code = process.wait()
            finally:
                process.kill()
                self._is_over.set()
                watcher.join()
            errors.seek(0)
            self._figures.complaint = errors.read()[-2000:].decode(errors="replace")
        self._figures.stages[-1].seconds = time.monotonic() - self._began
        self._figures.seconds = time.monotonic() - began
        self._figures.peak_rss = max(stage.peak_rss for stage in self._figures.stages)
        return self._figures

    def _begin(self, name: str, pid: int) -> None:
        with self._lock:
            if self._figures.stages:
                self._sample(pid)
                self._figures.stages[-1].seconds = time.monotonic() - self._began
            with contextlib.suppress(OSError):
                Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)
                self._counts = _read_counts(pid)
            self._began = time.monotonic()
            self._figures.stages.append(StageFigures(name=name))

    def _watch(self, pid: int) -> None:
        while not self._is_over.wait(_INTERVAL_S):
            with self._lock:
                rss = self._sample(pid)
            if self._limit_bytes is not None and rss > self._limit_bytes:
                self._figures.over_limit = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                return

    def _sample(self, pid: int) -> int:
        stage = self._figures.stages[-1]
        with contextlib.suppress(OSError, IndexError):  # it has ended meanwhile
            together = sum(map(_rss, (pid, *_children(pid))))
            status = Path(f"/proc/{pid}/status").read_text()
            own = int(status.partition("VmHWM:")[2].split()[0]) * 1024
            stage.peak_rss = max(stage.peak_rss, own, together)
            read, asked = _read_counts(pid)
            stage.read_bytes = read - self._counts[0]
            stage.asked_bytes = asked - self._counts[1]
        return stage.peak_rss


def _rss(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


def _children(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in lists for child in file.read_text().split()]


def _read_counts(pid: int) -> tuple[int, int]:
    """Bytes read from the disk, and bytes that reads were asked for."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    counts = {name: int(value) for name, value in (line.split(": ") for line in lines)}
    return counts["read_bytes"], counts["rchar"]
