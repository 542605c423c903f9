"""The values of the released U-Nets, at 512 x 512 on a card, keep within what was set for them."""

import json
from functools import cache
from pathlib import Path

import pytest
import torch

from engine.api import NUM_BASE_FRAMES
from engine.checkpoint.folder import ModelPart
from engine.checkpoint.networks import without_weights
from engine.config import ModelConfig
from engine.memory.device_kind import DeviceKind
from engine.memory.dry_run import dry_run
from engine.memory.plan import Variant
from engine.models.interpolation_unet import GroupConditions, InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet, VideoConditions
from engine.models.layers import TextContext

CONFIG = ModelConfig.from_json(
    json.loads((Path(__file__).parents[1] / "kandinsky_1_1" / "configs.json").read_text())
)
NUM_TOKENS = 128


@cache
def key_frame_unet():
    return without_weights(KeyFrameUNet, CONFIG.t2v).half()


@cache
def interpolation_unet():
    return without_weights(InterpolationUNet, CONFIG.interpolation).half()


def contexts(count):
    return TextContext(
        tokens=torch.empty(count, NUM_TOKENS, CONFIG.t2v.context_dim, device="meta"),
        mask=torch.empty(count, NUM_TOKENS, dtype=torch.bool, device="meta"),
        length=torch.empty(count, device="meta"),
    )


def numbers(*shape):
    return torch.empty(shape, device="meta")


def values_bytes(network, part, conditions, *, side):
    """Most bytes alive at once in one step of `conditions`, on a card."""
    x = numbers(len(conditions.layout.rows), network.in_layer.in_channels, side, side)
    step = conditions.at(0)
    trace = dry_run(
        lambda: network.denoise(x, step),
        network,
        kind=DeviceKind.GRAPHICS_CARD,
        name="step",
        part=part,
        variant=Variant(),
        repeats=1,
    )
    return trace.values_bytes


@torch.no_grad()
@pytest.mark.parametrize(("num_branches", "limit"), [(3, 1.3e9), (1, 0.45e9)])
def test_base_frames(num_branches, limit):
    unet = key_frame_unet()
    conditions = unet.conditions(
        numbers(1, 2),
        contexts(2),
        video=VideoConditions(
            num_frames=NUM_BASE_FRAMES, noise_augmentation=numbers(2), motion_score=numbers(2)
        ),
        branch_rows=torch.empty(num_branches, dtype=torch.long, device="meta"),
    )
    assert values_bytes(unet, ModelPart.T2V, conditions, side=64) <= limit


@torch.no_grad()
def test_the_key_frame_with_both_branches():
    unet = key_frame_unet()
    conditions = unet.conditions(numbers(1, 2), contexts(2), video=None)
    assert values_bytes(unet, ModelPart.T2V, conditions, side=128) <= 0.3e9


@torch.no_grad()
def test_one_branch_of_the_interpolation_to_177_frames():
    unet = interpolation_unet()
    groups = GroupConditions(
        num_groups=44,
        mask=numbers(1),
        perturbation_time=numbers(1),
        skip_frames=torch.empty(1, dtype=torch.long, device="meta"),
    )
    conditions = unet.conditions(numbers(1, 1), contexts(1), groups=groups)
    assert values_bytes(unet, ModelPart.INTERPOLATION, conditions, side=64) <= 1.75e9


@torch.no_grad()
def test_scales_and_shifts_of_a_step_of_the_base_frames_are_few():
    conditions = key_frame_unet().conditions(
        numbers(3, 2), contexts(2), video=VideoConditions(num_frames=NUM_BASE_FRAMES)
    )
    assert conditions.step_bytes < 22e6
    assert conditions.fixed_bytes < 40e6
