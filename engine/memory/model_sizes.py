"""What of a model its plans depend on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from engine.checkpoint.folder import ModelPart, resources_folder
from engine.checkpoint.json_file import read_json_object
from engine.checkpoint.official import OfficialFolder
from engine.config import ModelConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.checkpoint.networks import NetworkLoader


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSizes:
    """The sizes of a model's networks and of their weights.

    Attributes:
        config: of the networks.
        text_encoder_config: the parsed `config.json` of the text encoder.
        text_in_8bit: whether the text encoder's large matrices are 8-bit rows on the device.
        text_dtype: of those of its weights that keep the type of their file.
        eight_bit_bytes: of the units that can be 8-bit rows, for U-Nets that have such weights too.
    """

    config: ModelConfig
    text_encoder_config: Mapping[str, object]
    text_in_8bit: bool = True
    text_dtype: torch.dtype = torch.bfloat16
    eight_bit_bytes: Mapping[ModelPart, Mapping[str, int]] = field(
        default_factory=dict[ModelPart, "Mapping[str, int]"]
    )


def released_sizes() -> ModelSizes:
    """The sizes of the released model, prepared, without any of its files."""
    folder = resources_folder() / "kandinsky_1_1"
    return ModelSizes(
        config=ModelConfig.from_json(read_json_object(folder / "configs.json")),
        text_encoder_config=read_json_object(folder / "text_encoder_config.json"),
    )


def sizes_of(loader: NetworkLoader) -> ModelSizes:
    """The sizes of a model in a folder, from what its files say of themselves.

    Raises:
        ModelFileError: a file is damaged or foreign.
    """
    folder, part = loader.folder, ModelPart.TEXT_ENCODER
    # Comparing gigabytes with their checksums is for who reads them; here only types count.
    is_official = isinstance(folder, OfficialFolder)
    records = folder.index(part) if is_official else folder.tensors(part)
    query = next(record for name, record in records.items() if name.endswith(".q.weight"))
    return ModelSizes(
        config=loader.config,
        text_encoder_config=folder.text_encoder_config,
        text_in_8bit=loader.text_encoder_8bit,
        text_dtype=getattr(torch, query.dtype),
        eight_bit_bytes=_eight_bit_bytes(loader),
    )


def _eight_bit_bytes(loader: NetworkLoader) -> dict[ModelPart, dict[str, int]]:
    networks = {
        ModelPart.T2V: loader.key_frame_unet,
        ModelPart.INTERPOLATION: loader.interpolation_unet,
    }
    found: dict[ModelPart, dict[str, int]] = {}
    for part, load in networks.items():
        if loader.folder.tensors_8bit(part) is not None:
            # What is small is float16 on a card, a little less than this.
            source = load(torch.float32, in_8bit=True).source
            rebuilt = filter(source.is_rebuilt, source.units)
            found[part] = {unit: source.num_bytes(unit) for unit in rebuilt}
    return found
