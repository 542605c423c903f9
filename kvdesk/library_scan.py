"""What the library does in its thread: reading the index and the folders, and emptying the bin.

Nothing here knows of Qt. Whatever takes long is handed over in slices, and stops when it is told.
"""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kvdesk.clip_records import BIN_FOLDER, read_clip, stamp_of
from kvdesk.library_index import LibraryIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from threading import Event

    from kvdesk.clip_records import ClipSummary

log = logging.getLogger(__name__)

DOOMED = ".doomed-"
"""What the name of a folder in the bin begins with that is being deleted."""

_ROWS_A_SLICE = 500
_READ_A_SLICE = 50  # each takes about half a millisecond to read


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of what was found: rows that are new or changed, and names that are gone."""

    rows: tuple[ClipSummary, ...] = ()
    gone: tuple[str, ...] = ()


def open_library(
    clips: Path, index_path: Path, shown: Sequence[str], stop: Event
) -> Iterator[Slice]:
    """First what the index knows of `clips`, newest first, then what has changed since.

    Names in `shown`, which are known already, are gone where there is no such clip.
    """
    with LibraryIndex(index_path, clips) as index:
        if not clips.is_dir():
            # A drive that is not there today: what the index knows is of use when it is back.
            yield Slice(gone=tuple(shown))
            return
        known = {row.name: row for row in index.rows()}
        rows = list(known.values())
        for start in range(0, len(rows), _ROWS_A_SLICE):
            yield Slice(rows=tuple(rows[start : start + _ROWS_A_SLICE]))
        for found in compare(clips, known, stop, shown):
            index.update(found.rows, found.gone)
            yield found
    _delete_doomed(clips, stop)


def compare(
    clips: Path, known: Mapping[str, ClipSummary], stop: Event, shown: Iterable[str] = ()
) -> Iterator[Slice]:
    """Where the folders in `clips` are not as `known` says; newest first."""
    seen: set[str] = set()
    read: list[ClipSummary] = []
    for folder, is_binned in _folders(clips):
        if stop.is_set():
            return
        if folder.name in seen:
            log.warning("%s is left out: there is another clip of that name.", folder)
            continue
        row = known.get(folder.name)
        stamp = stamp_of(folder)
        if stamp is None:
            continue
        if row is None or row.is_binned != is_binned or row.stamp != stamp:
            row = read_clip(folder, is_binned=is_binned)
            if row is not None:
                read.append(row)
        if row is not None:
            seen.add(folder.name)
        if len(read) == _READ_A_SLICE:
            yield Slice(rows=tuple(read))
            read.clear()
    gone = tuple(name for name in {*known, *shown} if name not in seen)
    if read or gone:
        yield Slice(rows=tuple(read), gone=gone)


def measure(folders: Iterable[Path], stop: Event) -> int:
    """How many bytes the files in `folders` take."""
    total = 0
    for folder in folders:
        for parent, _, names in os.walk(folder):
            if stop.is_set():
                return total
            for name in names:
                try:
                    total += Path(parent, name).lstat().st_size
                except OSError:
                    continue  # gone in the meantime: it takes nothing
    return total


def delete(folders: Iterable[Path], stop: Event) -> list[str]:
    """Delete `folders` with all that is in them; what went wrong, one line each."""
    failures: list[str] = []
    for folder in folders:
        if stop.is_set():
            break
        try:
            shutil.rmtree(folder)
        except OSError as error:
            log.warning("%s cannot be deleted: %s", folder, error)
            failures.append(str(error))
    return failures


def _delete_doomed(clips: Path, stop: Event) -> None:
    # The application was closed, or broke down, as the bin was emptied.
    folders = (folder for folder, _ in _entries(clips / BIN_FOLDER, hidden=True))
    delete((folder for folder in folders if folder.name.startswith(DOOMED)), stop)


def _folders(clips: Path) -> Iterator[tuple[Path, bool]]:
    yield from _entries(clips)
    yield from _entries(clips / BIN_FOLDER, is_binned=True)


def _entries(
    parent: Path, *, is_binned: bool = False, hidden: bool = False
) -> list[tuple[Path, bool]]:
    """The folders in `parent`, never through a link; their names begin with the time."""
    if parent.name == BIN_FOLDER and parent.is_symlink():
        return []
    try:
        with os.scandir(parent) as entries:
            names = [
                entry.name
                for entry in entries
                if entry.name.startswith(".") == hidden and entry.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    except OSError as error:
        log.warning("%s cannot be read: %s", parent, error)
        return []
    return [(parent / name, is_binned) for name in sorted(names, reverse=True) if _is_text(name)]


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        log.warning("The folder %r is left out: its name is no text.", name)
        return False
    return True
