"""Paints a clip of the library: its picture, how far it is, and whether it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QImage, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from kvdesk.library_model import SUMMARY_ROLE, badge_text
from kvdesk.ui.theme import GAP, RADIUS, theme
from kvdesk.ui.tile_parts import paint_badge, paint_cover

if TYPE_CHECKING:
    from kvdesk.clip_records import ClipSummary

Index = QModelIndex | QPersistentModelIndex

_TILE_RATIO = 3 / 4  # height over width
_RING = 3


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
            paint_cover(painter, area, picture, RADIUS)
        icons = ["star-filled"] * clip.starred + ["lock"] * clip.is_read_only
        paint_badge(painter, area, badge_text(clip), icons)
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
