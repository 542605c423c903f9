"""Whatever is resident and however small the ring is: the network computes the same bits."""

from __future__ import annotations

import random
import threading

import pytest
import torch
import torch.nn.functional as F
from residency_cases import (
    CPU,
    KINDS_OF_WORK,
    all_on_meta,
    make_cases,
    numbers,
    plan_of,
    random_plan,
    simulated,
)
from torch import nn

from engine.checkpoint.tensors import read_tensor
from engine.memory import feeder, readers
from engine.memory.device import Device
from engine.memory.residency import Residency, whole
from engine.memory.simulated_card import GRANULARITY, SimulatedOutOfMemory
from engine.memory.units import units_of


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return make_cases(tmp_path_factory.mktemp("weights"))


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    assert not [it for it in threading.enumerate() if it.name.startswith("feeding weights")]


# Plans


@pytest.mark.parametrize("block", range(10))
def test_any_of_two_hundred_plans_gives_the_same_bits(cases, block, monkeypatch):
    rng = random.Random(block)
    for number in range(20):
        # A staging buffer that most units do not fit into, now and then.
        staging = rng.choice([1 << 18, 1 << 20, 1 << 26])
        monkeypatch.setattr(feeder, "STAGING_BYTES", staging)
        monkeypatch.setattr(feeder, "_PIECE_BYTES", staging // 8)
        num_readers = rng.choice([1, 2, 4])
        monkeypatch.setattr(feeder, "readers_for", lambda _kind, count=num_readers: count)
        monkeypatch.setattr(readers, "_PART_BYTES", rng.choice([1 << 12, 1 << 19]))
        case = cases[KINDS_OF_WORK[number % 5]]
        loadable = case.loadable
        plan = random_plan(loadable.source, case.order, rng)
        repeats = rng.randint(1, 2)
        with Residency(loadable, CPU, plan, case.order, repeats):
            for _ in range(repeats):
                assert torch.equal(case.work(loadable.network, "cpu"), case.expected)
        assert all_on_meta(loadable.network)


@pytest.mark.gpu
@pytest.mark.parametrize("block", range(10))
def test_any_plan_gives_the_same_bits_on_a_graphics_card(cases, block):
    card = Device.best()
    rng = random.Random(block)
    for number in range(20):
        case = cases[KINDS_OF_WORK[number % 5]]
        loadable = case.loadable
        everything = whole(loadable.source)
        with Residency(loadable, card, everything, case.order, 1):
            expected = case.work(loadable.network, card.torch_device)
        plan = random_plan(loadable.source, case.order, rng)
        with Residency(loadable, card, plan, case.order, 2):
            for _ in range(2):
                assert torch.equal(case.work(loadable.network, card.torch_device), expected)


def test_every_byte_on_the_card_is_accounted_for(cases):
    rng = random.Random(5)
    for number in range(10):
        device = simulated()
        case = cases[KINDS_OF_WORK[number % 5]]
        loadable = case.loadable
        plan = random_plan(loadable.source, case.order, rng)
        with Residency(loadable, device, plan, case.order, 2) as residency:
            for _ in range(2):
                assert torch.equal(case.work(loadable.network, "cpu"), case.expected)
            sizes = [loadable.source.num_bytes(unit) for unit in plan.resident]
            sizes += [loadable.source.fixed_bytes, plan.ring_bytes]
            assert residency.num_bytes == sum(sizes)
            assert device.card.allocated_bytes == sum(in_granules(size) for size in sizes)
        assert device.card.allocated_bytes == 0
        assert device.card.peak_bytes == sum(in_granules(size) for size in sizes)


def in_granules(num_bytes):
    return -(-num_bytes // GRANULARITY) * GRANULARITY


def test_a_ring_as_large_as_the_largest_unit_is_enough(cases):
    case = cases["video"]
    network, residency = case.residency(repeats=3)
    with residency:
        for _ in range(3):
            assert torch.equal(case.work(network, "cpu"), case.expected)


def test_a_ring_that_is_too_small_is_refused(cases):
    case = cases["movq"]
    source = case.loadable.source
    largest = max(source.num_bytes(unit) for unit in case.order)
    with pytest.raises(ValueError, match=f"unit of {largest} bytes does not fit into a ring of"):
        case.residency(ring=largest - 1)


def test_what_stays_costs_nothing_after_the_first_pass(cases):
    case = cases["video"]
    network, residency = case.residency(resident=case.order, repeats=5)
    with residency:
        case.work(network, "cpu")
        called = [units_of(network)[unit] for unit in case.order]
        assert not any(unit._forward_pre_hooks or unit._forward_hooks for unit in called)
        assert torch.equal(case.work(network, "cpu"), case.expected)


def test_nothing_is_read_beyond_the_last_repeat_and_what_stays_is_read_once(cases):
    case = cases["movq"]
    resident = case.order[::3]
    network, residency = case.residency(resident=resident, ring=1 << 26, repeats=3)
    with residency:
        for _ in range(3):
            case.work(network, "cpu")
    size = residency._source.num_bytes
    streamed = [unit for unit in case.order if unit not in resident]
    expected = 3 * sum(map(size, streamed)) + sum(map(size, set(resident)))
    assert residency.bytes_read == expected
    assert residency.seconds_reading > 0


def test_reading_may_begin_before_there_is_memory_on_the_device(cases):
    case = cases["video"]
    device = simulated()
    network, residency = case.residency(device, resident=case.order[:9])
    residency.read_ahead()
    assert device.card.num_allocations == 0
    with residency:
        assert torch.equal(case.work(network, "cpu"), case.expected)


def test_reading_ahead_for_nothing_leaves_nothing(cases):
    _, residency = cases["video"].residency()
    residency.read_ahead()
    residency.close()


# Other orders


def test_work_in_another_order_is_right(cases):
    video, image = cases["video"], cases["image"]
    network, residency = video.residency(resident=video.order[5:40:3], ring=1 << 14, repeats=4)
    with residency:
        for case in (image, video, image, image, video, video, video):
            assert torch.equal(case.work(network, "cpu"), case.expected)


def test_units_in_any_order_have_their_own_weights(cases):
    case = cases["video"]
    rng = random.Random(3)
    loadable = case.loadable
    units = {
        unit: module
        for unit, module in units_of(loadable.network).items()
        if isinstance(module, nn.Linear | nn.Conv2d)
    }
    plan = plan_of(loadable.source, rng.sample(case.order, 60), case.order)
    with Residency(loadable, CPU, plan, case.order, 2):
        for unit in rng.choices(sorted(units), k=60):
            stored = read_tensor(case.records[f"{unit}.weight"])
            bias = case.records.get(f"{unit}.bias")
            bias = None if bias is None else read_tensor(bias)
            if isinstance(units[unit], nn.Linear):
                x = numbers(1, stored.shape[1])
                expected = F.linear(x, stored, bias)
            else:
                x = numbers(1, stored.shape[1], 4, 4)
                conv = units[unit]
                expected = F.conv2d(x, stored, bias, conv.stride, conv.padding)
            assert torch.equal(units[unit](x), expected)


def test_a_step_that_failed_in_its_middle_can_be_done_again(cases):
    case = cases["video"]
    network, residency = case.residency(resident=case.order[::4], ring=1 << 13, repeats=3)
    broken = units_of(network)[case.order[len(case.order) // 2]]
    with residency:
        assert torch.equal(case.work(network, "cpu"), case.expected)
        hook = broken.register_forward_hook(fail)
        with pytest.raises(RuntimeError, match="no memory left"):
            case.work(network, "cpu")
        hook.remove()
        for _ in range(3):
            assert torch.equal(case.work(network, "cpu"), case.expected)


def fail(*_):
    raise RuntimeError("no memory left")


def test_an_error_in_a_pass_leaves_no_thread_and_no_memory(cases):
    case = cases["video"]
    device = simulated()
    network, residency = case.residency(device, resident=case.order[::4], ring=1 << 13)
    hook = units_of(network)[case.order[20]].register_forward_hook(fail)
    with pytest.raises(RuntimeError, match="no memory left"), residency:
        case.work(network, "cpu")
    hook.remove()
    assert device.card.allocated_bytes == 0
    assert all_on_meta(network)


# Changes


def test_plans_change_between_steps_and_the_bits_stay(cases):
    rng = random.Random(9)
    for name in ("image", "movq", "text"):
        case, device = cases[name], simulated()
        loadable = case.loadable
        first = random_plan(loadable.source, case.order, rng)
        with Residency(loadable, device, first, case.order, 4) as residency:
            for step in range(8):
                if step % 2:
                    plan = random_plan(loadable.source, case.order, rng)
                    residency.apply(plan, case.order, rng.randint(1, 3))
                assert torch.equal(case.work(loadable.network, "cpu"), case.expected)
                own = sum(loadable.source.num_bytes(unit) for unit in residency.plan.resident)
                ring = residency.plan.ring_bytes
                assert residency.num_bytes == own + ring + loadable.source.fixed_bytes
        assert device.card.allocated_bytes == 0


def test_what_stays_under_both_plans_is_not_read_again(cases):
    case = cases["movq"]
    network, residency = case.residency(resident=case.order, repeats=1)
    with residency:
        case.work(network, "cpu")
        fewer = case.order[: len(case.order) // 2]
        residency.apply(plan_of(residency._source, fewer, case.order), case.order, 2)
        before = residency.bytes_read
        assert before == sum(residency._source.num_bytes(unit) for unit in set(case.order))
        for _ in range(2):
            assert torch.equal(case.work(network, "cpu"), case.expected)
    streamed = [unit for unit in case.order if unit not in fewer]
    read = residency.bytes_read - before
    assert read == 2 * sum(residency._source.num_bytes(unit) for unit in streamed)


def test_two_passes_of_one_network_have_their_own_orders_and_plans(cases):
    video, image = cases["video"], cases["image"]
    network, residency = video.residency(resident=video.order[:30], repeats=2)
    with residency:
        for case, resident in ((video, ()), (image, image.order[:20]), (video, video.order[:9])):
            plan = plan_of(residency._source, resident, case.order)
            residency.apply(plan, case.order, 2)
            for _ in range(2):
                assert torch.equal(case.work(network, "cpu"), case.expected)


def test_a_card_that_runs_out_at_any_allocation_is_left_empty(cases):
    case = cases["movq"]
    for number in range(8):
        device = simulated()
        device.card.fail_allocations([number])
        network, residency = case.residency(device, resident=case.order[:6])
        with pytest.raises(SimulatedOutOfMemory), residency:
            pass
        assert device.card.allocated_bytes == 0
        assert all_on_meta(network)


def test_after_a_plan_that_did_not_fit_a_smaller_one_goes_on(cases):
    case = cases["video"]
    device = simulated()
    network, residency = case.residency(device, resident=case.order[:5], repeats=4)
    source = residency._source
    with residency:
        assert torch.equal(case.work(network, "cpu"), case.expected)
        device.card.other_bytes = device.card.free_bytes - 8192
        with pytest.raises(SimulatedOutOfMemory):
            residency.apply(plan_of(source, case.order, case.order), case.order, 3)
        residency.apply(plan_of(source, case.order[:2], case.order), case.order, 3)
        for _ in range(3):
            assert torch.equal(case.work(network, "cpu"), case.expected)
    assert device.card.allocated_bytes == 0
