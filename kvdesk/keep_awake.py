"""Keeps the computer from going to sleep while a job runs, where the system lets us.

On Linux over D-Bus: an inhibitor lock of logind, or else of the desktop's screen saver service. On
Windows by telling the system that it is in use. The screen may go dark all the same.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher

log = logging.getLogger(__name__)

APPLICATION = "kvdesk"
_SESSION_CONNECTION = "kvdesk-keep-awake"
# Of SetThreadExecutionState.
_ES_SYSTEM_REQUIRED = 0x00000001
_ES_CONTINUOUS = 0x80000000


class Inhibitor(Protocol):
    """A way to keep the computer awake. Neither method blocks or raises."""

    def hold(self, reason: str) -> None:
        """Keep it awake from now on; `reason` may be shown to a person."""
        ...

    def release(self) -> None:
        """Let it sleep again."""
        ...


class KeepAwake(QObject):
    """Whether the computer is to stay awake; the `Inhibitor` that does it can be given."""

    def __init__(
        self, parent: QObject | None = None, *, inhibitor: Inhibitor | None = None
    ) -> None:
        super().__init__(parent)
        self._inhibitor = inhibitor or _system_inhibitor(self)
        self._is_held = False

    @property
    def is_held(self) -> bool:
        """Whether it was asked to stay awake; not every system can be."""
        return self._is_held

    def hold(self, reason: str) -> None:
        """Keep the computer awake until `release`, however often this is called."""
        if not self._is_held:
            self._is_held = True
            self._inhibitor.hold(reason)

    def release(self) -> None:
        """Let the computer sleep again."""
        if self._is_held:
            self._is_held = False
            self._inhibitor.release()


def _system_inhibitor(parent: QObject) -> Inhibitor:
    if sys.platform == "win32":
        return _WindowsInhibitor()
    if sys.platform == "linux":
        return _DBusInhibitor(parent)
    return _NoInhibitor()


class _NoInhibitor:
    def hold(self, reason: str) -> None:
        log.info("cannot keep this system awake: %s", reason)

    def release(self) -> None:
        pass


if sys.platform == "win32":
    import ctypes

    class _WindowsInhibitor:
        """Counts for the thread that calls it, so both calls come from the same one."""

        def hold(self, reason: str) -> None:
            if not ctypes.windll.kernel32.SetThreadExecutionState(
                _ES_CONTINUOUS | _ES_SYSTEM_REQUIRED
            ):
                log.info("cannot keep this system awake: %s", reason)

        def release(self) -> None:
            ctypes.windll.kernel32.SetThreadExecutionState(_ES_CONTINUOUS)


class _DBusInhibitor(QObject):
    """Asks without waiting: an answer that comes after the release is given back at once."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._reason: str | None = None  # while it is held
        self._lock: object = None  # logind's file descriptor: the lock lasts until it is closed
        self._has_told = False

    def hold(self, reason: str) -> None:
        from PySide6.QtDBus import QDBusConnection, QDBusMessage

        self._reason = reason
        message = QDBusMessage.createMethodCall(
            "org.freedesktop.login1",
            "/org/freedesktop/login1",
            "org.freedesktop.login1.Manager",
            "Inhibit",
        )
        message.setArguments(["sleep:idle", APPLICATION, reason, "block"])
        bus = QDBusConnection.systemBus()
        if bus.isConnected():
            self._call(bus, message).finished.connect(self._on_logind_answered)
        else:
            self._ask_screen_saver()

    def release(self) -> None:
        from PySide6.QtDBus import QDBusConnection

        self._reason = None
        self._lock = None
        # The screen saver service lets go of what belongs to a connection that has ended.
        QDBusConnection.disconnectFromBus(_SESSION_CONNECTION)

    def _call(self, bus: QDBusConnection, message: QDBusMessage) -> QDBusPendingCallWatcher:
        from PySide6.QtDBus import QDBusPendingCallWatcher

        watcher = QDBusPendingCallWatcher(bus.asyncCall(message), self)
        watcher.finished.connect(watcher.deleteLater)
        return watcher

    def _on_logind_answered(self, watcher: QDBusPendingCallWatcher) -> None:
        if self._reason is None or self._lock is not None:
            return
        if watcher.isError():
            log.info("logind: %s", watcher.error().message())
            self._ask_screen_saver()
        else:
            (self._lock,) = watcher.reply().arguments()

    def _ask_screen_saver(self) -> None:
        from PySide6.QtDBus import QDBusConnection, QDBusMessage

        bus = QDBusConnection.connectToBus(QDBusConnection.BusType.SessionBus, _SESSION_CONNECTION)
        if not bus.isConnected():
            self._tell_once("there is no session bus")
            return
        message = QDBusMessage.createMethodCall(
            "org.freedesktop.ScreenSaver",
            "/org/freedesktop/ScreenSaver",
            "org.freedesktop.ScreenSaver",
            "Inhibit",
        )
        message.setArguments([APPLICATION, self._reason])
        self._call(bus, message).finished.connect(self._on_screen_saver_answered)

    def _on_screen_saver_answered(self, watcher: QDBusPendingCallWatcher) -> None:
        if self._reason is not None and watcher.isError():
            self._tell_once(watcher.error().message())

    def _tell_once(self, why: str) -> None:
        if not self._has_told:
            self._has_told = True
            log.info("cannot keep this system awake: %s", why)
