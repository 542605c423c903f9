"""What tiles of clips and jobs are painted from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QTransform

from kvdesk.ui.theme import GAP, INNER_RADIUS, SPACE, theme

if TYPE_CHECKING:
    from PySide6.QtGui import QImage, QPainter

_BADGE_TEXT_PX = 12
# A badge lies on a picture of any colour, so that no theme can know what goes with it.
_BADGE_COLOUR = QColor(0, 0, 0, 160)
_BADGE_TEXT = QColor(255, 255, 255)


def paint_cover(painter: QPainter, area: QRectF, picture: QImage, radius: float) -> None:
    """Fill `area`, which has round corners; what does not fit in is cut off on both sides."""
    scale = max(area.width() / picture.width(), area.height() / picture.height())
    left = area.center().x() - picture.width() * scale / 2
    top = area.center().y() - picture.height() * scale / 2
    # A brush, because a clipped picture would have jagged corners.
    brush = QBrush(picture)
    brush.setTransform(QTransform.fromTranslate(left, top).scale(scale, scale))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    painter.drawRoundedRect(area, radius, radius)


def paint_badge(painter: QPainter, area: QRectF, text: str) -> None:
    """A few words in the lower left corner of the picture in `area`."""
    painter.setFont(theme().font(px=_BADGE_TEXT_PX))
    metrics = painter.fontMetrics()
    room = round(area.width()) - 2 * GAP - 2 * INNER_RADIUS
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
    badge = QRectF(0, 0, metrics.horizontalAdvance(shown) + 2 * GAP, metrics.height() + SPACE)
    badge.moveBottomLeft(area.adjusted(INNER_RADIUS, 0, 0, -INNER_RADIUS).bottomLeft())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BADGE_COLOUR)
    painter.drawRoundedRect(badge, INNER_RADIUS, INNER_RADIUS)
    painter.setPen(_BADGE_TEXT)
    painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, shown)
