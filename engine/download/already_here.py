"""Files of the model that lie elsewhere on this computer, such as on a USB disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from engine.api.files import fsync_folder, make_folder, publish, temporary_beside
from engine.strange_files import open_regular_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from engine.download.wanted_files import WantedFile

_CHUNK_BYTES = 4 * 2**20
_MOST_ENTRIES = 50_000
"""That are looked at in one folder and all below it: a whole disk would take minutes."""
_DEEPEST = 6


def find_files(
    places: Sequence[Path], wanted: Sequence[WantedFile], *, but_not_in: Path
) -> dict[str, list[Path]]:
    """Files below `places` that may be those of `wanted`: of the right name and size.

    A cache of the Hub's library names files by their checksums; that counts as the right name.

    Args:
        places: folders; those that are not there are passed over.
        wanted: what is looked for.
        but_not_in: where the files are to be in the end.

    Returns:
        For the name of a wanted file, those that were found, the ones of earlier places first.
    """
    by_size: dict[int, list[WantedFile]] = {}
    for file in wanted:
        by_size.setdefault(file.size, []).append(file)
    names = {PurePosixPath(file.source.path).name for file in wanted}
    names |= {file.source.checksum.digest for file in wanted}
    found: dict[str, list[Path]] = {}
    for place in places:
        for entry in _entries(place):
            if entry.name not in names:
                continue
            path = Path(entry.path)
            size = _size_of(path)
            for file in by_size.get(size, []) if size is not None else []:
                is_ours = path == but_not_in / file.name
                known_as = (PurePosixPath(file.source.path).name, file.source.checksum.digest)
                if entry.name in known_as and not is_ours:
                    found.setdefault(file.name, []).append(path)
    return found


def can_be_linked(path: Path, folder: Path) -> bool:
    """Whether the file `path` is on the disk of `folder`, and may take no more room there."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    try:
        return path.stat().st_dev == there.stat().st_dev
    except OSError:
        return False


def is_right(path: Path, wanted: WantedFile, on_read: Callable[[], None]) -> bool:
    """Whether the file `path` holds the bytes of `wanted`.

    Args:
        path: read to its end.
        wanted: what it should be.
        on_read: called every few megabytes; what it raises ends it.

    Raises:
        OSError: it cannot be read.
    """
    hasher = wanted.source.checksum.hasher(wanted.size)
    with open_regular_file(path) as file:
        while data := file.read(_CHUNK_BYTES):
            hasher.update(data)
            on_read()
    return hasher.hexdigest() == wanted.source.checksum.digest


def link(found: Path, wanted: WantedFile, path: Path, on_read: Callable[[], None]) -> bool:
    """Give `found` the second name `path`, if its bytes are right.

    Returns:
        Whether they are.

    Raises:
        OSError: this disk cannot do that, or something cannot be read.
    """
    make_folder(path.parent)
    with temporary_beside(path) as temporary:
        # What a link in a cache leads to, or the new name would be a link too.
        os.link(found.resolve(strict=True), temporary)
        if not is_right(temporary, wanted, on_read):
            return False
        temporary.replace(path)
        fsync_folder(path.parent)
    return True


def copy(found: Path, wanted: WantedFile, path: Path, on_bytes: Callable[[int], None]) -> bool:
    """Copy `found` to `path`, if its bytes are right.

    Args:
        found: what may be `wanted`.
        wanted: what it should be.
        path: the copy.
        on_bytes: told how many more bytes are copied; what it raises ends it.

    Returns:
        Whether they are.

    Raises:
        OSError: something cannot be read or written.
    """
    make_folder(path.parent)
    hasher = wanted.source.checksum.hasher(wanted.size)
    with temporary_beside(path) as temporary:
        with open_regular_file(found) as source, temporary.open("wb") as target:
            while data := source.read(_CHUNK_BYTES):
                target.write(data)
                hasher.update(data)
                on_bytes(len(data))
        if hasher.hexdigest() != wanted.source.checksum.digest:
            return False
        publish(temporary, path, overwrite=True)
    return True


def _entries(place: Path) -> Iterator[os.DirEntry[str]]:
    """The files in `place` and below; links to folders are not followed."""
    waiting = [(str(place), 0)]
    num_seen = 0
    for folder, depth in waiting:  # grows meanwhile
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    num_seen += 1
                    if num_seen > _MOST_ENTRIES:
                        return
                    if entry.is_dir(follow_symlinks=False):
                        if depth < _DEEPEST:
                            waiting.append((entry.path, depth + 1))
                    else:
                        yield entry
        except OSError:
            continue


def _size_of(path: Path) -> int | None:
    """Of a regular file; None for anything else."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size if stat.S_ISREG(state.st_mode) else None
