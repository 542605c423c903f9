"""Drills with workers: ended in the middle of a clip, which goes on to the same frames."""

from __future__ import annotations

import signal
import sys
import time
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from engine.api import Alive, Cancel, Failed, Finished, StageStarted, Stopped
from engine.doctor.clip_trials import SECONDS_FOR_CLIP, frame_digests, make_to_end, small_clip
from engine.doctor.drill import Drill, PromiseBroken
from engine.doctor.worker_talk import WorkerTalk
from engine.errors import WorkerSilent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

_SEED = 7
_STEPS = 8
_MOST_ENDS = 3
_SILENT_SECONDS = 4.0
"""A worker beats every second. One that still beats after so long was not stopped."""


class End(StrEnum):
    """How a worker is ended in the middle."""

    KILL = "kill"
    STOP = "stop"
    CANCEL = "cancel"


class InterruptedClips:
    """Makes a clip in one go once, and then again and again with interruptions."""

    def __init__(self, folder: Path) -> None:
        """Keep the clip that was made in one go below `folder`."""
        self.clip = folder / "in one go"
        self._frames: Sequence[str] = ()
        self._seconds = 0.0

    def drills(self) -> list[Drill]:
        """One for each way to end a worker that this system has."""
        names = {
            End.KILL: "kill -9 of a worker that makes a clip, up to three times",
            End.STOP: "worker that is stopped (SIGSTOP): its heart must stop",
            End.CANCEL: "cancelled clip",
        }
        ends = [end for end in End if end is not End.STOP or sys.platform != "win32"]
        return [Drill(name=names[end], one_round=partial(self.one_round, end=end)) for end in ends]

    def make_in_one_go(self) -> Sequence[str]:
        """The digests of the frames of the clip that nobody interrupts. Makes it where need be.

        Raises:
            WorkerSilent: it cannot be made.
        """
        if not self._frames:
            with WorkerTalk() as worker:
                worker.send(small_clip(self.clip, seed=_SEED, steps=_STEPS))
                _has_begun(worker)
                began = time.monotonic()
                worker.end_of_job(SECONDS_FOR_CLIP)
                self._seconds = time.monotonic() - began
            self._frames = frame_digests(self.clip)
            if not all(self._frames):
                raise WorkerSilent("The clip that nobody interrupted has frames missing.")
        return self._frames

    def one_round(self, rng: Random, folder: Path, *, end: End) -> None:
        """Interrupt a clip at random moments, let it go on, and compare its frames.

        Raises:
            PromiseBroken: they differ, or a worker did not do what it was told.
        """
        expected = self.make_in_one_go()
        command = small_clip(folder / "clip", seed=_SEED, steps=_STEPS)
        moments: list[float] = []
        for _ in range(rng.randint(1, _MOST_ENDS)):
            moments.append(rng.uniform(0, self._seconds))
            with WorkerTalk() as worker:
                worker.send(command)
                if _has_begun(worker):
                    time.sleep(moments[-1])
                    _end(worker, end)
        with WorkerTalk() as worker:
            make_to_end(worker, command)
        found = frame_digests(folder / "clip")
        if found != expected:
            differ = sum(ours != theirs for ours, theirs in zip(found, expected, strict=True))
            after = ", ".join(f"{moment:.2f} s" for moment in moments)
            raise PromiseBroken(
                f"{differ} of {len(expected)} frames differ after {end} at {after} of the work."
            )


def _has_begun(worker: WorkerTalk) -> bool:
    """Wait until the clip begins; false where it turns out to be finished."""
    first = worker.until(StageStarted, Finished, Failed, seconds=SECONDS_FOR_CLIP)
    if isinstance(first, Failed):
        raise PromiseBroken(f"A clip that was interrupted does not go on: {first.message}")
    return isinstance(first, StageStarted)


def _end(worker: WorkerTalk, end: End) -> None:
    match end:
        case End.KILL:
            worker.process.kill()
        case End.STOP:
            _stop(worker)
        case End.CANCEL:
            worker.send(Cancel(job=1))
            last = worker.end_of_job(SECONDS_FOR_CLIP)
            if not isinstance(last, Stopped | Finished):
                raise PromiseBroken(f"A cancelled clip ended with {last}.")
            if (code := worker.quit()) != 0:
                raise PromiseBroken(f"The worker ended with code {code} after a cancelled clip.")


def _stop(worker: WorkerTalk) -> None:
    """Stop it, and see that nothing is heard of it; that is how the window knows."""
    if sys.platform == "win32":
        raise NotImplementedError("Windows has no such signal")
    worker.process.send_signal(signal.SIGSTOP)
    limit = time.monotonic() + _SILENT_SECONDS
    last_heard = time.monotonic()
    while time.monotonic() < limit:
        try:
            event = worker.next(limit - time.monotonic())
        except WorkerSilent:
            break
        # What was in the pipe is heard at once; a heart that beats on is heard a second later.
        if isinstance(event, Alive) and time.monotonic() - last_heard > 1.0:
            raise PromiseBroken("A worker that is stopped says that it is alive.")
        last_heard = time.monotonic()
    worker.process.kill()
