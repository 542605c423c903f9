"""Writes the files of a prepared folder one by one, and remembers which of them are finished.

What was written is read back, past the memory that the system keeps of files where it can be: a
file is finished when the disk gives its bytes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from engine import __version__
from engine.api.files import write_text_atomically
from engine.checkpoint.already_prepared import original_gone
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
from engine.checkpoint.progress import ByteProgress, Share
from engine.checkpoint.resumable_file import digest_file, unwritable
from engine.checkpoint.tensors import unreadable
from engine.errors import InvalidRequest, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from engine.api import PrepareProgress
    from engine.checkpoint.prepared_layout import PlannedFile


class FileWriter:
    """Writes files into `destination`, from sources whose contents are checked before."""

    def __init__(self, destination: Path, progress: ByteProgress) -> None:
        self._destination = destination
        self._progress = progress
        self._checked: dict[str, SourceState] = {}

    def write(self, file: PlannedFile) -> FinishedFile:
        """Write `file`, in place of any that is there.

        Raises:
            ModelFileError: a source is damaged or changes meanwhile, or the disk refuses.
            DiskFull: there is no room left.
            Cancelled: the work is to end; what is written so far is used by the next attempt.
        """
        path = self._destination / file.name
        try:
            path.unlink(missing_ok=True)  # the room that it takes is needed
        except OSError as error:
            raise unwritable(path, error) from error
        sources = self.check_sources(file)
        share = Share(self._progress.of(file.name), file.work_bytes)
        digest = file.write(path, share.on_bytes)
        share.finish()
        for state, source in zip(sources, file.sources.values(), strict=True):
            if state_of(source) != (state.entry.size, state.mtime_ns):
                raise ModelFileError(
                    f"{source} changed while it was read. Prepare the model again."
                )
        entry = FileEntry(name=file.name, size=digest.size, sha256=digest.sha256)
        self._read_back(file, entry)
        return FinishedFile(entry=entry, sources=sources)

    def check_sources(self, file: PlannedFile) -> tuple[SourceState, ...]:
        """Compare the sources of `file` with their checksums, unless they were already.

        Raises:
            ModelFileError: one is damaged.
        """
        return tuple(self._check(name, source) for name, source in file.sources.items())

    def has_checked(self, sources: Sequence[SourceState]) -> None:
        """Take it that `sources` were checked before."""
        self._checked.update((state.entry.name, state) for state in sources)

    def skip(self, file: PlannedFile) -> None:
        """Tell the progress of `file`, of which nothing is left to do."""
        for name, source in file.sources.items():
            if name not in self._checked:
                self._progress.of(name)(state_of(source)[0])

    def _check(self, name: str, source: Path) -> SourceState:
        size, mtime_ns = state_of(source)
        before = self._checked.get(name)
        if before is not None and (before.entry.size, before.mtime_ns) == (size, mtime_ns):
            return before
        sha256 = check_source(source, self._progress.of(name))
        entry = FileEntry(name=name, size=size, sha256=sha256)
        state = SourceState(entry=entry, mtime_ns=mtime_ns)
        self._checked[name] = state
        return state

    def _read_back(self, file: PlannedFile, entry: FileEntry) -> None:
        path = self._destination / entry.name
        _forget_cached(path)
        share = Share(self._progress.of(entry.name), file.size)
        if digest_file(path, share.on_bytes).sha256 != entry.sha256:
            raise ModelFileError(
                f"{path} was written, and reads differently: the disk, its cable or the computer's "
                "memory is at fault. Prepare the model into a folder on another disk."
            )
        share.finish()


def work_in_bytes(files: Sequence[PlannedFile]) -> int:
    """What a `FileWriter` tells the progress of `files`, each source once."""
    sources = {name: source for file in files for name, source in file.sources.items()}
    total = sum(file.work_bytes + file.size for file in files)
    return total + sum(state_of(source)[0] for source in sources.values())


def _forget_cached(path: Path) -> None:
    """Have the file `path`, which is synced, read from the disk next time. Linux only."""
    if not hasattr(os, "posix_fadvise"):
        return
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


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
        kept = {file.name for file in planned if file.gone}
        # Another version may make other files; of those that cannot be made any more, it need not.
        self._finished = {
            file.entry.name: file
            for file in (before.finished if before else ())
            if file.entry.name in kept or (before and before.kvdesk_version == __version__)
        }
        self._known = {
            state.entry.name: state.entry.sha256
            for file in (self._finished.values() if kept else ())
            for state in file.sources
        }
        self._progress = ByteProgress(work_in_bytes(planned), on_progress, is_cancelled)
        self._writer = FileWriter(destination, self._progress)
        self._save()

    @property
    def progress(self) -> ByteProgress:
        """Of the whole preparation."""
        return self._progress

    def finish(self, file: PlannedFile) -> FinishedFile:
        """Write `file` unless it is there and holds what it should.

        Raises:
            EngineError: as `FileWriter.write`, and where what it is made from is gone.
        """
        before = self._finished.get(file.name)
        if before is None or not self._still_holds(file, before):
            if file.gone:
                raise original_gone(self._destination / file.name, file.gone)
            self._finished.pop(file.name, None)
            self._save()
            before = self._writer.write(file)
            self._check_same(before)
        self._finished[file.name] = before
        self._writer.has_checked(before.sources)
        self._save()
        return before

    def _check_same(self, made: FinishedFile) -> None:
        """What was made anew is of the model that is kept without its official files."""
        for state in made.sources:
            if self._known.get(state.entry.name, state.entry.sha256) != state.entry.sha256:
                raise InvalidRequest(
                    f"{state.entry.name} is another file than the one that the model in "
                    f"{self._destination} was begun with, and others of that are gone. Name the "
                    "right file, or prepare into another folder."
                )

    def _still_holds(self, file: PlannedFile, before: FinishedFile) -> bool:
        path = self._destination / file.name
        states = [(state.entry.name, state.entry.size, state.mtime_ns) for state in before.sources]
        now = [(name, *state_of(source)) for name, source in file.sources.items()]
        if states != now and not file.gone:
            return False
        if not path.is_file() or path.stat().st_size != before.entry.size:
            return False
        share = Share(self._progress.of(file.name), file.work_bytes + file.size)
        if digest_file(path, share.on_bytes).sha256 != before.entry.sha256:
            return False
        share.finish()
        self._writer.skip(file)
        return True

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


def state_of(source: Path) -> tuple[int, int]:
    """Size and time of the last change."""
    try:
        stat = source.stat()
    except OSError as error:
        raise unreadable(source, error) from error
    return stat.st_size, stat.st_mtime_ns
