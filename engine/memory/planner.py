"""From a budget of bytes to a plan: what stays, what passes through the ring, and how it is done.

The plan is searched, not solved. For some sizes of the ring, units are made resident in two ways:
the largest first, which pass through a small ring worst; or first where the work would wait for
them, found with a fluid that runs into the ring at the rate of copies and is drawn from it unit by
unit. The clocks of `engine.memory.timeline` then say which plan is best, and that one is refined
unit by unit where it has to wait. No torch here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.memory.host_cache import feeding_rate, units_to_keep
from engine.memory.plan import PassPlan, aligned
from engine.memory.timeline import simulate, stretches_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from engine.memory.cards import Card
    from engine.memory.plan import PassTrace
    from engine.memory.timeline import Stretch

PATIENCE = 1.02
"""How much longer a preferred way may take than the fastest."""

_RING_STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 14.0, 20.0)
"""Sizes of the ring that are tried, in sizes of the largest unit."""

_NEAR_ENOUGH = 1.001
"""How much longer than without any waiting a plan may take for the search to end with it."""

_FEW_REPEATS = 3
"""Up to so many repeats, loading everything first may be slower than reading it along the way."""

_REFINEMENT = 800
"""Stretches of work in all the trials that a plan is refined with: many for a small network."""

_REFINED = 3
"""Plans that are refined, since the best of the first trials need not become the best of all."""


def plan_pass(
    variants: Sequence[PassTrace],
    budget_bytes: int,
    card: Card,
    *,
    allow_8bit: bool = False,
    patience: float = PATIENCE,
) -> PassPlan | None:
    """Plan a pass.

    Args:
        variants: traces of the ways to do it, in order of preference.
        budget_bytes: all that may be used on the device at once.
        card: what the device does in a second.
        allow_8bit: whether ways with 8-bit weights may be taken. They are where no other fits.
        patience: how much longer than the fastest way a preferred one may take.

    Returns:
        The plan of the first way that takes no longer than `patience` allows; None where even the
        smallest plan of all does not fit.
    """
    exact = (trace for trace in variants if not trace.variant.is_8bit)
    plan = _first_good(exact, budget_bytes, card, patience)
    if plan is None and allow_8bit:
        eight_bit = (trace for trace in variants if trace.variant.is_8bit)
        plan = _first_good(eight_bit, budget_bytes, card, patience)
    return plan


def plan_to_stay(
    variants: Sequence[PassTrace],
    budget_bytes: int,
    card: Card,
    *,
    allow_8bit: bool = False,
    patience: float = PATIENCE,
) -> PassPlan | None:
    """As `plan_pass`, for a network whose weights stay when the pass is over, where they fit.

    However seldom the pass is done: the next one, and the next clip, find the weights.
    """
    for trace in variants:
        plan = None if trace.variant.is_8bit else _Search(trace, budget_bytes, card).whole()
        if plan is not None:
            return plan
    return plan_pass(variants, budget_bytes, card, allow_8bit=allow_8bit, patience=patience)


def plan_trace(trace: PassTrace, budget_bytes: int, card: Card) -> PassPlan | None:
    """The best plan for one way to do a pass; None where there is none within the budget."""
    return _Search(trace, budget_bytes, card).best()


def _first_good(
    traces: Iterable[PassTrace], budget_bytes: int, card: Card, patience: float
) -> PassPlan | None:
    """The first plan that is not much slower than the fastest."""
    plans: list[PassPlan] = []
    for trace in traces:
        plan = plan_trace(trace, budget_bytes, card)
        if plan is None:
            continue
        plans.append(plan)
        # All ways do the same arithmetic, so that none is much faster than one that never waits;
        # and the ways that are not looked at need no trace.
        if plan.seconds <= patience * _least_seconds(trace, card):
            break
    if not plans:
        return None
    fastest = min(plan.seconds for plan in plans)
    return next(plan for plan in plans if plan.seconds <= patience * fastest)


def _least_seconds(trace: PassTrace, card: Card) -> float:
    """Seconds of the work alone."""
    return trace.repeats * sum(
        card.compute_seconds(use.flops, use.moved_bytes) for use in trace.uses
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placement:
    """What stays, and the ring for the rest."""

    resident: frozenset[str]
    ring_bytes: int


def _neighbours(resident: frozenset[str], units: Iterable[str]) -> Iterator[frozenset[str]]:
    """What could be resident instead: the same beside another ring, a unit more or less, another.

    Units are taken in their order, so that the same trace gives the same plan every time.
    """
    yield resident
    kept = [unit for unit in units if unit in resident]
    left = [unit for unit in units if unit not in resident]
    for unit in left:
        yield resident | {unit}
    for unit in kept:
        yield resident - {unit}
    for gone in kept:
        for unit in left:
            yield (resident - {gone}) | {unit}


class _Search:
    """The search for the best placement of one trace's weights."""

    def __init__(self, trace: PassTrace, budget_bytes: int, card: Card) -> None:
        self._trace = trace
        self._card = card
        self._room = budget_bytes - trace.fixed_bytes - trace.values_bytes
        self._stretches = stretches_of(trace, card)
        self._work_seconds = sum(stretch.seconds for stretch in self._stretches)
        self._uses: dict[str, int] = {}
        self._order = trace.order
        for unit in self._order:
            self._uses[unit] = self._uses.get(unit, 0) + 1

    def whole(self) -> PassPlan | None:
        """The plan with everything resident; None where that does not fit."""
        if self._room < self._trace.weights_bytes:
            return None
        return self._plan(_Placement(resident=frozenset(self._trace.unit_bytes), ring_bytes=0))

    def best(self) -> PassPlan | None:
        """The fastest plan; of those that are as fast, the one that copies least."""
        trace = self._trace
        if self._room < 0 or self._room < trace.largest_unit_bytes:
            return None
        whole = self.whole()
        if whole is not None and (trace.repeats > _FEW_REPEATS or not trace.unit_bytes):
            return whole
        plans = [whole] if whole is not None else []
        enough = _NEAR_ENOUGH * self._work_seconds * trace.repeats
        for placement in self._placements():
            plan = self._plan(placement)
            plans.append(plan)
            if plan.seconds <= enough + self._first_seconds(plan):
                break
        else:
            promising = sorted(plans, key=lambda plan: plan.seconds)[:_REFINED]
            plans += [self._refined(plan) for plan in promising]
        fastest = min(plan.seconds for plan in plans)
        if whole is not None and whole.seconds <= PATIENCE * fastest:
            return whole  # without a ring, and without the thread that feeds it
        good = [plan for plan in plans if plan.seconds <= _NEAR_ENOUGH * fastest]
        return min(good, key=lambda plan: (plan.streamed_bytes, plan.peak_bytes))

    def _ring_sizes(self) -> list[int]:
        """Sizes that fit, smallest first."""
        largest = self._trace.largest_unit_bytes
        most = min(self._room, self._trace.weights_bytes)
        sizes = {aligned(int(step * largest)) for step in _RING_STEPS}
        return sorted({size for size in sizes if size <= most} | {largest, most})

    def _placements(self) -> Iterator[_Placement]:
        """What is worth a trial, with the smallest ring first. All of it fits."""
        is_copied_again = bool(self._where_copies_are_spared())
        for ring_bytes in self._ring_sizes():
            room = self._room - ring_bytes
            largest_first = self._placement(ring_bytes, [], room)
            yield largest_first
            if not is_copied_again:
                continue
            where_work_waits = self._placement(ring_bytes, self._where_work_waits(ring_bytes), room)
            if where_work_waits != largest_first:
                yield where_work_waits

    def _placement(self, ring_bytes: int, first: list[str], room: int) -> _Placement:
        """Make units resident within `room`, beginning with `first`."""
        resident: set[str] = set()
        room = self._take(first, room, resident)
        self._take(self._where_copies_are_spared(), room, resident)
        sizes = self._trace.unit_bytes
        is_anything_left = any(unit not in resident for unit in sizes)
        return _Placement(
            resident=frozenset(resident), ring_bytes=ring_bytes if is_anything_left else 0
        )

    def _refined(self, plan: PassPlan) -> PassPlan:
        """The plan with units exchanged, as long as that helps and trials are left."""
        trials = _REFINEMENT // max(1, len(self._stretches))
        sizes = self._trace.unit_bytes
        is_better = True
        while is_better:
            is_better = False
            for resident in _neighbours(plan.resident, sizes):
                left = [size for unit, size in sizes.items() if unit not in resident]
                room = self._room - self._trace.weights_bytes + sum(left)
                ring_bytes = min(room, sum(left))
                if left and max(left) > ring_bytes:
                    continue
                if not trials:
                    return plan
                trials -= 1
                other = self._plan(_Placement(resident=resident, ring_bytes=ring_bytes))
                if other.seconds * _NEAR_ENOUGH < plan.seconds:
                    plan, is_better = other, True
                    break
        return plan

    def _take(self, wanted: list[str], room: int, resident: set[str]) -> int:
        """Make units resident as far as there is room, which is what is returned."""
        for unit in wanted:
            num_bytes = self._trace.unit_bytes[unit]
            if unit not in resident and num_bytes <= room:
                resident.add(unit)
                room -= num_bytes
        return room

    def _where_copies_are_spared(self) -> list[str]:
        """All units that are copied more than once: most copies first, then the largest."""
        sizes = self._trace.unit_bytes
        again = [unit for unit, uses in self._uses.items() if uses * self._trace.repeats > 1]
        return sorted(again, key=lambda unit: (self._uses[unit], sizes[unit]), reverse=True)

    def _where_work_waits(self, ring_bytes: int) -> list[str]:
        """Units without whose copies nothing would wait, in the order in which they were found.

        The ring's filling is followed as if it were a fluid, for two repeats, since the first
        begins with a full ring. Where it would run dry, the unit that does the most uses among
        those that were drawn since the ring was last full is taken out of the copies.
        """
        taken: dict[str, None] = {}
        # About as much is copied, whichever units are taken out.
        copied = max(0, self._trace.weights_bytes - (self._room - ring_bytes))
        rate = self._rate(copied, ())
        for _ in range(2):
            level = float(ring_bytes)
            drawn: list[Stretch] = []  # since the ring was last full
            for stretch in self._stretches * 2:
                full = float(ring_bytes)
                if stretch.unit and stretch.unit not in taken:
                    full -= stretch.num_bytes  # its place is free only when its work is done
                    level -= stretch.num_bytes
                    drawn.append(stretch)
                while level < 0 and drawn:
                    spared = self._pick(drawn, -level)
                    taken[spared.unit] = None
                    level += spared.num_bytes * sum(s.unit == spared.unit for s in drawn)
                    drawn = [s for s in drawn if s.unit != spared.unit]
                level += rate * stretch.seconds
                if level >= full:
                    level = full
                    drawn.clear()
        return list(taken)

    def _pick(self, drawn: list[Stretch], missing: float) -> Stretch:
        """The unit to keep: the smallest that is enough, or else the largest; rather often used."""
        most = max(self._uses[stretch.unit] for stretch in drawn)
        often = [stretch for stretch in drawn if self._uses[stretch.unit] == most]
        enough = [stretch for stretch in often if stretch.num_bytes >= missing]
        if enough:
            return min(enough, key=lambda stretch: stretch.num_bytes)
        return max(often, key=lambda stretch: stretch.num_bytes)

    def _first_seconds(self, plan: PassPlan) -> float:
        """Seconds of loading, which many repeats let one forget."""
        return 0.0 if self._trace.repeats <= _FEW_REPEATS else plan.loading_seconds

    def _rate(self, copied: int, resident: Container[str]) -> float:
        """Bytes per second into the ring where `copied` of them are copied in a repeat."""
        card, trace = self._card, self._trace
        kept: dict[str, int] = {}
        if trace.repeats > 1 and card.source_bytes_per_second < card.copy_bytes_per_second:
            kept = units_to_keep(self._order, resident, trace.unit_bytes, card.cache_bytes)
        return feeding_rate(
            copied,
            sum(num_bytes * self._uses[unit] for unit, num_bytes in kept.items()),
            copying=card.copy_bytes_per_second,
            reading=card.source_bytes_per_second,
        )

    def _plan(self, placement: _Placement) -> PassPlan:
        """The placement with what it costs."""
        trace, resident = self._trace, placement.resident
        resident_bytes = sum(trace.unit_bytes[unit] for unit in resident)
        copied = sum(trace.unit_bytes[unit] for unit in self._order if unit not in resident)
        at_first, rate = self._card.feed_bytes_per_second, self._rate(copied, resident)
        # The first repeat reads what main memory keeps, too.
        loading = resident_bytes / at_first + copied / at_first - copied / rate
        timeline = simulate(
            self._stretches,
            resident=resident,
            ring_bytes=placement.ring_bytes,
            repeats=trace.repeats,
            bytes_per_second=rate,
            first_bytes=resident_bytes,
            first_seconds=loading,
        )
        held = trace.fixed_bytes + resident_bytes
        return PassPlan(
            name=trace.name,
            variant=trace.variant,
            resident=resident,
            ring_bytes=placement.ring_bytes,
            resident_bytes=held,
            peak_bytes=held + placement.ring_bytes + trace.values_bytes,
            streamed_bytes=timeline.copied_bytes,
            flops=trace.flops * trace.repeats,
            seconds=timeline.seconds,
            loading_seconds=loading,
        )
