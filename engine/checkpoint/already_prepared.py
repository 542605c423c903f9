"""What a folder holds that was prepared already: the official files of that may be gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.checkpoint.model_json import (
    MODEL_FILE,
    PREPARATION_FILE,
    FinishedFile,
    read_model_file,
    read_preparation,
)
from engine.checkpoint.resumable_file import digest_file
from engine.errors import ModelFileError, NewerModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from engine.checkpoint.model_json import FileEntry

OF_ENCODER = "text_encoder/"
"""What the names of the text encoder's official files begin with, wherever its folder is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyPrepared:
    """What `folder` says of itself.

    Attributes:
        folder: a model's, whole or not.
        files: those that are finished, by their names. Where the folder is whole, they do not say
            what each was made from.
        sources: the official files that any of them was made from, by their names.
    """

    folder: Path
    files: Mapping[str, FinishedFile]
    sources: Mapping[str, FileEntry]

    def stand_in(self, original: Path, name: str) -> Path:
        """`original` or, where that is gone, the prepared file `name`, which is a copy of it.

        Raises:
            ModelFileError: the copy is damaged.
        """
        finished = self.files.get(name)
        if original.is_file() or finished is None:
            return original
        copy = self.folder / name
        if not copy.is_file() or digest_file(copy, _ignore).sha256 != finished.entry.sha256:
            raise original_gone(copy, [original])
        return copy


def already_prepared(folder: Path) -> AlreadyPrepared:
    """What was prepared into `folder`, which need not be there.

    Raises:
        NewerModel: a newer kvdesk prepared it.
    """
    files: list[FinishedFile] = []
    sources: list[FileEntry] = []
    if (folder / MODEL_FILE).is_file() and not (folder / PREPARATION_FILE).exists():
        try:
            model = read_model_file(folder)
        except NewerModel:
            raise
        except ModelFileError:  # it has to be made anew
            pass
        else:
            files = [FinishedFile(entry=entry, sources=()) for entry in model.files]
            sources = list(model.sources)
    elif (state := read_preparation(folder)) is not None:
        files = list(state.finished)
        sources = [source.entry for file in files for source in file.sources]
    return AlreadyPrepared(
        folder=folder,
        files={file.entry.name: file for file in files},
        sources={entry.name: entry for entry in sources},
    )


def original_gone(prepared: Path, originals: Iterable[Path]) -> ModelFileError:
    """The error for a file that has to be made anew of official files that are gone."""
    missing = [original for original in originals if not original.is_file()]
    names = " and ".join(original.name for original in missing)
    folder = missing[0].parent if missing else prepared.parent
    fetching = " ".join(f"--only {original.name}" for original in missing)
    return ModelFileError(
        f"{prepared} is missing or damaged, and what it is made from is gone: {names}. Fetch "
        f"{names} of the official files again into {folder} (kvdesk download {fetching}), and "
        "prepare the model again: all else is kept."
    )


def _ignore(_count: int) -> None:
    pass
