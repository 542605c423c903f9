"""A list that pops up, is searched by typing, and gives back what is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QStringListModel,
    Qt,
    Signal,
)
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QVBoxLayout, QWidget

from kvdesk.ui.controls.keys import claims_escape
from kvdesk.ui.controls.look import set_look
from kvdesk.ui.plain_text import PlainLabel, tip
from kvdesk.ui.theme import GAP, theme

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QKeyEvent

_WIDTH_PX = 420
_HEIGHT_PX = 320
_LIST_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class _Lines(QStringListModel):
    """Texts, each of which is shown in one line whatever it holds."""

    def data(
        self,
        index: QModelIndex | QPersistentModelIndex,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """The text itself is there to edit, its line to show."""
        found: object = super().data(index, role)
        if role == Qt.ItemDataRole.DisplayRole:
            return " ".join(str(found).split())
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip(str(super().data(index, Qt.ItemDataRole.DisplayRole)))
        return found


class PopupList(QFrame):
    """Texts to choose from, narrowed down by typing.

    Up and Down move, Enter chooses, Delete removes, Escape closes.

    Attributes:
        chosen: the text that a person wants.
        removal_wanted: the text that is to be forgotten; `refresh` shows that it is.
    """

    chosen = Signal(str)
    removal_wanted = Signal(str)

    def __init__(self, search: Callable[[str], list[str]], parent: QWidget) -> None:
        """Show what `search` finds for the words that are typed, in its order."""
        super().__init__(parent, Qt.WindowType.Popup)
        self._search = search
        self._words = QLineEdit(self)
        self._texts = _Lines(self)
        self._list = QListView(self)
        self._list.setModel(self._texts)
        self._list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.setUniformItemSizes(True)
        self._hint = PlainLabel(parent=self)
        self._hint.setWordWrap(True)
        set_look(self, surface="popup")
        set_look(self._hint, role="muted")
        column = QVBoxLayout(self)
        column.setContentsMargins(GAP, GAP, GAP, GAP)
        column.setSpacing(GAP)
        column.addWidget(self._words)
        column.addWidget(self._list, stretch=1)
        column.addWidget(self._hint)
        self._words.installEventFilter(self)
        self._list.installEventFilter(self)
        self._words.textChanged.connect(self.refresh)
        self._list.clicked.connect(self._on_clicked)
        self._retranslate()

    def open_below(self, widget: QWidget) -> None:
        """Show everything under `widget`, its right ends together, inside the screen."""
        self._words.clear()
        self.refresh()
        self.resize(theme().px(_WIDTH_PX), theme().px(_HEIGHT_PX))
        corner = widget.mapToGlobal(QPoint(widget.width() - self.width(), widget.height() + 4))
        screen = widget.screen().availableGeometry()
        corner.setX(max(screen.left(), min(corner.x(), screen.right() - self.width())))
        corner.setY(max(screen.top(), min(corner.y(), screen.bottom() - self.height())))
        self.move(corner)
        self.show()
        self._words.setFocus(Qt.FocusReason.PopupFocusReason)

    def refresh(self) -> None:
        """Search again, and stay on the row if there is one."""
        row = max(0, self._list.currentIndex().row())
        texts = self._search(self._words.text())
        self._texts.setStringList(texts)
        self._list.setCurrentIndex(self._texts.index(min(row, len(texts) - 1), 0))

    def event(self, event: QEvent) -> bool:
        """Have Escape come here."""
        return claims_escape(event) or super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the keys of the list work while the words are typed."""
        if event.type() is not QEvent.Type.KeyPress:
            return super().eventFilter(watched, event)
        return self._handles_key(watched, cast("QKeyEvent", event))

    def _handles_key(self, watched: QObject, event: QKeyEvent) -> bool:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self._list.currentIndex())
            return True
        if key == Qt.Key.Key_Delete and self._is_past_the_words(watched):
            text = self._text(self._list.currentIndex())
            if text:
                self.removal_wanted.emit(text)
            return True
        if watched is self._words and key in _LIST_KEYS:
            self._list.event(event)
            return True
        return False

    def _is_past_the_words(self, watched: QObject) -> bool:
        # Before the end of the words, Delete takes the letter behind the cursor.
        at_end = self._words.cursorPosition() == len(self._words.text())
        return watched is self._list or (at_end and not self._words.hasSelectedText())

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self._words.setPlaceholderText(self.tr("Type to search"))
        self._words.setAccessibleName(self.tr("Type to search"))
        self._list.setAccessibleName(self.tr("Found"))
        self._hint.setText(self.tr("Enter takes a line, Delete forgets it"))

    def _text(self, index: QModelIndex) -> str:
        return str(index.data(Qt.ItemDataRole.EditRole)) if index.isValid() else ""

    def _on_clicked(self, index: QModelIndex) -> None:
        self._choose(index)

    def _choose(self, index: QModelIndex) -> None:
        text = self._text(index)
        if text:
            self.hide()
            self.chosen.emit(text)
