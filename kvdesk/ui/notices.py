"""What the window has to tell, beside what it is about: nothing has to be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kvdesk.notice import Tone
from kvdesk.ui.controls import FlowRows, IconButton, announce, claims_escape, set_look
from kvdesk.ui.icons import icon
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, PANEL, theme

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent

    from kvdesk.notice import Notice

MAX_NOTICES = 3
_SIGN_PX = 18
_DETAIL_LINES = 8
_LINK_ROOM = 5  # between a link's edge and its words
_SIGNS = {
    Tone.PLAIN: ("info", "accent"),
    Tone.FITS: ("check", "fits"),
    Tone.CAREFUL: ("warning", "careful"),
    Tone.FAILED: ("warning", "failed"),
}


class NoticeCard(QFrame):
    """One notice.

    Attributes:
        closed: a person has read it.
        action_requested: what it offers was wanted; the name of the action.
        report_requested: a report of what it tells was wanted.
    """

    closed = Signal()
    action_requested = Signal(str)
    report_requested = Signal()

    def __init__(self, notice: Notice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.notice = notice
        self._sign = PlainLabel(parent=self)
        self._text = PlainLabel(notice.text, self)
        self._text_room = QVBoxLayout()
        self._action = QPushButton(notice.action_text, self)
        self._unfold = QPushButton(self)
        self._copy = QPushButton(self)
        self._report = QPushButton(self)
        self._detail = QPlainTextEdit(notice.detail, self)
        self._close = IconButton("close", parent=self)
        self._build_ui()
        self._connect()
        self._retranslate()
        self._on_theme_changed()

    def _build_ui(self) -> None:
        set_look(self, surface="notice", tone=self.notice.tone.value)
        # The text may come from a file or a person: it is shown as it is.
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self._text.setSizePolicy(policy)
        self._text_room.addWidget(self._text)
        self._detail.setReadOnly(True)
        # Tab goes on to the next button instead of being written.
        self._detail.setTabChangesFocus(True)
        self._detail.hide()
        self._unfold.setCheckable(True)
        self._unfold.setVisible(bool(self.notice.detail))
        self._copy.hide()
        self._action.setVisible(bool(self.notice.action))
        self._report.setVisible(self.notice.can_be_reported)
        for button in self._links:
            set_look(button, kind="link")
        buttons = FlowRows(gap=GAP)
        for button in (self._action, *self._links):
            buttons.addWidget(button)
        column = QVBoxLayout()
        column.setSpacing(GAP // 2)
        # A button's frame is level with the text; a link's words are, see `_on_theme_changed`.
        column.setContentsMargins(_LINK_ROOM if self.notice.action else 0, 0, 0, 0)
        column.addLayout(self._text_room)
        if self.notice.action or self.notice.detail or self.notice.can_be_reported:
            column.addLayout(buttons)
        column.addWidget(self._detail)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 6, 6)
        row.setSpacing(10 - _LINK_ROOM)
        row.addWidget(self._sign, alignment=Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, stretch=1)
        row.addWidget(self._close, alignment=Qt.AlignmentFlag.AlignTop)

    def _connect(self) -> None:
        self._close.clicked.connect(self.closed)
        self._action.clicked.connect(self._on_action_clicked)
        self._unfold.toggled.connect(self._on_unfolded)
        self._copy.clicked.connect(self._on_copy_clicked)
        self._report.clicked.connect(self.report_requested)
        theme().changed.connect(self._on_theme_changed)

    def event(self, event: QEvent) -> bool:
        """Have Escape come here."""
        return claims_escape(event) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self._unfold.setText(self.tr("Details"))
        self._copy.setText(self.tr("Copy details"))
        self._report.setText(self.tr("Save a report …"))
        self._close.set_words(self.tr("Close this notice"))
        self._detail.setAccessibleName(self.tr("Details"))

    def _on_theme_changed(self) -> None:
        name, token = _SIGNS[self.notice.tone]
        side = theme().px(_SIGN_PX)
        self._sign.setPixmap(icon(name, token).pixmap(QSize(side, side)))
        # The sign and the first line are level with the button that closes.
        first = self._close.sizeHint().height()
        self._sign.setFixedHeight(first)
        edge = max(0, first - self._text.fontMetrics().height()) // 2
        indent = 0 if self.notice.action else theme().px(4) + 1
        self._text_room.setContentsMargins(indent, edge, 0, edge)
        if self.notice.action:
            for button in self._links:
                button.setMinimumHeight(self._action.sizeHint().height())
        height = self._detail.fontMetrics().lineSpacing() * _DETAIL_LINES
        self._detail.setFixedHeight(height)

    @property
    def _links(self) -> tuple[QPushButton, ...]:
        return (self._unfold, self._copy, self._report)

    def _on_action_clicked(self) -> None:
        self.action_requested.emit(self.notice.action)

    def _on_unfolded(self, is_open: bool) -> None:
        self._detail.setVisible(is_open)
        self._copy.setVisible(is_open)

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.notice.text}\n\n{self.notice.detail}")


class NoticeBar(QWidget):
    """The newest notices, the newest on top; it takes no room while there are none.

    Attributes:
        action_requested: what a notice offers was wanted; the name of the action.
        report_requested: with the `Notice` that a report was wanted of.
    """

    action_requested = Signal(str)
    report_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cards: list[NoticeCard] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(PANEL, PANEL, PANEL, 0)
        self._column.setSpacing(GAP)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What is shown, the newest first."""
        return tuple(card.notice for card in self._cards)

    def show_notice(self, notice: Notice) -> None:
        """Show `notice` on top; one that says the same goes, and so does the oldest of many."""
        self.withdraw(notice)
        for card in self._cards[MAX_NOTICES - 1 :]:
            self._drop(card)
        card = NoticeCard(notice, self)
        card.closed.connect(lambda: self._drop(card))
        card.action_requested.connect(self._on_action_requested)
        card.report_requested.connect(lambda: self.report_requested.emit(notice))
        self._cards.insert(0, card)
        self._column.insertWidget(0, card)
        self.show()
        announce(self, notice.text)

    def withdraw(self, notice: Notice) -> None:
        """Close `notice`, which is not true any more, unless a person has."""
        for card in [card for card in self._cards if card.notice == notice]:
            self._drop(card)

    def close_all(self) -> None:
        """Close every notice."""
        for card in list(self._cards):
            self._drop(card)

    def _drop(self, card: NoticeCard) -> None:
        self._cards.remove(card)
        self._column.removeWidget(card)
        card.hide()
        card.deleteLater()
        self.setVisible(bool(self._cards))

    def _on_action_requested(self, action: str) -> None:
        card = self.sender()
        if isinstance(card, NoticeCard):
            self._drop(card)
        self.action_requested.emit(action)
