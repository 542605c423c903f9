"""Makes a prepared folder of the official files, and goes on where an earlier attempt stopped.

The numbers are copied bit by bit, but for the text encoder's Linear weights, which become 8 bit.
Whatever is interrupted, `model.json` is written last: a folder that has one is whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from engine import __version__
from engine.api import ClipDefaults
from engine.checkpoint.eight_bit_report import EIGHT_BIT_FILES, EIGHT_BIT_PARTS
from engine.checkpoint.folder import ModelFolder, ModelPart
from engine.checkpoint.manifest import check_tensors
from engine.checkpoint.model_json import (
    FORMAT_VERSION,
    MODEL_FILE,
    PREPARATION_FILE,
    FileEntry,
    ModelFile,
    json_text,
    with_more_files,
)
from engine.checkpoint.official import OfficialFolder
from engine.checkpoint.preparation import ResumablePreparation
from engine.checkpoint.prepared import PreparedFolder, weights_name
from engine.checkpoint.prepared_layout import eight_bit_files, plan_files
from engine.checkpoint.progress import ByteProgress
from engine.checkpoint.resumable_file import partial_of, unwritable
from engine.errors import InvalidRequest
from engine.files import fsync_folder, write_text_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.api import PrepareProgress
    from engine.checkpoint.prepared_layout import PlannedFile
    from engine.preview import PreviewMap

_LEFTOVERS = ".kvdesk-*.tmp"  # what a write that was killed leaves behind, see engine.files

ExpectedTensors = Callable[[ModelPart, ModelFolder], Mapping[str, tuple[int, ...]]]
"""Gives the names and shapes of the tensors that a part of a folder must have."""


def prepare_model(
    source: Path,
    destination: Path,
    *,
    expected: ExpectedTensors | None,
    on_progress: Callable[[PrepareProgress], None],
    is_cancelled: Callable[[], bool],
    name: str | None = None,
    description: str = "",
    defaults: ClipDefaults | None = None,
    preview_map: PreviewMap | None = None,
    eight_bit: bool = False,
) -> PreparedFolder:
    """Prepare the official files in the folder `source` into the folder `destination`.

    With `eight_bit`, `destination` may be prepared already: the U-Nets in 8 bit are added to it,
    and all else is left as it is. `source` is then where it was prepared from, or itself.

    Args:
        source: only read.
        destination: free, empty, or left by an attempt that did not end.
        expected: gives the names and shapes that a part must have, such as
            `engine.checkpoint.networks.expected_shapes`; None where they need not be checked.
        on_progress: told the bytes that are checked and written so far.
        is_cancelled: asked after every few megabytes.
        name: what the model is called; the name of `destination` where it is left out.
        description: a sentence about the model.
        defaults: what it is used with; those of the official model where they are left out.
        preview_map: from its latents to colours; fitted to its image encoder where it is left out.
        eight_bit: whether the U-Nets are also written in 8 bit.

    Returns:
        The prepared folder, opened.

    Raises:
        ModelNotFound, ModelFileError, UnsupportedModel: `source` cannot be used, or is damaged.
        InvalidRequest: `destination` cannot be used.
        Cancelled: by `is_cancelled`; the same call goes on.
    """
    if eight_bit and _is_whole(destination):
        return _add_8bit(source, destination, on_progress, is_cancelled)
    official = ModelFolder.open(source)
    if not isinstance(official, OfficialFolder):
        raise InvalidRequest(
            f"{source} is prepared already. Name the folder of the official files."
        )
    _check_destination(official, destination)
    _check_parts(official, expected)
    planned = plan_files(official, preview_map, eight_bit=eight_bit)
    _check_free_space(destination, planned)
    _make_folders(destination, planned)

    preparation = ResumablePreparation(destination, planned, on_progress, is_cancelled)
    finished = [preparation.finish(file) for file in planned]
    sources = {state.entry.name: state.entry for file in finished for state in file.sources}
    model = ModelFile(
        format_version=FORMAT_VERSION,
        name=name or destination.resolve().name,
        description=description,
        kvdesk_version=__version__,
        defaults=defaults or ClipDefaults(),
        files=tuple(file.entry for file in finished),
        sources=tuple(sources[key] for key in sorted(sources)),
    )
    _write_last(destination, model)
    return PreparedFolder(destination)


def _is_whole(destination: Path) -> bool:
    return (destination / MODEL_FILE).is_file() and not (destination / PREPARATION_FILE).exists()


def _add_8bit(
    source: Path,
    destination: Path,
    on_progress: Callable[[PrepareProgress], None],
    is_cancelled: Callable[[], bool],
) -> PreparedFolder:
    """Make the 8-bit files of the prepared weights in `destination`, and name them last."""
    model = PreparedFolder(destination)
    _check_same_model(source, model)
    entries = {entry.name: entry for entry in model.model.files}
    names = {part: weights_name(part) for part in EIGHT_BIT_PARTS}
    planned = [
        file
        for file in eight_bit_files(
            model,
            {part: model.tensors(part) for part in EIGHT_BIT_PARTS},
            {part: destination / name for part, name in names.items()},
            with_weights=True,
        )
        if file.name not in entries
    ]
    if not planned:
        return model
    _check_free_space(destination, planned)
    weights = [entries[name] for name in names.values()]
    total = sum(entry.size for entry in weights) + sum(file.work_bytes for file in planned)
    progress = ByteProgress(total, on_progress, is_cancelled)
    for entry in weights:
        model.verify_file(entry, progress.of(entry.name))
    added: list[FileEntry] = []
    for file in planned:
        digest = file.write(destination / file.name, progress.of(file.name))
        added.append(FileEntry(name=file.name, size=digest.size, sha256=digest.sha256))
    try:
        write_text_atomically(destination / MODEL_FILE, with_more_files(destination, added))
    except OSError as error:
        raise unwritable(destination, error) from error
    return PreparedFolder(destination)


def _check_same_model(source: Path, model: PreparedFolder) -> None:
    """`source` is the folder of `model`, or has the files that it was made from."""
    if source.resolve() == model.path.resolve():
        return
    official = ModelFolder.open(source)
    known = {entry.name: entry.size for entry in model.model.sources}
    if isinstance(official, OfficialFolder):
        files = [file for part in EIGHT_BIT_PARTS for file in official.files(part)]
        if all(known.get(file.name) == file.stat().st_size for file in files):
            return
    raise InvalidRequest(
        f"{model.path} holds a model that was not prepared from {source}. Name the folder that it "
        "was prepared from or, twice, its own."
    )


def _check_destination(official: OfficialFolder, destination: Path) -> None:
    for folder in (official.path, official.text_encoder_folder):
        if destination.resolve().is_relative_to(folder.resolve()):
            raise InvalidRequest(
                f"The model cannot be prepared into {destination}, which is inside the official "
                f"files in {folder}. Choose a folder outside of them."
            )
    if destination.exists() and not destination.is_dir():
        raise InvalidRequest(f"{destination} is a file. Choose a folder.")
    if not destination.is_dir() or (destination / PREPARATION_FILE).is_file():
        return
    if (destination / MODEL_FILE).exists():
        raise InvalidRequest(f"{destination} holds a model already. Choose another folder.")
    leftovers = set(destination.glob(_LEFTOVERS))
    foreign = sorted(path.name for path in destination.iterdir() if path not in leftovers)
    if foreign:
        raise InvalidRequest(
            f"{destination} is not empty: it holds {foreign[0]}. Choose a new or an empty folder."
        )


def _check_parts(official: OfficialFolder, expected: ExpectedTensors | None) -> None:
    if expected is None:
        return
    for part in ModelPart:
        file = official.files(part)[0]
        is_split = len(official.files(part)) > 1
        check_tensors(
            part,
            official.index(part),
            expected(part, official),
            file.parent if is_split else file,
        )


def _check_free_space(destination: Path, planned: Sequence[PlannedFile]) -> None:
    """The disk has room for what is not there yet."""
    needed = 0
    for file in planned:
        path = destination / file.name
        there = [name.stat().st_size for name in (path, partial_of(path)) if name.is_file()]
        needed += max(0, file.size - max(there, default=0))
    existing = next(
        path for path in (destination, *destination.absolute().parents) if path.exists()
    )
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise InvalidRequest(
            f"The prepared model needs {_gigabytes(needed)} more in {destination}, and the disk "
            f"has {_gigabytes(free)} free. Free {_gigabytes(needed - free)}, or choose a folder on "
            "another disk."
        )


def _gigabytes(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:.2f} GB"


def _make_folders(destination: Path, planned: Sequence[PlannedFile]) -> None:
    try:
        for file in planned:
            (destination / file.name).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(destination, error) from error


def _write_last(destination: Path, model: ModelFile) -> None:
    """Declare the folder whole, and remove what only a preparation needs."""
    try:
        named = {entry.name for entry in model.files}
        for name in EIGHT_BIT_FILES - named:  # asked for by an attempt that did not end
            (destination / name).unlink(missing_ok=True)
            partial_of(destination / name).unlink(missing_ok=True)
        write_text_atomically(destination / MODEL_FILE, json_text(model))
        (destination / PREPARATION_FILE).unlink()
        for leftover in destination.glob(_LEFTOVERS):
            leftover.unlink()
        fsync_folder(destination)
    except OSError as error:
        raise unwritable(destination, error) from error
