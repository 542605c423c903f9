"""A picture with a frame around the part that the clip starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from kvdesk.crop import dragged_corner, inner_crop, largest_crop, moved, resized
from kvdesk.ui.plain_text import tip
from kvdesk.ui.theme import INNER_RADIUS, theme

if TYPE_CHECKING:
    from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

    from engine.api import CropBox

_MAX_HEIGHT_PX = 220
_HANDLE_PX = 5.0
_REACH_PX = 14.0  # of a corner, for a finger or a shaking hand
_DARK = QColor(0, 0, 0, 140)
_STEP = 0.01  # of the picture's shorter side, for an arrow key
_LARGE_STEP = 0.1

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_SIZE_KEYS = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}


class CropFrame(QWidget):
    """Shows the picture, darkened outside of the crop.

    The mouse drags the frame or one of its corners; arrow keys move it, plus and minus size it,
    with Shift in larger steps; a double click or Home takes the largest in the middle.

    Attributes:
        crop_changed: a person wants another `CropBox`; None for the largest in the middle.
    """

    crop_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preview = QImage()
        self._size = (1, 1)
        self._aspect = 1.0
        self._crop: CropBox = largest_crop(1, 1, 1.0)
        self._grip: QPointF | None = None
        self._corner: tuple[bool, bool] | None = None
        self._at_press = self._crop
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme().changed.connect(self.updateGeometry)
        self._retranslate()

    @property
    def crop(self) -> CropBox:
        """What is inside the frame, in pixels of the upright picture."""
        return self._crop

    def show_picture(self, preview: QImage, width: int, height: int) -> None:
        """Show `preview` of a picture that has `width` by `height` pixels."""
        self._preview = preview
        self._size = (width, height)
        self.updateGeometry()
        self.update()

    def show_crop(self, crop: CropBox | None, aspect: float) -> None:
        """Put the frame around `crop`, or what the engine takes of it; None is the middle."""
        self._aspect = aspect
        self._crop = inner_crop(crop, aspect) if crop else largest_crop(*self._size, aspect)
        self.update()

    def sizeHint(self) -> QSize:
        """The picture at the width that there is."""
        return QSize(theme().px(320), self.heightForWidth(theme().px(320)))

    def minimumSizeHint(self) -> QSize:
        """Large enough to see something."""
        return QSize(theme().px(120), theme().px(80))

    def hasHeightForWidth(self) -> bool:
        """The picture keeps its shape."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The picture's height, within what leaves room for the rest of the form."""
        wanted = round(width * self._size[1] / self._size[0])
        return min(max(wanted, theme().px(80)), theme().px(_MAX_HEIGHT_PX))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Picture, darkness, frame, corners."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        picture, frame = self._picture_rect(), self._frame_rect()
        outline = QPainterPath()
        outline.addRoundedRect(picture, INNER_RADIUS, INNER_RADIUS)
        painter.setClipPath(outline)
        painter.fillRect(picture, theme().color("behind_clip"))
        painter.drawImage(picture, self._preview)
        outside = QPainterPath()
        outside.addRect(picture)
        inside = QPainterPath()
        inside.addRect(frame)
        painter.fillPath(outside.subtracted(inside), _DARK)
        painter.setClipping(False)
        accent = theme().color("accent")
        if self.hasFocus():
            # White under the accent shows on pictures of every colour.
            painter.setPen(QPen(QColor("white"), 4))
            painter.drawRect(frame)
        painter.setPen(QPen(accent if self.hasFocus() else QColor("white"), 2))
        painter.drawRect(frame)
        painter.setPen(QPen(QColor(0, 0, 0, 160), 1))
        painter.setBrush(accent if self.hasFocus() else QColor("white"))
        for corner in self._corners().values():
            painter.drawEllipse(corner, _HANDLE_PX, _HANDLE_PX)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a corner or of the frame."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._corner = self._corner_at(event.position())
            if self._corner is not None or self._frame_rect().contains(event.position()):
                self._grip = event.position()
                self._at_press = self._crop

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag what is held; show by the pointer what could be."""
        if self._grip is None:
            self._show_pointer(event.position())
            return
        if self._corner is None:
            way = (event.position() - self._grip) / self._scale()
            self._want(moved(self._at_press, way.x(), way.y(), *self._size))
            return
        right, bottom = self._corner
        to = (event.position() - self._picture_rect().topLeft()) / self._scale()
        width, height = self._size
        self._want(
            dragged_corner(
                self._at_press,
                right=right,
                bottom=bottom,
                to=(to.x(), to.y()),
                width=width,
                height=height,
            )
        )

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._grip = None
        self._show_pointer(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go back to the middle."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._grip = None
            self._reset()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move and size the frame."""
        key = Qt.Key(event.key())
        is_large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        step = max(1.0, min(self._size) * (_LARGE_STEP if is_large else _STEP))
        if key in _ARROWS:
            dx, dy = _ARROWS[key]
            self._want(moved(self._crop, dx * step, dy * step, *self._size))
        elif key in _SIZE_KEYS:
            width = self._crop.right - self._crop.left + _SIZE_KEYS[key] * step
            self._want(resized(self._crop, width, *self._size))
        elif key == Qt.Key.Key_Home:
            self._reset()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("Part of the picture"))
        words = self.tr(
            "Drag the frame or its corners. Arrow keys move it, plus and minus size it; with "
            "Shift, further. A double click takes the middle."
        )
        self.setAccessibleDescription(words)
        self.setToolTip(tip(words))

    def _want(self, crop: CropBox) -> None:
        if crop != self._crop:
            self._crop = crop
            self.update()
            self.crop_changed.emit(crop)

    def _reset(self) -> None:
        self._crop = largest_crop(*self._size, self._aspect)
        self.update()
        self.crop_changed.emit(None)

    def _scale(self) -> float:
        return self._picture_rect().width() / self._size[0]

    def _picture_rect(self) -> QRectF:
        # Half a handle is left free around the picture, for those in its corners.
        room = QRectF(self.rect()).adjusted(_HANDLE_PX, _HANDLE_PX, -_HANDLE_PX, -_HANDLE_PX)
        scale = min(room.width() / self._size[0], room.height() / self._size[1])
        rect = QRectF(0, 0, self._size[0] * scale, self._size[1] * scale)
        rect.moveCenter(room.center())
        return rect

    def _frame_rect(self) -> QRectF:
        picture, scale, crop = self._picture_rect(), self._scale(), self._crop
        size = QPointF(crop.right - crop.left, crop.bottom - crop.top) * scale
        corner = picture.topLeft() + QPointF(crop.left, crop.top) * scale
        return QRectF(corner, corner + size)

    def _corners(self) -> dict[tuple[bool, bool], QPointF]:
        frame = self._frame_rect()
        return {
            (False, False): frame.topLeft(),
            (True, False): frame.topRight(),
            (False, True): frame.bottomLeft(),
            (True, True): frame.bottomRight(),
        }

    def _corner_at(self, point: QPointF) -> tuple[bool, bool] | None:
        for name, corner in self._corners().items():
            if (corner - point).manhattanLength() <= _REACH_PX:
                return name
        return None

    def _show_pointer(self, point: QPointF) -> None:
        corner = self._corner_at(point)
        if corner is not None:
            is_falling = corner[0] == corner[1]
            falling, rising = Qt.CursorShape.SizeFDiagCursor, Qt.CursorShape.SizeBDiagCursor
            self.setCursor(falling if is_falling else rising)
        elif self._frame_rect().contains(point):
            self.setCursor(Qt.CursorShape.SizeAllCursor)
        else:
            self.unsetCursor()
