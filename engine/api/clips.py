"""A clip is a folder: the names in it, and what its `clip.json` says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# The fields are looked up by their types when a file is decoded.
from engine.api.requests import Fps, GenerateRequest, Stage

CLIP_FORMAT = 1
"""Raised when a clip's folder changes in a way that an older kvdesk would not understand."""

CLIP_FILE = "clip.json"
KEY_FRAME_FILE = "key_frame.png"
PICTURE_FILE = "picture.png"
"""The picture that the clip starts from, upright, as it was when the clip was begun."""
VIDEO_FILE = "clip.mp4"
"""The finished clip as most programs take it; other files are made from the frames."""
STRIP_FILE = "strip.jpg"
"""All twelve base frames side by side, `STRIP_HEIGHT` high at most; the first is the poster."""
STRIP_HEIGHT = 192
CHECKPOINTS_FOLDER = "checkpoints"


def frame_path(folder: Path | str, num_frames: int, index: int) -> Path:
    """The PNG file of frame `index`, counted from 0, of the clip of `num_frames` in `folder`."""
    return Path(folder) / f"frames_{num_frames}" / f"{index + 1:04d}.png"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSeconds:
    """How long a stage took, over all the times that it was run."""

    stage: Stage
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipInfo:
    """The whole of a `clip.json`.

    Attributes:
        request: what was asked for last; its `fps` may be more than there is yet.
        model: its name, as a list of models shows it.
        model_fingerprint: SHA-256 in hexadecimal; the same as long as the model is.
        device: what it was made on, such as "cpu".
        created: when it was begun, in UTC by ISO 8601.
        has_key_frame: whether `KEY_FRAME_FILE` is there: drawn, or the picture in the clip's size.
        num_frames: of the finished clip; 0 as long as there is none.
        seconds: in the order the stages were first run.
        eight_bit: whether weights in 8 bit were allowed for any part of it.
    """

    format_version: int
    request: GenerateRequest
    model: str
    model_fingerprint: str
    kvdesk_version: str
    device: str
    created: str
    has_key_frame: bool = False
    num_frames: int = 0
    seconds: tuple[StageSeconds, ...] = ()
    eight_bit: bool = False

    @property
    def frames_per_second(self) -> int:
        """How fast the finished clip plays; the request may ask for more than there is yet."""
        return (Fps.of_frames(self.num_frames) or self.request.fps).frames_per_second
