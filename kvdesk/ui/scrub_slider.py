"""The line along which a clip is looked through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QSlider, QStyle, QToolTip

from kvdesk.ui.plain_text import tip
from kvdesk.ui.theme import theme

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent, QPaintEvent, QWheelEvent
    from PySide6.QtWidgets import QWidget

_HANDLE_PX = 14  # as in the style sheet
_TICK_HEIGHT = 10
_SHORTEST = 96


class ScrubSlider(QSlider):
    """A slider that goes where it is clicked, and tells which frame is under the pointer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setMouseTracking(True)
        self._hover_x: int | None = None

    def value_at(self, x: int) -> int:
        """The value at `x` pixels from the left edge."""
        room = self.width() - _HANDLE_PX
        return QStyle.sliderValueFromPosition(
            self.minimum(), self.maximum(), x - _HANDLE_PX // 2, room
        )

    def x_of(self, value: int) -> int:
        """Where the middle of the handle is at `value`, in pixels from the left edge."""
        room = self.width() - _HANDLE_PX
        at = QStyle.sliderPositionFromValue(self.minimum(), self.maximum(), value, room)
        return at + _HANDLE_PX // 2

    def minimumSizeHint(self) -> QSize:
        """Long enough to be of use."""
        return QSize(_SHORTEST, super().minimumSizeHint().height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the frame under the pointer; the drag goes on from there."""
        if event.button() is Qt.MouseButton.LeftButton and self.isEnabled():
            self.setValue(self.value_at(round(event.position().x())))
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell the frame under the pointer."""
        super().mouseMoveEvent(event)
        x = round(event.position().x())
        self._hover_x = x
        self.update()
        if self.isEnabled():
            above = self.mapToGlobal(QPoint(x, -3 * self.height()))
            QToolTip.showText(above, tip(self._words(self.value_at(x))), self)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer."""
        self._hover_x = None
        self.update()
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A turn of the wheel is for whatever scrolls, not for the clip."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the slider, and a tick at the frame under the pointer."""
        super().paintEvent(event)
        if self._hover_x is None or not self.isEnabled():
            return
        painter = QPainter(self)
        x = self.x_of(self.value_at(self._hover_x))
        middle = self.height() // 2
        painter.fillRect(x - 1, middle - _TICK_HEIGHT // 2, 2, _TICK_HEIGHT, theme().color("muted"))
        painter.end()

    def _words(self, value: int) -> str:
        return self.tr("Frame {number} of {total}").format(
            number=value + 1, total=self.maximum() + 1
        )
