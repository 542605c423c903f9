"""A canvas that shows what a player plays, and drives it by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Signal

from kvdesk.ui.canvas import Canvas, CanvasKey, drive

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from kvdesk.player import Player


class PlayerCanvas(Canvas):
    """Shows the frame of a player.

    While a frame is on its way from the disk, the one before stays.

    Attributes:
        full_screen_requested: show the clip alone, or the window again.
        save_frame_requested: keep the frame that is shown as a picture.
        leave_requested: Escape was pressed.
    """

    full_screen_requested = Signal()
    save_frame_requested = Signal()
    leave_requested = Signal()

    def __init__(self, player: Player, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player = player
        player.frame_changed.connect(self._on_frame_changed)
        player.state_changed.connect(self._describe)
        self.key_pressed.connect(self._on_key_pressed)
        self._retranslate()
        self._on_frame_changed(player.index)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
            self._on_frame_changed(self._player.index)
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self.setAccessibleName(self.tr("Clip"))
        self._describe()

    def _on_frame_changed(self, index: int) -> None:
        image = self._player.image(index)
        if image is not None:
            self.show_picture(image, self._player.frame_path(index))
        elif self._player.has_failed(index):
            self.show_message(
                self.tr(
                    "Frame {number} cannot be read: its file is damaged or gone. "
                    "The other frames are still there."
                ).format(number=index + 1)
                if self._player.num_frames > 1
                else self.tr("This picture cannot be read: its file is damaged or gone.")
            )
        elif self._player.clip is None:
            self.show_message("")
        if not self._player.is_playing:
            self._describe()

    def _describe(self) -> None:
        # Not while it plays: nobody can listen to thirty-two frames a second.
        clip = self._player.clip
        if clip is None:
            self.setAccessibleDescription("")
            return
        self.setAccessibleDescription(
            self.tr("{title}. Frame {number} of {total}.").format(
                title=clip.title, number=self._player.index + 1, total=self._player.num_frames
            )
        )

    def _on_key_pressed(self, key: CanvasKey) -> None:
        if drive(self._player, key):
            return
        signal = {
            CanvasKey.FULL_SCREEN: self.full_screen_requested,
            CanvasKey.SAVE_FRAME: self.save_frame_requested,
            CanvasKey.LEAVE: self.leave_requested,
        }[key]
        signal.emit()
