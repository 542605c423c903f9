"""A finished clip's frames as a file to give away: its size, its speed, and how large it gets."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from engine.api import (
    Finished,
    Playback,
    SaveRequest,
    Stage,
    frame_path,
    to_json,
)
from engine.clip import ClipFolder
from engine.errors import VideoFileError
from engine.progress import Progress, StageWork
from engine.video_io import SaveSettings, VideoFormat, frame_order, save_video

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import ClipInfo, Event
    from engine.json_codec import JsonObject

    OnFrame = Callable[[int], None]

MAX_PIXELS = 800_000_000
"""Of all frames of an export together. They are in memory at once, three bytes each."""

_MIN_FRAMES_TO_SAMPLE = 45
_MIN_PIXELS_TO_SAMPLE = 8_000_000  # below, all frames are encoded in about a second
_SAVE_FRAME_COST = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedFrames:
    """Frames as an export has them, before playback repeats any of them."""

    frames: Sequence[Image.Image]
    frames_per_second: float


def finished_clip(folder: Path) -> ClipInfo:
    """What is known of the finished clip in `folder`.

    Raises:
        ClipError: there is no clip, or it is damaged.
        VideoFileError: it is not finished.
    """
    info = ClipFolder.open(folder).info
    if not info.num_frames:
        raise VideoFileError(f"The clip in {folder} has no frames yet. Finish it first.")
    return info


def load_frames(folder: Path, num_frames: int) -> list[Image.Image]:
    """The frames of the finished clip in `folder`, in RGB.

    Raises:
        VideoFileError: one of them is missing or damaged.
    """
    frames: list[Image.Image] = []
    for index in range(num_frames):
        path = frame_path(folder, num_frames, index)
        try:
            with Image.open(path, formats=["PNG"]) as picture:
                frames.append(picture.convert("RGB"))
        except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
            raise VideoFileError(
                f"Frame {index + 1} of {num_frames} of the clip in {folder} is missing or damaged. "
                "Make the clip again.",
                detail=repr(error),
            ) from error
    return frames


def save_frames(
    frames: Sequence[Image.Image],
    save: SaveRequest,
    *,
    frames_per_second: int,
    request: JsonObject,
    on_frame: OnFrame | None = None,
) -> list[Path]:
    """Save `frames` as `save` says, scaled to its width and played at its speed.

    The height follows the width; an MP4 gets even sides. A clip that would be faster than its
    format is shown (50 frames a second for GIF and WebP, 100 for MP4) loses every second frame,
    or two of three, and lasts as long as it would have. Speed means nothing to PNG files.

    Args:
        frames: all of one size, in RGB.
        save: where and how.
        frames_per_second: of the clip at its own speed.
        request: what the clip was made from, embedded in the file.
        on_frame: told how many frames are saved, as `save_video` does.

    Returns:
        The files that were written, videos before sidecars.

    Raises:
        OutputExists: an output is there and `save.overwrite` is false.
        DiskFull: there is no room for the file.
        VideoFileError: the frames do not fit the format or memory, or the disk does not do it.
    """
    fitted = fit_frames(frames, save, frames_per_second=frames_per_second)
    return save_fitted(fitted, save, request=request, on_frame=on_frame)


def fit_frames(
    frames: Sequence[Image.Image], save: SaveRequest, *, frames_per_second: int
) -> FittedFrames:
    """`frames` at the width and the speed of `save`; see `save_frames`.

    Raises:
        VideoFileError: `save.path` names no format, or the frames would not fit into memory.
    """
    video_format = VideoFormat.of_path(Path(save.path))
    if not frames:
        raise VideoFileError(f"There are no frames to save as {Path(save.path).name}.")
    rate = frames_per_second * save.speed
    kept = frames
    if video_format is VideoFormat.PNG:
        rate = float(frames_per_second)
    elif rate > video_format.most_frames_per_second:
        kept = frames[:: math.ceil(rate / video_format.most_frames_per_second)]
        # The last frame that is kept may stand for fewer than the others.
        num_shown = len(frame_order(len(kept), save.playback))
        rate *= num_shown / len(frame_order(len(frames), save.playback))
        rate = min(rate, video_format.most_frames_per_second)
    if save.width is None:
        return FittedFrames(frames=kept, frames_per_second=rate)
    size = _scaled_size(frames[0].size, save.width, video_format)
    if size[0] * size[1] * len(kept) > MAX_PIXELS:
        raise VideoFileError(
            f"{len(kept)} frames of {size[0]}x{size[1]} need more memory than there is for them. "
            "Choose a smaller width."
        )
    scaled = [frame.resize(size, Image.Resampling.LANCZOS) for frame in kept]
    return FittedFrames(frames=scaled, frames_per_second=rate)


def save_fitted(
    fitted: FittedFrames, save: SaveRequest, *, request: JsonObject, on_frame: OnFrame | None = None
) -> list[Path]:
    """Save what `fit_frames` made; see `save_frames`.

    Raises:
        OutputExists: an output is there and `save.overwrite` is false.
        DiskFull: there is no room for the file.
        VideoFileError: the frames do not fit the format, or the disk does not do it.
    """
    settings = SaveSettings(
        frames_per_second=fitted.frames_per_second,
        crf=save.crf,
        webp_quality=save.webp_quality,
        playback=save.playback,
        overwrite=save.overwrite,
    )
    path = Path(save.path)
    return save_video(fitted.frames, path, settings, request=request, on_frame=on_frame)


def export_clip(
    folder: Path,
    save: SaveRequest,
    *,
    on_event: Callable[[Event], None],
    is_cancelled: Callable[[], bool],
) -> list[Path]:
    """Save the finished clip in `folder` as a file; the last event is `Finished`.

    Returns:
        The files that were written, videos before sidecars.

    Raises:
        Cancelled: `is_cancelled` said so. Nothing is left behind.
        ClipError: there is no clip, or it is damaged.
        OutputExists: an output is there and may not be replaced.
        DiskFull: there is no room for the file.
        VideoFileError: the clip is not finished, or cannot be saved.
    """
    info = finished_clip(folder)
    fitted = fit_frames(
        load_frames(folder, info.num_frames),
        save,
        frames_per_second=info.frames_per_second,
    )
    num_frames = len(frame_order(len(fitted.frames), save.playback))
    work = StageWork(stage=Stage.SAVE, step_costs=(_SAVE_FRAME_COST,) * num_frames)
    progress = Progress([work], on_event=on_event, is_cancelled=is_cancelled)
    with progress.stage(Stage.SAVE) as step_done:
        written = save_fitted(fitted, save, request=to_json(info.request), on_frame=step_done)
    on_event(Finished(num_frames=num_frames, seconds=progress.seconds, output=str(written[0])))
    return written


def encoded_bytes(
    fitted: FittedFrames,
    save: SaveRequest,
    *,
    request: JsonObject,
    on_frame: OnFrame | None = None,
    may_sample: bool = True,
) -> int:
    """How large the files of an export are, by encoding it where nobody sees it.

    Of a long clip only a quarter is encoded, unless `may_sample` is false.

    Raises:
        VideoFileError: the frames do not fit the format, or the disk does not do it.
    """
    num_shown = len(frame_order(len(fitted.frames), save.playback))
    width, height = fitted.frames[0].size
    is_long = num_shown >= _MIN_FRAMES_TO_SAMPLE
    if not (may_sample and is_long and width * height * num_shown >= _MIN_PIXELS_TO_SAMPLE):
        return _size_of(fitted, save, request, on_frame)
    # A boomerang shows the same frames twice, and its way back costs what its way out does.
    playback = Playback.LOOP if save.playback is Playback.BOOMERANG else save.playback
    plain = replace(save, playback=playback)
    length = math.ceil(len(fitted.frames) / 4)
    start = (len(fitted.frames) - length) // 2
    sample = fitted.frames[start : start + length]
    # What a file has once (its head, the request, a first whole frame) is not to count fourfold.
    first = _size_of(replace(fitted, frames=sample[:1]), plain, request, on_frame)
    quarter = _size_of(replace(fitted, frames=sample), plain, request, on_frame)
    return first + round((quarter - first) / (length - 1) * (num_shown - 1))


def _size_of(
    fitted: FittedFrames, save: SaveRequest, request: JsonObject, on_frame: OnFrame | None
) -> int:
    with tempfile.TemporaryDirectory(prefix="kvdesk-") as folder:
        path = Path(folder) / f"clip{Path(save.path).suffix}"
        written = save_fitted(
            fitted, replace(save, path=str(path)), request=request, on_frame=on_frame
        )
        return sum(file.stat().st_size for file in written)


def _scaled_size(size: tuple[int, int], width: int, video_format: VideoFormat) -> tuple[int, int]:
    step = 2 if video_format is VideoFormat.MP4 else 1
    height = size[1] * width / size[0]
    return max(1, width // step) * step, max(1, round(height / step)) * step
