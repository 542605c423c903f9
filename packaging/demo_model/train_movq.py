"""Trains the MoVQ: pictures to latents within [-1, 1] and back, then its temporal decoder."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from networks import MODEL_CONFIG
from shapes import Shape
from torch import Tensor, nn
from torch.func import functional_call
from training import Plan, train
from world import (
    CLIP_PIXELS,
    DISTANCES,
    KEY_FRAME_PIXELS,
    NUM_SMOOTH_FRAMES,
    all_kinds,
    paint,
    random_scene,
)

from engine.models.movq import MoVQ
from engine.models.movq_layers import MoVQResNetBlock

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = [kind for kind in all_kinds() if not kind.is_held_out]
_LATENT_LIMIT = 0.93
_LATENT_NOISE = 0.04
"""Noise on the latents that the decoder is trained with: what it will be given is drawn by a
network and never exact."""
_CHUNK_FRAMES = (4, 5)


def train_movq(work: Path, *, steps: int) -> MoVQ:
    """Train encoder and decoder."""
    torch.manual_seed(1)
    movq = MoVQ(MODEL_CONFIG.image_movq)
    train(movq, _picture_loss(movq), Plan(name="movq", steps=steps, rate=1.2e-3, seed=1), work)
    return movq


def train_temporal_movq(work: Path, image_movq: MoVQ, *, picture_steps: int, steps: int) -> MoVQ:
    """Train the decoder that looks over a chunk's frames.

    It is narrower than the image decoder, so it first learns to decode single pictures, beginning
    with the layers that are alike. Its encoder is not trained: nothing uses it.
    """
    torch.manual_seed(2)
    flat = MoVQ(dataclasses.replace(MODEL_CONFIG.video_movq, temporal=False))
    _load_what_fits(flat, image_movq)
    _attend_alone(flat)

    def picture_loss(_step: int, generator: torch.Generator) -> dict[str, Tensor]:
        pictures = random_pictures(_numpy_generator(generator), count=8, pixels=CLIP_PIXELS)
        latents = _noisy_latents(image_movq, pictures, generator)
        with _autocast():
            drawn = flat.decode(latents)
        return _difference(drawn.float(), pictures)

    plan = Plan(name="movq_narrow", steps=picture_steps, rate=1.2e-3, seed=2)
    train(flat, picture_loss, plan, work, parameters=_decoder_parameters(flat))

    movq = MoVQ(MODEL_CONFIG.video_movq)
    movq.load_state_dict(flat.state_dict(), strict=False)
    _start_as_image_decoder(movq)

    def chunk_loss(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        frames = _random_chunk(_numpy_generator(generator), _CHUNK_FRAMES[step % 2])
        latents = _noisy_latents(image_movq, frames, generator)
        with _autocast():
            drawn = _decode_chunk(movq, latents)
        return _difference(drawn.float(), frames)

    plan = Plan(name="movq_temporal", steps=steps, rate=6e-4, seed=3)
    train(movq, chunk_loss, plan, work, parameters=_decoder_parameters(movq))
    return movq


def _load_what_fits(movq: MoVQ, source: MoVQ) -> None:
    """Take over the weights of `source` that have the same shape."""
    own = movq.state_dict()
    fitting = {
        key: value
        for key, value in source.state_dict().items()
        if key in own and own[key].shape == value.shape
    }
    movq.load_state_dict(fitting, strict=False)


def _decoder_parameters(movq: MoVQ) -> list[nn.Parameter]:
    return [*movq.post_quant_conv.parameters(), *movq.decoder.parameters()]


@torch.no_grad()
def _noisy_latents(movq: MoVQ, pictures: Tensor, generator: torch.Generator) -> Tensor:
    with _autocast():
        latents = movq.encode(pictures).float()
    return latents + _LATENT_NOISE * torch.randn(latents.shape, generator=generator)


def _decode_chunk(movq: MoVQ, latents: Tensor) -> Tensor:
    """As `movq.decode`, with the gates in the type that autocast gives what they weigh."""
    gates = {
        name: parameter.bfloat16()
        for name, parameter in movq.decoder.named_parameters()
        if "temporal_merge" in name
    }
    return functional_call(movq.decoder, gates, (movq.post_quant_conv(latents), latents))


@torch.no_grad()
def _start_as_image_decoder(movq: MoVQ) -> None:
    """Let the new layers change nothing at first.

    The convolutions over frames begin as the identity with their gates half open: with the
    convolution at zero and the gate closed, neither would get a gradient from the other.
    """
    attention = movq.decoder.mid.temporal_attn_1
    torch.nn.init.zeros_(attention.proj_out.weight)
    torch.nn.init.zeros_(attention.proj_out.bias)
    for module in movq.decoder.modules():
        if isinstance(module, MoVQResNetBlock):
            for convolution in (module.temporal_projection1, module.temporal_projection2):
                torch.nn.init.dirac_(convolution.weight)
            module.temporal_merge1.fill_(0.5)
            module.temporal_merge2.fill_(0.5)


def _picture_loss(movq: MoVQ):  # noqa: ANN202 - a closure for `train`
    _attend_alone(movq)

    def loss(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        rng = _numpy_generator(generator)
        large = step % 4 == 0
        pixels = KEY_FRAME_PIXELS if large else CLIP_PIXELS
        pictures = random_pictures(rng, count=2 if large else 8, pixels=pixels)
        with _autocast():
            latents = movq.encode(pictures).float()
            noise = torch.randn(latents.shape, generator=generator)
            drawn = movq.decode(latents + _LATENT_NOISE * noise)
        beyond = F.relu(latents.abs() - _LATENT_LIMIT).square().mean()
        return {**_difference(drawn.float(), pictures), "beyond": 30 * beyond}

    return loss


def _attend_alone(movq: MoVQ) -> None:
    """Let every picture of a batch be normalised with its own latents, as it is when alone."""
    attention = movq.decoder.mid.attn_1

    def forward(x: Tensor, latents: Tensor | None = None) -> Tensor:
        return x + attention._attend(attention.norm(x, latents), "f c h w -> f 1 (h w) c")

    attention.forward = forward


def _difference(drawn: Tensor, wanted: Tensor) -> dict[str, Tensor]:
    return {"square": F.mse_loss(drawn, wanted), "absolute": 0.1 * F.l1_loss(drawn, wanted)}


def _autocast() -> torch.autocast:
    return torch.autocast("cpu", dtype=torch.bfloat16)


def _numpy_generator(generator: torch.Generator) -> np.random.Generator:
    return np.random.default_rng(generator.initial_seed())


def random_pictures(rng: np.random.Generator, *, count: int, pixels: int) -> Tensor:
    """Frames of the world (five of six) and of one with any colours: (B 3 H W) in [-1, 1]."""
    pictures = []
    for _ in range(count):
        kind = _KINDS[rng.integers(len(_KINDS))]
        if rng.random() < 1 / 6:
            state = np.array([[*rng.uniform(0.2, 0.8, 2), rng.uniform(0.08, 0.3)]], np.float32)
            colour, background = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
            shape = list(Shape)[rng.integers(len(Shape))]
            frame = paint(state, shape=shape, colour=colour, background=background, pixels=pixels)
        else:
            scene = random_scene(kind, rng, score=list(DISTANCES)[rng.integers(len(DISTANCES))])
            frame = scene.render_at([float(rng.random())], pixels=pixels)
        pictures.append(frame)
    return _to_tensor(np.concatenate(pictures))


def _random_chunk(rng: np.random.Generator, num_frames: int) -> Tensor:
    """Neighbouring frames of a clip, of 12 or of 45: (F 3 H W) in [-1, 1]."""
    kind = _KINDS[rng.integers(len(_KINDS))]
    scene = random_scene(kind, rng, score=list(DISTANCES)[rng.integers(len(DISTANCES))])
    gap = 4 if num_frames == _CHUNK_FRAMES[0] else 1
    last = NUM_SMOOTH_FRAMES - 1
    first = rng.integers(last - gap * (num_frames - 1) + 1)
    moments = [(first + gap * index) / last for index in range(num_frames)]
    return _to_tensor(scene.render_at(moments, pixels=CLIP_PIXELS))


def _to_tensor(frames: np.ndarray) -> Tensor:
    return torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous() * 2 - 1
