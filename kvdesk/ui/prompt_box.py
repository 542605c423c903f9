"""What the clip shows, in words: the field, how much of it is read, old prompts and examples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.api import MAX_PROMPT_CHARACTERS
from kvdesk.form_rules import field_help, field_label
from kvdesk.ui.controls import (
    ElidedButton,
    FlowRows,
    GrowingText,
    IconButton,
    LabelledField,
    PopupList,
    follow_layout,
)

if TYPE_CHECKING:
    from kvdesk.prompt_history import PromptHistory

_MIN_LINES = 3
_MAX_LINES = 8


class PromptBox(QWidget):
    """The prompt.

    Attributes:
        text_edited: a person typed, or took an old prompt or an example.
        mime_pasted: a picture or a file was pasted (QMimeData).
    """

    text_edited = Signal(str)
    mime_pasted = Signal(object)

    def __init__(self, history: PromptHistory, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._tokens: tuple[int, int] | None = None
        self._examples: tuple[str, ...] = ()
        self.editor = GrowingText(
            min_lines=_MIN_LINES,
            max_lines=_MAX_LINES,
            max_characters=MAX_PROMPT_CHARACTERS,
            parent=self,
        )
        self.field = LabelledField("", self.editor, parent=self)
        self._old_prompts = IconButton("history", kind="small", parent=self)
        self._popup = PopupList(history.search, self)
        self._chips = QWidget(self)
        self._chip_rows = FlowRows(self._chips, gap=6)
        self._chips.hide()
        self.field.add_to_title(self._old_prompts)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(self._chips)
        self._connect()
        self._retranslate()

    def _connect(self) -> None:
        self.editor.text_edited.connect(self._on_text_edited)
        self.editor.mime_pasted.connect(self.mime_pasted)
        self._old_prompts.clicked.connect(self._on_history_clicked)
        self._popup.chosen.connect(self._take)
        self._popup.removal_wanted.connect(self._history.remove)
        self._history.changed.connect(self._on_history_changed)

    # A focus proxy would be a stop of its own, out of order, on the way of Tab.
    def setFocus(  # noqa: N802
        self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason
    ) -> None:
        """Lead to the text."""
        self.editor.setFocus(reason)

    def show_text(self, text: str) -> None:
        """Show `text`; the cursor stays where it can."""
        self.editor.show_text(text)
        self._show_around()

    def show_tokens(self, count: int, limit: int) -> None:
        """Show how many tokens the prompt has, of which `limit` are read; nothing where it is 0."""
        self._tokens = (count, limit) if limit else None
        self._show_around()

    def show_examples(self, examples: tuple[str, ...]) -> None:
        """Offer `examples` while the prompt is empty."""
        if examples == self._examples:
            return
        self._examples = examples
        while (item := self._chip_rows.takeAt(0)) is not None:
            chip = item.widget()
            if chip is not None:
                chip.hide()
                chip.deleteLater()
        for example in examples:
            chip = ElidedButton(example, parent=self._chips)
            chip.clicked.connect(self._on_chip_clicked)
            self._chip_rows.addWidget(chip)
        follow_layout(self)
        self._retranslate()
        self._show_around()

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self.field.set_texts(field_label("prompt"), field_help("prompt"))
        self._old_prompts.set_words(self.tr("Prompts used before"))
        example = self._examples[0] if self._examples else self.tr("a cat in a red boat at sunset")
        self.editor.setPlaceholderText(self.tr("For example: {prompt}").format(prompt=example))
        self._show_around()

    def _show_around(self) -> None:
        is_empty = not self.editor.text.strip()
        self._chips.setVisible(is_empty and bool(self._examples))
        if is_empty or self._tokens is None:
            self.field.set_value_text("")
            return
        count, limit = self._tokens
        if count > limit:
            text = self.tr("{count} of {limit} tokens: the end is not read")
        else:
            text = self.tr("{count} of {limit} tokens")
        self.field.set_value_text(
            text.format(count=count, limit=limit), role="careful" if count > limit else "value"
        )

    def _take(self, text: str) -> None:
        self.editor.show_text(text)
        self._on_text_edited(text)
        self.editor.setFocus()

    def _on_text_edited(self, text: str) -> None:
        self._show_around()
        self.text_edited.emit(text)

    def _on_chip_clicked(self) -> None:
        chip = self.sender()
        if isinstance(chip, ElidedButton):
            self._take(chip.whole_text)

    def _on_history_clicked(self) -> None:
        self._popup.open_below(self._old_prompts)

    def _on_history_changed(self) -> None:
        if self._popup.isVisible():
            self._popup.refresh()
