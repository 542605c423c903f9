"""Clips that were asked for together, to be looked at side by side."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Signal

from engine.api import Motion, from_json, to_json
from engine.errors import MessageError
from kvdesk.json_files import DelayedWriter, read_json

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import JsonObject

log = logging.getLogger(__name__)

MAX_BATCHES = 100

_VERSION = 1
_SAVE_DELAY_MS = 100


class BatchKind(StrEnum):
    """What is to be compared."""

    COUSINS = "cousins"
    """The same clip from several seeds."""
    KEY_FRAMES = "key_frames"
    """Key frames of several seeds, of which one is animated."""
    MOTION_MAP = "motion_map"
    """The same clip with every motion and several noise augmentations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLabel:
    """What may differ between the clips of a batch."""

    seed: int
    motion: Motion
    noise_augmentation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Clips that were asked for together.

    Attributes:
        id: the `group` of their jobs.
        folders: the names of their folders, in the order in which they are shown; of a motion
            map, one noise augmentation after the other for each motion in turn.
        labels: one for each folder.
    """

    id: str
    kind: BatchKind
    folders: tuple[str, ...]
    labels: tuple[BatchLabel, ...]

    def __post_init__(self) -> None:
        if len(self.folders) != len(self.labels):
            raise MessageError(
                f"A batch of {len(self.folders)} folders has {len(self.labels)} labels."
            )

    def label(self, folder: str) -> BatchLabel:
        """The label of one of `folders`."""
        return self.labels[self.folders.index(folder)]


class Batches(QObject):
    """The last `MAX_BATCHES` batches, kept in a file.

    Attributes:
        changed: a batch was added.
    """

    changed = Signal()

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._batches = {batch.id: batch for batch in _stored_batches(read_json(path) or {})}
        self._writer = DelayedWriter(path, self._content, delay_ms=_SAVE_DELAY_MS, parent=self)

    def add(self, batch: Batch) -> None:
        """Keep `batch` as the latest one."""
        self._batches.pop(batch.id, None)
        self._batches[batch.id] = batch
        while len(self._batches) > MAX_BATCHES:
            del self._batches[next(iter(self._batches))]
        self._writer.schedule()
        self.changed.emit()

    def of(self, batch_id: str) -> Batch | None:
        """The batch of that id, None where it is not kept."""
        return self._batches.get(batch_id)

    def latest(self, kind: BatchKind | None = None) -> Batch | None:
        """The batch that was added last, of `kind` or of any."""
        found = [each for each in self._batches.values() if kind in (None, each.kind)]
        return found[-1] if found else None

    def flush(self) -> None:
        """Write now what is not written yet."""
        self._writer.flush()

    def _content(self) -> JsonObject:
        return {
            "version": _VERSION,
            "batches": [to_json(batch) for batch in self._batches.values()],
        }


def _stored_batches(data: JsonObject) -> list[Batch]:
    listed: object = data.get("batches") if data.get("version") == _VERSION else None
    batches: list[Batch] = []
    for item in cast("list[object]", listed) if isinstance(listed, list) else []:
        try:
            batches.append(from_json(Batch, item))
        except MessageError as error:
            log.warning("A batch is left out: %s", error.message)
    return batches[-MAX_BATCHES:]
