"""The files of a prepared folder, and what each of them is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.checkpoint.eight_bit import eight_bit_tensors
from engine.checkpoint.eight_bit_layers import measure_networks, weight_axes
from engine.checkpoint.eight_bit_report import (
    EIGHT_BIT_FILE,
    EIGHT_BIT_PARTS,
    eight_bit_name,
    read_eight_bit_errors,
)
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
    from collections.abc import Mapping

    from engine.checkpoint.folder import ModelFolder
    from engine.checkpoint.official import OfficialFolder
    from engine.checkpoint.tensors import TensorRecord
    from engine.preview import PreviewMap

_ERRORS_BYTES = 200  # what a layer takes in the file of the errors, about

_WriteFile = Callable[[Path, Callable[[int], None]], FileDigest]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """A file that is to be written, by its name in the prepared folder.

    Attributes:
        name: with "/" between folders.
        size: its bytes; about as many, where they are not known before it is written.
        work_bytes: bytes that making it is worth beside reading its sources, for the progress.
        sources: the files that it is made from, by the names that `model.json` gives them.
        write: writes it to a path and tells a function how many more bytes are there.
    """

    name: str
    size: int
    work_bytes: int
    sources: dict[str, Path]
    write: _WriteFile


def plan_files(
    official: OfficialFolder, preview_map: PreviewMap | None = None, *, eight_bit: bool = False
) -> list[PlannedFile]:
    """The files of the folder that is prepared from `official`: weights behind what is small.

    `preview_map` is fitted, last of all, where it is not given. The U-Nets in 8 bit are measured,
    and written with `eight_bit`.

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
    files += [_weights(official, part) for part in EIGHT_BIT_PARTS]
    records = {part: official.index(part) for part in EIGHT_BIT_PARTS}
    sources = {part: official.files(part)[0] for part in EIGHT_BIT_PARTS}
    files += eight_bit_files(official, records, sources, with_weights=eight_bit)
    files += [_weights(official, part) for part in ModelPart if part not in EIGHT_BIT_PARTS]
    return [*files, _preview(official, preview_map)]


def eight_bit_files(
    model: ModelFolder,
    records: Mapping[ModelPart, Mapping[str, TensorRecord]],
    sources: Mapping[ModelPart, Path],
    *,
    with_weights: bool,
) -> list[PlannedFile]:
    """What was measured of the U-Nets in 8 bit and, with `with_weights`, the two networks so.

    Args:
        model: the folder that they are made from.
        records: the tensors of `EIGHT_BIT_PARTS`.
        sources: the files that these are in.
        with_weights: whether the networks are written.
    """

    def write_errors(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        errors = measure_networks(records, model.configs, on_bytes)
        return write_chunks(path, [errors.to_bytes()], lambda _: None)

    errors_file = PlannedFile(
        name=EIGHT_BIT_FILE,
        size=_ERRORS_BYTES * sum(map(len, records.values())),
        work_bytes=sum(
            record.num_bytes for part in EIGHT_BIT_PARTS for record in records[part].values()
        ),
        sources={file.name: file for file in sources.values()},
        write=write_errors,
    )
    if not with_weights:
        return [errors_file]
    return [
        errors_file,
        *(_in_8bit(model, part, records[part], sources[part]) for part in EIGHT_BIT_PARTS),
    ]


def _in_8bit(
    model: ModelFolder, part: ModelPart, records: Mapping[str, TensorRecord], source: Path
) -> PlannedFile:
    axes = weight_axes(part, model.configs)

    def write(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        exact = read_eight_bit_errors(path.parent).exact_layers(part)
        return write_safetensors(path, eight_bit_tensors(records, axes, exact), on_bytes)

    size = safetensors_bytes(eight_bit_tensors(records, axes, frozenset()))
    return PlannedFile(
        name=eight_bit_name(part),
        size=size,
        work_bytes=size,
        sources={source.name: source},
        write=write,
    )


def _copied(name: str, source: Path, source_name: str) -> PlannedFile:
    def write(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        return write_chunks(path, file_chunks(source), on_bytes)

    size = source.stat().st_size
    return PlannedFile(
        name=name, size=size, work_bytes=size, sources={source_name: source}, write=write
    )


def _weights(official: OfficialFolder, part: ModelPart) -> PlannedFile:
    records = official.index(part)
    is_encoder = part is ModelPart.TEXT_ENCODER
    streams = quantized_tensors(records) if is_encoder else copied_tensors(records)

    def write(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        return write_safetensors(path, streams, on_bytes)

    size = safetensors_bytes(streams)
    return PlannedFile(
        name=weights_name(part),
        size=size,
        work_bytes=size,
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
        work_bytes=PREVIEW_BYTES,
        sources={file.name: file for file in sources},
        write=write,
    )


def _in_encoder(name: str) -> str:
    return f"text_encoder/{name}"
