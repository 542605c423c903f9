"""What a prepared folder says of itself: `model.json`, and `preparation.json` until it is whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, cast

from engine.api import ClipDefaults, from_json, to_json
from engine.checkpoint.json_file import read_json_object
from engine.errors import MessageError, ModelFileError, NewerModel

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

    from engine.json_codec import JsonObject

MODEL_FILE = "model.json"
PREPARATION_FILE = "preparation.json"
TEXT_ENCODER_CONFIG_FILE = "text_encoder_config.json"
TOKENIZER_FOLDER = "tokenizer"
_ODD = "\\:\0"
_AGAIN = "Prepare the model again into the same folder."
FORMAT_VERSION = 1
"""Raised when a prepared folder changes in a way that an older kvdesk would not understand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """A file by its name in the folder, with "/" between folders; SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """The whole of `model.json`. It holds no time and no place: the same model is the same text."""

    format_version: int
    name: str
    description: str
    kvdesk_version: str
    defaults: ClipDefaults
    files: tuple[FileEntry, ...]
    sources: tuple[FileEntry, ...]
    sha256: str | None = None
    """Of the text without this line. None in folders that were prepared before there was one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """A source as it was when it was read; `mtime_ns` is the time of its last change."""

    entry: FileEntry
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedFile:
    """A file that is whole, and what it was made from."""

    entry: FileEntry
    sources: tuple[SourceState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """The whole of `preparation.json`: how far a preparation has come."""

    format_version: int
    kvdesk_version: str
    finished: tuple[FinishedFile, ...]


def read_model_file(folder: Path) -> ModelFile:
    """`model.json` of the prepared `folder`.

    Raises:
        NewerModel: a newer kvdesk wrote it.
        ModelFileError: it is damaged.
    """
    path = folder / MODEL_FILE
    data = read_json_object(path)
    version = data.get("format_version")
    if type(version) is int and version > FORMAT_VERSION:
        raise NewerModel(
            f"{folder} was prepared by a newer kvdesk (format {version}; this one reads up to "
            f"{FORMAT_VERSION}). Update kvdesk, or prepare the model again."
        )
    try:
        model = from_json(ModelFile, data, where=MODEL_FILE)
    except MessageError as error:
        raise ModelFileError(f"{path} is damaged: {error.message} {_AGAIN}") from error
    if model.sha256 not in (None, _sha256(_text(_without_sha256(data)))):
        raise ModelFileError(f"{path} is damaged: it was changed after it was written. {_AGAIN}")
    for entry in model.files:
        name = PurePosixPath(entry.name)
        is_odd = any(letter in _ODD or "\ud800" <= letter <= "\udfff" for letter in entry.name)
        if name.is_absolute() or ".." in name.parts or is_odd:
            raise ModelFileError(f"{path} names {entry.name!r}, which is not inside its folder.")
    return model


def read_preparation(folder: Path) -> Preparation | None:
    """`preparation.json` of `folder`; None where there is none that this kvdesk can read."""
    try:
        data = read_json_object(folder / PREPARATION_FILE)
        state = from_json(Preparation, data, where=PREPARATION_FILE)
    except (ModelFileError, MessageError):
        return None
    return state if state.format_version == FORMAT_VERSION else None


def model_fingerprint(folder: Path, *, without: Container[str]) -> str:
    """SHA-256 in hexadecimal of `model.json` without the files named `without`.

    Those may be added to a model, and its clips are still clips of the same model.

    Raises:
        ModelFileError: `model.json` cannot be read.
    """
    data = read_json_object(folder / MODEL_FILE)
    files = cast("list[JsonObject]", data["files"])
    data["files"] = [entry for entry in files if entry["name"] not in without]
    return _sha256(_text(_without_sha256(data)))


def with_files(folder: Path, changed: Sequence[FileEntry]) -> str:
    """The text of `model.json` with the files `changed`, new ones last, and all else as it is.

    Raises:
        ModelFileError: `model.json` cannot be read.
    """
    data = read_json_object(folder / MODEL_FILE)
    files = {entry["name"]: entry for entry in cast("list[JsonObject]", data["files"])}
    files.update((entry.name, to_json(entry)) for entry in changed)
    data["files"] = list(files.values())
    return _signed(data)


def json_text(value: ModelFile | Preparation) -> str:
    """`value` as the text of its file."""
    data = to_json(value)
    return _signed(data) if isinstance(value, ModelFile) else _text(data)


def _signed(data: JsonObject) -> str:
    data = _without_sha256(data)
    return _text({**data, "sha256": _sha256(_text(data))})


def _without_sha256(data: JsonObject) -> JsonObject:
    return {name: value for name, value in data.items() if name != "sha256"}


def _sha256(text: str) -> str:
    # Half of a character that takes two is no UTF-8, and may stand in anybody's JSON.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _text(data: JsonObject) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
