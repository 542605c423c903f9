"""The frames of GIF and WebP files, decoded as far as a stranger's file can be trusted."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import GifImagePlugin, Image, ImageSequence, WebPImagePlugin

from engine.errors import VideoFileError

if TYPE_CHECKING:
    from collections.abc import Generator

MAX_FRAMES = 600
MAX_SIDE = 4096

_WHITE = (255, 255, 255)


def frame_durations(data: bytes) -> list[int]:
    """How long each frame of the animation `data` is shown, in milliseconds.

    Decodes all of it.

    Raises:
        VideoFileError: it has too many frames, or they are too large.
        Exception: whatever a decoder raises at what is damaged or cut short.
    """
    durations: list[int] = []
    for frame in _frames(data):
        if len(durations) == MAX_FRAMES:
            raise too_many_frames()
        frame.load()  # only then is the duration that of this frame
        durations.append(int(frame.info.get("duration", 0)))
    return durations


def animation_frames(data: bytes) -> Generator[Image.Image]:
    """The frames of the animation `data` as RGB pictures; what is transparent is white.

    Raises:
        Exception: whatever a decoder raises at what is damaged or cut short.
    """
    for frame in _frames(data):
        yield _on_white(frame)


def check_frame_size(size: tuple[int, int]) -> None:
    """Refuse frames that are too large.

    Raises:
        VideoFileError: a side has more than `MAX_SIDE` pixels.
    """
    if max(size) > MAX_SIDE:
        raise VideoFileError(
            f"The frames are {size[0]}x{size[1]} pixels, and {MAX_SIDE} is the most for a side. "
            "Make the video smaller in another program."
        )


def too_many_frames() -> VideoFileError:
    """The refusal of a video with more than `MAX_FRAMES` frames."""
    return VideoFileError(
        f"The video has more than {MAX_FRAMES} frames, which is the most. Cut out a shorter part "
        "in another program."
    )


def damaged_video(name: str, detail: str) -> VideoFileError:
    """The refusal of a video that cannot be decoded; `detail` is what the decoder said."""
    return VideoFileError(
        f"{name} is damaged or cut short. Copy or download it again.", detail=detail
    )


def _frames(data: bytes) -> Generator[Image.Image]:
    plugin = GifImagePlugin.GifImageFile
    if data.startswith(b"RIFF"):
        plugin = WebPImagePlugin.WebPImageFile
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata
        with plugin(BytesIO(data)) as picture:
            check_frame_size(picture.size)
            yield from ImageSequence.Iterator(picture)


def _on_white(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    with_alpha = picture.convert("RGBA")
    below = Image.new("RGB", picture.size, _WHITE)
    below.paste(with_alpha, mask=with_alpha.getchannel("A"))
    return below
