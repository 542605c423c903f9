"""The window: three columns on one screen, and pages that take the clip's place for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHBoxLayout,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from kvdesk.ui.batch_view import BatchView
from kvdesk.ui.clip_details import ClipDetails
from kvdesk.ui.compare_view import CompareView
from kvdesk.ui.compose_panel import ComposePanel
from kvdesk.ui.export_sheet import ExportSheet
from kvdesk.ui.first_start import FirstStart
from kvdesk.ui.help_page import HelpPage
from kvdesk.ui.library_view import LibraryView
from kvdesk.ui.notices import NoticeBar
from kvdesk.ui.queue_view import QueueView
from kvdesk.ui.report_page import ReportPage
from kvdesk.ui.settings_page import SettingsPage
from kvdesk.ui.shortcuts import Command, shortcuts
from kvdesk.ui.stage_view import StageView
from kvdesk.ui.theme import GAP, PANEL
from kvdesk.ui.top_bar import TopBar

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent, QResizeEvent, QUndoStack

    from kvdesk.clip_records import ClipRecord
    from kvdesk.form import Form
    from kvdesk.jobs import JobQueue
    from kvdesk.library import Library
    from kvdesk.library_model import LibraryModel
    from kvdesk.player import Player
    from kvdesk.prompt_history import PromptHistory
    from kvdesk.ui.model_page import ModelPage

_LEFT_WIDTH = 360
_RIGHT_WIDTH = 336
_FOLDS_RIGHT_BELOW = 1100
_FOLDS_LEFT_BELOW = 800
_FIRST_SIZE = (1440, 900)
_DETAILS_SHARE = 0.45  # of what the library has before they are opened
_SMALLEST_SIZE = (640, 480)


class MainWindow(QMainWindow):
    """Places the parts and folds columns away; what the parts want is connected elsewhere.

    Attributes:
        command_given: (Command) its keys were pressed.
        closing: the window is about to close.
        model_page_made: with the `ModelPage`, when it is first wanted.
        page_left: (QWidget) the middle column shows another page than this one now.
    """

    command_given = Signal(object)
    closing = Signal()
    model_page_made = Signal(object)
    page_left = Signal(object)

    def __init__(
        self,
        *,
        form: Form,
        history: PromptHistory,
        queue: JobQueue,
        library: Library,
        library_model: LibraryModel,
        player: Player,
        undo_stack: QUndoStack,
    ) -> None:
        super().__init__()
        self.setWindowTitle("kvdesk")
        self.setObjectName("window")
        self.top_bar = TopBar(undo_stack)
        self.notices = NoticeBar()
        self.compose = ComposePanel(form, history)
        self.stage = StageView(player)
        self.compare = CompareView()
        self.batch = BatchView(library)
        self.export_sheet = ExportSheet()
        self.settings_page = SettingsPage()
        self._model_page: ModelPage | None = None
        self.help_page = HelpPage()
        self.first_start = FirstStart()
        self.report_page = ReportPage()
        self.queue_view = QueueView(queue)
        self.library_view = LibraryView(library_model, library)
        self.details = ClipDetails(form)
        self._pages = QStackedWidget()
        self._right = QWidget()
        self._columns = QSplitter(Qt.Orientation.Horizontal)
        self._rows = QSplitter(Qt.Orientation.Vertical)
        self._folded = (False, False)  # the form, and the lists
        self._actions: dict[Command, QAction] = {}
        self._build_ui()
        self._add_actions()
        self.setMinimumSize(*_SMALLEST_SIZE)
        self.resize(*_FIRST_SIZE)

    def _build_ui(self) -> None:
        for page in (
            self.stage,
            self.compare,
            self.batch,
            self.export_sheet,
            self.settings_page,
            self.help_page,
            self.first_start,
            self.report_page,
        ):
            self._pages.addWidget(page)
        for page in (
            self.compare,
            self.batch,
            self.export_sheet,
            self.settings_page,
            self.help_page,
            self.first_start,
            self.report_page,
        ):
            page.closed.connect(self.show_stage)
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addWidget(self._pages, 1)
        self._build_right()
        self._columns.addWidget(self.compose)
        self._columns.addWidget(middle)
        self._columns.addWidget(self._right)
        self._columns.setStretchFactor(1, 1)
        self._columns.setChildrenCollapsible(False)
        self._columns.setHandleWidth(1)
        self._columns.setSizes([_LEFT_WIDTH, _FIRST_SIZE[0], _RIGHT_WIDTH])
        body = QWidget()
        rows = QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(1)
        rows.addWidget(self.top_bar)
        rows.addWidget(self._columns, 1)
        self.setCentralWidget(body)
        self.top_bar.folded_form_requested.connect(self._on_folded_form)
        self.top_bar.folded_column_requested.connect(self._on_folded_column)
        self.top_bar.help_requested.connect(self.show_help)
        self.top_bar.settings_requested.connect(self.show_settings)
        self.top_bar.model_page_requested.connect(self.show_model_page)
        self.settings_page.model_page_requested.connect(self.show_model_page)
        self.help_page.first_steps_requested.connect(self.show_first_start)
        self.help_page.model_page_requested.connect(self.show_model_page)
        self._shown_page = self.page
        self._pages.currentChanged.connect(self._on_page_changed)

    def _build_right(self) -> None:
        self._right.setProperty("surface", "panel")
        self._right.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        rows = self._rows
        rows.setProperty("surface", "panel")
        rows.setChildrenCollapsible(False)
        rows.setHandleWidth(PANEL)
        for part in (self.queue_view, self.library_view, self.details):
            rows.addWidget(part)
        rows.setStretchFactor(1, 1)
        rows.setSizes([240, 560, 0])
        self.details.hide()
        layout = QHBoxLayout(self._right)
        layout.setContentsMargins(PANEL, PANEL, PANEL - GAP, GAP)
        layout.addWidget(rows)

    def _add_actions(self) -> None:
        for shortcut in shortcuts():
            action = QAction(shortcut.text, self)
            action.setShortcut(shortcut.sequence)
            action.triggered.connect(
                lambda _=False, command=shortcut.command: self.command_given.emit(command)
            )
            self.addAction(action)
            self._actions[shortcut.command] = action

    # Pages

    @property
    def page(self) -> QWidget | None:
        """What the middle column shows now."""
        return self._pages.currentWidget()

    def show_stage(self) -> None:
        """Show the clip, or the one that is made."""
        self._pages.setCurrentWidget(self.stage)
        self.stage.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_compare(self) -> None:
        """Show two clips."""
        self._pages.setCurrentWidget(self.compare)

    def show_batch(self) -> None:
        """Show the clips that were asked for together."""
        self._pages.setCurrentWidget(self.batch)
        self.batch.focus()

    def show_export(self) -> None:
        """Show how the clip can be saved as a file."""
        self._pages.setCurrentWidget(self.export_sheet)
        self.export_sheet.focus()

    def show_settings(self) -> None:
        """Show the settings."""
        self._pages.setCurrentWidget(self.settings_page)
        self.settings_page.focus()

    @property
    def model_page(self) -> ModelPage:
        """The way to the real model; made when it is first wanted, which the start is not."""
        if self._model_page is None:
            from kvdesk.ui.model_page import ModelPage

            self._model_page = page = ModelPage()
            self._pages.addWidget(page)
            page.closed.connect(self.show_stage)
            self.model_page_made.emit(page)
        return self._model_page

    def show_model_page(self) -> None:
        """Show the way to the real model."""
        self._pages.setCurrentWidget(self.model_page)
        self.model_page.focus()

    def show_help(self) -> None:
        """Show the help."""
        self._pages.setCurrentWidget(self.help_page)
        self.help_page.focus()

    def show_first_start(self) -> None:
        """Show the first steps from their beginning."""
        self.first_start.begin()
        self._pages.setCurrentWidget(self.first_start)
        self.first_start.focus()

    def show_report(self) -> None:
        """Show a report of a problem before it is saved."""
        self._pages.setCurrentWidget(self.report_page)
        self.report_page.focus()

    def _on_page_changed(self, _index: int) -> None:
        left, self._shown_page = self._shown_page, self.page
        self.page_left.emit(left)

    # Columns

    def focus_generate(self) -> None:
        """Show the form also where the window is narrow, ready to make what it says."""
        self.compose.show()
        self.compose.bar.button.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_details(self, clip: ClipRecord) -> None:
        """Show the details of a clip under the library."""
        self.details.show_clip(clip)
        if self.details.isHidden():
            queue, library, _ = self._rows.sizes()
            share = round(library * _DETAILS_SHARE)
            self.details.show()
            self._rows.setSizes([queue, library - share, share])

    def hide_details(self) -> None:
        """Leave the room to the library."""
        self.details.hide()
        self.library_view.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_right_column(self) -> None:
        """Show queue and library also where the window is narrow."""
        self._right.show()

    def show_form(self) -> None:
        """Show the form also where the window is narrow, and let the person type."""
        self.compose.show()
        self.compose.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_folded_form(self) -> None:
        if self.compose.isVisible():
            self.compose.hide()
        else:
            self.show_form()

    def _on_folded_column(self) -> None:
        self._right.setVisible(not self._right.isVisible())

    def _fold(self) -> None:
        width = self.width()
        folds_right, folds_left = width < _FOLDS_RIGHT_BELOW, width < _FOLDS_LEFT_BELOW
        if (folds_left, folds_right) == self._folded:
            return
        self._folded = (folds_left, folds_right)
        self.top_bar.show_column_buttons(form=folds_left, lists=folds_right)
        self._right.setVisible(not folds_right)
        self.compose.setVisible(not folds_left)

    def restore_shape(self, geometry: str, sizes: tuple[int, ...]) -> None:
        """Take the place, size and columns of an earlier time, as `shape` gave them."""
        if geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
        if len(sizes) == self._columns.count() and all(size > 0 for size in sizes):
            self._columns.setSizes(list(sizes))

    def shape(self) -> tuple[str, tuple[int, ...]]:
        """The place and size, in base64, and the widths of the columns."""
        geometry = bytes(self.saveGeometry().toBase64().data()).decode()
        return geometry, tuple(self._columns.sizes())

    # Events

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold columns away where they would leave too little room."""
        super().resizeEvent(event)
        self._fold()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Say that the window closes; whoever listens saves what is not saved yet."""
        self.closing.emit()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            for shortcut in shortcuts():
                self._actions[shortcut.command].setText(shortcut.text)
        super().changeEvent(event)
