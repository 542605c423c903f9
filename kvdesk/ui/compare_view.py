"""Two clips compared: locked to the same moment, with what differs, and a vote without names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from kvdesk.blind_vote import BlindVote, Choice
from kvdesk.player import LockedPlayer
from kvdesk.ui.compare_canvas import CompareCanvas, CompareMode
from kvdesk.ui.controls.icon_button import IconButton
from kvdesk.ui.controls.look import announce, set_look
from kvdesk.ui.controls.rows import FlowRows
from kvdesk.ui.controls.segments import Segments
from kvdesk.ui.differences_table import DifferencesTable
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, PANEL
from kvdesk.ui.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from PySide6.QtGui import QHideEvent, QShowEvent

    from kvdesk.clip_differences import Difference
    from kvdesk.player import Clip


class CompareView(QScrollArea):
    """Plays two clips by one clock. Their memory is given back when the view is hidden.

    Attributes:
        closed: the person wants the stage back.
        voted: (name) the clip that won a blind vote, or "" where there was no difference.
    """

    closed = Signal()
    voted = Signal(str)

    def __init__(self, parent: QWidget | None = None, *, random: Random | None = None) -> None:
        super().__init__(parent)
        self._random = random
        self._vote: BlindVote | None = None
        self._num_differences = 0
        self._plays_by_itself = True
        self.player = LockedPlayer(self)
        self.canvas = CompareCanvas(self.player)
        self.modes = Segments()
        self.swap_button = IconButton("swap", kind="plain")
        self.vote_button = QPushButton()
        self.back_button = QPushButton()
        self.choice_buttons = {choice: QPushButton() for choice in Choice}
        self.transport = Transport(self.player)
        self.transport.show_clip_tools(False)
        self.table = DifferencesTable()
        self._title = PlainLabel()
        self._caption = PlainLabel()
        self._same = PlainLabel()
        self._result = PlainLabel()
        self._question = PlainLabel()
        self._ballot = QFrame()
        self._build_ui()
        self._connect()
        self._retranslate()
        self.setFocusProxy(self.canvas)

    @property
    def caption(self) -> str:
        """What the two clips are and how they are locked; empty during a vote."""
        return self._caption.text()

    @property
    def result(self) -> str:
        """What came out of the last vote; empty before it."""
        return self._result.text()

    @property
    def is_blind(self) -> bool:
        """Whether a vote is open, and names and settings are hidden."""
        return self._vote is not None and self._vote.choice is None

    def show_clips(self, a: Clip, b: Clip, differences: Sequence[Difference]) -> None:
        """Compare `a` and `b`; `differences` are the settings that are not the same."""
        self._vote = None
        self._num_differences = len(differences)
        self.table.show_differences(differences)
        self.player.open(a, b)
        self.canvas.set_swapped(False)
        self.canvas.set_divider(0.5)
        self._update()
        if self._plays_by_itself:
            self.player.play()

    def set_reduced_motion(self, reduced: bool) -> None:
        """Let nothing play until a person says so."""
        self._plays_by_itself = not reduced
        if reduced:
            self.player.pause()

    def showEvent(self, event: QShowEvent) -> None:
        """Let the keys go to the clips."""
        super().showEvent(event)
        if not event.spontaneous():
            self.canvas.setFocus(Qt.FocusReason.NoFocusReason)

    def hideEvent(self, event: QHideEvent) -> None:
        """Give the memory of the frames back."""
        super().hideEvent(event)
        if not event.spontaneous():
            self.player.close()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _build_ui(self) -> None:
        self._title.setProperty("role", "title")
        self._title.setWordWrap(True)
        header = QHBoxLayout()
        header.addWidget(self._title, 1)
        header.addWidget(self.back_button)
        below = QHBoxLayout()
        below.setSpacing(GAP)
        below.addWidget(self._caption, 1)
        below.addWidget(self.swap_button)
        below.addWidget(self.vote_button)
        # In two rows it is as high as these are.
        policy = self.modes.sizePolicy()
        policy.setVerticalPolicy(QSizePolicy.Policy.Minimum)
        self.modes.setSizePolicy(policy)
        set_look(self._ballot, surface="card")
        ballot = QVBoxLayout(self._ballot)
        ballot.addWidget(self._question)
        choices = QWidget()
        row = FlowRows(choices, gap=GAP)
        for choice in (Choice.FIRST, Choice.NO_DIFFERENCE, Choice.SECOND):
            row.addWidget(self.choice_buttons[choice])
        ballot.addWidget(choices)
        for label in (self._caption, self._same, self._result, self._question):
            label.setWordWrap(True)
        for label in (self._caption, self._same):
            label.setProperty("role", "muted")
        content = QWidget()
        set_look(content, surface="window")
        column = QVBoxLayout(content)
        column.setContentsMargins(PANEL, PANEL, PANEL, PANEL)
        column.setSpacing(GAP + GAP // 2)
        column.addLayout(header)
        column.addWidget(self.modes)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.transport)
        column.addLayout(below)
        for part in (self._ballot, self._result, self._same, self.table):
            column.addWidget(part)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def _connect(self) -> None:
        self.modes.value_changed.connect(self._on_mode_chosen)
        self.canvas.mode_changed.connect(self.modes.set_value)
        self.swap_button.clicked.connect(self._on_swap)
        self.vote_button.clicked.connect(self._on_vote_begun)
        self.back_button.clicked.connect(self.closed)
        for choice, button in self.choice_buttons.items():
            button.clicked.connect(lambda _=False, choice=choice: self._on_chosen(choice))

    def _retranslate(self) -> None:
        self._title.setText(self.tr("Compare two clips"))
        self.back_button.setText(self.tr("Back"))
        self.modes.setAccessibleName(self.tr("How the clips are shown"))
        self.modes.set_options(
            (
                (CompareMode.SIDE_BY_SIDE, self.tr("Side by side")),
                (CompareMode.WIPE, self.tr("Wipe")),
                (CompareMode.BLINK, self.tr("Blink")),
            )
        )
        self.modes.set_value(self.canvas.mode)
        self.modes.button(2).setToolTip(self.tr("One in the place of the other (B)"))
        self.swap_button.set_words(self.tr("Swap the sides"))
        self.vote_button.setText(self.tr("Vote blind"))
        self.vote_button.setToolTip(self.tr("Hides the names and shuffles the clips."))
        self._question.setText(self.tr("Which one is better? You will see then which was which."))
        self.choice_buttons[Choice.FIRST].setText(self.tr("The first"))
        self.choice_buttons[Choice.SECOND].setText(self.tr("The second"))
        self.choice_buttons[Choice.NO_DIFFERENCE].setText(self.tr("No difference"))
        self._same.setText(self.tr("Both clips were made with the same settings."))
        self._update()

    def _update(self) -> None:
        """Show or hide what tells which clip is which."""
        blind = self.is_blind
        is_open = self.player.clips is not None
        self._caption.setText("" if blind or not is_open else self._caption_words())
        self._ballot.setVisible(blind)
        self._result.setText(self._result_words())
        self._result.setVisible(bool(self._result.text()))
        self.table.setVisible(not blind and self._num_differences > 0)
        self._same.setVisible(not blind and is_open and self._num_differences == 0)
        self.swap_button.setEnabled(is_open and not blind)
        self.vote_button.setEnabled(is_open and not blind)
        if blind:
            self.canvas.set_labels(self.tr("First"), self.tr("Second"))
        elif self.canvas.is_swapped:
            self.canvas.set_labels(self._name(1), self._name(0))
        else:
            self.canvas.set_labels(self._name(0), self._name(1))

    def _name(self, side: int) -> str:
        """A clip by its letter and title: two clips may have the same title."""
        if self.player.clips is None:
            return ""
        letter = self.tr("B") if side else self.tr("A")
        return self.tr("{letter}: {title}").format(
            letter=letter, title=self.player.clips[side].title
        )

    def _caption_words(self) -> str:
        clips = self.player.clips
        if clips is None:
            return ""
        first, second = (
            self.tr("{letter}: %n frame(s) at {rate} a second", "", len(clip.frames)).format(
                letter=letter, rate=f"{clip.frames_per_second:g}"
            )
            for letter, clip in zip((self.tr("A"), self.tr("B")), clips, strict=True)
        )
        if clips[0].frames_per_second == clips[1].frames_per_second:
            locked = self.tr("Locked to the same frame.")
        else:
            locked = self.tr("Locked by time: each shows the frame nearest to the same moment.")
        return f"{first} · {second} · {locked}"

    def _result_words(self) -> str:
        vote = self._vote
        if vote is None or vote.choice is None:
            return ""
        first = int(vote.is_swapped)
        which = self.tr("The first was {first}, the second was {second}.").format(
            first=self._name(first), second=self._name(1 - first)
        )
        if vote.winner is None:
            return self.tr("You saw no difference. {which}").format(which=which)
        return self.tr("You chose {winner}. {which}").format(
            winner=self._name(vote.winner), which=which
        )

    def _on_mode_chosen(self, mode: CompareMode) -> None:
        self.canvas.set_mode(mode)

    def _on_swap(self) -> None:
        self.canvas.set_swapped(not self.canvas.is_swapped)
        self._update()

    def _on_vote_begun(self) -> None:
        self._vote = BlindVote.begin(self._random)
        self.canvas.set_swapped(self._vote.is_swapped)
        self._update()
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_chosen(self, choice: Choice) -> None:
        if self._vote is None or self.player.clips is None:
            return
        self._vote = self._vote.voted(choice)
        self._update()
        announce(self, self.result)
        winner = self._vote.winner
        self.vote_button.setFocus(Qt.FocusReason.OtherFocusReason)
        self.voted.emit("" if winner is None else self.player.clips[winner].name)
