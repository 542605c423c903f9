"""Compares what a file of a model holds with what the networks need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.checkpoint.folder import ModelPart
    from engine.checkpoint.tensors import TensorRecord

Shape = tuple[int, ...]


def check_tensors(
    part: ModelPart,
    found: Mapping[str, TensorRecord],
    expected: Mapping[str, Shape],
    file: Path,
) -> None:
    """Check that `found` has the names and shapes of `expected`, and no others.

    Raises:
        ModelFileError: it has not; the message counts what differs and gives the first of each.
    """
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    misshapen = [
        name for name, shape in expected.items() if name in found and found[name].shape != shape
    ]
    reasons: list[str] = []
    if missing:
        shape = list(expected[missing[0]])
        reasons.append(
            f"{len(missing)} of {len(expected)} tensors are missing, the first "
            f"{missing[0]} of shape {shape}"
        )
    if extra:
        shape = list(found[extra[0]].shape)
        reasons.append(f"{len(extra)} tensors are not known, the first {extra[0]} of shape {shape}")
    if misshapen:
        name = misshapen[0]
        reasons.append(
            f"{len(misshapen)} tensors have another shape, the first {name} "
            f"{list(found[name].shape)} instead of {list(expected[name])}"
        )
    if reasons:
        raise ModelFileError(
            f"{file} does not fit the {part.label} of configs.json: {'; '.join(reasons)}. "
            "Use the files of one and the same model.",
            detail="\n".join([*missing, *extra, *misshapen][:100]),
        )
