"""What a stage does about memory between its steps: the same plan, a smaller one, a larger one.

Other programs take and give memory at any moment. Before every step the plan is held against what
is free; a step that ran out of memory is done again with a smaller plan. The rungs, from the
mildest on: fewer residents, a smaller ring, the branches of guidance one by one, smaller strips,
and, only where that was allowed, 8-bit weights. No torch here.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from engine.api import MemoryChangeKind
from engine.errors import EightBitWouldFit, OutOfMemory
from engine.memory.out_of_memory import is_out_of_memory
from engine.memory.plan import Effect
from engine.memory.planner import PATIENCE, plan_pass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.memory.cards import Card
    from engine.memory.plan import PassPlan, PassTrace

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_MARGIN_BYTES = 96 << 20
_MARGIN_PART = 0.04
_GRAIN_BYTES = 16 << 20
"""Budgets are whole numbers of these, so that small changes of what is free change nothing."""

_STAY = 1.25
"""How much slower a smaller plan may be for the same way to compute to be kept on."""

_GROWTH = 1.10
"""How much more must be free than the plan was made for before a larger one is thought of."""

_WORTH = 0.99
"""What part of the seconds a larger plan may take at most to be worth the change."""

_CALM_STEPS = 3
"""Steps for which that must hold; twice as many after every failure."""

_AFTER_FAILURE = 0.90
"""What part of a plan's bytes the next one may have when the first ran out of memory."""


class Planner(Protocol):
    """What `plan_pass` does."""

    def __call__(
        self,
        variants: Sequence[PassTrace],
        budget_bytes: int,
        card: Card,
        *,
        allow_8bit: bool,
        patience: float,
    ) -> PassPlan | None:
        """The plan for a budget; None where nothing fits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChange:
    """A plan took another's place.

    Attributes:
        kind: the gravest of what changed.
        effect: of this change on the result, in comparison with going on as before.
        bytes_before: most bytes of the former plan.
        bytes_after: most bytes of the new one.
    """

    kind: MemoryChangeKind
    effect: Effect
    bytes_before: int
    bytes_after: int

    @property
    def is_growth(self) -> bool:
        """Whether memory came back, rather than having become scarce."""
        return self.bytes_after > self.bytes_before


def usable_bytes(free_bytes: int) -> int:
    """What of the free memory plans may use: a margin stays for holes and for others' next wish."""
    usable = free_bytes - _MARGIN_BYTES - int(_MARGIN_PART * max(0, free_bytes))
    return usable // _GRAIN_BYTES * _GRAIN_BYTES


def free_needed(needed_bytes: int) -> int:
    """How much must be free for `usable_bytes` to be that much."""
    in_grains = -(-needed_bytes // _GRAIN_BYTES) * _GRAIN_BYTES
    return math.ceil((in_grains + _MARGIN_BYTES) / (1 - _MARGIN_PART))


class StageMemory:
    """The plan of one pass, from step to step."""

    def __init__(
        self,
        variants: Sequence[PassTrace],
        *,
        card: Card,
        free_bytes: Callable[[], int],
        on_change: Callable[[MemoryChange], None],
        allow_8bit: bool = False,
        limit_bytes: int | None = None,
        planner: Planner = plan_pass,
    ) -> None:
        """Nothing is planned yet.

        Args:
            variants: traces of the ways to do the pass, in order of preference.
            card: what the device does in a second.
            free_bytes: asked before every step: what this program could have on the device at this
                moment, in all. What it has already counts as free.
            on_change: told when a plan takes another's place, in the middle of the stage.
            allow_8bit: whether somebody agreed to 8-bit weights.
            limit_bytes: what plans may use at most, however much is free.
            planner: makes the plans; a test or a rehearsal may remember what it said.
        """
        self._variants = variants
        self._card = card
        self._free_bytes = free_bytes
        self._on_change = on_change
        self._allow_8bit = allow_8bit
        self._limit_bytes = limit_bytes
        self._planner = planner
        self._plan: PassPlan | None = None
        self._planned_bytes = 0  # the budget that the plan was made for
        self._ceiling: int | None = None  # below what ran out of memory, until it is calm again
        self._least_seen: int | None = None  # smallest budget of the calm steps in a row
        self._calm_steps = 0
        self._calm_needed = _CALM_STEPS
        self._failures_in_a_row = 0

    @property
    def trace(self) -> PassTrace:
        """The trace of the way that the present plan takes.

        Raises:
            RuntimeError: nothing is planned yet.
        """
        if self._plan is None:
            raise RuntimeError("nothing is planned yet: call plan_for_next_step first")
        return self._variants[self._place]

    def attempt(
        self, step: Callable[[PassPlan], Result], release_unused: Callable[[], None]
    ) -> Result:
        """Do a step, again and smaller when memory runs out in it.

        Args:
            step: does it under a plan. It must be one that can be done again from its beginning.
            release_unused: gives back what the failed step left behind.

        Raises:
            OutOfMemory: not even the smallest plan works.
            EightBitWouldFit: only one with 8-bit weights would, and nobody agreed to these.
        """
        plan = self.plan_for_next_step()
        while True:
            try:
                return step(plan)
            except (RuntimeError, MemoryError, OSError) as error:
                if not is_out_of_memory(error):
                    raise
                message = str(error)
            # Behind the handler nothing holds the failed step's values any more.
            release_unused()
            plan = self.after_failure(message)

    def plan_for_next_step(self) -> PassPlan:
        """The plan to work with now: the present one, if it is still right.

        Raises:
            OutOfMemory: not even the smallest plan fits into what is free.
            EightBitWouldFit: only one with 8-bit weights would, and nobody agreed to these.
        """
        self._failures_in_a_row = 0
        budget = self._budget(self._ceiling)
        if self._plan is None:
            return self._take(self._first(budget), budget)
        if self._plan.peak_bytes > budget:
            return self._take(self._smaller(budget), budget)
        return self._grown(self._plan)

    def after_failure(self, message: str) -> PassPlan:
        """The plan to do the step again with, after memory ran out in it.

        Args:
            message: of the error, for whoever looks into it.

        Raises:
            OutOfMemory: there is no smaller plan.
            EightBitWouldFit: there is one with 8-bit weights, and nobody agreed to these.
        """
        failed = self._plan or self.plan_for_next_step()
        log.info("Out of memory with a plan of %d bytes: %s", failed.peak_bytes, message)
        self._failures_in_a_row += 1
        self._calm_steps = 0
        self._calm_needed *= 2
        self._ceiling = int(_AFTER_FAILURE * failed.peak_bytes)
        budget = self._budget(self._ceiling)
        try:
            return self._take(self._smaller(budget, message), budget)
        except OutOfMemory:
            # There is nothing smaller. When the memory is there nevertheless, it lay in pieces or
            # was given back just now, so that one more attempt is worth it.
            budget = self._budget(None)
            if self._failures_in_a_row > 1 or failed.peak_bytes > budget:
                raise
            self._ceiling = None
            return failed

    @property
    def _place(self) -> int:
        """Which of the variants the present plan is of."""
        variant = self._plan.variant if self._plan else None
        return next(i for i, trace in enumerate(self._variants) if trace.variant == variant)

    def _budget(self, ceiling: int | None) -> int:
        """What a plan may use now."""
        limits = [usable_bytes(self._free_bytes()), self._limit_bytes, ceiling]
        least = min(limit for limit in limits if limit is not None)
        return least // _GRAIN_BYTES * _GRAIN_BYTES

    def _first(self, budget: int) -> PassPlan:
        plan = self._planned(self._variants, budget, PATIENCE)
        return plan or self._refuse(budget, "")

    def _smaller(self, budget: int, message: str = "") -> PassPlan:
        """The plan for less memory, by the same way to compute as long as that is not too slow."""
        plan = self._planned(self._variants[self._place :], budget, _STAY)
        return plan or self._refuse(budget, message)

    def _grown(self, plan: PassPlan) -> PassPlan:
        """The present plan, or a larger one when more has been free for some steps."""
        budget = self._budget(None)
        if budget < _GROWTH * self._planned_bytes:
            self._calm_steps, self._least_seen = 0, None
            return plan
        self._calm_steps += 1
        self._least_seen = budget if self._least_seen is None else min(budget, self._least_seen)
        if self._calm_steps < self._calm_needed:
            return plan
        budget = self._least_seen
        self._calm_steps, self._least_seen, self._ceiling = 0, None, None
        # Weights that are 8-bit once stay so to the end of the stage.
        like = [t for t in self._variants if t.variant.is_8bit == plan.variant.is_8bit]
        larger = self._planned(like, budget, PATIENCE)
        if larger is None or larger.seconds > _WORTH * plan.seconds:
            self._planned_bytes = budget
            return plan
        return self._take(larger, budget)

    def _planned(
        self, variants: Sequence[PassTrace], budget: int, patience: float
    ) -> PassPlan | None:
        return self._planner(
            variants, budget, self._card, allow_8bit=self._allow_8bit, patience=patience
        )

    def _take(self, plan: PassPlan, budget: int) -> PassPlan:
        """Let a plan be the present one, and tell of it."""
        former, self._plan, self._planned_bytes = self._plan, plan, budget
        if former is not None and former != plan:
            self._on_change(_change(former, plan))
        return plan

    def _refuse(self, budget: int, message: str) -> PassPlan:
        """Say that nothing fits.

        Raises:
            OutOfMemory: always.
        """
        allowed = [t for t in self._variants if self._allow_8bit or not t.variant.is_8bit]
        needed = min((trace.least_bytes for trace in allowed), default=0)
        detail = message or f"{budget} bytes may be used, {needed} are needed"
        lack = self._words(needed)
        if len(allowed) < len(self._variants):
            plan = self._planner(
                self._variants, budget, self._card, allow_8bit=True, patience=PATIENCE
            )
            if plan is not None:
                raise EightBitWouldFit(
                    f"{lack} With 8-bit weights it would fit; the clip would then differ a little.",
                    detail=detail,
                )
        raise OutOfMemory(
            f"{lack} Close other programs that use it, or make a smaller or shorter clip.",
            detail=detail,
        )

    def _words(self, needed: int) -> str:
        """What is lacking, for the person at the screen."""
        free = self._free_bytes()
        if self._limit_bytes is not None and self._limit_bytes < usable_bytes(free):
            return (
                f"At most {_gigabytes(self._limit_bytes)} of the device's memory may be used, and "
                f"{_gigabytes(needed)} are needed at least. Allow more."
            )
        return (
            f"There is too little free memory on the device: {_gigabytes(free)} are free, and "
            f"{_gigabytes(free_needed(needed))} are needed at least."
        )


def _change(former: PassPlan, plan: PassPlan) -> MemoryChange:
    """What the gravest difference between two plans is."""
    before, after = former.variant, plan.variant
    if before.is_8bit != after.is_8bit:
        kind, effect = MemoryChangeKind.EIGHT_BIT, Effect.LOSSY
    elif before.strip_rows != after.strip_rows:
        kind, effect = MemoryChangeKind.STRIPS, Effect.ROUNDING
    elif before.branches_together != after.branches_together:
        kind, effect = MemoryChangeKind.BRANCHES, Effect.ROUNDING
    elif former.resident != plan.resident:
        kind, effect = MemoryChangeKind.RESIDENTS, Effect.EXACT
    else:
        kind, effect = MemoryChangeKind.RING, Effect.EXACT
    return MemoryChange(
        kind=kind, effect=effect, bytes_before=former.peak_bytes, bytes_after=plan.peak_bytes
    )


def _gigabytes(num_bytes: int) -> str:
    return f"{max(0, num_bytes) / 2**30:.1f} GB"
