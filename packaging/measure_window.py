"""Measures how soon the window is there, how much memory it takes, and whether it ever stalls.

python packaging/measure_window.py [--starts 5] [--why]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

TOUR = Path(__file__).with_name("window_tour")
sys.path.insert(0, str(TOUR))

from person import (  # noqa: E402  # pyright: ignore[reportMissingImports]
    environment_of,
    skip_first_steps,
)
from screen import Screen, missing_programs  # noqa: E402  # pyright: ignore[reportMissingImports]

if TYPE_CHECKING:
    from collections.abc import Mapping

MEASURED = TOUR / "measured.py"
MAX_START_SECONDS = 1.5
MAX_IDLE_BYTES = 150_000_000
MAX_GAP_MS = 50
_END_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was measured while a clip of the demo model was made and played.

    Attributes:
        idle: resident and unshared bytes of the window alone, with the worker started.
        after: the same when the clip has been made and plays.
        gaps_ms: the longest times between two turns of the event loop, longest first.
    """

    idle: tuple[int, int]
    after: tuple[int, int]
    seconds: float
    num_previews: int
    gaps_ms: tuple[float, ...]
    why: str


class Window:
    """A window that says what happens; ends with the `with` block."""

    def __init__(self, environment: Mapping[str, str], *, looks_why: bool = False) -> None:
        self._began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, str(MEASURED), "1" if looks_why else "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environment),
            text=True,
        )

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.terminate()
        self._process.wait(_END_SECONDS)
        for child in psutil.wait_procs(children, timeout=_END_SECONDS)[1]:
            child.kill()

    def wait_for(self, event: str) -> dict[str, Any]:
        """The next piece of news, which has to be `event`."""
        assert self._process.stdout is not None
        news = json.loads(self._process.stdout.readline() or "{}")
        if news.get("event") != event:
            msg = f"the window said {news}, not {event}"
            raise RuntimeError(msg)
        return news

    def seconds_to_paint(self) -> float:
        """From the start of the process to the painted window."""
        self.wait_for("painted")
        return time.perf_counter() - self._began

    def go_on(self) -> None:
        """Let it make a clip."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def memory(self) -> tuple[int, int]:
        """Resident and unshared bytes of the window's own process."""
        info = psutil.Process(self._process.pid).memory_full_info()
        return info.rss, info.uss


def measure_starts(environment: Mapping[str, str], count: int) -> list[float]:
    """Seconds of `count` starts, after one that fills the caches."""
    seconds: list[float] = []
    for _ in range(count + 1):
        with Window(environment) as window:
            seconds.append(window.seconds_to_paint())
    return seconds[1:]


def measure_run(environment: Mapping[str, str], *, looks_why: bool) -> Run:
    """Make a clip of the demo model at 8 frames a second with the window in sight."""
    with Window(environment, looks_why=looks_why) as window:
        window.seconds_to_paint()
        window.wait_for("idle")
        idle = window.memory()
        window.go_on()
        news = window.wait_for("finished")
        return Run(
            idle=idle,
            after=window.memory(),
            seconds=news["seconds"],
            num_previews=news["previews"],
            gaps_ms=tuple(news["gaps"]),
            why=news["why"],
        )


def main() -> int:
    """See the module. Returns 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--starts", type=int, default=5, help="how many starts")
    parser.add_argument("--why", action="store_true", help="look for what makes the longest gap")
    options = parser.parse_args()
    screens = {"offscreen": nullcontext()}
    if missing_programs():
        print("not measured on a screen; that needs:", *missing_programs(), sep="\n  ")
    else:
        screens["Xvfb"] = Screen()
    are_reached: list[bool] = []
    for name, screen in screens.items():
        with screen as shown, tempfile.TemporaryDirectory() as home:
            outside = shown.environment if shown else {**os.environ, "QT_QPA_PLATFORM": name}
            environment = environment_of(Path(home), outside)
            skip_first_steps(environment)
            load = os.getloadavg()[0]
            print(f"{name} (load of the machine before: {load:.1f} on {os.cpu_count()} cores)")
            starts = measure_starts(environment, options.starts)
            are_reached += _print_starts(starts)
            are_reached += _print_run(measure_run(environment, looks_why=options.why))
    return 0 if all(are_reached) else 1


def _print_starts(starts: list[float]) -> list[bool]:
    median = statistics.median(starts)
    each = ", ".join(f"{seconds:.2f}" for seconds in sorted(starts))
    is_reached = median <= MAX_START_SECONDS
    print(f"  start        {median:.2f} s  (median of {each})  {_words(is_reached)}")
    return [is_reached]


def _print_run(run: Run) -> list[bool]:
    fits, flows = run.idle[0] <= MAX_IDLE_BYTES, run.gaps_ms[0] <= MAX_GAP_MS
    print(f"  idle memory  {_megabytes(run.idle)}  {_words(fits)}")
    print(f"  after a clip {_megabytes(run.after)}")
    gaps = ", ".join(f"{gap:.0f}" for gap in run.gaps_ms)
    clip = f"a clip of {run.seconds:.1f} s with {run.num_previews} pictures of its progress"
    print(f"  longest gaps {gaps} ms  ({clip})  {_words(flows)}")
    if run.why:
        print(run.why)
    return [fits, flows]


def _megabytes(memory: tuple[int, int]) -> str:
    resident, unshared = (f"{size / 1e6:.0f} MB" for size in memory)
    return f"{resident} resident, {unshared} of it unshared"


def _words(is_reached: bool) -> str:
    return "reached" if is_reached else "MISSED"


if __name__ == "__main__":
    sys.exit(main())
