"""Writes the toy checkpoint of the goldens in the layout of the official files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from goldens.weights_rule import golden_weight
from safetensors.torch import save_file

from engine.checkpoint.networks import (
    build_text_encoder,
    without_weights,
)
from engine.checkpoint.text_encoder_source import TABLE
from engine.config import ModelConfig
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.movq import MoVQ

if TYPE_CHECKING:
    from torch import Tensor, nn

GOLDENS = Path(__file__).parent / "goldens"


def write_official_layout(folder: Path) -> None:
    """Fill `folder` with the toy model: 40 MB of float32, the same numbers every time."""
    folder.mkdir(parents=True, exist_ok=True)
    configs = json.loads((GOLDENS / "configs.json").read_text())
    text_encoder_config = json.loads((GOLDENS / "text_encoder_config.json").read_text())
    config = ModelConfig.from_json(configs)
    text = build_text_encoder(config, text_encoder_config, in_8bit=False)
    archives: dict[str, dict[str, object]] = {
        "t2v": {
            "unet": golden_weights(without_weights(KeyFrameUNet, config.t2v), 105),
            "null_embedding": _null_embedding(config, 105),
        },
        "interpolation": {
            "unet": golden_weights(without_weights(InterpolationUNet, config.interpolation), 106),
            "null_embedding": _null_embedding(config, 106),
        },
        "movq": {**golden_weights(without_weights(MoVQ, config.image_movq), 107)},
        "video_movq": {**golden_weights(without_weights(MoVQ, config.video_movq), 108)},
        "t5_projections": {
            "projection_base": golden_weights(text.projection, 102),
            "projection_interpolation": golden_weights(text.projection, 103),
        },
    }
    for name, contents in archives.items():
        torch.save(contents, folder / f"{name}.pt")
    shutil.copyfile(GOLDENS / "configs.json", folder / "configs.json")
    _write_text_encoder(folder / "text_encoder", text.encoder)


def golden_weights(network: nn.Module, seed: int, *, prefix: str = "") -> dict[str, Tensor]:
    """The weights of `network`, drawn by their names in its state dict behind `prefix`."""
    return {
        name: torch.from_numpy(golden_weight(name, tuple(tensor.shape), seed))
        for name, tensor in network.state_dict(prefix=prefix).items()
    }


def _null_embedding(config: ModelConfig, seed: int) -> Tensor:
    shape = (1, config.text.context_dim)
    return torch.from_numpy(golden_weight("null_embedding", shape, seed)[0])


def _write_text_encoder(folder: Path, encoder: nn.Module) -> None:
    shutil.copytree(GOLDENS / "tokenizer", folder, dirs_exist_ok=True)
    shutil.copyfile(GOLDENS / "text_encoder_config.json", folder / "config.json")
    weights = golden_weights(encoder, 101, prefix="encoder.")
    # Not a weight of the network: the rows of a prompt's tokens are read from the file.
    table = (encoder.config.vocab_size, encoder.config.d_model)
    weights[TABLE] = torch.from_numpy(golden_weight(TABLE, table, 101))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
