"""Looks that the style sheet gives by dynamic properties, and words for screen readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


def set_look(widget: QWidget, **properties: object) -> None:
    """Set properties that the style sheet reads, and draw `widget` by them at once."""
    if "surface" in properties:
        # A subclass of QWidget has no background of the style sheet without it.
        widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    changed = {name: value for name, value in properties.items() if widget.property(name) != value}
    for name, value in changed.items():
        widget.setProperty(name, value)
    if changed:
        style = widget.style()
        style.unpolish(widget)
        style.polish(widget)


def announce(widget: QWidget, text: str) -> None:
    """Have a screen reader say `text`, which belongs to `widget`."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))
