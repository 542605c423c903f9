"""Buttons whose texts go on in the next line where there is no room."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from kvdesk.ui.controls.look import set_look
from kvdesk.ui.icons import icon
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import theme

_ICON_PX = 22


class _ColumnButton(QPushButton):
    """A button as large as the labels in it."""

    def __init__(self, parent: QWidget | None, *, margin: int) -> None:
        super().__init__(parent)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(margin, margin, margin, margin)
        self._column.setSpacing(2)

    def _add_label(self, *, role: str = "") -> QLabel:
        label = PlainLabel(parent=self)
        label.setWordWrap(True)
        label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        if role:
            set_look(label, role=role)
        self._column.addWidget(label)
        return label

    def sizeHint(self) -> QSize:
        """As large as the labels."""
        return self._column.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """As small as the labels can be."""
        return self._column.minimumSize()

    def hasHeightForWidth(self) -> bool:
        """The labels wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of the labels."""
        return self._column.heightForWidth(width)


class ChoiceButton(_ColumnButton):
    """A title and a line below it that says what it does."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=10)
        set_look(self, kind="flat")
        self._title = self._add_label()
        self._line = self._add_label(role="muted")

    def set_texts(self, title: str, line: str) -> None:
        """Show `title`, and `line` below it."""
        self._title.setText(title)
        self._line.setText(line)
        self.setAccessibleName(title)
        self.setAccessibleDescription(line)


class DropZone(_ColumnButton):
    """A large button with an icon that also stands for what can be dropped."""

    def __init__(self, icon_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, margin=16)
        set_look(self, kind="drop", dropping="false")
        self._icon_name = icon_name
        self._sign = self._add_label()
        self._words = self._add_label(role="muted")
        for label in (self._sign, self._words):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        theme().changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_words(self, words: str) -> None:
        """Say what can be done here."""
        self._words.setText(words)
        self.setAccessibleName(words)

    def show_dropping(self, is_over: bool) -> None:
        """Light up while something that can be used is held over it."""
        set_look(self, dropping="true" if is_over else "false")

    def _on_theme_changed(self) -> None:
        side = theme().px(_ICON_PX)
        self._sign.setPixmap(icon(self._icon_name, "muted").pixmap(QSize(side, side)))
