"""The clips that are kept: what there is, the stars, and the bin."""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.errors import MessageError
from kvdesk.clip_records import (
    BIN_FOLDER,
    NOTES_FILE,
    NOTES_FORMAT,
    ClipRecord,
    ClipSummary,
    clip_folder,
    read_clip,
    read_notes,
)
from kvdesk.json_files import write_json
from kvdesk.library_index import LibraryIndex
from kvdesk.library_scan import DOOMED, delete, measure, open_library
from kvdesk.library_steps import MoveStep, StarStep
from kvdesk.strips import Strips

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from PySide6.QtGui import QUndoStack

    from kvdesk.library_scan import Slice

__all__ = ["ClipRecord", "ClipSummary", "Library"]

log = logging.getLogger(__name__)

_MAX_DECODED = 512
_LOOK_AT_STOP_SECONDS = 0.05


class Library(QObject):
    """The clips in a folder, each in a folder of its own; the bin is the folder `.bin` in it.

    Close it before it goes: it has a thread.

    Attributes:
        loaded: everything is known; until then, `changed` brings what is known so far.
        changed: (list of names) of clips that were added, changed or removed.
        bin_measured: (int) bytes that the clips in the bin take, asked for by `measure_bin`.
        failed: (str, str) a sentence about what could not be done, and a detail.
        strips: the pictures of the clips.
        needed: names of clips that jobs of the queue are at work on.
    """

    loaded = Signal()
    changed = Signal(list)
    bin_measured = Signal(object)  # an int of Qt has 32 bits
    failed = Signal(str, str)
    _slice_found = Signal(object, object)
    _opened = Signal(object)
    _bin_emptied = Signal(list)

    def __init__(
        self, clips: Path, index_path: Path, undo_stack: QUndoStack, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.strips = Strips(self)
        self.needed: frozenset[str] = frozenset()
        self._clips = clips
        self._index_path = index_path
        self._undo_stack = undo_stack
        self._rows: dict[str, ClipSummary] = {}
        self._records: OrderedDict[str, ClipRecord] = OrderedDict()
        self._is_loaded = False
        # One thread, so that what it writes is in the order in which it happened.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="library")
        self._comparison = _Comparison()
        self._closing = Event()
        self._slice_found.connect(self._on_slice_found)
        self._opened.connect(self._on_opened)
        self._bin_emptied.connect(self._on_bin_emptied)

    @property
    def clips(self) -> Path:
        """The folder that holds all clips."""
        return self._clips

    @property
    def is_loaded(self) -> bool:
        """Whether everything is known."""
        return self._is_loaded

    @property
    def summaries(self) -> Mapping[str, ClipSummary]:
        """What is shown of every clip, by its name; those in the bin too."""
        return self._rows

    @property
    def records(self) -> Mapping[str, ClipRecord]:
        """All clips by their names, those in the bin too; each is decoded when it is looked up."""
        return _Records(self)

    def record(self, name: str) -> ClipRecord | None:
        """The clip `name`, or None where there is none."""
        row = self._rows.get(name)
        if row is None:
            return None
        if name not in self._records:
            try:
                self._records[name] = row.record(self._clips)
            except MessageError as error:
                # Somebody else wrote into the index.
                log.warning("%s", error.message)
                self.refresh(name)
                return self.record(name) if self._rows.get(name) != row else None
            if len(self._records) > _MAX_DECODED:
                self._records.popitem(last=False)
        self._records.move_to_end(name)
        return self._records[name]

    def open(self) -> None:
        """Read the index, then compare it with the folders, in a thread.

        Can be called again to see what changed in the folders since.
        """
        self._comparison.stop.set()
        self._comparison = _Comparison()
        self._is_loaded = False
        self._submit(self._read_all, self._clips, tuple(self._rows), self._comparison)

    def use_folder(self, clips: Path) -> None:
        """Show the clips in another folder."""
        gone = list(self._rows)
        self._rows.clear()
        self._records.clear()
        self._clips = clips
        self.changed.emit(gone)
        self.open()

    def refresh(self, name: str) -> None:
        """Read the folder of the clip `name` again, or for the first time."""
        is_binned = name in self._rows and self._rows[name].is_binned
        folder = clip_folder(self._clips, name, is_binned=is_binned)
        row = read_clip(folder, is_binned=is_binned)
        # What was missing as the clip was being made may be there now.
        self.strips.forget(name)
        if row is not None and row == self._rows.get(name):
            self.changed.emit([name])
        else:
            self._put([row] if row else [], [] if row else [name])

    def star(self, names: Sequence[str], starred: bool) -> None:
        """Give or take the star of these clips; an undo step."""
        names = [n for n in names if n in self._rows and self._rows[n].starred != starred]
        if names:
            self._undo_stack.push(StarStep(self, names, starred=starred))

    def bin(self, names: Sequence[str]) -> None:
        """Move these clips to the bin; an undo step. Those that a job needs stay."""
        names = [n for n in names if n in self._rows and not self._rows[n].is_binned]
        if not self.needed.isdisjoint(names):
            words = self.tr("A clip that is in the queue stays: take it out of the queue first.")
            self.failed.emit(words, "")
            names = [name for name in names if name not in self.needed]
        if names:
            self._undo_stack.push(MoveStep(self, names, to_bin=True))

    def restore(self, names: Sequence[str]) -> None:
        """Take these clips out of the bin; an undo step."""
        names = [n for n in names if n in self._rows and self._rows[n].is_binned]
        if names:
            self._undo_stack.push(MoveStep(self, names, to_bin=False))

    def empty_bin(self) -> None:
        """Delete the clips in the bin for good, in a thread. What this did not show stays."""
        doomed: list[Path] = []
        gone: list[str] = []
        for row in self._binned():
            folder = row.folder(self._clips)
            target = folder.with_name(f"{DOOMED}{row.name}")
            try:
                folder.rename(target)
            except OSError as error:
                self._fail(self.tr("A clip in the bin cannot be deleted."), error)
                continue
            doomed.append(target)
            gone.append(row.name)
        self._put([], gone)
        self._submit(self._delete, tuple(doomed))

    def measure_bin(self) -> None:
        """Find out in a thread how much the bin holds, for `bin_measured`."""
        folders = tuple(row.folder(self._clips) for row in self._binned())
        self._submit(self._measure, folders)

    def bin_size(self) -> int:
        """How many bytes the bin holds. Reads every folder in it: rather use `measure_bin`."""
        return measure([row.folder(self._clips) for row in self._binned()], Event())

    def close(self) -> None:
        """Stop what runs in threads, once what was changed here is in the index."""
        self._comparison.stop.set()
        self._closing.set()
        self._thread.shutdown(wait=True)
        self.strips.close()

    def set_stars(self, names: Iterable[str], *, starred: bool) -> None:
        """Give or take the star of these clips, without an undo step."""
        rows: list[ClipSummary] = []
        for name in names:
            row = self._rows.get(name)
            if row is None:
                continue
            folder = row.folder(self._clips)
            notes = {**read_notes(folder), "version": NOTES_FORMAT, "starred": starred}
            try:
                if not folder.is_dir():
                    raise FileNotFoundError(str(folder))
                write_json(folder / NOTES_FILE, notes)
            except OSError as error:
                self._fail(self.tr("The star cannot be kept in the clip's folder."), error)
                continue
            row = read_clip(folder, is_binned=row.is_binned)
            rows += [row] if row else []
        self._put(rows, [])

    def move(self, names: Iterable[str], *, to_bin: bool) -> list[str]:
        """Move these clips to the bin or out of it, without an undo step.

        Returns:
            The names of those that were moved, as they are now: where there is something of a
            clip's name, it gets another.
        """
        moved: list[ClipSummary] = []
        gone: list[str] = []
        for name in names:
            target = self._free_folder(name, is_binned=to_bin)
            try:
                self._rename(clip_folder(self._clips, name, is_binned=not to_bin), target)
            except OSError as error:
                text = (
                    self.tr("The clip cannot be moved to the bin. Is a file of it in use?")
                    if to_bin
                    else self.tr("The clip cannot be taken out of the bin.")
                )
                self._fail(text, error)
                continue
            row = read_clip(target, is_binned=to_bin)
            moved += [row] if row else []
            gone += [name] if row is None or row.name != name else []
        self._put(moved, gone)
        return [row.name for row in moved]

    def _rename(self, source: Path, target: Path) -> None:
        for parent in (source.parent, target.parent):
            if parent.name == BIN_FOLDER and parent.is_symlink():
                raise OSError(f"{parent} leads out of the folder of clips")
        target.parent.mkdir(exist_ok=True)
        source.rename(target)

    def _free_folder(self, name: str, *, is_binned: bool) -> Path:
        tried, number = name, 2
        while os.path.lexists(clip_folder(self._clips, tried, is_binned=is_binned)) or (
            tried != name and tried in self._rows
        ):
            tried, number = f"{name}-{number}", number + 1
        return clip_folder(self._clips, tried, is_binned=is_binned)

    def _binned(self) -> list[ClipSummary]:
        return [row for row in self._rows.values() if row.is_binned]

    def _put(self, rows: Sequence[ClipSummary], gone: Sequence[str]) -> None:
        """Take over what was changed here, and see to it that the index does."""
        names = [*(row.name for row in rows), *gone]
        self._comparison.newer.update(names)
        self._submit(_write_index, self._index_path, self._clips, tuple(rows), tuple(gone))
        self._take(rows, gone)

    def _take(self, rows: Iterable[ClipSummary], gone: Iterable[str]) -> None:
        changed: list[str] = []
        for row in rows:
            if self._rows.get(row.name) != row:
                self._rows[row.name] = row
                changed.append(row.name)
        changed += [name for name in gone if self._rows.pop(name, None) is not None]
        for name in changed:
            self._records.pop(name, None)
        if changed:
            self.changed.emit(changed)

    def _fail(self, text: str, error: OSError) -> None:
        log.warning("%s %s", text, error)
        self.failed.emit(text, str(error))

    def _submit(self, work: Callable[..., None], *arguments: object) -> None:
        if not self._closing.is_set():
            self._thread.submit(_logged, work, *arguments)

    def _read_all(self, clips: Path, shown: Sequence[str], comparison: _Comparison) -> None:
        for found in open_library(clips, self._index_path, shown, comparison.stop):
            if not comparison.wait_for_turn():
                return
            self._slice_found.emit(found, comparison)
        self._opened.emit(comparison)

    def _measure(self, folders: Iterable[Path]) -> None:
        self.bin_measured.emit(measure(folders, self._closing))

    def _delete(self, folders: Iterable[Path]) -> None:
        self._bin_emptied.emit(delete(folders, self._closing))

    def _on_slice_found(self, found: Slice, comparison: _Comparison) -> None:
        if comparison is not self._comparison:
            return
        newer = comparison.newer
        rows = [row for row in found.rows if row.name not in newer]
        self._take(rows, [name for name in found.gone if name not in newer])
        comparison.turns.release()

    def _on_opened(self, comparison: _Comparison) -> None:
        if comparison is self._comparison:
            self._is_loaded = True
            self.loaded.emit()

    def _on_bin_emptied(self, failures: list[str]) -> None:
        if failures:
            text = self.tr("Not everything in the bin could be deleted. It is tried again later.")
            self.failed.emit(text, "\n".join(failures))


class _Comparison:
    """A run of the thread over the index and the folders.

    Attributes:
        stop: it is not wanted any more.
        newer: names of clips that were changed here since it began.
        turns: one for each slice that may be handed over. Several at once would be taken in one
            go, and the window would stand still as long.
    """

    def __init__(self) -> None:
        self.stop = Event()
        self.newer: set[str] = set()
        self.turns = Semaphore(1)

    def wait_for_turn(self) -> bool:
        """Wait until the slice before is taken; False: there is no need to go on."""
        while not self.turns.acquire(timeout=_LOOK_AT_STOP_SECONDS):
            if self.stop.is_set():
                return False
        return not self.stop.is_set()


class _Records(Mapping[str, ClipRecord]):
    """The clips of a library, decoded one by one."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def __getitem__(self, name: str) -> ClipRecord:
        record = self._library.record(name)
        if record is None:
            raise KeyError(name)
        return record

    def __iter__(self) -> Iterator[str]:
        return iter(self._library.summaries)

    def __len__(self) -> int:
        return len(self._library.summaries)


def _write_index(
    path: Path, clips: Path, rows: tuple[ClipSummary, ...], gone: tuple[str, ...]
) -> None:
    with LibraryIndex(path, clips) as index:
        index.update(rows, gone)


def _logged(work: Callable[..., None], *arguments: object) -> None:
    try:
        work(*arguments)
    except Exception:
        # The thread has nobody above it; without this, the fault would go unseen.
        log.exception("The library could not %s.", work.__name__)
