"""The toy networks of the goldens, with the weights that the recordings were made with."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from goldens.weights_rule import golden_weight
from official_layout import golden_weights
from safetensors.torch import load_file
from transformers import T5Config

from engine.config import ModelConfig
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.layers import TextContext
from engine.models.movq import MoVQ
from engine.models.text_encoder import TextEncoder

if TYPE_CHECKING:
    from torch import Tensor, nn

    NetworkT = TypeVar("NetworkT", bound=nn.Module)

GOLDENS = Path(__file__).parent / "goldens"
CONFIG = ModelConfig.from_json(json.loads((GOLDENS / "configs.json").read_text()))
PROMPTS = (
    "A red circle moving to the right on green grass",
    "luminescent jellyfish swims underwater, neon, 4k",
)


@cache
def recorded() -> dict[str, Tensor]:
    """Every recorded tensor by its name."""
    return load_file(GOLDENS / "goldens.safetensors")


def filled(network: NetworkT, seed: int) -> NetworkT:
    network.load_state_dict(golden_weights(network, seed))
    return network.eval().requires_grad_(False)


@cache
def key_frame_unet() -> KeyFrameUNet:
    return filled(KeyFrameUNet(CONFIG.t2v), 105)


@cache
def interpolation_unet() -> InterpolationUNet:
    return filled(InterpolationUNet(CONFIG.interpolation), 106)


@cache
def image_movq() -> MoVQ:
    return filled(MoVQ(CONFIG.image_movq), 107)


@cache
def video_movq() -> MoVQ:
    return filled(MoVQ(CONFIG.video_movq), 108)


def text_encoder(*, in_8bit: bool = False) -> TextEncoder:
    t5_config = T5Config.from_json_file(GOLDENS / "text_encoder_config.json")
    network = TextEncoder(t5_config, CONFIG.text.context_dim, in_8bit=in_8bit)
    if not in_8bit:
        network.encoder.load_state_dict(
            {
                name.removeprefix("encoder."): weight
                for name, weight in golden_weights(network.encoder, 101, prefix="encoder.").items()
            }
        )
        filled(network.projection, 102)
    return network.eval().requires_grad_(False)


def token_rows(input_ids: Tensor) -> Tensor:
    """(B N C) embeddings of tokens (B N), as the golden text encoder is given them."""
    t5_config = T5Config.from_json_file(GOLDENS / "text_encoder_config.json")
    shape = (t5_config.vocab_size, t5_config.d_model)
    return torch.from_numpy(golden_weight("encoder.embed_tokens.weight", shape, 101))[input_ids]


def text(prompt: int, *, copies: int = 1) -> TextContext:
    """The recorded context of a prompt, so many times in a row."""
    tokens = recorded()[f"text.{prompt}.context"].repeat(copies, 1, 1)
    mask = recorded()[f"text.{prompt}.mask"].bool().repeat(copies, 1)
    return TextContext(tokens=tokens, mask=mask, length=torch.tensor([tokens.shape[1]] * copies))


def null_embedding(seed: int) -> Tensor:
    shape = (1, CONFIG.text.context_dim)
    return torch.from_numpy(golden_weight("null_embedding", shape, seed)[0])
