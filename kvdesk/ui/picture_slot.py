"""The picture that a clip starts from, or the place where it can be put."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from kvdesk.ui.controls import DropZone, IconButton, set_look
from kvdesk.ui.crop_frame import CropFrame
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP

if TYPE_CHECKING:
    from engine.api import FrameSize
    from kvdesk.form import PictureChoice


class PictureSlot(QWidget):
    """Empty, it is one large button; with a picture, the picture with its crop frame.

    Attributes:
        choose_requested: a person wants to look for a picture among their files.
        crop_changed: another `CropBox`, or None for the middle.
        removed: a person wants no picture.
    """

    choose_requested = Signal()
    crop_changed = Signal(object)
    removed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: PictureChoice | None = None
        self._preview_path = ""
        self.zone = DropZone("picture", self)
        self.frame = CropFrame(self)
        self._words = PlainLabel(parent=self)
        self._choose = IconButton("folder", kind="small", parent=self)
        self._remove = IconButton("close", kind="small", parent=self)
        self._build_ui()
        self._connect()
        self._retranslate()
        self.show_picture(None, None)

    def _build_ui(self) -> None:
        self._words.setWordWrap(True)
        set_look(self._words, role="muted")
        self._below = QWidget(self)
        row = QHBoxLayout(self._below)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP // 2)
        row.addWidget(self._words, stretch=1)
        row.addWidget(self._choose)
        row.addWidget(self._remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP // 2)
        for part in (self.zone, self.frame, self._below):
            column.addWidget(part)

    def _connect(self) -> None:
        self.zone.clicked.connect(self.choose_requested)
        self._choose.clicked.connect(self.choose_requested)
        self._remove.clicked.connect(self.removed)
        self.frame.crop_changed.connect(self._on_crop_changed)

    def show_picture(self, picture: PictureChoice | None, size: FrameSize | None) -> None:
        """Show `picture` and what a clip of `size` takes of it."""
        self._picture = picture
        is_open = picture is not None and picture.is_opened
        had_focus = self.frame.hasFocus() or self._remove.hasFocus()
        self.zone.setVisible(picture is None)
        self.frame.setVisible(is_open)
        self._below.setVisible(picture is not None)
        if picture is None:
            self._preview_path = ""
            if had_focus:
                self.zone.setFocus()
        elif is_open and size is not None:
            if picture.preview != self._preview_path:
                self._preview_path = picture.preview
                self.frame.show_picture(QImage(picture.preview), picture.width, picture.height)
            self.frame.show_crop(picture.crop, size.width / size.height)
        self._show_words()

    # A focus proxy would be a stop of its own, out of order, on the way of Tab.
    def setFocus(  # noqa: N802
        self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason
    ) -> None:
        """Lead to what takes another picture."""
        (self.zone if self._picture is None else self._choose).setFocus(reason)

    def show_dropping(self, is_over: bool) -> None:
        """Light up while something that can be used is held over the panel."""
        self.zone.show_dropping(is_over)

    def setAccessibleName(self, name: str) -> None:  # noqa: N802
        """Name the slot; its button has words of its own."""
        super().setAccessibleName(name)
        self.zone.setAccessibleDescription(name)

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self.zone.set_words(self.tr("Drop, paste or choose a picture"))
        self._choose.set_words(self.tr("Choose another picture"))
        self._remove.set_words(self.tr("Start without a picture"))
        self._show_words()

    def _show_words(self) -> None:
        picture = self._picture
        if picture is None:
            self._words.setText("")
        elif not picture.is_opened:
            self._words.setText(self.tr("Opening the picture…"))
        else:
            crop = self.frame.crop
            self._words.setText(
                self.tr("from {width} × {height}, uses {crop_width} × {crop_height}").format(
                    width=picture.width,
                    height=picture.height,
                    crop_width=round(crop.right - crop.left),
                    crop_height=round(crop.bottom - crop.top),
                )
            )

    def _on_crop_changed(self, crop: object) -> None:
        self._show_words()
        self.crop_changed.emit(crop)
