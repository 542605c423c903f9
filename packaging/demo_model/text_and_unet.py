"""The text encoder, the null embedding and a U-Net, as they are trained together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from networks import CONFIGS, t5_config
from torch import Tensor, nn
from word_tokenizer import build_tokenizer
from wordings import vocabulary

from engine.models.layers import TextContext
from engine.models.text_encoder import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKENIZER = build_tokenizer(vocabulary())


class NullEmbedding(nn.Module):
    """What stands in for the prompt where there is none."""

    def __init__(self, context_dim: int) -> None:
        super().__init__()
        self.null_embedding = nn.Parameter(torch.zeros(context_dim))

    def forward(self, text: TextContext, dropped: Tensor) -> TextContext:
        """`text` with the prompts that `dropped` (B) is true for replaced."""
        null_tokens = torch.zeros_like(text.tokens)
        null_tokens[:, 0] = self.null_embedding
        null_mask = torch.zeros_like(text.mask)
        null_mask[:, 0] = True
        return TextContext(
            tokens=torch.where(dropped[:, None, None], null_tokens, text.tokens),
            mask=torch.where(dropped[:, None], null_mask, text.mask),
            length=text.length,
        )


def new_text_encoder() -> TextEncoder:
    """The demo's text encoder, untrained, with the table of token embeddings in it.

    The engine's encoder begins behind the table; here the table is trained as well.
    """
    config = t5_config(TOKENIZER.get_vocab_size())
    encoder = TextEncoder(config, CONFIGS["text_encoder"]["context_dim"])
    encoder.encoder.set_input_embeddings(nn.Embedding(config.vocab_size, config.d_model))
    return encoder


def encode_prompts(encoder: TextEncoder, prompts: Sequence[str]) -> TextContext:
    """Encode prompts, each in the length that it has when it is encoded alone."""
    ids = [TOKENIZER.encode(prompt).ids for prompt in prompts]
    longest = max(len(row) for row in ids) + 1
    tokens = torch.tensor([row + [0] * (longest - len(row)) for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in ids])
    text = encoder(encoder.encoder.get_input_embeddings()(tokens), mask)
    return TextContext(tokens=text.tokens, mask=text.mask, length=mask.sum(dim=1) + 1)
