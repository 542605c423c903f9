"""The row under the clip: play it, look through it, and everything that can be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from kvdesk.play_clock import SPEEDS, PlayMode
from kvdesk.ui.canvas import next_mode
from kvdesk.ui.controls.icon_button import IconButton
from kvdesk.ui.controls.rows import FlowRows
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.scrub_slider import ScrubSlider
from kvdesk.ui.smooth_button import SmoothButton
from kvdesk.ui.theme import GAP
from kvdesk.ui.time_left import TimeLeft

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from kvdesk.play_clock import PlayClock

_MODE_ICONS = {PlayMode.ONCE: "once", PlayMode.LOOP: "loop", PlayMode.BOOMERANG: "boomerang"}


class Transport(QWidget):
    """Shows and drives one clock. Where it is narrow, its groups go into rows of their own.

    Attributes:
        compare_requested: show the clip beside another one.
        use_frame_requested: begin a new clip with the frame that is shown.
        save_frame_requested: keep the frame that is shown as a picture.
        export_requested: save the clip as a file.
        full_screen_requested: show the clip alone, or the window again.
        pause_requested: stop the running job for now.
        cancel_requested: stop it for good; asked a second time, at once.
    """

    compare_requested = Signal()
    use_frame_requested = Signal()
    save_frame_requested = Signal()
    export_requested = Signal()
    full_screen_requested = Signal()
    pause_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, clock: PlayClock, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._was_playing = False
        self._is_cancelling = False
        self._num_rows = 0
        self.play_button = IconButton("play", kind="plain", parent=self)
        self.mode_button = IconButton("loop", kind="plain", parent=self)
        self.slider = ScrubSlider(self)
        self.counter = PlainLabel(parent=self)
        self.step_back_button = IconButton("step-back", kind="plain")
        self.step_on_button = IconButton("step-forward", kind="plain")
        self.speed_button = QToolButton()
        self.smooth_button = SmoothButton()
        self.compare_button = IconButton("compare", kind="plain")
        self.use_frame_button = IconButton("picture", kind="plain")
        self.save_frame_button = IconButton("camera", kind="plain")
        self.export_button = IconButton("export", kind="plain")
        self.full_screen_button = IconButton("full-screen", kind="plain")
        self.time_left = TimeLeft()
        self.pause_button = IconButton("pause", kind="plain")
        self.cancel_button = IconButton("close", kind="plain")
        self._clip_buttons = (
            self.compare_button,
            self.use_frame_button,
            self.save_frame_button,
            self.export_button,
            self.full_screen_button,
        )
        self._build_speeds()
        self._build_ui()
        self._connect()
        self._retranslate()
        self.hide_job()

    def set_clock(self, clock: PlayClock) -> None:
        """Show and drive another clock."""
        if clock is not self._clock:
            self._clock.frame_changed.disconnect(self._on_frame_changed)
            self._clock.state_changed.disconnect(self._on_state_changed)
            self._clock = clock
            self._follow_clock()

    def show_clip_tools(self, shown: bool) -> None:
        """Offer what can be done with a finished clip, or only to play it."""
        for button in self._clip_buttons:
            button.setVisible(shown)
        self.smooth_button.setVisible(shown and bool(self.smooth_button.choices))
        self._arrange()

    def show_job(self, seconds_left: float | None, *, is_cancelling: bool) -> None:
        """Say how long the running job still takes, and let it be paused and cancelled."""
        self._is_cancelling = is_cancelling
        self.time_left.show_seconds(seconds_left, is_stopping=is_cancelling)
        self.pause_button.setEnabled(not is_cancelling)
        self._job.show()
        self._retranslate_job()
        self._arrange()

    def hide_job(self) -> None:
        """Nothing is made."""
        self._is_cancelling = False
        self.time_left.stop()
        self._job.hide()
        self._retranslate_job()
        self._arrange()

    def hasHeightForWidth(self) -> bool:
        """Fewer groups fit in a narrower row."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of all rows."""
        return max((place.bottom() + 1 for _, place in self._places(width)), default=0)

    def sizeHint(self) -> QSize:
        """All groups in one row."""
        hints = [group.sizeHint() for group in self._groups()]
        width = sum(hint.width() for hint in hints) + GAP * max(0, len(hints) - 1)
        return QSize(width, max((hint.height() for hint in hints), default=0))

    def minimumSizeHint(self) -> QSize:
        """The widest group alone."""
        hints = [group.minimumSizeHint() for group in self._groups()]
        return QSize(
            max((hint.width() for hint in hints), default=0),
            max((hint.height() for hint in hints), default=0),
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the groups in their places."""
        super().resizeEvent(event)
        self._place_groups()

    def event(self, event: QEvent) -> bool:
        """Put the groups in other places where one of them needs other room."""
        if event.type() is QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language, and the size of the text."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        elif event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._size_counter()
            self._arrange()
        super().changeEvent(event)

    def _build_ui(self) -> None:
        self._play = QWidget(self)
        row = QHBoxLayout(self._play)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        row.addWidget(self.play_button)
        row.addWidget(self.mode_button)
        row.addWidget(self.slider, 1)
        row.addWidget(self.counter)
        row.addWidget(self.speed_button)
        self.counter.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._tools = QWidget(self)
        tools = FlowRows(self._tools, gap=GAP)
        for button in (self.step_back_button, self.step_on_button):
            tools.addWidget(button)
        for button in (self.smooth_button, *self._clip_buttons):
            tools.addWidget(button)
        self._job = QWidget(self)
        job = QHBoxLayout(self._job)
        job.setContentsMargins(0, 0, 0, 0)
        job.setSpacing(GAP)
        job.addStretch(1)
        job.addWidget(self.time_left)
        job.addWidget(self.pause_button)
        job.addWidget(self.cancel_button)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        policy.setVerticalPolicy(QSizePolicy.Policy.Minimum)
        self.setSizePolicy(policy)

    def _build_speeds(self) -> None:
        self.speed_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.speed_button)
        self._speeds = QActionGroup(menu)
        for speed in SPEEDS:
            action = QAction(f"{speed:g}×", menu)
            action.setCheckable(True)
            action.setData(speed)
            self._speeds.addAction(action)
            menu.addAction(action)
        self.speed_button.setMenu(menu)
        self._speeds.triggered.connect(self._on_speed_chosen)

    def _connect(self) -> None:
        self.play_button.clicked.connect(lambda: self._clock.toggle())
        self.mode_button.clicked.connect(lambda: self._clock.set_mode(next_mode(self._clock.mode)))
        self.step_back_button.clicked.connect(lambda: self._clock.step(-1))
        self.step_on_button.clicked.connect(lambda: self._clock.step(1))
        self.slider.valueChanged.connect(self._on_scrubbed)
        self.slider.sliderPressed.connect(self._on_scrub_begun)
        self.slider.sliderReleased.connect(self._on_scrub_ended)
        for button, signal in (
            (self.compare_button, self.compare_requested),
            (self.use_frame_button, self.use_frame_requested),
            (self.save_frame_button, self.save_frame_requested),
            (self.export_button, self.export_requested),
            (self.full_screen_button, self.full_screen_requested),
            (self.pause_button, self.pause_requested),
            (self.cancel_button, self.cancel_requested),
        ):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())
        self._follow_clock()

    def _follow_clock(self) -> None:
        self._clock.frame_changed.connect(self._on_frame_changed)
        self._clock.state_changed.connect(self._on_state_changed)
        self._on_state_changed()

    def _groups(self) -> list[QWidget]:
        """The groups that are to be seen, from left to right."""
        groups = (self._play, self._tools, self._job)
        return [group for group in groups if not group.isHidden()]

    def _places(self, width: int) -> list[tuple[QWidget, QRect]]:
        """Where the groups go in `width` pixels: in as few rows as hold them.

        The first group of a row takes what the others leave.
        """
        rows: list[list[tuple[QWidget, int]]] = []
        left = width + 1
        for group in self._groups():
            hint = group.sizeHint() if group is self._tools else group.minimumSizeHint()
            needed = hint.width()
            if left + needed > width:
                rows.append([])
                left = 0
            rows[-1].append((group, needed))
            left += needed + GAP
        places: list[tuple[QWidget, QRect]] = []
        top = 0
        for row in rows:
            spare = width - sum(needed for _, needed in row) - GAP * (len(row) - 1)
            left = bottom = 0
            for group, needed in row:
                taken = needed + (spare if group is row[0][0] else 0)
                height = group.heightForWidth(taken)
                if height < 0:
                    height = group.sizeHint().height()
                places.append((group, QRect(left, top, taken, height)))
                left += taken + GAP
                bottom = max(bottom, height)
            top += bottom + GAP
        return places

    def _place_groups(self) -> None:
        for group, place in self._places(self.width()):
            group.setGeometry(place)

    def _arrange(self) -> None:
        self.updateGeometry()
        self._place_groups()

    def _retranslate(self) -> None:
        self.slider.setAccessibleName(self.tr("Frame"))
        self.step_back_button.set_words(self.tr("One frame back"), shortcut="←")
        self.step_on_button.set_words(self.tr("One frame on"), shortcut="→")
        self.compare_button.set_words(self.tr("Compare with another clip"))
        self.use_frame_button.set_words(self.tr("Begin a new clip with this frame"))
        self.save_frame_button.set_words(self.tr("Save this frame as a picture"), shortcut="S")
        self.export_button.set_words(self.tr("Export the clip"))
        self.full_screen_button.set_words(self.tr("Full screen"), shortcut="F")
        self.pause_button.set_words(self.tr("Pause: free the memory and go on later"))
        self._retranslate_job()
        self._on_state_changed()

    def _retranslate_job(self) -> None:
        style = Qt.ToolButtonStyle
        self.cancel_button.setToolButtonStyle(
            style.ToolButtonTextBesideIcon if self._is_cancelling else style.ToolButtonIconOnly
        )
        if self._is_cancelling:
            self.cancel_button.setText(self.tr("Stop now"))
            self.cancel_button.set_words(self.tr("Stop now"))
            self.cancel_button.setToolTip(
                self.tr("It stops after this step. Press again to end it at once.")
            )
        else:
            self.cancel_button.set_words(self.tr("Cancel the clip that is made"))

    def _on_frame_changed(self, index: int) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(index)
        self.slider.blockSignals(False)
        total = self._clock.num_frames
        self.counter.setText(f"{index + 1} / {total}" if total else "")

    def _on_state_changed(self) -> None:
        clock = self._clock
        can_play = clock.num_frames > 1
        self.play_button.set_icon_name("pause" if clock.is_playing else "play")
        words = self.tr("Pause") if clock.is_playing else self.tr("Play")
        self.play_button.set_words(words, shortcut=self.tr("Space"))
        self.mode_button.set_icon_name(_MODE_ICONS[clock.mode])
        mode = {
            PlayMode.ONCE: self.tr("Plays once"),
            PlayMode.LOOP: self.tr("Plays in a loop"),
            PlayMode.BOOMERANG: self.tr("Plays forwards and backwards"),
        }[clock.mode]
        self.mode_button.set_words(mode, shortcut="L")
        speed = f"{clock.speed:g}×"
        self.speed_button.setText(speed)
        self.speed_button.setToolTip(self.tr("Speed"))
        self.speed_button.setAccessibleName(self.tr("Speed: {speed}").format(speed=speed))
        for action in self._speeds.actions():
            action.setChecked(action.data() == clock.speed)
        for control in (
            self.play_button,
            self.mode_button,
            self.slider,
            self.step_back_button,
            self.step_on_button,
            self.speed_button,
        ):
            control.setEnabled(can_play)
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(0, clock.num_frames - 1))
        self.slider.blockSignals(False)
        self._size_counter()
        self._on_frame_changed(clock.index)

    def _size_counter(self) -> None:
        """Wide enough for the last frame, so that nothing moves while it counts."""
        digits = len(str(self._clock.num_frames))
        metrics = self.counter.fontMetrics()
        widest = max(
            metrics.boundingRect(f"{digit * digits} / {digit * digits}").width()
            for digit in "0123456789"
        )
        self.counter.setMinimumWidth(widest + GAP)

    def _on_scrubbed(self, value: int) -> None:
        self._clock.seek(value)

    def _on_scrub_begun(self) -> None:
        self._was_playing = self._clock.is_playing
        self._clock.pause()

    def _on_scrub_ended(self) -> None:
        if self._was_playing:
            self._was_playing = False
            self._clock.play()

    def _on_speed_chosen(self, action: QAction) -> None:
        self._clock.set_speed(action.data())
