"""A report before it is saved: all of it can be read, and nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPlainTextEdit, QPushButton

from kvdesk.ui.page import Page
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import theme

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

_TEXT_LINES = 24


class ReportPage(Page):
    """Shows the text; who listens makes it and saves it.

    Attributes:
        prompts_toggled: (bool) whether prompts shall be in the report.
        save_requested: the text shall be saved as it is shown.
    """

    prompts_toggled = Signal(bool)
    save_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = PlainLabel()
        self._words.setWordWrap(True)
        self._prompts = QCheckBox()
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        # Tab goes on to the next button instead of being written.
        self._text.setTabChangesFocus(True)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self._save = QPushButton()
        buttons = QHBoxLayout()
        buttons.addWidget(self._save)
        buttons.addStretch(1)
        for part in (self._words, self._prompts, self._text):
            self.column.addWidget(part)
        self.column.addLayout(buttons)
        self.column.addStretch(1)
        self._prompts.clicked.connect(self.prompts_toggled)
        self._save.clicked.connect(self.save_requested)
        theme().changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self._retranslate()

    @property
    def text(self) -> str:
        """The report as it is shown."""
        return self._text.toPlainText()

    @property
    def with_prompts(self) -> bool:
        """Whether the person wants their prompts in it."""
        return self._prompts.isChecked()

    def title(self) -> str:
        """The words over the page."""
        return self.tr("Report of a problem")

    def begin(self) -> None:
        """Show no text yet, and leave prompts out until somebody wants them in."""
        self._prompts.setChecked(False)
        self.show_text("")

    def show_text(self, text: str) -> None:
        """Show the report; it can be saved as soon as there is one."""
        self._text.setPlainText(text)
        self._save.setEnabled(bool(text))

    def _on_theme_changed(self) -> None:
        self._text.setFixedHeight(self._text.fontMetrics().lineSpacing() * _TEXT_LINES)

    def _retranslate(self) -> None:
        super()._retranslate()
        self._words.setText(
            self.tr(
                "This text helps whoever looks into the problem. It is saved as a file on this "
                "computer and never sent. Names, folders and files of yours were taken out: read "
                "it before you give it to anybody."
            )
        )
        self._prompts.setText(self.tr("Put my prompts in"))
        self._text.setAccessibleName(self.tr("The report"))
        self._save.setText(self.tr("Save the report …"))
