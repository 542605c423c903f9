"""Small JSON files: read without trust, written whole or not at all."""

from __future__ import annotations

import json
import logging
from types import MethodType
from typing import TYPE_CHECKING, cast
from weakref import WeakMethod

from PySide6.QtCore import QIODevice, QObject, QSaveFile, QTimer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.api import JsonObject

log = logging.getLogger(__name__)


def read_json(path: Path) -> JsonObject | None:
    """The JSON object in `path`; None where there is none or it cannot be read.

    A damaged file is set aside as `<name>.damaged`, so that the next writing does not destroy what
    somebody may still want to mend.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("%s cannot be read: %s", path, error)
        return None
    try:
        data: object = json.loads(content)
    except (ValueError, RecursionError) as error:
        _set_aside(path, str(error))
        return None
    if not isinstance(data, dict):
        _set_aside(path, "it does not hold an object")
        return None
    return cast("JsonObject", data)


def write_json(path: Path, data: JsonObject) -> None:
    """Write `data` to `path`, whose folder is made; a failure leaves the former file as it was.

    Raises:
        OSError: the folder or the file cannot be written.
    """
    # Plain ASCII, because the name of a file may hold bytes that UTF-8 has no place for.
    content = json.dumps(data, indent=1).encode("ascii")
    path.parent.mkdir(parents=True, exist_ok=True)
    file = QSaveFile(str(path))
    is_written = (
        file.open(QIODevice.OpenModeFlag.WriteOnly)
        and file.write(content) == len(content)
        and file.commit()
    )
    if not is_written:
        raise OSError(f"{path} cannot be written: {file.errorString()}")


class DelayedWriter(QObject):
    """Writes a file some time after the last change of what it holds, and before the end.

    `content` is asked when it is time to write; a method does not keep its object alive.
    """

    def __init__(
        self,
        path: Path,
        content: Callable[[], JsonObject],
        *,
        delay_ms: int,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._path = path
        # Mostly a method of the parent. A strong reference would make a ring of the two, and Python
        # ends the parts of a ring in any order while Qt still sends signals between them.
        is_method = isinstance(content, MethodType)
        self._content = WeakMethod(content) if is_method else lambda: content
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(delay_ms)
        self._timer.timeout.connect(self._write)

    def schedule(self) -> None:
        """Count the time from now: there was a change."""
        self._timer.start()

    def flush(self) -> None:
        """Write now what is not written yet."""
        if self._timer.isActive():
            self._timer.stop()
            self._write()

    def _write(self) -> None:
        content = self._content()
        if content is None:
            return
        try:
            write_json(self._path, content())
        except OSError as error:
            # What is on screen still holds, and the next change tries again.
            log.warning("%s", error)


def _set_aside(path: Path, reason: str) -> None:
    damaged = path.with_name(path.name + ".damaged")
    log.warning("%s is damaged (%s) and is set aside as %s", path, reason, damaged.name)
    try:
        path.replace(damaged)
    except OSError as error:
        log.warning("%s cannot be set aside: %s", path, error)
