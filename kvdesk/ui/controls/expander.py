"""A part of a panel that folds away under its title."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from kvdesk.ui.controls.look import set_look
from kvdesk.ui.controls.rows import FlowRows
from kvdesk.ui.icons import icon
from kvdesk.ui.theme import GAP, theme


class Expander(QWidget):
    """A title that opens and closes what is under it.

    Attributes:
        open_changed: it was opened (True) or closed, by a person or `set_open`.
    """

    open_changed = Signal(bool)

    def __init__(self, title: str, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.content = content
        self.header = QToolButton(self)
        self.header.setCheckable(True)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        set_look(self.header, kind="header")
        content.setParent(self)
        content.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self._header_row = FlowRows(gap=GAP, ends_apart=True)
        self._header_row.addWidget(self.header)
        column.addLayout(self._header_row)
        column.addWidget(content)
        self.header.toggled.connect(self._on_toggled)
        theme().changed.connect(self._show_sign)
        self.set_title(title)
        self._show_sign()

    @property
    def is_open(self) -> bool:
        """Whether the content shows."""
        return self.header.isChecked()

    def set_open(self, is_open: bool) -> None:
        """Show or hide the content."""
        self.header.setChecked(is_open)

    def set_title(self, title: str) -> None:
        """Show `title`, open or not."""
        self.header.setText(title)

    def add_to_header(self, widget: QWidget) -> None:
        """Put `widget` at the right end of the title, open or not."""
        self._header_row.addWidget(widget)

    def _on_toggled(self, is_open: bool) -> None:
        self.content.setVisible(is_open)
        self._show_sign()
        self.open_changed.emit(is_open)

    def _show_sign(self) -> None:
        self.header.setIcon(icon("chevron-down" if self.is_open else "chevron-right", "muted"))
        side = theme().px(14)
        self.header.setIconSize(QSize(side, side))
