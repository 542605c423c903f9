"""How the window is used in a few sentences, and every key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from kvdesk.ui.controls.look import set_look
from kvdesk.ui.page import Page
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.shortcuts import clip_keys, list_keys, shortcuts
from kvdesk.ui.theme import GAP, PANEL, theme

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEYS_WIDTH = 128


class HelpPage(Page):
    """Text and tables; they are made anew when the language or the size of text changes.

    Attributes:
        report_requested: a report of a problem shall be made.
    """

    report_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme().changed.connect(self._retranslate)
        self._retranslate()

    def title(self) -> str:
        """The words over the page."""
        return self.tr("Help and shortcuts")

    def _retranslate(self) -> None:
        super()._retranslate()
        while (item := self.column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        everywhere = [(shortcut.shown_keys, shortcut.text) for shortcut in shortcuts()]
        for title, rows in (
            (self.tr("How a clip is made"), self._paragraphs()),
            (self.tr("If something goes wrong"), self._way_out()),
            (self.tr("Keys everywhere"), _table(everywhere)),
            (self.tr("Keys in the clip"), _table(clip_keys())),
            (self.tr("Keys in the queue and the library"), _table(list_keys())),
        ):
            heading = PlainLabel(title)
            set_look(heading, role="title")
            heading.setWordWrap(True)
            if self.column.count():
                self.column.addSpacing(GAP)
            self.column.addWidget(heading)
            for widget in rows:
                self.column.addWidget(widget)
        self.column.addStretch(1)

    def _paragraphs(self) -> list[QWidget]:
        texts = (
            self.tr(
                "Say in a sentence what the clip shows, or drop a picture that it begins with, "
                "and press Generate. First a still picture is drawn, then it is set in motion, "
                "and then frames are put in between until it is smooth."
            ),
            self.tr(
                "Make a draft at 2 frames a second first: it takes the least time. If you like "
                "it, right-click it in the library and make it smooth. It stays the same clip."
            ),
            self.tr(
                "The same settings and the same seed give the same clip again. Change one "
                "setting and lock the seed to see what that setting does."
            ),
            self.tr(
                "The demo model is a toy that shows how the application works. It knows "
                "circles, squares and triangles in six colours that move, grow, shrink or "
                "stand still on a black, gray or dark blue background, and nothing else."
            ),
            self.tr("Nothing that you type or make leaves this computer."),
        )
        return [_paragraph(text) for text in texts]

    def _way_out(self) -> list[QWidget]:
        words = _paragraph(
            self.tr(
                "What you made is kept. A report says what this computer and the program are "
                "like and what happened last. You can read it, and it is never sent."
            )
        )
        button = QPushButton(self.tr("Save a report …"))
        button.clicked.connect(lambda: self.report_requested.emit())
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(button)
        line.addStretch(1)
        return [words, row]


def _paragraph(text: str) -> QLabel:
    label = PlainLabel(text)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setWordWrap(True)
    return label


def _table(rows: Sequence[tuple[str, str]]) -> list[QWidget]:
    table = QWidget()
    grid = QGridLayout(table)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(PANEL)
    grid.setVerticalSpacing(GAP)
    grid.setColumnMinimumWidth(0, theme().px(_KEYS_WIDTH))  # the same in all tables
    grid.setColumnStretch(1, 1)
    for row, (keys, text) in enumerate(rows):
        cap = PlainLabel(keys)
        set_look(cap, surface="card")
        cap.setContentsMargins(GAP // 2, 0, GAP // 2, 0)
        words = PlainLabel(text)
        words.setWordWrap(True)
        cap.setAccessibleDescription(text)
        at_left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        grid.addWidget(cap, row, 0, at_left)
        grid.addWidget(words, row, 1)
    return [table]
