"""The U-Nets' weights in 8 bit: whole numbers, with a float32 scale for each output channel.

A weight is its whole number times the scale of its channel. The largest number of a channel
becomes 127, so nothing is cut off. Other than the text encoder's (`engine.checkpoint.quantize`)
these are convolutions too, and are made into numbers again before they are used.

A layer's output for white input x has the error of its weight: the mean of |dW x|^2 over x is
|dW|^2, and that of |W x|^2 is |W|^2. So measuring the weight measures the layer.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.checkpoint.eight_bit_report import LayerError
from engine.checkpoint.safetensors_writer import TensorSpec, TensorStream, copied_tensors
from engine.checkpoint.tensors import CHUNK_BYTES, ITEM_BYTES, read_tensor
from engine.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Set

    from torch import Tensor

    from engine.checkpoint.tensors import TensorRecord

MIN_COSINE = 0.9999
"""A layer whose weight turns further than this is kept as it is."""

_LARGEST = 127
_DECIMALS = 7  # coarser than what the order of a sum changes, so that a model is the same anywhere


def scales_of(name: str) -> str:
    """The name that the scales of the weight `name` have."""
    return f"{name}_scale"


def scale_shape(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """The shape of the scales, which a weight of `shape` is multiplied with as they are."""
    return tuple(size if index == axis else 1 for index, size in enumerate(shape))


def measure_layer(name: str, record: TensorRecord, axis: int) -> LayerError:
    """Compare a weight with what 8 bit makes of it.

    Args:
        name: as in the official file.
        record: the weight, of any floating type.
        axis: that of its output channels.

    Raises:
        ModelFileError: the weight cannot be read, or has numbers that are not finite.
    """
    scales = _scales(name, record, axis)
    norm = result_norm = error_norm = product = 0.0
    for start, part in _slices(record):
        weight = read_tensor(part).float()
        own = _of_rows(scales, axis, start, len(weight))
        result = _quantized(weight, own).mul_(own).flatten()
        weight = weight.flatten()
        norm += float(weight @ weight)
        result_norm += float(result @ result)
        product += float(weight @ result)
        result -= weight
        error_norm += float(result @ result)
    if norm == 0:
        return LayerError(name=name, relative_error=0.0, cosine=1.0, is_exact=False)
    cosine = round(min(1.0, product / math.sqrt(norm * result_norm)), _DECIMALS)
    return LayerError(
        name=name,
        relative_error=round(math.sqrt(error_norm / norm), _DECIMALS),
        cosine=cosine,
        is_exact=cosine < MIN_COSINE,
    )


def eight_bit_tensors(
    records: Mapping[str, TensorRecord], axes: Mapping[str, int], exact: Set[str]
) -> list[TensorStream]:
    """Streams of a U-Net's tensors: weights with output axes in 8 bit, all else bit by bit.

    Args:
        records: the tensors of the part.
        axes: the weights that can be in 8 bit, and the axis of their output channels.
        exact: those of them that are kept as they are.
    """
    quantized = {name: axes[name] for name in records if name in axes and name not in exact}
    others = {name: record for name, record in records.items() if name not in quantized}
    # Scales first and whole numbers last: so every tensor is aligned to its elements.
    scales = [_scale_stream(name, records[name], axis) for name, axis in quantized.items()]
    weights = [_weight_stream(name, records[name], axis) for name, axis in quantized.items()]
    return [*scales, *copied_tensors(others), *weights]


def _scale_stream(name: str, record: TensorRecord, axis: int) -> TensorStream:
    spec = TensorSpec(name=scales_of(name), dtype="float32", shape=scale_shape(record.shape, axis))

    def chunks() -> Iterator[bytes]:
        yield _scales(name, record, axis).numpy().tobytes()

    return TensorStream(specs=(spec,), chunks=chunks)


def _weight_stream(name: str, record: TensorRecord, axis: int) -> TensorStream:
    def chunks() -> Iterator[bytes]:
        import torch

        scales = _scales(name, record, axis)
        for start, part in _slices(record):
            weight = read_tensor(part).float()
            rows = _quantized(weight, _of_rows(scales, axis, start, len(weight)))
            yield rows.to(torch.int8).numpy().tobytes()

    spec = TensorSpec(name=name, dtype="int8", shape=record.shape)
    return TensorStream(specs=(spec,), chunks=chunks)


def _scales(name: str, record: TensorRecord, axis: int) -> Tensor:
    """The scales of the weight `record`, in the shape of `scale_shape`."""
    import torch

    largest = torch.zeros(scale_shape(record.shape, axis))
    other_axes = [index for index in range(len(record.shape)) if index != axis]
    for start, part in _slices(record):
        found = read_tensor(part).float().abs_().amax(dim=other_axes, keepdim=True)
        own = _of_rows(largest, axis, start, part.shape[0])
        torch.maximum(own, found, out=own)
    if not torch.isfinite(largest).all():
        raise ModelFileError(
            f"{record.file} is damaged: {name} has numbers that are infinite or not a number. "
            "Download it again."
        )
    return largest / _LARGEST


def _of_rows(scales: Tensor, axis: int, start: int, count: int) -> Tensor:
    """The scales of `count` rows from row `start` on."""
    return scales[start : start + count] if axis == 0 else scales


def _quantized(weight: Tensor, scales: Tensor) -> Tensor:
    """Whole numbers, as floats; of a channel of zeros zeros."""
    import torch

    divisor = torch.where(scales == 0, torch.ones(()), scales)
    return torch.round(weight / divisor).clamp_(-_LARGEST, _LARGEST)


def _slices(record: TensorRecord) -> Iterator[tuple[int, TensorRecord]]:
    """`record` in slices of whole rows that are small enough to be computed with."""
    num_rows, *rest = record.shape
    row_bytes = math.prod(rest) * ITEM_BYTES[record.dtype]
    rows_each = max(1, CHUNK_BYTES // max(1, row_bytes))
    for start in range(0, num_rows, rows_each):
        yield (
            start,
            replace(
                record,
                offset=record.offset + start * row_bytes,
                shape=(min(rows_each, num_rows - start), *rest),
            ),
        )
