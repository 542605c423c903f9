"""Width and height of the clip: three shapes, or free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.api import FrameSize
from kvdesk.form import size_presets, size_step
from kvdesk.ui.controls import ChoiceGroup, EvenRows, IconButton, leave_wheel_alone, set_look
from kvdesk.ui.icons import icon
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP, theme

if TYPE_CHECKING:
    from engine.api import ModelInfo

OTHER = "other"
_SHAPES = ("square", "wide", "tall")
_ICON_PX = 24
_MAX_SIDE = 2048
# Long and short side in the icon, of which the square has two in between.
_DRAWN = {"square": (18, 18), "wide": (24, 15), "tall": (15, 24)}


class _Tile(QToolButton):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        set_look(self, kind="plain")


class SizePicker(QWidget):
    """Three tiles with the shapes that suit the model, and a fourth for every other size.

    Attributes:
        size_changed: a person wants another `FrameSize`.
    """

    size_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._presets: dict[str, FrameSize] = {}
        self._size: FrameSize | None = None
        self._step = 8
        self._tiles = {name: _Tile(self) for name in (*_SHAPES, OTHER)}
        self._group = ChoiceGroup(self)
        self._free = QWidget(self)
        self._width = QSpinBox(self)
        self._height = QSpinBox(self)
        self._swap = IconButton("swap", kind="plain", parent=self)
        self._wants_free = False
        self._build_ui()
        self._connect()
        self._retranslate()
        self._on_theme_changed()

    def _build_ui(self) -> None:
        tiles = EvenRows(gap=GAP)
        for tile in self._tiles.values():
            self._group.add(tile)
            tiles.addWidget(tile)
        row = QHBoxLayout(self._free)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        for part in (self._width, PlainLabel("×", self._free), self._height):
            row.addWidget(part, stretch=1 if isinstance(part, QSpinBox) else 0)
        row.addWidget(self._swap)
        for box in (self._width, self._height):
            box.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            # A number that is half typed is no size yet.
            box.setKeyboardTracking(False)
            leave_wheel_alone(box)
        self._free.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP)
        column.addLayout(tiles)
        column.addWidget(self._free)

    def _connect(self) -> None:
        self._group.buttonClicked.connect(self._on_tile_clicked)
        self._width.valueChanged.connect(self._on_number_changed)
        self._height.valueChanged.connect(self._on_number_changed)
        self._swap.clicked.connect(self._on_swap_clicked)
        theme().changed.connect(self._on_theme_changed)

    def use_model(self, model: ModelInfo) -> None:
        """Offer the sizes that suit `model`."""
        self._presets = size_presets(model)
        self._step = size_step(model)
        for box in (self._width, self._height):
            box.blockSignals(True)
            box.setRange(self._step, _MAX_SIDE // self._step * self._step)
            box.setSingleStep(self._step)
            box.blockSignals(False)
        if self._size is not None:
            self.show_size(self._size)
        self._retranslate()

    def show_size(self, size: FrameSize) -> None:
        """Show `size` as the chosen one."""
        self._size = size
        shape = next((name for name, preset in self._presets.items() if preset == size), OTHER)
        is_free = self._wants_free or (shape == OTHER and bool(self._presets))
        self._group.choose(list(self._tiles).index(OTHER if is_free else shape))
        self._free.setVisible(is_free)
        for box, pixels in ((self._width, size.width), (self._height, size.height)):
            box.blockSignals(True)
            # A size of a clip of another model is shown as it is.
            box.setRange(min(box.minimum(), pixels), max(box.maximum(), pixels))
            box.setValue(pixels)
            box.blockSignals(False)

    # A focus proxy would be a stop of its own, out of order, on the way of Tab.
    def setFocus(  # noqa: N802
        self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason
    ) -> None:
        """Lead to the chosen tile."""
        (self._group.checkedButton() or self._tiles["square"]).setFocus(reason)

    def tile(self, name: str) -> QToolButton:
        """The tile "square", "wide", "tall" or "other"."""
        return self._tiles[name]

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        words = {
            "square": self.tr("square"),
            "wide": self.tr("wide"),
            "tall": self.tr("tall"),
            OTHER: self.tr("other"),
        }
        for name, tile in self._tiles.items():
            tile.setText(words[name])
            size = self._presets.get(name)
            tile.setToolTip(
                self.tr("{width} × {height}").format(width=size.width, height=size.height)
                if size
                else self.tr("Any width and height")
            )
        self._swap.set_words(self.tr("Swap width and height"))
        self._width.setAccessibleName(self.tr("Width in pixels"))
        self._height.setAccessibleName(self.tr("Height in pixels"))
        for box in (self._width, self._height):
            box.setToolTip(self.tr("In steps of {step} pixels").format(step=self._step))

    def _on_tile_clicked(self, tile: QToolButton) -> None:
        name = next(name for name, other in self._tiles.items() if other is tile)
        self._wants_free = name == OTHER
        self._free.setVisible(self._wants_free)
        self._group.choose(list(self._tiles).index(name))
        if self._wants_free:
            self._width.setFocus()
            self._width.selectAll()
        elif name in self._presets:
            self._want(self._presets[name])

    def _on_number_changed(self) -> None:
        self._want(FrameSize(width=self._snapped(self._width), height=self._snapped(self._height)))

    def _on_swap_clicked(self) -> None:
        if self._size is not None:
            self._want(FrameSize(width=self._size.height, height=self._size.width))

    def _want(self, size: FrameSize) -> None:
        changed = size != self._size
        self.show_size(size)
        if changed:
            self.size_changed.emit(size)

    def _snapped(self, box: QSpinBox) -> int:
        return max(self._step, round(box.value() / self._step) * self._step)

    def _on_theme_changed(self) -> None:
        side = theme().px(_ICON_PX)
        for name, tile in self._tiles.items():
            tile.setIconSize(QSize(side, side))
            tile.setIcon(icon("more", "muted") if name == OTHER else _shape_icon(name, side))


def _shape_icon(name: str, side: int) -> QIcon:
    """The outline of a shape; filled where it is chosen."""
    made = QIcon()
    for state, token in ((QIcon.State.Off, "muted"), (QIcon.State.On, "accent")):
        picture = QPixmap(2 * side, 2 * side)
        picture.setDevicePixelRatio(2)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme().color(token), 1.5))
        if state is QIcon.State.On:
            painter.setBrush(theme().color("accent_soft"))
        width, height = (pixels * side / _ICON_PX for pixels in _DRAWN[name])
        rect = QRectF(0, 0, width - 2, height - 2)
        rect.moveCenter(QRectF(0, 0, side, side).center())
        painter.drawRoundedRect(rect, 2, 2)
        painter.end()
        made.addPixmap(picture, QIcon.Mode.Normal, state)
    return made
