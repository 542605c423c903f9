"""A whole download: what it takes, and doing it.

Only for a process of its own; `engine.download.process` starts it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from engine.api import (
    DescribeDownload,
    DownloadDescribed,
    Downloaded,
    DownloadFile,
    DownloadModel,
)
from engine.api.downloads import LOCK_FILE
from engine.api.files import make_folder, remove_leftovers
from engine.checkpoint.model_json import MODEL_FILE
from engine.checkpoint.room import peak_bytes_deleting, prepared_bytes
from engine.disk_space import check_space, disk_full, free_bytes, is_disk_full
from engine.download.already_here import can_be_linked, copy, find_files, is_right, link
from engine.download.fetching import Fetcher
from engine.download.hub import Hub
from engine.download.journal import Journal
from engine.download.pace import SpeedLimit
from engine.download.part_file import PartFile, note_whole, part_bytes, part_of
from engine.download.patience import WHILE_WATCHED, Patience
from engine.download.progress import DownloadCount
from engine.download.waiting import Waiting
from engine.download.wanted_files import TEXT_ENCODER_FOLDER, WantedFile
from engine.errors import DownloadError, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from engine.api import DownloadProgress
    from engine.errors import EngineError

_PURPOSE = "the download"


class Download:
    """The download that `command` asks for, or asks about.

    Args:
        command: says what is to be fetched, and where to.
        on_progress: told how far it is, about four times a second, also while it waits.
        is_cancelled: asked several times a second.
        patience: with the server; where it is left out, little with a question.

    Raises:
        InvalidRequest: nothing can be downloaded into that folder.
        DownloadError: the address of the server is none.
    """

    def __init__(
        self,
        command: DescribeDownload | DownloadModel,
        *,
        on_progress: Callable[[DownloadProgress], None],
        is_cancelled: Callable[[], bool],
        patience: Patience | None = None,
    ) -> None:
        self._command = command
        self._folder = Path(command.folder).absolute()
        _check_folder(self._folder)
        is_question = isinstance(command, DescribeDownload)
        self._patience = patience or (WHILE_WATCHED if is_question else Patience())
        self._on_progress = on_progress
        self._count = DownloadCount(0, 0, on_progress)
        self._waiting = Waiting(self._patience, lambda words: self._count.tell(words), is_cancelled)
        self._hub = Hub(command.endpoint, self._patience)
        self._copied_bytes = 0
        self._linked_bytes = 0

    def describe(self) -> DownloadDescribed:
        """What there is to fetch. Nothing is written, and no large file is read.

        Raises:
            DownloadError: the server gives no answer, or not the right one.
            InvalidRequest: there is no such file as was asked for.
            Cancelled: meanwhile.
        """
        wanted = self._wanted()
        journal = Journal(self._folder)
        found = self._find(wanted, journal)
        files = tuple(
            DownloadFile(
                name=file.name,
                size=file.size,
                have_bytes=self._have_bytes(file, journal, found),
                found_in=str(found[file.name][0]) if file.name in found else "",
            )
            for file in wanted
        )
        sizes = {file.name: file.size for file in wanted}
        total = sum(sizes.values())
        stays = prepared_bytes(sizes)
        return DownloadDescribed(
            files=files,
            total_bytes=total,
            missing_bytes=total - sum(file.have_bytes for file in files),
            peak_bytes=total + stays,
            peak_bytes_deleting=peak_bytes_deleting(sizes),
            stays_bytes=stays,
            free_bytes=free_bytes(self._folder),
        )

    def run(self) -> Downloaded:
        """Fetch what is missing; whatever ends this, the same call goes on.

        Raises:
            DownloadError: the server gives no answer, or not the right one.
            DiskFull: there is too little room, before or meanwhile.
            Cancelled: meanwhile.
        """
        try:
            make_folder(self._folder)
            with self._alone():
                return self._run()
        except OSError as error:
            raise self._unwritable(error, None) from error

    def _run(self) -> Downloaded:
        for folder in (self._folder, self._folder / TEXT_ENCODER_FOLDER):
            remove_leftovers(folder)
        wanted = self._wanted()
        journal = Journal(self._folder)
        found = self._find(wanted, journal)
        check_space(self._folder, self._needed_bytes(wanted, journal, found), _PURPOSE)
        done = sum(self._there_bytes(file, journal) for file in wanted)
        total = sum(file.size for file in wanted)
        self._count = DownloadCount(total, done, self._on_progress)
        command = self._command
        limit = SpeedLimit(command.bytes_per_second if isinstance(command, DownloadModel) else None)
        fetcher = Fetcher(self._hub, self._patience, limit, self._waiting, self._count)
        try:
            for file in wanted:
                self._get(file, journal, found.get(file.name, []), fetcher)
            journal.save()
        except OSError as error:
            left = self._needed_bytes(wanted, journal, {})
            raise self._unwritable(error, left) from error
        finally:
            with contextlib.suppress(OSError):  # what it says is found out again
                journal.save()
        return Downloaded(
            folder=str(self._folder),
            fetched_bytes=self._count.fetched_bytes,
            copied_bytes=self._copied_bytes,
            linked_bytes=self._linked_bytes,
        )

    def _wanted(self) -> list[WantedFile]:
        command = self._command
        wanted = self._hub.wanted_files(self._waiting, encoder_only=command.encoder_only)
        names = {Path(file.name).name for file in wanted}
        if unknown := sorted(set(command.only) - names):
            raise InvalidRequest(
                f"The model has no file {unknown[0]!r}. Its files are {', '.join(sorted(names))}."
            )
        return [file for file in wanted if not command.only or Path(file.name).name in command.only]

    def _get(
        self, file: WantedFile, journal: Journal, found: Sequence[Path], fetcher: Fetcher
    ) -> None:
        """Have `file` in the folder, in the cheapest way."""
        path = self._folder / file.name
        if journal.is_whole(file, path):
            return
        self._count.begin(file.name)
        if _size_of(path) == file.size and is_right(path, file, self._on_read):
            note_whole(journal, file, path)
            return
        begun = self._there_bytes(file, journal)
        if any(self._take(place, file, path) for place in found):
            self._count.done(file.size - begun)
            note_whole(journal, file, path)
            part_of(path).unlink(missing_ok=True)
            return
        if _size_of(path) == file.size:
            self._count.done(part_bytes(path, journal, file) - file.size)  # it only looked so
        with PartFile(path, file, journal, self._patience, self._on_read) as part:
            fetcher.fetch(file, part)
            part.finish()

    def _take(self, place: Path, file: WantedFile, path: Path) -> bool:
        """Link or copy `place` to `path`, unless it is something else after all."""
        if can_be_linked(place, self._folder):
            with contextlib.suppress(OSError):  # not every disk has links; then it is copied
                if not link(place, file, path, self._on_read):
                    return False
                self._linked_bytes += file.size
                return True
        try:
            is_taken = copy(place, file, path, lambda _: self._on_read())
        except OSError as error:
            if is_disk_full(error):
                raise
            return False  # a disk that was pulled out, a file closed to us: it can be fetched
        self._copied_bytes += file.size if is_taken else 0
        return is_taken

    def _on_read(self) -> None:
        self._waiting.check()
        self._count.tell()

    # What is there.

    def _find(self, wanted: Sequence[WantedFile], journal: Journal) -> dict[str, list[Path]]:
        missing = [file for file in wanted if not self._looks_whole(file, journal)]
        places = [Path(place).expanduser().absolute() for place in self._command.also_in]
        return find_files([*places, *self._hub.cache_folders()], missing, but_not_in=self._folder)

    def _looks_whole(self, file: WantedFile, journal: Journal) -> bool:
        path = self._folder / file.name
        return journal.is_whole(file, path) or _size_of(path) == file.size

    def _there_bytes(self, file: WantedFile, journal: Journal) -> int:
        if self._looks_whole(file, journal):
            return file.size
        return part_bytes(self._folder / file.name, journal, file)

    def _have_bytes(self, file: WantedFile, journal: Journal, found: dict[str, list[Path]]) -> int:
        return file.size if file.name in found else self._there_bytes(file, journal)

    def _needed_bytes(
        self, wanted: Sequence[WantedFile], journal: Journal, found: dict[str, list[Path]]
    ) -> int:
        """What is still to be written to the disk of the folder."""
        needed = 0
        for file in wanted:
            places = found.get(file.name, [])
            if not (places and can_be_linked(places[0], self._folder)):
                needed += file.size - self._there_bytes(file, journal)
        return needed

    # The folder.

    @contextlib.contextmanager
    def _alone(self) -> Generator[None]:
        """Nobody else downloads into the folder meanwhile."""
        try:
            with FileLock(self._folder / LOCK_FILE, timeout=0):
                yield
        except Timeout:
            raise DownloadError(
                f"There is another download into {self._folder} at the moment. Wait until it has "
                "ended, or stop it."
            ) from None

    def _unwritable(self, error: OSError, needed: int | None) -> EngineError:
        if is_disk_full(error):
            return disk_full(self._folder, _PURPOSE, needed_bytes=needed, detail=repr(error))
        return DownloadError(
            f"{self._folder} cannot be written to: {error.strerror or error}. What was fetched is "
            "kept. Look at the disk and its permissions, or choose another folder.",
            detail=repr(error),
        )


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InvalidRequest(f"{folder} is a file. Choose a folder.")
    if (folder / MODEL_FILE).exists():
        raise InvalidRequest(
            f"{folder} holds a prepared model. Choose another folder for the official files."
        )


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
