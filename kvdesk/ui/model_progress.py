"""How far the model is on its way, and what its test clip showed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLocale, QSize, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from kvdesk.error_texts import error_text
from kvdesk.getting import Phase, Step
from kvdesk.getting_texts import progress_texts, size_text, step_text
from kvdesk.ui.controls.look import announce, set_look
from kvdesk.ui.controls.remark import Remark, RemarkTone
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, PANEL, theme
from kvdesk.ui.time_left import TimeLeft

if TYPE_CHECKING:
    from engine.api import SelfTested
    from kvdesk.getting import Getting, GettingProgress

_PICTURE_PX = 120
_PARTS = 1000  # of the bar


class ProgressCard(QFrame):
    """The step that is done, or that was stopped, with one bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, surface="card")
        self._getting: Getting | None = None
        self._progress: GettingProgress | None = None
        self._said = ""
        self._step = PlainLabel()
        set_look(self._step, role="title")
        self._bar = QProgressBar()
        self._bar.setRange(0, _PARTS)
        self._bar.setTextVisible(False)
        self._what = PlainLabel()
        self._numbers = PlainLabel()
        self._left = TimeLeft()
        self._waiting = PlainLabel()
        self._problem = Remark(RemarkTone.FAILED)
        self._hint = PlainLabel()
        for label in (self._waiting, self._hint, self._numbers):
            set_look(label, role="muted")
        line = QHBoxLayout()
        line.setSpacing(PANEL)
        line.addWidget(self._what, 1)
        line.addWidget(self._left)
        column = QVBoxLayout(self)
        column.setContentsMargins(PANEL, PANEL, PANEL, PANEL)
        column.setSpacing(GAP)
        for part in (self._step, self._bar):
            column.addWidget(part)
        column.addLayout(line)
        for label in (self._step, self._what, self._numbers, self._waiting, self._hint):
            label.setWordWrap(True)
        for part in (self._numbers, self._waiting, self._problem, self._hint):
            column.addWidget(part)

    def show_getting(self, getting: Getting, progress: GettingProgress | None) -> None:
        """Show where it stands; `progress` is None where nothing is being done."""
        self._getting, self._progress = getting, progress
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        getting, progress = self._getting, self._progress
        if getting is None:
            return
        step = step_text(getting)
        self._step.setText(step)
        self._bar.setAccessibleName(step)
        if getting.phase is not Phase.READY and step != self._said:
            self._said = step
            announce(self, step)
        what, numbers, waiting = "", self._kept_numbers(getting), ""
        share = getting.done_bytes / getting.total_bytes if getting.total_bytes else 0.0
        if progress is None:
            self._left.stop()
        else:
            what, numbers = progress_texts(progress)
            waiting, share = progress.waiting, progress.share
            self._left.show_seconds(progress.seconds_left, is_stopping=progress.is_stopping)
        self._bar.setValue(round(_PARTS * share))
        self._left.setVisible(progress is not None and not (waiting or progress.waits_for_clip))
        for label, text in ((self._what, what), (self._numbers, numbers), (self._waiting, waiting)):
            label.setText(text)
            label.setVisible(bool(text))
        failure = getting.failure
        self._problem.set_text(error_text(failure.code, failure.message) if failure else "")
        hint = self._hint_text(getting)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))

    def _kept_numbers(self, getting: Getting) -> str:
        if not getting.total_bytes:
            return ""
        words = self.tr("{done} of {total} are done.")
        return words.format(
            done=size_text(getting.done_bytes), total=size_text(getting.total_bytes)
        )

    def _hint_text(self, getting: Getting) -> str:
        if getting.phase is Phase.DOWNLOADING:
            return self.tr(
                "You can make clips with the demo model meanwhile, or choose Kandinsky 1.1 above "
                "and add clips: they wait, and start by themselves. Nothing is lost when you close "
                "the window."
            )
        if getting.is_running and getting.step is Step.PREPARE:
            return self.tr(
                "The files are checked and brought into a form that little memory can hold. Clips "
                "wait meanwhile. Nothing is lost when you close the window."
            )
        if getting.is_stopped:
            return self.tr("Everything that is done is kept, and it goes on from there.")
        return ""


class ResultCard(QFrame):
    """The key frame of the test clip, and how long the clip took."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, surface="card")
        self._tested: SelfTested | None = None
        self._folder = ""
        self._picture = PlainLabel()
        self._title = PlainLabel()
        set_look(self._title, role="title")
        self._words = PlainLabel()
        self._where = PlainLabel()
        set_look(self._where, role="muted")
        self._where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout()
        column.setSpacing(GAP)
        for label in (self._title, self._words, self._where):
            label.setWordWrap(True)
            column.addWidget(label)
        column.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(PANEL, PANEL, PANEL, PANEL)
        row.setSpacing(PANEL)
        row.addWidget(self._picture, alignment=Qt.AlignmentFlag.AlignTop)
        row.addLayout(column, 1)
        theme().changed.connect(self._show_picture)

    def show_getting(self, getting: Getting) -> None:
        """Show the result of the last test, if there was one."""
        self._tested = getting.tested
        self._folder = str(getting.prepared)
        self._show_picture()
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _show_picture(self) -> None:
        # The worker's own file; where the cache was cleared since, there is none.
        picture = QPixmap(self._tested.key_frame) if self._tested is not None else QPixmap()
        self._picture.setVisible(not picture.isNull())
        if not picture.isNull():
            side = round(theme().px(_PICTURE_PX) * self.devicePixelRatioF())
            scaled = picture.scaled(
                QSize(side, side),
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            scaled.setDevicePixelRatio(self.devicePixelRatioF())
            self._picture.setPixmap(scaled)

    def _retranslate(self) -> None:
        tested = self._tested
        self._title.setText(self.tr("Kandinsky 1.1 is ready"))
        self._picture.setAccessibleName(self.tr("First picture of the test clip"))
        self._where.setText(self.tr("It lies in {folder}.").format(folder=self._folder))
        if tested is None:
            self._words.setText(
                self.tr(
                    "It was not tested on this computer yet. A test clip takes about ten "
                    "seconds, and tells how long clips will take."
                )
            )
            return
        words = self.tr(
            "The test clip of {frames} frames, {width} × {height}, took {seconds} s on {device}. "
            "All numbers were as they should be."
        )
        self._words.setText(
            words.format(
                frames=tested.num_frames,
                width=tested.width,
                height=tested.height,
                seconds=QLocale().toString(tested.seconds, "f", 1),
                device=self.tr("the processor") if tested.device == "cpu" else tested.device,
            )
        )
