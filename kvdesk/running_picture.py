"""What a clip that is being made looks like so far."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import Stage
from kvdesk.frame_loader import FrameLoader
from kvdesk.play_clock import PlayClock

if TYPE_CHECKING:
    from PySide6.QtCore import QObject
    from PySide6.QtGui import QImage

    from kvdesk.run_progress import RunProgress

PREVIEWS_PER_SECOND = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """A file to show. Files of previews are written anew: their step tells them apart."""

    path: str
    num_pictures: int = 1
    stage: Stage | None = None
    """That the preview is of; None for the key frame itself."""
    step: int = 0


class RunningPicture(PlayClock):
    """Plays the latest preview of the running clip, or holds its key frame.

    Attributes:
        plays_by_itself: whether a preview of several pictures begins to move as it comes.

    Files are read in threads. One that is gone, because a newer one replaced it, is passed over.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.plays_by_itself = True
        self._loader = FrameLoader(self)
        self._loader.frame_loaded.connect(self._on_loaded)
        self._job_id = ""
        self._shown: _Wanted | None = None
        self._loading: _Wanted | None = None
        self._next: _Wanted | None = None
        self._pictures: list[QImage] = []

    @property
    def is_preview(self) -> bool:
        """Whether the picture is a small preview; else it is the key frame."""
        return self._shown is not None and self._shown.stage is not None

    def picture(self) -> QImage | None:
        """The picture to show now; None where there is none yet."""
        return self._pictures[self.index] if self.index < len(self._pictures) else None

    def follow(self, progress: RunProgress | None) -> None:
        """Show what `progress` tells of; nothing where it is None or of a new clip."""
        if progress is None or progress.job_id != self._job_id:
            self._forget()
        if progress is None:
            return
        self._job_id = progress.job_id
        wanted = _wanted(progress)
        if wanted is None or wanted in (self._shown, self._loading):
            return
        if wanted.stage is None and self._moves():
            return  # a stage without previews has begun: what moves says more than the key frame
        if self._loading is not None:
            # Steps may be faster than reading: what is begun is finished, the newest comes next.
            self._next = wanted
        else:
            self._load(wanted)

    def _load(self, wanted: _Wanted) -> None:
        self._loading = wanted
        self._loader.load([Path(wanted.path)])

    def _on_loaded(self, index: int) -> None:
        image, loaded = self._loader.image(index), self._loading
        self._loading = None
        if image is not None and loaded is not None:
            self._shown = loaded
            self._show(image, loaded)
        if self._next is not None:
            following, self._next = self._next, None
            self._load(following)

    def _show(self, image: QImage, wanted: _Wanted) -> None:
        width = image.width() // wanted.num_pictures
        self._pictures = [
            image.copy(place * width, 0, width, image.height())
            for place in range(wanted.num_pictures)
        ]
        if wanted.num_pictures == self.num_frames:
            self.frame_changed.emit(self.index)
        else:
            self.set_length(wanted.num_pictures, PREVIEWS_PER_SECOND)
            if self.plays_by_itself:
                self.play()

    def _moves(self) -> bool:
        newest = self._next or self._loading or self._shown
        return newest is not None and newest.stage not in (None, Stage.KEY_FRAME)

    def _forget(self) -> None:
        self._loader.close()
        self._shown = self._loading = self._next = None
        self._job_id = ""
        if self._pictures:
            self._pictures = []
            self.set_length(0, PREVIEWS_PER_SECOND)


def _wanted(progress: RunProgress) -> _Wanted | None:
    preview = progress.preview
    if preview is not None and (preview.stage is not Stage.KEY_FRAME or not progress.key_frame):
        return _Wanted(
            path=preview.path,
            num_pictures=max(1, preview.num_frames),
            stage=preview.stage,
            step=preview.step,
        )
    return _Wanted(path=progress.key_frame) if progress.key_frame else None
