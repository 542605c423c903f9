"""Windows that a test kills: `python killed_window.py FOLDER` makes one for each line of its input.

They have everything in FOLDER and a worker that plays. The imports are done once, and each window
is a process forked from that. A window writes what it found as a line of JSON, then what it has
added and saved, and goes on with all jobs.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "kvdesk"))

from fake_worker import COMMAND, environment_of
from PySide6.QtWidgets import QApplication

from engine.api import FrameSize, GenerateRequest, SamplingSettings
from kvdesk.app import build
from kvdesk.folders import Folders
from kvdesk.jobs import Job
from kvdesk.ui.theme import install_theme

STEP_SECONDS = 0.003


def run_window(folder: Path, number: int) -> None:
    """Run a window, the `number`-th of this folder, until it is killed."""
    os.environ.update(environment_of(step_seconds=STEP_SECONDS, previews=False))
    app = QApplication([])
    install_theme(app)
    places = {name: folder / name for name in ("config", "data", "cache", "clips")}
    desk = build(app, Folders(**places), engine_command=COMMAND)
    stored = {
        "jobs": {job.id: job.state for job in desk.queue.jobs},
        "held": desk.queue.is_held,
        "device": desk.settings.values.device,
    }

    def go_on() -> None:
        wholes = {
            name: record.info.num_frames
            for name in desk.library.records
            if (record := desk.library.record(name)) is not None
        }
        print(json.dumps({**stored, "clips": wholes}), flush=True)
        jobs = [new_job(f"job-{number}-{index}") for index in range(1 + number % 2)]
        desk.queue.add(jobs)
        device = f"device {number}"
        desk.settings.change(device=device)
        desk.queue.flush()
        desk.settings.flush()
        saved = {"saved": [job.id for job in jobs], "device": device}
        print(json.dumps(saved), flush=True)
        desk.queue.hold(False)

    desk.library.loaded.connect(go_on)
    desk.window.show()
    desk.start()
    app.exec()


def new_job(name: str) -> Job:
    """A short job whose folder has its own name."""
    request = GenerateRequest(
        prompt=name,
        seed=1,
        size=FrameSize(width=64, height=64),
        sampling=SamplingSettings(steps=4, interpolation_steps=2),
    )
    return Job(id=name, request=request, model="demo", folder=name)


def main() -> None:
    """Start a window for each line of stdin, when the one before has ended."""
    for number, _ in enumerate(sys.stdin):
        pid = os.fork()
        if not pid:
            run_window(Path(sys.argv[1]), number)
            os._exit(0)
        print(json.dumps({"pid": pid}), flush=True)
        os.waitpid(pid, 0)
        print(json.dumps({"gone": pid}), flush=True)


if __name__ == "__main__":
    main()
