"""Layers of the MoVQ autoencoders: modulated normalisation, ResNet and attention blocks.

The decoder normalises under the guidance of the latents, after "MoVQ: Modulating Quantized
Vectors for High-Fidelity Image Generation" (Zheng et al., 2022).

A layer that takes `Strips` takes them out: the pictures that it was given are empty afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn

from engine.models.strips import Slab, StripConv, Strips, bands

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.models.strips import Chunk

_NUM_GROUPS = 32
_QUERIES = 4096
"""Pixels that look for others at once, all of which they see. Where no fused kernel is to be had,
their scores are the attention's memory."""


def group_statistics(x: Strips, num_groups: int) -> tuple[Tensor, Tensor]:
    """Mean and variance of each frame's channel groups: (F groups) twice, in float64.

    The strips' own are merged after "Updating Formulae and a Pairwise Algorithm for Computing
    Sample Variances" (Chan, Golub and LeVeque, 1979), which no large mean makes inexact.
    """
    means: list[Tensor] = []
    variances: list[Tensor] = []
    shares: list[float] = []
    for strip in x:
        groups = rearrange(strip, "f (g c) h w -> f g c h w", g=num_groups)
        exact = torch.promote_types(strip.dtype, torch.float32)
        # Only the sums of rows are in float32: float64 is slow on most graphics cards.
        mean = groups.mean(dim=-1, dtype=exact).double().mean(dim=(2, 3))
        centred = groups - rearrange(mean.to(exact), "f g -> f g 1 1 1")
        # A norm and not a mean of squares, which would be a second copy of the strip.
        deviation = torch.linalg.vector_norm(centred, dim=-1).double()
        means.append(mean)
        variances.append(deviation.square().mean(dim=(2, 3)) / strip.shape[3])
        shares.append(strip.shape[2] / x.height)
    share = rearrange(torch.tensor(shares, dtype=torch.float64, device=x.device), "s -> s 1 1")
    own = torch.stack(means)
    mean = (own * share).sum(dim=0)
    between = torch.stack(variances) + (own - mean).square()
    return mean, (between * share).sum(dim=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowNorm:
    """The normalisation of one picture, ready to be applied to any of its rows.

    Attributes:
        gain: (F C 1 1), in float32 at least.
        offset: likewise; the picture times `gain` plus this is normalised.
        height: rows of the picture, a multiple of h.
        scale: (F or 1, C, h, w) by the latents, or None.
        shift: likewise.
    """

    gain: Tensor
    offset: Tensor
    height: int
    scale: Tensor | None = None
    shift: Tensor | None = None

    def __call__(self, rows: Tensor, first: int) -> Tensor:
        """Rows (F C n W) of the picture, the first of which has the number `first`."""
        gain, offset = self._at(first, rows.shape[2])
        cells = rearrange(rows, "f c n (w j) -> f c n w j", w=gain.shape[3])
        gain, offset = (rearrange(values, "f c n w -> f c n w 1") for values in (gain, offset))
        if torch.is_grad_enabled():
            out = torch.addcmul(offset, cells, gain).to(rows.dtype)
        else:
            # Computed in float32 and rounded once, without a float32 copy of float16 rows.
            out = torch.empty_like(cells, memory_format=torch.contiguous_format)
            torch.addcmul(offset, cells, gain, out=out)
        return rearrange(out, "f c n w j -> f c n (w j)")

    def activated(self, rows: Tensor, first: int) -> Tensor:
        """Like a call, with SiLU behind it."""
        return F.silu(self(rows, first), inplace=True)

    def _at(self, first: int, num_rows: int) -> tuple[Tensor, Tensor]:
        """Gain and offset for some rows: (F C n w), with ones for sizes that do not matter."""
        if self.scale is None or self.shift is None:
            return self.gain, self.offset
        # The latents are spread over the pixels by nearest neighbour. That is done along the rows
        # only, and along the columns by a broadcast.
        cell_height = self.height // self.scale.shape[2]
        top, end = first // cell_height, -(-(first + num_rows) // cell_height)
        scale, shift = (
            values[:, :, top:end].to(self.gain.dtype) for values in (self.scale, self.shift)
        )
        gain, offset = self.gain * scale, torch.addcmul(shift, self.offset, scale)
        skipped = first - top * cell_height
        spread = (repeat(x, "f c h w -> f c (h i) w", i=cell_height) for x in (gain, offset))
        gain, offset = (x[:, :, skipped : skipped + num_rows] for x in spread)
        return gain, offset


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
        """x (F C H W); latents (F or 1, latent_channels, h, w), H and W multiples of h and w."""
        return self.over(Strips([x], rows=None), latents)(x, 0)

    def over(self, x: Strips, latents: Tensor | None = None) -> RowNorm:
        """The normalisation of a picture in strips; shapes as in `forward`."""
        norm = self._without_latents(x)
        scale, shift = self._modulation(latents)
        return replace(norm, scale=scale, shift=shift)

    def over_each(self, x: Chunk, latents: Tensor | None = None) -> list[RowNorm]:
        """The normalisations of all frames, whose latents (F latent_channels h w) work at once."""
        norms = [self._without_latents(frame) for frame in x]
        scale, shift = (_of_each(values, len(x)) for values in self._modulation(latents))
        return [
            replace(norm, scale=own_scale, shift=own_shift)
            for norm, own_scale, own_shift in zip(norms, scale, shift, strict=True)
        ]

    def _modulation(self, latents: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        if latents is None or self.conv_y is None or self.conv_b is None:
            return None, None
        # A pointwise convolution commutes with the spreading over pixels, so it runs on the few
        # latents.
        return self.conv_y(latents), self.conv_b(latents)

    def _without_latents(self, x: Strips) -> RowNorm:
        norm = self.norm_layer
        mean, variance = group_statistics(x, norm.num_groups)
        per_group = norm.num_channels // norm.num_groups
        mean, variance = (
            repeat(values, "f g -> f (g c) 1 1", c=per_group) for values in (mean, variance)
        )
        weight, bias = (rearrange(values, "c -> c 1 1") for values in (norm.weight, norm.bias))
        gain = weight * torch.rsqrt(variance + norm.eps)
        offset = bias - mean * gain
        exact = torch.promote_types(norm.weight.dtype, torch.float32)
        return RowNorm(gain=gain.to(exact), offset=offset.to(exact), height=x.height)


def _of_each(values: Tensor | None, num_frames: int) -> Sequence[Tensor | None]:
    return [None] * num_frames if values is None else values.split(1)


class ChunkConv(nn.Conv3d):
    """A 3x3x3 convolution over the frames of a chunk that is zero until it is trained or loaded."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, channels, kernel_size=3, padding=1)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]: it is built of strips
        self, x: Chunk, gate: Tensor
    ) -> Chunk:
        """The frames on their way to what the convolution makes of them, by `gate` (1) of it."""
        # A 2-D convolution for each of the three frames that are seen: on a CPU up to ten times as
        # fast as the 3-D one, and without its copies of the input.
        before, here, after = rearrange(self.weight, "o i t h w -> t o i h w").contiguous()
        out = [Strips(rows=frame.rows) for frame in x]
        for start, stop in bands(x[0].height, x[0].rows):
            seen = _frames_in_sight(x, start, stop)
            for frame, (last, own, following) in zip(out, seen, strict=True):
                rows = own.convolved(here, self.bias)
                if last is not None:
                    rows += last.convolved(before, None)
                if following is not None:
                    rows += following.convolved(after, None)
                # PARITY: the gate interpolates; it does not add.
                frame.append(torch.lerp(own.own, rows, gate))
        return out


def _frames_in_sight(
    x: Chunk, start: int, stop: int
) -> Iterator[tuple[Slab | None, Slab, Slab | None]]:
    """A strip of each frame between those of the frames before and after it, which are let go."""
    before, here = None, x[0].slab(start, stop)
    for frame in x[1:]:
        after = frame.slab(start, stop)
        yield before, here, after
        before, here = here, after
    yield before, here, None


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
        self.conv1 = StripConv(in_channels, out_channels)
        self.norm2 = SpatialNorm(out_channels, latent_channels)
        self.conv2 = StripConv(out_channels, out_channels)
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

    def forward(self, x: Chunk, latents: Tensor | None = None) -> Chunk:
        """x (F C H W) to (F out_channels H W)."""
        halves = [self._first_half(*own) for own in zip(x, _of_each(latents, len(x)), strict=True)]
        out = [first for first, _shortcut in halves]
        if self.temporal_projection1 is not None:
            out = self.temporal_projection1(out, self.temporal_merge1)
        out = [self._second(*own) for own in zip(out, _of_each(latents, len(out)), strict=True)]
        if self.temporal_projection2 is not None:
            out = self.temporal_projection2(out, self.temporal_merge2)
        return [frame.add(shortcut) for frame, (_first, shortcut) in zip(out, halves, strict=True)]

    def _first_half(self, x: Strips, latents: Tensor | None) -> tuple[Strips, Strips]:
        """The first convolution of one frame and its shortcut, while the frame itself goes."""
        norm = self.norm1.over(x, latents)
        if self.nin_shortcut is None:
            return self.conv1.convolved(x, norm.activated, keep=True), x
        out, shortcut = Strips(rows=x.rows), Strips(rows=x.rows)
        for slab in x.slabs():
            shortcut.append(self.nin_shortcut(slab.own))
            slab = slab.mapped(norm.activated)
            out.append(self.conv1.on(slab))
        return out, shortcut

    def _second(self, x: Strips, latents: Tensor | None) -> Strips:
        return self.conv2.convolved(x, self.norm2.over(x, latents).activated)


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
        attended = [
            F.scaled_dot_product_attention(some, key, value)
            for some in query.split(_QUERIES, dim=2)
        ]
        out = attended[0] if len(attended) == 1 else torch.cat(attended, dim=2)
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
    """Doubles the resolution: (F C H W) to (F C 2H 2W), in strips of half as many rows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = StripConv(channels, channels)

    def forward(self, x: Chunk) -> Chunk:
        """See the class."""
        return [self._doubled(frame) for frame in x]

    def _doubled(self, x: Strips) -> Strips:
        out = Strips(rows=None if x.rows is None else max(x.rows // 2, 1))
        for start, stop in bands(2 * x.height, out.rows):
            out.append(self.conv.on(_doubled_slab(x, start, stop)))
        return out


def _doubled_slab(x: Strips, start: int, stop: int) -> Slab:
    """Some rows of a picture of double the size with their neighbours; what is past is let go."""
    height = 2 * x.height
    first, end = max(start - 1, 0), min(stop + 1, height)
    source = x.window(first // 2, -(-end // 2))
    x.let_go((stop - 1) // 2 if stop < height else x.height)
    # Rows before columns: the rows too many are left out while they are half as wide.
    rows = repeat(source, "f c h w -> f c (h 2) w")[:, :, first % 2 :][:, :, : end - first]
    return Slab(
        rows=repeat(rows, "f c h w -> f c h (w 2)"),
        first=first,
        above=int(start == 0),
        below=int(stop == height),
    )


class Downsample(nn.Module):
    """Halves the resolution: (F C H W) to (F C H/2 W/2), in strips of twice as many rows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, kernel_size=3, stride=2)

    def forward(self, x: Chunk) -> Chunk:
        """See the class."""
        return [self._halved(frame) for frame in x]

    def _halved(self, x: Strips) -> Strips:
        out = Strips(rows=None if x.rows is None else 2 * x.rows)
        for start, stop in bands(x.height // 2, out.rows):
            rows = x.window(2 * start, 2 * stop + 1)
            x.let_go(2 * stop)
            # A pixel of zeros on the right and below the picture only.
            below = 2 * (stop - start) + 1 - rows.shape[2]
            out.append(self.conv(F.pad(rows, (0, 1, 0, below))))
        return out
