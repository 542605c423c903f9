"""The prompt's encoder: a T5 encoder (Raffel et al., 2020) with a learnt projection behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor, nn
from transformers.models.t5.modeling_t5 import T5EncoderModel

from engine.models.layers import TextContext

if TYPE_CHECKING:
    from transformers import T5Config


class TextEncoder(nn.Module):
    """`encoder` has the keys of a T5 checkpoint, `projection` those of `projection_base`."""

    def __init__(self, t5_config: T5Config, context_dim: int) -> None:
        super().__init__()
        self.encoder = T5EncoderModel(t5_config).encoder
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
