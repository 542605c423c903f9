"""What was measured of the U-Nets in 8 bit, as the file `eight_bit.json` of a prepared folder.

It is a file of its own and not an entry of `model.json`, of which every kvdesk refuses entries
that it does not know. Needs no torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.api import EightBitReport, from_json, to_json
from engine.checkpoint.folder import ModelPart
from engine.checkpoint.json_file import read_json_object
from engine.errors import MessageError, ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

EIGHT_BIT_FILE = "eight_bit.json"
EIGHT_BIT_PARTS = (ModelPart.T2V, ModelPart.INTERPOLATION)
"""The parts that can be in 8 bit."""


def eight_bit_name(part: ModelPart) -> str:
    """The name of the file that the 8-bit weights of `part` are in, where a model has them."""
    return f"{part}.8bit.safetensors"


EIGHT_BIT_FILES = frozenset({EIGHT_BIT_FILE, *map(eight_bit_name, EIGHT_BIT_PARTS)})
"""The files that a model can have or lack, and is the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerError:
    """What 8 bit makes of the weight `name`.

    Attributes:
        name: as in the official file.
        relative_error: the norm of the difference, as a part of the weight's norm.
        cosine: between the weight and what 8 bit makes of it.
        is_exact: whether the layer is kept as it is, because the error is too large.
    """

    name: str
    relative_error: float
    cosine: float
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartErrors:
    """The layers of one network that were measured."""

    part: ModelPart
    layers: tuple[LayerError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EightBitErrors:
    """The whole of `eight_bit.json`."""

    report: EightBitReport
    parts: tuple[PartErrors, ...]

    def exact_layers(self, part: ModelPart) -> frozenset[str]:
        """The weights of `part` that could be in 8 bit and are kept as they are."""
        return frozenset(
            layer.name
            for errors in self.parts
            if errors.part is part
            for layer in errors.layers
            if layer.is_exact
        )

    def to_bytes(self) -> bytes:
        """The contents of the file."""
        return (json.dumps(to_json(self), indent=1) + "\n").encode()


def read_eight_bit_errors(folder: Path) -> EightBitErrors:
    """`eight_bit.json` of the prepared `folder`.

    Raises:
        ModelFileError: it cannot be read, or is damaged.
    """
    path = folder / EIGHT_BIT_FILE
    try:
        return from_json(EightBitErrors, read_json_object(path), where=EIGHT_BIT_FILE)
    except MessageError as error:
        raise ModelFileError(
            f"{path} is damaged: {error.message} Prepare the model again."
        ) from error


def read_eight_bit_report(folder: Path) -> EightBitReport:
    """The sums of `eight_bit.json` alone, quickly.

    Raises:
        ModelFileError: the file cannot be read, or is damaged.
    """
    path = folder / EIGHT_BIT_FILE
    try:
        report = read_json_object(path).get("report")
        return from_json(EightBitReport, report, where="report")
    except MessageError as error:
        raise ModelFileError(
            f"{path} is damaged: {error.message} Prepare the model again."
        ) from error
