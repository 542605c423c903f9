"""JSON objects in files that anyone may have written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from engine.checkpoint.tensors import unreadable
from engine.errors import ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

_MAX_BYTES = 64 * 2**20  # the index of a large text encoder has 0.1 MB


def read_json_object(path: Path) -> dict[str, object]:
    """The JSON object in the file `path`.

    Raises:
        ModelFileError: the file cannot be read, is too large, or holds something else.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(raw) > _MAX_BYTES:
        raise ModelFileError(f"{path} has more than {_MAX_BYTES} bytes, and should be small JSON.")
    try:
        value: object = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            f"{path} is damaged: it should hold JSON, and does not ({error}). Download it again.",
        ) from error
    if not isinstance(value, dict):
        raise ModelFileError(f"{path} should hold a JSON object, not a {type(value).__name__}.")
    return cast("dict[str, object]", value)


def json_object(value: object, file: Path, name: str) -> dict[str, object]:
    """`value`, the entry `name` of `file`, as the object that it must be.

    Raises:
        ModelFileError: it is something else.
    """
    if not isinstance(value, dict):
        raise ModelFileError(f"{file} lacks the object {name!r}, or it is something else.")
    return cast("dict[str, object]", value)
