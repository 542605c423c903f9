"""Offers to make the clip that is shown smoother: it goes on from what its folder keeps."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from engine.api import Fps
from kvdesk.ui.icons import icon
from kvdesk.ui.theme import theme

_ICON_PX = 16


class SmoothButton(QToolButton):
    """A menu of the frame rates that are higher than the clip's.

    Attributes:
        smooth_requested: (Fps) the clip shall have so many frames.
    """

    smooth_requested = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._menu = QMenu(self)
        self._choices: tuple[Fps, ...] = ()
        self.setMenu(self._menu)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        theme().changed.connect(self._show_icon)
        self._show_icon()
        self._retranslate()

    @property
    def choices(self) -> tuple[Fps, ...]:
        """What is offered; nothing where the clip is as smooth as can be."""
        return self._choices

    def offer(self, num_frames: int) -> None:
        """Offer what is smoother than a finished clip of `num_frames`; nothing for others."""
        is_finished = Fps.of_frames(num_frames) is not None
        self._choices = tuple(fps for fps in Fps if is_finished and fps.num_frames > num_frames)
        self._retranslate()

    def _show_icon(self) -> None:
        self.setIcon(icon("smooth"))
        self.setIconSize(QSize(theme().px(_ICON_PX), theme().px(_ICON_PX)))

    def _retranslate(self) -> None:
        self.setText(" " + self.tr("Smooth"))  # the icon is close to the text otherwise
        self.setAccessibleName(self.tr("Make the clip smoother"))
        self.setToolTip(self.tr("Put frames in between; what is there is not made again"))
        self._menu.clear()
        for fps in self._choices:
            words = self.tr("{rate} frames a second").format(rate=fps.frames_per_second)
            self._menu.addAction(words, partial(self.smooth_requested.emit, fps))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)
