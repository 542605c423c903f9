"""Where pictures are shown: fitted, centred, never distorted, and ready to be dragged out."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRect, QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QColor, QDrag, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from kvdesk.play_clock import PlayClock, PlayMode
from kvdesk.ui.theme import GAP, INNER_RADIUS, PANEL, RADIUS, theme

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent

_THUMBNAIL_PX = 96
_SOFT_FACTOR = 4
_ROUNDING = 1e-6  # pixels; what is a whole number of them may be computed as slightly less
_TARGET = 4
_SMALLEST = QSize(160, 100)
_BADGE = QColor(0, 0, 0, 176)  # readable on any picture
_KEEP = Qt.AspectRatioMode.KeepAspectRatio
_SMOOTH = Qt.TransformationMode.SmoothTransformation


class CanvasKey(StrEnum):
    """What a key that is pressed on a picture asks for."""

    PLAY = "play"
    STEP_BACK = "step_back"
    STEP_ON = "step_on"
    FIRST = "first"
    LAST = "last"
    MODE = "mode"
    FULL_SCREEN = "full_screen"
    SAVE_FRAME = "save_frame"
    LEAVE = "leave"


_KEYS = {
    Qt.Key.Key_Space: CanvasKey.PLAY,
    Qt.Key.Key_Left: CanvasKey.STEP_BACK,
    Qt.Key.Key_Right: CanvasKey.STEP_ON,
    Qt.Key.Key_Home: CanvasKey.FIRST,
    Qt.Key.Key_End: CanvasKey.LAST,
    Qt.Key.Key_L: CanvasKey.MODE,
    Qt.Key.Key_F: CanvasKey.FULL_SCREEN,
    Qt.Key.Key_S: CanvasKey.SAVE_FRAME,
    Qt.Key.Key_Escape: CanvasKey.LEAVE,
}
_KEY_REASONS = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
_MODIFIERS = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)


def next_mode(mode: PlayMode) -> PlayMode:
    """The mode after `mode`, in the order once, loop, boomerang."""
    modes = list(PlayMode)
    return modes[(modes.index(mode) + 1) % len(modes)]


def drive(clock: PlayClock, key: CanvasKey) -> bool:
    """Do what `key` asks of `clock`; False where it asks something else."""
    if key is CanvasKey.PLAY:
        clock.toggle()
    elif key is CanvasKey.STEP_BACK:
        clock.step(-1)
    elif key is CanvasKey.STEP_ON:
        clock.step(1)
    elif key is CanvasKey.FIRST:
        clock.seek(0)
    elif key is CanvasKey.LAST:
        clock.seek(clock.num_frames - 1)
    elif key is CanvasKey.MODE:
        clock.set_mode(next_mode(clock.mode))
    else:
        return False
    return True


def canvas_key(event: QKeyEvent) -> CanvasKey | None:
    """What the pressed key asks for; None for a key that is not ours or comes with Ctrl or Alt."""
    if event.modifiers() & _MODIFIERS:
        return None
    return _KEYS.get(Qt.Key(event.key()))


def shows_focus(event: QFocusEvent, before: bool) -> bool:
    """Whether a picture shows that it has the focus: where keys brought it.

    A line around it would disturb who uses a mouse. Where the window was only left and entered
    again, it is as `before`.
    """
    reason = event.reason()
    if reason in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
        return before
    return reason in _KEY_REASONS


def fitted_rect(size: QSize, area: QRectF, ratio: float = 1.0) -> QRectF:
    """The largest rectangle with the proportions of `size`, centred in `area`.

    Its edges lie on pixels of a screen that has `ratio` of them for one of `area`.
    """
    if size.isEmpty() or area.isEmpty():
        return QRectF()
    scale = min(area.width() / size.width(), area.height() / size.height())

    def whole(length: float) -> float:
        return math.floor(length * ratio + _ROUNDING) / ratio

    width, height = whole(size.width() * scale), whole(size.height() * scale)
    left = area.left() + whole((area.width() - width) / 2)
    top = area.top() + whole((area.height() - height) / 2)
    return QRectF(left, top, width, height)


def paint_picture(painter: QPainter, image: QImage, area: QRectF) -> None:
    """Paint `image` into `area`.

    A small one is doubled smoothly as often as it needs: one great enlargement would show a grid.
    """
    while area.width() >= _SOFT_FACTOR * image.width() > 0:
        image = image.scaled(image.size() * 2, mode=_SMOOTH)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(area, image)


class Canvas(QWidget):
    """One picture, or a sentence where there is none.

    A click asks for what Space asks for, and a double click for what F asks for.

    Attributes:
        key_pressed: (CanvasKey) a key that means something to whoever plays.
    """

    key_pressed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._image: QImage | None = None
        self._path: Path | None = None
        self._badge = ""
        self._message = ""
        self._background = "behind_clip"
        self._radius = RADIUS
        self._drag_start: QPointF | None = None
        self._shows_focus = False
        self._is_target = False
        theme().changed.connect(self.update)

    @property
    def path(self) -> Path | None:
        """The file of the picture, where it has one that may be dragged out."""
        return self._path

    @property
    def image(self) -> QImage | None:
        """The picture that is shown."""
        return self._image

    @property
    def badge(self) -> str:
        """The words at the bottom left of the picture."""
        return self._badge

    @property
    def message(self) -> str:
        """The sentence that is shown where there is no picture."""
        return self._message

    def show_picture(self, image: QImage, path: Path | None) -> None:
        """Show `image`; it can be dragged out as the file `path`."""
        self._image, self._path = image, path
        self._message = ""
        self.update()

    def show_message(self, message: str) -> None:
        """Show a sentence in place of a picture."""
        self._image, self._path, self._message = None, None, message
        self.update()

    def set_badge(self, badge: str) -> None:
        """Show a few words at the bottom left; none where `badge` is empty."""
        if badge != self._badge:
            self._badge = badge
            self.update()

    def show_as_target(self, is_target: bool) -> None:
        """Show that what is dragged may be dropped here."""
        if is_target != self._is_target:
            self._is_target = is_target
            self.update()

    def use_black(self) -> None:
        """Lie on black, edge to edge, as on a full screen."""
        self._background = ""
        self._radius = 0

    def picture_rect(self) -> QRectF:
        """Where the picture is, in pixels of the widget; empty without one."""
        if self._image is None:
            return QRectF()
        return fitted_rect(self._image.size(), QRectF(self.rect()), self.devicePixelRatioF())

    def drag_data(self) -> QMimeData | None:
        """What is dragged out: the picture's file; None where it has none."""
        if self._path is None or self._image is None:
            return None
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(self._path))])
        return data

    def minimumSizeHint(self) -> QSize:
        """Small enough for a narrow window."""
        return _SMALLEST

    def sizeHint(self) -> QSize:
        """As much as there is."""
        return QSize(720, 720)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the picture or the sentence, the badge and the focus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background = theme().color(self._background) if self._background else Qt.GlobalColor.black
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(background)
        painter.drawRoundedRect(self.rect(), self._radius, self._radius)
        if self._image is not None:
            paint_picture(painter, self._image, self.picture_rect())
        elif self._message:
            paint_message(painter, self._message, self.rect())
        if self._badge:
            paint_badge(painter, self._badge, self.rect())
        if self._shows_focus and self.hasFocus() and self._radius:
            paint_focus(painter, self.rect())
        if self._is_target:
            paint_target(painter, self.rect())
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Say what the key asks for."""
        key = canvas_key(event)
        if key is None:
            super().keyPressEvent(event)
            return
        # Whoever leaves a full screen listens; elsewhere the window has a use for this key.
        event.setAccepted(key is not CanvasKey.LEAVE)
        self.key_pressed.emit(key)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A drag may begin here."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._drag_start = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the picture out."""
        if self._drag_start is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        moved = (event.position() - self._drag_start).manhattanLength()
        if moved >= QApplication.startDragDistance():
            self._drag_start = None
            self._drag_out()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Where nothing was dragged, it was a click: it does what Space does."""
        if event.button() is not Qt.MouseButton.LeftButton or self._drag_start is None:
            return
        self._drag_start = None
        if self.rect().contains(event.position().toPoint()):
            self.key_pressed.emit(CanvasKey.PLAY)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take back what the first click did, and do what F does."""
        if event.button() is Qt.MouseButton.LeftButton:
            self.key_pressed.emit(CanvasKey.PLAY)
            self.key_pressed.emit(CanvasKey.FULL_SCREEN)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A turn of the wheel means nothing here, and is not for a slider below either."""
        event.accept()

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
        """Paint anew on a screen with other pixels."""
        if event.type() is QEvent.Type.DevicePixelRatioChange:
            self.update()
        super().changeEvent(event)

    def _drag_out(self) -> None:
        data = self.drag_data()
        if data is None or self._image is None:
            return
        drag = QDrag(self)
        drag.setMimeData(data)
        side = theme().px(_THUMBNAIL_PX)
        drag.setPixmap(QPixmap.fromImage(self._image).scaled(side, side, _KEEP, _SMOOTH))
        drag.exec(Qt.DropAction.CopyAction)


def paint_message(painter: QPainter, message: str, area: QRect) -> None:
    """Write a sentence in the middle of `area`."""
    painter.setFont(theme().font(px=14))
    painter.setPen(theme().color("muted"))
    inner = area.adjusted(PANEL, PANEL, -PANEL, -PANEL)
    flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    painter.drawText(inner, int(flags), message)


def paint_badge(painter: QPainter, text: str, area: QRect, *, at_right: bool = False) -> None:
    """Write a few words on dark ground at the bottom of `area`."""
    painter.setFont(theme().font(px=12))
    metrics = painter.fontMetrics()
    room = area.width() - 2 * PANEL - 2 * GAP
    text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
    width = metrics.horizontalAdvance(text) + 2 * GAP
    height = metrics.height() + GAP
    left = area.right() - PANEL - width if at_right else area.left() + PANEL
    box = QRect(left, area.bottom() - PANEL - height, width, height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_BADGE)
    painter.drawRoundedRect(box, INNER_RADIUS, INNER_RADIUS)
    painter.setPen(Qt.GlobalColor.white)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def paint_target(painter: QPainter, area: QRect) -> None:
    """Draw the frame around what takes what is dragged; it shows on pictures of any colour."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_BADGE, _TARGET + 2))
    inner = QRectF(area).adjusted(2, 2, -2, -2)
    painter.drawRoundedRect(inner, RADIUS, RADIUS)
    painter.setPen(QPen(theme().color("accent"), _TARGET))
    painter.drawRoundedRect(inner, RADIUS, RADIUS)


def paint_focus(painter: QPainter, area: QRect) -> None:
    """Draw the line around what has the keyboard."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(theme().color("accent"), 2))
    painter.drawRoundedRect(QRectF(area).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
