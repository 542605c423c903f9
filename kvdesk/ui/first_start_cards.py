"""The three cards of the first start: the language, where things are kept, and what to begin with.

No card asks for an answer: whoever goes on without one keeps what is usual.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from kvdesk.translations import LANGUAGES
from kvdesk.ui.controls.look import set_look
from kvdesk.ui.controls.segments import Segments
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, PANEL

_GIGABYTE = 1e9
_MODEL_GIGABYTES = 50
"""The most that is there at once while the real model is got, about."""


class FirstStartCard(QFrame):
    """A title, and below it what can be chosen. Subclasses fill `column`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = PlainLabel()
        self._title.setProperty("role", "title")
        self._title.setWordWrap(True)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(PANEL)
        self.column.addWidget(self._title)

    def title(self) -> str:
        """What the card asks."""
        raise NotImplementedError

    def lead(self) -> None:
        """Take the keyboard to the first thing that can be chosen."""
        raise NotImplementedError

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        self._title.setText(self.title())
        self.setAccessibleName(self.title())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)


class LanguageCard(FirstStartCard):
    """Which language to speak.

    Attributes:
        language_chosen: (str) one of the languages of `Settings`; it takes effect at once.
    """

    language_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._languages = Segments()
        self._words = _words()
        self.column.addWidget(self._words)
        self.column.addWidget(self._languages)
        self._languages.value_changed.connect(self.language_chosen)
        self.retranslate()

    def title(self) -> str:
        """What the card asks."""
        return self.tr("Which language do you read?")

    def lead(self) -> None:
        """Go to the language in use."""
        self._languages.setFocus()

    def show_language(self, language: str) -> None:
        """Show what is set."""
        self._languages.set_value(language)

    def retranslate(self) -> None:
        """Say everything in the language in use; a language's name is its own."""
        super().retranslate()
        self._languages.set_options([("", self.tr("As the system")), *LANGUAGES.items()])
        self._languages.setAccessibleName(self.title())
        self._words.setText(
            self.tr(
                "kvdesk makes short videos from a sentence or a picture, on this computer alone: "
                "nothing that you type or make leaves it. These three steps take a minute, and "
                "every answer can be changed in the settings later."
            )
        )


class FoldersCard(FirstStartCard):
    """Where clips and models are kept.

    Attributes:
        clips_choice_requested: another folder for clips shall be chosen.
        models_choice_requested: another folder for models shall be chosen.
    """

    clips_choice_requested = Signal()
    models_choice_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clips = _Folder()
        self._models = _Folder()
        self.column.addWidget(self._clips)
        self.column.addWidget(self._models)
        self._clips.choose.clicked.connect(self.clips_choice_requested)
        self._models.choose.clicked.connect(self.models_choice_requested)
        self._free_for_models: int | None = None
        self.retranslate()

    def title(self) -> str:
        """What the card asks."""
        return self.tr("Where shall things be kept?")

    def lead(self) -> None:
        """Go to the first folder."""
        self._clips.choose.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_clips_folder(self, path: str, free_bytes: int | None) -> None:
        """Show where clips are kept, and how much is free there if that is known."""
        self._clips.show_folder(path, self._free_text(free_bytes))

    def show_models_folder(self, path: str, free_bytes: int | None) -> None:
        """Show where models are kept, and how much is free there if that is known."""
        self._models.show_folder(path, self._free_text(free_bytes))
        self._free_for_models = free_bytes
        self._explain_models()

    def _free_text(self, free_bytes: int | None) -> str:
        if free_bytes is None:
            return ""
        return self.tr("{free} GB free").format(free=f"{free_bytes / _GIGABYTE:.0f}")

    def _explain_models(self) -> None:
        free = self._free_for_models
        is_short = free is not None and free < _MODEL_GIGABYTES * _GIGABYTE
        words = (
            self.tr(
                "Too little for the real model, which takes up to 50 GB while it is got. Another "
                "drive will do; the demo model needs nothing here."
            )
            if is_short
            else self.tr(
                "The real model takes about 30 GB here, and up to 50 GB while it is got. The demo "
                "model needs nothing here."
            )
        )
        self._models.set_texts(self.tr("Models"), words, is_careful=is_short)

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        super().retranslate()
        self._clips.set_texts(
            self.tr("Clips"),
            self.tr(
                "A clip of the demo model takes less than a megabyte, one of the real model up to "
                "170 MB."
            ),
        )
        self._explain_models()
        for folder, name in (
            (self._clips, self.tr("Choose another folder for clips")),
            (self._models, self.tr("Choose another folder for models")),
        ):
            folder.choose.setText(self.tr("Choose another folder …"))
            folder.choose.setAccessibleName(name)


class ModelCard(FirstStartCard):
    """What to begin with.

    Attributes:
        demo_chosen: the demo model, now.
        model_chosen: the real model: how it is got.
    """

    demo_chosen = Signal()
    model_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._demo = _Offer()
        self._model = _Offer()
        self._machine = _words()
        self._machine.hide()
        for part in (self._demo, self._model, self._machine):
            self.column.addWidget(part)
        self._card = ""
        self._demo.button.clicked.connect(self.demo_chosen)
        self._model.button.clicked.connect(self.model_chosen)
        self.retranslate()

    def title(self) -> str:
        """What the card asks."""
        return self.tr("What would you like to begin with?")

    def lead(self) -> None:
        """Go to what can be done at once."""
        self._demo.button.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_card(self, name: str) -> None:
        """Say that this computer has the graphics card `name`; "" is none that can be used."""
        self._card = name
        self._machine.show()
        self.retranslate()

    def retranslate(self) -> None:
        """Say everything in the language in use."""
        super().retranslate()
        self._demo.set_texts(
            self.tr("Demo now"),
            self.tr(
                "It is part of the program and runs on any computer, a clip in seconds. It is a "
                "toy: one coloured circle, square or triangle on a plain background, in 64 × 64 "
                "pixels. It shows how everything works."
            ),
        )
        self._model.set_texts(
            self.tr("The real model …"),
            self.tr(
                "Kandinsky 1.1 draws what you say. About 40 GB are fetched, and about 30 GB stay. "
                "It is planned for an NVIDIA graphics card with 3 GB or more: minutes for a clip. "
                "Without a card, a clip is planned to take more than three hours. These figures "
                "are computed, not yet measured. The next page shows everything before it begins."
            ),
        )
        self._machine.setText(
            self.tr("This computer has a card that can be used: {card}.").format(card=self._card)
            if self._card
            else self.tr("No graphics card that can be used was found in this computer.")
        )


class _Folder(QFrame):
    """A folder with what is free there, and the way to another."""

    def __init__(self) -> None:
        super().__init__()
        set_look(self, surface="card")
        self._title = PlainLabel()
        self._title.setProperty("role", "label")
        self._path = _words()
        self._free = PlainLabel()
        self._free.setProperty("role", "value")
        self._hint = _words()
        self.choose = QPushButton()
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self._free)
        row = QHBoxLayout()
        row.addWidget(self.choose)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(PANEL, GAP, PANEL, PANEL)
        column.setSpacing(GAP)
        column.addLayout(head)
        column.addWidget(self._path)
        column.addWidget(self._hint)
        column.addLayout(row)

    def show_folder(self, path: str, free: str) -> None:
        self._path.setText(path)
        self._free.setText(free)
        self.choose.setAccessibleDescription(f"{path} {free}".strip())

    def set_texts(self, title: str, hint: str, *, is_careful: bool = False) -> None:
        self._title.setText(title)
        self._hint.setText(hint)
        set_look(self._hint, role="careful" if is_careful else "muted")


class _Offer(QFrame):
    """A button, and what pressing it means."""

    def __init__(self) -> None:
        super().__init__()
        set_look(self, surface="card")
        self.button = QPushButton()
        self._hint = _words()
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(PANEL, PANEL, PANEL, PANEL)
        column.setSpacing(GAP)
        column.addLayout(row)
        column.addWidget(self._hint)

    def set_texts(self, title: str, hint: str) -> None:
        self.button.setText(title)
        self.button.setAccessibleDescription(hint)
        self._hint.setText(hint)


def _words() -> PlainLabel:
    label = PlainLabel()
    label.setWordWrap(True)
    return label
