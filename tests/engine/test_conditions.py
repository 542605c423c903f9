"""What the U-Nets are told is computed before the loop, and gives what it gave within it."""

import copy

import pytest
import torch
from golden_networks import (
    CONFIG,
    interpolation_unet,
    key_frame_unet,
    null_embedding,
    text,
)
from torch.nn import functional as F

from engine.denoisers import (
    BaseFrameDenoiser,
    GuidedText,
    InterpolationDenoiser,
    KeyFrameDenoiser,
)
from engine.models.interpolation_unet import GroupConditions, InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet, VideoConditions
from engine.models.layers import ConditionalGroupNorm, ContextMLP
from engine.models.temporal import FrameAttentionBlock, TemporalResNetBlock

TIMES = [980, 700, 500, 300, 120, 20, 0]
NUM_FRAMES = 5
NUM_GROUPS = 3


def noise(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def guided_text(seed):
    unprompted = GuidedText.unprompted(text(0), null_embedding(seed))
    return GuidedText(prompt=text(0), without_prompt=unprompted)


def key_frames(times, unet=None, **options):
    return KeyFrameDenoiser(unet or key_frame_unet(), guided_text(105), times, **options)


def base_frames(times, unet=None, **options):
    return BaseFrameDenoiser(
        unet or key_frame_unet(),
        guided_text(105),
        noise(1, 4, 8, 8, seed=2),
        times,
        num_frames=NUM_FRAMES,
        motion_score=50,
        noise_augmentation=20,
        **options,
    )


def interpolation(times, unet=None, **options):
    frames = noise(NUM_GROUPS + 1, 4, 8, 8, seed=3)
    return InterpolationDenoiser(
        unet or interpolation_unet(), guided_text(106), frames, times, skip_frames=3, **options
    )


LATENTS = {
    key_frames: noise(1, 4, 8, 8),
    base_frames: noise(NUM_FRAMES, 4, 8, 8),
    interpolation: noise(NUM_GROUPS, 12, 8, 8),
}
NETWORKS = {
    key_frames: key_frame_unet,
    base_frames: key_frame_unet,
    interpolation: interpolation_unet,
}
every_denoiser = pytest.mark.parametrize(
    "denoiser_of", list(LATENTS), ids=lambda make: make.__name__
)


def prepared(denoiser, **options):
    with torch.no_grad():
        denoiser.prepare(**options)
    return denoiser


def predictions(denoiser, latents, time=300):
    with torch.no_grad():
        return denoiser(latents, time)


def relative_difference(actual, expected):
    return ((actual - expected).norm() / expected.norm()).item()


def norms_of(network):
    return [module for module in network.modules() if isinstance(module, ConditionalGroupNorm)]


def names_along_frames(unet):
    """What the names of the modules begin with that only the video path uses."""
    return tuple(
        f"{name}."
        for name, module in unet.named_modules()
        if isinstance(module, (TemporalResNetBlock, FrameAttentionBlock))
    )


def embeddings(unet, time, context):
    """Of one step of the video path, as the official code computes them within it: (1 E), (F E)."""

    def embed(layer, *numbers):
        return layer(torch.tensor([numbers], dtype=torch.float32))

    of_time = unet.feature_pooling(embed(unet.to_time_embed, time), context)
    of_frames = embed(unet.to_temporal_embed, *range(NUM_FRAMES))
    of_frames = of_frames + embed(unet.temporal_noise_aug_time_encoding, 20)
    of_frames = of_frames + embed(unet.temporal_motion_score_encoding, 50)
    return of_time[0], (of_time + of_frames)[0]


@torch.no_grad()
def test_the_table_of_all_steps_has_the_bits_of_every_step_alone():
    unet = key_frame_unet()
    context = text(0)
    conditions = unet.conditions(
        torch.tensor(TIMES, dtype=torch.float32)[:, None],
        context,
        video=VideoConditions(
            num_frames=NUM_FRAMES,
            noise_augmentation=torch.tensor([20.0]),
            motion_score=torch.tensor([50.0]),
        ),
    )
    for index, time in enumerate(TIMES):
        step = conditions.at(index)
        embed, frame_embeds = embeddings(unet, time, context)
        for norm in norms_of(unet):
            seen = frame_embeds if norm.sees_frames else embed
            linear = norm.context_mlp[1]
            direct = F.linear(F.silu(seen), linear.weight, linear.bias)
            table = step.modulations[norm.place]
            assert (table - direct).abs().max().item() == 0.0


@every_denoiser
def test_a_step_of_a_longer_loop_is_the_step_alone(denoiser_of):
    latents = LATENTS[denoiser_of]
    whole = prepared(denoiser_of(TIMES))
    for time in TIMES[::3]:
        alone = prepared(denoiser_of([time]))
        assert torch.equal(predictions(whole, latents, time), predictions(alone, latents, time))


def test_both_phases_in_one_call_give_what_the_loop_gives():
    denoiser = prepared(base_frames(TIMES))
    latents = LATENTS[base_frames]
    unet, context = key_frame_unet(), text(0)
    known = torch.zeros(NUM_FRAMES, 5, 8, 8)
    known[0, :4] = noise(1, 4, 8, 8, seed=2)
    known[0, 4] = 1
    video = VideoConditions(
        num_frames=NUM_FRAMES,
        noise_augmentation=torch.tensor([20]),
        motion_score=torch.tensor([50]),
    )
    x = torch.cat([latents, known], dim=1)
    direct = unet(x, torch.tensor([300.0]), context, video=video)
    assert relative_difference(predictions(denoiser, latents)[0], direct) < 1e-5


@every_denoiser
def test_branches_one_by_one_are_the_branches_together(denoiser_of):
    denoiser = prepared(denoiser_of(TIMES))
    latents = LATENTS[denoiser_of]
    together = predictions(denoiser, latents)
    denoiser.branches_together = False
    one_by_one = predictions(denoiser, latents)
    assert one_by_one.shape == together.shape == (denoiser.num_branches, *latents.shape)
    assert relative_difference(one_by_one, together) <= 1e-3
    assert (together[0] - together[1]).abs().max() > 1e-3  # and the branches are not all the same


@every_denoiser
def test_a_step_changes_neither_its_latents_nor_what_the_next_step_is_told(denoiser_of):
    denoiser = prepared(denoiser_of(TIMES))
    latents = LATENTS[denoiser_of].clone()
    first = predictions(denoiser, latents)
    predictions(denoiser, latents, 20)
    assert torch.equal(latents, LATENTS[denoiser_of])
    assert torch.equal(predictions(denoiser, latents), first)


@every_denoiser
def test_gradients_do_not_change_the_prediction(denoiser_of):
    # Without them results take the place of what is not needed any more.
    denoiser = prepared(denoiser_of(TIMES))
    latents = LATENTS[denoiser_of]
    assert torch.equal(denoiser(latents, 300), predictions(denoiser, latents))


def test_the_image_path_prepares_no_layer_that_sees_frames():
    unet = copy.deepcopy(key_frame_unet())
    called = []
    for name, module in unet.named_modules():
        module.register_forward_hook(lambda *_args, name=name: called.append(name))
    denoiser = prepared(key_frames(TIMES, unet))
    spatial = {norm.place for norm in norms_of(unet) if not norm.sees_frames}
    assert denoiser.conditions.table.places == spatial
    mlps = [name for name, module in unet.named_modules() if isinstance(module, ContextMLP)]
    assert 0 < len(set(called) & set(mlps)) == len(spatial) < len(mlps)
    predictions(denoiser, LATENTS[key_frames])
    along_frames = names_along_frames(unet)
    assert along_frames
    assert not [name for name in called if f"{name}.".startswith(along_frames)]


@every_denoiser
def test_the_loop_uses_no_weight_that_the_conditions_are_made_of(denoiser_of):
    unet = copy.deepcopy(NETWORKS[denoiser_of]())
    denoiser = prepared(denoiser_of(TIMES, unet))
    expected = predictions(denoiser, LATENTS[denoiser_of])
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if "context_mlp" in name or "embed." in name or "feature_pooling" in name:
                parameter.fill_(torch.nan)
        for block in unet.modules():
            if getattr(block, "place", None) is not None and hasattr(block, "attention"):
                block.attention.to_key.weight.fill_(torch.nan)
                block.attention.to_value.weight.fill_(torch.nan)
    assert torch.equal(predictions(denoiser, LATENTS[denoiser_of]), expected)


def test_equal_contexts_are_one_row():
    conditions = prepared(base_frames(TIMES)).conditions
    step = conditions.at(0)
    for norm in norms_of(key_frame_unet()):
        num_rows = 2 * NUM_FRAMES if norm.sees_frames else 2
        assert step.modulations[norm.place].shape == (num_rows, 2 * norm.norm.num_channels)
        assert step.modulation(norm).shape[0] == 3 * NUM_FRAMES
    assert all(len(states.key) == len(states.value) == 2 for states in conditions.prompts)
    rows = conditions.layout.frame_rows.tolist()
    assert rows == [*range(2 * NUM_FRAMES), *range(NUM_FRAMES, 2 * NUM_FRAMES)]


@every_denoiser
def test_bytes_of_the_conditions_are_those_of_their_tensors(denoiser_of):
    conditions = prepared(denoiser_of(TIMES)).conditions
    step = conditions.at(3)
    assert conditions.step_bytes == sum(values.nbytes for values in step.modulations.values())
    storages = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for tensor in (
            *(part for states in step.prompts for part in (states.key, states.value, states.mask)),
            conditions.layout.branch_rows,
            conditions.layout.rows,
            conditions.layout.frame_rows,
            conditions.layout.group_mask,
        )
        if tensor is not None
    }
    assert conditions.fixed_bytes == sum(storages.values())
    pointers = {values.untyped_storage().data_ptr() for values in step.modulations.values()}
    assert len(pointers) == 1  # so that one copy brings a step to another memory


@every_denoiser
def test_float16_is_close_to_float32(denoiser_of):
    half = copy.deepcopy(NETWORKS[denoiser_of]()).half()
    latents = LATENTS[denoiser_of]
    expected = predictions(prepared(denoiser_of(TIMES)), latents)
    denoiser = prepared(denoiser_of(TIMES, half))
    actual = predictions(denoiser, latents)
    assert actual.dtype == torch.float16
    tables = denoiser.conditions.at(0).modulations.values()
    assert {table.dtype for table in tables} == {torch.float16}
    # Most of it is the rounding of what blocks add up, which mixed precision has too.
    assert relative_difference(actual.float(), expected) < 1e-2


def test_pictures_and_conditions_must_be_as_many():
    step = prepared(key_frames(TIMES)).conditions.at(0)
    with pytest.raises(ValueError, match="3 pictures, and conditions for 2"):
        key_frame_unet().denoise(torch.zeros(3, 9, 8, 8), step)


def without_gradients(network, x, **conditions):
    """Weights that got none in a call with a time and a prompt for each of two clips."""
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    times = torch.tensor([100.0, 900.0])
    network(x, times, text(0, copies=2), **conditions).square().mean().backward()
    return {
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    }


def test_training_reaches_every_weight_of_the_video_path():
    told = torch.tensor([20, 50])
    video = VideoConditions(num_frames=2, noise_augmentation=told, motion_score=told)
    missed = without_gradients(KeyFrameUNet(CONFIG.t2v), noise(4, 9, 8, 8), video=video)
    assert missed == {"image_in_layer.weight", "image_in_layer.bias"}


def test_training_of_pictures_reaches_every_weight_but_those_of_the_video_path():
    network = KeyFrameUNet(CONFIG.t2v)
    of_video = ("in_layer.", "to_temporal_embed.", "temporal_", *names_along_frames(network))
    missed = without_gradients(network, noise(2, 9, 8, 8), video=None)
    assert missed == {name for name, _ in network.named_parameters() if name.startswith(of_video)}


def test_training_reaches_every_weight_of_the_interpolation():
    groups = GroupConditions(
        num_groups=NUM_GROUPS,
        mask=torch.ones(2),
        perturbation_time=torch.zeros(2),
        skip_frames=torch.full((2,), 3),
    )
    network = InterpolationUNet(CONFIG.interpolation)
    missed = without_gradients(network, noise(2 * NUM_GROUPS, 20, 8, 8), groups=groups)
    assert missed == set()


def test_gradients_are_those_of_finite_differences():
    network = KeyFrameUNet(CONFIG.t2v).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05, generator=torch.Generator().manual_seed(4))
    x, times, context = noise(1, 9, 4, 4).double(), torch.tensor([400.0]), text(0)

    def loss():
        return network(x, times, context, video=None).square().sum()

    weight = norms_of(network)[0].context_mlp[1].weight
    (gradient,) = torch.autograd.grad(loss(), weight)
    direction = gradient / gradient.norm()
    step = 1e-4
    with torch.no_grad():
        weight += step * direction
        above = loss()
        weight -= 2 * step * direction
        below = loss()
    assert abs((above - below) / (2 * step) / gradient.norm() - 1) < 1e-3
