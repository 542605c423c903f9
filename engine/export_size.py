"""How large an export's file will be, and what makes it small enough."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import ExportPredicted, to_json
from engine.errors import Cancelled, VideoFileError
from engine.export import encoded_bytes, finished_clip, fit_frames, load_frames
from engine.video_io import VideoFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image

    from engine.api import SaveRequest
    from engine.json_codec import JsonObject

    IsCancelled = Callable[[], bool]

WORST_CRF = 45
WORST_WEBP_QUALITY = 5
"""Beyond these two a smaller picture looks better than a coarser one."""

_SHARES = (1.0, 0.75, 0.5, 0.375, 0.25)
_MIN_WIDTH = 16


def predict_clip_export(
    folder: Path, save: SaveRequest, *, max_bytes: int | None, is_cancelled: IsCancelled
) -> ExportPredicted:
    """See `predict_export`, for the finished clip in `folder`.

    Raises:
        Cancelled: `is_cancelled` said so.
        ClipError: there is no clip, or it is damaged.
        VideoFileError: the clip is not finished, or there is no such file of it.
    """
    info = finished_clip(folder)
    num_bytes, found = predict_export(
        load_frames(folder, info.num_frames),
        save,
        frames_per_second=info.frames_per_second,
        request=to_json(info.request),
        max_bytes=max_bytes,
        is_cancelled=is_cancelled,
    )
    return ExportPredicted(num_bytes=num_bytes, save=found)


def predict_export(
    frames: Sequence[Image.Image],
    save: SaveRequest,
    *,
    frames_per_second: int,
    request: JsonObject,
    max_bytes: int | None = None,
    is_cancelled: IsCancelled = lambda: False,
) -> tuple[int, SaveRequest]:
    """How large the files will be that `save_frames` makes, and the settings that make them so.

    Without `max_bytes` these are the settings of `save`; of a long clip a quarter is encoded and
    scaled up. With it, the quality is lowered, then the width, until the whole clip, which was
    encoded to know, is not larger.

    Raises:
        Cancelled: `is_cancelled` said so.
        VideoFileError: no setting makes the file small enough, or there is no such file.
    """
    clip = _Clip(
        frames=frames,
        frames_per_second=frames_per_second,
        request=request,
        is_cancelled=is_cancelled,
    )
    if max_bytes is None:
        return clip.num_bytes(save), save
    video_format = VideoFormat.of_path(Path(save.path))
    if video_format is VideoFormat.PNG:
        raise VideoFileError(
            "PNG files cannot be made to fit under a size: they keep every pixel as it is. "
            "Save an MP4, a GIF or a WebP instead, or choose a smaller width."
        )
    sizes = _narrower(save, frames[0].width if frames else 0)
    for narrower in sizes:
        found = _best_that_fits(clip, _qualities(narrower, video_format), max_bytes)
        if found is not None:
            return found
    smallest = clip.num_bytes(_qualities(sizes[-1], video_format)[-1], may_sample=False)
    raise VideoFileError(
        f"{Path(save.path).name} cannot be made that small: {smallest:,} bytes is the least, and "
        f"{max_bytes:,} were asked for. Allow a larger file, or save a shorter or simpler clip."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clip:
    frames: Sequence[Image.Image]
    frames_per_second: int
    request: JsonObject
    is_cancelled: IsCancelled

    def num_bytes(self, save: SaveRequest, *, may_sample: bool = True) -> int:
        self._stop_if_cancelled()
        fitted = fit_frames(self.frames, save, frames_per_second=self.frames_per_second)
        return encoded_bytes(
            fitted,
            save,
            request=self.request,
            on_frame=lambda _: self._stop_if_cancelled(),
            may_sample=may_sample,
        )

    def _stop_if_cancelled(self) -> None:
        if self.is_cancelled():
            raise Cancelled


def _narrower(save: SaveRequest, frame_width: int) -> list[SaveRequest]:
    width = save.width or frame_width
    widths = {round(width * share) for share in _SHARES[1:]}
    return [
        save,
        *(replace(save, width=each) for each in sorted(widths, reverse=True) if each >= _MIN_WIDTH),
    ]


def _qualities(save: SaveRequest, video_format: VideoFormat) -> list[SaveRequest]:
    """`save` with all qualities from its own down to the worst, best first."""
    if video_format is VideoFormat.MP4:
        crfs = range(save.crf, max(save.crf, WORST_CRF) + 1)
        return [replace(save, crf=crf) for crf in crfs]
    if video_format is VideoFormat.WEBP:
        worst = min(save.webp_quality, WORST_WEBP_QUALITY)
        return [replace(save, webp_quality=q) for q in range(save.webp_quality, worst - 1, -1)]
    return [save]


def _best_that_fits(
    clip: _Clip, qualities: Sequence[SaveRequest], max_bytes: int
) -> tuple[int, SaveRequest] | None:
    """The first of `qualities`, best first, whose whole file is small enough, and its size."""
    if clip.num_bytes(qualities[-1]) > max_bytes:
        return None
    likely = _first_that_fits(clip, qualities, max_bytes, may_sample=True)
    # What a quarter says may be a little wrong; only the whole file counts.
    num_bytes = clip.num_bytes(likely, may_sample=False)
    if num_bytes <= max_bytes:
        return num_bytes, likely
    worse = qualities[qualities.index(likely) + 1 :]
    if not worse:
        return None
    found = _first_that_fits(clip, worse, max_bytes, may_sample=False)
    num_bytes = clip.num_bytes(found, may_sample=False)
    return (num_bytes, found) if num_bytes <= max_bytes else None


def _first_that_fits(
    clip: _Clip, qualities: Sequence[SaveRequest], max_bytes: int, *, may_sample: bool
) -> SaveRequest:
    """The first of `qualities`, best first, that is small enough; the last if none is."""
    lowest, highest = 0, len(qualities) - 1
    middle = 0  # the one that was asked for is the likeliest to do
    while lowest < highest:
        if clip.num_bytes(qualities[middle], may_sample=may_sample) <= max_bytes:
            highest = middle
        else:
            lowest = middle + 1
        middle = (lowest + highest) // 2
    return qualities[lowest]
