"""A sentence beside the control that it is about."""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from kvdesk.ui.controls.look import set_look
from kvdesk.ui.icons import pixmap
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import theme


class RemarkTone(StrEnum):
    """How serious a remark is; also the `role` of its text in the style sheet."""

    CAREFUL = "careful"
    FAILED = "failed"


class Remark(QWidget):
    """A sign and a sentence in the colour of their tone; hidden while there is nothing to say."""

    def __init__(self, tone: RemarkTone, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self._sign = PlainLabel(parent=self)
        self._words = PlainLabel(parent=self)
        self._words.setWordWrap(True)
        self._words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        set_look(self._words, role=tone.value)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self._sign, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._words, stretch=1)
        theme().changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.hide()

    @property
    def text(self) -> str:
        """What is said, or ""."""
        return self._words.text()

    def set_text(self, text: str) -> None:
        """Say `text`; "" says nothing."""
        self._words.setText(text)
        self.setVisible(bool(text))

    def _on_theme_changed(self) -> None:
        colour = str(getattr(theme().tokens, self._tone.value))
        side = theme().px(14)
        ratio = self.devicePixelRatioF()
        picture = pixmap("warning", colour, round(side * ratio))
        picture.setDevicePixelRatio(ratio)
        self._sign.setPixmap(picture)
