import heapq
import itertools
import random

import pytest

from engine.checkpoint.folder import ModelPart
from engine.memory.cards import Card
from engine.memory.plan import PassTrace, UnitUse, Variant
from engine.memory.ring_space import RingSpace
from engine.memory.timeline import Stretch, lower_bound, simulate, stretches_of

# One operation and one byte take a second each, so that times can be read off.
CARD = Card(
    name="clock",
    memory_bytes=1 << 40,
    flops_per_second=1.0,
    bandwidth=1.0,
    copy_bytes_per_second=1.0,
    source_bytes_per_second=2.0,
)


def trace_of(*uses, repeats=1, sizes=None, live=0, fixed=0):
    """A pass of (unit, seconds)."""
    return PassTrace(
        name="pass",
        part=ModelPart.T2V,
        variant=Variant(),
        uses=tuple(
            UnitUse(unit=unit, flops=seconds, moved_bytes=0, live_bytes=live)
            for unit, seconds in uses
        ),
        unit_bytes=sizes or {unit: 10 for unit, _ in uses if unit},
        fixed_bytes=fixed,
        repeats=repeats,
    )


def run(stretches, *, resident=(), ring, repeats=1, first=0):
    return simulate(
        stretches,
        resident=set(resident),
        ring_bytes=ring,
        repeats=repeats,
        bytes_per_second=1.0,
        first_bytes=first,
        first_seconds=first,
    )


def as_it_happens(stretches, resident, ring_bytes, repeats, begin):
    """The same rules once more, event after event: when the last work is done."""
    work = [stretch for _ in range(repeats) for stretch in stretches]
    copies = [s for s in work if s.unit and s.unit not in resident]
    ring = RingSpace(ring_bytes)
    arrived = started = worked = taken = 0
    is_copying = is_working = False
    events = [(begin, 0, "begin")]
    number = itertools.count(1)
    now = begin
    while events:
        now, _, what = heapq.heappop(events)
        if what == "copied":
            is_copying, arrived = False, arrived + 1
        elif what == "worked":
            is_working = False
            if work[worked].unit and work[worked].unit not in resident:
                ring.release_oldest()
            worked += 1
        if (
            not is_copying
            and started < len(copies)
            and ring.reserve(copies[started].num_bytes) is not None
        ):
            is_copying = True
            heapq.heappush(events, (now + copies[started].num_bytes, next(number), "copied"))
            started += 1
        if not is_working and worked < len(work):
            needs = bool(work[worked].unit) and work[worked].unit not in resident
            if not needs or taken < arrived:
                taken += needs
                is_working = True
                heapq.heappush(events, (now + work[worked].seconds, next(number), "worked"))
    assert worked == len(work)
    return now


def test_stretches_join_neighbours_of_one_unit_and_keep_work_in_front():
    trace = trace_of(("", 3), ("a", 1), ("a", 2), ("", 4), ("b", 5), ("a", 6))
    units = [(s.unit, s.num_bytes, s.seconds) for s in stretches_of(trace, CARD)]
    assert units == [("", 0, 3), ("a", 10, 7), ("b", 10, 5), ("a", 10, 6)]
    assert trace.order == ("a", "b", "a")


def test_a_pass_without_work_takes_no_time():
    assert stretches_of(trace_of(), CARD) == ()
    assert run((), ring=0, repeats=3).seconds == 0


def test_a_use_takes_as_long_as_the_slower_of_arithmetic_and_memory():
    assert CARD.compute_seconds(3, 7) == 7
    assert CARD.compute_seconds(8, 7) == 8


def test_with_everything_resident_only_the_first_loading_is_added():
    trace = trace_of(("a", 4), ("b", 6), repeats=5)
    timeline = run(stretches_of(trace, CARD), resident="ab", ring=0, repeats=5, first=20)
    assert timeline.seconds == pytest.approx(20 + 50)
    assert timeline.first_seconds == timeline.idle_seconds == 20
    assert timeline.copied_bytes == 20


def test_copies_hide_behind_work_when_the_ring_has_room_for_the_next():
    trace = trace_of(("a", 10), ("b", 10), repeats=4)
    timeline = run(stretches_of(trace, CARD), ring=20, repeats=4)
    assert timeline.seconds == pytest.approx(10 + 80), "only the first copy is waited for"
    assert timeline.waits == (0, 0)


def test_a_ring_for_one_unit_lets_every_copy_be_waited_for():
    trace = trace_of(("a", 10), ("b", 10), repeats=4)
    timeline = run(stretches_of(trace, CARD), ring=10, repeats=4)
    assert timeline.seconds == pytest.approx(8 * 20)
    assert timeline.idle_seconds == pytest.approx(80)
    assert timeline.copied_bytes == 80


def test_nothing_is_copied_beyond_the_last_repeat():
    trace = trace_of(("a", 1), repeats=3)
    assert run(stretches_of(trace, CARD), ring=100, repeats=3).copied_bytes == 30


@pytest.mark.parametrize("seed", range(150))
def test_clocks_agree_with_a_simulation_event_by_event(seed):
    random_ = random.Random(seed)
    names = [f"u{i}" for i in range(random_.randint(1, 8))]
    sizes = {name: random_.randint(1, 30) for name in names}
    order = [random_.choice([*names, ""]) for _ in range(random_.randint(1, 12))]
    stretches = tuple(
        Stretch(
            unit=unit, num_bytes=sizes[unit] if unit else 0, seconds=float(random_.randint(0, 30))
        )
        for unit in order
    )
    resident = {name for name in names if random_.random() < 0.4}
    ring = random_.randint(30, 90)
    first = sum(sizes[unit] for unit in resident)
    repeats = random_.choice([1, 2, 3, 5, 6])
    found = run(stretches, resident=resident, ring=ring, repeats=repeats, first=first)
    expected = as_it_happens(stretches, resident, ring, repeats, float(first))
    assert found.seconds == pytest.approx(expected, abs=1e-9, rel=1e-3)


@pytest.mark.parametrize("seed", range(40))
def test_many_repeats_are_told_from_a_few(seed):
    random_ = random.Random(seed)
    stretches = tuple(
        Stretch(
            unit=f"u{i}", num_bytes=random_.randint(1, 9), seconds=float(random_.randint(0, 12))
        )
        for i in range(40)
    )
    found = run(stretches, ring=30, repeats=50)
    expected = as_it_happens(stretches, set(), 30, 50, 0.0)
    assert found.seconds == pytest.approx(expected, rel=0.01)


def test_lower_bound_counts_copies_that_no_room_can_spare():
    trace = trace_of(("a", 1), ("b", 1), repeats=10, live=3, fixed=2)
    assert lower_bound(trace, 15, CARD) == 20 + 9 * 10
    assert lower_bound(trace, 1000, CARD) == 10 + 20


def test_lower_bound_keeps_room_for_what_is_used_most():
    trace = trace_of(("a", 1), ("b", 1), ("a", 1), repeats=10)
    assert lower_bound(trace, 10, CARD) == 20 + 9 * 10


def test_lower_bound_is_the_work_where_weights_are_small():
    trace = trace_of(("", 5), ("a", 100), repeats=10)
    assert lower_bound(trace, 0, CARD) == 1050 + 5
    assert lower_bound(trace_of(("", 7)), 0, CARD) == 7
