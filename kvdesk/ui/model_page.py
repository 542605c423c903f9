"""The way to the real model: what it takes, how far it is, and what its test showed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton

from engine.api import DownloadDescribed
from engine.errors import ModelFileError, ModelNotFound
from kvdesk.getting import Phase, Step
from kvdesk.getting_texts import room_of, room_problem, size_text
from kvdesk.ui.controls.look import announce, set_look
from kvdesk.ui.controls.remark import Remark, RemarkTone
from kvdesk.ui.controls.rows import FlowRows
from kvdesk.ui.model_choices import FilesTable, ModelChoices
from kvdesk.ui.model_progress import ProgressCard, ResultCard
from kvdesk.ui.page import Page
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, theme

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent
    from PySide6.QtWidgets import QWidget

    from kvdesk.getting import Getting, GettingProgress
    from kvdesk.job import Failure

_MAY_BE_FETCHED_AGAIN = (ModelFileError.code, ModelNotFound.code)


class ModelPage(Page):
    """Shows a `Getting`, and says what a person wants of it.

    Attributes:
        opened: somebody looks at the page.
        go_on_requested: begin, go on, try again, or make a test clip.
        pause_requested: stop, and keep what is done.
        fetch_again_requested: go back to fetching files.
        remove_requested: delete what was fetched; it was asked for twice.
        choices: what is fetched, and where to.
        files: what there is to fetch.
    """

    opened = Signal()
    go_on_requested = Signal()
    pause_requested = Signal()
    fetch_again_requested = Signal()
    remove_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._getting: Getting | None = None
        self._answer: DownloadDescribed | Failure | None = None
        self._is_asking = False  # whether what was fetched shall really go
        self._intro = PlainLabel()
        self._intro.setWordWrap(True)
        self._progress = ProgressCard()
        self._result = ResultCard()
        self.files = FilesTable()
        self.choices = ModelChoices()
        self._problem = Remark(RemarkTone.CAREFUL)
        self._question = PlainLabel()
        self._question.setWordWrap(True)
        self._go_on = QPushButton()
        self._pause = QPushButton()
        self._again = QPushButton()
        self._remove = QPushButton()
        self._keep = QPushButton()
        self._build_ui()
        self._connect()
        self._retranslate()

    def _build_ui(self) -> None:
        for part in (self._intro, self._progress, self._result, self.files, self.choices):
            self.column.addWidget(part)
        self.column.addStretch(1)
        set_look(self._go_on, kind="primary")
        set_look(self._remove, kind="danger")
        buttons = FlowRows(gap=GAP)
        for button in (self._go_on, self._pause, self._again, self._remove, self._keep):
            buttons.addWidget(button)
        for part in (self._problem, self._question):
            self.footer.addWidget(part)
        self.footer.addLayout(buttons)
        theme().changed.connect(self._level_buttons)
        self._level_buttons()

    def _connect(self) -> None:
        self._go_on.clicked.connect(self.go_on_requested)
        self._pause.clicked.connect(self.pause_requested)
        self._again.clicked.connect(self.fetch_again_requested)
        self._remove.clicked.connect(self._on_remove)
        self._keep.clicked.connect(self._on_keep)

    # What is shown

    def title(self) -> str:
        """The words over the page."""
        return self.tr("Get the model")

    def show_getting(self, getting: Getting) -> None:
        """Show where it stands."""
        if self._getting is not None and self._getting.phase is not getting.phase:
            self._is_asking = False
        self._getting = getting
        self.choices.show_getting(getting)
        self._result.show_getting(getting)
        self._progress.show_getting(getting, None)
        self._show_state()

    def show_progress(self, progress: GettingProgress | None) -> None:
        """Show how far it is; None where nothing is being done."""
        if self._getting is not None:
            self._progress.show_getting(self._getting, progress)

    def show_answer(self, answer: DownloadDescribed | Failure | None) -> None:
        """Show what the server says there is to fetch; None while it is asked."""
        self._answer = answer
        self.files.show_answer(answer)
        self.choices.show_answer(answer)
        self._show_state()

    def _show_state(self) -> None:
        getting = self._getting
        if getting is None:
            return
        is_ready = getting.phase is Phase.READY
        may_choose = getting.may_choose
        self._intro.setVisible(getting.phase is Phase.NOT_STARTED)
        self._progress.setVisible(getting.is_running or getting.is_stopped)
        self._result.setVisible(is_ready)
        self.files.setVisible(may_choose)
        self.choices.setVisible(may_choose)
        self._show_problem(getting)
        self._show_buttons(getting)
        self._order_tabs()

    def _show_problem(self, getting: Getting) -> None:
        problem = ""
        if getting.may_choose and isinstance(self._answer, DownloadDescribed):
            deleting = room_of(self._answer, delete_originals=True)
            room = room_of(self._answer, delete_originals=getting.delete_originals)
            problem = room_problem(room, fits_deleting=deleting.fits)
        if problem and problem != self._problem.text:
            announce(self, problem)
        self._problem.set_text(problem)

    def _has_room(self, getting: Getting) -> bool:
        answer = self._answer
        if not getting.may_choose or not isinstance(answer, DownloadDescribed):
            return True  # the worker will say so where there is not
        return room_of(answer, delete_originals=getting.delete_originals).fits_download

    def _show_buttons(self, getting: Getting) -> None:
        asking = self._is_asking
        is_ready = getting.phase is Phase.READY
        can_remove = getting.has_originals and not getting.is_running
        failure = getting.failure
        self._go_on.setText(self._go_on_text(getting))
        self._go_on.setEnabled(self._has_room(getting))
        self._go_on.setVisible(not getting.is_running and not asking)
        set_look(self._go_on, kind="" if is_ready else "primary")
        self._pause.setText(self.tr("Pause"))
        self._pause.setVisible(getting.is_running)
        self._again.setText(self.tr("Fetch files again …"))
        self._again.setVisible(
            getting.step is Step.PREPARE
            and failure is not None
            and failure.code in _MAY_BE_FETCHED_AGAIN
            and not asking
        )
        self._remove.setText(
            self.tr("Remove for good") if asking else self.tr("Remove what was fetched …")
        )
        self._remove.setVisible(can_remove)
        self._keep.setText(self.tr("Keep"))
        self._keep.setVisible(asking and can_remove)
        self._question.setVisible(asking and can_remove)
        words = self.tr("Delete all downloaded files in {folder}? This cannot be undone.")
        self._question.setText(words.format(folder=getting.originals))

    def _go_on_text(self, getting: Getting) -> str:
        match getting.phase:
            case Phase.READY:
                return self.tr("Make a test clip")
            case Phase.FAILED:
                return self.tr("Try again")
            case Phase.PAUSED:
                return self.tr("Go on")
            case _:
                if isinstance(self._answer, DownloadDescribed) and self._answer.missing_bytes:
                    size = size_text(self._answer.missing_bytes)
                    return self.tr("Get the model ({size})").format(size=size)
                return self.tr("Get the model")

    def _retranslate(self) -> None:
        super()._retranslate()
        self._intro.setText(
            self.tr(
                "Kandinsky 1.1 draws anything that you can say. It comes from Hugging Face, is "
                "free, and runs on this computer only. Fetching it can take hours; it can be "
                "paused, and goes on after a restart."
            )
        )
        self._show_state()

    # Events

    def showEvent(self, event: QShowEvent) -> None:
        """Say that somebody looks, who may want to know what there is to fetch."""
        super().showEvent(event)
        if not event.spontaneous():  # not where the window was only hidden
            self.opened.emit()

    def _level_buttons(self) -> None:
        height = self._go_on.sizeHint().height()
        for button in (self._pause, self._again, self._remove, self._keep):
            button.setMinimumHeight(height)  # the larger one would stand out of the row

    def _on_remove(self) -> None:
        if self._is_asking:
            self._is_asking = False
            self.remove_requested.emit()
        else:
            self._is_asking = True
            # Who presses a key twice does not mean it.
            self._keep.show()
            self._keep.setFocus(Qt.FocusReason.OtherFocusReason)
        self._show_state()

    def _on_keep(self) -> None:
        self._is_asking = False
        self._show_state()
