"""Layers that both U-Nets are made of: embeddings, conditional normalisation, attention."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from torch import Tensor, nn

if TYPE_CHECKING:
    from engine.models.conditions import StepConditions


def reusable(tensor: Tensor) -> Tensor | None:
    """`tensor` as the place for a result; None, a new place, where gradients may be asked for."""
    return None if torch.is_grad_enabled() else tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class TextContext:
    """Prompts as the U-Nets see them.

    Attributes:
        tokens: (B N C) projected states of the text encoder, zero where a prompt has ended.
        mask: (B N) true where a token belongs to the prompt.
        length: (B) tokens that the pooled context averages over.
    """

    tokens: Tensor
    mask: Tensor
    length: Tensor

    def to(self, device: torch.device) -> TextContext:
        """The same on another device."""
        return TextContext(
            tokens=self.tokens.to(device), mask=self.mask.to(device), length=self.length.to(device)
        )


class SinusoidalEmbedding(nn.Module):
    """Positions as sines and cosines, after "Attention Is All You Need" (Vaswani et al., 2017)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, position: Tensor) -> Tensor:
        """(B) positions of any numeric type to (B dim), in float32."""
        half_dim = self.dim // 2
        exponent = torch.arange(half_dim, device=position.device, dtype=torch.float32)
        frequency = torch.exp(exponent * -(math.log(10000) / (half_dim - 1)))
        angle = rearrange(position, "b -> b 1") * frequency
        return torch.cat((angle.sin(), angle.cos()), dim=-1)


class TimeEmbedding(nn.Sequential):
    """A number (time step, frame, motion score, ...) as a learnt vector."""

    def __init__(self, sinusoidal_dim: int, embed_dim: int) -> None:
        super().__init__(
            SinusoidalEmbedding(sinusoidal_dim),
            nn.Linear(sinusoidal_dim, embed_dim),
            nn.SiLU(),
            nn.Linear(embed_dim, embed_dim),
        )

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - named by the base class
        """(steps rows) numbers to (steps rows embed_dim)."""
        sinusoidal, first, activation, last = self
        dtype = next(self.parameters()).dtype
        # One step after the other, as in `ContextMLP`.
        return torch.stack([last(activation(first(sinusoidal(step).to(dtype)))) for step in input])


class ContextMLP(nn.Sequential):
    """From an embedding to the scale and shift of a normalisation."""

    def __init__(self, embed_dim: int, channels: int) -> None:
        super().__init__(nn.SiLU(), nn.Linear(embed_dim, 2 * channels))
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - named by the base class
        """(steps rows embed_dim) to (steps rows 2C)."""
        activation, linear = self
        # A matrix product rounds by its shape. One for every step gives the bits that the step has
        # alone, however many others are computed with it.
        return torch.stack([linear(activation(step)) for step in input])


class ConditionalGroupNorm(nn.Module):
    """Group normalisation whose scale and shift come from an embedding.

    The idea of FiLM (Perez et al., 2018), as in the adaptive group normalisation of diffusion
    models (Dhariwal and Nichol, 2021).

    Attributes:
        place: its number in the network; `UNet` numbers them.
        sees_frames: whether its embedding says which frame of the clip it is.
    """

    def __init__(
        self, groups: int, channels: int, embed_dim: int, *, sees_frames: bool = False
    ) -> None:
        super().__init__()
        self.place = 0
        self.sees_frames = sees_frames
        self.norm = nn.GroupNorm(groups, channels, affine=False)
        self.context_mlp = ContextMLP(embed_dim, channels)

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        """Normalise x (B C H W).

        Args:
            x: not changed.
            modulation: (B 2C) what `context_mlp` made of the embeddings.

        Returns:
            (B C H W), a new tensor.
        """
        scale, shift = rearrange(modulation, "b c -> b c 1 1").chunk(2, dim=1)
        out = self.norm(x)
        return torch.addcmul(shift, out, scale + 1, out=reusable(out))


class Attention(nn.Module):
    """Multi-head attention from one sequence to another."""

    def __init__(
        self, in_channels: int, out_channels: int, context_dim: int, head_dim: int
    ) -> None:
        super().__init__()
        if out_channels % head_dim:
            raise ValueError(f"{out_channels} channels do not divide into heads of {head_dim}")
        self.num_heads = out_channels // head_dim
        self.to_query = nn.Linear(in_channels, out_channels, bias=False)
        self.to_key = nn.Linear(context_dim, out_channels, bias=False)
        self.to_value = nn.Linear(context_dim, out_channels, bias=False)
        self.output_layer = nn.Linear(out_channels, out_channels, bias=False)

    def forward(
        self, x: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None = None
    ) -> Tensor:
        """Attend from x (B N C) to what `to_key` and `to_value` made of a context.

        Args:
            x: what asks.
            key: (B M C).
            value: (B M C).
            mask: (B M) true where it may look.

        Returns:
            (B N C).
        """
        visible = None if mask is None else rearrange(mask, "b m -> b 1 1 m")
        out = F.scaled_dot_product_attention(
            self._in_heads(self.to_query(x)),
            self._in_heads(key),
            self._in_heads(value),
            attn_mask=visible,
        )
        return self.output_layer(rearrange(out, "b h n d -> b n (h d)"))

    def within(self, x: Tensor) -> Tensor:
        """Attend from x (B N C) to itself."""
        return self(x, self.to_key(x), self.to_value(x))

    def _in_heads(self, states: Tensor) -> Tensor:
        return rearrange(states, "b n (h d) -> b h n d", h=self.num_heads)


class AttentionPooling(nn.Module):
    """Adds a summary of the prompt to the time embedding."""

    def __init__(self, embed_dim: int, context_dim: int, head_dim: int) -> None:
        super().__init__()
        self.attention = Attention(context_dim, embed_dim, context_dim, head_dim)

    def forward(self, embed: Tensor, text: TextContext) -> Tensor:
        """Embed (steps rows embed_dim), with a prompt for each row, to the same shape."""
        # PARITY: the average takes in the zero token behind the prompt; `length` counts it.
        average = text.tokens.float().sum(dim=1) / rearrange(text.length, "r -> r 1")
        tokens = text.tokens.to(embed.dtype)
        pooled = self.attention(
            rearrange(average.to(embed.dtype), "r c -> r 1 c"),
            self.attention.to_key(tokens),
            self.attention.to_value(tokens),
            mask=text.mask,
        )
        return embed + rearrange(pooled, "r 1 c -> 1 r c")


_LARGE_MAP_PIXELS = 512


class PointwiseConv(nn.Conv2d):
    """A convolution of each pixel with itself, for large maps one matrix product a picture.

    Convolutions on a graphics card turn their input and their output into another layout, with a
    copy of each; a matrix product takes them as they are. In small maps the copies are small, and
    products of few pixels would read the weight too often.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=1, bias=False)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - named by the base class
        """(B C H W) to (B out_channels H W)."""
        batch, _, height, width = input.shape
        if height * width < _LARGE_MAP_PIXELS:
            return super().forward(input)
        weight = repeat(self.weight, "o i 1 1 -> b o i", b=batch)
        out = torch.bmm(weight, rearrange(input, "b i h w -> b i (h w)"))
        return rearrange(out, "b o (h w) -> b o h w", h=height)


class FeedForward(nn.Sequential):
    """The two pointwise convolutions of a transformer block: (B C H W) to a new (B C H W)."""

    def __init__(self, channels: int, expansion_ratio: int) -> None:
        hidden_channels = expansion_ratio * channels
        super().__init__(
            PointwiseConv(channels, hidden_channels),
            nn.SiLU(inplace=True),
            PointwiseConv(hidden_channels, channels),
        )


class AttentionBlock(nn.Module):
    """Transformer block over the pixels of each frame: to themselves, or to the prompt.

    Attributes:
        place: its number among the layers of the network that attend to the prompt; None where
            the pixels attend to each other. `UNet` numbers them.
    """

    def __init__(
        self,
        channels: int,
        embed_dim: int,
        *,
        context_dim: int | None,
        groups: int,
        head_dim: int,
        expansion_ratio: int,
    ) -> None:
        super().__init__()
        self.place = None if context_dim is None else 0
        self.in_norm = ConditionalGroupNorm(groups, channels, embed_dim)
        self.attention = Attention(channels, channels, context_dim or channels, head_dim)
        self.out_norm = ConditionalGroupNorm(groups, channels, embed_dim)
        self.feed_forward = FeedForward(channels, expansion_ratio)

    def forward(self, x: Tensor, step: StepConditions) -> Tensor:
        """x (B C H W) to a new (B C H W)."""
        x = x + self._attend(self.in_norm(x, step.modulation(self.in_norm)), step)
        out = self.feed_forward(self.out_norm(x, step.modulation(self.out_norm)))
        return out.add_(x)

    def _attend(self, x: Tensor, step: StepConditions) -> Tensor:
        height, width = x.shape[-2:]
        if self.place is None:
            x = rearrange(x, "b c h w -> b (h w) c").contiguous()
            out = self.attention.within(x)
            return rearrange(out, "b (h w) c -> b c h w", h=height)
        # All frames of a branch ask together: they have one prompt, and its keys once.
        num_frames = step.layout.num_frames
        x = rearrange(x, "(b f) c h w -> b (f h w) c", f=num_frames)
        prompt = step.prompt(self.place)
        out = self.attention(x, prompt.key, prompt.value, mask=prompt.mask)
        return rearrange(out, "b (f h w) c -> (b f) c h w", h=height, w=width)
