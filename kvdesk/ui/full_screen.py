"""The clip alone on a black screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from kvdesk.ui.controls.look import set_look
from kvdesk.ui.player_canvas import PlayerCanvas
from kvdesk.ui.theme import GAP, PANEL
from kvdesk.ui.transport import Transport

if TYPE_CHECKING:
    from PySide6.QtGui import QCloseEvent, QResizeEvent

    from kvdesk.player import Player

_HIDE_AFTER_MS = 2500


class FullScreen(QWidget):
    """Shows the player's frames on the whole screen; Escape or F leave it.

    The transport comes when the mouse moves or Tab is pressed, and goes again by itself.

    Attributes:
        left: the window is the place to look at again.
        save_frame_requested: keep the frame that is shown as a picture.
    """

    left = Signal()
    save_frame_requested = Signal()

    def __init__(self, player: Player, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.canvas = PlayerCanvas(player)
        self.canvas.use_black()
        self.canvas.setMouseTracking(True)
        self.transport = Transport(player)
        self.transport.show_clip_tools(False)
        self.transport.full_screen_button.show()
        self._bar = QFrame(self)
        set_look(self._bar, surface="card")
        row = QHBoxLayout(self._bar)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.addWidget(self.transport)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.canvas)
        self._bar.raise_()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_HIDE_AFTER_MS)
        self._timer.timeout.connect(self._on_idle)
        self.canvas.leave_requested.connect(self.close)
        self.canvas.full_screen_requested.connect(self.close)
        self.canvas.save_frame_requested.connect(self.save_frame_requested)
        self.transport.full_screen_requested.connect(self.close)
        self.canvas.installEventFilter(self)
        for control in self._bar.findChildren(QWidget):
            control.installEventFilter(self)
        self._retranslate()
        self._show_bar()
        self.canvas.setFocus()

    @property
    def shows_transport(self) -> bool:
        """Whether the transport is to be seen now."""
        return not self._bar.isHidden()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the transport where the mouse moves, or where the keyboard reaches it."""
        kind = event.type()
        if kind in (QEvent.Type.MouseMove, QEvent.Type.FocusIn):
            self._show_bar()
        elif kind is QEvent.Type.ShortcutOverride or kind is QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Tab:  # type: ignore[attr-defined]
                self._show_bar()
            elif event.key() == Qt.Key.Key_Escape and watched is not self.canvas:  # type: ignore[attr-defined]
                self.close()
                return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the transport at the bottom."""
        super().resizeEvent(event)
        self._place_bar()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell that the window is to be looked at again."""
        self._timer.stop()
        super().closeEvent(event)
        self.left.emit()

    def _retranslate(self) -> None:
        self.setWindowTitle(self.tr("Full screen"))

    def _place_bar(self) -> None:
        width = min(self.width() - 2 * PANEL, 2 * self._bar.sizeHint().width())
        self._bar.resize(width, self._bar.heightForWidth(width))
        height = max(self._bar.sizeHint().height(), self._bar.heightForWidth(width))
        left = (self.width() - width) // 2
        self._bar.setGeometry(left, self.height() - height - PANEL, width, height)

    def _show_bar(self) -> None:
        self._bar.show()
        self._place_bar()
        self.canvas.unsetCursor()
        self._timer.start()

    def _on_idle(self) -> None:
        if self._bar.underMouse() or not self.canvas.hasFocus():
            self._timer.start()
            return
        self._bar.hide()
        self.canvas.setCursor(Qt.CursorShape.BlankCursor)
