"""What is dropped or pasted: told by its kind and by the endings of names, without opening it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from PySide6.QtCore import QMimeData

CLIP_MIME_TYPE = "application/x-kvdesk-clip"
"""A clip of the library; the data is its name in UTF-8."""

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
_VIDEOS = frozenset({".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".gif"})
_TEXTS = frozenset({".txt", ".text", ".md", ".csv"})
_FRAMES_FOLDER = re.compile(r"frames_\d+")
# What other programs offer a picture as; the last is the PNG that browsers on Windows add.
_PICTURE_FORMATS = (
    "image/png",
    "image/bmp",
    "image/jpeg",
    "image/webp",
    "image/tiff",
    "image/gif",
    'application/x-qt-windows-mime;value="PNG"',
)
_MAX_FILES = 300  # that are looked at; as many pictures are refused anyway
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
    files = [url.toLocalFile() for url in mime.urls()[:_MAX_FILES] if url.isLocalFile()]
    endings = [_ending(path) for path in files]
    pictures = tuple(
        path for path, ending in zip(files, endings, strict=True) if ending in _PICTURES
    )
    if pictures:
        return Drop(kind=_picture_kind(pictures), paths=pictures)
    for path, ending in zip(files, endings, strict=True):
        if ending in _VIDEOS:
            return Drop(kind=DropKind.VIDEO, paths=(path,))
    for path, ending in zip(files, endings, strict=True):
        if ending in _TEXTS:
            return Drop(kind=DropKind.TEXT_FILE, paths=(path,))
    if _picture_format(mime) or _has_bare_pixels(mime):
        return Drop(kind=DropKind.PIXELS)
    return NO_DROP


def pixels_of(mime: QMimeData) -> bytes | QImage | None:
    """The picture without a file that `mime` brings: a file's bytes, which nobody has decoded.

    Only where the system has no more than bare pixels, as of a screenshot on Windows, or where
    this program has put them there itself, they come as pixels.
    """
    if kind := _picture_format(mime):
        return bytes(mime.data(kind).data()) or None
    if not _has_bare_pixels(mime):
        return None
    image: object = mime.imageData()
    return image if isinstance(image, QImage) and not image.isNull() else None


def picture_filter() -> str:
    """The endings of pictures as a file dialog takes them, such as "*.jpg *.png"."""
    return " ".join(f"*{ending}" for ending in sorted(_PICTURES))


def _picture_format(mime: QMimeData) -> str:
    return next((kind for kind in _PICTURE_FORMATS if mime.hasFormat(kind)), "")


def _has_bare_pixels(mime: QMimeData) -> bool:
    # Where there is a file of another kind, Qt would decode it here.
    return mime.hasImage() and not any(kind.startswith("image/") for kind in mime.formats())


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
