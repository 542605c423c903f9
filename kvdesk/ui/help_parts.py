"""What sections of the help page are made of: paragraphs, tables, strips of pictures, buttons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

import kvdesk
from kvdesk.ui.controls.look import set_look
from kvdesk.ui.controls.rows import FlowRows
from kvdesk.ui.plain_text import PlainLabel, tip
from kvdesk.ui.theme import GAP, PANEL, theme

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PySide6.QtGui import QPaintEvent

PICTURES_FOLDER = Path(kvdesk.__file__).parents[1] / "resources" / "help"
"""Made by `packaging/help_pictures.py`."""
_KEYS_WIDTH = 128
_VALUES_WIDTH = 96


def heading(text: str) -> PlainLabel:
    """The title of a section."""
    label = paragraph(text)
    set_look(label, role="title")
    return label


def paragraph(text: str) -> PlainLabel:
    """Text that can be copied, in as many lines as it takes."""
    label = PlainLabel(text)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setWordWrap(True)
    return label


def topic(title: str, text: str) -> QWidget:
    """A part of a section: what it is about, and a paragraph."""
    part = QWidget()
    name = paragraph(title)
    set_look(name, role="label")
    column = QVBoxLayout(part)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(GAP // 2)
    column.addWidget(name)
    column.addWidget(paragraph(text))
    return part


def buttons(*choices: tuple[str, Callable[[], None]]) -> QWidget:
    """A row of buttons with their words and what each does."""
    row = QWidget()
    line = FlowRows(row, gap=GAP)
    for text, do in choices:
        button = QPushButton(text)
        button.clicked.connect(_without_value(do))
        line.addWidget(button)
    return row


def keys_table(rows: Sequence[tuple[str, str]]) -> QWidget:
    """Keys, and beside each what it does."""
    table, grid = _table(_KEYS_WIDTH)
    for row, (keys, text) in enumerate(rows):
        cap = PlainLabel(keys)
        set_look(cap, surface="card")
        cap.setContentsMargins(GAP // 2, 0, GAP // 2, 0)
        cap.setAccessibleDescription(text)
        words = PlainLabel(text)
        words.setWordWrap(True)
        at_left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        grid.addWidget(cap, row, 0, at_left)
        grid.addWidget(words, row, 1)
    return table


def pictures_table(rows: Sequence[tuple[str, str, str]]) -> QWidget:
    """Rows of (value of a setting, name of its picture, what is to be seen on it)."""
    table, grid = _table(_VALUES_WIDTH)
    for row, (value, name, seen) in enumerate(rows):
        words = PlainLabel(value)
        words.setWordWrap(True)
        set_look(words, role="muted")
        grid.addWidget(words, row, 0, Qt.AlignmentFlag.AlignVCenter)
        grid.addWidget(Strip(PICTURES_FOLDER / f"{name}.png", seen), row, 1)
    return table


class Strip(PlainLabel):
    """A picture in its own size, or smaller where there is no room for it.

    `seen` is what it shows, for who cannot see it.
    """

    def __init__(self, path: Path, seen: str, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self._picture = QPixmap(str(path))
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(seen)
        self.setToolTip(tip(seen))

    @property
    def has_picture(self) -> bool:
        """Whether the file was there."""
        return not self._picture.isNull()

    def sizeHint(self) -> QSize:
        """The picture's own size."""
        return self._picture.size()

    def minimumSizeHint(self) -> QSize:
        """As narrow as need be."""
        return QSize(1, 1)

    def hasHeightForWidth(self) -> bool:
        """It keeps its shape."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height at `width` pixels."""
        own = self._picture.size()
        return own.height() * min(width, own.width()) // max(1, own.width())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture at the left."""
        own = self._picture.size()
        width = min(self.width(), own.width())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(QRect(0, 0, width, self.heightForWidth(width)), self._picture)
        painter.end()


def _without_value(do: Callable[[], None]) -> Callable[[bool], None]:
    def on_clicked(_is_checked: bool) -> None:
        do()

    return on_clicked


def _table(first_width: int) -> tuple[QWidget, QGridLayout]:
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(PANEL)
    grid.setVerticalSpacing(GAP)
    grid.setColumnMinimumWidth(0, theme().px(first_width))  # the same in all tables
    grid.setColumnStretch(1, 1)
    return table, grid
