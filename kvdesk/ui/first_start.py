"""What a person who opens the window for the first time is asked, one card after the other.

It takes the clip's place as other pages do, so that the form beside it can be used at any point:
Esc, the button above and everything else that shows another page leave it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from kvdesk.ui.controls.look import announce, set_look
from kvdesk.ui.first_start_cards import FoldersCard, LanguageCard, ModelCard
from kvdesk.ui.page import Page
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent


class FirstStart(Page):
    """Three cards, and the way from one to the next. Nothing is changed but by what is chosen.

    Attributes:
        opened: it is shown, so that what it shows has to be told.
        language: the first card.
        folders: the second.
        model: the third.
    """

    WIDTH = 520

    opened = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.language = LanguageCard()
        self.folders = FoldersCard()
        self.model = ModelCard()
        self._cards = (self.language, self.folders, self.model)
        self._step = PlainLabel()
        set_look(self._step, role="muted")
        self._before = QPushButton()
        self._next = QPushButton()
        buttons = QHBoxLayout()
        buttons.setSpacing(GAP)
        buttons.addWidget(self._before)
        buttons.addStretch(1)
        buttons.addWidget(self._next)
        self.column.addWidget(self._step)
        for card in self._cards:
            self.column.addWidget(card)
        self.column.addStretch(1)
        self.footer.addLayout(buttons)
        self._index = 0
        self._before.clicked.connect(lambda: self._go_to(self._index - 1))
        self._next.clicked.connect(self._on_next)
        self._show_card()
        self._retranslate()

    def title(self) -> str:
        """The words over the page."""
        return self.tr("Welcome to kvdesk")

    def begin(self) -> None:
        """Show the first card."""
        self._index = 0
        self._show_card()

    def focus(self) -> None:
        """Take the keyboard to what can be chosen."""
        super().focus()
        self._cards[self._index].lead()
        self._announce()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what the cards show."""
        super().showEvent(event)
        self.opened.emit()

    def _on_next(self) -> None:
        if self._index == len(self._cards) - 1:
            self.closed.emit()
        else:
            self._go_to(self._index + 1)

    def _go_to(self, index: int) -> None:
        self._index = index
        self._show_card()
        self.focus()

    def _show_card(self) -> None:
        for index, card in enumerate(self._cards):
            card.setVisible(index == self._index)
        self._before.setVisible(self._index > 0)
        self._say_where()

    def _say_where(self) -> None:
        is_last = self._index == len(self._cards) - 1
        # On the last card, what to press is on the card.
        set_look(self._next, kind="" if is_last else "primary")
        self._next.setText(self.tr("Neither now") if is_last else self.tr("Continue"))
        self._step.setText(
            self.tr("Step {number} of {count}").format(
                number=self._index + 1, count=len(self._cards)
            )
        )

    def _announce(self) -> None:
        announce(self, f"{self._step.text()}: {self._cards[self._index].title()}")

    def _retranslate(self) -> None:
        super()._retranslate()
        self._back.setText(self.tr("Skip all"))
        self._before.setText(self.tr("Back"))
        self._say_where()
