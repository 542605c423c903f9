"""The session ends while a job runs: the window closes, and the next one goes on with the job."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fault_rounds import Rounds

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")

ROOT = Path(__file__).parents[2]
FAKES = ROOT / "tests" / "kvdesk"
PATIENCE = 60
# The application as it is, with one job, which tells what happens in it. Where the job is in the
# queue already, a person lets it go on as soon as it is known what waits.
PROGRAM = """
import json, sys
from PySide6.QtCore import Qt
import kvdesk.app
from engine.api import Fps

build = kvdesk.app.build

def say(**what):
    print(json.dumps(what), flush=True)

def built(app, folders):
    desk = build(app, folders, engine_command={command})
    waiting = len(desk.queue.jobs)
    say(held=desk.queue.is_held)
    desk.studio.notice.connect(lambda notice: say(notice=notice.text, tone=notice.tone.value))
    desk.studio.clip_finished.connect(lambda name: say(finished=name))
    desk.studio.progress_changed.connect(
        lambda progress: progress and say(
            steps={{str(stage.stage): stage.steps_done for stage in progress.stages}}
        )
    )
    def begin():
        if waiting:
            desk.queue.hold(False)
        else:
            desk.form.edit("test", prompt="a red circle", seed=3, fps=Fps.LOW, steps={steps})
            desk.studio.submit()
    # Once all others have heard of it too.
    desk.studio.models_changed.connect(
        begin, Qt.ConnectionType(Qt.QueuedConnection.value | Qt.SingleShotConnection.value)
    )
    return desk

kvdesk.app.build = built
sys.exit(kvdesk.app.main())
"""


class Window:
    """The application as a process in the folder `home`, and what it has told."""

    def __init__(self, home: Path, *, is_real: bool = False) -> None:
        program = PROGRAM.format(
            command="None" if is_real else repr((sys.executable, str(FAKES / "fake_worker.py"))),
            steps=300 if is_real else 12,
        )
        places = {f"XDG_{kind}_HOME": str(home / kind) for kind in ("DATA", "CONFIG", "CACHE")}
        (home / "run").mkdir(mode=0o700, exist_ok=True)
        environment = {
            **os.environ,
            **places,
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "PYTHONPATH": os.pathsep.join(map(str, (ROOT, FAKES))),
            "QT_QPA_PLATFORM": "offscreen",
            "KVDESK_FAKE_WORKER": json.dumps({"step_seconds": 0.02}),
        }
        with (home / "complaints").open("a") as complaints:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                start_new_session=True,
            )
        self.said: list[dict] = []
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        self.said.extend(json.loads(line) for line in self.process.stdout)

    def wait_for(self, is_it) -> dict:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = next(filter(is_it, tuple(self.said)), None)
            if found is not None:
                return found
            assert self.process.poll() is None, self.said
            time.sleep(0.005)
        pytest.fail(f"nothing of the kind in {self.said}")

    def end(self, number: signal.Signals, *, with_all: bool) -> float:
        """Send the signal, to the worker as well if `with_all`; the seconds until it ended."""
        began = time.monotonic()
        if with_all:
            os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        assert self.process.wait(PATIENCE) == 0
        seconds = time.monotonic() - began
        self._listening.join(PATIENCE)
        return seconds

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._listening.join(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def open_window(tmp_path):
    """Opens a window in the folder of the test; it is gone at the end of that."""
    windows = []

    def opening(**options) -> Window:
        windows.append(Window(tmp_path, **options))
        return windows[-1]

    yield opening
    for window in windows:
        window.close()


def steps_of(told: dict, stage: str = "") -> int:
    """The steps that are done of a stage, or of all together."""
    steps = told.get("steps") or {}
    return steps.get(stage, 0) if stage else sum(steps.values())


def one(paths) -> Path:
    (path,) = paths
    return path


@pytest.mark.fault(32)
@pytest.mark.timeout(0)
def test_a_session_that_ends_blames_nobody_and_the_next_one_goes_on(
    open_window, tmp_path, rounds: Rounds
):
    chance = random.Random(32)
    for number in range(rounds.wanted(1, 20)):
        step = chance.randrange(1, 12)
        first = open_window()
        first.wait_for(lambda told, step=step: steps_of(told) >= step)
        # A terminal that is closed or a system that shuts down tells every process of it.
        seconds = first.end(signal.SIGTERM, with_all=number % 2 == 1)
        assert seconds < 5
        data = tmp_path / "DATA" / "kvdesk"
        (job,) = json.loads((data / "queue.json").read_text())["jobs"]
        assert job["state"] in ("running", "waiting")
        assert job["failure"] is None
        kept = json.loads(one(tmp_path.rglob(f"{job['folder']}/checkpoints/fake.json")).read_text())
        assert sum(kept.values()) >= step

        second = open_window()
        second.wait_for(lambda told: "finished" in told)
        assert second.said[0] == {"held": True}
        notices = [told for told in second.said if "notice" in told]
        assert len(notices) == 1, notices  # that it waits, and with what it goes on
        assert "wait" in notices[0]["notice"]
        stage, steps = list(kept.items())[-1]
        begun = [steps_of(told, stage) for told in second.said if steps_of(told, stage)]
        assert begun[0] >= steps
        second.end(signal.SIGTERM, with_all=False)
        assert (tmp_path / "complaints").read_text() == ""
        for path in (data / "queue.json", data / "form.json"):
            assert not path.with_name(path.name + ".damaged").exists()
        rounds.done()


@pytest.mark.slow
@pytest.mark.fault(32)
def test_a_session_that_ends_leaves_the_step_that_the_real_worker_was_in(open_window, tmp_path):
    first = open_window(is_real=True)
    first.wait_for(lambda told: steps_of(told, "base_frames") >= 20)
    first.end(signal.SIGTERM, with_all=False)
    last = max(steps_of(told, "base_frames") for told in first.said)
    one(tmp_path.rglob("checkpoints/loop.safetensors"))
    second = open_window(is_real=True)
    second.wait_for(lambda told: steps_of(told, "base_frames") > 0)
    assert max(steps_of(told, "base_frames") for told in second.said) >= last
    second.end(signal.SIGTERM, with_all=False)
    assert (tmp_path / "complaints").read_text() == ""
