"""The clock of everything that plays: which frame is due, without drift."""

from __future__ import annotations

import math
from enum import StrEnum

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

SPEEDS = (0.25, 0.5, 1.0, 2.0)
_MS = 1000.0


class PlayMode(StrEnum):
    """What happens at the last frame."""

    ONCE = "once"
    LOOP = "loop"
    BOOMERANG = "boomerang"
    """Forwards, backwards, and on: the frames at both ends are there only once."""


def frame_at(tick: int, num_frames: int, mode: PlayMode) -> int:
    """The frame that is shown `tick` frames after frame 0 began."""
    last = num_frames - 1
    if last < 1:
        return 0
    if mode is PlayMode.ONCE:
        return min(tick, last)
    if mode is PlayMode.LOOP:
        return tick % num_frames
    return last - abs(last - tick % (2 * last))


class PlayClock(QObject):
    """Counts the frames of something that plays.

    A frame that is not there yet is waited for, and time stands still meanwhile. Where the window
    was busy for longer than a frame lasts, the frames that it missed are passed over, in order.

    Attributes:
        frame_changed: (index) another frame is the one to show, or it was asked for again.
        state_changed: it plays or stands still; its speed, mode or length is another.
    """

    frame_changed = Signal(int)
    state_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._num_frames = 0
        self._frames_per_second = 1.0
        self._speed = 1.0
        self._mode = PlayMode.LOOP
        self._is_playing = False
        self._tick = 0
        # The tick that was shown as `_since` was started: later ones are due by their distance.
        self._first_tick = 0
        self._since = QElapsedTimer()
        self._next_is_late = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_due)

    @property
    def num_frames(self) -> int:
        """Frames that there are to play; 0 where nothing is open."""
        return self._num_frames

    @property
    def frames_per_second(self) -> float:
        """Frames shown in a second at speed 1."""
        return self._frames_per_second

    @property
    def index(self) -> int:
        """The frame to show, counted from 0."""
        return frame_at(self._tick, self._num_frames, self._mode)

    @property
    def is_playing(self) -> bool:
        """Whether it plays; also while it waits for a frame."""
        return self._is_playing

    @property
    def speed(self) -> float:
        """1 is as fast as the clip says."""
        return self._speed

    @property
    def mode(self) -> PlayMode:
        """What happens at the last frame."""
        return self._mode

    def set_length(self, num_frames: int, frames_per_second: float) -> None:
        """Play something else, from its first frame on. Stops where there is nothing to play.

        Raises:
            ValueError: `frames_per_second` is not above 0.
        """
        if frames_per_second <= 0:
            raise ValueError(f"frames_per_second must be above 0, not {frames_per_second}")
        self._num_frames = num_frames
        self._frames_per_second = frames_per_second
        self._is_playing = self._is_playing and num_frames > 1
        self._move_to(0)
        self.state_changed.emit()

    def play(self) -> None:
        """Play on; from the first frame where it had come to its end."""
        if self._is_playing or self._num_frames < 2:
            return
        self._is_playing = True
        if self._mode is PlayMode.ONCE and self.index == self._num_frames - 1:
            self._move_to(0)
        else:
            self._restart()
        self.state_changed.emit()

    def pause(self) -> None:
        """Stand still at the frame that is shown."""
        if self._is_playing:
            self._is_playing = False
            self._timer.stop()
            self.state_changed.emit()

    def toggle(self) -> None:
        """Play where it stands still, and the other way round."""
        if self._is_playing:
            self.pause()
        else:
            self.play()

    def step(self, by: int) -> None:
        """Stand still `by` frames on, or back; the last is followed by the first."""
        if self._num_frames:
            self.pause()
            self._move_to((self.index + by) % self._num_frames)

    def seek(self, index: int) -> None:
        """Show frame `index`, or the nearest that there is; plays on from there if it plays."""
        self._move_to(max(0, min(index, self._num_frames - 1)))

    def set_speed(self, speed: float) -> None:
        """Play at `speed` times the clip's own speed.

        Raises:
            ValueError: `speed` is not above 0.
        """
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        if speed != self._speed:
            self._speed = speed
            self._restart()
            self.state_changed.emit()

    def set_mode(self, mode: PlayMode) -> None:
        """Do something else at the last frame."""
        if mode is not self._mode:
            # The same tick is another frame in another mode.
            self._tick = self.index
            self._mode = mode
            self._restart()
            self.state_changed.emit()

    def can_show(self, index: int) -> bool:
        """Whether frame `index` is there; one that is not there is waited for."""
        return 0 <= index < self._num_frames

    def resume_waiting(self) -> None:
        """Play on where a frame that was waited for has come."""
        if not self._is_playing or self._timer.isActive():
            return
        if self._next_is_late and self._can_show_next():
            self._move_to(self._tick + 1)
        elif not self._next_is_late:
            self._restart()

    @property
    def _frame_ms(self) -> float:
        return _MS / (self._frames_per_second * self._speed)

    def _move_to(self, tick: int) -> None:
        self._tick = tick
        self._restart()
        self.frame_changed.emit(self.index)

    def _restart(self) -> None:
        """Count time from the frame that is shown now."""
        self._first_tick = self._tick
        self._since.start()
        self._schedule()

    def _schedule(self) -> None:
        self._next_is_late = False
        if not self._is_playing or not self.can_show(self.index):
            self._timer.stop()
            return
        due = (self._tick + 1 - self._first_tick) * self._frame_ms
        left = due - self._since.nsecsElapsed() / 1e6
        self._timer.start(max(0, math.ceil(left)))

    def _can_show_next(self) -> bool:
        return self.can_show(frame_at(self._tick + 1, self._num_frames, self._mode))

    def _on_due(self) -> None:
        due_tick = self._first_tick + int(self._since.nsecsElapsed() / 1e6 / self._frame_ms)
        if self._mode is PlayMode.ONCE:
            is_over = due_tick >= self._num_frames
            due_tick = min(due_tick, self._num_frames - 1)
        else:
            is_over = False
        shown = self._tick
        while self._tick < due_tick and self._can_show_next():
            self._tick += 1
        if self._tick < due_tick:
            self._next_is_late = True
        elif is_over:
            self.pause()
        else:
            self._schedule()
        if self._tick != shown:
            self.frame_changed.emit(self.index)
