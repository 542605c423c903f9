"""Writes the files of a prepared folder one by one, and remembers which of them are finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import __version__
from engine.checkpoint.model_json import (
    FORMAT_VERSION,
    PREPARATION_FILE,
    FileEntry,
    FinishedFile,
    Preparation,
    SourceState,
    json_text,
    read_preparation,
)
from engine.checkpoint.official import check_source
from engine.checkpoint.progress import ByteProgress
from engine.checkpoint.resumable_file import digest_file, unwritable
from engine.checkpoint.tensors import unreadable
from engine.errors import ModelFileError
from engine.files import write_text_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engine.api import PrepareProgress
    from engine.checkpoint.prepared_layout import PlannedFile


class ResumablePreparation:
    """The work on `destination`, of which `preparation.json` there remembers the finished part."""

    def __init__(
        self,
        destination: Path,
        planned: Sequence[PlannedFile],
        on_progress: Callable[[PrepareProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._destination = destination
        before = read_preparation(destination)
        self._finished = {file.entry.name: file for file in before.finished} if before else {}
        total = sum(_work_bytes(file) for file in planned)
        self._progress = ByteProgress(total, on_progress, is_cancelled)
        self._save()

    def finish(self, file: PlannedFile) -> FinishedFile:
        """Write `file` unless it is there and holds what it should.

        Raises:
            ModelFileError: a source is damaged or changes meanwhile, or the disk refuses.
            Cancelled: the work is to end; what is written so far is used by the next attempt.
        """
        before = self._finished.pop(file.name, None)
        if before is None or not self._still_holds(file, before):
            self._save()
            before = self._write(file)
        self._finished[file.name] = before
        self._save()
        return before

    def _still_holds(self, file: PlannedFile, before: FinishedFile) -> bool:
        path = self._destination / file.name
        states = [(state.entry.name, state.entry.size, state.mtime_ns) for state in before.sources]
        if states != [(name, *_state(source)) for name, source in file.sources.items()]:
            return False
        if not path.is_file() or path.stat().st_size != before.entry.size:
            return False
        on_bytes = self._progress.of(file.name)
        if digest_file(path, on_bytes).sha256 != before.entry.sha256:
            return False
        on_bytes(_work_bytes(file) - before.entry.size)
        return True

    def _write(self, file: PlannedFile) -> FinishedFile:
        path = self._destination / file.name
        try:
            path.unlink(missing_ok=True)  # the room that it takes is needed
        except OSError as error:
            raise unwritable(path, error) from error
        sources = tuple(self._check(name, source) for name, source in file.sources.items())
        digest = file.write(path, self._progress.of(file.name))
        for state, source in zip(sources, file.sources.values(), strict=True):
            if _state(source) != (state.entry.size, state.mtime_ns):
                raise ModelFileError(
                    f"{source} changed while it was read. Prepare the model again."
                )
        entry = FileEntry(name=file.name, size=digest.size, sha256=digest.sha256)
        return FinishedFile(entry=entry, sources=sources)

    def _check(self, name: str, source: Path) -> SourceState:
        size, mtime_ns = _state(source)
        sha256 = check_source(source, self._progress.of(name))
        return SourceState(entry=FileEntry(name=name, size=size, sha256=sha256), mtime_ns=mtime_ns)

    def _save(self) -> None:
        path = self._destination / PREPARATION_FILE
        state = Preparation(
            format_version=FORMAT_VERSION,
            kvdesk_version=__version__,
            finished=tuple(self._finished.values()),
        )
        try:
            write_text_atomically(path, json_text(state))
        except OSError as error:
            raise unwritable(path, error) from error


def _work_bytes(file: PlannedFile) -> int:
    return file.size + sum(_state(source)[0] for source in file.sources.values())


def _state(source: Path) -> tuple[int, int]:
    """Size and time of the last change."""
    try:
        stat = source.stat()
    except OSError as error:
        raise unreadable(source, error) from error
    return stat.st_size, stat.st_mtime_ns
