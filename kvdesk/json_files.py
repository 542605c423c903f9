"""Small JSON files: read without trust, written whole or not at all, never over a newer format."""

from __future__ import annotations

import json
import logging
from types import MethodType
from typing import TYPE_CHECKING, cast
from weakref import WeakMethod

from PySide6.QtCore import QObject, QTimer

from engine.api.files import make_folder, remove_leftovers, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.api import JsonObject

log = logging.getLogger(__name__)

_RETRY_MS = 5_000


def read_json(path: Path) -> JsonObject | None:
    """The JSON object in `path`; None where there is none or it cannot be read.

    A file that is damaged, or that the disk does not let be read, is set aside as `<name>.damaged`,
    so that the next writing does not destroy what somebody may still want to mend.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.is_file():
            _set_aside(path, str(error))
        else:
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


class NewerFormat(OSError):
    """The file was written by a newer kvdesk, which will want it back as it is."""


def write_json(path: Path, data: JsonObject) -> None:
    """Write `data` to `path`, whose folder is made; a failure leaves the former file as it was.

    The number under "version" says which format it is.

    Raises:
        NewerFormat: the file is of a later version than `data`, and stays.
        OSError: the folder or the file cannot be written, or what is there cannot be read: it may
            be worth more.
    """
    # Plain ASCII, because the name of a file may hold bytes that UTF-8 has no place for.
    content = json.dumps(data, indent=1).encode("ascii")
    try:
        if _version_of(path) > data.get("version", 0):
            raise NewerFormat(f"{path} is of a newer kvdesk and is left as it is")
        make_folder(path.parent)
        remove_leftovers(path.parent)
        write_atomically(path, content)
    except NewerFormat:
        raise
    except OSError as error:
        raise OSError(error.errno, f"{path} cannot be written: {error}") from error


def _version_of(path: Path) -> int:
    try:
        data: object = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError, RecursionError):
        return 0
    version: object = cast("JsonObject", data).get("version") if isinstance(data, dict) else None
    return version if isinstance(version, int) else 0


class DelayedWriter(QObject):
    """Writes a file some time after the last change of what it holds, and before the end.

    What cannot be written, such as on a full disk, is tried again until it can; a file of a newer
    kvdesk is not touched. `content` is asked when it is time to write; a method does not keep its
    object alive.
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
        self._delay_ms = delay_ms
        self._complaint = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._write)

    def schedule(self) -> None:
        """Count the time from now: there was a change."""
        self._timer.start(self._delay_ms)

    def flush(self) -> None:
        """Write now what is not written yet."""
        if self._timer.isActive():
            self._timer.stop()
            self._write()

    def _write(self) -> None:
        content = self._content()
        if content is None:
            return
        complaint = ""
        try:
            write_json(self._path, content())
        except OSError as error:
            complaint = str(error)
            if not isinstance(error, NewerFormat):
                self._timer.start(_RETRY_MS)
        if complaint not in ("", self._complaint):
            log.warning("%s", complaint)
        self._complaint = complaint


def _set_aside(path: Path, reason: str) -> None:
    damaged = path.with_name(path.name + ".damaged")
    log.warning("%s is damaged (%s) and is set aside as %s", path, reason, damaged.name)
    try:
        path.replace(damaged)
    except OSError as error:
        log.warning("%s cannot be set aside: %s", path, error)
