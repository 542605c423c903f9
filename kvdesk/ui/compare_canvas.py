"""Two clips in one picture: side by side, under a wipe, or one in place of the other."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QWidget

from kvdesk.ui.canvas import (
    CanvasKey,
    canvas_key,
    drive,
    fitted_rect,
    paint_badge,
    paint_focus,
    paint_message,
    paint_picture,
    shows_focus,
)
from kvdesk.ui.theme import GAP, RADIUS, theme

if TYPE_CHECKING:
    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent

    from kvdesk.player import LockedPlayer

_KEY_STEP = 0.02
_HANDLE_PX = 9
_GRAB_PX = 16


class CompareMode(StrEnum):
    """How two clips share the picture."""

    SIDE_BY_SIDE = "side_by_side"
    WIPE = "wipe"
    BLINK = "blink"


class CompareCanvas(QWidget):
    """Shows what two locked clips show now. The clip of place 0 is at the left, or seen first.

    Attributes:
        mode_changed: (CompareMode) by a key.
        divider: where the wipe is, from 0 at the left edge of the picture to 1.
    """

    mode_changed = Signal(object)

    def __init__(self, player: LockedPlayer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self._player = player
        self._mode = CompareMode.SIDE_BY_SIDE
        self._is_swapped = False
        self._labels = ("", "")
        self._blink_place = 0
        self._is_dragging = False
        self._shows_focus = False
        self.divider = 0.5
        player.images_changed.connect(self.update)
        theme().changed.connect(self.update)
        self._retranslate()

    @property
    def mode(self) -> CompareMode:
        """How the clips share the picture."""
        return self._mode

    @property
    def is_swapped(self) -> bool:
        """Whether the second clip has place 0."""
        return self._is_swapped

    @property
    def blink_place(self) -> int:
        """Which place is seen while they blink, 0 or 1."""
        return self._blink_place

    def set_mode(self, mode: CompareMode) -> None:
        """Let the clips share the picture in another way."""
        self._mode = mode
        self._blink_place = 0
        self._retranslate()
        self.update()

    def set_swapped(self, swapped: bool) -> None:
        """Let the second clip have place 0, or the first one."""
        self._is_swapped = swapped
        self.update()

    def set_labels(self, first: str, second: str) -> None:
        """Write these words on the clips of place 0 and place 1."""
        self._labels = (first, second)
        self.update()

    def set_divider(self, divider: float) -> None:
        """Move the wipe to `divider`, within 0 and 1."""
        self.divider = min(1.0, max(0.0, divider))
        self._describe()
        self.update()

    def blink(self) -> None:
        """Show the other clip in the place of the one that is seen."""
        if self._mode is CompareMode.BLINK:
            self._blink_place = 1 - self._blink_place
        else:
            self.set_mode(CompareMode.BLINK)
            self.mode_changed.emit(CompareMode.BLINK)
        self._describe()
        self.update()

    def divider_x(self) -> float:
        """Where the wipe is, in pixels of the widget."""
        area = self._picture_area()
        return area.left() + self.divider * area.width()

    def minimumSizeHint(self) -> QSize:
        """Small enough for a narrow window."""
        return QSize(240, theme().px(160))

    def sizeHint(self) -> QSize:
        """What it needs; the layout gives it all that is left."""
        return self.minimumSizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint both clips, what is written on them, and the focus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("behind_clip"))
        painter.drawRoundedRect(self.rect(), RADIUS, RADIUS)
        left, right = self._halves()
        if self._mode is CompareMode.SIDE_BY_SIDE:
            self._paint_place(painter, 0, left)
            self._paint_place(painter, 1, right)
        elif self._mode is CompareMode.WIPE:
            self._paint_wipe(painter)
        else:
            self._paint_place(painter, self._blink_place, self.rect())
        if self._mode is CompareMode.BLINK:
            paint_badge(painter, self._labels[self._blink_place], self.rect())
        else:
            paint_badge(painter, self._labels[0], left)
            paint_badge(painter, self._labels[1], right, at_right=True)
        if self._shows_focus and self.hasFocus():
            paint_focus(painter, self.rect())
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the wipe, blink, or drive the clock."""
        key = canvas_key(event)
        if event.key() == Qt.Key.Key_B and not event.modifiers():
            if not event.isAutoRepeat():
                self.blink()
        elif self._mode is CompareMode.WIPE and key is CanvasKey.STEP_BACK:
            self.set_divider(self.divider - _KEY_STEP)
        elif self._mode is CompareMode.WIPE and key is CanvasKey.STEP_ON:
            self.set_divider(self.divider + _KEY_STEP)
        elif key is None or not drive(self._player, key):
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the wipe, wherever it is."""
        if self._mode is CompareMode.WIPE and event.button() is Qt.MouseButton.LeftButton:
            self._is_dragging = True
            self._drag_to(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the wipe; show that it can be moved."""
        if self._is_dragging:
            self._drag_to(event.position())
        elif self._mode is CompareMode.WIPE:
            is_near = abs(event.position().x() - self.divider_x()) <= _GRAB_PX
            shape = Qt.CursorShape.SplitHCursor if is_near else Qt.CursorShape.ArrowCursor
            self.setCursor(shape)
        else:
            self.unsetCursor()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go of the wipe."""
        self._is_dragging = False

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that keys go here, where they are what brought the focus."""
        self._shows_focus = shows_focus(event, self._shows_focus)
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show that keys go elsewhere."""
        self.update()
        super().focusOutEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("Comparison of two clips"))
        self._describe()

    def _describe(self) -> None:
        if self._mode is CompareMode.WIPE:
            words = self.tr("Wipe at {percent} %. The arrow keys move it.").format(
                percent=round(100 * self.divider)
            )
        elif self._mode is CompareMode.BLINK:
            words = self.tr("{label} is shown. B shows the other one.").format(
                label=self._labels[self._blink_place]
            )
        else:
            words = self.tr("Side by side. B shows one in the place of the other.")
        self.setAccessibleDescription(words)

    def _side(self, place: int) -> int:
        """The clip at `place`."""
        return 1 - place if self._is_swapped else place

    def _halves(self) -> tuple[QRect, QRect]:
        half = (self.width() - GAP) // 2
        return (
            QRect(0, 0, half, self.height()),
            QRect(self.width() - half, 0, half, self.height()),
        )

    def _picture_area(self) -> QRectF:
        """What both clips cover together where they lie over each other."""
        area = QRectF()
        for side in (0, 1):
            image = self._player.image(side)
            if image is not None:
                ratio = self.devicePixelRatioF()
                area = area.united(fitted_rect(image.size(), QRectF(self.rect()), ratio))
        return area if not area.isEmpty() else QRectF(self.rect())

    def _paint_place(self, painter: QPainter, place: int, area: QRect) -> None:
        side = self._side(place)
        image = self._player.image(side)
        if image is not None:
            ratio = self.devicePixelRatioF()
            where = fitted_rect(image.size(), QRectF(area), ratio)
            paint_picture(painter, image, where)
        elif self._player.has_failed(side):
            words = self.tr("This frame cannot be read: its file is damaged or gone.")
            paint_message(painter, words, area)

    def _paint_wipe(self, painter: QPainter) -> None:
        x = self.divider_x()
        for place in (0, 1):
            seen = QRectF(self.rect())
            if place == 0:
                seen.setRight(x)
            else:
                seen.setLeft(x)
            painter.save()
            painter.setClipRect(seen)
            self._paint_place(painter, place, self.rect())
            painter.restore()
        area = self._picture_area()
        painter.setPen(QPen(Qt.GlobalColor.white, 2))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setBrush(theme().color("accent"))
        painter.drawEllipse(QPointF(x, area.center().y()), _HANDLE_PX, _HANDLE_PX)

    def _drag_to(self, position: QPointF) -> None:
        area = self._picture_area()
        self.set_divider((position.x() - area.left()) / area.width())
