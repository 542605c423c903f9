"""Most of the text encoder's Linear weights in 8 bit: rows of whole numbers, each with a scale.

The rule is that of LLM.int8() (Dettmers et al., 2022), computed by bitsandbytes, so that the
result is what `bitsandbytes.nn.Linear8bitLt` makes of the same weight.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from engine.checkpoint.safetensors_writer import TensorSpec, TensorStream, copied_tensors
from engine.checkpoint.tensors import CHUNK_BYTES, ITEM_BYTES, TensorRecord, read_tensor
from engine.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import torch

# Queries and keys stay as they are: T5 does not scale their products before the softmax, so their
# rounding alone turns the context by more than that of all the others. The embedding of relative
# positions has two dimensions too, and is not multiplied.
_LINEAR = re.compile(
    r"encoder\.block\.\d+\.layer\.\d+\."
    r"(SelfAttention\.[vo]|DenseReluDense\.(wi|wi_0|wi_1|wo))\.weight"
)
# Its import warns of a 4-bit kernel that is not installed. Nothing here is in 4 bit.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)

_SOURCE_TYPES = ("float16", "bfloat16", "float32")


def is_quantized(name: str) -> bool:
    """Whether the weight `name` of the text encoder is kept in 8 bit."""
    return _LINEAR.fullmatch(name) is not None


def scales_of(name: str) -> str:
    """The name that the row scales of the weight `name` have."""
    return name.removesuffix("weight") + "SCB"


def quantize_rows(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantise a Linear weight, row by row.

    Args:
        weight: (rows columns) in float16, bfloat16 or float32, on the CPU.

    Returns:
        (rows columns) int8 and (rows) float32: a weight is its whole number times its row's scale
        divided by 127. A row of zeros gives zeros and the scale 0.

    Raises:
        ValueError: a number is not finite, or is too large for float16.
    """
    import torch
    from bitsandbytes.functional import int8_vectorwise_quant

    half = weight.to(torch.float16)
    if not torch.isfinite(half).all():
        raise ValueError("it has numbers that are infinite, not a number, or beyond float16")
    rows, scales, _ = int8_vectorwise_quant(half)
    # Zeros divided by a scale of zero are not numbers, and what int8 they become is left open.
    rows[scales == 0] = 0
    return rows, scales


def quantized_tensors(records: Mapping[str, TensorRecord]) -> list[TensorStream]:
    """Streams of the text encoder: its Linear weights in 8 bit, all else bit by bit."""
    others = {name: record for name, record in records.items() if not is_quantized(name)}
    streams = copied_tensors(others)
    streams += [_quantized(name, record) for name, record in records.items() if is_quantized(name)]
    return streams


def _quantized(name: str, record: TensorRecord) -> TensorStream:
    if record.dtype not in _SOURCE_TYPES or len(record.shape) != 2:
        raise ModelFileError(
            f"{record.file} holds {name} as {record.dtype} of shape {record.shape}; a matrix in "
            f"{', '.join(_SOURCE_TYPES)} was expected."
        )
    specs = (
        TensorSpec(name=name, dtype="int8", shape=record.shape),
        TensorSpec(name=scales_of(name), dtype="float32", shape=record.shape[:1]),
    )
    return TensorStream(specs=specs, chunks=lambda: _quantized_chunks(name, record))


def _quantized_chunks(name: str, record: TensorRecord) -> Iterator[bytes | memoryview]:
    import torch

    all_scales: list[torch.Tensor] = []
    for part in _row_slices(record):
        try:
            rows, scales = quantize_rows(read_tensor(part))
        except ValueError as error:
            raise ModelFileError(
                f"{record.file} is damaged: {name} cannot be made 8 bit, because {error}. "
                "Download it again."
            ) from error
        all_scales.append(scales)
        yield rows.contiguous().numpy().tobytes()
    if all_scales:
        yield torch.cat(all_scales).numpy().tobytes()


def _row_slices(record: TensorRecord) -> Iterator[TensorRecord]:
    """`record` in slices of whole rows that are small enough to be computed with."""
    num_rows, columns = record.shape
    row_bytes = columns * ITEM_BYTES[record.dtype]
    rows_each = max(1, CHUNK_BYTES // max(1, row_bytes))
    for start in range(0, num_rows, rows_each):
        shape = (min(rows_each, num_rows - start), columns)
        yield TensorRecord(
            file=record.file,
            offset=record.offset + start * row_bytes,
            dtype=record.dtype,
            shape=shape,
        )
