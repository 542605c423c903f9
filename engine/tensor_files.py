"""Tensors as the bytes of a safetensors file that says of itself what it is, and is checked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_DIGEST = "sha256"
_LENGTH_BYTES = 8  # of the header, at the beginning of a safetensors file


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFile:
    """The contents of a file.

    Attributes:
        tensors: by their names, on the CPU.
        metadata: what the writer said of them.
    """

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """The file, with a SHA-256 of the tensors' names, types, shapes and values in it."""
        return save(dict(self.tensors), {**self.metadata, _DIGEST: _digest(self.tensors)})

    @classmethod
    def from_bytes(cls, data: bytes) -> TensorFile:
        """The contents that `to_bytes` wrote.

        Raises:
            ValueError: the data are damaged, or something else.
        """
        metadata = dict(_metadata(data))
        try:
            tensors = load(data)
        except (SafetensorError, KeyError) as error:
            raise ValueError(f"it is no whole safetensors file: {error}") from error
        if metadata.pop(_DIGEST, None) != _digest(tensors):
            raise ValueError("its tensors are not those that were written")
        return cls(tensors=tensors, metadata=metadata)


def _metadata(data: bytes) -> dict[str, str]:
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    try:
        header: object = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
    except RecursionError as error:
        raise ValueError("its header is nested too deeply") from error
    metadata = cast("dict[str, object]", header).get("__metadata__") if _is_object(header) else None
    if not _is_object(metadata):
        raise ValueError("its header says nothing of what it is")
    return cast("dict[str, str]", metadata)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _digest(tensors: Mapping[str, Tensor]) -> str:
    sha256 = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        sha256.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        # As bytes, since numpy knows no bfloat16.
        sha256.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return sha256.hexdigest()
