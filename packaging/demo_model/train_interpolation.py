"""Trains the interpolation U-Net: three frames between every two of a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusion_schedule import NUM_TIMES, add_noise, velocity
from einops import rearrange
from networks import MODEL_CONFIG
from text_and_unet import NullEmbedding, encode_prompts
from torch import Tensor, nn
from training import Plan, train
from wordings import random_wording

from engine.models.interpolation_unet import GroupConditions, InterpolationUNet

if TYPE_CHECKING:
    from pathlib import Path

    from dataset import Encoded

    from engine.models.text_encoder import TextEncoder

_CLIPS_AT_ONCE = 3
_FRAMES_BETWEEN = 3
_ALL_DROPPED = 0.1
_FINE_PART = 0.25
_SKIP_OF_SMOOTH, _SKIP_OF_FINE = 3, 1
_NEIGHBOUR_NOISE = 0.03
"""The two known frames are drawn by a network when it counts, and so a little wrong."""


class Interpolation(nn.Module):
    """The network and the null embedding that belongs to it."""

    def __init__(self) -> None:
        super().__init__()
        self.unet = InterpolationUNet(MODEL_CONFIG.interpolation)
        self.null = NullEmbedding(MODEL_CONFIG.interpolation.context_dim)

    def loss(
        self, encoded: Encoded, skip_frames: int, encoder: TextEncoder, generator: torch.Generator
    ) -> Tensor:
        """Squared error of the velocity, on random clips of `encoded`."""
        rng = np.random.default_rng(generator.initial_seed())
        chosen = rng.integers(len(encoded.scenes), size=_CLIPS_AT_ONCE)
        latents = encoded.latents[torch.from_numpy(chosen)].float()
        gap = _FRAMES_BETWEEN + 1
        known = latents[:, ::gap]
        known = known + _NEIGHBOUR_NOISE * torch.randn(known.shape, generator=generator)
        num_groups = known.shape[1] - 1
        between = torch.stack([latents[:, 1 + i :: gap] for i in range(_FRAMES_BETWEEN)], dim=2)
        clean = rearrange(between, "b g t c h w -> (b g) (t c) h w")
        dropped = torch.rand(_CLIPS_AT_ONCE, generator=generator) < _ALL_DROPPED
        known = torch.where(dropped[:, None, None, None, None], torch.zeros(()), known)
        before, after = (
            rearrange(part, "b g c h w -> (b g) c h w") for part in (known[:, :-1], known[:, 1:])
        )
        times = torch.randint(0, NUM_TIMES, (_CLIPS_AT_ONCE,), generator=generator)
        group_times = times.repeat_interleave(num_groups)
        noise = torch.randn(clean.shape, generator=generator)
        x = torch.cat([before, add_noise(clean, noise, group_times), after], dim=1)
        prompts = [random_wording(encoded.scenes[index].kind, rng) for index in chosen]
        with torch.no_grad():
            text = encode_prompts(encoder, prompts)
        groups = GroupConditions(
            num_groups=num_groups,
            mask=(~dropped).float(),
            perturbation_time=torch.zeros(_CLIPS_AT_ONCE),
            skip_frames=torch.full((_CLIPS_AT_ONCE,), skip_frames),
        )
        predicted = self.unet(x, times.float(), self.null(text, dropped), groups=groups)
        return (predicted - velocity(clean, noise, group_times)).square().mean()


def train_interpolation(
    work: Path, smooth: Encoded, fine: Encoded, encoder: TextEncoder, *, steps: int
) -> Interpolation:
    """Train on clips of 45 frames, and on quarters of clips of 177."""
    torch.manual_seed(5)
    model = Interpolation()

    def loss(_step: int, generator: torch.Generator) -> dict[str, Tensor]:
        is_fine = bool(torch.rand((), generator=generator) < _FINE_PART)
        encoded, skip = (fine, _SKIP_OF_FINE) if is_fine else (smooth, _SKIP_OF_SMOOTH)
        return {"velocity": model.loss(encoded, skip, encoder, generator)}

    train(model, loss, Plan(name="interpolation", steps=steps, rate=1.2e-3, seed=6), work)
    return model
