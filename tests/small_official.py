"""The demo model in the layout of official files: small, with a text encoder in several files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

DEMO = Path(__file__).parents[1] / "resources" / "demo_model"
PARTS = ("t2v", "interpolation", "movq", "video_movq", "t5_projections")
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
_INDEX = "model.safetensors.index.json"


def write_small_official(folder: Path) -> None:
    """Fill `folder` with official files of 13 MB; preparing them takes about a second."""
    encoder = folder / "text_encoder"
    shutil.copytree(DEMO / "tokenizer", encoder)
    shutil.copyfile(DEMO / "text_encoder_config.json", encoder / "config.json")
    shutil.copyfile(DEMO / "configs.json", folder / "configs.json")
    for part in PARTS:
        torch.save(_nested(load_file(DEMO / f"{part}.safetensors")), folder / f"{part}.pt")
    weights = _in_full(load_file(DEMO / "text_encoder.safetensors"))
    names = sorted(weights)
    of_shards = dict(zip(SHARDS, (names[::2], names[1::2]), strict=True))
    for shard, its in of_shards.items():
        save_file({name: weights[name] for name in its}, encoder / shard)
    weight_map = {name: shard for shard, its in of_shards.items() for name in its}
    (encoder / _INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def _nested(tensors: dict[str, torch.Tensor]) -> dict:
    nested: dict = {}
    for name, tensor in tensors.items():
        if name == "null_embedding":
            nested[name] = tensor
        else:
            first, _, rest = name.partition(".")
            nested.setdefault(first, {})[rest] = tensor
    # What has no network of its own name in front is flat.
    if set(nested) - {"unet", "null_embedding", "projection_base", "projection_interpolation"}:
        return dict(tensors)
    return nested


def _in_full(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of the text encoder as they may have been before they became 8 bit."""
    scales = {name.removesuffix("SCB"): t for name, t in tensors.items() if name.endswith("SCB")}
    full = {}
    for name, tensor in tensors.items():
        scale = scales.get(name.removesuffix("weight"))
        if name.endswith("SCB"):
            continue
        full[name] = tensor if scale is None else tensor.float() * scale[:, None] / 127
    return {name: tensor.half().contiguous() for name, tensor in full.items()}
