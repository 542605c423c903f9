"""Play clips from memory, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from kvdesk.frame_loader import FrameLoader
from kvdesk.play_clock import SPEEDS, PlayClock, PlayMode

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtGui import QImage

__all__ = ["SPEEDS", "Clip", "LockedPlayer", "PlayMode", "Player"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """What a player needs to know of a clip; a still picture is a clip of one frame.

    Attributes:
        frames: the files of its frames, the first one first.
        name: that of its folder in the library.
        title: what people call it.
    """

    frames: tuple[Path, ...]
    frames_per_second: float
    name: str
    title: str


class Player(PlayClock):
    """Plays one clip. Its frames are decoded in threads and kept in memory until it is closed.

    Attributes:
        loaded_changed: (number of frames) so many are decoded or known to be unreadable.
    """

    loaded_changed = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clip: Clip | None = None
        self._loader = FrameLoader(self)
        self._loader.frame_loaded.connect(self._on_frame_loaded)

    @property
    def clip(self) -> Clip | None:
        """The clip that is open."""
        return self._clip

    @property
    def num_loaded(self) -> int:
        """Frames that are decoded or known to be unreadable."""
        return self._loader.num_loaded

    def open(self, clip: Clip) -> None:
        """Load `clip` and stand at its first frame; if another one was playing, this one plays."""
        self._clip = clip
        self._loader.load(clip.frames)
        self.set_length(len(clip.frames), clip.frames_per_second)
        self.loaded_changed.emit(0)

    def close(self) -> None:
        """Let go of the clip and of the memory that its frames take."""
        self.pause()
        self._clip = None
        self._loader.close()
        self.set_length(0, 1.0)

    def image(self, index: int) -> QImage | None:
        """Frame `index`, or None where it is not decoded yet or cannot be read."""
        return self._loader.image(index)

    def has_failed(self, index: int) -> bool:
        """Whether frame `index` cannot be read."""
        return self._loader.failure(index) is not None

    def frame_path(self, index: int) -> Path | None:
        """The file of frame `index`; None where there is no such frame."""
        if self._clip is None or not 0 <= index < len(self._clip.frames):
            return None
        return self._clip.frames[index]

    def seek(self, index: int) -> None:
        """Show frame `index`, or the nearest that there is, and decode it first."""
        super().seek(index)
        self._loader.prefer(self.index)

    def can_show(self, index: int) -> bool:
        """Whether frame `index` is decoded, or never will be."""
        return self._loader.is_settled(index)

    def _on_frame_loaded(self, index: int) -> None:
        if index == self.index:
            self.frame_changed.emit(index)
        self.loaded_changed.emit(self._loader.num_loaded)
        self.resume_waiting()


class LockedPlayer(PlayClock):
    """Plays two clips by one clock, locked by time.

    The clock has the frames of whichever has more in a second; the other one shows the frame that
    is nearest in time, and its last one where it is over.

    Attributes:
        images_changed: what is to be shown of either clip is another picture, or has come.
    """

    images_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clips: tuple[Clip, Clip] | None = None
        self._loaders = (FrameLoader(self), FrameLoader(self))
        self._loaders[0].frame_loaded.connect(self._on_first_loaded)
        self._loaders[1].frame_loaded.connect(self._on_second_loaded)
        self.frame_changed.connect(self.images_changed)

    @property
    def clips(self) -> tuple[Clip, Clip] | None:
        """The clips that are open."""
        return self._clips

    def open(self, first: Clip, second: Clip) -> None:
        """Load both and stand at the first frame."""
        self._clips = (first, second)
        for loader, clip in zip(self._loaders, self._clips, strict=True):
            loader.load(clip.frames)
        rate = max(clip.frames_per_second for clip in self._clips)
        lengths = ((len(clip.frames) - 1) / clip.frames_per_second for clip in self._clips)
        self.set_length(round(max(lengths) * rate) + 1, rate)

    def close(self) -> None:
        """Let go of both clips and of the memory that their frames take."""
        self.pause()
        self._clips = None
        for loader in self._loaders:
            loader.close()
        self.set_length(0, 1.0)

    def frame_of(self, side: int, tick: int) -> int:
        """The frame of clip `side` (0 or 1) that is nearest to frame `tick` of the clock."""
        if self._clips is None:
            return 0
        clip = self._clips[side]
        nearest = int(tick / self.frames_per_second * clip.frames_per_second + 0.5)
        return min(nearest, len(clip.frames) - 1)

    def image(self, side: int) -> QImage | None:
        """What clip `side` (0 or 1) shows now; None where it is not there."""
        return self._loaders[side].image(self.frame_of(side, self.index))

    def has_failed(self, side: int) -> bool:
        """Whether what clip `side` (0 or 1) should show now cannot be read."""
        return self._loaders[side].failure(self.frame_of(side, self.index)) is not None

    def can_show(self, index: int) -> bool:
        """Whether both clips have their frame for frame `index` of the clock."""
        return all(
            loader.is_settled(self.frame_of(side, index))
            for side, loader in enumerate(self._loaders)
        )

    def seek(self, index: int) -> None:
        """Show frame `index` of the clock, or the nearest, and decode what it needs first."""
        super().seek(index)
        for side, loader in enumerate(self._loaders):
            loader.prefer(self.frame_of(side, self.index))

    def _on_first_loaded(self, index: int) -> None:
        self._on_frame_of(0, index)

    def _on_second_loaded(self, index: int) -> None:
        self._on_frame_of(1, index)

    def _on_frame_of(self, side: int, index: int) -> None:
        if index == self.frame_of(side, self.index):
            self.images_changed.emit()
        self.resume_waiting()
