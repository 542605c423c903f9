"""The worker: does it start, say hello, beat, and make a clip?"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import Alive
from engine.doctor.clip_trials import frame_digests, make_to_end, small_clip
from engine.doctor.finding import Finding, Health
from engine.doctor.worker_talk import WorkerTalk
from engine.errors import WorkerSilent

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECONDS_FOR_BEAT = 15
_STEPS = 2
_ADVICE = "Install kvdesk again, into a fresh environment of Python. The details are in a report."


def check_worker() -> Iterator[Finding]:
    """Start a worker, listen to its heart, have it make a clip, and end it."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="kvdesk-doctor-") as name, WorkerTalk() as worker:
            said_hello = time.monotonic() - began
            beats = [worker.until(Alive, seconds=_SECONDS_FOR_BEAT) for _ in range(2)]
            yield Finding(
                topic="worker",
                words=f"says hello in {said_hello:.1f} s, and beats ({len(beats)} times)",
            )
            began = time.monotonic()
            folder = Path(name) / "clip"
            make_to_end(worker, small_clip(folder, seed=1, steps=_STEPS))
            seconds = time.monotonic() - began
            is_whole = all(frame_digests(folder))
            code = worker.quit()
    except WorkerSilent as error:
        words = "\n".join(filter(None, (error.message, error.detail)))
        yield Finding(topic="worker", health=Health.WRONG, words=words, advice=_ADVICE)
        return
    if is_whole and code == 0:
        yield Finding(topic="small clip", words=f"made in {seconds:.1f} s")
    else:
        words = "frames are missing" if code == 0 else f"the worker ended with code {code}"
        yield Finding(topic="small clip", health=Health.WRONG, words=words, advice=_ADVICE)
