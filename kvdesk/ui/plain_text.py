"""Words that are shown as they are, whatever they look like.

Qt takes a text that looks like HTML for HTML, and shows the pictures that it names: a prompt that
came with somebody else's clip must not open files.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget


class PlainLabel(QLabel):
    """A label that knows no markup. The window has no others."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


def tip(text: str) -> str:
    """`text` for a tool tip, which shows it as it is."""
    if "<" not in text:
        return text  # nothing of it can be taken for markup
    return f'<p style="white-space: pre-wrap">{html.escape(text)}</p>'
