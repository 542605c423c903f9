"""What is remembered of a download, in its folder: which files are whole, and what was begun."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.api.downloads import JOURNAL_FILE
from engine.api.files import write_text_atomically
from engine.download.wanted_files import Checksum  # noqa: TC001 (looked up when it is decoded)
from engine.errors import DownloadError, MessageError
from engine.json_codec import from_json, to_json

if TYPE_CHECKING:
    from pathlib import Path

    from engine.download.wanted_files import WantedFile

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFile:
    """What is known of a file of the folder.

    Attributes:
        name: in the folder, "/" between folders.
        size: of the whole file.
        checksum: of the whole file.
        etag: what the server last called the file's state; "" where it did not.
        kept_bytes: how many bytes of a file that is not whole surely are on the disk.
        mtime_ns: when the file was last changed; None where it is not whole.
    """

    name: str
    size: int
    checksum: Checksum
    etag: str = ""
    kept_bytes: int = 0
    mtime_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    format_version: int
    files: tuple[JournalFile, ...]


class Journal:
    """The journal of the download into `folder`.

    Raises:
        DownloadError: it was written by a newer kvdesk, or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / JOURNAL_FILE
        self._files = {file.name: file for file in _read(self._path)}
        self._is_saved = True

    def of(self, file: WantedFile) -> JournalFile:
        """What is known of `file`; nothing where something else is remembered of that name."""
        new = JournalFile(name=file.name, size=file.size, checksum=file.source.checksum)
        known = self._files.get(file.name, new)
        is_same = (known.size, known.checksum) == (new.size, new.checksum)
        return known if is_same else new

    def is_whole(self, file: WantedFile, path: Path) -> bool:
        """Whether `path` was found to be `file`, and was not touched since."""
        known = self.of(file)
        try:
            stat = path.stat()
        except OSError:
            return False
        return known.mtime_ns == stat.st_mtime_ns and known.size == stat.st_size

    def note(self, file: JournalFile, **changes: object) -> JournalFile:
        """Remember `file` with `changes`; for good once it is saved."""
        changed = replace(file, **changes)
        if self._files.get(file.name) != changed:
            self._files[file.name] = changed
            self._is_saved = False
        return changed

    def save(self) -> None:
        """Write down what was noted.

        Raises:
            OSError: the disk refuses.
        """
        if not self._is_saved:
            contents = _Contents(format_version=FORMAT_VERSION, files=tuple(self._files.values()))
            write_text_atomically(self._path, json.dumps(to_json(contents), indent=1))
            self._is_saved = True


def _read(path: Path) -> tuple[JournalFile, ...]:
    try:
        data: object = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise DownloadError(f"{path} cannot be read: {error}.") from error
    except (ValueError, RecursionError):
        return ()  # what it said is found out again, by reading the files
    version = data.get("format_version") if isinstance(data, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise DownloadError(
            f"The download in {path.parent} was begun by a newer kvdesk. Go on with that one, or "
            "choose another folder."
        )
    try:
        return from_json(_Contents, data).files
    except MessageError:
        return ()
