"""The prompt's encoder: a T5 encoder (Raffel et al., 2020) with a learnt projection behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn
from transformers.models.t5.modeling_t5 import T5EncoderModel

from engine.models.layers import TextContext

if TYPE_CHECKING:
    from transformers import T5Config

EXACT_LAYERS = ("q", "k")
"""Layers that are not kept in 8 bit: T5 does not scale its products of queries and keys before the
softmax, so their rounding would turn the context by more than that of all the others."""

_INT8_MAX = 127


class Int8Linear(nn.Module):
    """A linear layer whose weight is kept in the 8-bit rows of bitsandbytes.

    Only the weight is in 8 bit. `bitsandbytes.nn.Linear8bitLt` takes the input to float16 and to
    8 bit as well, and in a T5 encoder the input of `wo` is too large for that.

    Attributes:
        weight: (out in) int8.
        SCB: (out) float32, the largest magnitude of each row.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(out_features, in_features, dtype=torch.int8))
        self.register_buffer("SCB", torch.zeros(out_features))
        self.weight: Tensor
        self.SCB: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """(... in) to (... out)."""
        return F.linear(x, self.weight.to(x.dtype)) * (self.SCB / _INT8_MAX).to(x.dtype)


def _keep_in_8bit(blocks: nn.Module) -> None:
    """Replace the linear layers below `blocks`, but for `EXACT_LAYERS`, by empty ones in 8 bit."""
    for parent in list(blocks.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear) and name not in EXACT_LAYERS:
                setattr(parent, name, Int8Linear(child.in_features, child.out_features))


class TextEncoder(nn.Module):
    """`encoder` has the keys of a T5 checkpoint, `projection` those of `projection_base`."""

    def __init__(self, t5_config: T5Config, context_dim: int, *, in_8bit: bool = False) -> None:
        super().__init__()
        self.encoder = T5EncoderModel(t5_config).encoder
        if in_8bit:
            _keep_in_8bit(self.encoder.block)
        # PARITY: the interpolation network, too, is given the text of `projection_base`; the
        # `projection_interpolation` of the checkpoint is not used.
        self.projection = nn.Sequential(
            nn.Linear(t5_config.d_model, context_dim, bias=False), nn.LayerNorm(context_dim)
        )

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> TextContext:
        """Encode prompts.

        Args:
            input_ids: (B N) tokens, padded to the same length.
            attention_mask: (B N) 1 where a token belongs to the prompt.

        Returns:
            The context, cut behind the longest prompt.
        """
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.bool()
        tokens = self.projection(states) * rearrange(mask, "b n -> b n 1")
        # PARITY: one zero token behind the longest prompt is kept, and counts when pooling.
        length = min(int(mask.sum(dim=-1).max()) + 1, mask.shape[-1])
        return TextContext(
            tokens=tokens[:, :length],
            mask=mask[:, :length],
            length=torch.full((len(mask),), length, device=mask.device),
        )
