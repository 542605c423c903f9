"""A folder of files that can all be lost without harm, and take only so much room."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import platformdirs

from engine.api.files import TEMPORARY_NAMES, make_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)


def user_cache() -> Path:
    """Where everything lies that this program can make anew for this user."""
    return platformdirs.user_cache_path("kvdesk", appauthor=False)


class CacheFolder:
    """Keeps a file for each key. A folder that cannot be read or written is only logged.

    What a file holds is checked by whoever wrote it: here it is bytes.
    """

    def __init__(self, folder: Path, *, ending: str, max_bytes: int) -> None:
        """`folder` need not exist. Beyond `max_bytes`, what was not used for longest goes."""
        self._folder = folder
        self._ending = ending
        self._max_bytes = max_bytes

    def path(self, key: str) -> Path:
        """The file of `key`, which is plain letters and digits."""
        return self._folder / f"{key}{self._ending}"

    def read(self, key: str) -> bytes | None:
        """What is kept for `key`; None where there is nothing that can be read."""
        path = self.path(key)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("%s cannot be used: %s", path, error)
            return None
        self._touch(path)
        return data

    def write(self, key: str, data: bytes) -> None:
        """Keep `data` for `key`, and drop other files where the room is used up."""
        path = self.path(key)
        try:
            make_folder(self._folder)
            write_atomically(path, data)
            self._make_room()
        except OSError as error:
            log.warning("Something cannot be kept in %s: %s", self._folder, error)

    def _touch(self, path: Path) -> None:
        # The time of the last change, since many disks do not write down when a file was read.
        try:
            os.utime(path)
        except OSError as error:
            log.info("The use of %s cannot be noted: %s", path, error)

    def _make_room(self) -> None:
        states = list(self._files())
        excess = sum(state.st_size for _, state in states) - self._max_bytes
        for path, state in sorted(states, key=lambda item: item[1].st_mtime_ns):
            if excess <= 0:
                return
            path.unlink(missing_ok=True)
            excess -= state.st_size

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        # What a write that was killed leaves ages like the rest.
        for pattern in (f"*{self._ending}", TEMPORARY_NAMES):
            for path in self._folder.glob(pattern):
                try:
                    yield path, path.stat()
                except FileNotFoundError:  # another process made room as well
                    continue
