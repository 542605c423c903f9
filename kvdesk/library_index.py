"""The library's index: a cache of what stands in the clips' folders, so that it opens at once.

It can be made again from the folders at any time. Whatever is wrong with it, it is thrown away; but
the index of a newer kvdesk is left alone.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Self

from kvdesk.clip_records import ClipSummary

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

log = logging.getLogger(__name__)

INDEX_FORMAT = 1
"""Raised whenever the columns change; an index of another format is made again."""

_COLUMNS = tuple(field.name for field in fields(ClipSummary))
_values_of = attrgetter(*_COLUMNS)
_BOOLEANS = ("is_binned", "starred", "has_key_frame", "is_read_only")


class _NewerIndex(Exception):
    """A newer kvdesk wrote the file."""


class LibraryIndex:
    """The rows of one folder of clips, in an SQLite file.

    Use it as a context manager, in one thread. Where the file cannot be written at all, or is of a
    newer kvdesk, it works in memory: the library then reads every folder each time it opens.
    """

    def __init__(self, path: Path, clips: Path) -> None:
        self._connection = _opened(path, clips)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def rows(self) -> list[ClipSummary]:
        """All rows, newest first."""
        order = "SELECT * FROM clips ORDER BY created DESC, name DESC"
        rows = self._connection.execute(order).fetchall()
        return [_summary(row) for row in rows]

    def update(self, rows: Iterable[ClipSummary], gone: Iterable[str] = ()) -> None:
        """Put `rows` in, in place of those of the same names, and take out the names `gone`.

        A failure is logged: the next comparison with the folders finds what is missing here.
        """
        marks = ", ".join("?" * len(_COLUMNS))
        try:
            with self._connection:
                self._connection.executemany(
                    "DELETE FROM clips WHERE name = ?", [(name,) for name in gone]
                )
                self._connection.executemany(
                    f"INSERT OR REPLACE INTO clips VALUES ({marks})", map(_values_of, rows)
                )
        except sqlite3.Error as error:
            log.warning("The library's index is not up to date: %s", error)


def _summary(row: tuple[str | int, ...]) -> ClipSummary:
    values = dict(zip(_COLUMNS, row, strict=True))
    for name in _BOOLEANS:
        values[name] = bool(values[name])
    return ClipSummary(**values)  # pyright: ignore[reportArgumentType]  # typed by `_opened`


def _opened(path: Path, clips: Path) -> sqlite3.Connection:
    for _ in range(2):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return _connection(str(path), clips)
        except _NewerIndex:
            log.info("The library's index is of a newer kvdesk and is left as it is.")
            break
        except (OSError, sqlite3.Error) as error:
            log.warning("The library's index is made again: %s", error)
            for ending in ("", "-journal", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    path.with_name(path.name + ending).unlink(missing_ok=True)
    return _connection(":memory:", clips)


def _connection(path: str, clips: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    try:
        _check(connection, clips)
    except (sqlite3.Error, _NewerIndex):
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, clips: Path) -> None:
    ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    if version > INDEX_FORMAT:
        raise _NewerIndex
    connection.execute("PRAGMA synchronous = NORMAL")
    if version == INDEX_FORMAT:
        ((state,),) = connection.execute("PRAGMA quick_check(1)").fetchall()
        if state != "ok":
            raise sqlite3.DatabaseError(state)
        if connection.execute("SELECT path FROM place").fetchall() == [(str(clips),)]:
            return
    with connection:
        connection.execute("DROP TABLE IF EXISTS clips")
        connection.execute("DROP TABLE IF EXISTS place")
        names = ", ".join(_COLUMNS[1:])
        connection.execute(f"CREATE TABLE clips (name TEXT PRIMARY KEY, {names})")
        connection.execute("CREATE TABLE place (path TEXT)")
        connection.execute("INSERT INTO place VALUES (?)", (str(clips),))
        connection.execute(f"PRAGMA user_version = {INDEX_FORMAT}")
