"""Pictures in strips are the pictures made whole, in the memory that was promised."""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from pathlib import Path

import pytest
import torch
from goldens.weights_rule import golden_weight
from plain_movq import PlainMoVQ
from safetensors.torch import load_file
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from engine.checkpoint.folder import ModelPart
from engine.config import MoVQConfig
from engine.memory.device_kind import DeviceKind
from engine.memory.dry_run import dry_run
from engine.memory.plan import Variant
from engine.models import movq_layers
from engine.models.movq import MoVQ
from engine.models.movq_layers import (
    Downsample,
    MoVQAttentionBlock,
    MoVQResNetBlock,
    SpatialNorm,
    Upsample,
)
from engine.models.strips import Strips, bands

TOLERANCE = 1e-5
TESTS = Path(__file__).parents[1]


def config_of(folder, name):
    configs = json.loads((folder / "configs.json").read_text())
    return MoVQConfig.from_json(configs[name]["configs"], name)


@cache
def toy(*, temporal):
    """The toy network of the goldens with its weights."""
    name = "video_movq" if temporal else "image_movq"
    network = MoVQ(config_of(TESTS / "goldens", name))
    seed = 108 if temporal else 107
    weights = {
        key: torch.from_numpy(golden_weight(key, tuple(value.shape), seed))
        for key, value in network.state_dict().items()
    }
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)


@cache
def demo(*, temporal):
    """The demo's network."""
    folder = TESTS.parent / "resources" / "demo_model"
    name = "video_movq" if temporal else "image_movq"
    network = MoVQ(config_of(folder, name))
    weights = load_file(folder / f"{name.removeprefix('image_')}.safetensors")
    network.load_state_dict({key: value.float() for key, value in weights.items()})
    return network.eval().requires_grad_(False)


def real(*, temporal):
    """The real network without weights, in float16."""
    name = "video_movq" if temporal else "image_movq"
    with torch.device("meta"):
        network = MoVQ(config_of(TESTS / "kandinsky_1_1", name))
    return network.half().requires_grad_(False)


def plain(network):
    temporal = network.decoder.mid.temporal_attn_1 is not None
    config = config_of(TESTS / "goldens", "video_movq" if temporal else "image_movq")
    return PlainMoVQ(config, network.state_dict())


def latents_of(frames, height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((frames, 4, height, width), generator=generator)


def pictures_of(count, height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand((count, 3, height, width), generator=generator) * 2 - 1


def difference(one, other):
    assert one.shape == other.shape
    return (one - other).abs().max().item()


def assert_same(results, expected):
    """Float64 says that it is the same computation, float32 that it is about as exact."""
    assert difference(results[0], expected[0]) <= 1e-12
    assert difference(results[1], expected[1]) <= TOLERANCE


def in_both_types(network, method, x, **options):
    exact = copy.deepcopy(network).double()
    with torch.no_grad():
        return tuple(
            getattr(one, method)(x.to(one.quant_conv.weight.dtype), **options)
            for one in (exact, network)
        )


@pytest.mark.parametrize("frames", [1, 2, 5])
@pytest.mark.parametrize("temporal", [False, True])
def test_decoding_whole_is_the_plain_computation(temporal, frames):
    network, latents = toy(temporal=temporal), latents_of(frames, 3, 4)
    expected = plain(copy.deepcopy(network).double()).decode(latents.double())
    assert_same(in_both_types(network, "decode", latents), (expected, expected))


def test_encoding_whole_is_the_plain_computation():
    network, pictures = toy(temporal=False), pictures_of(2, 48, 40)
    expected = plain(copy.deepcopy(network).double()).encode(pictures.double())
    assert_same(in_both_types(network, "encode", pictures), (expected, expected))


@pytest.mark.parametrize("seed", range(12))
def test_decoding_in_any_strips_is_decoding_whole(seed):
    rng = random.Random(seed)
    network = toy(temporal=rng.random() < 0.7)
    latents = latents_of(rng.choice([1, 2, 5]), rng.randint(1, 5), rng.randint(1, 4), seed)
    strip_rows = rng.choice([1, 2, 3, rng.randint(4, 50)])
    whole = in_both_types(network, "decode", latents)
    assert_same(in_both_types(network, "decode", latents, strip_rows=strip_rows), whole)


@pytest.mark.parametrize("seed", range(8))
def test_encoding_in_any_strips_is_encoding_whole(seed):
    rng = random.Random(seed)
    network = toy(temporal=False)
    pictures = pictures_of(rng.choice([1, 2]), 8 * rng.randint(1, 6), 8 * rng.randint(1, 5), seed)
    strip_rows = rng.choice([1, 2, 3, rng.randint(4, 50)])
    whole = in_both_types(network, "encode", pictures)
    assert_same(in_both_types(network, "encode", pictures, strip_rows=strip_rows), whole)


def test_strips_compute_what_the_whole_computes_and_nothing_twice():
    network = toy(temporal=True)
    counts = []
    for strip_rows in (None, 3):
        with FlopCounterMode(display=False) as counter:
            network.decode(latents_of(2, 3, 2), strip_rows=strip_rows)
            network.encode(pictures_of(1, 24, 16), strip_rows=strip_rows)
        counts.append(counter.get_total_flops())
    # Cells of the latents' scale that two strips share are the only thing done twice.
    assert counts[0] <= counts[1] <= 1.001 * counts[0]


def test_every_unit_works_once_in_a_pass():
    network, calls = toy(temporal=True), []
    kinds = (MoVQResNetBlock, MoVQAttentionBlock, Upsample, Downsample)
    units = [
        module
        for name, module in network.named_modules()
        if isinstance(module, (*kinds, nn.Conv2d))
        and not any(
            isinstance(network.get_submodule(name[:end]), kinds)
            for end in (place for place, letter in enumerate(name) if letter == ".")
        )
    ]
    handles = [unit.register_forward_hook(lambda unit, *_: calls.append(unit)) for unit in units]
    try:
        network.decode(latents_of(2, 3, 3), strip_rows=3)
        network.encode(pictures_of(1, 24, 24), strip_rows=3)
    finally:
        for handle in handles:
            handle.remove()
    assert len(calls) == len(units) == len(set(calls))


@pytest.mark.parametrize("strip_rows", [None, 5])
def test_gradients_are_those_of_the_plain_computation(strip_rows):
    config = config_of(TESTS / "goldens", "video_movq")
    network = MoVQ(config)
    network.load_state_dict(toy(temporal=True).state_dict())
    pictures = pictures_of(2, 16, 16)

    def gradients(model, parameters):
        for parameter in parameters.values():
            parameter.grad = None
        options = {} if isinstance(model, PlainMoVQ) else {"strip_rows": strip_rows}
        model.decode(model.encode(pictures, **options), **options).square().mean().backward()
        return {name: p.grad for name, p in parameters.items() if p.grad is not None}

    parameters = dict(network.named_parameters())
    expected = gradients(PlainMoVQ(config, parameters), parameters)
    actual = gradients(network, parameters)
    assert actual.keys() == expected.keys()
    for name, gradient in actual.items():
        scale = max(expected[name].abs().max().item(), 1e-3)
        assert difference(gradient, expected[name]) <= 1e-3 * scale, name


def test_statistics_of_strips_are_exact_beside_a_large_mean():
    x = torch.randn((2, 32, 37, 16), generator=torch.Generator().manual_seed(1)) + 300
    x[:, :, 20:] -= 40
    norm = SpatialNorm(32)
    strips = Strips.of(x, 5)
    over = norm.over(strips)
    actual = torch.cat([over(strip, 0) for strip in strips], dim=2)
    exact = torch.nn.functional.group_norm(x.double(), 32, eps=1e-6)
    assert difference(actual.double(), exact) <= 2e-5


def test_attention_in_rows_of_queries_is_attention_at_once(monkeypatch):
    block = MoVQAttentionBlock(32)
    x = torch.randn((2, 32, 7, 9), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        at_once = block(x)
        monkeypatch.setattr(movq_layers, "_QUERIES", 10)
        assert difference(block(x), at_once) <= TOLERANCE


def test_a_strip_is_let_go_when_it_is_past():
    picture = torch.randn(1, 2, 12, 3)
    strips = Strips([strip.clone() for strip in picture.split(4, dim=2)], rows=4)
    kept = []
    for slab in strips.slabs():
        assert difference(slab.own, picture[:, :, 4 * len(kept) : 4 * len(kept) + 4]) == 0
        kept.append(sum(strip.shape[2] for strip in strips))
    assert kept == [9, 5, 0]


def test_bands_cover_the_height_and_end_with_the_rest():
    assert list(bands(7, 3)) == [(0, 3), (3, 6), (6, 7)]
    assert list(bands(7, 9)) == list(bands(7, None)) == [(0, 7)]


def psnr(actual, expected):
    """Of pictures in [-1, 1], in dB."""
    return 10 * torch.log10(4 / (actual - expected).square().mean()).item()


@pytest.mark.parametrize("make", [toy, demo])
def test_float16_pictures_are_as_good_as_float32_ones(make):
    latents = 0.5 * latents_of(2, 4, 4)
    pictures = pictures_of(1, 32, 32)
    for temporal in (False, True):
        network = make(temporal=temporal)
        in_half = copy.deepcopy(network).half()
        decoded, expected = in_half.decode(latents, strip_rows=20), network.decode(latents)
        assert decoded.dtype == torch.float32
        assert psnr(decoded.clamp(-1, 1), expected.clamp(-1, 1)) >= 50
        assert psnr(in_half.encode(pictures, strip_rows=20), network.encode(pictures)) >= 50


GOAL_BYTES = 1.5e9


def planned_bytes(network, work):
    """The most that values and the unit at work have on a card, workspaces of kernels included."""
    trace = dry_run(
        work,
        network,
        kind=DeviceKind.GRAPHICS_CARD,
        name="pictures",
        part=ModelPart.VIDEO_MOVQ,
        variant=Variant(),
        repeats=1,
    )
    return max(use.live_bytes + trace.unit_bytes.get(use.unit, 0) for use in trace.uses)


def test_a_picture_of_1024_is_decoded_in_a_gigabyte_and_a_half():
    network, latents = real(temporal=False), torch.empty((1, 4, 128, 128), device="meta").half()
    assert planned_bytes(network, lambda: network.decode(latents, strip_rows=32)) <= GOAL_BYTES


def test_five_frames_of_512_are_decoded_in_a_gigabyte_and_a_half():
    network, latents = real(temporal=True), torch.empty((5, 4, 64, 64), device="meta").half()
    assert planned_bytes(network, lambda: network.decode(latents, strip_rows=32)) <= GOAL_BYTES


def test_five_frames_that_are_no_strips_need_a_single_frame_s_memory_beside_them():
    network, latents = real(temporal=True), torch.empty((5, 4, 64, 64), device="meta").half()
    frame = 2 * 512 * 512**2
    assert planned_bytes(network, lambda: network.decode(latents)) <= 5 * frame + 3.5 * frame


def test_a_picture_of_1024_is_encoded_in_a_gigabyte_and_a_half():
    network, pictures = real(temporal=False), torch.empty((1, 3, 1024, 1024), device="meta")
    assert planned_bytes(network, lambda: network.encode(pictures, strip_rows=32)) <= GOAL_BYTES
