"""Paints a job of the queue: its picture, what it makes, how far it is, and where its menu is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QToolTip

from kvdesk.job_texts import job_state_text, stage_name
from kvdesk.jobs import JOB_ROLE, PROGRESS_ROLE, WAITS_ROLE, JobState, WaitsFor
from kvdesk.ui.icons import pixmap
from kvdesk.ui.plain_text import tip
from kvdesk.ui.theme import GAP, INNER_RADIUS, RADIUS, SPACE, theme
from kvdesk.ui.tile_parts import paint_cover

if TYPE_CHECKING:
    from PySide6.QtGui import QHelpEvent, QImage
    from PySide6.QtWidgets import QAbstractItemView, QWidget

    from kvdesk.jobs import Job
    from kvdesk.run_progress import RunProgress

__all__ = ["JobTile", "job_state_text", "stage_name"]

Index = QModelIndex | QPersistentModelIndex
_MENU_PX = 24
_ICON_PX = 16
_SMALL_TEXT_PX = 12
_SMALLEST_PICTURE = 56
_BAR_HEIGHT = 4
_NARROWEST_WORDS = 100
"""Where less is left for them, as with large text, there is no picture."""


class _Option(Protocol):
    """What is used of QStyleOptionViewItem, whose stub leaves its members out."""

    rect: QRect
    state: QStyle.StateFlag


class Pictures(Protocol):
    """Knows what jobs look like so far."""

    def picture(self, job_id: str) -> QImage | None:
        """The picture of a job; None where there is none yet."""
        ...


class JobTile(QStyledItemDelegate):
    """A picture, two lines of text, a bar while the job runs, and at the right its menu."""

    def __init__(self, pictures: Pictures, parent: QWidget) -> None:
        super().__init__(parent)
        self._pictures = pictures

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """Room for the picture, or for the lines and the bar where these are higher."""
        lines = sum(QFontMetrics(font).height() for font in (theme().font(), _small_font()))
        height = max(_SMALLEST_PICTURE, lines + SPACE + GAP + _BAR_HEIGHT)
        return QSize(theme().px(_NARROWEST_WORDS), height + 2 * SPACE + GAP)

    def menu_area(self, row: QRect) -> QRect:
        """The part of a row (in the view's pixels) whose click opens the job's menu."""
        width = theme().px(_MENU_PX) + SPACE
        return QRect(row.right() + 1 - width, row.top(), width, row.height())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one job."""
        item = cast("_Option", option)
        job: Job = index.data(JOB_ROLE)
        area = item.rect.adjusted(0, 0, 0, -GAP)
        menu = self.menu_area(area)
        inner = area.adjusted(SPACE, SPACE, 0, -SPACE)
        inner.setRight(menu.left() - 1)
        picture = QRect(inner.left(), inner.top(), inner.height(), inner.height())
        words = inner.adjusted(picture.width() + GAP + SPACE, 0, 0, 0)
        has_picture = words.width() >= theme().px(_NARROWEST_WORDS)
        if not has_picture:
            words = inner.adjusted(SPACE, 0, 0, 0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        _paint_card(painter, area, item.state)
        if has_picture:
            self._paint_picture(painter, picture, job)
        can_move = bool(index.flags() & Qt.ItemFlag.ItemIsDragEnabled)
        if can_move and item.state & QStyle.StateFlag.State_MouseOver:
            side = theme().px(_ICON_PX)
            _paint_icon(
                painter, QRect(words.right() - side, area.top(), side, area.height()), "drag"
            )
            words.setRight(words.right() - side - SPACE)
        _paint_words(painter, words, index)
        _paint_icon(painter, menu, "more")
        painter.restore()

    def helpEvent(
        self,
        event: QHelpEvent,
        view: QAbstractItemView,
        option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        """Show everything that may be cut off in the row."""
        if event.type() is not QEvent.Type.ToolTip or not index.isValid():
            return super().helpEvent(event, view, option, index)
        job: Job = index.data(JOB_ROLE)
        words = f"{job.title}\n{_state_text(index)}"
        QToolTip.showText(event.globalPos(), tip(words), view)
        return True

    def _paint_picture(self, painter: QPainter, area: QRect, job: Job) -> None:
        """The picture, cut to a square; where there is none, a card with a sign."""
        picture = self._pictures.picture(job.id)
        if picture is None or picture.isNull():
            painter.setPen(QPen(theme().color("line"), 1))
            painter.setBrush(theme().color("card"))
            card = QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(card, INNER_RADIUS, INNER_RADIUS)
            name, token = _sign(job)
            _paint_icon(painter, area, name, token)
            return
        paint_cover(painter, QRectF(area), picture, INNER_RADIUS)


def _state_text(index: Index) -> str:
    job: Job = index.data(JOB_ROLE)
    waits_for: str | None = index.data(WAITS_ROLE)  # on its way through Qt, a word becomes plain
    return job_state_text(
        job, index.data(PROGRESS_ROLE), WaitsFor(waits_for) if waits_for else None
    )


def _small_font() -> QFont:
    return theme().font(px=_SMALL_TEXT_PX)


def _sign(job: Job) -> tuple[str, str]:
    """The icon of a job without a picture, and the token of its colour."""
    if job.state is JobState.FAILED:
        return "warning", "failed"
    if job.state is JobState.PAUSED:
        return "pause", "careful"
    return ("text" if job.request.picture is None else "picture"), "muted"


def _paint_card(painter: QPainter, area: QRect, state: QStyle.StateFlag) -> None:
    is_selected = bool(state & QStyle.StateFlag.State_Selected)
    has_focus = bool(state & QStyle.StateFlag.State_HasFocus)
    if is_selected or has_focus or state & QStyle.StateFlag.State_MouseOver:
        painter.setBrush(theme().color("accent_soft" if is_selected else "hover"))
        painter.setPen(
            QPen(theme().color("accent"), 1.5) if has_focus or is_selected else Qt.PenStyle.NoPen
        )
        painter.drawRoundedRect(QRectF(area).adjusted(1, 1, -1, -1), RADIUS, RADIUS)


def _paint_words(painter: QPainter, area: QRect, index: Index) -> None:
    """Both lines and the bar, in the middle of the height of `area`."""
    job: Job = index.data(JOB_ROLE)
    title, small = theme().font(), _small_font()
    heights = [QFontMetrics(font).height() for font in (title, small)]
    has_bar = job.state is JobState.RUNNING
    height = sum(heights) + SPACE + (GAP + _BAR_HEIGHT if has_bar else 0)
    line = QRect(area.left(), area.top(), area.width(), heights[0])
    line.moveTop(area.top() + (area.height() - height) // 2)
    _paint_line(painter, line, job.title, title, "text")
    line = QRect(line.left(), line.bottom() + 1 + SPACE, line.width(), heights[1])
    state = _state_text(index).replace("\n", " ")
    is_failed = job.state is JobState.FAILED
    _paint_line(painter, line, state, small, "failed" if is_failed else "muted")
    if has_bar:
        bar = QRectF(line.left(), line.bottom() + 1 + GAP, line.width(), _BAR_HEIGHT)
        progress: RunProgress | None = index.data(PROGRESS_ROLE)
        _paint_bar(painter, bar, progress.share_done if progress is not None else 0.0)


def _paint_line(painter: QPainter, line: QRect, text: str, font: QFont, token: str) -> None:
    painter.setFont(font)
    painter.setPen(theme().color(token))
    shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, line.width())
    painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


def _paint_bar(painter: QPainter, bar: QRectF, share: float) -> None:
    radius = bar.height() / 2
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().color("line"))
    painter.drawRoundedRect(bar, radius, radius)
    if share > 0:
        bar.setWidth(max(bar.height(), bar.width() * share))
        painter.setBrush(theme().color("accent"))
        painter.drawRoundedRect(bar, radius, radius)


def _paint_icon(painter: QPainter, area: QRect, name: str, token: str = "muted") -> None:
    """An icon in the middle of `area`, with twice the pixels, for screens that have them."""
    side = theme().px(_ICON_PX)
    place = QRect(0, 0, side, side)
    place.moveCenter(area.center())
    painter.drawPixmap(place, pixmap(name, str(getattr(theme().tokens, token)), 2 * side))
