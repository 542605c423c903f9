"""Layers of the MoVQ autoencoders: modulated normalisation, ResNet and attention blocks.

The decoder normalises under the guidance of the latents, after "MoVQ: Modulating Quantized
Vectors for High-Fidelity Image Generation" (Zheng et al., 2022).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

_NUM_GROUPS = 32


class SpatialNorm(nn.Module):
    """Group normalisation; with `latent_channels` also a scale and shift from the latents."""

    def __init__(self, channels: int, latent_channels: int | None = None) -> None:
        super().__init__()
        self.norm_layer = nn.GroupNorm(_NUM_GROUPS, channels, eps=1e-6)
        self.conv_y = self.conv_b = None
        if latent_channels is not None:
            self.conv_y = nn.Conv2d(latent_channels, channels, kernel_size=1)
            self.conv_b = nn.Conv2d(latent_channels, channels, kernel_size=1)

    def forward(self, x: Tensor, latents: Tensor | None = None) -> Tensor:
        """x (B C H W); latents (B or 1, latent_channels, h, w), H and W multiples of h and w."""
        x = self.norm_layer(x)
        if latents is None or self.conv_y is None or self.conv_b is None:
            return x
        # The latents are spread over the pixels by nearest neighbour. A pointwise convolution
        # commutes with that, so it runs on the few latents and the spreading is a broadcast.
        scale = rearrange(self.conv_y(latents), "b c h w -> b c h 1 w 1")
        shift = rearrange(self.conv_b(latents), "b c h w -> b c h 1 w 1")
        height, width = latents.shape[-2:]
        cells = rearrange(x, "b c (h i) (w j) -> b c h i w j", h=height, w=width)
        return rearrange(torch.addcmul(shift, cells, scale), "b c h i w j -> b c (h i) (w j)")


class ChunkConv(nn.Conv3d):
    """A 3x3x3 convolution over the frames of a chunk that is zero until it is trained or loaded."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, kernel_size=3, padding=1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - named by the base class
        """(F C H W) to the same shape."""
        # A 2-D convolution for each of the three frames that are seen: on a CPU up to ten times as
        # fast as the 3-D one, and without its copies of the input.
        before, here, after = self.weight.unbind(dim=2)
        out = F.conv2d(input, here, self.bias, padding=1)
        if len(input) > 1:
            out[1:] += F.conv2d(input[:-1], before, padding=1)
            out[:-1] += F.conv2d(input[1:], after, padding=1)
        return out


class MoVQResNetBlock(nn.Module):
    """Two convolutions beside a shortcut; a temporal one also looks over the chunk's frames."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        latent_channels: int | None = None,
        temporal: bool = False,
    ) -> None:
        super().__init__()
        self.norm1 = SpatialNorm(in_channels, latent_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1)
        self.norm2 = SpatialNorm(out_channels, latent_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        self.nin_shortcut = (
            nn.Conv2d(in_channels, out_channels, kernel_size=1)
            if in_channels != out_channels
            else None
        )
        self.temporal_projection1 = self.temporal_projection2 = None
        if temporal:
            self.temporal_merge1 = nn.Parameter(torch.zeros(1))
            self.temporal_projection1 = ChunkConv(out_channels)
            self.temporal_merge2 = nn.Parameter(torch.zeros(1))
            self.temporal_projection2 = ChunkConv(out_channels)

    def forward(self, x: Tensor, latents: Tensor | None = None) -> Tensor:
        """x (F C H W) to (F out_channels H W)."""
        out = self.conv1(F.silu(self.norm1(x, latents)))
        if self.temporal_projection1 is not None:
            # PARITY: the gate interpolates, here and below; it does not add.
            out = torch.lerp(out, self.temporal_projection1(out), self.temporal_merge1)
        out = self.conv2(F.silu(self.norm2(out, latents)))
        if self.temporal_projection2 is not None:
            out = torch.lerp(out, self.temporal_projection2(out), self.temporal_merge2)
        if self.nin_shortcut is not None:
            x = self.nin_shortcut(x)
        return x + out


class MoVQAttentionBlock(nn.Module):
    """One attention head over the pixels of each frame."""

    def __init__(self, channels: int, latent_channels: int | None = None) -> None:
        super().__init__()
        self.norm = SpatialNorm(channels, latent_channels)
        self.q = nn.Conv2d(channels, channels, kernel_size=1)
        self.k = nn.Conv2d(channels, channels, kernel_size=1)
        self.v = nn.Conv2d(channels, channels, kernel_size=1)
        self.proj_out = nn.Conv2d(channels, channels, kernel_size=1)

    def forward(self, x: Tensor, latents: Tensor | None = None) -> Tensor:
        """x (F C H W) to the same shape."""
        # PARITY: every frame of a chunk is normalised with the latents of the chunk's first one.
        first_latents = None if latents is None else latents[:1]
        return x + self._attend(self.norm(x, first_latents), "f c h w -> f 1 (h w) c")

    def _attend(self, x: Tensor, sequences: str) -> Tensor:
        """Attend along the axis that `sequences`, an einops pattern, puts last but one."""
        frames, _, height, _ = x.shape
        query, key, value = (rearrange(conv(x), sequences) for conv in (self.q, self.k, self.v))
        out = F.scaled_dot_product_attention(query, key, value)
        source, target = sequences.split(" -> ")
        return self.proj_out(rearrange(out, f"{target} -> {source}", f=frames, h=height))


class MoVQFrameAttentionBlock(MoVQAttentionBlock):
    """One attention head for every pixel over the frames of a chunk."""

    def forward(self, x: Tensor, latents: Tensor | None = None) -> Tensor:
        """x (F C H W) to the same shape. Takes `latents` like its base, and does not use them."""
        # PARITY: normalised without the latents, so `conv_y` and `conv_b` of this norm are unused.
        del latents
        return x + self._attend(self.norm(x), "f c h w -> (h w) 1 f c")


class Upsample(nn.Module):
    """Doubles the resolution: (F C H W) to (F C 2H 2W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Downsample(nn.Module):
    """Halves the resolution: (F C H W) to (F C H/2 W/2)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size=3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.conv(F.pad(x, (0, 1, 0, 1)))  # a pixel on the right and below only
