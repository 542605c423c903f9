"""Makes damaged files of a prepared folder anew, from the official files that it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.api.files import write_text_atomically
from engine.checkpoint.already_prepared import original_gone
from engine.checkpoint.eight_bit_report import EIGHT_BIT_PARTS, eight_bit_name
from engine.checkpoint.model_json import MODEL_FILE, with_files
from engine.checkpoint.preparation import FileWriter, work_in_bytes
from engine.checkpoint.prepared import check_entry
from engine.checkpoint.prepared_layout import plan_files
from engine.checkpoint.progress import ByteProgress, Share
from engine.checkpoint.resumable_file import unwritable
from engine.checkpoint.room import check_room
from engine.errors import InvalidRequest, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.api import PrepareProgress
    from engine.checkpoint.model_json import FileEntry, FinishedFile, ModelFile
    from engine.checkpoint.official import OfficialFolder
    from engine.checkpoint.prepared_layout import PlannedFile


def repair_model(
    official: OfficialFolder,
    destination: Path,
    model: ModelFile,
    on_ready: Callable[[], None],
    on_progress: Callable[[PrepareProgress], None],
    is_cancelled: Callable[[], bool],
) -> None:
    """Compare all files of the model in `destination`, and make anew what is damaged or missing.

    Whole files are left as they are. What is interrupted goes on with the same call.

    Args:
        official: where `destination` was prepared from.
        destination: a prepared folder.
        model: its `model.json`.
        on_ready: called before the first file is written.
        on_progress: told the bytes that are compared and written so far.
        is_cancelled: asked after every few megabytes.

    Raises:
        InvalidRequest: `official` is another model.
        ModelFileError: an official file is missing or damaged, or the disk refuses.
        DiskFull: there is too little room.
        Cancelled: by `is_cancelled`.
    """
    eight_bit = {eight_bit_name(part) for part in EIGHT_BIT_PARTS}
    names = {entry.name for entry in model.files}
    planned = plan_files(official, eight_bit=bool(eight_bit & names))
    _check_sizes(planned, model, official, destination)
    on_ready()
    progress = ByteProgress(sum(entry.size for entry in model.files), on_progress, is_cancelled)
    damaged = [entry for entry in model.files if not _is_whole(destination, entry, progress)]
    if not damaged:
        return
    files = _files_of(damaged, planned, official)
    for file in files:
        if file.gone:
            raise original_gone(destination / file.name, file.gone)
    check_room(destination, files)
    progress.expect(work_in_bytes(files))
    writer = FileWriter(destination, progress)
    expected = {entry.name: entry.sha256 for entry in model.sources}
    finished: list[FinishedFile] = []
    for file in files:
        for state in writer.check_sources(file):
            if state.entry.sha256 != expected[state.entry.name]:
                raise _foreign(official, destination, state.entry.name)
        finished.append(writer.write(file))
    # Another version of a library may round another way: then it is another file, and said so.
    changed = [made.entry for made in finished if made.entry not in damaged]
    try:
        if changed:
            write_text_atomically(destination / MODEL_FILE, with_files(destination, changed))
    except OSError as error:
        raise unwritable(destination, error) from error


def _check_sizes(
    planned: list[PlannedFile], model: ModelFile, official: OfficialFolder, destination: Path
) -> None:
    """What the official files can be told by before they are read."""
    known = {entry.name: entry.size for entry in model.sources}
    for file in planned:
        for name, path in file.sources.items():
            if known.get(name) != path.stat().st_size:
                raise _foreign(official, destination, name)


def _foreign(official: OfficialFolder, destination: Path, name: str) -> InvalidRequest:
    return InvalidRequest(
        f"{destination} holds a model that was not prepared from {official.path}: {name} is "
        "another file. Name the folder that it was prepared from, or prepare into another one."
    )


def _is_whole(destination: Path, entry: FileEntry, progress: ByteProgress) -> bool:
    share = Share(progress.of(entry.name), entry.size)
    try:
        check_entry(destination, entry, share.on_bytes)
    except ModelFileError:
        share.finish()
        return False
    return True


def _files_of(
    damaged: list[FileEntry], planned: list[PlannedFile], official: OfficialFolder
) -> list[PlannedFile]:
    """The plans of the files `damaged`, in the order in which they are made."""
    names = {entry.name for entry in damaged}
    files = [file for file in planned if file.name in names]
    lost = names - {file.name for file in files}
    if lost:
        raise ModelFileError(
            f"{min(lost)} is damaged, and {official.path} has nothing that it could be made from. "
            "Complete the official files, or prepare them into another folder."
        )
    return files
