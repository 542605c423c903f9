"""Whole clips: the same frames in whatever memory there is, and whatever goes wrong with it."""

from __future__ import annotations

import gc
import random
import threading
from shutil import copytree

import numpy as np
import pytest
import torch
from clip_cases import (
    MEMORY_BYTES,
    SIZE,
    CountingCard,
    Maker,
    Needs,
    loader_of,
    request_for,
)
from PIL import Image

import engine.memory.clip_traces
import engine.memory.ladder
import engine.memory.pass_tracer
from engine.api import (
    Fps,
    FrameSize,
    MemoryChangeKind,
    MemoryEffect,
    Stage,
    StageStarted,
    StepDone,
)
from engine.checkpoint.folder import ModelPart
from engine.checkpoint.networks import expected_shapes
from engine.checkpoint.prepare import prepare_model
from engine.errors import EightBitWouldFit, OutOfMemory
from engine.memory.clip_traces import ClipTracer
from engine.memory.device_kind import DeviceKind
from engine.memory.model_sizes import sizes_of
from engine.memory.networks_in_use import NetworkAtWork, NetworksInUse
from engine.memory.simulated_card import SimulatedBrokenDevice
from engine.memory.simulated_device import SimulatedDevice
from engine.memory.units import units_of

OUT_OF_MEMORY = "CUDA out of memory. Tried to allocate 20.00 MiB."
LOW, MEDIUM = request_for(), request_for(Fps.MEDIUM)
PICTURE = Image.new("RGB", (SIZE.width, SIZE.height), (200, 30, 60))


@pytest.fixture(autouse=True, scope="module")
def _as_if_it_were_large(tmp_path_factory):
    """The demo model is small enough to stay on any device, and budgets are coarse beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.memory.pass_tracer, "SMALL_MODEL_BYTES", 0)
        patch.setattr(engine.memory.clip_traces, "_tracers", {})
        patch.setattr(engine.memory.ladder, "_GRAIN_BYTES", 1)
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        gc.freeze()  # what others left would be looked through after every failure
        yield
        gc.unfreeze()


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "feeding weights"]


@pytest.fixture(scope="module")
def needs():
    return Needs(LOW)


@pytest.fixture(scope="module")
def expected(_as_if_it_were_large):
    maker = Maker()
    made = maker.make(LOW)
    assert len(made.frames) == 12
    assert not made.adaptations
    assert maker.card.allocated_bytes == 0
    return made, maker.card


def assert_same(made, expected):
    assert made.latents.keys() == expected.latents.keys()
    for step, latents in expected.latents.items():
        assert torch.equal(made.latents[step], latents), step
    assert len(made.frames) == len(expected.frames)
    for frame, other in zip(made.frames, expected.frames, strict=True):
        assert frame.tobytes() == other.tobytes()


def difference(frames, others):
    """Mean difference of the levels (0 to 255) of all pixels."""
    pairs = zip(frames, others, strict=True)
    return np.mean([np.abs(np.int32(frame) - np.int32(other)).mean() for frame, other in pairs])


def squeezed(maker, needs, share):
    """Leaves to every stage that begins what it needs and a share of what else it could use."""

    def on_event(event):
        if isinstance(event, StageStarted):
            maker.leave(needs.of(event.stage, share))

    return on_event


# What there is


@pytest.mark.parametrize(("share", "times_copied"), [(0.0, 1.8), (0.35, 1.3)])
def test_frames_are_the_same_in_any_memory(share, times_copied, needs, expected):
    plenty, card = expected
    maker = Maker()
    made = maker.make(LOW, on_event=squeezed(maker, needs, share))
    assert_same(made, plenty)
    assert not made.adaptations
    assert maker.card.copied_bytes > times_copied * card.copied_bytes
    assert maker.card.peak_bytes < card.peak_bytes * (0.35 + share)
    assert maker.card.allocated_bytes == 0


def test_a_limit_is_kept_and_changes_no_bit(needs, expected):
    plenty, card = expected
    maker = Maker()
    limit = max(needs.of(stage, 0.0) for stage in Stage if stage in needs.passes)
    maker.pipeline.networks.limit_bytes = limit
    assert_same(maker.make(LOW), plenty)
    assert maker.card.peak_bytes < limit < card.peak_bytes + needs.least(Stage.DECODE)
    assert maker.card.copied_bytes > card.copied_bytes


def test_the_next_network_is_read_while_the_one_before_still_works(monkeypatch):
    begun = []
    attempt = NetworkAtWork.attempt

    def noting(network, step):
        if network not in [known for known, _ in begun]:
            begun.append((network, network._residency is not None))
        return attempt(network, step)

    monkeypatch.setattr(NetworkAtWork, "attempt", noting)
    Maker().make(MEDIUM)
    # Of every network, the pass that it begins with. Two passes of one network share its places.
    assert [(network.variants[0].name, is_ahead) for network, is_ahead in begun] == [
        ("text", False),
        ("key frame conditions", True),
        ("key frame", False),
        ("key frame decode", True),
        ("picture encode", False),
        ("base frames conditions", True),
        ("base frames", False),
        ("interpolation conditions", True),
        ("interpolation", False),
        ("decode", True),
    ]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        (Stage.TEXT, None),
        (Stage.BASE_FRAMES, "base frames conditions"),
        (Stage.INTERPOLATION, "interpolation conditions"),
    ],
)
def test_nothing_is_read_for_a_stage_that_nobody_wants(until, last, monkeypatch):
    read = [None]
    monkeypatch.setattr(NetworksInUse, "read_ahead", lambda _, ways: read.append(ways[0].name))
    Maker().make(MEDIUM, until=until)
    assert read[-1] == last


def test_frames_between_frames_are_the_same_in_little_memory():
    makers = Maker(), Maker()
    plenty = makers[0].make(MEDIUM, picture=PICTURE, until=Stage.INTERPOLATION)
    made = makers[1].make(
        MEDIUM,
        picture=PICTURE,
        until=Stage.INTERPOLATION,
        on_event=squeezed(makers[1], Needs(MEDIUM), 0.0),
    )
    assert (Stage.INTERPOLATION, 2) in made.latents
    assert_same(made, plenty)


def test_the_very_least_gives_nearly_the_same_frames(needs, expected):
    """Branches one by one and strips are other orders of the same sums."""
    plenty, _ = expected
    maker = Maker()

    def on_event(event):
        if isinstance(event, StageStarted):
            maker.leave(needs.least(event.stage))

    made = maker.make(LOW, on_event=on_event)
    assert difference(made.frames, plenty.frames) < 0.5


def test_less_than_the_least_is_told_with_what_is_needed(needs):
    maker = Maker()
    maker.leave(needs.least(Stage.KEY_FRAME) - 512)
    with pytest.raises(OutOfMemory, match="are needed at least"):
        maker.make(LOW)
    assert maker.card.allocated_bytes == 0


def test_a_card_in_its_own_types_gives_the_same_latents_in_any_memory():
    request = request_for(Fps.MEDIUM, FrameSize(width=32, height=32))
    needs = Needs(request, DeviceKind.GRAPHICS_CARD)
    makers = [Maker(SimulatedDevice.of(CountingCard())) for _ in range(2)]
    picture = PICTURE.resize((32, 32))
    plenty = makers[0].make(request, picture=picture, until=Stage.INTERPOLATION)
    made = makers[1].make(
        request,
        picture=picture,
        until=Stage.INTERPOLATION,
        on_event=squeezed(makers[1], needs, 0.0),
    )
    assert_same(made, plenty)
    assert makers[1].card.copied_bytes > 1.2 * makers[0].card.copied_bytes


# What others take


def test_other_programs_that_take_and_give_memory_change_no_bit(needs, expected):
    plenty, _ = expected
    maker, rng = Maker(), random.Random(7)
    stage = Stage.TEXT

    def on_event(event):
        nonlocal stage
        if isinstance(event, StageStarted):
            stage = event.stage
            maker.leave(needs.of(stage, 1.0))
        elif isinstance(event, StepDone):
            maker.leave(needs.of(stage, rng.choice([0.0, 0.1, 0.5, 1.0])))

    made = maker.make(LOW, on_event=on_event)
    assert_same(made, plenty)
    assert len(made.adaptations) >= 2
    for told in made.adaptations:
        assert told.effect is MemoryEffect.EXACT
        assert told.change in (MemoryChangeKind.RESIDENTS, MemoryChangeKind.RING)


def test_allocations_that_fail_change_no_bit(expected):
    """In every stage another one: of the fixed weights, of a unit that stays, of a later one."""
    plenty, _ = expected
    maker = Maker()
    ordered = []

    def on_event(event):
        if isinstance(event, StageStarted):
            ordered.append(maker.card.num_allocations + len(ordered))
            maker.card.fail_allocations(ordered[-1:])

    made = maker.make(LOW, on_event=on_event)
    assert_same(made, plenty)
    assert len(made.adaptations) == len(ordered) == 4
    assert {told.effect for told in made.adaptations} == {MemoryEffect.EXACT}
    assert maker.card.allocated_bytes == 0


# What fails in the middle of the work


class Saboteur:
    """Stands before the last unit of a network, and lets some of its calls fail."""

    def __init__(self, maker, needs, part, numbers, message=OUT_OF_MEMORY):
        self.num_calls = 0
        self.error = RuntimeError(message)
        self._numbers = numbers
        every_pass = [ways[0] for passes in needs.passes.values() for ways in passes]
        *_, own = (trace for trace in every_pass if trace.part is part)
        network = maker.pipeline.networks.network(part)
        units_of(network)[own.order[-1]].register_forward_pre_hook(self._called)

    def _called(self, *_):
        self.num_calls += 1
        if self.num_calls in self._numbers:
            raise self.error


@pytest.mark.parametrize(
    ("part", "failing", "num_calls"),
    [
        # The last of a network's units works in every step, and not before the first.
        (ModelPart.T2V, {2, 4, 5}, 2 + 2),
        (ModelPart.VIDEO_MOVQ, {1}, 3),
        (ModelPart.IMAGE_MOVQ, {1}, 1),
    ],
)
def test_a_step_that_ran_out_of_memory_is_repeated_alone(part, failing, num_calls, needs, expected):
    plenty, _ = expected
    maker = Maker()
    saboteur = Saboteur(maker, needs, part, failing)
    made = maker.make(LOW)
    assert_same(made, plenty)
    assert saboteur.num_calls == num_calls + len(failing)
    assert len(made.adaptations) == len(failing)
    assert {told.effect for told in made.adaptations} == {MemoryEffect.EXACT}
    assert maker.card.allocated_bytes == 0


def test_a_step_that_never_finds_memory_ends_with_a_typed_error(needs):
    maker = Maker()
    saboteur = Saboteur(maker, needs, ModelPart.TEXT_ENCODER, range(100))
    with pytest.raises(OutOfMemory) as caught:
        maker.make(LOW)
    assert caught.value.detail == OUT_OF_MEMORY
    assert 2 <= saboteur.num_calls < 20
    assert maker.card.allocated_bytes == 0


@pytest.mark.parametrize("where", [ModelPart.T2V, ModelPart.VIDEO_MOVQ])
def test_a_broken_device_is_not_asked_again(where, needs):
    maker = Maker()
    message = "CUDA error: an illegal memory access was encountered"
    saboteur = Saboteur(maker, needs, where, {2}, message)
    with pytest.raises(RuntimeError) as caught:
        maker.make(LOW)
    assert caught.value is saboteur.error
    assert saboteur.num_calls == 2
    assert maker.card.allocated_bytes == 0


def test_a_context_that_breaks_between_stages_is_told_as_it_is():
    maker = Maker()

    def on_event(event):
        if isinstance(event, StepDone) and event.stage is Stage.TEXT:
            maker.card.break_context()

    with pytest.raises(SimulatedBrokenDevice):
        maker.make(LOW, on_event=on_event)


# 8-bit weights


@pytest.fixture(scope="module")
def eight_bit_folder(official_folder, prepared_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("8bit") / "toy"
    copytree(prepared_folder, folder)
    prepare_model(
        official_folder,
        folder,
        expected=expected_shapes,
        on_progress=lambda _: None,
        is_cancelled=lambda: False,
        eight_bit=True,
    )
    return folder


def test_8_bit_weights_are_offered_and_used_only_where_allowed(eight_bit_folder):
    tracer = ClipTracer(sizes_of(loader_of(eight_bit_folder)), DeviceKind.CPU)
    least, least_8bit = (
        min(way.least_bytes for way in ways if way.variant.is_8bit is is_8bit)
        for ways in [tracer.base_frames(SIZE, 1).steps]
        for is_8bit in (False, True)
    )
    between = (least_8bit + least) // 2
    assert least_8bit < between < least

    def latents(num_bytes, *, allow_8bit):
        """Of the last step, with so many bytes for the base frames."""
        maker = Maker(folder=eight_bit_folder)

        def on_event(event):
            if event == StageStarted(stage=Stage.BASE_FRAMES, num_steps=1):
                maker.leave(num_bytes)

        try:
            made = maker.make(
                request_for(steps=1),
                picture=PICTURE,
                on_event=on_event,
                until=Stage.BASE_FRAMES,
                allow_8bit=allow_8bit,
            )
        finally:
            assert maker.card.allocated_bytes == 0
        return made.latents[Stage.BASE_FRAMES, 1]

    plenty = MEMORY_BYTES // 2
    exact = latents(plenty, allow_8bit=False)
    assert torch.equal(latents(plenty, allow_8bit=True), exact)
    with pytest.raises(EightBitWouldFit):
        latents(between, allow_8bit=False)
    rounded = latents(between, allow_8bit=True)
    assert 1e-4 < (rounded - exact).norm() / exact.norm() < 0.2


# A model that stays


def test_a_small_model_stays_on_the_device_from_clip_to_clip(monkeypatch, expected):
    plenty, _ = expected
    monkeypatch.setattr(engine.memory.pass_tracer, "SMALL_MODEL_BYTES", 1 << 30)
    monkeypatch.setattr(engine.memory.clip_traces, "_tracers", {})
    maker = Maker()
    assert_same(maker.make(LOW), plenty)
    copied, held = maker.card.copied_bytes, maker.card.allocated_bytes
    assert held > 0
    assert_same(maker.make(LOW), plenty)
    assert (maker.card.copied_bytes, maker.card.allocated_bytes) == (copied, held)
    maker.pipeline.networks.close()
    assert maker.card.allocated_bytes == 0
