"""Layers that both U-Nets are made of: embeddings, conditional normalisation, attention."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn


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

    def repeat(self, count: int) -> TextContext:
        """The same prompts `count` times: (B ...) to (B * count ...), each prompt's in a row."""
        return TextContext(
            tokens=self.tokens.repeat_interleave(count, dim=0),
            mask=self.mask.repeat_interleave(count, dim=0),
            length=self.length.repeat_interleave(count, dim=0),
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
    """A number (time step, frame, motion score, ...) as a learnt vector: (B) to (B embed_dim)."""

    def __init__(self, sinusoidal_dim: int, embed_dim: int) -> None:
        super().__init__(
            SinusoidalEmbedding(sinusoidal_dim),
            nn.Linear(sinusoidal_dim, embed_dim),
            nn.SiLU(),
            nn.Linear(embed_dim, embed_dim),
        )


class ConditionalGroupNorm(nn.Module):
    """Group normalisation whose scale and shift come from an embedding.

    The idea of FiLM (Perez et al., 2018), as in the adaptive group normalisation of diffusion
    models (Dhariwal and Nichol, 2021).
    """

    def __init__(self, groups: int, channels: int, embed_dim: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, affine=False)
        self.context_mlp = nn.Sequential(nn.SiLU(), nn.Linear(embed_dim, 2 * channels))
        for parameter in self.context_mlp.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, embed: Tensor) -> Tensor:
        """x (B C H W), embed (B embed_dim) to (B C H W)."""
        scale, shift = rearrange(self.context_mlp(embed), "b c -> b c 1 1").chunk(2, dim=1)
        return torch.addcmul(shift, self.norm(x), scale + 1)


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

    def forward(self, x: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        """Attend from x (B N C) to context (B M C); mask (B M) is true where it may look."""
        query, key, value = (
            rearrange(projected, "b n (h d) -> b h n d", h=self.num_heads)
            for projected in (self.to_query(x), self.to_key(context), self.to_value(context))
        )
        visible = None if mask is None else rearrange(mask, "b m -> b 1 1 m")
        out = F.scaled_dot_product_attention(query, key, value, attn_mask=visible)
        return self.output_layer(rearrange(out, "b h n d -> b n (h d)"))


class AttentionPooling(nn.Module):
    """Adds a summary of the prompt to the time embedding."""

    def __init__(self, embed_dim: int, context_dim: int, head_dim: int) -> None:
        super().__init__()
        self.attention = Attention(context_dim, embed_dim, context_dim, head_dim)

    def forward(self, embed: Tensor, text: TextContext) -> Tensor:
        """Embed (B embed_dim) to (B embed_dim)."""
        # PARITY: the average takes in the zero token behind the prompt; `length` counts it.
        average = text.tokens.sum(dim=1) / rearrange(text.length, "b -> b 1")
        pooled = self.attention(rearrange(average, "b c -> b 1 c"), text.tokens, text.mask)
        return embed + rearrange(pooled, "b 1 c -> b c")


class FeedForward(nn.Sequential):
    """The two pointwise convolutions of a transformer block: (B C H W) to (B C H W)."""

    def __init__(self, channels: int, expansion_ratio: int) -> None:
        hidden_channels = expansion_ratio * channels
        super().__init__(
            nn.Conv2d(channels, hidden_channels, kernel_size=1, bias=False),
            nn.SiLU(),
            nn.Conv2d(hidden_channels, channels, kernel_size=1, bias=False),
        )


class AttentionBlock(nn.Module):
    """Transformer block over the pixels of each frame: to themselves, or to the prompt."""

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
        self.in_norm = ConditionalGroupNorm(groups, channels, embed_dim)
        self.attention = Attention(channels, channels, context_dim or channels, head_dim)
        self.out_norm = ConditionalGroupNorm(groups, channels, embed_dim)
        self.feed_forward = FeedForward(channels, expansion_ratio)

    def forward(self, x: Tensor, embed: Tensor, text: TextContext | None = None) -> Tensor:
        """x (B C H W), embed (B embed_dim); without text the pixels attend to each other."""
        height = x.shape[-2]
        pixels = rearrange(self.in_norm(x, embed), "b c h w -> b (h w) c")
        if text is None:
            out = self.attention(pixels, pixels)
        else:
            out = self.attention(pixels, text.tokens, text.mask)
        x = x + rearrange(out, "b (h w) c -> b c h w", h=height)
        return x + self.feed_forward(self.out_norm(x, embed))
