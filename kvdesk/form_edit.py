"""A change of the form as a step of undo."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakMethod

from PySide6.QtGui import QUndoCommand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ID = 1
_MERGE_SECONDS = 1.5


class FormEdit(QUndoCommand):
    """Sets fields to what they became, and back to what they were.

    Only the fields that differ are touched, so that a step stays right when something that is no
    step, such as another model, came between.
    """

    def __init__(
        self,
        apply: Callable[[Mapping[str, object]], None],
        what: str,
        *,
        merge: str,
        before: Mapping[str, object],
        after: Mapping[str, object],
    ) -> None:
        super().__init__(what)
        # A form has its stack, and the stack has this: with a strong reference, they would be a
        # ring, whose parts Python ends in any order while Qt still sends signals between them.
        self._apply = WeakMethod(apply)
        self._merge = merge
        self._before = dict(before)
        self._after = dict(after)
        self._time = monotonic()

    def undo(self) -> None:
        """Set the fields to what they were."""
        self._set(self._before)

    def redo(self) -> None:
        """Set the fields to what they became."""
        self._set(self._after)

    def id(self) -> int:
        """What Qt compares before it tries to merge."""
        return _ID

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take over a later edit with the same key that came within 1.5 seconds."""
        if not isinstance(other, FormEdit) or not self._merge or other._merge != self._merge:
            return False
        if other._time - self._time > _MERGE_SECONDS:
            return False
        self._time = other._time
        before = {**other._before, **self._before}
        after = {**self._after, **other._after}
        changed = [field for field in before if before[field] != after[field]]
        self._before = {field: before[field] for field in changed}
        self._after = {field: after[field] for field in changed}
        self.setObsolete(not changed)
        return True

    def _set(self, values: Mapping[str, object]) -> None:
        apply = self._apply()
        if apply is not None:
            apply(values)
