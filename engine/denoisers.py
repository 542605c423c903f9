"""The three uses of the two U-Nets: a network and its conditions, ready for the denoising loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from einops import rearrange, repeat
from torch import Tensor

from engine.models.interpolation_unet import GroupConditions, InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet, VideoConditions
from engine.models.layers import TextContext

if TYPE_CHECKING:
    from collections.abc import Sequence

LATENT_CHANNELS = 4
FRAMES_BETWEEN = 3
"""Frames that interpolation puts between every two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidedText:
    """The prompt, and what takes its place in the branches that do not see it: one of each."""

    prompt: TextContext
    without_prompt: TextContext

    @staticmethod
    def unprompted(prompt: TextContext, null_embedding: Tensor) -> TextContext:
        """The learnt null embedding (C) as a context of one token, in the prompt's length."""
        tokens = torch.zeros_like(prompt.tokens)
        tokens[:, 0] = null_embedding.to(tokens.dtype)
        mask = torch.zeros_like(prompt.mask)
        mask[:, 0] = True
        # PARITY: pooling averages over as many tokens as the prompt has, although one is not zero.
        return TextContext(tokens=tokens, mask=mask, length=prompt.length)


def _in_branches(contexts: Sequence[TextContext], batch: int) -> TextContext:
    """Contexts of one prompt each, padded to the longest, each `batch` times: (branches batch)."""
    longest = max(context.tokens.shape[1] for context in contexts)

    def padded(tensor: Tensor) -> Tensor:
        missing = longest - tensor.shape[1]
        return torch.nn.functional.pad(tensor, (0, 0) * (tensor.ndim - 2) + (0, missing))

    return TextContext(
        tokens=torch.cat([padded(context.tokens) for context in contexts]),
        mask=torch.cat([padded(context.mask) for context in contexts]),
        length=torch.cat([context.length for context in contexts]),
    ).repeat(batch)


def _times(time: int, count: int, device: torch.device) -> Tensor:
    return torch.full((count,), float(time), device=device)


class KeyFrameDenoiser:
    """A picture from a prompt. Branches: with the prompt, without it."""

    def __init__(self, unet: KeyFrameUNet, text: GuidedText) -> None:
        self._unet = unet
        self._text = _in_branches((text.prompt, text.without_prompt), batch=1)

    def __call__(self, latents: Tensor, time: int) -> Tensor:
        """Latents (1 4 H W) to predicted noise (2 1 4 H W)."""
        # No picture is known: its latents and its mask are zero.
        known = latents.new_zeros((1, LATENT_CHANNELS + 1, *latents.shape[2:]))
        x = torch.cat([latents, known], dim=1).repeat(2, 1, 1, 1)
        noise = self._unet(x, _times(time, 2, x.device), self._text, video=None)
        return rearrange(noise, "(branch b) c h w -> branch b c h w", branch=2)


class BaseFrameDenoiser:
    """A clip from a prompt and its first frame.

    Branches: with prompt and picture, with the picture alone, with neither.
    """

    def __init__(
        self,
        unet: KeyFrameUNet,
        text: GuidedText,
        key_frame: Tensor,
        *,
        num_frames: int,
        motion_score: int,
        noise_augmentation: int,
    ) -> None:
        """`key_frame` (1 4 H W) has the noise of the time `noise_augmentation` on it already."""
        self._unet = unet
        self._num_frames = num_frames
        contexts = (text.prompt, text.without_prompt, text.without_prompt)
        self._text = _in_branches(contexts, batch=num_frames)
        _, channels, height, width = key_frame.shape
        known = key_frame.new_zeros((3, num_frames, channels + 1, height, width))
        known[:2, 0, :channels] = key_frame
        known[:2, 0, channels:] = 1
        self._known = rearrange(known, "branch f c h w -> (branch f) c h w")
        batch, device = 3 * num_frames, key_frame.device
        self._video = VideoConditions(
            num_frames=num_frames,
            position=repeat(torch.arange(num_frames, device=device), "f -> (3 f)").float(),
            noise_augmentation=torch.full((batch,), noise_augmentation, device=device),
            motion_score=torch.full((batch,), motion_score, device=device),
        )

    def __call__(self, latents: Tensor, time: int) -> Tensor:
        """Latents (F 4 H W) to predicted noise (3 F 4 H W)."""
        x = torch.cat([latents.repeat(3, 1, 1, 1), self._known], dim=1)
        times = _times(time, len(x), x.device)
        noise = self._unet(x, times, self._text, video=self._video)
        return rearrange(noise, "(branch f) c h w -> branch f c h w", branch=3)


class InterpolationDenoiser:
    """Three frames between every two of a clip. Branches: with the clip and prompt, without."""

    def __init__(
        self, unet: InterpolationUNet, text: GuidedText, frames: Tensor, *, skip_frames: int
    ) -> None:
        """`frames` (F 4 H W) are the clip's, so there are F - 1 groups between them."""
        self._unet = unet
        num_groups = len(frames) - 1
        contexts = (text.prompt, text.without_prompt)
        self._text = _in_branches(contexts, batch=num_groups)
        # Without the clip: both neighbours are zero and no group sees the next one.
        self._before = torch.cat([frames[:-1], torch.zeros_like(frames[:-1])])
        self._after = torch.cat([frames[1:], torch.zeros_like(frames[1:])])
        batch, device = 2 * num_groups, frames.device
        mask = torch.ones(batch, device=device)
        mask[num_groups:] = 0
        self._groups = GroupConditions(
            num_groups=num_groups,
            mask=mask,
            perturbation_time=torch.zeros(batch, device=device),
            skip_frames=torch.full((batch,), skip_frames, device=device),
        )

    def __call__(self, latents: Tensor, time: int) -> Tensor:
        """Latents (G 12 H W), three frames in the channels, to velocity (2 G 12 H W)."""
        x = torch.cat([self._before, latents.repeat(2, 1, 1, 1), self._after], dim=1)
        velocity = self._unet(x, _times(time, len(x), x.device), self._text, groups=self._groups)
        return rearrange(velocity, "(branch g) c h w -> branch g c h w", branch=2)


def between(frames: Tensor, groups: Tensor) -> Tensor:
    """Put `groups` (F-1 12 H W) between `frames` (F 4 H W): (4F-3 4 H W)."""
    inner = rearrange(groups, "g (t c) h w -> g t c h w", t=FRAMES_BETWEEN)
    with_first = torch.cat([rearrange(frames[:-1], "g c h w -> g 1 c h w"), inner], dim=1)
    return torch.cat([rearrange(with_first, "g t c h w -> (g t) c h w"), frames[-1:]])
