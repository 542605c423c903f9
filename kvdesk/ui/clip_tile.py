"""Paints a clip of the library: its picture, how far it is, and whether it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen, QTransform
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from kvdesk.library_model import SUMMARY_ROLE, badge_text
from kvdesk.ui.icons import pixmap
from kvdesk.ui.theme import GAP, INNER_RADIUS, RADIUS, SPACE, theme

if TYPE_CHECKING:
    from kvdesk.clip_records import ClipSummary

Index = QModelIndex | QPersistentModelIndex

_TILE_RATIO = 3 / 4  # height over width
_RING = 3
_ICON_PX = 13
# A badge lies on a picture of any colour, so that no theme can know what goes with it.
_BADGE_COLOUR = QColor(0, 0, 0, 160)
_BADGE_TEXT = "#ffffff"


class _Option(Protocol):
    """What is used of QStyleOptionViewItem, whose stub leaves its members out."""

    rect: QRect
    state: QStyle.StateFlag


class Pictures(Protocol):
    """Knows what a tile shows."""

    def picture(self, row: int) -> QImage | None:
        """The picture of the clip in `row`; None: it is being loaded, empty: there is none."""
        ...


class ClipTile(QStyledItemDelegate):
    """Paints the items of a view in which every item is a clip."""

    def __init__(self, pictures: Pictures, parent: QWidget) -> None:
        super().__init__(parent)
        self._pictures = pictures
        self._size = QSize(1, 1)

    def set_width(self, width: int) -> QSize:
        """Make a tile with the gap beside it `width` pixels wide; its size with both gaps."""
        self._size = QSize(width, round((width - GAP) * _TILE_RATIO) + GAP)
        return self._size

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """The size of a tile, with the gaps beside and below it."""
        return self._size

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one clip."""
        clip: ClipSummary = index.data(SUMMARY_ROLE)
        item = cast("_Option", option)
        area = QRectF(item.rect.adjusted(0, 0, -GAP, -GAP))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        picture = self._pictures.picture(index.row())
        if picture is None or picture.isNull():
            self._paint_card(painter, area, clip.title if picture is not None else "")
        else:
            _paint_picture(painter, area, picture)
        _paint_badge(painter, area, clip)
        _paint_rings(painter, area, item.state)
        painter.restore()

    def _paint_card(self, painter: QPainter, area: QRectF, title: str) -> None:
        painter.setPen(QPen(theme().color("line"), 1))
        painter.setBrush(theme().color("card"))
        painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        painter.setFont(theme().font(px=12))
        painter.setPen(theme().color("muted"))
        words = area.adjusted(GAP, GAP, -GAP, -GAP)
        painter.setClipRect(words)
        painter.drawText(words, Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop, title)
        painter.setClipping(False)


def _paint_picture(painter: QPainter, area: QRectF, picture: QImage) -> None:
    """Fill `area`; what does not fit in is cut off on both sides."""
    scale = max(area.width() / picture.width(), area.height() / picture.height())
    left = area.center().x() - picture.width() * scale / 2
    top = area.center().y() - picture.height() * scale / 2
    # A brush, because a clipped picture would have jagged corners.
    brush = QBrush(picture)
    brush.setTransform(QTransform.fromTranslate(left, top).scale(scale, scale))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    painter.drawRoundedRect(area, RADIUS, RADIUS)


def _paint_badge(painter: QPainter, area: QRectF, clip: ClipSummary) -> None:
    icons = ["star-filled"] * clip.starred + ["lock"] * clip.is_read_only
    painter.setFont(theme().font(px=12))
    metrics = painter.fontMetrics()
    side = theme().px(_ICON_PX)
    room = area.width() - 2 * INNER_RADIUS - 2 * GAP - len(icons) * (side + SPACE)
    text = metrics.elidedText(badge_text(clip), Qt.TextElideMode.ElideRight, round(room))
    text_width = metrics.horizontalAdvance(text)
    width = text_width + 2 * GAP + len(icons) * (side + SPACE)
    height = metrics.height() + SPACE
    corner = area.bottomLeft() + QPointF(INNER_RADIUS, -INNER_RADIUS - height)
    badge = QRectF(corner.x(), corner.y(), width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BADGE_COLOUR)
    painter.drawRoundedRect(badge, INNER_RADIUS, INNER_RADIUS)
    painter.setPen(QColor(_BADGE_TEXT))
    painter.drawText(badge.adjusted(GAP, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)
    x = badge.left() + GAP + text_width + SPACE
    for name in icons:
        place = QRect(round(x), round(badge.center().y() - side / 2), side, side)
        painter.drawPixmap(place, pixmap(name, _BADGE_TEXT, 2 * side))
        x += side + SPACE


def _paint_rings(painter: QPainter, area: QRectF, state: QStyle.StateFlag) -> None:
    """The accent around a chosen clip; inside it a line that stands out where the keys are."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state & QStyle.StateFlag.State_Selected:
        painter.setPen(QPen(theme().color("accent"), _RING))
        half = _RING / 2
        painter.drawRoundedRect(area.adjusted(half, half, -half, -half), RADIUS - 1, RADIUS - 1)
        _paint_line(painter, area, _RING + 0.75, "panel")
    if state & QStyle.StateFlag.State_HasFocus:
        _paint_line(painter, area, _RING + 0.75, "text")
        _paint_line(painter, area, _RING + 2.25, "panel")


def _paint_line(painter: QPainter, area: QRectF, inset: float, token: str) -> None:
    painter.setPen(QPen(theme().color(token), 1.5))
    inner = area.adjusted(inset, inset, -inset, -inset)
    painter.drawRoundedRect(inner, RADIUS - _RING, RADIUS - _RING)
