"""What a person has set once and for all: language, theme, folders, the shape of the window."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.api import JsonObject, from_json, to_json
from engine.errors import InvalidRequest, MessageError
from kvdesk.json_files import DelayedWriter, read_json

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

LANGUAGES = ("", "en", "zh_CN")
"""The first follows the system."""
THEMES = ("system", "light", "dark")
TEXT_PERCENTS = (100, 125, 150, 200)
MAX_DOWNLOAD_LIMIT = 1000

_VERSION = 1
_SAVE_DELAY_MS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is the same whatever clip is made.

    Attributes:
        language: one of `LANGUAGES`.
        theme: one of `THEMES`.
        text_percent: the size of text, one of `TEXT_PERCENTS`.
        clips_folder: where finished clips are kept; "" is the usual folder.
        device: the name of what networks run on; "" is the best there is.
        eight_bit: weights in 8 bit are allowed, for all clips.
        reduce_motion: nothing moves unless somebody asks for it.
        mirror: the address of the server that models are fetched from; "" is the usual one.
        download_limit: megabytes a second that are fetched at most; 0 is no limit.
        told_of_card: the name of the graphics card of which was said that it cannot be used.
        notify: say when a long job ends while another window is in front.
        window_geometry: base64 of what Qt saves of a window.
        splitter_sizes: widths of the window's columns, in pixels.
        more_is_open: whether the seldom used controls are shown.
        welcomed: the first steps were shown; who has settings already needs none.
    """

    language: str = ""
    theme: str = "system"
    text_percent: int = 100
    clips_folder: str = ""
    device: str = ""
    eight_bit: bool = False
    mirror: str = ""
    download_limit: int = 0
    told_of_card: str = ""
    reduce_motion: bool = False
    notify: bool = True
    window_geometry: str = ""
    splitter_sizes: tuple[int, ...] = ()
    more_is_open: bool = False
    welcomed: bool = False

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise InvalidRequest(f"{name} must be one of {choices}.")
        if not 0 <= self.download_limit <= MAX_DOWNLOAD_LIMIT:
            raise InvalidRequest(f"download_limit must be from 0 to {MAX_DOWNLOAD_LIMIT}.")


_CHOICES: dict[str, tuple[object, ...]] = {
    "language": LANGUAGES,
    "theme": THEMES,
    "text_percent": TEXT_PERCENTS,
}


class SettingsStore(QObject):
    """The settings in a file: read once, written 400 ms after the last change.

    A value in the file that cannot be is left out for its default. A file of a newer version is
    used as far as it is understood and never written: its own program will want it back.
    """

    changed = Signal(object)

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        stored = read_json(path)
        # An earlier kvdesk, which knew no first steps, has been used by whoever has its file.
        self._values = _tolerant_settings({} if stored is None else {"welcomed": True} | stored)
        self._writer = DelayedWriter(path, self._content, delay_ms=_SAVE_DELAY_MS, parent=self)

    @property
    def values(self) -> Settings:
        """The settings as they are now."""
        return self._values

    def change(self, **changes: object) -> None:
        """Set what `changes` names.

        Raises:
            InvalidRequest: a value is none of its choices; nothing is changed then.
            TypeError: there is no setting of that name.
        """
        values = replace(self._values, **changes)
        if values == self._values:
            return
        self._values = values
        self._writer.schedule()
        self.changed.emit(values)

    def flush(self) -> None:
        """Write now what is not written yet."""
        self._writer.flush()

    def _content(self) -> JsonObject:
        return {"version": _VERSION, **to_json(self._values)}


def _tolerant_settings(data: JsonObject) -> Settings:
    settings = Settings()
    for field in fields(Settings):
        if field.name not in data:
            continue
        try:
            one = from_json(Settings, {field.name: data[field.name]})
        except MessageError as error:
            log.warning("A setting is left at its default: %s", error.message)
            continue
        settings = replace(settings, **{field.name: getattr(one, field.name)})
    return settings
