"""Keeps in a file how far the released model is on its way onto this computer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.api import models_folder
from kvdesk.getting import getting_from_json, getting_to_json
from kvdesk.json_files import DelayedWriter, read_json

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import JsonObject
    from kvdesk.getting import Getting

_SAVE_DELAY_MS = 100


class GettingStore(QObject):
    """Holds the `Getting`, and writes it shortly after a change.

    Attributes:
        changed: with the `Getting`.
    """

    changed = Signal(object)

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = getting_from_json(read_json(path), str(models_folder()))
        self._writer = DelayedWriter(path, self._content, delay_ms=_SAVE_DELAY_MS, parent=self)

    @property
    def state(self) -> Getting:
        """Where it stands."""
        return self._state

    def change(self, **changes: object) -> None:
        """Set the attributes of the `Getting` that `changes` names."""
        self.put(replace(self._state, **changes))

    def put(self, state: Getting) -> None:
        """Let `state` stand for what was."""
        if state != self._state:
            self._state = state
            self._writer.schedule()
            self.changed.emit(state)

    def flush(self) -> None:
        """Write now what is not written yet."""
        self._writer.flush()

    def _content(self) -> JsonObject:
        return getting_to_json(self._state)
