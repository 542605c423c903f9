"""What is dropped or pasted: told by its kind and by the endings of names, without opening it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData

CLIP_MIME_TYPE = "application/x-kvdesk-clip"
"""A clip of the library; the data is its name in UTF-8."""

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
_VIDEOS = frozenset({".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".gif"})
_TEXTS = frozenset({".txt", ".text", ".md", ".csv"})
_FRAMES_FOLDER = re.compile(r"frames_\d+")
_MAX_CLIP_NAME = 255  # bytes; longer than any name of a folder


class DropKind(StrEnum):
    """What somebody brings."""

    NOTHING = "nothing"
    PICTURES = "pictures"
    FRAME = "frame"
    """One frame of a clip; a picture whose file is known to be good."""
    TEXT_FILE = "text_file"
    VIDEO = "video"
    CLIP = "clip"
    PIXELS = "pixels"
    """A picture without a file, as it is copied in a browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """What is brought; `paths` of its files, or the name of the `clip`."""

    kind: DropKind
    paths: tuple[str, ...] = ()
    clip: str = ""


NO_DROP = Drop(kind=DropKind.NOTHING)


def classify(mime: QMimeData) -> Drop:
    """What `mime` is to the window. A clip goes before files, files go before pixels."""
    clip = _clip_name(mime)
    if clip:
        return Drop(kind=DropKind.CLIP, clip=clip)
    paths = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()]
    pictures = tuple(path for path in paths if _ending(path) in _PICTURES)
    if pictures:
        return Drop(kind=_picture_kind(pictures), paths=pictures)
    for kind, endings in ((DropKind.VIDEO, _VIDEOS), (DropKind.TEXT_FILE, _TEXTS)):
        found = tuple(path for path in paths if _ending(path) in endings)
        if found:
            return Drop(kind=kind, paths=found[:1])
    if mime.hasImage():
        return Drop(kind=DropKind.PIXELS)
    return NO_DROP


def picture_filter() -> str:
    """The endings of pictures as a file dialog takes them, such as "*.jpg *.png"."""
    return " ".join(f"*{ending}" for ending in sorted(_PICTURES))


def _picture_kind(pictures: tuple[str, ...]) -> DropKind:
    folder = PurePath(pictures[0]).parent.name
    is_frame = len(pictures) == 1 and _FRAMES_FOLDER.fullmatch(folder) is not None
    return DropKind.FRAME if is_frame else DropKind.PICTURES


def _clip_name(mime: QMimeData) -> str:
    if not mime.hasFormat(CLIP_MIME_TYPE):
        return ""
    data = bytes(mime.data(CLIP_MIME_TYPE).data())[:_MAX_CLIP_NAME]
    name = data.decode("utf-8", "replace")
    # Another program may write this type too: what is no plain name of a folder is nobody's clip.
    return "" if set(name) & set("/\\\0") or name in {".", ".."} else name


def _ending(path: str) -> str:
    return PurePath(path).suffix.lower()
