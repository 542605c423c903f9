"""Networks are handed out for their passes, one at a time, and leave nothing behind."""

from __future__ import annotations

import threading

import pytest
import torch
from clip_cases import CARD, DEMO, MEMORY_BYTES, SIZE, counted_cpu, free_for, loader_of

import engine.memory.ladder
import engine.memory.pass_tracer
from engine.checkpoint.folder import ModelPart
from engine.errors import OutOfMemory
from engine.memory.cards import card_named
from engine.memory.clip_traces import ClipTracer
from engine.memory.device_kind import DeviceKind
from engine.memory.model_sizes import sizes_of
from engine.memory.networks_in_use import NetworksInUse


@pytest.fixture(scope="module")
def tracer():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.memory.pass_tracer, "SMALL_MODEL_BYTES", 0)
        patch.setattr(engine.memory.ladder, "_GRAIN_BYTES", 1)
        yield ClipTracer(sizes_of(loader_of(DEMO)), DeviceKind.CPU)


@pytest.fixture
def device():
    return counted_cpu()


@pytest.fixture
def networks(device):
    in_use = NetworksInUse(loader_of(DEMO), device, CARD, on_read=lambda *_: None)
    yield in_use
    in_use.close()
    assert device.card.allocated_bytes == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "feeding weights"]


@pytest.fixture
def decode(networks):
    latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5))

    @torch.no_grad()
    def step(variant):
        movq = networks.network(ModelPart.IMAGE_MOVQ)
        return movq.decode(latents, strip_rows=variant.strip_rows)

    return step


def num_bytes_on(device):
    return device.card.allocated_bytes


def test_a_network_has_weights_while_it_is_at_work_only(tracer, networks, device, decode):
    network = networks.network(ModelPart.IMAGE_MOVQ)
    assert all(weight.is_meta for weight in network.parameters())
    assert num_bytes_on(device) == 0
    at_work = networks.at_work(tracer.decode_picture(SIZE), stays=False)
    assert num_bytes_on(device) == 0
    at_work.attempt(decode)
    assert num_bytes_on(device) > 0
    networks.rest()
    assert num_bytes_on(device) == 0
    assert all(weight.is_meta for weight in network.parameters())


def test_work_that_goes_on_is_the_same_and_other_work_takes_its_place(
    tracer, networks, device, decode
):
    ways = tracer.decode_picture(SIZE)
    at_work = networks.at_work(ways, stays=False)
    first = at_work.attempt(decode)
    copied = device.card.copied_bytes
    assert networks.at_work(ways, stays=False) is at_work
    assert torch.equal(at_work.attempt(decode), first)
    assert device.card.copied_bytes == copied
    assert networks.at_work(tracer.encode(SIZE), stays=False) is not at_work
    assert num_bytes_on(device) == 0


@pytest.mark.parametrize("card", [CARD, card_named("cpu")], ids=["no waiting", "slow files"])
def test_networks_that_stay_do_so_from_work_to_work(card, tracer, networks, device, decode):
    """Also where reading along the way would be faster, if this were the only time."""
    networks._card = card
    first = networks.at_work(tracer.decode_picture(SIZE), stays=True).attempt(decode)
    held, copied = num_bytes_on(device), device.card.copied_bytes
    networks.rest()
    assert num_bytes_on(device) == held
    second = networks.at_work(tracer.decode_picture(SIZE), stays=True).attempt(decode)
    assert torch.equal(first, second)
    assert device.card.copied_bytes == copied
    networks.close()
    assert num_bytes_on(device) == 0


def test_a_failed_step_begins_anew_in_less_memory(tracer, networks, device, decode):
    changes = []
    networks.on_change = changes.append
    at_work = networks.at_work(tracer.decode_picture(SIZE), stays=False)
    expected = at_work.attempt(decode)
    held, variants = num_bytes_on(device), []

    def failing_once(variant):
        variants.append(variant)
        result = decode(variant)
        if len(variants) == 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return result

    assert torch.equal(at_work.attempt(failing_once), expected)
    assert len(variants) == 2
    assert len(changes) == 1
    assert num_bytes_on(device) < held


def test_what_fails_for_another_reason_is_not_repeated(tracer, networks, decode):
    calls = []

    def failing(variant):
        calls.append(variant)
        raise ValueError("no lack of memory")

    at_work = networks.at_work(tracer.decode_picture(SIZE), stays=False)
    with pytest.raises(ValueError, match="no lack"):
        at_work.attempt(failing)
    assert len(calls) == 1
    at_work.attempt(decode)  # and the next step finds its weights


@pytest.mark.parametrize("number", range(4))
def test_an_allocation_that_fails_is_tried_again(tracer, networks, device, decode, number):
    expected = networks.at_work(tracer.decode_picture(SIZE), stays=False).attempt(decode)
    networks.rest()
    device.card.fail_allocations([device.card.num_allocations + number])
    found = networks.at_work(tracer.decode_picture(SIZE), stays=False).attempt(decode)
    assert torch.equal(found, expected)


def test_a_limit_below_the_least_is_refused_before_anything_is_read(
    tracer, networks, device, decode
):
    ways = tracer.decode_picture(SIZE)
    networks.limit_bytes = min(way.least_bytes for way in ways) - 1
    with pytest.raises(OutOfMemory, match="Allow more"):
        networks.at_work(ways, stays=False).attempt(decode)
    assert device.card.num_allocations == 0


def test_reading_ahead_takes_no_memory_of_the_device(tracer, networks, device, decode):
    networks.read_ahead(tracer.decode_picture(SIZE))
    assert device.card.num_allocations == 0
    networks.at_work(tracer.decode_picture(SIZE), stays=False).attempt(decode)
    networks.rest()
    networks.read_ahead(tracer.decode_picture(SIZE))
    networks.read_ahead(tracer.encode(SIZE))  # one at a time is enough
    networks.at_work(tracer.encode(SIZE), stays=False)
    networks.rest()
    assert num_bytes_on(device) == 0


def test_what_was_read_ahead_is_of_use_or_forgotten_when_others_take_memory(
    tracer, networks, device, decode
):
    ways = tracer.decode_picture(SIZE)
    expected = networks.at_work(ways, stays=False).attempt(decode)
    networks.rest()
    networks.read_ahead(ways)
    device.card.other_bytes = MEMORY_BYTES - free_for(ways[0].least_bytes)
    assert torch.equal(networks.at_work(ways, stays=False).attempt(decode), expected)
