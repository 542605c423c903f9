"""What a clip is saved as: the kind of file, its quality, and how it is to be played."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from engine.api import Playback
from engine.errors import InvalidRequest, VideoFileError

if TYPE_CHECKING:
    from pathlib import Path

HEAD_BYTES = 12
"""How much of a file's beginning `VideoFormat.of_content` looks at."""

MIN_FRAMES_PER_SECOND = 0.25
MAX_FRAMES_PER_SECOND = 100
"""A GIF counts in hundredths of a second."""

_FASTEST_IN_BROWSERS = 50
"""What browsers show of a GIF or a WebP as it is; they play faster ones at 10 frames a second."""


class VideoFormat(StrEnum):
    """A kind of file; the value is the ending of its name. PNG is a numbered sequence of files."""

    MP4 = "mp4"
    GIF = "gif"
    WEBP = "webp"
    PNG = "png"

    @classmethod
    def of_path(cls, path: Path) -> VideoFormat:
        """The format that the ending of `path` names, in capitals or not.

        Raises:
            VideoFileError: it names none of the four.
        """
        ending = path.suffix.lower().removeprefix(".")
        for video_format in cls:
            if ending == video_format.value:
                return video_format
        raise VideoFileError(
            f"{path.name or path} does not say what kind of file it is to be: "
            "the name must end in .mp4, .gif, .webp or .png."
        )

    @classmethod
    def of_content(cls, head: bytes) -> VideoFormat | None:
        """The format of a file that begins with `head`, or None where it is none of the four."""
        if head[4:8] == b"ftyp":
            return cls.MP4
        if head[:6] in (b"GIF87a", b"GIF89a"):
            return cls.GIF
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return cls.WEBP
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return cls.PNG
        return None

    @property
    def most_frames_per_second(self) -> int:
        """The fastest that a file of this format is shown as it is meant."""
        is_animation = self in (VideoFormat.GIF, VideoFormat.WEBP)
        return _FASTEST_IN_BROWSERS if is_animation else MAX_FRAMES_PER_SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSettings:
    """How a clip is saved.

    Attributes:
        frames_per_second: 0.25 to 100, whole or not.
        crf: quality of an MP4, from 0 (best, largest) to 51. 0 gives the same file as 1, which
            no eye can tell from the frames: the encoder's own 0 is a profile that many players
            refuse.
        webp_quality: quality of a WebP, from 0 to 100 (best, largest).
        playback: order of the frames, and whether they begin again.
        overwrite: replace what has the output's name.

    Raises:
        InvalidRequest: a number is out of its range.
    """

    frames_per_second: float
    crf: int = 18
    webp_quality: int = 80
    playback: Playback = Playback.LOOP
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name, value, lowest, highest in (
            (
                "number of frames per second",
                self.frames_per_second,
                MIN_FRAMES_PER_SECOND,
                MAX_FRAMES_PER_SECOND,
            ),
            ("CRF", self.crf, 0, 51),
            ("WebP quality", self.webp_quality, 0, 100),
        ):
            if not lowest <= value <= highest:
                raise InvalidRequest(f"The {name} must be from {lowest} to {highest}, not {value}.")


def frame_order(num_frames: int, playback: Playback) -> list[int]:
    """The numbers of the frames, from 0, in the order in which they are saved."""
    order = list(range(num_frames))
    if playback is Playback.BOOMERANG:
        order += order[-2:0:-1]
    return order
