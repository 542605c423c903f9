"""Keys that a control needs for itself although the window has a shortcut for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, Qt

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent


def claims_escape(event: QEvent) -> bool:
    """Whether `event` asks who wants Escape, which it then is told: not the window's shortcut."""
    if event.type() is not QEvent.Type.ShortcutOverride:
        return False
    if cast("QKeyEvent", event).key() != Qt.Key.Key_Escape:
        return False
    event.accept()
    return True
