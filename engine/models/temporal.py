"""Blocks that look along time: over a clip's frames, or over the groups between base frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from engine.models.layers import Attention, ConditionalGroupNorm, FeedForward

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLayout:
    """How the batch of the interpolation network is made up: (branches groups) in this order.

    Attributes:
        num_branches: guidance branches.
        mask: (B) 1 where a branch may look at its neighbouring groups, 0 where it may not.
    """

    num_branches: int
    mask: Tensor


def _gated(x: Tensor, out: Tensor, gate: Tensor, layout: GroupLayout) -> Tensor:
    """From `x` to `out` by `gate` (1), and not at all where the mask is 0."""
    return torch.lerp(x, out, gate * rearrange(layout.mask, "b -> b 1 1 1").to(gate.dtype))


class FrameConv(nn.Conv3d):
    """A convolution along the frames, or along the groups, with the weight of a 3-D one."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size=(kernel_size, 1, 1),
            padding=(kernel_size // 2, 0, 0),
        )

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - named by the base class
        """(B C F H W) to (B out_channels F H W)."""
        # All pixels in one axis make it a 2-D convolution, which is three times as fast on a CPU.
        width = input.shape[-1]
        out = F.conv2d(
            rearrange(input, "b c f h w -> b c f (h w)"),
            rearrange(self.weight, "o i f 1 1 -> o i f 1"),
            self.bias,
            padding=(self.kernel_size[0] // 2, 0),
        )
        return rearrange(out, "b c f (h w) -> b c f h w", w=width)


class TemporalResNetBlock(nn.Module):
    """Four convolutions along the frames beside a shortcut, 1-3-3-1 wide."""

    def __init__(
        self, channels: int, embed_dim: int, *, groups: int, compression_ratio: int
    ) -> None:
        super().__init__()
        hidden = channels // compression_ratio
        widths = ((channels, hidden, 1), (hidden, hidden, 3), (hidden, hidden, 3))
        self.temporal_resnet_blocks = nn.ModuleList(
            nn.ModuleList(
                (
                    ConditionalGroupNorm(groups, in_channels, embed_dim),
                    nn.SiLU(),
                    FrameConv(in_channels, out_channels, kernel_size),
                )
            )
            for in_channels, out_channels, kernel_size in (*widths, (hidden, channels, 1))
        )
        *_, (_, _, last_convolution) = self._blocks()
        for parameter in last_convolution.parameters():
            nn.init.zeros_(parameter)

    def _blocks(self) -> Iterator[nn.ModuleList]:
        for block in self.temporal_resnet_blocks:
            assert isinstance(block, nn.ModuleList)
            yield block

    def forward(self, x: Tensor, embed: Tensor, num_frames: int) -> Tensor:
        """x ((B F) C H W), embed ((B F) embed_dim) to ((B F) C H W)."""
        out = x
        for norm, activation, convolution in self._blocks():
            out = activation(norm(out, embed))
            out = rearrange(out, "(b f) c h w -> b c f h w", f=num_frames)
            out = rearrange(convolution(out), "b c f h w -> (b f) c h w")
        return x + out


class FrameAttentionBlock(nn.Module):
    """Transformer block in which every pixel attends to itself in the clip's other frames."""

    def __init__(
        self, channels: int, embed_dim: int, *, groups: int, head_dim: int, expansion_ratio: int
    ) -> None:
        super().__init__()
        self.temporal_norm = ConditionalGroupNorm(groups, channels, embed_dim)
        self.temporal_attention = Attention(channels, channels, channels, head_dim)
        nn.init.zeros_(self.temporal_attention.output_layer.weight)
        self.ff_norm = ConditionalGroupNorm(groups, channels, embed_dim)
        self.feed_forward = FeedForward(channels, expansion_ratio)

    def forward(self, x: Tensor, embed: Tensor, num_frames: int) -> Tensor:
        """x ((B F) C H W), embed ((B F) embed_dim) to ((B F) C H W)."""
        height, width = x.shape[-2:]
        out = self.temporal_norm(x, embed)
        out = rearrange(out, "(b f) c h w -> (b h w) f c", f=num_frames)
        out = self.temporal_attention(out, out)
        x = x + rearrange(out, "(b h w) f c -> (b f) c h w", h=height, w=width)
        return x + self.feed_forward(self.ff_norm(x, embed))


class GroupConv(nn.Module):
    """A gated convolution along the groups of the interpolation network."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.temporal_merge = nn.Parameter(torch.zeros(1))
        self.temporal_projection = FrameConv(channels, channels, kernel_size=3)
        for parameter in self.temporal_projection.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, layout: GroupLayout) -> Tensor:
        """x ((branches groups) C H W) to the same shape."""
        out = rearrange(x, "(b g) c h w -> b c g h w", b=layout.num_branches)
        out = rearrange(self.temporal_projection(out), "b c g h w -> (b g) c h w")
        # PARITY: the gate interpolates; it does not add.
        return _gated(x, out, self.temporal_merge, layout)


class GroupAttentionBlock(nn.Module):
    """Gated transformer block in which every pixel attends to itself in the other groups."""

    def __init__(
        self, channels: int, embed_dim: int, *, groups: int, head_dim: int, expansion_ratio: int
    ) -> None:
        super().__init__()
        self.in_norm = ConditionalGroupNorm(groups, channels, embed_dim)
        self.attention = Attention(channels, channels, channels, head_dim)
        self.out_norm = ConditionalGroupNorm(groups, channels, embed_dim)
        self.feed_forward = FeedForward(channels, expansion_ratio)
        self.temporal_merge1 = nn.Parameter(torch.zeros(1))
        self.temporal_merge2 = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, embed: Tensor, layout: GroupLayout) -> Tensor:
        """x ((branches groups) C H W), embed (B embed_dim) to the shape of x."""
        height, width = x.shape[-2:]
        out = self.in_norm(x, embed)
        out = rearrange(out, "(b g) c h w -> (b h w) g c", b=layout.num_branches)
        out = self.attention(out, out)
        out = rearrange(out, "(b h w) g c -> (b g) c h w", h=height, w=width)
        # PARITY: both gates interpolate between the block's input and its branch.
        x = _gated(x, out, self.temporal_merge1, layout)
        out = self.feed_forward(self.out_norm(x, embed))
        return _gated(x, out, self.temporal_merge2, layout)
