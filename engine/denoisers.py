"""The three uses of the two U-Nets: a network and its conditions, ready for the denoising loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import torch
from einops import rearrange, repeat
from torch import Tensor

from engine.models.interpolation_unet import GroupConditions
from engine.models.key_frame_unet import VideoConditions
from engine.models.layers import TextContext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.models.conditions import LoopConditions
    from engine.models.interpolation_unet import InterpolationUNet
    from engine.models.key_frame_unet import KeyFrameUNet
    from engine.models.unet import UNet

UNetT = TypeVar("UNetT", bound="UNet")

LATENT_CHANNELS = 4
FRAMES_BETWEEN = 3
"""Frames that interpolation puts between every two."""
_DECODE_CHUNK = 4


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


def _in_rows(contexts: Sequence[TextContext]) -> TextContext:
    """Contexts of one prompt each, padded to the longest: (R N C)."""
    longest = max(context.tokens.shape[1] for context in contexts)

    def padded(tensor: Tensor) -> Tensor:
        missing = longest - tensor.shape[1]
        return torch.nn.functional.pad(tensor, (0, 0) * (tensor.ndim - 2) + (0, missing))

    return TextContext(
        tokens=torch.cat([padded(context.tokens) for context in contexts]),
        mask=torch.cat([padded(context.mask) for context in contexts]),
        length=torch.cat([context.length for context in contexts]),
    )


class UNetDenoiser(ABC, Generic[UNetT]):
    """A U-Net in the denoising loop: `prepare` once, then a call for every step.

    Attributes:
        num_branches: guidance branches.
        branches_together: whether all branches go through the network at once; otherwise one
            after the other, in less memory. May be changed between steps.
    """

    num_branches: ClassVar[int]

    def __init__(
        self,
        unet: UNetT,
        text: GuidedText,
        timesteps: Sequence[int],
        *,
        branches_together: bool = True,
    ) -> None:
        """`timesteps` are the diffusion times that it will be asked for."""
        self.branches_together = branches_together
        self._unet = unet
        # All prompts that there are, once each; a branch without the prompt may come twice.
        self._text = _in_rows((text.prompt, text.without_prompt))
        # Multistep solvers may visit a time twice.
        self._index = {time: index for index, time in enumerate(dict.fromkeys(timesteps))}
        self._conditions: LoopConditions | None = None

    @property
    def conditions(self) -> LoopConditions:
        """What `prepare` computed."""
        assert self._conditions is not None, "prepare() comes before the first step"
        return self._conditions

    def prepare(self, table_device: torch.device | None = None) -> None:
        """Compute what the steps have in common, and what they need that no latents are in.

        Args:
            table_device: where the scales and shifts of all steps are kept; None: with the network.
        """
        times = torch.tensor(list(self._index), dtype=torch.float32, device=self._device)
        num_rows = len(self._text.tokens)
        self._conditions = self._prepared(repeat(times, "s -> s r", r=num_rows), table_device)

    def __call__(self, latents: Tensor, time: int) -> Tensor:
        """Latents (B C H W) to predictions (branches B C H W) in the type of the network."""
        if self.branches_together:
            step = self.conditions.at(self._index[time])
            inputs = [self._input(latents, branch) for branch in range(self.num_branches)]
            out = self._unet.denoise(torch.cat(inputs), step)
            return rearrange(out, "(branch b) c h w -> branch b c h w", branch=self.num_branches)
        return torch.stack(
            [self.branch(latents, time, branch) for branch in range(self.num_branches)]
        )

    def branch(self, latents: Tensor, time: int, branch: int) -> Tensor:
        """The prediction (B C H W) of one branch alone."""
        step = self.conditions.at(self._index[time])
        return self._unet.denoise(self._input(latents, branch), step.branch(branch))

    @property
    def _device(self) -> torch.device:
        return self._text.tokens.device

    def _full(self, value: float) -> Tensor:
        """(R) the same number for every context."""
        return torch.full((len(self._text.tokens),), value, device=self._device)

    @abstractmethod
    def _prepared(self, times: Tensor, table_device: torch.device | None) -> LoopConditions:
        """Conditions for `times` (S R)."""

    @abstractmethod
    def _input(self, latents: Tensor, branch: int) -> Tensor:
        """What the network is given in a branch: (B num_channels H W)."""


class KeyFrameDenoiser(UNetDenoiser["KeyFrameUNet"]):
    """A picture from a prompt. Branches: with the prompt, without it.

    Called with latents (1 4 H W) it predicts the noise (2 1 4 H W).
    """

    num_branches = 2

    def _prepared(self, times: Tensor, table_device: torch.device | None) -> LoopConditions:
        return self._unet.conditions(times, self._text, video=None, table_device=table_device)

    def _input(self, latents: Tensor, branch: int) -> Tensor:  # noqa: ARG002 - all are the same
        # No picture is known: its latents and its mask are zero.
        known = latents.new_zeros((1, LATENT_CHANNELS + 1, *latents.shape[2:]))
        return torch.cat([latents, known], dim=1)


class BaseFrameDenoiser(UNetDenoiser["KeyFrameUNet"]):
    """A clip from a prompt and its first frame.

    Branches: with prompt and picture, with the picture alone, with neither. Called with latents
    (F 4 H W) it predicts the noise (3 F 4 H W).
    """

    num_branches = 3

    def __init__(
        self,
        unet: KeyFrameUNet,
        text: GuidedText,
        key_frame: Tensor,
        timesteps: Sequence[int],
        *,
        num_frames: int,
        motion_score: int,
        noise_augmentation: int,
        branches_together: bool = True,
    ) -> None:
        """`key_frame` (1 4 H W) has the noise of the time `noise_augmentation` on it already."""
        super().__init__(unet, text, timesteps, branches_together=branches_together)
        self._num_frames = num_frames
        self._motion_score = motion_score
        self._noise_augmentation = noise_augmentation
        _, channels, height, width = key_frame.shape
        self._known = key_frame.new_zeros((num_frames, channels + 1, height, width))
        self._known[0, :channels] = key_frame
        self._known[0, channels:] = 1

    def _prepared(self, times: Tensor, table_device: torch.device | None) -> LoopConditions:
        return self._unet.conditions(
            times,
            self._text,
            video=VideoConditions(
                num_frames=self._num_frames,
                noise_augmentation=self._full(self._noise_augmentation),
                motion_score=self._full(self._motion_score),
            ),
            branch_rows=torch.tensor([0, 1, 1], device=self._device),
            table_device=table_device,
        )

    def _input(self, latents: Tensor, branch: int) -> Tensor:
        knows_picture = branch < self.num_branches - 1
        known = self._known if knows_picture else torch.zeros_like(self._known)
        return torch.cat([latents, known], dim=1)


class InterpolationDenoiser(UNetDenoiser["InterpolationUNet"]):
    """Three frames between every two of a clip. Branches: with the clip and prompt, without.

    Called with latents (G 12 H W), three frames in the channels, it predicts velocity (2 G 12 H W).
    """

    num_branches = 2

    def __init__(
        self,
        unet: InterpolationUNet,
        text: GuidedText,
        frames: Tensor,
        timesteps: Sequence[int],
        *,
        skip_frames: int,
        branches_together: bool = True,
    ) -> None:
        """`frames` (F 4 H W) are the clip's, so there are F - 1 groups between them."""
        super().__init__(unet, text, timesteps, branches_together=branches_together)
        self._frames = frames
        self._skip_frames = skip_frames

    def _prepared(self, times: Tensor, table_device: torch.device | None) -> LoopConditions:
        rows = torch.arange(self.num_branches, device=self._device)
        groups = GroupConditions(
            num_groups=len(self._frames) - 1,
            # Without the clip no group sees the next one.
            mask=(rows == 0).float(),
            perturbation_time=torch.zeros_like(rows),
            skip_frames=torch.full_like(rows, self._skip_frames),
        )
        return self._unet.conditions(times, self._text, groups=groups, table_device=table_device)

    def _input(self, latents: Tensor, branch: int) -> Tensor:
        # Without the clip both neighbours are zero.
        frames = self._frames if branch == 0 else torch.zeros_like(self._frames)
        return torch.cat([frames[:-1], latents, frames[1:]], dim=1)


LoopDenoiser = KeyFrameDenoiser | BaseFrameDenoiser | InterpolationDenoiser


def decoding_chunk_sizes(num_frames: int) -> list[int]:
    """How many frames of a clip are decoded together, chunk by chunk."""
    # PARITY: the decoder looks over the frames of a chunk, so the chunks shape the result.
    num_chunks = max(1, num_frames // _DECODE_CHUNK)
    return [len(chunk) for chunk in torch.arange(num_frames).chunk(num_chunks)]


def decoding_chunks(latents: Tensor) -> tuple[Tensor, ...]:
    """The latents (F 4 h w) of a clip in the chunks that are decoded together."""
    return latents.split(decoding_chunk_sizes(len(latents)))


def between(frames: Tensor, groups: Tensor) -> Tensor:
    """Put `groups` (F-1 12 H W) between `frames` (F 4 H W): (4F-3 4 H W)."""
    inner = rearrange(groups, "g (t c) h w -> g t c h w", t=FRAMES_BETWEEN)
    with_first = torch.cat([rearrange(frames[:-1], "g c h w -> g 1 c h w"), inner], dim=1)
    return torch.cat([rearrange(with_first, "g t c h w -> (g t) c h w"), frames[-1:]])
