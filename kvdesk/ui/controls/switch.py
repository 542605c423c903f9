"""A box to tick with a line below its words."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP


class Switch(QWidget):
    """A box to tick, and a line below its words that can be as long as it needs to be."""

    def __init__(self) -> None:
        super().__init__()
        self.box = QCheckBox()
        self._line = PlainLabel()
        self._line.setProperty("role", "muted")
        self._line.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP // 2)
        column.addWidget(self.box)
        column.addWidget(self._line)

    def set_texts(self, title: str, line: str) -> None:
        """Say what it is, and what it does."""
        self.box.setText(title)
        self.box.setAccessibleDescription(line)
        self._line.setText(line)
