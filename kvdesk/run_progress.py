"""How far the running job is: a value that each event of the worker turns into the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from engine.api import (
    CheckProgress,
    KeyFrameReady,
    MemoryAdapted,
    MemoryEffect,
    PreviewReady,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

    from engine.api import Event, GenerateRequest, PlannedStage
    from kvdesk.estimates import Estimate

_ORDER = tuple(Stage)
_EFFECTS = tuple(MemoryEffect)  # from the mildest on


class StageState(StrEnum):
    """Where a stage stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageProgress:
    """One stage of a job.

    `expected_seconds` compares the stages with one another; they are seconds only where
    `RunProgress.seconds_are_known`.
    """

    stage: Stage
    expected_seconds: float
    num_steps: int
    steps_done: int = 0
    state: StageState = StageState.PENDING

    @property
    def share_done(self) -> float:
        """The part of the stage, from 0 to 1, that is done."""
        if self.state is StageState.DONE:
            return 1.0
        return min(1.0, self.steps_done / max(1, self.num_steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a denoising step expects: a PNG with `num_frames` pictures side by side."""

    path: str
    num_frames: int
    stage: Stage
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    """How far a job is.

    Attributes:
        folder: the clip's folder.
        stages: those that the job runs through, in their order.
        seconds_left: to the end of the job; None as long as nobody can say.
        preview: the latest of the stage that runs.
        key_frame: the PNG of the key frame, or None as long as there is none.
        is_cancelling: the job was told to stop and has not stopped yet.
        seconds_are_known: whether what is expected of the stages is in seconds.
        memory_effect: what it does to the pixels that memory has become scarce on the way, the
            strongest so far; None where it has not.
        checked_share: the part, from 0 to 1, of the model's files that was compared with their
            checksums; None where that is not what is being done.
    """

    job_id: str
    folder: Path
    stages: tuple[StageProgress, ...]
    seconds_left: float | None = None
    preview: Preview | None = None
    key_frame: str | None = None
    is_cancelling: bool = False
    seconds_are_known: bool = False
    memory_effect: MemoryEffect | None = None
    checked_share: float | None = None

    @property
    def running_stage(self) -> StageProgress | None:
        """The stage that runs; None between two."""
        return next((each for each in self.stages if each.state is StageState.RUNNING), None)

    @property
    def share_done(self) -> float:
        """The part of the whole job, from 0 to 1, that is done."""
        total = sum(each.expected_seconds for each in self.stages)
        done = sum(each.expected_seconds * each.share_done for each in self.stages)
        return done / total if total else 0.0

    def advanced(self, event: Event) -> RunProgress:
        """How far the job is after `event`; an event of no meaning here changes nothing."""
        match event:
            case CheckProgress(done_bytes=done, total_bytes=total):
                return replace(self, checked_share=done / max(1, total))
            case StageStarted(stage=stage, num_steps=num_steps):
                return self._with_started(stage, num_steps)
            case StepDone(stage=stage, step=step, num_steps=num_steps, seconds_left=seconds_left):
                started = self if self._is_running(stage) else self._with_started(stage, num_steps)
                after = started._changed(
                    stage, lambda each: replace(each, num_steps=num_steps, steps_done=step)
                )
                return replace(after, seconds_left=after._honest_seconds_left(seconds_left))
            case StageFinished(stage=stage):
                return self._changed(
                    stage,
                    lambda each: replace(each, state=StageState.DONE, steps_done=each.num_steps),
                )
            case PreviewReady(path=path, num_frames=num_frames, stage=stage, step=step):
                preview = Preview(path=path, num_frames=num_frames, stage=stage, step=step)
                return replace(self, preview=preview)
            case KeyFrameReady(path=path):
                return replace(self, key_frame=path)
            case MemoryAdapted(effect=effect):
                return replace(self, memory_effect=_stronger(self.memory_effect, effect))
            case _:
                return self

    def with_plan(self, plan: Sequence[PlannedStage], estimate: Estimate) -> RunProgress:
        """This, with what is known by now about the length of the stages.

        What has happened since stays; a stage that the plan does not have stays too.
        """
        costs = {each.stage: each.cost for each in plan}
        known = estimate.stage_seconds
        stages = tuple(
            replace(each, expected_seconds=(known or costs).get(each.stage, each.expected_seconds))
            for each in self.stages
        )
        after = replace(self, stages=stages, seconds_are_known=known is not None)
        if self.seconds_left is not None:
            return after
        return replace(after, seconds_left=after._honest_seconds_left(None))

    def _is_running(self, stage: Stage) -> bool:
        return any(each.stage is stage and each.state is StageState.RUNNING for each in self.stages)

    def _with_started(self, stage: Stage, num_steps: int) -> RunProgress:
        """All stages before `stage` are done: the folder had them, or nothing is to be made."""
        stages = self.stages
        if all(each.stage is not stage for each in stages):
            unplanned = StageProgress(stage=stage, expected_seconds=0.0, num_steps=num_steps)
            stages = (*stages, unplanned)
        now: list[StageProgress] = []
        for each in sorted(stages, key=lambda each: _ORDER.index(each.stage)):
            if each.stage is stage:
                started = replace(each, num_steps=num_steps, steps_done=0, state=StageState.RUNNING)
                now.append(started)
            elif _ORDER.index(each.stage) < _ORDER.index(stage):
                now.append(replace(each, state=StageState.DONE, steps_done=each.num_steps))
            else:
                now.append(each)
        preview = self.preview if self.preview and self.preview.stage is stage else None
        return replace(self, stages=tuple(now), preview=preview, checked_share=None)

    def _changed(
        self, stage: Stage, change: Callable[[StageProgress], StageProgress]
    ) -> RunProgress:
        stages = tuple(change(each) if each.stage is stage else each for each in self.stages)
        return replace(self, stages=stages)

    def _honest_seconds_left(self, told: float | None) -> float | None:
        """What the worker says, which has measured this very job; else what earlier ones took."""
        if told is not None or not self.seconds_are_known:
            return told
        return sum(each.expected_seconds * (1 - each.share_done) for each in self.stages)


def _stronger(before: MemoryEffect | None, now: MemoryEffect) -> MemoryEffect:
    return now if before is None else max(before, now, key=_EFFECTS.index)


def begun_progress(
    job_id: str,
    folder: Path,
    request: GenerateRequest,
    *,
    until: Stage | None = None,
    done: Collection[Stage] = (),
) -> RunProgress:
    """The progress of a job of which nothing is known but what is asked for.

    Args:
        job_id: of the job.
        folder: the clip's folder.
        request: what is to be made.
        until: the last stage of the job; None makes the whole clip.
        done: stages that the folder has already.
    """
    steps = request.sampling.steps
    passes = request.fps.interpolation_passes
    num_steps = {
        Stage.TEXT: 1,
        Stage.KEY_FRAME: steps if request.picture is None else 0,
        Stage.BASE_FRAMES: steps,
        Stage.INTERPOLATION: passes * request.sampling.interpolation_steps,
        Stage.DECODE: request.fps.num_frames,
    }
    stages: list[StageProgress] = []
    for stage, number in num_steps.items():
        if number:
            is_done = stage in done
            stages.append(
                StageProgress(
                    stage=stage,
                    # Before there is a plan, steps are all that the stages can be compared by.
                    expected_seconds=float(number),
                    num_steps=number,
                    steps_done=number if is_done else 0,
                    state=StageState.DONE if is_done else StageState.PENDING,
                )
            )
        if stage is until:
            break
    return RunProgress(job_id=job_id, folder=folder, stages=tuple(stages))
