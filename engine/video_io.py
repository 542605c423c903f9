"""Frames to an MP4, a GIF, a WebP or numbered PNG files, whole or not at all."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from engine.api.files import make_folder, publish, remove_leftovers, temporary_beside
from engine.disk_space import check_space
from engine.errors import VideoFileError
from engine.video_encoding import Clip, write_clip
from engine.video_failures import already_there, failures_explained
from engine.video_format import SaveSettings, VideoFormat, frame_order
from engine.video_metadata import embedded_request, read_request, request_text, sidecar_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PIL import Image

    from engine.json_codec import JsonObject

__all__ = [
    "SaveSettings",
    "VideoFormat",
    "check_output_space",
    "frame_order",
    "prepare_output",
    "read_request",
    "save_video",
]

# Less than the files of most clips take: whoever is told to free space must really have to.
_LEAST_BYTES_PER_PIXEL = {
    VideoFormat.MP4: 0.01,
    VideoFormat.GIF: 0.05,
    VideoFormat.WEBP: 0.02,
    VideoFormat.PNG: 0.2,
}


def save_video(
    frames: Sequence[Image.Image],
    path: Path,
    settings: SaveSettings,
    *,
    request: JsonObject | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> list[Path]:
    """Save `frames` as `path`, whose ending chooses the format, and make its folder if need be.

    For "name.png" the files are "name_0001.png", "name_0002.png" and so on; together they are
    one output. `request` is embedded in every file and read back; a file that does not give it
    back gets a sidecar, "<file name>.json". Whatever ends this call early leaves no new file
    behind, and an output that was there before as it was, unless the disk fails in between the
    renaming of several files that replace others.

    Args:
        frames: all of one size; for MP4 with even sides. Transparency is dropped.
        path: MP4 (H.264, 4:2:0, BT.709), GIF, WebP or PNG. Neighbours that look alike in a WebP
            are stored as one frame that is shown longer.
        settings: quality, playback, and whether to replace.
        request: what the clip was made from, as JSON.
        on_frame: is told how many frames are handed over, out of those of `frame_order`. It is
            called again with the last number while the file is finished. What it raises ends
            the call.

    Returns:
        The files that were written, videos before sidecars.

    Raises:
        OutputExists: an output is there and `settings.overwrite` is false.
        DiskFull: there is no room for the file, or none left.
        VideoFileError: the frames do not fit the format, or the file cannot be written.
    """
    clip = _checked_clip(frames, path, settings, request)
    old_files = prepare_output(path, overwrite=settings.overwrite)
    check_output_space(path, len(clip.frames), *clip.size)
    with temporary_beside(path) as folder:
        with failures_explained(path):
            folder.mkdir()
        names = write_clip(clip, folder, on_frame or _ignore)
        with failures_explained(path):
            names += _write_sidecars(clip, folder, names)
            written = _publish_all(clip, folder, names)
            for old in set(old_files) - set(written):  # they would pass for part of this output
                old.unlink()
    return written


def _ignore(_num_frames: int) -> None:
    pass


def _checked_clip(
    frames: Sequence[Image.Image], path: Path, settings: SaveSettings, request: JsonObject | None
) -> Clip:
    video_format = VideoFormat.of_path(path)
    if not frames:
        raise VideoFileError(f"There are no frames to save as {path.name}.")
    width, height = frames[0].size
    for number, frame in enumerate(frames, start=1):
        if frame.size != (width, height):
            raise VideoFileError(
                f"The frames of {path.name} must have one size: the first is {width}x{height}, "
                f"number {number} is {frame.width}x{frame.height}."
            )
    if video_format is VideoFormat.MP4 and (width % 2 or height % 2):
        raise VideoFileError(
            f"An MP4 needs an even width and height, not {width}x{height}. "
            "Save a GIF, a WebP or PNG files instead."
        )
    return Clip(
        path=path,
        video_format=video_format,
        frames=[frames[index] for index in frame_order(len(frames), settings.playback)],
        settings=settings,
        text=None if request is None else request_text(request),
    )


def prepare_output(path: Path, *, overwrite: bool) -> list[Path]:
    """Make the output's folder and return what is there already and will be replaced.

    Called before the work for a clip begins, this tells in time that it could not be saved.

    Raises:
        OutputExists: an output is there and `overwrite` is false.
        VideoFileError: there can be no such file, or its ending names no format.
    """
    folder = path.parent
    pattern = _output_pattern(path)
    with failures_explained(path):
        if not folder.is_dir():
            if folder.exists():
                raise VideoFileError(f"{folder} is a file: {path.name} cannot be in it.")
            make_folder(folder)
        remove_leftovers(folder)
        old_files = sorted(entry for entry in folder.iterdir() if pattern.fullmatch(entry.name))
    if old_files and not overwrite:
        raise already_there(old_files[0])
    for old in old_files:
        if old.is_dir():
            raise VideoFileError(f"{old} is a folder: a file cannot replace it.")
    # A folder that cannot be written and a name that is too long show only when they are tried.
    with temporary_beside(path) as probe, failures_explained(path):
        probe.mkdir()
        (probe / path.name).touch()
    return old_files


def check_output_space(path: Path, num_frames: int, width: int, height: int) -> None:
    """Refuse an output that will surely find no room: `num_frames` of a size in pixels.

    Raises:
        DiskFull: there is less room than it takes at the very least.
        VideoFileError: the ending of `path` names no format.
    """
    least = _LEAST_BYTES_PER_PIXEL[VideoFormat.of_path(path)] * num_frames * width * height
    check_space(path.parent, int(least), path.name)


def _output_pattern(path: Path) -> re.Pattern[str]:
    """Matches the names of the output's files: one or the whole sequence, and sidecars."""
    name = re.escape(path.name)
    if VideoFormat.of_path(path) is VideoFormat.PNG:
        name = rf"{re.escape(path.stem)}_\d{{4,}}{re.escape(path.suffix)}"
    return re.compile(rf"{name}(\.json)?")


def _write_sidecars(clip: Clip, folder: Path, names: Sequence[str]) -> list[str]:
    """Write a sidecar for each file that does not give back the request that is to be in it."""
    if clip.text is None:
        return []
    sidecars: list[str] = []
    for name in names:
        file = folder / name
        if embedded_request(file, clip.video_format) != json.loads(clip.text):
            sidecar = sidecar_path(file)
            sidecar.write_text(clip.text, encoding="ascii", newline="\n")
            sidecars.append(sidecar.name)
    return sidecars


def _publish_all(clip: Clip, folder: Path, names: Sequence[str]) -> list[Path]:
    published: list[Path] = []
    try:
        for name in names:
            path = clip.path.with_name(name)
            publish(folder / name, path, overwrite=clip.settings.overwrite)
            published.append(path)
    except BaseException:
        for path in published:
            path.unlink(missing_ok=True)
        raise
    return published
