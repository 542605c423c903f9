"""Frames to the files of one format, in a folder of their own, with the request inside."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine import ffmpeg
from engine.api import Playback
from engine.video_failures import encoding_failed, failures_explained
from engine.video_format import HEAD_BYTES, SaveSettings, VideoFormat
from engine.video_metadata import (
    mp4_tags,
    png_text,
    with_gif_comment,
    with_webp_description,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PIL import Image

_LOWEST_CRF = 1
# Both ways of tagging: old versions of ffmpeg listen to the options, new ones to the frames.
_BT709_FILTER = (
    "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"
    "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
)
_BT709_TAGS = (
    *("-color_range", "tv", "-colorspace", "bt709"),
    *("-color_primaries", "bt709", "-color_trc", "bt709"),
)
# One palette for what changes, and a pattern of dots that stands still where the picture does.
_GIF_FILTER = (
    "split[frames][sample];[sample]palettegen=stats_mode=diff[palette];"
    "[frames][palette]paletteuse=dither=bayer:bayer_scale=4:diff_mode=rectangle"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """Frames of one size in the order in which they are saved, and the request as a text."""

    path: Path
    video_format: VideoFormat
    frames: Sequence[Image.Image]
    settings: SaveSettings
    text: str | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in pixels."""
        return self.frames[0].size


def write_clip(clip: Clip, folder: Path, on_frame: Callable[[int], None]) -> list[str]:
    """Write the clip's files, under their final names, into the empty `folder`.

    Returns:
        The names: one, or one for each frame.

    Raises:
        DiskFull: there is no room left.
        VideoFileError: the disk or ffmpeg does not do it.
    """
    if clip.video_format is VideoFormat.PNG:
        return _write_pictures(clip, folder, on_frame)
    file = folder / clip.path.name
    outputs = _output_arguments(clip, folder)
    try:
        ffmpeg.encode(
            (frame.convert("RGB").tobytes() for frame in clip.frames),
            [*_input_arguments(clip), *outputs, ffmpeg.file_argument(file)],
            on_frame=on_frame,
        )
    except ffmpeg.FfmpegError as error:
        raise encoding_failed(clip.path, error.words) from error
    with failures_explained(clip.path):
        if _kind_of(file) is not clip.video_format:
            raise encoding_failed(clip.path, "")
        _embed(clip, file)
    return [file.name]


def _write_pictures(clip: Clip, folder: Path, on_frame: Callable[[int], None]) -> list[str]:
    names: list[str] = []
    for number, frame in enumerate(clip.frames, start=1):
        name = f"{clip.path.stem}_{number:04d}{clip.path.suffix}"
        with failures_explained(clip.path):
            frame.convert("RGB").save(folder / name, "PNG", pnginfo=png_text(clip.text))
        names.append(name)
        on_frame(number)
    return names


def _input_arguments(clip: Clip) -> list[str]:
    width, height = clip.size
    return [
        *("-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{width}x{height}"),
        *("-framerate", str(clip.settings.frames_per_second), "-i", "pipe:0"),
    ]


def _output_arguments(clip: Clip, folder: Path) -> list[str]:
    match clip.video_format:
        case VideoFormat.MP4:
            return _mp4_arguments(clip, folder)
        case VideoFormat.GIF:
            return _gif_arguments(clip)
        case VideoFormat.WEBP:
            return _webp_arguments(clip)
        case VideoFormat.PNG:
            raise AssertionError("PNG files do not come from ffmpeg")


def _mp4_arguments(clip: Clip, folder: Path) -> list[str]:
    tags: list[str] = []
    if clip.text is not None:
        file = folder / "tags"
        with failures_explained(clip.path):
            file.write_text(mp4_tags(clip.text), encoding="ascii", newline="\n")
        tags = ["-f", "ffmetadata", "-i", ffmpeg.file_argument(file)]
        tags += ["-map", "0:v", "-map_metadata", "1"]
    crf = max(_LOWEST_CRF, clip.settings.crf)
    return [
        *tags,
        *("-vf", _BT709_FILTER, *_BT709_TAGS),
        *("-c:v", "libx264", "-profile:v", "high", "-crf", str(crf), "-pix_fmt", "yuv420p"),
        *("-movflags", "+faststart", "-f", "mp4"),
    ]


def _gif_arguments(clip: Clip) -> list[str]:
    # Frames begin at the nearest hundredth of a second, so that the clip lasts what it should;
    # only how long the last one stays would be guessed.
    begins, ends = (
        math.floor(100 * number / clip.settings.frames_per_second + 0.5)
        for number in (len(clip.frames) - 1, len(clip.frames))
    )
    loop = "-1" if clip.settings.playback is Playback.ONCE else "0"
    return [
        *("-filter_complex", _GIF_FILTER, "-c:v", "gif"),
        *("-loop", loop, "-final_delay", str(ends - begins), "-f", "gif"),
    ]


def _webp_arguments(clip: Clip) -> list[str]:
    loop = "1" if clip.settings.playback is Playback.ONCE else "0"
    return [
        *("-c:v", "libwebp_anim", "-pix_fmt", "bgra", "-quality", str(clip.settings.webp_quality)),
        *("-loop", loop, "-f", "webp"),
    ]


def _kind_of(file: Path) -> VideoFormat | None:
    if not file.is_file():
        return None
    with file.open("rb") as written:
        return VideoFormat.of_content(written.read(HEAD_BYTES))


def _embed(clip: Clip, file: Path) -> None:
    if clip.text is None:
        return
    if clip.video_format is VideoFormat.GIF:
        file.write_bytes(with_gif_comment(file.read_bytes(), clip.text))
    elif clip.video_format is VideoFormat.WEBP:
        width, height = clip.size
        data = with_webp_description(file.read_bytes(), clip.text, width=width, height=height)
        file.write_bytes(data)
