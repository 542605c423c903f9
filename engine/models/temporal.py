"""Blocks that look along time: over a clip's frames, or over the groups between base frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from engine.models.layers import Attention, ConditionalGroupNorm, FeedForward, reusable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.models.conditions import StepConditions


def _gate(gate: Tensor, step: StepConditions) -> Tensor:
    """(B 1 1 1) the `gate` (1) of every picture: closed where it may not look at other groups."""
    mask = step.layout.group_mask
    assert mask is not None
    return gate * rearrange(mask, "b -> b 1 1 1").to(gate.dtype)


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
        if self.kernel_size[0] == 1:
            num_frames = input.shape[2]
            out = F.conv2d(
                rearrange(input, "b c f h w -> (b f) c h w"),
                rearrange(self.weight, "o i 1 1 1 -> o i 1 1"),
                self.bias,
            )
            return rearrange(out, "(b f) c h w -> b c f h w", f=num_frames)
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
                    ConditionalGroupNorm(groups, in_channels, embed_dim, sees_frames=True),
                    nn.SiLU(inplace=True),
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

    def forward(self, x: Tensor, step: StepConditions) -> Tensor:
        """x ((B F) C H W) to a new tensor of the same shape."""
        num_frames = step.layout.num_frames
        out = x
        for norm, activation, convolution in self._blocks():
            assert isinstance(norm, ConditionalGroupNorm)
            out = activation(norm(out, step.modulation(norm)))
            out = rearrange(out, "(b f) c h w -> b c f h w", f=num_frames)
            out = rearrange(convolution(out), "b c f h w -> (b f) c h w")
        return out.add_(x)


class FrameAttentionBlock(nn.Module):
    """Transformer block in which every pixel attends to itself in the clip's other frames."""

    def __init__(
        self, channels: int, embed_dim: int, *, groups: int, head_dim: int, expansion_ratio: int
    ) -> None:
        super().__init__()
        self.temporal_norm = ConditionalGroupNorm(groups, channels, embed_dim, sees_frames=True)
        self.temporal_attention = Attention(channels, channels, channels, head_dim)
        nn.init.zeros_(self.temporal_attention.output_layer.weight)
        self.ff_norm = ConditionalGroupNorm(groups, channels, embed_dim, sees_frames=True)
        self.feed_forward = FeedForward(channels, expansion_ratio)

    def forward(self, x: Tensor, step: StepConditions) -> Tensor:
        """x ((B F) C H W) to a new tensor of the same shape."""
        height, width = x.shape[-2:]
        out = self.temporal_norm(x, step.modulation(self.temporal_norm))
        out = rearrange(out, "(b f) c h w -> (b h w) f c", f=step.layout.num_frames)
        out = self.temporal_attention.within(out)
        x = x + rearrange(out, "(b h w) f c -> (b f) c h w", h=height, w=width)
        out = self.feed_forward(self.ff_norm(x, step.modulation(self.ff_norm)))
        return out.add_(x)


class GroupConv(nn.Module):
    """A gated convolution along the groups of the interpolation network."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.temporal_merge = nn.Parameter(torch.zeros(1))
        self.temporal_projection = FrameConv(channels, channels, kernel_size=3)
        for parameter in self.temporal_projection.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, step: StepConditions) -> Tensor:
        """x ((branches groups) C H W) to the same shape; in the place of `x` without gradients."""
        num_branches = step.layout.num_branches
        out = self.temporal_projection(rearrange(x, "(b g) c h w -> b c g h w", b=num_branches))
        # PARITY: the gate interpolates; it does not add. (Five axes: a view of `out`, not a copy.)
        out = rearrange(out, "b c g h w -> b g c h w")
        x = rearrange(x, "(b g) c h w -> b g c h w", b=num_branches)
        gate = rearrange(
            _gate(self.temporal_merge, step), "(b g) 1 1 1 -> b g 1 1 1", b=num_branches
        )
        return rearrange(torch.lerp(x, out, gate, out=reusable(x)), "b g c h w -> (b g) c h w")


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

    def forward(self, x: Tensor, step: StepConditions) -> Tensor:
        """x ((branches groups) C H W) to a new tensor of the same shape."""
        height, width = x.shape[-2:]
        out = self.in_norm(x, step.modulation(self.in_norm))
        out = rearrange(out, "(b g) c h w -> (b h w) g c", b=step.layout.num_branches)
        out = self.attention.within(out)
        out = rearrange(out, "(b h w) g c -> (b g) c h w", h=height, w=width)
        # PARITY: both gates interpolate between the block's input and its branch.
        x = torch.lerp(x, out, _gate(self.temporal_merge1, step))
        out = self.feed_forward(self.out_norm(x, step.modulation(self.out_norm)))
        return torch.lerp(x, out, _gate(self.temporal_merge2, step), out=reusable(out))
