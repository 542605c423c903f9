"""The button that it is all about, and above it the answer to: does it fit, how long?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kvdesk.estimates import spoken_seconds
from kvdesk.ui.controls import ChoiceMenu, IconButton, Remark, RemarkTone, announce, set_look
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, PANEL, theme

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from kvdesk.form_questions import PlanView

GENERATE_KEYS = QKeySequence(Qt.KeyboardModifier.ControlModifier | Qt.Key.Key_Return)
_GIGABYTE = 1 << 30
_COUSINS = "cousins"
_KEY_FRAMES = "key_frames"
_MOTION_MAP = "motion_map"


class _GenerateButton(QPushButton):
    """The one thing to press, with its keys at the right end where there is room."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        set_look(self, kind="primary")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._keys = PlainLabel(parent=self)
        self._keys.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        theme().changed.connect(self._place_keys)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the keys at the end."""
        super().resizeEvent(event)
        self._place_keys()

    def set_texts(self, text: str) -> None:
        """Show `text`, and the keys in the words of the system."""
        self.setText(text)
        self._keys.setText(GENERATE_KEYS.toString(QKeySequence.SequenceFormat.NativeText))
        self._place_keys()

    def _place_keys(self) -> None:
        self._keys.setFont(theme().font(px=11))
        self._keys.setStyleSheet(f"color: {theme().tokens.on_accent}")
        self._keys.adjustSize()
        margin = theme().px(12)
        left = self.width() - self._keys.width() - margin
        text_end = (self.width() + self.fontMetrics().horizontalAdvance(self.text())) // 2
        self._keys.move(left, (self.height() - self._keys.height()) // 2)
        self._keys.setVisible(left > text_end + GAP)


class GenerateBar(QFrame):
    """The bottom of the form, always in sight.

    Attributes:
        generate_requested: the button was pressed.
        cousins_requested: four clips that differ in their seed are wanted.
        key_frames_requested: four pictures to pick one from are wanted.
        motion_map_requested: drafts of all kinds of motion are wanted.
        cancel_editing_requested: the job that is edited is to stay as it was.
    """

    generate_requested = Signal()
    cousins_requested = Signal()
    key_frames_requested = Signal()
    motion_map_requested = Signal()
    cancel_editing_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._plan: PlanView | None = None
        self._did_fit: bool | None = None  # by the last answer
        self._is_busy = False
        self._is_editing = False
        self._dot = PlainLabel("●", self)
        self._words = PlainLabel(parent=self)
        self._problem = Remark(RemarkTone.FAILED, self)
        self.button = _GenerateButton(self)
        self.more = IconButton("chevron-down", kind="primary", token="on_accent", parent=self)
        self.menu = ChoiceMenu((_COUSINS, _KEY_FRAMES, _MOTION_MAP), self)
        self._cancel = QPushButton(self)
        self._column = QVBoxLayout(self)
        self._build_ui()
        self._connect()
        self._retranslate()

    def _build_ui(self) -> None:
        self._words.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self._words.setSizePolicy(policy)
        set_look(self._cancel, kind="link")
        self.more.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._cancel.hide()
        line = QHBoxLayout()
        line.setSpacing(GAP)
        line.addWidget(self._dot, alignment=Qt.AlignmentFlag.AlignTop)
        line.addWidget(self._words, stretch=1)
        row = QHBoxLayout()
        row.setSpacing(GAP // 2)
        row.addWidget(self.button, stretch=1)
        row.addWidget(self.more)
        column = self._column
        column.setContentsMargins(PANEL, GAP, PANEL, PANEL)
        column.setSpacing(GAP)
        column.addWidget(self._problem)
        column.addLayout(line)
        column.addLayout(row)
        column.addWidget(self._cancel, alignment=Qt.AlignmentFlag.AlignHCenter)

    def _connect(self) -> None:
        self.button.clicked.connect(self.generate_requested)
        self.more.clicked.connect(self._on_more_clicked)
        self.menu.chosen.connect(self._on_chosen)
        self._cancel.clicked.connect(self.cancel_editing_requested)
        theme().changed.connect(self._show_plan)

    def show_plan(self, plan: PlanView | None) -> None:
        """Say whether the clip fits and how long it takes; None before anybody has asked."""
        # What is below stays where it is while an answer is awaited, whose words are fewer.
        is_awaited = plan is not None and plan.is_awaited
        if is_awaited and self._words.isVisible():
            self._words.setMinimumHeight(self._words.height())
        elif not is_awaited:
            self._words.setMinimumHeight(0)
        self._plan = plan
        self._show_plan()
        if plan is None or plan.fits is None:
            return
        if plan.fits is False and self._did_fit is not False:
            # The rest changes with every move of a slider, and would be all that is heard.
            announce(self, self._plan_words())
        self._did_fit = plan.fits

    def show_problem(self, text: str) -> None:
        """Say what keeps the clip from being made and has no control of its own."""
        self._problem.set_text(text)

    @property
    def problem(self) -> str:
        """What `show_problem` says."""
        return self._problem.text

    def set_busy(self, is_busy: bool) -> None:
        """Say on the button whether a clip starts at once or waits for its turn."""
        self._is_busy = is_busy
        self._retranslate()

    def show_editing(self, is_editing: bool) -> None:
        """Offer to save the job that is edited instead of making a new one."""
        self._is_editing = is_editing
        self._cancel.setVisible(is_editing)
        self.more.setVisible(not is_editing)
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        if self._is_editing:
            text = self.tr("Save changes")
        elif self._is_busy:
            text = self.tr("Add to the queue")
        else:
            text = self.tr("Generate")
        self.button.set_texts(text)
        self._cancel.setText(self.tr("Cancel editing"))
        self.more.set_words(self.tr("Make several at once"))
        self.menu.set_entry(
            _COUSINS, self.tr("Four cousins"), self.tr("The same settings with four seeds.")
        )
        self.menu.set_entry(
            _KEY_FRAMES,
            self.tr("Four pictures to pick from"),
            self.tr("Only the first pictures; the one you click becomes a clip."),
        )
        self.menu.set_entry(
            _MOTION_MAP,
            self.tr("Motion map"),
            self.tr("Small drafts of every motion, beside one another."),
        )
        self._show_plan()

    def _show_plan(self) -> None:
        fits = self._plan.fits if self._plan else None
        token = {True: "fits", False: "careful", None: "muted"}[fits]
        self._dot.setStyleSheet(f"color: {getattr(theme().tokens, token)}")
        self._words.setText(self._plan_words())
        self.setAccessibleDescription(self._words.text())
        # At once, or else more lines would first be squeezed into the height of fewer.
        self._column.activate()
        self.more.set_icon_name("chevron-down", token="on_accent")

    def _plan_words(self) -> str:
        plan = self._plan
        if plan is None or plan.is_awaited:
            return self.tr("Planning…")
        if plan.fits is None:
            return self.tr("It is not known whether this fits.")
        needed, free = (f"{size / _GIGABYTE:.1f}" for size in (plan.needed_bytes, plan.free_bytes))
        if plan.fits:
            start = self.tr("Fits:")
            memory = self.tr("{needed} of {free} GB free").format(needed=needed, free=free)
            rest = self._duration_words(plan)
        else:
            start = self.tr("May not fit:")
            memory = self.tr("needs {needed}, {free} GB free").format(needed=needed, free=free)
            rest = self.tr("make it smaller or close other programs")
        return f"{start} {memory} · {rest}"

    def _duration_words(self, plan: PlanView) -> str:
        """What clips of this computer took; before the first, what was computed beforehand."""
        if plan.estimate.total_seconds is not None:
            return spoken_seconds(plan.estimate.total_seconds)
        if plan.planned_seconds is not None:
            duration = spoken_seconds(plan.planned_seconds)
            return self.tr("{duration}, planned").format(duration=duration)
        return self.tr("time is known after the first clip")

    def _on_more_clicked(self) -> None:
        self.menu.open_above(self.more)

    def _on_chosen(self, name: str) -> None:
        signals = {
            _COUSINS: self.cousins_requested,
            _KEY_FRAMES: self.key_frames_requested,
            _MOTION_MAP: self.motion_map_requested,
        }
        signals[name].emit()
