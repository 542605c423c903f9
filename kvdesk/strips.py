"""The small pictures of the clips: loaded in threads, kept in a bounded amount of memory."""

from __future__ import annotations

import logging
import stat
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader

from engine.api import KEY_FRAME_FILE, NUM_BASE_FRAMES, STRIP_FILE, STRIP_HEIGHT

if TYPE_CHECKING:
    from pathlib import Path

    from kvdesk.clip_records import ClipSummary

log = logging.getLogger(__name__)

MAX_BYTES = {"poster": 24 << 20, "frames": 8 << 20}
"""About 160 posters of square clips, and four strips of them."""

_NUM_THREADS = 2
_MAX_WAITING = 64
_MAX_PIXELS = 64 << 20  # a key frame of 8192x8192 is the largest there can be
_FORMAT = QImage.Format.Format_RGB32


class _Kind(Enum):
    POSTER = "poster"
    FRAMES = "frames"


@dataclass(frozen=True, slots=True)
class _Key:
    """A clip's pictures as they are now: its stamp changes with them."""

    kind: _Kind
    name: str
    stamp: str


Images = tuple[QImage, ...]


class Strips(QObject):
    """The posters of clips, and the twelve frames of those that were played last.

    Attributes:
        ready: (name of the clip) what was asked for is there, or known not to exist.
    """

    ready = Signal(str)
    _loaded = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept = {kind: _Kept(MAX_BYTES[kind.value]) for kind in _Kind}
        self._waiting: OrderedDict[_Key, Path] = OrderedDict()
        self._loading: set[_Key] = set()
        self._threads = ThreadPoolExecutor(_NUM_THREADS, thread_name_prefix="strips")
        self._is_closed = False
        self._loaded.connect(self._on_loaded)

    def poster(self, clip: ClipSummary, folder: Path) -> QImage | None:
        """The first frame, or the key frame.

        None where it is not there yet: `ready` says when. An empty picture where there is none.
        """
        images = self._images(_Key(_Kind.POSTER, clip.name, clip.stamp), folder)
        if images is None:
            return None
        return images[0] if images else QImage()

    def frames(self, clip: ClipSummary, folder: Path) -> Images | None:
        """The twelve frames; None where they are not there yet, none where there are none."""
        return self._images(_Key(_Kind.FRAMES, clip.name, clip.stamp), folder)

    def forget(self, name: str) -> None:
        """Load the pictures of the clip `name` anew when they are asked for."""
        for kept in self._kept.values():
            kept.forget(name)

    def kept_bytes(self) -> int:
        """The memory that the pictures take."""
        return sum(kept.num_bytes for kept in self._kept.values())

    def close(self) -> None:
        """Load nothing more, and wait for what is being loaded."""
        self._is_closed = True
        self._waiting.clear()
        self._threads.shutdown(wait=True)

    def _images(self, key: _Key, folder: Path) -> Images | None:
        images = self._kept[key.kind].get(key)
        if images is None and key not in self._loading:
            # What is asked for last is what somebody looks at: it comes first, and whoever has
            # scrolled on does not wait for all that was passed.
            self._waiting[key] = folder
            self._waiting.move_to_end(key)
            if len(self._waiting) > _MAX_WAITING:
                self._waiting.popitem(last=False)
            self._load_next()
        return images

    def _load_next(self) -> None:
        while self._waiting and len(self._loading) < _NUM_THREADS and not self._is_closed:
            key, folder = self._waiting.popitem()
            self._loading.add(key)
            self._threads.submit(self._load, key, folder)

    def _load(self, key: _Key, folder: Path) -> None:
        try:
            images = _read(key.kind, folder)
        except Exception:
            # The thread has nobody above it, and a tile must not stay in waiting for ever.
            log.exception("The pictures in %s cannot be loaded.", folder)
            images = ()
        self._loaded.emit(key, images)

    def _on_loaded(self, key: _Key, images: Images) -> None:
        self._loading.discard(key)
        self._kept[key.kind].put(key, images)
        self._load_next()
        self.ready.emit(key.name)


class _Kept:
    """Pictures that are kept as long as all of them take no more than `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._images: OrderedDict[_Key, Images] = OrderedDict()
        self.num_bytes = 0

    def get(self, key: _Key) -> Images | None:
        """What is kept under `key`; it is then the last to go."""
        if key in self._images:
            self._images.move_to_end(key)
        return self._images.get(key)

    def forget(self, name: str) -> None:
        """Let go of what is kept of the clip `name`."""
        for key in [key for key in self._images if key.name == name]:
            self.num_bytes -= _num_bytes(self._images.pop(key))

    def put(self, key: _Key, images: Images) -> None:
        """Keep `images`, and let go of those that were not asked for longest."""
        self._images[key] = images
        self.num_bytes += _num_bytes(images)
        while self.num_bytes > self._max_bytes and len(self._images) > 1:
            _, dropped = self._images.popitem(last=False)
            self.num_bytes -= _num_bytes(dropped)


def _num_bytes(images: Images) -> int:
    return sum(image.sizeInBytes() for image in images)


def _read(kind: _Kind, folder: Path) -> Images:
    strip = _decoded(folder / STRIP_FILE)
    if strip is None:
        key_frame = _decoded(folder / KEY_FRAME_FILE) if kind is _Kind.POSTER else None
        return () if key_frame is None else (key_frame,)
    width = strip.width() // NUM_BASE_FRAMES
    num_cells = 1 if kind is _Kind.POSTER else NUM_BASE_FRAMES
    return tuple(strip.copy(i * width, 0, width, strip.height()) for i in range(num_cells))


def _decoded(path: Path) -> QImage | None:
    """The picture in `path`, not higher than a strip is; None where there is none of use."""
    try:
        is_file = stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return None
    # The format is named: a file of another kind is not what kvdesk wrote.
    reader = QImageReader(str(path), path.suffix.replace("jpg", "jpeg")[1:].encode())
    size = reader.size()
    if not is_file or not 0 < size.width() * size.height() <= _MAX_PIXELS:
        log.warning("%s is not used: it is not a picture of a clip.", path)
        return None
    if path.name == STRIP_FILE and size.width() < NUM_BASE_FRAMES:
        log.warning("%s is not used: it has no room for the frames of a clip.", path)
        return None
    if size.height() > STRIP_HEIGHT:
        height_only = QSize(size.width(), STRIP_HEIGHT)
        reader.setScaledSize(size.scaled(height_only, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull():
        log.warning("%s is not used: %s", path, reader.errorString())
        return None
    return image.convertToFormat(_FORMAT)
