"""What each event of the worker makes of the progress of a step of getting the model."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.api import (
    CheckProgress,
    DownloadProgress,
    PrepareProgress,
    Stage,
    StageStarted,
    StepDone,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.api import Event
    from kvdesk.getting import GettingProgress

_WINDOW_SECONDS = 20.0
_FEWEST_SECONDS = 2.0
_STAGES = tuple(stage for stage in Stage if stage is not Stage.SAVE)


class Speedometer:
    """How fast something has come along in the last seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def per_second(self, done: int) -> float | None:
        """The speed now that `done` are done; None where it is too early to tell."""
        now = self._clock()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW_SECONDS:
            self._seen.popleft()
        began, before = self._seen[0]
        return (done - before) / (now - began) if now - began >= _FEWEST_SECONDS else None


def advanced(progress: GettingProgress, event: Event, speed: Speedometer) -> GettingProgress:
    """How far the step is after `event`; an event of no meaning here changes nothing."""
    match event:
        case DownloadProgress():
            return replace(
                progress,
                file=event.file,
                done_bytes=event.done_bytes,
                total_bytes=event.total_bytes,
                share=event.done_bytes / max(1, event.total_bytes),
                bytes_per_second=event.bytes_per_second,
                seconds_left=event.seconds_left,
                waiting=event.waiting,
            )
        case PrepareProgress(file=file, done_bytes=done, total_bytes=total):
            rate = speed.per_second(done)
            return replace(
                progress,
                file=file,
                done_bytes=done,
                total_bytes=total,
                share=done / max(1, total),
                bytes_per_second=rate,
                seconds_left=(total - done) / rate if rate else None,
            )
        case CheckProgress(done_bytes=done, total_bytes=total):
            return replace(progress, done_bytes=done, total_bytes=total)
        case StageStarted(stage=stage):
            return replace(progress, stage=stage, done_bytes=0, total_bytes=0, share=_share(stage))
        case StepDone(stage=stage, step=step, num_steps=num_steps, seconds_left=left):
            share = _share(stage, step / max(1, num_steps))
            return replace(progress, stage=stage, share=share, seconds_left=left)
        case _:
            return progress


def _share(stage: Stage, part: float = 0.0) -> float:
    """Of a whole clip: every stage counts the same, since the test is short."""
    if stage not in _STAGES:
        return 1.0
    return (_STAGES.index(stage) + min(1.0, part)) / len(_STAGES)
