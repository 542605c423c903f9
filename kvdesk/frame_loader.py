"""Decode the pictures of a clip in threads, once, and keep them in memory."""

from __future__ import annotations

import atexit
import logging
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakMethod

from PySide6.QtCore import QCoreApplication, QObject, QThreadPool, Signal
from PySide6.QtGui import QImage, QImageReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

PIXEL_FORMAT = QImage.Format.Format_RGB888
"""Paints about as fast as 32 bits a pixel, and 177 frames of 512x512 take 139 MB, not 186."""
_NUM_THREADS = 2
_MS_TO_END = 2000  # far more than the frame that is in work takes


class FrameLoader(QObject):
    """The decoded frames of one clip. It is made, used and deleted by the thread of the window.

    Attributes:
        frame_loaded: (index) a frame is decoded, or known to be unreadable.
    """

    frame_loaded = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # A pool of one's own would wait for its threads where it is destroyed, which is at a
        # moment that Python's garbage collector chooses.
        self._pool = QThreadPool.globalInstance()
        self._post = _post()
        self._worklist = worklist = _Worklist(self._on_decoded)
        # Not the method itself: it would be gone with this object before the signal comes.
        self.destroyed.connect(lambda: worklist.fill(()))
        self._frames: list[QImage | None] = []
        self._failures: dict[int, str] = {}
        self._num_loaded = 0

    @property
    def num_frames(self) -> int:
        """Frames of the clip, decoded or not."""
        return len(self._frames)

    @property
    def num_loaded(self) -> int:
        """Frames that are decoded or known to be unreadable."""
        return self._num_loaded

    def load(self, paths: Sequence[Path]) -> None:
        """Decode the frames at `paths`, the first ones first; what was loading is given up."""
        self.close()
        self._frames = [None] * len(paths)
        round_number = self._worklist.fill(paths)
        for _ in range(min(_NUM_THREADS, len(paths))):
            # A function: of a QRunnable that Python made, something is left when it has run.
            self._pool.start(partial(_decode_frames, self._worklist, round_number, self._post))

    def close(self) -> None:
        """Give up what is loading and let go of all frames."""
        self._worklist.fill(())
        self._frames = []
        self._failures = {}
        self._num_loaded = 0

    def prefer(self, index: int) -> None:
        """Decode frame `index` next, and go on from there."""
        self._worklist.prefer(index)

    def image(self, index: int) -> QImage | None:
        """Frame `index`, or None where it is not decoded yet or cannot be read."""
        return self._frames[index] if 0 <= index < len(self._frames) else None

    def failure(self, index: int) -> str | None:
        """Why frame `index` cannot be read; None where it can or is not decoded yet."""
        return self._failures.get(index)

    def is_settled(self, index: int) -> bool:
        """Whether frame `index` is decoded or known to be unreadable."""
        return index in self._failures or self.image(index) is not None

    def _on_decoded(self, index: int, image: QImage, failure: str) -> None:
        if failure:
            self._failures[index] = failure
        else:
            self._frames[index] = image
        self._num_loaded += 1
        self.frame_loaded.emit(index)


class _Worklist:
    """What a loader and its threads share; it lives as long as one of them needs it.

    Every clip has a round of its own, so that nothing of the one before is taken for it.
    """

    def __init__(self, deliver: Callable[[int, QImage, str], None]) -> None:
        # The loader holds this; were it held in turn, only a garbage collection would free it.
        self._deliver = WeakMethod(deliver)
        self._lock = Lock()
        self._round = 0
        self._paths: tuple[Path, ...] = ()
        self._waiting: list[int] = []

    def fill(self, paths: Sequence[Path]) -> int:
        """Put the frames of a clip in, or none, and return the number of its round."""
        with self._lock:
            self._round += 1
            self._paths = tuple(paths)
            self._waiting = list(range(len(paths)))
            return self._round

    def prefer(self, index: int) -> None:
        """Hand out frame `index` and those behind it first."""
        with self._lock:
            self._waiting.sort(key=lambda waiting: (waiting < index, waiting))

    def take(self, round_number: int) -> tuple[int, Path] | None:
        """The next frame of the round that nobody decodes yet."""
        with self._lock:
            if round_number != self._round or not self._waiting:
                return None
            index = self._waiting.pop(0)
            return index, self._paths[index]

    def deliver(self, decoded: _Decoded) -> None:
        """Give the loader a frame; one that was on its way as another clip was opened is late."""
        deliver = self._deliver()
        if deliver is not None and decoded.round_number == self._round:
            deliver(decoded.index, decoded.image, decoded.failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoded:
    """A frame on its way from a thread to its loader; `failure` is "" where it was readable."""

    worklist: _Worklist
    round_number: int
    index: int
    image: QImage
    failure: str


class _Post(QObject):
    """Carries frames from the threads to the window.

    There is one for the whole application, and it ends with it: an object that threads send
    from must not be destroyed while they do, and loaders come and go.
    """

    sent = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.is_closed = False
        self.sent.connect(self._on_sent)
        # Python and Qt tear everything down that a thread still uses, unless it has ended before.
        atexit.register(self._close)

    def _close(self) -> None:
        self.is_closed = True
        QThreadPool.globalInstance().waitForDone(_MS_TO_END)

    def _on_sent(self, decoded: _Decoded) -> None:
        decoded.worklist.deliver(decoded)


def _post() -> _Post:
    app = QCoreApplication.instance()
    assert app is not None, "the application comes first"
    return app.findChild(_Post) or _Post(app)


def _decode_frames(worklist: _Worklist, round_number: int, post: _Post) -> None:
    """Decode frames of one clip until there are none left or they are not wanted.

    Runs in a thread of the pool.
    """
    while (taken := worklist.take(round_number)) is not None and not post.is_closed:
        index, path = taken
        image, failure = _decode(path)
        post.sent.emit(
            _Decoded(
                worklist=worklist,
                round_number=round_number,
                index=index,
                image=image,
                failure=failure,
            )
        )


def _decode(path: Path) -> tuple[QImage, str]:
    """The picture at `path`, and why it cannot be read, or ""."""
    reader = QImageReader(str(path))
    image = reader.read()
    if image.isNull():
        failure = reader.errorString()
        log.info("%s cannot be read: %s", path, failure)
        return image, failure
    image.convertTo(PIXEL_FORMAT)
    return image, ""
