"""A button for a text of any length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QPushButton, QSizePolicy, QStyle, QStyleOptionButton, QWidget

from kvdesk.ui.controls.look import set_look
from kvdesk.ui.plain_text import tip

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent


class ElidedButton(QPushButton):
    """A button that ends its text with dots where there is no room; the tooltip has all of it."""

    def __init__(self, text: str, *, kind: str = "chip", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.whole_text = text
        set_look(self, kind=kind)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_whole_text(text)

    def set_whole_text(self, text: str) -> None:
        """Show as much of `text` as there is room for."""
        self.whole_text = text
        self.setAccessibleName(text)
        self.setToolTip(tip(text))
        self._elide()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Room for the whole text."""
        return self._size_for(self.whole_text)

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return self._size_for("mmmm…")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show more or less of the text."""
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent) -> None:
        """Another size of text leaves room for another number of letters."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._elide()

    def _size_for(self, text: str) -> QSize:
        # Before it is polished, the style sheet's padding does not count.
        self.ensurePolished()
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = text  # pyright: ignore[reportAttributeAccessIssue]: the stubs lack it
        content = self.fontMetrics().size(Qt.TextFlag.TextShowMnemonic, text)
        kind = QStyle.ContentsType.CT_PushButton
        return self.style().sizeFromContents(kind, option, content, self)

    def _elide(self) -> None:
        metrics = self.fontMetrics()
        # `size` rounds up; what `elidedText` compares with is not rounded.
        whole = metrics.size(Qt.TextFlag.TextShowMnemonic, self.whole_text).width()
        room = self.width() - (self.sizeHint().width() - whole)
        self.setText(metrics.elidedText(self.whole_text, Qt.TextElideMode.ElideRight, room))
