"""A page that takes the clip's place for a while: a title, a way back, and what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QScrollBar,
    QVBoxLayout,
    QWidget,
)

from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.tab_order import order_tabs
from kvdesk.ui.theme import GAP, PANEL, theme

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QShowEvent

_SCROLL_KEYS = {
    Qt.Key.Key_Up: QScrollBar.SliderAction.SliderSingleStepSub,
    Qt.Key.Key_Down: QScrollBar.SliderAction.SliderSingleStepAdd,
    Qt.Key.Key_PageUp: QScrollBar.SliderAction.SliderPageStepSub,
    Qt.Key.Key_PageDown: QScrollBar.SliderAction.SliderPageStepAdd,
    Qt.Key.Key_Home: QScrollBar.SliderAction.SliderToMinimum,
    Qt.Key.Key_End: QScrollBar.SliderAction.SliderToMaximum,
}


class Page(QFrame):
    """Scrolls its content; `closed` is emitted by its button.

    Subclasses fill `column`, and `footer`, which starts empty and takes no room then.

    Attributes:
        WIDTH: of the content at most, in pixels of the design.
        closed: the person wants the clip back.
        column: the layout of the content.
        footer: the layout below, in sight wherever the content is scrolled to.
    """

    WIDTH: ClassVar = 640

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "window")
        self._title = PlainLabel()
        self._title.setProperty("role", "title")
        self._back = _BackButton()
        self._back.clicked.connect(self.closed)
        self._header = QWidget()
        header = QHBoxLayout(self._header)
        header.setContentsMargins(0, 0, 0, 0)
        header.addWidget(self._title, 1)
        header.addWidget(self._back)
        self._content = _Content()
        self.column = QVBoxLayout(self._content)
        # Room for the frame of what has the focus at an edge.
        self.column.setContentsMargins(0, 0, 0, 2)
        self.column.setSpacing(PANEL)
        self._scroll = _scroll_area(self._content)
        self._below = QWidget()
        self.footer = QVBoxLayout(self._below)
        self.footer.setContentsMargins(0, 0, 0, PANEL)
        self.footer.setSpacing(GAP)
        self._below.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(PANEL, PANEL, PANEL - GAP, 0)
        column.setSpacing(PANEL)
        column.addWidget(self._header)
        column.addWidget(self._scroll, 1)
        column.addWidget(self._below)
        theme().changed.connect(self._limit_width)
        self._limit_width()

    def title(self) -> str:
        """The words over the page."""
        raise NotImplementedError

    def _limit_width(self) -> None:
        for part in (self._header, self._content, self._below):
            part.setMaximumWidth(theme().px(self.WIDTH))

    def _retranslate(self) -> None:
        self._title.setText(self.title())
        self._back.setText(self.tr("Back"))

    def focus(self) -> None:
        """Take the keyboard."""
        self._scroll.verticalScrollBar().setValue(0)
        self._back.setFocus(Qt.FocusReason.OtherFocusReason)

    def _order_tabs(self) -> None:
        """To be called after controls were added to the content."""
        order_tabs(self._back, self._content, self._below)

    def showEvent(self, event: QShowEvent) -> None:
        """Have the controls in order before somebody goes through them."""
        self._below.setVisible(self.footer.count() > 0)
        self._order_tabs()
        super().showEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll by the keys that what has the focus has no use for."""
        action = _SCROLL_KEYS.get(Qt.Key(event.key()))
        if action is not None:
            self._scroll.verticalScrollBar().triggerAction(action)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)


class _BackButton(QPushButton):
    """A button that leaves to its page the keys that scroll."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """By itself, it would go to another button by an arrow key."""
        if Qt.Key(event.key()) in _SCROLL_KEYS:
            event.ignore()
        else:
            super().keyPressEvent(event)


class _Content(QWidget):
    """As high as its texts are at its width; by itself, Qt would keep room for more lines."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("content")

    def minimumSizeHint(self) -> QSize:
        """No height: the scroll area asks for that at its width."""
        return QSize(super().minimumSizeHint().width(), 0)


def _scroll_area(content: QWidget) -> QScrollArea:
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    # Its page scrolls for it, so that Tab does not stop where nothing can be done.
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidget(content)
    return scroll
