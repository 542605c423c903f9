"""A field for text of several lines that grows with what is in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QEvent, QMimeData, Qt, Signal
from PySide6.QtGui import QKeySequence, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from kvdesk.ui.controls.look import set_look

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QResizeEvent

_NOT_TEXT = ("application/x-kvdesk-clip",)


class GrowingText(QPlainTextEdit):
    """Text from `min_lines` to `max_lines` high; beyond that it scrolls.

    What belongs to the window goes through to it: Ctrl+Return, undo and redo. Tab moves on.

    Attributes:
        text_edited: a person changed the text; `show_text` does not emit it.
        mime_pasted: what was pasted is no text (QMimeData); it was not inserted.
    """

    text_edited = Signal(str)
    mime_pasted = Signal(object)

    def __init__(
        self, *, min_lines: int, max_lines: int, max_characters: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._lines = (min_lines, max_lines)
        self._max_characters = max_characters
        self._shown = ""
        set_look(self, role="prompt")
        # Undo is the application's: it knows the other settings too.
        self.setUndoRedoEnabled(False)
        self.setTabChangesFocus(True)
        # What is dropped is meant for the whole panel.
        self.setAcceptDrops(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.textChanged.connect(self._on_text_changed)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)

    @property
    def text(self) -> str:
        """The text as the form takes it."""
        return self._shown

    def show_text(self, text: str) -> None:
        """Show `text`, and change only the part that is different, so that the cursor stays."""
        old = self.toPlainText()
        if text == old:
            return
        start = _common_start(old, text)
        end = _common_start(old[start:][::-1], text[start:][::-1])
        self._shown = text
        self.blockSignals(True)
        cursor = QTextCursor(self.document())
        cursor.setPosition(_utf16_length(old[:start]))
        cursor.setPosition(_utf16_length(old[: len(old) - end]), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text[start : len(text) - end])
        self.blockSignals(False)
        self._fit()

    def event(self, e: QEvent) -> bool:
        """Leave the application's shortcuts to the application."""
        if e.type() is QEvent.Type.ShortcutOverride and _is_of_the_window(cast("QKeyEvent", e)):
            e.ignore()
            return False
        return super().event(e)

    def keyPressEvent(self, e: QKeyEvent) -> None:
        """Type, unless it is a key of the application."""
        if _is_of_the_window(e):
            e.ignore()
        else:
            super().keyPressEvent(e)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:  # noqa: N802
        """Everything may be pasted; see `insertFromMimeData`."""
        return _is_foreign(source) or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: N802
        """Insert text; hand pictures and files on."""
        if _is_foreign(source):
            self.mime_pasted.emit(source)
        else:
            super().insertFromMimeData(source)

    def resizeEvent(self, e: QResizeEvent) -> None:
        """Another width breaks the lines elsewhere."""
        super().resizeEvent(e)
        self._fit()

    def changeEvent(self, e: QEvent) -> None:
        """Another size of text needs another height."""
        super().changeEvent(e)
        if e.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._fit()

    def _fit(self) -> None:
        # The layout of a QPlainTextEdit counts its height in lines.
        lines = self.document().documentLayout().documentSize().height()
        shown = min(max(lines, self._lines[0]), self._lines[1])
        margins = 2 * (self.document().documentMargin() + self.frameWidth())
        height = math.ceil(shown * self.fontMetrics().lineSpacing() + margins)
        if height != self.minimumHeight():
            self.setFixedHeight(height)

    def _on_text_changed(self) -> None:
        text = self.toPlainText()
        kept = _without_damage(text)[: self._max_characters]
        if kept != text:
            self.show_text(kept)
        if kept != self._shown or kept != text:
            self._shown = kept
            self.text_edited.emit(kept)


def _is_of_the_window(event: QKeyEvent) -> bool:
    returns = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
    if event.key() in returns and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
        return True
    undoes = event.matches(QKeySequence.StandardKey.Undo)
    return undoes or event.matches(QKeySequence.StandardKey.Redo)


def _is_foreign(source: QMimeData) -> bool:
    is_file = any(url.isLocalFile() for url in source.urls())
    return is_file or source.hasImage() or any(source.hasFormat(kind) for kind in _NOT_TEXT)


def _common_start(first: str, second: str) -> int:
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return index
    return min(len(first), len(second))


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _without_damage(text: str) -> str:
    # Half of a character that takes two in UTF-16 can come from the clipboard; nothing can be
    # made from it.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
