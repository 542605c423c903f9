"""Which layers of the U-Nets can be in 8 bit, and what all of them together lose."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from torch import nn

from engine.api import EightBitReport
from engine.checkpoint.eight_bit import measure_layer, scale_shape
from engine.checkpoint.eight_bit_report import EIGHT_BIT_PARTS, EightBitErrors, PartErrors
from engine.checkpoint.folder import ModelPart
from engine.checkpoint.networks import without_weights
from engine.checkpoint.tensors import ITEM_BYTES
from engine.config import ModelConfig
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.layers import (
    Attention,
    AttentionPooling,
    ConditionalGroupNorm,
    TimeEmbedding,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from engine.checkpoint.eight_bit_report import LayerError
    from engine.checkpoint.tensors import TensorRecord

_CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)
_ONCE_PER_CLIP = (ConditionalGroupNorm, TimeEmbedding, AttentionPooling)
_PREFIX = "unet."


def weight_axes(part: ModelPart, configs: Mapping[str, object]) -> dict[str, int]:
    """The weights of the U-Net `part` that are used in every step, and their output axes.

    What is used once per clip stays exact: it costs little time, and nothing that stays in memory.

    Args:
        part: one of `EIGHT_BIT_PARTS`.
        configs: the parsed `configs.json`.
    """
    config = ModelConfig.from_json(configs)
    network: nn.Module = (
        without_weights(KeyFrameUNet, config.t2v)
        if part is ModelPart.T2V
        else without_weights(InterpolationUNet, config.interpolation)
    )
    return {f"{_PREFIX}{path}.weight": axis for path, axis in _layers(network, "")}


def _layers(module: nn.Module, path: str) -> Iterator[tuple[str, int]]:
    for name, child in module.named_children():
        child_path = f"{path}.{name}" if path else name
        if isinstance(child, nn.ConvTranspose2d):
            yield child_path, 1
        elif isinstance(child, (nn.Linear, *_CONVOLUTIONS)):
            if not _is_of_prompt(module, name):
                yield child_path, 0
        elif not isinstance(child, _ONCE_PER_CLIP):
            yield from _layers(child, child_path)


def _is_of_prompt(module: nn.Module, name: str) -> bool:
    """Whether the child `name` of `module` makes the keys or the values of the prompt."""
    if not isinstance(module, Attention) or name not in {"to_key", "to_value"}:
        return False
    return module.to_key.in_features != module.to_query.in_features


def measure_networks(
    records: Mapping[ModelPart, Mapping[str, TensorRecord]],
    configs: Mapping[str, object],
    on_bytes: Callable[[int], None],
) -> EightBitErrors:
    """Compare both U-Nets with what 8 bit makes of them.

    Args:
        records: the tensors of `EIGHT_BIT_PARTS`.
        configs: the parsed `configs.json`.
        on_bytes: told how many more bytes of the networks are done; may raise.

    Raises:
        ModelFileError: a weight cannot be read, or has numbers that are not finite.
    """
    parts: list[PartErrors] = []
    bytes_before = bytes_after = 0
    for part in EIGHT_BIT_PARTS:
        axes = weight_axes(part, configs)
        layers: list[LayerError] = []
        for name, record in records[part].items():
            bytes_before += record.num_bytes
            error = measure_layer(name, record, axes[name]) if name in axes else None
            if error is not None:
                layers.append(error)
            is_kept = error is None or error.is_exact
            bytes_after += record.num_bytes if is_kept else eight_bit_bytes(record, axes[name])
            on_bytes(record.num_bytes)
        parts.append(PartErrors(part=part, layers=tuple(layers)))
    errors = [layer for part in parts for layer in part.layers]
    used = [layer for layer in errors if not layer.is_exact]
    report = EightBitReport(
        num_layers=len(errors),
        num_exact=len(errors) - len(used),
        worst_cosine=min((layer.cosine for layer in used), default=1.0),
        mean_relative_error=sum(layer.relative_error for layer in used) / max(1, len(used)),
        bytes_before=bytes_before,
        bytes_after=bytes_after,
    )
    return EightBitErrors(report=report, parts=tuple(parts))


def eight_bit_bytes(record: TensorRecord, axis: int) -> int:
    """The bytes of a weight and its scales in 8 bit."""
    scales = prod(scale_shape(record.shape, axis)) * ITEM_BYTES["float32"]
    return prod(record.shape) + scales
