"""What a clip takes, stage by stage, before it is made: memory, traffic, arithmetic, seconds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.api import NUM_BASE_FRAMES, FrameSize, Stage
from engine.denoisers import decoding_chunk_sizes
from engine.memory.planner import plan_pass, plan_to_stay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import GenerateRequest
    from engine.memory.cards import Card
    from engine.memory.clip_traces import ClipTracer
    from engine.memory.loop_traces import LoopTraces
    from engine.memory.plan import PassPlan, PassTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """A stage of a clip. Sizes are bytes on the device.

    Attributes:
        name: such as "base frames".
        stage: which part of a clip's progress it belongs to.
        fits: whether it can be done within the budget. Otherwise all that follows is of the
            smallest way there is, and `seconds` is infinite.
        peak_bytes: most bytes at once.
        resident_bytes: of weights that stay, in the pass that holds the most.
        streamed_bytes: of weights that go to the device, in all steps together.
        flops: floating-point operations.
        seconds: planned.
        table_bytes: of main memory, for what is computed for all steps beforehand.
        passes: the plans of its passes; none where it does not fit.
    """

    name: str
    stage: Stage
    fits: bool
    peak_bytes: int
    resident_bytes: int
    streamed_bytes: int
    flops: int
    seconds: float
    table_bytes: int
    passes: tuple[PassPlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPlan:
    """The plan of a whole clip."""

    stages: tuple[StagePlan, ...]

    @property
    def fits(self) -> bool:
        """Whether every stage does."""
        return all(stage.fits for stage in self.stages)

    @property
    def peak_bytes(self) -> int:
        """Most bytes on the device at once."""
        return max(stage.peak_bytes for stage in self.stages)

    @property
    def table_bytes(self) -> int:
        """Most bytes of main memory that what is computed beforehand takes at once."""
        return max(stage.table_bytes for stage in self.stages)


def plan_clip(
    tracer: ClipTracer,
    request: GenerateRequest,
    *,
    budget_bytes: int,
    card: Card,
    allow_8bit: bool = False,
) -> ClipPlan:
    """Plan the clip of `request`.

    Args:
        tracer: of the model and the kind of device.
        request: the clip.
        budget_bytes: all that may be used on the device at once.
        card: what the device does in a second.
        allow_8bit: whether 8-bit weights may be used where nothing else fits.
    """
    plan_one = plan_to_stay if tracer.is_small else plan_pass

    def planned(name: str, stage: Stage, *passes: Sequence[PassTrace], table: int = 0) -> StagePlan:
        plans = [
            plan_one(variants, budget_bytes, card, allow_8bit=allow_8bit) for variants in passes
        ]
        found = tuple(plan for plan in plans if plan is not None)
        if len(found) < len(plans):
            return _too_large(name, stage, passes, table)
        return StagePlan(
            name=name,
            stage=stage,
            fits=True,
            peak_bytes=max(plan.peak_bytes for plan in found),
            resident_bytes=max(plan.resident_bytes for plan in found),
            streamed_bytes=sum(plan.streamed_bytes for plan in found),
            flops=sum(plan.flops for plan in found),
            seconds=sum(plan.seconds for plan in found),
            table_bytes=table,
            passes=found,
        )

    def planned_loop(name: str, stage: Stage, traces: LoopTraces) -> StagePlan:
        return planned(name, stage, traces.conditions, traces.steps, table=traces.table_bytes)

    return ClipPlan(stages=tuple(_stages(tracer, request, planned, planned_loop)))


def _stages(
    tracer: ClipTracer,
    request: GenerateRequest,
    planned: Callable[..., StagePlan],
    planned_loop: Callable[[str, Stage, LoopTraces], StagePlan],
) -> list[StagePlan]:
    size, sampling = request.size, request.sampling
    stages: list[StagePlan] = []
    if request.picture is None:
        picture = FrameSize(width=2 * size.width, height=2 * size.height)
        stages += [
            planned_loop("key frame", Stage.KEY_FRAME, tracer.key_frame(size, sampling.steps)),
            planned("key frame decode", Stage.KEY_FRAME, tracer.decode_picture(picture)),
        ]
    stages += [
        planned("picture encode", Stage.BASE_FRAMES, tracer.encode(size)),
        planned_loop("base frames", Stage.BASE_FRAMES, tracer.base_frames(size, sampling.steps)),
    ]
    num_frames = NUM_BASE_FRAMES
    for number in range(1, request.fps.interpolation_passes + 1):
        traces = tracer.interpolation(size, sampling.interpolation_steps, num_frames)
        stages.append(planned_loop(f"interpolation {number}", Stage.INTERPOLATION, traces))
        num_frames = 4 * num_frames - 3
    chunks = Counter(decoding_chunk_sizes(num_frames))
    largest = max(chunks)
    # A smaller chunk at the end is planned as one of the others.
    traces = tracer.decode(size, largest, chunks.total())
    stages.append(planned("decode", Stage.DECODE, traces))
    # Last, because its trace may come from a process of its own.
    return [planned("text", Stage.TEXT, tracer.text()), *stages]


def _too_large(
    name: str, stage: Stage, passes: Sequence[Sequence[PassTrace]], table: int
) -> StagePlan:
    """A stage for which there is too little memory, at its smallest."""
    smallest = [min(variants, key=lambda trace: trace.least_bytes) for variants in passes]
    return StagePlan(
        name=name,
        stage=stage,
        fits=False,
        peak_bytes=max(trace.least_bytes for trace in smallest),
        resident_bytes=max(trace.fixed_bytes for trace in smallest),
        streamed_bytes=sum(trace.weights_bytes * trace.repeats for trace in smallest),
        flops=sum(trace.flops * trace.repeats for trace in smallest),
        seconds=float("inf"),
        table_bytes=table,
        passes=(),
    )
