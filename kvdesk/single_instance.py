"""One window a person: a second start brings the first one to the front."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import time
from pathlib import Path

from PySide6.QtCore import QDir, QLockFile, QObject, QThread, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

log = logging.getLogger(__name__)

WAIT_MILLISECONDS = 500
_RETRY_MILLISECONDS = 20
_RAISED = b"raised\n"


class SingleInstance(QObject):
    """Decides who is first by a lock file, and listens on a local socket where it is us.

    Both belong to this person only. What a crash left behind does not count. Where the lock cannot
    be had at all, as in a folder that cannot be written, we are first: better two than none.

    Attributes:
        raised: somebody started the application again, and this first one is to come forward.
        is_first: whether no other was there when this was made.
    """

    raised = Signal()

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        folder = _runtime_folder()
        # Of this person: the folder may be everybody's, and names of pipes on Windows always are.
        person = hashlib.sha256(str(Path.home()).encode()).hexdigest()[:8]
        self._address = f"{name}-{person}"
        if sys.platform != "win32":
            self._address = str(folder / self._address)
        self._lock = QLockFile(str(folder / f"{name}-{person}.lock"))
        self._lock.setStaleLockTime(0)  # only the end of its owner makes it stale, not its age
        has_lock = self._lock.tryLock(0)
        self.is_first = has_lock or self._lock.error() is not QLockFile.LockError.LockFailedError
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_asked)
        if has_lock:
            QLocalServer.removeServer(self._address)  # what a crash left is in the way
            if not self._server.listen(self._address):
                log.warning("a second start will not be noticed: %s", self._server.errorString())
        elif self.is_first:
            log.warning("a second start will not be noticed: there is no lock in %s", folder)

    def ask_first_to_raise(self) -> bool:
        """Tell the first that it is to come forward. Blocks for 500 ms at most.

        Returns:
            Whether it answered. One that is still starting does so later, when nobody waits.
        """
        end = time.monotonic() + WAIT_MILLISECONDS / 1000

        def milliseconds_left() -> int:
            return max(0, round(1000 * (end - time.monotonic())))

        socket = QLocalSocket(self)
        socket.connectToServer(self._address)
        while not socket.waitForConnected(milliseconds_left()):
            if milliseconds_left() <= _RETRY_MILLISECONDS:
                return False
            QThread.msleep(_RETRY_MILLISECONDS)  # it has the lock and will listen in a moment
            socket.connectToServer(self._address)
        while not socket.canReadLine() and socket.waitForReadyRead(milliseconds_left()):
            pass
        answer = bytes(socket.readAll().data())
        socket.abort()
        return answer == _RAISED

    def _on_asked(self) -> None:
        while socket := self._server.nextPendingConnection():
            socket.disconnected.connect(socket.deleteLater)
            socket.write(_RAISED)
            socket.disconnectFromServer()
            self.raised.emit()


def _runtime_folder() -> Path:
    """Where sockets of this person belong; on this computer even if the home is not."""
    given = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    return given if given.is_absolute() and given.is_dir() else Path(QDir.tempPath())
