"""The prompt's encoder: a T5 encoder (Raffel et al., 2020) with a learnt projection behind it.

It begins behind the table of token embeddings. The table is larger than a layer, and a prompt needs
128 rows of it, so `encoder.embed_tokens.weight` (`shared.weight` in some files) is the one tensor
of an encoder's file that is no weight here: its rows are read where they are needed, and come in as
values. All other keys of the file are those of the state dict.
"""

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
_SLICE_BYTES = 32 * 2**20  # of a weight that is widened to be multiplied


class StoredLinear(nn.Linear):
    """A linear layer without bias whose weight may have a narrower type than its input.

    Such a weight is widened a few rows at a time, which is exact: what is multiplied are the
    numbers of the file in the input's type.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features, bias=False)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Linear gives it
        """(... in) to (... out)."""
        if self.weight.dtype is input.dtype:
            return F.linear(input, self.weight)
        return _multiply_in_slices(input, self.weight)


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
        return _multiply_in_slices(x, self.weight).mul_((self.SCB / _INT8_MAX).to(x.dtype))


def _multiply_in_slices(x: Tensor, weight: Tensor) -> Tensor:
    """x (... in) times weight (out in) of another type, which is widened a few rows at a time."""
    num_rows, row_items = weight.shape
    rows_each = max(1, _SLICE_BYTES // (row_items * x.element_size()))
    out = x.new_empty(*x.shape[:-1], num_rows)
    for begin in range(0, num_rows, rows_each):
        rows = slice(begin, begin + rows_each)
        out[..., rows] = F.linear(x, weight[rows].to(x.dtype))
    return out


def _replace_linears(blocks: nn.Module, *, in_8bit: bool) -> None:
    """Make the linear layers below `blocks` take the types in which files hold their weights."""
    for parent in list(blocks.modules()):
        for name, child in list(parent.named_children()):
            if not isinstance(child, nn.Linear):
                continue
            if in_8bit and name not in EXACT_LAYERS:
                setattr(parent, name, Int8Linear(child.in_features, child.out_features))
            # T5 takes the values in front of `wo` to the type of its weight, which would round
            # them: this one weight has to have the type of the values, or 8 bit.
            elif name != "wo":
                stored = StoredLinear(child.in_features, child.out_features)
                stored.weight = child.weight
                setattr(parent, name, stored)


class TextEncoder(nn.Module):
    """`encoder` has the keys of a T5 checkpoint, `projection` those of `projection_base`.

    A `T5Block` touches no weights but its own, and none outside its forward: the first one hands
    the table of relative positions on as values. So its weights may come right before and go right
    after.
    """

    def __init__(self, t5_config: T5Config, context_dim: int, *, in_8bit: bool = False) -> None:
        super().__init__()
        self.encoder = T5EncoderModel(t5_config).encoder
        self.encoder.register_module("embed_tokens", None)
        _replace_linears(self.encoder.block, in_8bit=in_8bit)
        # PARITY: the interpolation network, too, is given the text of `projection_base`; the
        # `projection_interpolation` of the checkpoint is not used.
        self.projection = nn.Sequential(
            nn.Linear(t5_config.d_model, context_dim, bias=False), nn.LayerNorm(context_dim)
        )

    def weights_of_any_type(self) -> frozenset[str]:
        """Names in the state dict of the weights that may stay in the type of their file.

        All others have the type of the values, but for 8-bit rows.
        """
        return frozenset(
            f"{name}.weight"
            for name, layer in self.named_modules()
            if isinstance(layer, StoredLinear)
        )

    def forward(self, embeds: Tensor, attention_mask: Tensor) -> TextContext:
        """Encode prompts.

        Args:
            embeds: (B N C) rows of the table of token embeddings, one for each token; the prompts
                are padded to the same length.
            attention_mask: (B N) 1 where a token belongs to the prompt. It may lie on the CPU,
                which saves waiting for the device: the length of the context depends on it.

        Returns:
            The context, cut behind the longest prompt.
        """
        # PARITY: one zero token behind the longest prompt is kept, and counts when pooling.
        length = min(int(attention_mask.bool().sum(dim=-1).max()) + 1, attention_mask.shape[-1])
        mask = attention_mask.to(embeds.device, torch.bool)
        # With four dimensions it is taken as it is. From one with two, a mask is made by looking at
        # the values, which a dry run does not have.
        hidden = torch.zeros_like(mask, dtype=embeds.dtype)
        hidden.masked_fill_(~mask, torch.finfo(embeds.dtype).min)
        states = self.encoder(
            inputs_embeds=embeds, attention_mask=rearrange(hidden, "b n -> b 1 1 n")
        ).last_hidden_state
        tokens = self.projection(states) * rearrange(mask, "b n -> b n 1")
        return TextContext(
            tokens=tokens[:, :length],
            mask=mask[:, :length],
            length=torch.full((len(mask),), length, device=mask.device),
        )
