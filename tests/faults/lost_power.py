"""What could be on the disk if the power failed: a simulator over the system calls of a writer.

The model is a strict one. What was written to a file is there after its sync, and not before. A
name (made, renamed, linked, removed) is there after the sync of its folder; before, each may be
there or not, alone or with others. A rename is one change, also from one folder to another.
"""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CALL = re.compile(r"^\d+\s+(\w+)\((.*)\)\s+= (-?\d+)(<.*>)?")
_UNFINISHED = re.compile(r"^(\d+)\s+(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+)\s+<\.\.\. \w+ resumed>(.*)$")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?')
_DESCRIPTOR = re.compile(r"(-?\w+)<([^>]*)>")
_MOST_SUBSETS_OF = 6


@dataclass(eq=False)
class Node:
    """A file or a folder, whatever names it has."""

    is_new: bool
    writes: int = 0
    names: dict[str, Node] | None = None  # of a folder: as programs see it


@dataclass(frozen=True)
class Change:
    """Names in folders that come and go together; None: the name goes."""

    names: tuple[tuple[Node, str, Node | None], ...]


@dataclass
class _Moment:
    """After a system call: what is certain to be on the disk, and what may be."""

    sure: list[Change]
    pending: list[Change]
    synced_writes: dict[Node, int]


@dataclass
class LostPower:
    """Replays the system calls of a writer in `root`, whose files were made before.

    Make it before the writer runs, then `replay` its calls.
    """

    root: Path
    _top: Node = field(init=False)
    _moments: list[_Moment] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.root = Path(os.path.realpath(self.root))
        self._top = _nodes_of(self.root)
        self._before = {folder: dict(folder.names or {}) for folder in _folders(self._top)}
        self._sure: list[Change] = []
        self._pending: list[Change] = []
        self._synced: dict[Node, int] = {}

    def replay(self, calls: list[str]) -> None:
        """Take in the calls that strace wrote down with the option -y."""
        for call, arguments in _parsed(calls):
            if self._apply(call, arguments):
                self._moments.append(
                    _Moment(list(self._sure), list(self._pending), dict(self._synced))
                )

    def crashes(self) -> Iterator[dict[str, Node | None]]:
        """The visible files of every state that a power cut could leave.

        By their paths in the root; None where the content is not that of the finished file.
        """
        for moment in self._moments:
            for kept in _choices(moment.pending):
                yield self._files(moment, kept)

    def after_the_end(self) -> dict[str, Node | None]:
        """The files that are certain to be there once the writer has said that it is done."""
        return self._files(self._moments[-1], ())

    def finished(self) -> dict[str, Node]:
        """The files as programs see them at the end."""
        names = {folder: folder.names or {} for folder in _folders(self._top)}
        return dict(self._walk(names, self._top, ""))

    def before(self) -> dict[str, Node]:
        """The files as they were before the writer began."""
        return dict(self._walk(self._before, self._top, ""))

    def _files(self, moment: _Moment, kept: tuple[Change, ...]) -> dict[str, Node | None]:
        names = {folder: dict(inside) for folder, inside in self._before.items()}
        for change in [*moment.sure, *kept]:
            for folder, name, node in change.names:
                inside = names.setdefault(folder, {})
                if node is None:
                    inside.pop(name, None)
                else:
                    inside[name] = node
        return {
            path: node if moment.synced_writes.get(node, 0) == node.writes else None
            for path, node in self._walk(names, self._top, "")
        }

    def _walk(
        self, names: Mapping[Node, Mapping[str, Node]], folder: Node, path: str
    ) -> Iterator[tuple[str, Node]]:
        for name, node in names.get(folder, {}).items():
            if node.names is None:
                yield path + name, node
            else:
                yield from self._walk(names, node, f"{path}{name}/")

    def _apply(self, call: str, arguments: str) -> bool:
        quoted = [m[0] for m in _QUOTED.findall(arguments)]
        opened = _DESCRIPTOR.findall(arguments)
        match call:
            case "openat" if "O_CREAT" in arguments or "O_TRUNC" in arguments:
                return self._open(_full(quoted[0], opened), arguments)
            case "write" | "pwrite64" | "writev" | "sendfile" | "ftruncate":
                return self._wrote(opened[0][1])
            case "copy_file_range":
                return self._wrote(opened[1][1])
            case "fsync" | "fdatasync":
                return self._sync(opened[0][1])
            case "mkdir" | "mkdirat":
                return self._put((_full(quoted[0], opened), Node(is_new=True, names={})))
            case "unlink" | "unlinkat" | "rmdir":
                return self._put((_full(quoted[0], opened), None))
            case "link" | "linkat":
                return self._put((quoted[1], self._node(quoted[0])))
            case "rename" | "renameat" | "renameat2":
                return self._put((quoted[0], None), (quoted[1], self._node(quoted[0])))
        return False

    def _open(self, path: str, flags: str) -> bool:
        if self._place(path) is None:
            return False
        node = self._node(path)
        if node is None:
            return self._put((path, Node(is_new=True)))
        if "O_TRUNC" in flags:
            node.writes += 1
            return True
        return False

    def _wrote(self, path: str) -> bool:
        node = self._node(path)
        if node is not None:
            node.writes += 1
        return node is not None

    def _sync(self, path: str) -> bool:
        node = self._top if path == str(self.root) else self._node(path)
        if node is None:
            return False
        if node.names is None:
            self._synced[node] = node.writes
            return True
        done = [c for c in self._pending if any(folder is node for folder, _, _ in c.names)]
        self._sure += done
        self._pending = [c for c in self._pending if c not in done]
        return True

    def _put(self, *names: tuple[str, Node | None]) -> bool:
        placed: list[tuple[Node, str, Node | None]] = []
        for path, node in names:
            place = self._place(path)
            if place is not None:
                placed.append((*place, node))
        for folder, name, node in placed:
            assert folder.names is not None
            if node is None:
                folder.names.pop(name, None)
            else:
                folder.names[name] = node
        if placed:
            self._pending.append(Change(tuple(placed)))
        return bool(placed)

    def _place(self, path: str) -> tuple[Node, str] | None:
        """The folder and the name of `path`; None where it is not in the root."""
        try:
            parts = Path(path).relative_to(self.root).parts
        except ValueError:
            return None
        node = self._top
        for part in parts[:-1]:
            inside = (node.names or {}).get(part)
            if inside is None:
                return None
            node = inside
        return (node, parts[-1]) if parts else None

    def _node(self, path: str) -> Node | None:
        place = self._place(path)
        return None if place is None else (place[0].names or {}).get(place[1])


def _choices(pending: list[Change]) -> Iterator[tuple[Change, ...]]:
    if len(pending) <= _MOST_SUBSETS_OF:
        for size in range(len(pending) + 1):
            yield from itertools.combinations(pending, size)
        return
    for index in range(len(pending)):
        yield tuple(pending[: index + 1])
        yield (pending[index],)
    yield ()


def _parsed(calls: list[str]) -> Iterator[tuple[str, str]]:
    """The calls that succeeded: names and arguments."""
    unfinished: dict[str, str] = {}
    for line in calls:
        begun = _UNFINISHED.match(line)
        if begun:
            unfinished[begun[1]] = line[: begun.end(2)]
            continue
        resumed = _RESUMED.match(line)
        if resumed:
            line = unfinished.pop(resumed[1], "") + resumed[2]
        match = _CALL.match(line)
        if match and int(match[3]) >= 0:
            yield match[1], match[2]


def _full(path: str, opened: list[tuple[str, str]]) -> str:
    return path if path.startswith("/") else f"{opened[0][1]}/{path}"


def _nodes_of(folder: Path) -> Node:
    names = {
        entry.name: _nodes_of(entry) if entry.is_dir() else Node(is_new=False)
        for entry in folder.iterdir()
    }
    return Node(is_new=False, names=names)


def _folders(node: Node) -> Iterator[Node]:
    if node.names is not None:
        yield node
        for inside in node.names.values():
            yield from _folders(inside)
