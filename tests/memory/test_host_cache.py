"""Weights that main memory keeps: which they are, how fast they come, and that they are right."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import replace

import pytest
import torch
from residency_cases import KINDS_OF_WORK, make_cases, random_plan, simulated

from engine.checkpoint.folder import ModelPart
from engine.memory import feeder, host_cache, residency
from engine.memory.cards import CPU, card_named
from engine.memory.feeder import MOST_STAGING_BYTES, Feeder, Places, Wanted
from engine.memory.host_cache import (
    HOST_CACHE_BYTES,
    PINNED_BLOCK_BYTES,
    feeding_rate,
    units_to_keep,
)
from engine.memory.plan import PassTrace, UnitUse, Variant
from engine.memory.planner import plan_trace
from engine.memory.residency import Residency, whole
from engine.memory.ring_space import RingSpace


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return make_cases(tmp_path_factory.mktemp("weights"))


@pytest.fixture(autouse=True)
def _nothing_is_left():
    with torch.no_grad():
        yield
    assert not [it for it in threading.enumerate() if it.name.startswith("feeding weights")]


# Which


def test_all_that_is_pinned_is_less_than_a_gigabyte():
    assert HOST_CACHE_BYTES + MOST_STAGING_BYTES < 1e9


def test_everything_that_passes_is_kept_where_there_is_room():
    sizes = {"a": 10, "b": 20, "c": 30}
    assert units_to_keep("abca", {"b"}, sizes, 40) == {"a": 10, "c": 30}
    assert units_to_keep("abca", {"a", "b", "c"}, sizes, 40) == {}


@pytest.mark.parametrize("seed", range(40))
def test_what_is_kept_is_spread_over_the_pass(seed):
    rng = random.Random(seed)
    sizes = {str(number): rng.randint(1, 30) for number in range(60)}
    limit = rng.randint(60, sum(sizes.values()) - 1)
    kept = units_to_keep(list(sizes), (), sizes, limit)
    total, share = sum(sizes.values()), limit / sum(sizes.values())
    assert limit - 30 <= sum(kept.values()) <= limit < total
    passed = seen = 0
    for unit, num_bytes in sizes.items():
        passed += num_bytes
        seen += kept.get(unit, 0)
        assert abs(seen - share * passed) <= 30


# How fast


def test_what_is_not_read_again_leaves_the_reading_time_to_the_rest():
    assert feeding_rate(100, 0, copying=25.0, reading=10.0) == 10.0
    assert feeding_rate(100, 50, copying=25.0, reading=10.0) == 20.0
    assert feeding_rate(100, 80, copying=25.0, reading=10.0) == 25.0
    assert feeding_rate(0, 0, copying=25.0, reading=10.0) == 25.0


def as_it_happens(units, kept, *, ring, staging, piece, copying, reading, seconds, repeats):
    """Reading, copying and work, piece after piece: the seconds of every repeat."""
    pieces = [
        (number, begin, min(piece, size - begin), unit in kept)
        for number, (unit, size) in enumerate([*units] * repeats)
        for begin in range(0, size, piece)
    ]
    in_staging = 0
    read_clock = copy_clock = work_clock = 0.0
    space, released, ends = RingSpace(ring), [], []
    place_free_at = 0.0
    oldest = 0
    # A piece is read when there is room in the staging buffer: copies of earlier pieces make it.
    copy_ends = {}
    staged = []
    for index, (number, begin, size, is_kept) in enumerate(pieces):
        is_first_pass = number < len(units)
        ready = 0.0
        if not is_kept or is_first_pass:
            if not is_kept:
                while in_staging + size > staging:
                    gone = staged.pop(0)
                    read_clock = max(read_clock, copy_ends[gone])
                    in_staging -= pieces[gone][2]
                staged.append(index)
                in_staging += size
            read_clock += size / reading
            ready = read_clock
        if begin == 0:
            while space.reserve(units[number % len(units)][1]) is None:
                place_free_at = max(place_free_at, released[oldest])
                oldest += 1
                space.release_oldest()
        copy_clock = max(copy_clock, ready, place_free_at) + size / copying
        copy_ends[index] = copy_clock
        if begin + size == units[number % len(units)][1]:
            work_clock = max(work_clock, copy_clock) + seconds
            released.append(work_clock)
            if (number + 1) % len(units) == 0:
                ends.append(work_clock)
    return ends


@pytest.mark.parametrize("seed", range(12))
def test_the_rate_is_that_of_a_feeder_with_its_two_clocks(seed):
    """Reading waits for the staging buffer only, so that both clocks are busy all the time."""
    rng = random.Random(seed)
    units = [(str(number), rng.randint(2, 60) << 20) for number in range(rng.randint(40, 90))]
    sizes = dict(units)
    total = sum(sizes.values())
    copying = 25e9
    reading = rng.uniform(8e9, 22e9)
    kept = units_to_keep(list(sizes), (), sizes, HOST_CACHE_BYTES)
    ends = as_it_happens(
        units,
        kept,
        ring=256 << 20,
        staging=PINNED_BLOCK_BYTES,
        piece=PINNED_BLOCK_BYTES // 8,
        copying=copying,
        reading=reading,
        seconds=total / copying / len(units) / 20,  # work is hardly ever waited for
        repeats=8,
    )
    rate = feeding_rate(total, sum(kept.values()), copying=copying, reading=reading)
    found = (ends[-1] - ends[2]) / (len(ends) - 3)
    assert found == pytest.approx(total / rate, rel=0.03)


def a_pass(num_units, num_bytes, seconds, repeats):
    card = card_named("RTX 4090")
    uses = tuple(
        UnitUse(
            unit=str(number),
            flops=int(seconds * card.flops_per_second),
            moved_bytes=0,
            live_bytes=0,
        )
        for number in range(num_units)
    )
    return PassTrace(
        name="pass",
        part=ModelPart.T2V,
        variant=Variant(),
        uses=uses,
        unit_bytes={use.unit: num_bytes for use in uses},
        fixed_bytes=0,
        repeats=repeats,
    )


def test_a_plan_reckons_with_what_main_memory_keeps():
    card = replace(card_named("RTX 4090"), source_bytes_per_second=10e9)
    trace = a_pass(200, 10_000_000, 0.0005, repeats=30)  # 2 GB in 0.1 s, of which 0.4 stay
    with_cache, without = (
        plan_trace(trace, 400_000_000, replace(card, cache_bytes=size))
        for size in (HOST_CACHE_BYTES, 0)
    )
    assert without.seconds > 1.5 * 30 * 0.1
    assert with_cache.seconds < 1.12 * 30 * 0.1 + with_cache.loading_seconds
    once = replace(trace, repeats=1)
    assert plan_trace(once, 400_000_000, card).seconds >= 0.2


def test_a_processor_keeps_no_second_copy():
    assert CPU.cache_bytes == 0


# The right ones


class CountingSource:
    """A network's weights that count what is read of them."""

    def __init__(self, source):
        self._source = source
        self.reads = Counter()

    def __getattr__(self, name):
        return getattr(self._source, name)

    def read(self, unit, begin, target, files=None):
        self.reads[unit] += len(target)
        return self._source.read(unit, begin, target, files)


def small(monkeypatch, *, block, cache, staging=1 << 12):
    monkeypatch.setattr(host_cache, "PINNED_BLOCK_BYTES", block)
    monkeypatch.setattr(residency, "HOST_CACHE_BYTES", cache)
    monkeypatch.setattr(feeder, "STAGING_BYTES", staging)
    monkeypatch.setattr(feeder, "_PIECE_BYTES", staging // 8)


@pytest.mark.parametrize("block", range(4))
def test_any_plan_with_any_cache_gives_the_same_bits(cases, block, monkeypatch):
    rng = random.Random(block)
    for number in range(10):
        small(
            monkeypatch,
            block=256 * rng.randint(1, 40),
            cache=256 * rng.randint(0, 200),
            staging=rng.choice([1 << 18, 1 << 20]),
        )
        monkeypatch.setattr(feeder, "_MOST_PENDING", rng.choice([1, 3, 64]))
        case = cases[KINDS_OF_WORK[number % 5]]
        loadable = case.loadable
        plan = random_plan(loadable.source, case.order, rng)
        repeats = rng.randint(2, 4)
        with Residency(loadable, simulated(), plan, case.order, repeats):
            for _ in range(repeats):
                assert torch.equal(case.work(loadable.network, "cpu"), case.expected)


def test_what_is_kept_is_not_read_again_and_all_else_is_in_every_repeat(cases, monkeypatch):
    case = cases["movq"]
    source = case.loadable.source
    small(
        monkeypatch, block=1 << 14, cache=source.fixed_bytes + sum(source.unit_bytes.values()) // 2
    )
    counting = CountingSource(source)
    plan = replace(whole(source), resident=frozenset(), ring_bytes=max(source.unit_bytes.values()))
    kept = units_to_keep(case.order, (), source.unit_bytes, residency.HOST_CACHE_BYTES)
    assert 0 < len(kept) < len(set(case.order))
    loadable = replace(case.loadable, source=counting)
    repeats = 4
    with Residency(loadable, simulated(), plan, case.order, repeats):
        for _ in range(repeats):
            assert torch.equal(case.work(loadable.network, "cpu"), case.expected)
    uses = Counter(case.order)
    for unit, num_uses in uses.items():
        times = counting.reads[unit] / source.num_bytes(unit)
        # What was read before there was a place on the device is kept from the second repeat on.
        assert times in {1, 2} if unit in kept else times == repeats * num_uses, unit
    assert sum(counting.reads[unit] for unit in kept) < 2 * sum(kept.values())


def test_a_feeder_that_reads_ahead_leaves_the_cache_to_the_one_at_work(cases, monkeypatch):
    source = cases["movq"].loadable.source
    small(monkeypatch, block=1 << 14, cache=1 << 20)
    units = [unit for unit in source.units if source.num_bytes(unit)][:3]
    device = simulated()
    asked = []
    staging = type(device).staging
    monkeypatch.setattr(
        type(device), "staging", lambda self, size: asked.append(size) or staging(self, size)
    )
    ring = sum(source.num_bytes(unit) for unit in units)
    wanted = [
        Wanted(unit=unit, place=place, passes_left=left, stays=False)
        for left in (3, 2, 1)
        for place, unit in enumerate(units)
    ]
    kept = {unit: source.num_bytes(unit) for unit in units}
    ahead = Feeder(source, device, wanted, staging_bytes=1 << 12, kept=kept)
    while not ahead.bytes_read:
        threading.Event().wait(0.001)
    assert asked == [1 << 12]
    ahead.begin_copying(Places(own={}, ring=device.arena(ring), free_from=device.mark()))
    for each in wanted:
        delivery = ahead.take()
        assert delivery.wanted == each
        expected = torch.empty_like(delivery.memory)
        source.read(each.unit, 0, expected)
        found, wanted_tensors = (
            source.tensors(each.unit, it) for it in (delivery.memory, expected)
        )
        assert all(torch.equal(found[name], wanted_tensors[name]) for name in found)
        ahead.release(device.mark())
    assert len(asked) > 1
    ahead.close()
