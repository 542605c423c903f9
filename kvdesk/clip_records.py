"""What the library knows about a clip's folder, and how it is read from there."""

from __future__ import annotations

import contextlib
import json
import logging
import stat
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, cast, get_type_hints

from engine.api import CLIP_FILE, CLIP_FORMAT, ClipInfo, JsonObject, from_json, to_json
from engine.errors import MessageError
from kvdesk.job import clip_title

if TYPE_CHECKING:
    import os
    from pathlib import Path

log = logging.getLogger(__name__)

NOTES_FILE = "notes.json"
NOTES_FORMAT = 1
BIN_FOLDER = ".bin"
_MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRecord:
    """A clip of the library, with everything that its `clip.json` says."""

    name: str
    folder: Path
    info: ClipInfo
    starred: bool
    is_binned: bool
    modified_ns: int

    @property
    def title(self) -> str:
        """The prompt; without one, the picture's name."""
        return clip_title(self.info.request)

    @property
    def is_read_only(self) -> bool:
        """Whether a newer kvdesk made it, so that this one must not go on with it."""
        return self.info.format_version > CLIP_FORMAT


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSummary:
    """What a grid of ten thousand clips needs of one; the rest stays text until it is asked for.

    Attributes:
        stamp: changes whenever a file that was read changes.
        modified_ns: when `clip.json` was written, in nanoseconds since 1970.
        title: the prompt; without one, the picture's name.
        created: in UTC by ISO 8601.
        clip_json: a `ClipInfo` as JSON.
    """

    name: str
    is_binned: bool
    starred: bool
    stamp: str
    modified_ns: int
    title: str
    seed: int
    width: int
    height: int
    model: str
    num_frames: int
    has_key_frame: bool
    created: str
    is_read_only: bool
    clip_json: str

    @property
    def size(self) -> str:
        """Width and height, such as "512x512"."""
        return f"{self.width}x{self.height}"

    @property
    def can_be_shown(self) -> bool:
        """Whether there is something to look at yet."""
        return self.num_frames > 0 or self.has_key_frame

    @property
    def order(self) -> tuple[str, str]:
        """Sorts older clips before newer ones."""
        return (self.created, self.name)

    def folder(self, clips: Path) -> Path:
        """The clip's folder, where `clips` holds all of them."""
        return clip_folder(clips, self.name, is_binned=self.is_binned)

    def record(self, clips: Path) -> ClipRecord:
        """The whole of the clip, where `clips` holds all of them.

        Raises:
            MessageError: the text was not written by this class.
        """
        try:
            data = json.loads(self.clip_json)
        except (ValueError, RecursionError) as error:
            raise MessageError(f"The entry of {self.name} is damaged.", detail=str(error)) from None
        return ClipRecord(
            name=self.name,
            folder=self.folder(clips),
            info=from_json(ClipInfo, data),
            starred=self.starred,
            is_binned=self.is_binned,
            modified_ns=self.modified_ns,
        )


def clip_folder(clips: Path, name: str, *, is_binned: bool) -> Path:
    """The folder of the clip `name`, where `clips` holds all of them."""
    return clips / BIN_FOLDER / name if is_binned else clips / name


def stamp_of(folder: Path) -> str | None:
    """What changes whenever the files change that `read_clip` reads; None: there is no clip."""
    clip = _regular_file(folder / CLIP_FILE)
    if clip is None:
        return None
    notes = _regular_file(folder / NOTES_FILE)
    parts = [f"{file.st_mtime_ns}.{file.st_size}" for file in (clip, notes) if file is not None]
    return "/".join(parts)


def read_clip(folder: Path, *, is_binned: bool) -> ClipSummary | None:
    """The clip in `folder`; None where there is none, or none that can be understood (logged)."""
    clip_file = folder / CLIP_FILE
    stamp = stamp_of(folder)
    if stamp is None:
        return None
    try:
        modified_ns = clip_file.stat().st_mtime_ns
        info = _read_info(clip_file)
    except (OSError, ValueError, RecursionError, MessageError) as error:
        log.warning("The clip in %s is left out: %s", folder, error)
        return None
    request = info.request
    return ClipSummary(
        name=folder.name,
        is_binned=is_binned,
        starred=bool(read_notes(folder).get("starred")),
        stamp=stamp,
        modified_ns=modified_ns,
        title=clip_title(info.request),
        seed=request.seed,
        width=request.size.width,
        height=request.size.height,
        model=info.model,
        num_frames=info.num_frames,
        has_key_frame=info.has_key_frame,
        created=info.created,
        is_read_only=info.format_version > CLIP_FORMAT,
        clip_json=json.dumps(to_json(info), ensure_ascii=False),
    )


def read_notes(folder: Path) -> JsonObject:
    """What people noted about the clip; empty where there is nothing or it is damaged."""
    path = folder / NOTES_FILE
    if _regular_file(path) is None:
        return {}
    try:
        return _read_object(path)
    except (OSError, ValueError, RecursionError, MessageError) as error:
        log.warning("%s is not used: %s", path, error)
        return {}


def _regular_file(path: Path) -> os.stat_result | None:
    # Neither a link out of the folder nor a pipe, which would never end.
    try:
        found = path.lstat()
    except (OSError, ValueError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _read_object(path: Path) -> JsonObject:
    with path.open("rb") as file:
        text = file.read(_MAX_FILE_BYTES + 1)
    if len(text) > _MAX_FILE_BYTES:
        raise MessageError(f"{path.name} is larger than any that was ever written.")
    data: object = json.loads(text)
    if not isinstance(data, dict):
        raise MessageError(f"{path.name} must hold an object.")
    return cast("JsonObject", data)


def _read_info(path: Path) -> ClipInfo:
    data = _read_object(path)
    version = data.get("format_version")
    if isinstance(version, int) and version > CLIP_FORMAT:
        data = _known_part(ClipInfo, data)
    info = from_json(ClipInfo, data)
    # Half of a character cannot be written anywhere again.
    json.dumps(data, ensure_ascii=False).encode()
    return info


def _known_part(cls: type, data: JsonObject) -> JsonObject:
    """`data` of a newer kvdesk, without the names and the values that this one does not know."""
    hints: dict[str, Any] = get_type_hints(cls)
    known: JsonObject = {}
    optional: JsonObject = {}
    for field in fields(cls):
        if field.name not in data:
            continue
        value: object = data[field.name]
        choices = [hints[field.name], *getattr(hints[field.name], "__args__", ())]
        inner = [choice for choice in choices if isinstance(choice, type) and is_dataclass(choice)]
        if isinstance(value, dict) and inner:
            value = _known_part(inner[0], cast("JsonObject", value))
        (known if field.default is MISSING else optional)[field.name] = value
    for name, value in optional.items():
        with contextlib.suppress(MessageError):  # the default stands in for it
            from_json(cls, {**known, name: value})
            known[name] = value
    return known
