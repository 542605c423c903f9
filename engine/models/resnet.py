"""Convolution blocks of the U-Nets: four convolutions with a shortcut, 1-3-3-1 wide."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import nn

from engine.models.layers import ConditionalGroupNorm
from engine.models.temporal import GroupConv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from engine.models.conditions import StepConditions


class Resample(Enum):
    """What a block does to the resolution."""

    NONE = auto()
    UP = auto()
    DOWN = auto()


def bottleneck_channels(
    in_channels: int, out_channels: int, compression_ratio: int
) -> list[tuple[int, int]]:
    """In and out channels of the four convolutions of a block, the middle ones compressed."""
    hidden = max(in_channels, out_channels) // compression_ratio
    return [(in_channels, hidden), (hidden, hidden), (hidden, hidden), (hidden, out_channels)]


KERNEL_SIZES = (1, 3, 3, 1)
_UP_CONVOLUTION, _DOWN_CONVOLUTION = 1, 2  # which of the four changes the resolution


def _double(channels: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(channels, channels, kernel_size=2, stride=2)


def _halve(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel_size=2, stride=2)


class ConvBlock(nn.Module):
    """Conditional normalisation, SiLU, a convolution, and a change of resolution if wanted."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        embed_dim: int,
        *,
        kernel_size: int,
        groups: int,
        resample: Resample,
        over_groups: bool,
    ) -> None:
        super().__init__()
        self.group_norm = ConditionalGroupNorm(groups, in_channels, embed_dim)
        self.up_sample = _double(in_channels) if resample is Resample.UP else None
        self.projection = nn.Conv2d(
            in_channels, out_channels, kernel_size=kernel_size, padding=kernel_size // 2
        )
        self.temporal_projection_new = GroupConv(out_channels) if over_groups else None
        self.down_sample = _halve(out_channels) if resample is Resample.DOWN else None

    def layers(self, step: StepConditions) -> Iterator[Callable[[Tensor], Tensor]]:
        """What takes x (B C H W) to (B out_channels H' W'), one after the other.

        They come one by one so that who calls them can let go of each result before the next.
        """
        yield lambda x: F.silu(self.group_norm(x, step.modulation(self.group_norm)), inplace=True)
        if self.up_sample is not None:
            yield self.up_sample
        yield self.projection
        over_groups = self.temporal_projection_new
        if over_groups is not None:
            yield lambda x: over_groups(x, step)
        if self.down_sample is not None:
            yield self.down_sample


class ResNetBlock(nn.Module):
    """Four `ConvBlock`s beside a shortcut."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        embed_dim: int,
        *,
        groups: int,
        compression_ratio: int,
        resample: Resample = Resample.NONE,
        over_groups: bool = False,
    ) -> None:
        super().__init__()
        resamples = [Resample.NONE] * len(KERNEL_SIZES)
        if resample is Resample.UP:
            resamples[_UP_CONVOLUTION] = resample
        elif resample is Resample.DOWN:
            resamples[_DOWN_CONVOLUTION] = resample
        channels = bottleneck_channels(in_channels, out_channels, compression_ratio)
        self.resnet_blocks = nn.ModuleList(
            ConvBlock(
                block_in,
                block_out,
                embed_dim,
                kernel_size=kernel_size,
                groups=groups,
                resample=block_resample,
                over_groups=over_groups,
            )
            for (block_in, block_out), kernel_size, block_resample in zip(
                channels, KERNEL_SIZES, resamples, strict=True
            )
        )
        self.shortcut_up_sample = _double(in_channels) if resample is Resample.UP else None
        self.shortcut_projection = (
            nn.Conv2d(in_channels, out_channels, kernel_size=1)
            if in_channels != out_channels
            else None
        )
        self.shortcut_down_sample = _halve(out_channels) if resample is Resample.DOWN else None

    def forward(self, x: Tensor, step: StepConditions) -> Tensor:
        """x (B C H W) to a new (B out_channels H' W')."""
        out = x
        for block in self.resnet_blocks:
            assert isinstance(block, ConvBlock)
            for layer in block.layers(step):
                out = layer(out)
        for shortcut in (
            self.shortcut_up_sample,
            self.shortcut_projection,
            self.shortcut_down_sample,
        ):
            if shortcut is not None:
                x = shortcut(x)
        return out.add_(x)
