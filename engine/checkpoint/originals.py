"""Deletes official files once what was prepared of them is safe on the disk, and nothing else.

Each goes as soon as everything that is made of it was read back and recorded. What is small goes
last, when the model is whole. A file that is reached by a link stays where it is: the link goes.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from engine.api.downloads import JOURNAL_FILE, LOCK_FILE
from engine.api.files import fsync_folder
from engine.checkpoint.already_prepared import OF_ENCODER, already_prepared
from engine.checkpoint.folder import ModelFolder
from engine.checkpoint.json_file import read_json_object
from engine.checkpoint.model_json import MODEL_FILE, PREPARATION_FILE
from engine.checkpoint.official import OfficialFolder, check_source
from engine.checkpoint.preparation import state_of
from engine.checkpoint.resumable_file import unwritable
from engine.checkpoint.room import peak_bytes_deleting
from engine.checkpoint.text_encoder_source import WEIGHT_FILES, shard_names
from engine.errors import InvalidRequest, ModelFileError, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from pathlib import Path

    from engine.checkpoint.model_json import FinishedFile, ModelFile
    from engine.checkpoint.prepared_layout import PlannedFile
    from engine.checkpoint.progress import ByteProgress


def open_official(source: Path, destination: Path, *, may_be_gone: bool = False) -> OfficialFolder:
    """The official files in `source`; what was prepared of them into `destination` may be missing.

    Args:
        source: their folder; it may be gone itself where `may_be_gone` and `destination` says what
            was in it.
        destination: any folder, there or not.
        may_be_gone: whether they are deleted as they are prepared.

    Raises:
        ModelNotFound, ModelFileError, UnsupportedModel: they cannot be used.
        InvalidRequest: they are prepared already.
        NewerModel: a newer kvdesk prepared `destination`.
    """
    already = already_prepared(destination)
    # What lies in a prepared folder is not official, whatever it is called.
    is_ours = any((source / name).is_file() for name in (MODEL_FILE, PREPARATION_FILE))
    if already.sources and not is_ours:
        if source.is_dir() or may_be_gone:
            return OfficialFolder(source, already)
        raise ModelNotFound(f"There is no model in {source}: it is not a folder.")
    official = ModelFolder.open(source)
    if not isinstance(official, OfficialFolder):
        raise InvalidRequest(
            f"{source} is prepared already. Name the folder of the official files."
        )
    return official


def estimate_peak(source: Path, destination: Path) -> int:
    """About the most bytes that a model takes, in both folders, if `source` goes as it is prepared.

    Raises:
        EngineError: as `open_official`.
    """
    official = open_official(source, destination, may_be_gone=True)
    already = official.already
    sizes = {name: file.stat().st_size for name, file in official.sources().items()}
    kept = [
        file.entry.size
        for file in already.files.values()
        if not any(state.entry.name in sizes for state in file.sources)
    ]
    return sum(kept) + peak_bytes_deleting(sizes)


class Originals:
    """The official files of a preparation that deletes them."""

    def __init__(self, official: OfficialFolder, planned: Sequence[PlannedFile]) -> None:
        """`planned` is all that is made of them."""
        self._folder = official.path
        self._paths = official.sources()
        self._waiting = {
            name: {file.name for file in planned if name in file.sources} for name in self._paths
        }
        for file in planned:
            if file.is_copy:  # it opens the folder for who goes on
                for name in file.sources:
                    del self._waiting[name]

    @property
    def deleted_early(self) -> dict[str, Path]:
        """What is deleted before the model is whole, by name."""
        return {name: self._paths[name] for name in self._waiting if self._is_inside(name)}

    def is_finished(self, file: FinishedFile) -> None:
        """Delete what nothing more is made of, now that `file` is recorded.

        Raises:
            ModelFileError: it cannot be deleted.
        """
        for state in file.sources:
            name = state.entry.name
            waiting = self._waiting.get(name)
            if waiting is None:
                continue
            waiting.discard(file.entry.name)
            path = self._paths[name]
            is_same = path.is_file() and state_of(path) == (state.entry.size, state.mtime_ns)
            if not waiting and is_same and self._is_inside(name):
                _delete(path)

    def _is_inside(self, name: str) -> bool:
        return _is_inside(self._paths[name], self._folder)


def delete_the_rest(official: OfficialFolder, model: ModelFile, progress: ByteProgress) -> None:
    """Delete what is there of the official files that the whole `model` was prepared from.

    Each is compared with what it was then. The folders that are empty afterwards go too; that of
    the official files is left to `remove_emptied`.

    Raises:
        InvalidRequest: one is another file now; it is not deleted.
        ModelFileError: one cannot be read or deleted.
        Cancelled: by `progress`.
    """
    expected = {entry.name: entry.sha256 for entry in model.sources}
    folder = official.path
    found = {
        name: file
        for name, file in official.sources().items()
        if name in expected and _is_inside(file, folder)
    }
    progress.expect(sum(file.stat().st_size for file in found.values()))
    for name, file in found.items():
        if check_source(file, progress.of(name)) != expected[name]:
            raise InvalidRequest(
                f"{file} is another file than the one that the model was prepared from, and is not "
                "deleted. The model is whole; look at the file, and delete it yourself."
            )
    encoder = official.text_encoder_folder
    indexes = [encoder / name for name in WEIGHT_FILES if name.endswith(".json")]
    ours = [file for file in indexes if _is_inside(file, folder) and _is_index_of(file, expected)]
    for file in (*found.values(), *ours):
        _delete(file)
    _remove_folders(encoder, folder)


def remove_emptied(source: Path) -> None:
    """Remove the folder of official files that were all deleted, unless there is more in it."""
    with contextlib.suppress(OSError):
        left = list(source.iterdir())
        if {path.name for path in left} <= {JOURNAL_FILE, LOCK_FILE}:  # a download's own
            for path in left:
                path.unlink()
        source.rmdir()


def _remove_folders(encoder: Path, folder: Path) -> None:
    with contextlib.suppress(OSError):  # not empty, or not there any more
        if encoder.is_symlink():
            encoder.unlink()
        while encoder.resolve() != folder.resolve() and _is_inside(encoder, folder):
            encoder.rmdir()
            encoder = encoder.parent


def _is_index_of(index: Path, expected: Container[str]) -> bool:
    """Whether the file `index` names nothing but official files that were prepared."""
    if not index.is_file():
        return False
    try:
        names = shard_names(index, read_json_object(index))
    except ModelFileError:
        return False
    return all(f"{OF_ENCODER}{name}" in expected for name in names)


def _is_inside(file: Path, folder: Path) -> bool:
    """Whether `file`, or the link of that name, lies in `folder`, by no link to another folder."""
    return file.parent.resolve().is_relative_to(folder.resolve())


def _delete(file: Path) -> None:
    try:
        file.unlink()
        fsync_folder(file.parent)
    except OSError as error:
        raise unwritable(file, error) from error
