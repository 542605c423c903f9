"""What the desktop shows of a job while the window is not in front: a message and the progress."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

_LAUNCHER = "application://kvdesk.desktop"
_SHORT_JOB_SECONDS = 20.0
"""Whoever starts less than this waits for it anyway."""

# Desktops of Linux take the text of a message for HTML, and load the pictures that it names.
_NO_MARKUP = str.maketrans("<>", "\u2039\u203a")


class Desktop(QObject):
    """Tells the desktop about `window`'s jobs.

    Attributes:
        notifies: whether the person wants messages.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._tray: QSystemTrayIcon | None = None
        self._shown_percent: int | None = None
        self.notifies = True
        window.installEventFilter(self)

    def show_progress(self, part: float | None) -> None:
        """Show how much of the running job is done, from 0 to 1, beside the window's icon."""
        percent = None if part is None else round(100 * part)
        if percent == self._shown_percent or not sys.platform.startswith("linux"):
            return
        self._shown_percent = percent
        bus = QDBusConnection.sessionBus()
        if bus.isConnected():
            bus.send(progress_message(part))

    def tell(self, title: str, text: str, *, seconds: float) -> None:
        """Say that a job has ended that took `seconds`, unless the window is in front."""
        if self._window.isActiveWindow() or seconds < _SHORT_JOB_SECONDS or not self.notifies:
            return
        QApplication.alert(self._window)
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        if self._tray is None:
            self._tray = QSystemTrayIcon(self._window.windowIcon(), self)
            self._tray.messageClicked.connect(self._on_clicked)
            self._tray.activated.connect(self._on_clicked)
        self._tray.setToolTip(title)
        self._tray.show()
        self._tray.showMessage(title, text.translate(_NO_MARKUP), self._window.windowIcon())

    def _on_clicked(self) -> None:
        if self._window.isMinimized():
            self._window.showNormal()
        self._window.raise_()
        self._window.activateWindow()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the icon of the message away once somebody is back at the window."""
        if event.type() is QEvent.Type.WindowActivate and self._tray is not None:
            self._tray.hide()
        return super().eventFilter(watched, event)


def progress_message(part: float | None) -> QDBusMessage:
    """The signal that docks of several Linux desktops listen to; nobody answers it.

    Args:
        part: that is done, from 0 to 1; None takes the bar away.
    """
    message = QDBusMessage.createSignal("/", "com.canonical.Unity.LauncherEntry", "Update")
    properties = {"progress": float(part or 0.0), "progress-visible": part is not None}
    message.setArguments([_LAUNCHER, properties])
    return message
