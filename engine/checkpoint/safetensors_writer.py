"""Writes safetensors files of any size from a stream of chunks, in little memory.

The library's own writer wants all tensors of a file in memory at once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import TYPE_CHECKING

from engine.checkpoint.resumable_file import write_chunks
from engine.checkpoint.tensors import ITEM_BYTES, SAFETENSORS_CODES, read_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from engine.checkpoint.resumable_file import FileDigest
    from engine.checkpoint.tensors import TensorRecord

_ALIGNMENT = 8  # of the first tensor, as the format asks for


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorSpec:
    """A tensor that is to be written; `dtype` is torch's name for the type."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        """Bytes that the tensor takes in the file."""
        return prod(self.shape) * ITEM_BYTES[self.dtype]


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorStream:
    """Tensors that are made together; `chunks` begins anew to give their bytes, in order."""

    specs: tuple[TensorSpec, ...]
    chunks: Callable[[], Iterator[bytes | memoryview]]


def copied_tensors(records: Mapping[str, TensorRecord]) -> list[TensorStream]:
    """Streams that copy `records` bit by bit, the types with the largest elements first.

    In that order every tensor is aligned to its elements, whatever its shape.
    """

    def copied(name: str, record: TensorRecord) -> TensorStream:
        spec = TensorSpec(name=name, dtype=record.dtype, shape=record.shape)
        return TensorStream(specs=(spec,), chunks=lambda: read_chunks(record))

    ordered = sorted(records.items(), key=lambda item: -ITEM_BYTES[item[1].dtype])
    return [copied(name, record) for name, record in ordered]


def safetensors_bytes(streams: Sequence[TensorStream]) -> int:
    """The size of the file that `write_safetensors` makes of `streams`."""
    specs = _specs(streams)
    return len(_header(specs)) + sum(spec.num_bytes for spec in specs)


def write_safetensors(
    path: Path, streams: Sequence[TensorStream], on_bytes: Callable[[int], None]
) -> FileDigest:
    """Write the tensors of `streams` to `path`; goes on with an attempt that was interrupted.

    Args:
        path: the file, replaced when the new one is whole.
        streams: its tensors, in order.
        on_bytes: told how many more bytes are there; what it raises ends the writing.

    Raises:
        ModelFileError: a source cannot be read, or the disk refuses.
    """
    header = _header(_specs(streams))
    chunks = chain([header], chain.from_iterable(_checked(stream) for stream in streams))
    return write_chunks(path, chunks, on_bytes)


def _specs(streams: Iterable[TensorStream]) -> list[TensorSpec]:
    return [spec for stream in streams for spec in stream.specs]


def _header(specs: Sequence[TensorSpec]) -> bytes:
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for spec in specs:
        start, end = end, end + spec.num_bytes
        entries[spec.name] = {
            "dtype": SAFETENSORS_CODES[spec.dtype],
            "shape": list(spec.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _checked(stream: TensorStream) -> Iterator[bytes | memoryview]:
    """The chunks of `stream`, which must be as long as the header says."""
    expected = sum(spec.num_bytes for spec in stream.specs)
    written = 0
    for chunk in stream.chunks():
        written += len(chunk)
        yield chunk
    assert written == expected, f"{written} bytes for {stream.specs}"
