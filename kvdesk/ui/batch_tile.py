"""One clip of a batch: it plays, and is a button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from kvdesk.ui.theme import GAP, RADIUS, theme
from kvdesk.ui.tile_parts import paint_badge, paint_cover

if TYPE_CHECKING:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QEnterEvent, QImage, QPaintEvent
    from PySide6.QtWidgets import QWidget

_SMALLEST = 96
_RING = 3


class BatchTile(QAbstractButton):
    """Shows pictures one after the other; without any, words on an empty card."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._images: tuple[QImage, ...] = ()
        self._frame = 0
        self._ratio = 1.0
        self._badge = self._placeholder = ""
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_words(self, *, badge: str, placeholder: str) -> None:
        """Show `badge` in a corner, and `placeholder` where there is no picture."""
        self._badge = badge
        self._placeholder = placeholder
        self.update()

    def set_ratio(self, ratio: float) -> None:
        """Be `ratio` times as high as wide."""
        if ratio != self._ratio:
            self._ratio = ratio
            self.updateGeometry()

    @property
    def images(self) -> tuple[QImage, ...]:
        """What is played."""
        return self._images

    def show_images(self, images: tuple[QImage, ...]) -> None:
        """Play these pictures."""
        self._images = tuple(image for image in images if not image.isNull())
        self.update()

    def show_frame(self, frame: int) -> None:
        """Show this one of the pictures; after the last comes the first again."""
        self._frame = frame
        if len(self._images) > 1:
            self.update()

    def sizeHint(self) -> QSize:
        """Twice the smallest size."""
        return QSize(2 * _SMALLEST, self.heightForWidth(2 * _SMALLEST))

    def minimumSizeHint(self) -> QSize:
        """What can still be told apart."""
        return QSize(_SMALLEST, _SMALLEST // 2)

    def heightForWidth(self, width: int) -> int:
        """The height in proportion."""
        return max(_SMALLEST // 2, round(width * self._ratio))

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show that it can be clicked."""
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing points at it any more."""
        self.update()
        super().leaveEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture, the badge and the ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        area = QRectF(self.rect())
        if self._images:
            picture = self._images[self._frame % len(self._images)]
            paint_cover(painter, area, picture, RADIUS)
        else:
            self._paint_card(painter, area)
        if self._badge:
            paint_badge(painter, area, self._badge)
        if self.hasFocus() or (self.underMouse() and self.isEnabled()):
            half = _RING / 2
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme().color("accent"), _RING))
            painter.drawRoundedRect(area.adjusted(half, half, -half, -half), RADIUS, RADIUS)

    def _paint_card(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(QPen(theme().color("line"), 1))
        painter.setBrush(theme().color("card"))
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        painter.setFont(theme().font(px=12))
        painter.setPen(theme().color("muted"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(area.adjusted(GAP, GAP, -GAP, -GAP), flags, self._placeholder)
