"""What can be undone in the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QUndoCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kvdesk.library import Library


class StarStep(QUndoCommand):
    """Clips get a star or lose it."""

    def __init__(self, library: Library, names: Sequence[str], *, starred: bool) -> None:
        super().__init__(
            QCoreApplication.translate("Library", "Star clip")
            if starred
            else QCoreApplication.translate("Library", "Take star from clip")
        )
        self._library = library
        self._names = tuple(names)
        self._starred = starred

    def redo(self) -> None:
        """Set the stars."""
        self._library.set_stars(self._names, starred=self._starred)

    def undo(self) -> None:
        """Set them as they were: all of them were the other way."""
        self._library.set_stars(self._names, starred=not self._starred)


class MoveStep(QUndoCommand):
    """Clips go to the bin or come out of it."""

    def __init__(self, library: Library, names: Sequence[str], *, to_bin: bool) -> None:
        super().__init__(
            QCoreApplication.translate("Library", "Delete clip")
            if to_bin
            else QCoreApplication.translate("Library", "Put back clip")
        )
        self._library = library
        self._names = list(names)
        self._to_bin = to_bin

    def redo(self) -> None:
        """Move them there."""
        self._move(to_bin=self._to_bin)

    def undo(self) -> None:
        """Move back those that were moved."""
        self._move(to_bin=not self._to_bin)

    def _move(self, *, to_bin: bool) -> None:
        # A clip whose name was taken comes back under another.
        self._names = self._library.move(self._names, to_bin=to_bin)
        self.setObsolete(not self._names)
