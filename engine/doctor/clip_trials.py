"""Small clips of the demo model, made by workers: to see that one can be made, and for drills."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from engine.api import (
    DEMO_MODEL,
    Failed,
    Fps,
    FrameSize,
    GenerateRequest,
    MakeClip,
    SamplingSettings,
    frame_path,
)
from engine.errors import WorkerSilent

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import Event
    from engine.doctor.worker_talk import WorkerTalk

SECONDS_FOR_CLIP = 300
"""Longer than any computer that kvdesk runs on takes for such a clip."""

_PROMPT = "a red circle moving to the right on a black background"
_SIDE = 64


def small_clip(folder: Path, *, seed: int, steps: int) -> MakeClip:
    """The command that makes a small clip of the demo in `folder`, on the processor."""
    request = GenerateRequest(
        prompt=_PROMPT,
        seed=seed,
        size=FrameSize(width=_SIDE, height=_SIDE),
        fps=Fps.LOW,
        sampling=SamplingSettings(steps=steps),
    )
    # The same pixels are promised on the same device only, and every computer has this one.
    return MakeClip(job=1, model=DEMO_MODEL, request=request, folder=str(folder), device="cpu")


def make_to_end(worker: WorkerTalk, command: MakeClip) -> Event:
    """Have the clip made; the last event.

    Raises:
        WorkerSilent: the worker ended, or the clip failed.
    """
    worker.send(command)
    last = worker.end_of_job(SECONDS_FOR_CLIP)
    if isinstance(last, Failed):
        raise WorkerSilent(f"The clip failed: {last.message}", detail=last.detail)
    return last


def frame_digests(folder: Path, num_frames: int = Fps.LOW.num_frames) -> list[str]:
    """SHA-256 of the files of a finished clip's frames; "" of one that is missing."""
    files = [frame_path(folder, num_frames, index) for index in range(num_frames)]
    return [
        hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "" for file in files
    ]
