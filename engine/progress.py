"""From what the stages report to events, with one estimate of the time that is left."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.api import NUM_BASE_FRAMES, Event, Stage, StageFinished, StageStarted, StepDone
from engine.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from engine.api import GenerateRequest

# How long a step takes, in any unit that they share. From the floating-point operations of the
# released networks at 512x512, in tera; other sizes change all of them alike. The text takes
# little, and most of that is loading, which says nothing about the pace of the rest.
_TEXT_COST = 0.0
_KEY_FRAME_STEP_COST = 6.4
_KEY_FRAME_DECODE_COST = 34.0
_BASE_FRAMES_STEP_COST = 36.5
_INTERPOLATION_STEP_COST = 2.42  # for each group between two frames
_DECODE_FRAME_COST = 22.7
_SAVE_FRAME_COST = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class StageWork:
    """Steps of a stage, and what each is expected to cost."""

    stage: Stage
    num_steps: int
    step_cost: float

    @property
    def cost(self) -> float:
        """Expected cost of the whole stage."""
        return self.num_steps * self.step_cost


def planned_work(request: GenerateRequest, *, saves_file: bool) -> list[StageWork]:
    """The stages that `request` runs through, in their order."""
    steps = request.sampling.steps
    work = [StageWork(stage=Stage.TEXT, num_steps=1, step_cost=_TEXT_COST)]
    if request.picture is None:
        step_cost = _KEY_FRAME_STEP_COST + _KEY_FRAME_DECODE_COST / steps
        work.append(StageWork(stage=Stage.KEY_FRAME, num_steps=steps, step_cost=step_cost))
    work.append(
        StageWork(stage=Stage.BASE_FRAMES, num_steps=steps, step_cost=_BASE_FRAMES_STEP_COST)
    )
    passes = request.fps.interpolation_passes
    if passes:
        groups = sum((NUM_BASE_FRAMES - 1) * 4**number for number in range(passes))
        work.append(
            StageWork(
                stage=Stage.INTERPOLATION,
                num_steps=passes * request.sampling.interpolation_steps,
                step_cost=_INTERPOLATION_STEP_COST * groups / passes,
            )
        )
    num_frames = request.fps.num_frames
    work.append(StageWork(stage=Stage.DECODE, num_steps=num_frames, step_cost=_DECODE_FRAME_COST))
    if saves_file:
        work.append(StageWork(stage=Stage.SAVE, num_steps=num_frames, step_cost=_SAVE_FRAME_COST))
    return work


class Progress:
    """Sends events as the stages of one job report, and ends the job when it is cancelled."""

    def __init__(
        self,
        work: Sequence[StageWork],
        *,
        on_event: Callable[[Event], None],
        is_cancelled: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = {item.stage: item for item in work}
        self._on_event = on_event
        self._is_cancelled = is_cancelled
        self._clock = clock
        self._begin = clock()
        self._stage_begin = self._begin
        self._cost_done = 0.0
        self._seconds_paced = 0.0

    @property
    def seconds(self) -> float:
        """Since the job began."""
        return self._clock() - self._begin

    @contextlib.contextmanager
    def stage(self, stage: Stage, num_steps: int | None = None) -> Generator[Callable[[int], None]]:
        """Run a stage; the function that it gives is called with the number of steps done.

        `num_steps` where it turns out to be another than was planned.

        Raises:
            Cancelled: the job was cancelled. Looked at before the stage and after every step.
        """
        work = self._work[stage]
        total = num_steps or work.num_steps
        self._stop_if_cancelled()
        self._stage_begin = self._clock()
        self._on_event(StageStarted(stage=stage, num_steps=total))

        def step_done(number: int) -> None:
            self._on_event(
                StepDone(
                    stage=stage,
                    step=number,
                    num_steps=total,
                    seconds_left=self._seconds_left(work, number / total),
                )
            )
            self._stop_if_cancelled()

        yield step_done
        seconds = self._clock() - self._stage_begin
        self._cost_done += work.cost
        self._seconds_paced += seconds if work.cost else 0.0
        self._on_event(StageFinished(stage=stage, seconds=seconds))

    def _seconds_left(self, work: StageWork, done: float) -> float | None:
        """This stage goes on at its own pace; the later ones at that of all stages so far."""
        cost_done = self._cost_done + done * work.cost
        if not cost_done:
            return None
        seconds = self._clock() - self._stage_begin
        in_this_stage = seconds * (1 - done) / done
        total_cost = sum(item.cost for item in self._work.values())
        cost_later = max(0.0, total_cost - self._cost_done - work.cost)
        return in_this_stage + cost_later * (self._seconds_paced + seconds) / cost_done

    def _stop_if_cancelled(self) -> None:
        if self._is_cancelled():
            raise Cancelled
