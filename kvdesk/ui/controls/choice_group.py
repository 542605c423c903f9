"""Buttons of which one at most is chosen, as the keyboard expects them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QAbstractButton, QButtonGroup

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}


class ChoiceGroup(QButtonGroup):
    """Checkable buttons, numbered in the order they are added.

    Tab reaches the chosen one, or the first where none is chosen; arrow keys choose the next.
    """

    def add(self, button: QAbstractButton) -> None:
        """Take `button` as the last."""
        self.addButton(button, len(self.buttons()))
        button.installEventFilter(self)

    def remove(self, button: QAbstractButton) -> None:
        """Let the last button, `button`, go."""
        button.removeEventFilter(self)
        self.removeButton(button)

    def choose(self, index: int) -> None:
        """Show the button at `index` as chosen, or none for -1; nothing is clicked by it."""
        # An exclusive group would keep its last button down where none is to be.
        self.setExclusive(False)
        for place, button in enumerate(self.buttons()):
            button.setChecked(place == index)
        self.setExclusive(True)
        for place, button in enumerate(self.buttons()):
            is_reached = place == max(0, index)
            button.setFocusPolicy(
                Qt.FocusPolicy.StrongFocus if is_reached else Qt.FocusPolicy.ClickFocus
            )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Choose with the arrow keys."""
        if event.type() is QEvent.Type.KeyPress and isinstance(watched, QAbstractButton):
            step = _STEPS.get(Qt.Key(cast("QKeyEvent", event).key()), 0)
            if step:
                buttons = self.buttons()
                other = buttons[(self.id(watched) + step) % len(buttons)]
                other.click()
                # A click may have opened something; whoever walks by is not to be led into it.
                other.setFocus(Qt.FocusReason.TabFocusReason)
                return True
        return super().eventFilter(watched, event)
