"""Dry runs of the stages: what they say is what the stages do."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from clip_cases import DEMO, SIZE, loader_of
from PIL import Image
from rehearsal.predicted_bytes import MOST_OVER, MOST_UNDER, most_alive

import engine.memory.clip_traces
import engine.memory.pass_tracer
from engine.api import FrameSize, Motion, Sampler, SamplingSettings
from engine.checkpoint.folder import ModelPart
from engine.denoisers import GuidedText, KeyFrameDenoiser
from engine.memory.clip_traces import ClipTracer, tracer_of
from engine.memory.device import Device
from engine.memory.device_kind import DeviceKind
from engine.memory.dry_run import dry_run
from engine.memory.meta_networks import MetaNetworks
from engine.memory.model_sizes import sizes_of
from engine.memory.plan import Variant
from engine.memory.ways import Ways
from engine.models.layers import TextContext
from engine.pipeline import Pipeline

STEPS = 7


@pytest.fixture(scope="module")
def sizes():
    return sizes_of(loader_of(DEMO))


@pytest.fixture(params=DeviceKind, ids=lambda kind: kind.name.lower())
def tracer(request, sizes, monkeypatch):
    monkeypatch.setattr(engine.memory.pass_tracer, "SMALL_MODEL_BYTES", 0)
    return ClipTracer(sizes, request.param)


# What a trace says


def meta_text(sizes):
    text = sizes.config.text
    context = TextContext(
        tokens=torch.empty(1, text.tokens_length, text.context_dim, device="meta"),
        mask=torch.ones(1, text.tokens_length, dtype=torch.bool, device="meta"),
        length=torch.ones(1, dtype=torch.long, device="meta"),
    )
    return GuidedText(prompt=context, without_prompt=context)


def test_conditions_of_many_steps_are_those_of_a_dry_run_with_all_of_them(sizes, monkeypatch):
    """Two dry runs with few steps tell what a long one would: every step adds the same."""
    monkeypatch.setattr(engine.memory.pass_tracer, "SMALL_MODEL_BYTES", 0)
    tracer = ClipTracer(sizes, DeviceKind.CPU)
    unet = MetaNetworks(sizes, DeviceKind.CPU).network(ModelPart.T2V)
    denoiser = KeyFrameDenoiser(unet, meta_text(sizes), range(STEPS))
    whole = dry_run(
        denoiser.prepare,
        unet,
        kind=DeviceKind.CPU,
        name="key frame conditions",
        part=ModelPart.T2V,
        variant=Variant(),
        repeats=1,
    )
    found = tracer.key_frame(SIZE, STEPS).conditions[0]
    assert found.order == whole.order
    assert found.unit_bytes == whole.unit_bytes
    assert found.flops == whole.flops
    assert found.values_bytes == pytest.approx(whole.values_bytes, rel=0.01)
    assert found.values_bytes >= 0.99 * whole.values_bytes


def test_branches_one_by_one_are_more_repeats_of_a_smaller_pass(tracer):
    loops = {
        tracer.key_frame(SIZE, STEPS): 2,
        tracer.base_frames(SIZE, STEPS): 3,
        tracer.interpolation(SIZE, STEPS, 12): 2,
    }
    for loop, branches in loops.items():
        together, alone = loop.steps
        assert (together.repeats, alone.repeats) == (STEPS, branches * STEPS)
        assert together.unit_bytes == alone.unit_bytes
        assert alone.values_bytes < together.values_bytes
        assert together.flops == pytest.approx(branches * alone.flops, rel=0.01)
        assert loop.conditions[0].repeats == 1
        assert loop.table_bytes > 0


def test_smaller_strips_take_less_memory_and_little_more_arithmetic(tracer):
    whole, *strips = tracer.decode(FrameSize(width=256, height=256), 5, 9)
    assert whole.repeats == 9
    assert strips
    for before, after in zip([whole, *strips], strips, strict=False):
        assert after.values_bytes < before.values_bytes
        assert after.flops <= 1.1 * before.flops


def test_strips_as_high_as_the_picture_are_no_way_of_their_own(tracer):
    assert [trace.variant.strip_rows for trace in tracer.encode(SIZE)] == [None, 32]


def test_a_card_holds_half_of_the_weights_and_the_workspace_of_its_libraries(sizes):
    card, cpu = (ClipTracer(sizes, kind) for kind in (DeviceKind.GRAPHICS_CARD, DeviceKind.CPU))
    small, large = (tracer.decode(SIZE, 4, 3)[0] for tracer in (card, cpu))
    assert large.weights_bytes == pytest.approx(2 * small.weights_bytes, rel=0.02)
    assert small.fixed_bytes > 32 * 2**20


def test_a_small_model_counts_all_its_networks_in_every_pass(sizes, monkeypatch):
    tracer = ClipTracer(sizes, DeviceKind.CPU)
    assert tracer.is_small
    everything = MetaNetworks(sizes, DeviceKind.CPU).all_bytes
    small = {name: tracer.key_frame(SIZE, STEPS).steps[0] for name in ("key frame",)}
    small["decode"] = tracer.decode(SIZE, 4, 3)[0]
    monkeypatch.setattr(engine.memory.pass_tracer, "SMALL_MODEL_BYTES", 0)
    alone = ClipTracer(sizes, DeviceKind.CPU)
    assert not alone.is_small
    own = {
        "key frame": alone.key_frame(SIZE, STEPS).steps[0],
        "decode": alone.decode(SIZE, 4, 3)[0],
    }
    for name, trace in small.items():
        assert trace.unit_bytes == own[name].unit_bytes
        assert trace.values_bytes == own[name].values_bytes
        assert trace.fixed_bytes + trace.weights_bytes >= everything > own[name].weights_bytes


def test_8_bit_ways_come_last_and_weigh_less(sizes, monkeypatch):
    monkeypatch.setattr(engine.memory.pass_tracer, "SMALL_MODEL_BYTES", 0)
    exact = ClipTracer(sizes, DeviceKind.GRAPHICS_CARD).base_frames(SIZE, STEPS).steps
    half = {unit: num_bytes // 2 for unit, num_bytes in exact[0].unit_bytes.items()}
    rounded = replace(sizes, eight_bit_bytes={ModelPart.T2V: half})
    ways = ClipTracer(rounded, DeviceKind.GRAPHICS_CARD).base_frames(SIZE, STEPS).steps
    assert [(way.variant.is_8bit, way.variant.branches_together) for way in ways] == [
        (False, True),
        (False, False),
        (True, True),
        (True, False),
    ]
    assert ways[2].weights_bytes == sum(half.values())
    assert ways[2].values_bytes >= ways[0].values_bytes


# When traces are made


def test_a_way_is_traced_when_somebody_looks_at_it_and_once(sizes, monkeypatch):
    traced = []

    def noting(*arguments, **options):
        traced.append(options["variant"].strip_rows)
        return dry_run(*arguments, **options)

    monkeypatch.setattr(engine.memory.pass_tracer, "dry_run", noting)
    tracer = ClipTracer(sizes, DeviceKind.CPU)
    ways = tracer.decode(SIZE, 4, 3)
    assert traced == []
    assert ways[0] is ways[0] is tracer.decode(SIZE, 4, 3)[0]
    assert traced == [None]
    assert len(list(ways)) == len(ways) == 2
    assert traced == [None, 32]


def test_ways_are_a_sequence(sizes):
    ways = ClipTracer(sizes, DeviceKind.CPU).decode(SIZE, 4, 3)
    assert isinstance(ways[1:], Ways)
    assert ways[1:][0] is ways[1]
    assert ways[0] in ways
    with pytest.raises(IndexError):
        ways[len(ways)]


def test_what_was_traced_is_kept_in_the_process(monkeypatch):
    monkeypatch.setattr(engine.memory.clip_traces, "_tracers", {})
    loader = loader_of(DEMO)
    first = tracer_of(loader, DeviceKind.CPU)
    assert tracer_of(loader, DeviceKind.CPU) is first
    assert tracer_of(loader, DeviceKind.GRAPHICS_CARD) is not first


# Predictions and what really is alive


class Stages:
    """The stages of a clip on the CPU, and what they are predicted to take but for weights."""

    def __init__(self, size, steps):
        loader = loader_of(DEMO)
        self.size = size
        self.sampling = SamplingSettings(
            sampler=Sampler.DPM_SOLVER, steps=steps, interpolation_steps=steps
        )
        self.pipeline = Pipeline(loader, Device.named("cpu"))
        self.tracer = tracer_of(loader, DeviceKind.CPU)
        self.weights = MetaNetworks(sizes_of(loader), DeviceKind.CPU).all_bytes
        self.prompts = self.pipeline.encode_prompts("a red circle moving to the right")
        self.picture = Image.new("RGB", (size.width, size.height), (200, 10, 20))

    @property
    def generator(self):
        return torch.Generator().manual_seed(1)

    def text(self):
        return self.pipeline.encode_prompts("a yellow triangle"), [self.tracer.text()]

    def key_frame(self):
        stage = self.pipeline.key_frame_stage(
            self.prompts,
            self.size,
            self.sampling,
            guidance_scale=2.0,
            generator=self.generator,
        )
        traces = self.tracer.key_frame(self.size, self.sampling.steps)
        return self.pipeline.run_loop(stage), [traces.conditions, traces.steps]

    def key_frame_decode(self):
        size = FrameSize(width=2 * self.size.width, height=2 * self.size.height)
        latents = torch.zeros(1, 4, size.height // 8, size.width // 8)
        return self.pipeline.decode_picture(latents), [self.tracer.decode_picture(size)]

    def picture_encode(self):
        return self.pipeline.encode_picture(self.picture), [self.tracer.encode(self.size)]

    def base_frames(self):
        stage = self.pipeline.base_frames_stage(
            self.prompts,
            torch.zeros(1, 4, self.size.height // 8, self.size.width // 8),
            self.sampling,
            prompt_scale=3.0,
            image_scale=2.0,
            motion=Motion.HIGH,
            noise_augmentation=20,
            generator=self.generator,
        )
        traces = self.tracer.base_frames(self.size, self.sampling.steps)
        return self.pipeline.run_loop(stage), [traces.conditions, traces.steps]

    def interpolation(self):
        stage = self.pipeline.interpolation_stage(
            self.prompts,
            torch.zeros(12, 4, self.size.height // 8, self.size.width // 8),
            self.sampling,
            pass_number=0,
            guidance_scale=0.5,
            generator=self.generator,
        )
        traces = self.tracer.interpolation(self.size, self.sampling.steps, 12)
        return self.pipeline.run_loop(stage), [traces.conditions, traces.steps]

    def decode(self):
        chunk = torch.zeros(4, 4, self.size.height // 8, self.size.width // 8)
        return self.pipeline.decode_chunk(chunk, 3), [self.tracer.decode(self.size, 4, 3)]


STAGES = (
    "text",
    "key_frame",
    "key_frame_decode",
    "picture_encode",
    "base_frames",
    "interpolation",
    "decode",
)


@pytest.mark.parametrize(
    ("width", "height", "steps"),
    [(64, 128, 2), (128, 128, 1), pytest.param(128, 64, 3, marks=pytest.mark.slow)],
)
def test_what_is_predicted_for_whole_stages_is_really_alive(
    width, height, steps, tmp_path, monkeypatch
):
    """Through the pipeline, with solvers and guidance and all that stays between the steps."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(engine.memory.clip_traces, "_tracers", {})
    stages = Stages(FrameSize(width=width, height=height), steps)
    outside = {}
    for name in STAGES:
        work = getattr(stages, name)
        _result, passes = work()  # the weights come, and stay
        predicted = max(
            ways[0].fixed_bytes + ways[0].weights_bytes + ways[0].values_bytes for ways in passes
        )
        live = most_alive(lambda work=work: work()[0])
        error = (predicted - stages.weights - live) / live
        if not -MOST_UNDER <= error <= MOST_OVER:
            outside[name] = f"{error:+.2%} of {live}"
    stages.pipeline.networks.close()
    assert not outside
