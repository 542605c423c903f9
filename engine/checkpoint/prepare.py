"""Makes a prepared folder of the official files, and goes on where an earlier attempt stopped.

The numbers are copied bit by bit, but for the text encoder's Linear weights, which become 8 bit.
Whatever is interrupted, `model.json` is written last: a folder that has one is whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from engine import __version__
from engine.api import ClipDefaults
from engine.api.files import (
    TEMPORARY_NAMES,
    fsync_folder,
    make_folder,
    remove_all_temporaries,
    write_text_atomically,
)
from engine.checkpoint.eight_bit_report import EIGHT_BIT_FILES, EIGHT_BIT_PARTS
from engine.checkpoint.folder import ModelFolder, ModelPart
from engine.checkpoint.manifest import check_tensors
from engine.checkpoint.model_json import (
    FORMAT_VERSION,
    MODEL_FILE,
    PREPARATION_FILE,
    ModelFile,
    SourceState,
    json_text,
    read_model_file,
    with_files,
)
from engine.checkpoint.official import OfficialFolder
from engine.checkpoint.preparation import (
    FileWriter,
    ResumablePreparation,
    check_room,
    work_in_bytes,
)
from engine.checkpoint.prepared import PreparedFolder, check_entry, weights_name
from engine.checkpoint.prepared_layout import eight_bit_files, plan_files
from engine.checkpoint.progress import ByteProgress
from engine.checkpoint.repair import repair_model
from engine.checkpoint.resumable_file import PARTIAL, partial_of, unwritable
from engine.errors import InvalidRequest, ModelFileError, NewerModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.api import PrepareProgress
    from engine.checkpoint.prepared_layout import PlannedFile
    from engine.preview import PreviewMap

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
    on_ready: Callable[[ModelFolder], None] = lambda _: None,
) -> PreparedFolder:
    """Prepare the official files in the folder `source` into the folder `destination`.

    A `destination` that is prepared already is compared with its checksums, and what is damaged
    in it is made anew; all else is left as it is. With `eight_bit`, the U-Nets in 8 bit are added
    to it instead: `source` is then where it was prepared from, or itself.

    Args:
        source: only read.
        destination: free, empty, left by an attempt that did not end, or prepared from `source`.
        expected: gives the names and shapes that a part must have, such as
            `engine.checkpoint.networks.expected_shapes`; None where they need not be checked.
        on_progress: told the bytes that are checked and written so far.
        is_cancelled: asked after every few megabytes.
        name: what the model is called; the name of `destination` where it is left out.
        description: a sentence about the model.
        defaults: what it is used with; those of the official model where they are left out.
        preview_map: from its latents to colours; fitted to its image encoder where it is left out.
        eight_bit: whether the U-Nets are also written in 8 bit.
        on_ready: given the opened source before the first file is written: from then on no other
            process is started, and nothing is used outside of the two folders.

    Returns:
        The prepared folder, opened.

    Raises:
        ModelNotFound, ModelFileError, UnsupportedModel: `source` cannot be used, or is damaged.
        InvalidRequest: `destination` cannot be used.
        DiskFull: there is too little room; the same call goes on once there is more.
        Cancelled: by `is_cancelled`; the same call goes on.
    """
    if eight_bit and _is_whole(destination):
        return _add_8bit(source, destination, on_ready, on_progress, is_cancelled)
    official = ModelFolder.open(source)
    if not isinstance(official, OfficialFolder):
        raise InvalidRequest(
            f"{source} is prepared already. Name the folder of the official files."
        )
    _check_destination(official, destination)
    _check_parts(official, expected)
    if _is_whole(destination) and (whole := _readable_model(destination)):
        repair_model(
            official, destination, whole, lambda: on_ready(official), on_progress, is_cancelled
        )
        return PreparedFolder(destination)
    planned = plan_files(official, preview_map, eight_bit=eight_bit)
    if _is_whole(destination):
        names = {file.name.partition("/")[0] for file in planned}
        partials = {f"{name}{PARTIAL}" for name in names}
        _check_no_others(destination, {MODEL_FILE, *EIGHT_BIT_FILES, *names, *partials})
    check_room(destination, planned)
    _make_folders(destination, planned)

    on_ready(official)
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


def _readable_model(destination: Path) -> ModelFile | None:
    """The `model.json` of a whole folder; None where it is damaged, and has to be made anew.

    Raises:
        NewerModel: it is not for this kvdesk to touch.
    """
    try:
        return read_model_file(destination)
    except NewerModel:
        raise
    except ModelFileError:
        return None


def _add_8bit(
    source: Path,
    destination: Path,
    on_ready: Callable[[ModelFolder], None],
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
    check_room(destination, planned)
    weights = [entries[name] for name in names.values()]
    on_ready(model)
    progress = ByteProgress(work_in_bytes(planned), on_progress, is_cancelled)
    writer = FileWriter(destination, progress)
    for entry in weights:
        check_entry(destination, entry, progress.of(entry.name))
        mtime_ns = (destination / entry.name).stat().st_mtime_ns
        writer.has_checked([SourceState(entry=entry, mtime_ns=mtime_ns)])
    added = [writer.write(file).entry for file in planned]
    try:
        write_text_atomically(destination / MODEL_FILE, with_files(destination, added))
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
    if not (destination / MODEL_FILE).exists():
        _check_no_others(destination, set())


def _check_no_others(destination: Path, ours: set[str]) -> None:
    """Nothing but `ours` is in `destination`: a model is not mixed with anything."""
    ours = ours | {path.name for path in destination.glob(TEMPORARY_NAMES)}
    foreign = sorted(path.name for path in destination.iterdir() if path.name not in ours)
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


def _make_folders(destination: Path, planned: Sequence[PlannedFile]) -> None:
    try:
        for file in planned:
            make_folder((destination / file.name).parent)
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
        remove_all_temporaries(destination)
        fsync_folder(destination)
    except OSError as error:
        raise unwritable(destination, error) from error
