"""From what the stages report to events, with one estimate of the time that is left."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.api import (
    NUM_BASE_FRAMES,
    Event,
    MemoryAdapted,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
)
from engine.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from engine.api import GenerateRequest, MemoryChangeKind, MemoryEffect

# How long a step takes, in any unit that they share. From the floating-point operations of the
# released networks at 512x512, in tera; other sizes change all of them as they change the area. The
# text takes little, and most of that is loading, which says nothing about the pace of the rest.
_TEXT_COST = 0.0
_KEY_FRAME_STEP_COST = 6.4
_KEY_FRAME_DECODE_COST = 34.0
_BASE_FRAMES_STEP_COST = 36.5
_INTERPOLATION_STEP_COST = 2.42  # for each group between two frames
_DECODE_FRAME_COST = 22.7
_SAVE_FRAME_COST = 0.05
_AREA = 512 * 512


@dataclass(frozen=True, slots=True, kw_only=True)
class StageWork:
    """A stage, and what each of its steps is expected to cost."""

    stage: Stage
    step_costs: tuple[float, ...]

    @property
    def num_steps(self) -> int:
        """Steps of the stage."""
        return len(self.step_costs)

    @property
    def cost(self) -> float:
        """Expected cost of the whole stage."""
        return sum(self.step_costs)

    def share_done(self, steps_done: int, num_steps: int) -> float:
        """The part of the cost, from 0 to 1, that lies behind after `steps_done` of `num_steps`."""
        if num_steps != self.num_steps or not self.cost:
            return steps_done / num_steps
        return sum(self.step_costs[:steps_done]) / self.cost


def planned_work(
    request: GenerateRequest, *, saves_file: bool, until: Stage | None = None
) -> list[StageWork]:
    """The stages that `request` runs through, in their order; with `until`, up to that one."""
    steps = request.sampling.steps
    area = request.size.width * request.size.height / _AREA
    costs: dict[Stage, tuple[float, ...]] = {Stage.TEXT: (_TEXT_COST,)}
    if request.picture is None:
        key_frame_cost = _KEY_FRAME_STEP_COST + _KEY_FRAME_DECODE_COST / steps
        costs[Stage.KEY_FRAME] = (area * key_frame_cost,) * steps
    costs[Stage.BASE_FRAMES] = (area * _BASE_FRAMES_STEP_COST,) * steps
    if request.fps.interpolation_passes:
        costs[Stage.INTERPOLATION] = tuple(
            area * _INTERPOLATION_STEP_COST * (NUM_BASE_FRAMES - 1) * 4**pass_number
            for pass_number in range(request.fps.interpolation_passes)
            for _ in range(request.sampling.interpolation_steps)
        )
    num_frames = request.fps.num_frames
    costs[Stage.DECODE] = (area * _DECODE_FRAME_COST,) * num_frames
    if saves_file:
        costs[Stage.SAVE] = (area * _SAVE_FRAME_COST,) * num_frames
    order = list(Stage)
    last = order.index(until) if until is not None else len(order)
    return [
        StageWork(stage=stage, step_costs=step_costs)
        for stage, step_costs in costs.items()
        if order.index(stage) <= last
    ]


class Progress:
    """Sends events as the stages of one job report, and ends the job when it is cancelled.

    A stage that is never begun, because an earlier job did it, is not waited for.
    """

    def __init__(
        self,
        work: Sequence[StageWork],
        *,
        on_event: Callable[[Event], None],
        is_cancelled: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = tuple(work)
        self._on_event = on_event
        self._is_cancelled = is_cancelled
        self._clock = clock
        self._begin = clock()
        self._stage = self._work[0].stage
        self._stage_begin = self._begin
        self._cost_done = 0.0
        self._seconds_paced = 0.0

    @property
    def seconds(self) -> float:
        """Since the job began."""
        return self._clock() - self._begin

    @contextlib.contextmanager
    def stage(
        self, stage: Stage, num_steps: int | None = None, *, steps_before: int = 0
    ) -> Generator[Callable[[int], None]]:
        """Run a stage; the function that it gives is called with the number of steps done.

        Args:
            stage: which one.
            num_steps: where it turns out to have others than were planned.
            steps_before: how many of them an earlier job did; told at once where there are any.

        Raises:
            Cancelled: the job was cancelled. Looked at before the stage and after every step.
        """
        number, work = next(
            (number, work) for number, work in enumerate(self._work) if work.stage is stage
        )
        total = num_steps or work.num_steps
        share_before = work.share_done(steps_before, total)
        cost_later = sum(item.cost for item in self._work[number + 1 :])
        self._stop_if_cancelled()
        self._stage = stage
        self._stage_begin = self._clock()
        self._on_event(StageStarted(stage=stage, num_steps=total))

        def tell(steps_done: int) -> None:
            done = work.share_done(steps_done, total)
            self._on_event(
                StepDone(
                    stage=stage,
                    step=steps_done,
                    num_steps=total,
                    seconds_left=self._seconds_left(work, share_before, done, cost_later),
                )
            )

        def step_done(number: int) -> None:
            tell(number)
            self._stop_if_cancelled()

        if steps_before:
            tell(steps_before)
        yield step_done
        seconds = self._clock() - self._stage_begin
        cost_done = (1 - share_before) * work.cost
        self._cost_done += cost_done
        self._seconds_paced += seconds if cost_done else 0.0
        self._on_event(StageFinished(stage=stage, seconds=seconds))

    def adapted(self, change: MemoryChangeKind, effect: MemoryEffect) -> None:
        """Tell that the present stage goes on in less memory."""
        self._on_event(MemoryAdapted(stage=self._stage, change=change, effect=effect))

    def _seconds_left(
        self, work: StageWork, share_before: float, share_done: float, cost_later: float
    ) -> float | None:
        """This stage goes on at its own pace; the later ones at that of all stages so far."""
        done_here = share_done - share_before
        cost_done = self._cost_done + done_here * work.cost
        if not cost_done:
            return None
        seconds = self._clock() - self._stage_begin
        pace = (self._seconds_paced + seconds) / cost_done
        in_this_stage = (1 - share_done) * (seconds / done_here if done_here else pace * work.cost)
        return in_this_stage + cost_later * pace

    def _stop_if_cancelled(self) -> None:
        if self._is_cancelled():
            raise Cancelled
