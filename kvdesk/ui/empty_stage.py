"""What the stage shows before there is anything: what to do, and ways to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from kvdesk.ui.icons import pixmap
from kvdesk.ui.plain_text import PlainLabel, tip
from kvdesk.ui.theme import GAP, PANEL, RADIUS, theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QPaintEvent, QResizeEvent

_NUM_EXAMPLES = 3
_ICON_PX = 48
_WIDEST = 460
_MUCH = 1000  # as a share of the width, against 1 for the space beside it


class ExampleButton(QPushButton):
    """A prompt on a button; a long one is shortened, and told whole by the tooltip."""

    def __init__(self, prompt: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.prompt = prompt
        self.setProperty("kind", "chip")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(tip(prompt))
        self.setText(prompt)

    def minimumSizeHint(self) -> QSize:
        """As narrow as the window needs."""
        return QSize(theme().px(80), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the prompt to what fits."""
        super().resizeEvent(event)
        room = self.width() - 2 * theme().px(14)
        elided = self.fontMetrics().elidedText(self.prompt, Qt.TextElideMode.ElideRight, room)
        # An ampersand would be read as the mark of a shortcut.
        self.setText(elided.replace("&", "&&"))


class EmptyStage(QWidget):
    """A calm place to drop something on.

    Attributes:
        example_chosen: (prompt) one of the examples was pressed.
        model_requested: the real model is wanted, which is not on this computer.
    """

    example_chosen = Signal(str)
    model_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_target = False
        self._icon = PlainLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = PlainLabel()
        self._title.setProperty("role", "title")
        self._hint = PlainLabel()
        self._hint.setProperty("role", "muted")
        for label in (self._title, self._hint):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
        self._model = QPushButton()
        self._model.setProperty("kind", "link")
        self._model.hide()
        self._model.clicked.connect(self.model_requested)
        inner = QWidget()
        inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._inner = inner
        self._rows = QVBoxLayout(inner)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(GAP)
        self._rows.addWidget(self._icon)
        self._rows.addWidget(self._title)
        self._rows.addSpacing(GAP)
        self._rows.addWidget(self._hint)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(inner, _MUCH)
        middle.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(PANEL, PANEL, PANEL, PANEL)
        column.addStretch(1)
        column.addLayout(middle)
        column.addSpacing(GAP)
        column.addWidget(self._model, alignment=Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self._examples: list[ExampleButton] = []
        theme().changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._retranslate()

    @property
    def examples(self) -> tuple[ExampleButton, ...]:
        """The buttons of the examples."""
        return tuple(self._examples)

    def show_examples(self, prompts: Sequence[str]) -> None:
        """Offer the first three of `prompts`."""
        for button in self._examples:
            self._rows.removeWidget(button)
            button.deleteLater()
        self._examples = []
        for prompt in prompts[:_NUM_EXAMPLES]:
            button = ExampleButton(prompt)
            button.clicked.connect(lambda _=False, prompt=prompt: self.example_chosen.emit(prompt))
            self._rows.addWidget(button)
            self._examples.append(button)
        self._hint.setVisible(bool(self._examples))

    def offer_model(self, is_missing: bool) -> None:
        """Offer to get the real model, where that is missing."""
        self._model.setVisible(is_missing)

    def show_as_target(self, is_target: bool) -> None:
        """Show that what is dragged may be dropped here."""
        if is_target != self._is_target:
            self._is_target = is_target
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the ground and the dashed line around it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(theme().color("behind_clip"))
        colour = theme().color("accent" if self._is_target else "line")
        width = 2 if self._is_target else 1
        painter.setPen(QPen(colour, width, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _on_theme_changed(self) -> None:
        side = theme().px(_ICON_PX)
        ratio = self.devicePixelRatioF()
        picture = pixmap("picture", theme().tokens.muted, round(side * ratio))
        picture.setDevicePixelRatio(ratio)
        self._icon.setPixmap(picture)
        # Lines of text stay short on a wide stage.
        self._inner.setMaximumWidth(theme().px(_WIDEST))
        self.update()

    def _retranslate(self) -> None:
        self._title.setText(self.tr("Type what you want to see, or drop a picture here."))
        self._hint.setText(self.tr("Or begin with one of these:"))
        self._model.setText(self.tr("Get the model that draws anything …"))
