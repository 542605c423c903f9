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
from engine.checkpoint.already_prepared import original_gone
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
from engine.checkpoint.originals import Originals, delete_the_rest, open_official
from engine.checkpoint.preparation import (
    FileWriter,
    ResumablePreparation,
    work_in_bytes,
)
from engine.checkpoint.prepared import PreparedFolder, check_entry, weights_name
from engine.checkpoint.prepared_layout import eight_bit_files, in_order_of_work, plan_files
from engine.checkpoint.progress import ByteProgress
from engine.checkpoint.repair import repair_model
from engine.checkpoint.resumable_file import PARTIAL, partial_of, unwritable
from engine.checkpoint.room import check_room
from engine.errors import InvalidRequest, ModelFileError, NewerModel

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.api import PrepareProgress
    from engine.checkpoint.model_json import FinishedFile
    from engine.checkpoint.official import OfficialFolder
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
    delete_originals: bool = False,
    on_ready: Callable[[ModelFolder], None] = lambda _: None,
) -> PreparedFolder:
    """Prepare the official files in the folder `source` into the folder `destination`.

    A `destination` that is prepared already is compared with its checksums, and what is damaged
    in it is made anew; all else is left as it is. With `eight_bit`, the U-Nets in 8 bit are added
    to it instead: `source` is then where it was prepared from, or itself.

    With `delete_originals`, each official file goes when all that is made of it is safe on the
    disk; `source` itself is left to `engine.checkpoint.originals.remove_emptied`. Whoever goes on
    with what was interrupted needs only those that are left.

    Args:
        source: the official files. Only read, but for `delete_originals`.
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
        delete_originals: whether the official files are deleted.
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
    adds_8bit = eight_bit and _is_whole(destination)
    if adds_8bit and source.resolve() == destination.resolve() and not delete_originals:
        return _add_8bit(None, destination, on_ready, on_progress, is_cancelled)
    official = open_official(source, destination, may_be_gone=delete_originals)
    _check_destination(official, destination)
    if adds_8bit:
        prepared = _add_8bit(official, destination, on_ready, on_progress, is_cancelled)
        if delete_originals:
            delete_the_rest(official, prepared.model, ByteProgress(0, on_progress, is_cancelled))
        return prepared
    _check_parts(official, expected)
    if _is_whole(destination) and (whole := _readable_model(destination)):
        repair_model(
            official, destination, whole, lambda: on_ready(official), on_progress, is_cancelled
        )
        prepared = PreparedFolder(destination)
        if delete_originals:
            delete_the_rest(official, prepared.model, ByteProgress(0, on_progress, is_cancelled))
        return prepared
    planned = plan_files(official, preview_map, eight_bit=eight_bit)
    if _is_whole(destination):
        names = {file.name.partition("/")[0] for file in planned}
        partials = {f"{name}{PARTIAL}" for name in names}
        _check_no_others(destination, {MODEL_FILE, *EIGHT_BIT_FILES, *names, *partials})
    for file in planned:
        if file.gone and file.name not in official.already.files:
            raise original_gone(destination / file.name, file.gone)
    originals = Originals(official, planned) if delete_originals else None
    in_order = in_order_of_work(planned)
    check_room(destination, in_order, originals.deleted_early if originals else {})
    _make_folders([destination])

    on_ready(official)
    preparation = ResumablePreparation(destination, planned, on_progress, is_cancelled)
    # Not before the folder says what it is: whoever is killed here can go on.
    _make_folders([(destination / file.name).parent for file in planned])
    done: dict[str, FinishedFile] = {}
    for file in in_order:
        done[file.name] = preparation.finish(file)
        if originals:
            originals.is_finished(done[file.name])
    # In the order of the plan, whatever came first: the same model is the same text.
    finished = [done[file.name] for file in planned]
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
    if originals:
        delete_the_rest(official, model, preparation.progress)
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
    official: OfficialFolder | None,
    destination: Path,
    on_ready: Callable[[ModelFolder], None],
    on_progress: Callable[[PrepareProgress], None],
    is_cancelled: Callable[[], bool],
) -> PreparedFolder:
    """Make the 8-bit files of the prepared weights in `destination`, and name them last."""
    model = PreparedFolder(destination)
    if official is not None:
        _check_same_model(official, model)
    entries = {entry.name: entry for entry in model.model.files}
    names = {part: weights_name(part) for part in EIGHT_BIT_PARTS}
    planned = [
        file
        for file in eight_bit_files(
            model,
            {part: model.tensors(part) for part in EIGHT_BIT_PARTS},
            {part: destination / name for part, name in names.items()},
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


def _check_same_model(official: OfficialFolder, model: PreparedFolder) -> None:
    """What is there of `official` looks like what `model` was made from."""
    known = {entry.name: entry.size for entry in model.model.sources}
    files = {name: file for name, file in official.sources().items() if file.suffix != ".json"}
    if any(known.get(name) != file.stat().st_size for name, file in files.items()):
        raise InvalidRequest(
            f"{model.path} holds a model that was not prepared from {official.path}. Name the "
            "folder that it was prepared from or, twice, its own."
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
        if not all(file.is_file() for file in official.files(part)):
            continue  # it was checked when it was there
        file = official.files(part)[0]
        is_split = len(official.files(part)) > 1
        check_tensors(
            part,
            official.index(part),
            expected(part, official),
            file.parent if is_split else file,
        )


def _make_folders(folders: Sequence[Path]) -> None:
    for folder in folders:
        try:
            make_folder(folder)
        except OSError as error:
            raise unwritable(folder, error) from error


def _write_last(destination: Path, model: ModelFile) -> None:
    """Declare the folder whole, and remove what only a preparation needs."""
    try:
        named = {entry.name for entry in model.files}
        for name in EIGHT_BIT_FILES - named:  # asked for by an attempt that did not end
            (destination / name).unlink(missing_ok=True)
            partial_of(destination / name).unlink(missing_ok=True)
        write_text_atomically(destination / MODEL_FILE, json_text(model))
        remove_all_temporaries(destination)  # before it is whole, after which nobody looks for them
        (destination / PREPARATION_FILE).unlink()
        fsync_folder(destination)
    except OSError as error:
        raise unwritable(destination, error) from error
