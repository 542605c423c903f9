"""Convolution blocks of the U-Nets: four convolutions with a shortcut, 1-3-3-1 wide."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.layers import ConditionalGroupNorm
from engine.models.temporal import GroupConv

if TYPE_CHECKING:
    from engine.models.temporal import GroupLayout


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

    def forward(self, x: Tensor, embed: Tensor, layout: GroupLayout | None = None) -> Tensor:
        """x (B C H W), embed (B embed_dim); `layout` where the block looks across groups."""
        x = F.silu(self.group_norm(x, embed))
        if self.up_sample is not None:
            x = self.up_sample(x)
        x = self.projection(x)
        if self.temporal_projection_new is not None:
            x = self.temporal_projection_new(x, layout)
        if self.down_sample is not None:
            x = self.down_sample(x)
        return x


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

    def forward(self, x: Tensor, embed: Tensor, layout: GroupLayout | None = None) -> Tensor:
        """x (B C H W), embed (B embed_dim) to (B out_channels H' W')."""
        out = x
        for block in self.resnet_blocks:
            out = block(out, embed, layout)
        for shortcut in (
            self.shortcut_up_sample,
            self.shortcut_projection,
            self.shortcut_down_sample,
        ):
            if shortcut is not None:
                x = shortcut(x)
        return x + out
