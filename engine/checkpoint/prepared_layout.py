"""The files of a prepared folder, and what each of them is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.checkpoint.folder import ModelPart
from engine.checkpoint.official import CONFIGS_FILE
from engine.checkpoint.prepared import (
    PREVIEW_MAP_FILE,
    TEXT_ENCODER_CONFIG_FILE,
    TOKENIZER_FOLDER,
    weights_name,
)
from engine.checkpoint.preview_fit import fit_to_encoder
from engine.checkpoint.quantize import quantized_tensors
from engine.checkpoint.resumable_file import FileDigest, file_chunks, write_chunks
from engine.checkpoint.safetensors_writer import (
    copied_tensors,
    safetensors_bytes,
    write_safetensors,
)
from engine.checkpoint.text_encoder_source import TOKENIZER_FILES
from engine.preview import PREVIEW_BYTES

if TYPE_CHECKING:
    from engine.checkpoint.official import OfficialFolder
    from engine.preview import PreviewMap

_WriteFile = Callable[[Path, Callable[[int], None]], FileDigest]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """A file that is to be written, by its name in the prepared folder.

    Attributes:
        name: with "/" between folders.
        size: its bytes.
        sources: the files that it is made from, by the names that `model.json` gives them.
        write: writes it to a path and tells a function how many more bytes are there.
    """

    name: str
    size: int
    sources: dict[str, Path]
    write: _WriteFile


def plan_files(
    official: OfficialFolder, preview_map: PreviewMap | None = None
) -> list[PlannedFile]:
    """The files of the folder that is prepared from `official`: weights behind what is small.

    `preview_map` is fitted, last of all, where it is not given.

    Raises:
        ModelFileError: a file of `official` cannot be read or is damaged.
    """
    text_encoder = official.text_encoder_folder
    files = [
        _copied(CONFIGS_FILE, official.path / CONFIGS_FILE, CONFIGS_FILE),
        _copied(TEXT_ENCODER_CONFIG_FILE, text_encoder / "config.json", _in_encoder("config.json")),
    ]
    files += [
        _copied(f"{TOKENIZER_FOLDER}/{name}", text_encoder / name, _in_encoder(name))
        for name in TOKENIZER_FILES
        if (text_encoder / name).is_file()
    ]
    files += [_weights(official, part) for part in ModelPart]
    return [*files, _preview(official, preview_map)]


def _copied(name: str, source: Path, source_name: str) -> PlannedFile:
    def write(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        return write_chunks(path, file_chunks(source), on_bytes)

    return PlannedFile(
        name=name, size=source.stat().st_size, sources={source_name: source}, write=write
    )


def _weights(official: OfficialFolder, part: ModelPart) -> PlannedFile:
    records = official.index(part)
    is_encoder = part is ModelPart.TEXT_ENCODER
    streams = quantized_tensors(records) if is_encoder else copied_tensors(records)

    def write(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        return write_safetensors(path, streams, on_bytes)

    return PlannedFile(
        name=weights_name(part),
        size=safetensors_bytes(streams),
        sources={
            _in_encoder(file.name) if is_encoder else file.name: file
            for file in official.files(part)
        },
        write=write,
    )


def _preview(official: OfficialFolder, preview_map: PreviewMap | None) -> PlannedFile:
    def write(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        fitted = preview_map or fit_to_encoder(official)
        return write_chunks(path, [fitted.to_bytes()], on_bytes)

    sources = official.files(ModelPart.IMAGE_MOVQ) if preview_map is None else ()
    return PlannedFile(
        name=PREVIEW_MAP_FILE,
        size=PREVIEW_BYTES,
        sources={file.name: file for file in sources},
        write=write,
    )


def _in_encoder(name: str) -> str:
    return f"text_encoder/{name}"
