"""What tiles of clips and jobs are painted from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QTransform

from kvdesk.ui.icons import pixmap
from kvdesk.ui.theme import GAP, INNER_RADIUS, SPACE, theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QImage, QPainter

_BADGE_TEXT_PX = 12
_BADGE_ICON_PX = 13
# A badge lies on a picture of any colour, so that no theme can know what goes with it.
_BADGE_COLOUR = QColor(0, 0, 0, 160)
_BADGE_TEXT = "#ffffff"


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


def paint_badge(painter: QPainter, area: QRectF, text: str, icons: Sequence[str] = ()) -> None:
    """A few words and `icons` in the lower left corner of the picture in `area`."""
    painter.setFont(theme().font(px=_BADGE_TEXT_PX))
    metrics = painter.fontMetrics()
    side = theme().px(_BADGE_ICON_PX)
    icons_width = len(icons) * (side + SPACE)
    room = round(area.width()) - 2 * GAP - 2 * INNER_RADIUS - icons_width
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
    words_width = metrics.horizontalAdvance(shown)
    badge = QRectF(0, 0, words_width + icons_width + 2 * GAP, metrics.height() + SPACE)
    badge.moveBottomLeft(area.adjusted(INNER_RADIUS, 0, 0, -INNER_RADIUS).bottomLeft())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BADGE_COLOUR)
    painter.drawRoundedRect(badge, INNER_RADIUS, INNER_RADIUS)
    painter.setPen(QColor(_BADGE_TEXT))
    painter.drawText(badge.adjusted(GAP, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, shown)
    left = badge.left() + GAP + words_width + SPACE
    for name in icons:
        place = QRect(round(left), round(badge.center().y() - side / 2), side, side)
        painter.drawPixmap(place, pixmap(name, _BADGE_TEXT, 2 * side))
        left += side + SPACE
