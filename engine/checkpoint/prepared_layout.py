"""The files of a prepared folder, and what each of them is made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.checkpoint.already_prepared import OF_ENCODER, original_gone
from engine.checkpoint.eight_bit import eight_bit_tensors
from engine.checkpoint.eight_bit_layers import measure_networks, weight_axes
from engine.checkpoint.eight_bit_report import (
    EIGHT_BIT_FILE,
    EIGHT_BIT_PARTS,
    eight_bit_name,
    read_eight_bit_errors,
)
from engine.checkpoint.folder import ModelPart
from engine.checkpoint.model_json import TEXT_ENCODER_CONFIG_FILE, TOKENIZER_FOLDER
from engine.checkpoint.official import CONFIGS_FILE
from engine.checkpoint.prepared import PREVIEW_MAP_FILE, weights_name
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
    from collections.abc import Iterable, Iterator, Mapping

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
        sources: the files that it is made from, by the names that `model.json` gives them; without
            those that are gone.
        write: writes it to a path and tells a function how many more bytes are there.
        gone: of the files that it is made from, those that are not there any more: it can be kept
            if it is whole, and not made.
        is_copy: whether it is small, and the copy of an official file.
    """

    name: str
    size: int
    work_bytes: int
    sources: dict[str, Path]
    write: _WriteFile
    gone: tuple[Path, ...] = ()
    is_copy: bool = False


def plan_files(
    official: OfficialFolder, preview_map: PreviewMap | None = None, *, eight_bit: bool = False
) -> list[PlannedFile]:
    """The files of the folder that is prepared from `official`: weights behind what is small.

    `preview_map` is fitted, last of all, where it is not given. The U-Nets in 8 bit are measured,
    and written with `eight_bit`. A file whose official files are gone is planned as it is.

    Raises:
        ModelFileError: a file of `official` cannot be read or is damaged.
    """
    plans = [*_small_files(official)]
    plans += [_weights(official, part) for part in EIGHT_BIT_PARTS]
    plans += _eight_bit_of(official, with_weights=eight_bit)
    plans += [_weights(official, part) for part in ModelPart if part not in EIGHT_BIT_PARTS]
    return [*plans, _preview(official, preview_map)]


def in_order_of_work(files: Iterable[PlannedFile]) -> list[PlannedFile]:
    """`files` in the order in which to write them, so that little room is needed.

    Once the text encoder is in 8 bit, its official files can make room for the others.
    """
    encoder = weights_name(ModelPart.TEXT_ENCODER)
    # What is small is copied first: it can stand in for its official files then.
    return sorted(files, key=lambda file: (not file.is_copy, file.name != encoder))


def _small_files(official: OfficialFolder) -> Iterator[PlannedFile]:
    folder = official.text_encoder_folder
    yield _copied(official, CONFIGS_FILE, CONFIGS_FILE, official.path / CONFIGS_FILE)
    config = folder / "config.json"
    yield _copied(official, TEXT_ENCODER_CONFIG_FILE, f"{OF_ENCODER}config.json", config)
    for name in TOKENIZER_FILES:
        source_name = f"{OF_ENCODER}{name}"
        if (folder / name).is_file() or source_name in official.already.sources:
            yield _copied(official, f"{TOKENIZER_FOLDER}/{name}", source_name, folder / name)


def _kept(official: OfficialFolder, name: str, sources: Mapping[str, Path]) -> PlannedFile | None:
    """The plan of a file that cannot be made any more; None where it can."""
    gone = tuple(source for source in sources.values() if not source.is_file())
    if not gone:
        return None
    path = official.already.folder / name

    def write(_path: Path, _on_bytes: Callable[[int], None]) -> FileDigest:
        raise original_gone(path, gone)

    finished = official.already.files.get(name)
    return PlannedFile(
        name=name,
        size=finished.entry.size if finished else 0,
        work_bytes=0,
        sources={key: source for key, source in sources.items() if source not in gone},
        gone=gone,
        write=write,
    )


def _eight_bit_of(official: OfficialFolder, *, with_weights: bool) -> Iterator[PlannedFile]:
    sources = {part: official.files(part)[0] for part in EIGHT_BIT_PARTS}
    kept = _kept(official, EIGHT_BIT_FILE, {file.name: file for file in sources.values()})
    yield kept or _errors(official, {part: official.index(part) for part in sources}, sources)
    for part, file in sources.items() if with_weights else ():
        kept = _kept(official, eight_bit_name(part), {file.name: file})
        yield kept or _in_8bit(official, part, official.index(part), file)


def eight_bit_files(
    model: ModelFolder,
    records: Mapping[ModelPart, Mapping[str, TensorRecord]],
    sources: Mapping[ModelPart, Path],
) -> list[PlannedFile]:
    """What was measured of the U-Nets in 8 bit, and the two networks so.

    Args:
        model: the folder that they are made from.
        records: the tensors of `EIGHT_BIT_PARTS`.
        sources: the files that these are in.
    """
    networks = [_in_8bit(model, part, records[part], sources[part]) for part in EIGHT_BIT_PARTS]
    return [_errors(model, records, sources), *networks]


def _errors(
    model: ModelFolder,
    records: Mapping[ModelPart, Mapping[str, TensorRecord]],
    sources: Mapping[ModelPart, Path],
) -> PlannedFile:
    def write(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        errors = measure_networks(records, model.configs, on_bytes)
        return write_chunks(path, [errors.to_bytes()], lambda _: None)

    return PlannedFile(
        name=EIGHT_BIT_FILE,
        size=_ERRORS_BYTES * sum(map(len, records.values())),
        work_bytes=sum(
            record.num_bytes for part in EIGHT_BIT_PARTS for record in records[part].values()
        ),
        sources={file.name: file for file in sources.values()},
        write=write,
    )


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


def _copied(official: OfficialFolder, name: str, source_name: str, source: Path) -> PlannedFile:
    sources = {source_name: source}
    if kept := _kept(official, name, sources):
        return replace(kept, is_copy=True)

    def write(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        return write_chunks(path, file_chunks(source), on_bytes)

    size = source.stat().st_size
    return PlannedFile(
        name=name, size=size, work_bytes=size, sources=sources, is_copy=True, write=write
    )


def _weights(official: OfficialFolder, part: ModelPart) -> PlannedFile:
    name, is_encoder = weights_name(part), part is ModelPart.TEXT_ENCODER
    prefix = OF_ENCODER if is_encoder else ""
    sources = {f"{prefix}{file.name}": file for file in official.files(part)}
    if kept := _kept(official, name, sources):
        return kept
    records = official.index(part)
    streams = quantized_tensors(records) if is_encoder else copied_tensors(records)

    def write(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        return write_safetensors(path, streams, on_bytes)

    size = safetensors_bytes(streams)
    return PlannedFile(name=name, size=size, work_bytes=size, sources=sources, write=write)


def _preview(official: OfficialFolder, preview_map: PreviewMap | None) -> PlannedFile:
    files = official.files(ModelPart.IMAGE_MOVQ) if preview_map is None else ()
    sources = {file.name: file for file in files}
    if kept := _kept(official, PREVIEW_MAP_FILE, sources):
        return kept

    def write(path: Path, on_bytes: Callable[[int], None]) -> FileDigest:
        fitted = preview_map or fit_to_encoder(official)
        return write_chunks(path, [fitted.to_bytes()], on_bytes)

    return PlannedFile(
        name=PREVIEW_MAP_FILE,
        size=PREVIEW_BYTES,
        work_bytes=PREVIEW_BYTES,
        sources=sources,
        write=write,
    )
