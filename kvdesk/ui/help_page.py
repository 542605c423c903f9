"""How the window is used, what it needs, what each setting does, ways out, and every key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QPushButton, QWidget

from kvdesk.ui.controls.look import announce, set_look
from kvdesk.ui.controls.rows import FlowRows
from kvdesk.ui.help_parts import buttons, heading, keys_table, paragraph, topic
from kvdesk.ui.help_settings import settings_section
from kvdesk.ui.help_texts import about_texts, model_texts, needs_texts, troubles
from kvdesk.ui.page import Page
from kvdesk.ui.shortcuts import clip_keys, list_keys, shortcuts
from kvdesk.ui.theme import GAP, theme

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QShowEvent
    from PySide6.QtWidgets import QLabel


class HelpPage(Page):
    """Sections under a table of contents, made when the page is first shown.

    They are made one at a time, so that the window never waits for all of them, and anew when the
    language or the size of text changes.

    Attributes:
        report_requested: a report of a problem shall be made.
        first_steps_requested: the first steps shall be shown again.
        model_page_requested: the real model is wanted.
    """

    report_requested = Signal()
    first_steps_requested = Signal()
    model_page_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._headings: list[QLabel] = []
        self._is_made = False
        self._contents = QWidget()
        self._links = FlowRows(self._contents, gap=GAP // 2)
        # One section in a turn of the event loop.
        self._turns = QTimer(self, interval=0)
        self._turns.timeout.connect(self._make_next)
        self._left: list[tuple[str, Callable[[], list[QWidget]]]] = []
        theme().changed.connect(self._retranslate)
        self._retranslate()

    def title(self) -> str:
        """The words over the page."""
        return self.tr("Help and shortcuts")

    @property
    def is_complete(self) -> bool:
        """Whether every section is there."""
        return self._is_made and not self._left

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to make the sections, the first time."""
        if not self._is_made:
            self._make()
        super().showEvent(event)

    def _retranslate(self) -> None:
        super()._retranslate()
        self._is_made = False
        self._turns.stop()
        if self.isVisible():
            self._make()

    def _make(self) -> None:
        """Make the table of contents, and the sections in the next turns of the event loop."""
        self._is_made = True
        for layout in (self.column, self._links):
            while (item := layout.takeAt(0)) is not None:
                widget = item.widget()
                if widget is not None and widget is not self._contents:
                    widget.hide()
                    widget.deleteLater()
        self._left = self._sections()
        self._headings = [heading(title) for title, _ in self._left]
        for label in self._headings:
            link = QPushButton(label.text())
            set_look(link, kind="link")
            link.clicked.connect(lambda _=False, label=label: self._go_to(label))
            self._links.addWidget(link)
        self.column.addWidget(self._contents)
        self._make_next()
        self._turns.start()

    def _make_next(self) -> None:
        _, make = self._left.pop(0)
        # The heading has been there from the start, for the table of contents.
        label = self._headings[len(self._headings) - len(self._left) - 1]
        self.column.addSpacing(GAP)
        for widget in (label, *make()):
            self.column.addWidget(widget)
        if not self._left:
            self._turns.stop()
            self.column.addStretch(1)
            self._order_tabs()

    def _go_to(self, label: QLabel) -> None:
        while self._left:
            self._make_next()
        layout = self._content.layout()
        if layout is not None:
            layout.activate()
        self._scroll.verticalScrollBar().setValue(label.y())
        announce(label, label.text())

    def _sections(self) -> list[tuple[str, Callable[[], list[QWidget]]]]:
        everywhere = [(shortcut.shown_keys, shortcut.text) for shortcut in shortcuts()]
        return [
            (self.tr("How a clip is made"), self._about),
            (self.tr("What it needs"), lambda: list(map(paragraph, needs_texts()))),
            (self.tr("The settings, in pictures"), settings_section),
            (self.tr("The real model"), self._model),
            (self.tr("If something goes wrong"), self._way_out),
            (self.tr("Keys everywhere"), lambda: [keys_table(everywhere)]),
            (self.tr("Keys in the clip"), lambda: [keys_table(clip_keys())]),
            (self.tr("Keys in the queue and the library"), lambda: [keys_table(list_keys())]),
        ]

    def _about(self) -> list[QWidget]:
        again = (self.tr("Show the first steps again"), self.first_steps_requested.emit)
        return [*map(paragraph, about_texts()), buttons(again)]

    def _model(self) -> list[QWidget]:
        get = (self.tr("Get the model …"), self.model_page_requested.emit)
        return [*map(paragraph, model_texts()), buttons(get)]

    def _way_out(self) -> list[QWidget]:
        widgets = [topic(what, way) for what, way in troubles()]
        words = self.tr(
            "What you made is kept. A report says what this computer and the program are "
            "like and what happened last. You can read it, and it is never sent."
        )
        report = (self.tr("Save a report …"), self.report_requested.emit)
        return [*widgets, paragraph(words), buttons(report)]
