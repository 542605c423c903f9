from __future__ import annotations

from pathlib import Path

import pytest

from engine.checkpoint.folder import ModelPart
from engine.checkpoint.manifest import check_tensors
from engine.checkpoint.tensors import TensorRecord
from engine.errors import ModelFileError

FILE = Path("models/t2v.pt")
EXPECTED = {"a": (2, 3), "b": (4,), "c": ()}


def records(shapes: dict[str, tuple[int, ...]]) -> dict[str, TensorRecord]:
    return {
        name: TensorRecord(file=FILE, offset=0, dtype="float16", shape=shape)
        for name, shape in shapes.items()
    }


def complaint(found: dict[str, tuple[int, ...]]) -> str:
    with pytest.raises(ModelFileError) as caught:
        check_tensors(ModelPart.T2V, records(found), EXPECTED, FILE)
    return caught.value.message


def test_what_is_expected_passes() -> None:
    check_tensors(ModelPart.T2V, records(dict(EXPECTED)), EXPECTED, FILE)


def test_the_file_and_its_part_are_named() -> None:
    assert complaint({}).startswith(f"{FILE} does not fit the key-frame network of configs.json")


def test_missing_extra_and_misshapen_tensors_are_counted_and_the_first_is_named() -> None:
    message = complaint({"b": (5,), "x": (1,), "y": (2,)})
    assert "2 of 3 tensors are missing, the first a of shape [2, 3]" in message
    assert "2 tensors are not known, the first x of shape [1]" in message
    assert "1 tensors have another shape, the first b [5] instead of [4]" in message


def test_only_what_differs_is_told() -> None:
    message = complaint({**EXPECTED, "x": (1,)})
    assert "1 tensors are not known" in message
    assert "missing" not in message
    assert "another shape" not in message
