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
        sources = {name: source for file in planned for name, source in file.sources.items()}
        total = sum(file.work_bytes for file in planned)
        total += sum(_state(source)[0] for source in sources.values())
        self._progress = ByteProgress(total, on_progress, is_cancelled)
        self._checked: dict[str, SourceState] = {}
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
        self._checked.update((state.entry.name, state) for state in before.sources)
        self._save()
        return before

    def _still_holds(self, file: PlannedFile, before: FinishedFile) -> bool:
        path = self._destination / file.name
        states = [(state.entry.name, state.entry.size, state.mtime_ns) for state in before.sources]
        if states != [(name, *_state(source)) for name, source in file.sources.items()]:
            return False
        if not path.is_file() or path.stat().st_size != before.entry.size:
            return False
        share = _Share(self._progress.of(file.name), file.work_bytes)
        if digest_file(path, share.on_bytes).sha256 != before.entry.sha256:
            return False
        share.on_bytes(file.work_bytes)
        for name in file.sources:
            if name not in self._checked:
                self._progress.of(name)(_state(file.sources[name])[0])
        return True

    def _write(self, file: PlannedFile) -> FinishedFile:
        path = self._destination / file.name
        try:
            path.unlink(missing_ok=True)  # the room that it takes is needed
        except OSError as error:
            raise unwritable(path, error) from error
        sources = tuple(self._check(name, source) for name, source in file.sources.items())
        share = _Share(self._progress.of(file.name), file.work_bytes)
        digest = file.write(path, share.on_bytes)
        share.on_bytes(file.work_bytes)
        for state, source in zip(sources, file.sources.values(), strict=True):
            if _state(source) != (state.entry.size, state.mtime_ns):
                raise ModelFileError(
                    f"{source} changed while it was read. Prepare the model again."
                )
        entry = FileEntry(name=file.name, size=digest.size, sha256=digest.sha256)
        return FinishedFile(entry=entry, sources=sources)

    def _check(self, name: str, source: Path) -> SourceState:
        size, mtime_ns = _state(source)
        before = self._checked.get(name)
        if before is not None and (before.entry.size, before.mtime_ns) == (size, mtime_ns):
            return before
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


class _Share:
    """A file's part of the progress, of which no more is told than the file is worth."""

    def __init__(self, tell: Callable[[int], None], work_bytes: int) -> None:
        self._tell = tell
        self._left = work_bytes

    def on_bytes(self, count: int) -> None:
        """`count` more bytes are done, or all that are left."""
        count = min(count, self._left)
        self._left -= count
        self._tell(count)


def _state(source: Path) -> tuple[int, int]:
    """Size and time of the last change."""
    try:
        stat = source.stat()
    except OSError as error:
        raise unreadable(source, error) from error
    return stat.st_size, stat.st_mtime_ns
