"""Job after job in one window and in one worker: what it takes must not grow with their number.

    python tests/rehearsal/soak.py [--jobs 2000] [--at-once 25] [--clips 50] [--json FILE]

`--jobs` go through the whole application, on a screen that is not there, with a worker that plays:
a fake one, so that it is the window that is measured. `--clips` are made with the demo model, and
saved as videos, in one real worker. After every few jobs resident memory, open files, threads and
Qt objects are counted. The exit status is 1 where one of them grows. Needs Linux.

The pictures of the library that the window keeps, up to a limit, are taken off its memory.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from engine.api import (
    PROTOCOL_VERSION,
    ExportClip,
    Failed,
    Finished,
    Fps,
    FrameSize,
    GenerateRequest,
    Greet,
    MakeClip,
    SamplingSettings,
    SaveRequest,
    Stopped,
    command_to_json,
    event_from_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent
PATIENCE = 120
MB = 1 << 20
FLAT = {"rss_mb": 2.0, "descriptors": 1.0, "threads": 1.0, "objects": 10.0}
"""What each may seem to grow by in the second half of the jobs, and still be called flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was held after `jobs`: resident memory, open files, threads, and objects of Qt."""

    jobs: int
    rss_mb: float
    descriptors: int
    threads: int
    objects: int = 0


def growth(samples: Sequence[Sample]) -> dict[str, float]:
    """By how much each figure grows over the second half of the samples, by a straight line."""
    late = samples[len(samples) // 2 :]
    middle = sum(sample.jobs for sample in late) / len(late)
    width = late[-1].jobs - late[0].jobs
    square = sum((sample.jobs - middle) ** 2 for sample in late)
    names = [each.name for each in fields(Sample) if each.name != "jobs"]
    return {
        name: width * sum((s.jobs - middle) * getattr(s, name) for s in late) / square
        for name in names
    }


def growing(samples: Sequence[Sample]) -> dict[str, float]:
    """The figures that grow by more than is called flat."""
    return {name: by for name, by in growth(samples).items() if by > FLAT[name]}


def sample_of(
    process: psutil.Process, jobs: int, *, kept_bytes: int = 0, objects: int = 0
) -> Sample:
    """What `process` holds now beside `kept_bytes`."""
    with process.oneshot():
        return Sample(
            jobs=jobs,
            rss_mb=(process.memory_info().rss - kept_bytes) / MB,
            descriptors=process.num_fds(),
            threads=process.num_threads(),
            objects=objects,
        )


# The window.


def soak_window(num_jobs: int, folder: Path, *, at_once: int) -> Iterator[Sample]:
    """Send jobs through the application in the folders of `folder`, and count after every few.

    So many as `at_once` wait in the queue together, and so many clips are kept at least: those
    before them are thrown away.
    """
    if not num_jobs:
        return
    sys.path.append(str(TESTS / "kvdesk"))
    from fake_worker import COMMAND, environment_of
    from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject
    from PySide6.QtWidgets import QApplication

    from kvdesk.app import build
    from kvdesk.folders import Folders
    from kvdesk.ui.theme import install_theme

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    install_theme(app)
    os.environ.update(environment_of(step_seconds=0.0, lifetime_seconds=24 * 3600))
    places = {name: folder / name for name in ("config", "data", "cache", "clips")}
    desk = build(app, Folders(**places), engine_command=COMMAND)
    this = psutil.Process()

    def until(is_so: Callable[[], bool]) -> None:
        count, deadline = len(finished), time.monotonic() + PATIENCE
        while not is_so():
            if len(finished) > count:
                count, deadline = len(finished), time.monotonic() + PATIENCE
            assert time.monotonic() < deadline, "nothing happens any more"
            app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 100)

    def settled() -> None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        app.processEvents()
        gc.collect()

    def count_objects() -> int:
        owners: list[QObject] = [app, *app.topLevelWidgets()]
        return sum(1 + len(owner.findChildren(QObject)) for owner in owners)

    finished: list[str] = []
    desk.studio.clip_finished.connect(finished.append)
    desk.window.show()
    desk.start()
    until(lambda: desk.form.model is not None and desk.library.is_loaded)
    short = SamplingSettings(steps=2, interpolation_steps=1)
    desk.form.edit("soak", fps=Fps.LOW, steps=short.steps)
    try:
        while len(finished) < num_jobs:
            wanted = min(num_jobs, len(finished) + at_once)
            for number in range(len(finished), wanted):
                desk.form.edit("soak", prompt=f"a red circle, the {number}th")
                desk.studio.submit()
            until(lambda wanted=wanted: len(finished) >= wanted and not desk.queue.jobs)
            old = finished[-2 * at_once : -at_once]
            desk.library.bin([name for name in old if name in desk.library.records])
            desk.library.empty_bin()
            until(lambda: len(desk.library.summaries) <= at_once)
            settled()
            yield sample_of(
                this,
                len(finished),
                kept_bytes=desk.library.strips.kept_bytes(),
                objects=count_objects(),
            )
    finally:
        desk.window.close()
        desk.close()
        settled()


# The worker.


class RealWorker:
    """The worker as it is, as the window starts it."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "engine.worker"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.process = psutil.Process(self._process.pid)
        self._send(Greet(protocol=PROTOCOL_VERSION))

    def do(self, work: MakeClip | ExportClip) -> None:
        """Have something done, to its end."""
        self._send(work)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            if message.pop("job", None) != work.job:
                continue
            event = event_from_json(message)
            if isinstance(event, Finished):
                return
            assert not isinstance(event, Failed | Stopped), event
        raise AssertionError("the worker has ended")

    def _send(self, command: Greet | MakeClip | ExportClip) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command_to_json(command)) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End it."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


def soak_worker(num_clips: int, folder: Path) -> Iterator[Sample]:
    """Make clips with the demo model in one worker, save each, and count after each."""
    if not num_clips:
        return
    worker = RealWorker(folder / "cache")
    try:
        for number in range(num_clips):
            request = GenerateRequest(
                prompt=f"a red circle, the {number % 5}th",
                seed=number,
                size=FrameSize(width=32 + 32 * (number % 2), height=32),
                fps=Fps.MEDIUM if number % 5 == 0 else Fps.LOW,
                sampling=SamplingSettings(steps=2, interpolation_steps=1),
            )
            clip = folder / f"clip{number}"
            worker.do(MakeClip(job=2 * number, model="demo", request=request, folder=str(clip)))
            save = SaveRequest(path=str(folder / f"{number}.mp4"))
            worker.do(ExportClip(job=2 * number + 1, folder=str(clip), save=save))
            yield sample_of(worker.process, number + 1)
    finally:
        worker.close()


def shown(samples: Sequence[Sample]) -> str:
    """A few of the samples, and by how much each figure grows, as lines."""
    names = [each.name for each in fields(Sample)]
    lines = ["".join(f"{name:>13}" for name in names)]
    step = max(1, len(samples) // 8)
    for sample in [*samples[::step], samples[-1]]:
        lines.append("".join(f"{getattr(sample, name):13.1f}" for name in names))
    grown = growth(samples)
    lines.append(f"{'growth':>13}" + "".join(f"{grown[name]:13.2f}" for name in names[1:]))
    return "\n".join(lines)


def main() -> int:
    """Run what is asked for and print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=2000, help="through the window; 0: none")
    parser.add_argument("--at-once", type=int, default=25, help="jobs that wait together")
    parser.add_argument("--clips", type=int, default=50, help="in a real worker; 0: none")
    parser.add_argument("--json", type=Path, help="write all samples there")
    options = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found: dict[str, list[Sample]] = {}
    with tempfile.TemporaryDirectory() as folder:
        soaks = {
            "window": soak_window(options.jobs, Path(folder), at_once=options.at_once),
            "worker": soak_worker(options.clips, Path(folder)),
        }
        for name, soak in soaks.items():
            if samples := list(soak):
                found[name] = samples
                print(f"{name}\n{shown(samples)}", flush=True)
    if options.json:
        data = {name: [asdict(sample) for sample in all_] for name, all_ in found.items()}
        options.json.write_text(json.dumps(data, indent=1))
    return 1 if any(growing(samples) for samples in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
