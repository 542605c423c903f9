"""When what happens: a pass that is done again and again, on the clocks of computing and copying.

The copies of units go through the ring one after the other, in the order of the work: a copy
begins when the one before it is done and the ring has room, and room comes when the work of the
oldest unit in the ring is done. Work begins when the work before it and the copy of its unit are
done. What stays is loaded before the first work. No torch here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.memory.ring_space import RingSpace

if TYPE_CHECKING:
    from collections.abc import Container

    from engine.memory.cards import Card
    from engine.memory.plan import PassTrace

_SAME = 1e-6
"""Repeats whose seconds differ by no more than this part take the same time."""

_ENOUGH = 3
"""Times at which repeats end that two repeats need."""

_MOST_SIMULATED = 6
"""Repeats that are simulated when no two take the same time, as the ring's places wander."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The work between two changes of the unit.

    Attributes:
        unit: whose weights are needed; empty for work without.
        num_bytes: of its weights.
        seconds: of its work.
    """

    unit: str
    num_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """How long a pass takes under a plan.

    Attributes:
        seconds: of all repeats together, first loading included.
        first_seconds: of the first loading alone.
        repeat_seconds: of the last repeat that was simulated.
        idle_seconds: of `seconds`, how long nothing was computed.
        copied_bytes: that went to the device in all repeats together.
        waits: seconds of waiting in front of every stretch, in the last simulated repeat.
    """

    seconds: float
    first_seconds: float
    repeat_seconds: float
    idle_seconds: float
    copied_bytes: int
    waits: tuple[float, ...]


def stretches_of(trace: PassTrace, card: Card) -> tuple[Stretch, ...]:
    """The work of one pass, with one entry for each of `trace.order` and one for work before it."""
    found: list[Stretch] = []
    unit, seconds = "", 0.0
    for use in trace.uses:
        if use.unit and use.unit != unit:
            if unit or seconds:
                found.append(_stretch(trace, unit, seconds))
            unit, seconds = use.unit, 0.0
        seconds += card.compute_seconds(use.flops, use.moved_bytes)
    if unit or seconds:
        found.append(_stretch(trace, unit, seconds))
    return tuple(found)


def simulate(
    stretches: tuple[Stretch, ...],
    *,
    resident: Container[str],
    ring_bytes: int,
    repeats: int,
    bytes_per_second: float,
    first_bytes: int,
    first_seconds: float,
) -> Timeline:
    """Let the clocks run.

    Args:
        stretches: the work of one pass.
        resident: units that stay on the device.
        ring_bytes: of the ring that all others pass through.
        repeats: how often the pass is done.
        bytes_per_second: of copies.
        first_bytes: of what stays, which is loaded first.
        first_seconds: of loading it.

    Raises:
        ValueError: a unit that does not stay is larger than the ring.
    """
    clocks = _Clocks(stretches, resident, ring_bytes, repeats, bytes_per_second, first_seconds)
    ends = [clocks.compute]
    waits: tuple[float, ...] = ()
    while len(ends) <= min(repeats, _MOST_SIMULATED) and not _is_steady(ends):
        waits = clocks.run_pass()
        ends.append(clocks.compute)
    done = len(ends) - 1
    # The first repeat finds an empty ring, so that it says nothing about those to come.
    settled = ends[-2:] if _is_steady(ends) else ends[1:]
    typical = (settled[-1] - settled[0]) / max(1, len(settled) - 1)
    seconds = clocks.compute + (repeats - done) * typical
    work = sum(stretch.seconds for stretch in stretches) * repeats
    streamed = sum(stretch.num_bytes for stretch in clocks.copies)
    return Timeline(
        seconds=seconds,
        first_seconds=first_seconds,
        repeat_seconds=ends[-1] - ends[-2],
        idle_seconds=max(0.0, seconds - work),
        copied_bytes=first_bytes + streamed * repeats,
        waits=waits,
    )


def lower_bound(trace: PassTrace, budget_bytes: int, card: Card) -> float:
    """Seconds that no plan for `trace` can undercut, whatever stays and however copies are laid.

    Found without any planning: weights for which there is no room must be copied in every repeat,
    and every weight once; nothing can be computed before its first weights are there.
    """
    room = max(0, budget_bytes - trace.fixed_bytes - trace.values_bytes)
    uses: dict[str, int] = dict.fromkeys(trace.unit_bytes, 0)
    for unit in trace.order:
        uses[unit] += 1
    again = 0.0  # bytes that are copied in every repeat after the first
    for unit in sorted(uses, key=lambda name: uses[name], reverse=True):
        num_bytes = trace.unit_bytes[unit]
        kept = min(room, num_bytes)  # parts of units: no real plan does better
        room -= kept
        again += (num_bytes - kept) * uses[unit]
    once = sum(trace.unit_bytes[unit] for unit in uses if uses[unit])
    compute = sum(card.compute_seconds(use.flops, use.moved_bytes) for use in trace.uses)
    before_first = sum(
        card.compute_seconds(use.flops, use.moved_bytes)
        for use in trace.uses[: _first_named(trace)]
    )
    first = trace.unit_bytes[trace.order[0]] / card.feed_bytes_per_second if trace.order else 0.0
    copying = (once + again * (trace.repeats - 1)) / card.copy_bytes_per_second
    read_again = max(0.0, again - card.cache_bytes * max(uses.values(), default=0))
    reading = (once + read_again * (trace.repeats - 1)) / card.source_bytes_per_second
    return max(copying, reading, trace.repeats * compute + max(0.0, first - before_first))


def _is_steady(ends: list[float]) -> bool:
    """Whether the last two repeats that ended at these times took the same time."""
    if len(ends) < _ENOUGH:
        return False
    last, before = ends[-1] - ends[-2], ends[-2] - ends[-3]
    return abs(last - before) <= _SAME * last


def _first_named(trace: PassTrace) -> int:
    """The place of the first use of a unit."""
    return next((place for place, use in enumerate(trace.uses) if use.unit), len(trace.uses))


def _stretch(trace: PassTrace, unit: str, seconds: float) -> Stretch:
    num_bytes = trace.unit_bytes[unit] if unit else 0
    return Stretch(unit=unit, num_bytes=num_bytes, seconds=seconds)


class _Clocks:
    """The two clocks and the ring between them, as repeat follows repeat."""

    def __init__(
        self,
        stretches: tuple[Stretch, ...],
        resident: Container[str],
        ring_bytes: int,
        repeats: int,
        bytes_per_second: float,
        begin: float,
    ) -> None:
        self.compute = begin
        self._copy = begin
        self._stretches = stretches
        self._is_copied = [bool(s.unit) and s.unit not in resident for s in stretches]
        self.copies = [s for s, copied in zip(stretches, self._is_copied, strict=True) if copied]
        self._seconds = [stretch.num_bytes / bytes_per_second for stretch in self.copies]
        self._num_left = len(self.copies) * repeats
        self._next = 0
        self._ring = RingSpace(ring_bytes)
        self._arrivals: deque[float] = deque()  # of what is in the ring, oldest first
        self._fill()

    def run_pass(self) -> tuple[float, ...]:
        """Do all stretches once; the seconds of waiting in front of each."""
        waits: list[float] = []
        for stretch, is_copied in zip(self._stretches, self._is_copied, strict=True):
            wait = max(0.0, self._arrivals.popleft() - self.compute) if is_copied else 0.0
            waits.append(wait)
            self.compute += wait + stretch.seconds
            if is_copied:
                self._ring.release_oldest()
                self._fill()
        return tuple(waits)

    def _fill(self) -> None:
        """Start the copies for which there is room since just now."""
        while self._num_left:
            place = self._next
            if self._ring.reserve(self.copies[place].num_bytes) is None:
                return
            self._copy = max(self._copy, self.compute) + self._seconds[place]
            self._arrivals.append(self._copy)
            self._next = (place + 1) % len(self.copies)
            self._num_left -= 1
