"""How long a job still takes, counted down from one estimate to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QEvent, QTimer

from kvdesk.estimates import spoken_seconds
from kvdesk.ui.plain_text import PlainLabel

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

_EVERY_MS = 1000


class TimeLeft(PlainLabel):
    """Words such as "about 2 min 10 s left". By themselves they only ever become fewer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self._seconds: float | None = None
        self._is_stopping = False
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self._retranslate)

    def show_seconds(self, seconds: float | None, *, is_stopping: bool) -> None:
        """Count down from `seconds`; None where nobody can say."""
        if seconds != self._seconds or not self._since.isValid():
            # The same estimate again, with another event, is not a new one.
            self._seconds = seconds
            self._since.start()
        self._is_stopping = is_stopping
        self._timer.start()
        self._retranslate()

    def stop(self) -> None:
        """Nothing is made any more."""
        self._timer.stop()
        self._since.invalidate()
        self._seconds = None
        self.clear()

    def seconds_left(self) -> float | None:
        """What is left now, never below 0; None where nobody can say."""
        if self._seconds is None:
            return None
        return max(0.0, self._seconds - self._since.elapsed() / 1000)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange and self._since.isValid():
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        left = self.seconds_left()
        if self._is_stopping:
            words = self.tr("Stopping …")
        elif left is None:
            words = self.tr("Time left not known yet")
        elif left < 1:
            words = self.tr("Almost done")
        else:
            words = self.tr("{time} left").format(time=spoken_seconds(left))
        if words != self.text():
            self.setText(words)
