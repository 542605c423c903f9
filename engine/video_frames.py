"""The frames inside a video file, as pictures in a folder.

A file may come from anyone: only the four formats that this program saves are read, MP4 only with
H.264, and of limited size.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeAlias

from PIL import Image

from engine import ffmpeg
from engine.animations import MAX_FRAMES, check_frame_size, damaged_video, too_many_frames
from engine.api import GenerateRequest, VideoOpened, frame_path, from_json
from engine.api.files import temporary_beside
from engine.errors import Cancelled, MessageError, PictureError, VideoFileError
from engine.picture_files import shown_name
from engine.picture_opening import opened_animation, picture_decoder
from engine.strange_files import open_regular_file
from engine.video_failures import failures_explained
from engine.video_format import HEAD_BYTES, VideoFormat
from engine.video_metadata import read_request

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

_WHITE = (255, 255, 255)
_MOST_SECONDS = 300
_USUAL_FRAMES_PER_SECOND = 10.0  # of an animation that names no duration, as browsers have it
_PNG_FRAMES_PER_SECOND = 8.0
_PPM_HEAD = re.compile(rb"P6\n(\d+) (\d+)\n255\n")
_MAX_PPM_HEAD_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Video:
    """Frames that are yet to be read, and how long each of them is shown on average."""

    frames: Iterable[Image.Image]
    frames_per_second: float


def open_video(path: Path, folder: Path, *, is_cancelled: Callable[[], bool]) -> VideoOpened:
    """Write the frames of the video file `path` into the new folder `folder`.

    They are PNG files with the names of `frame_path`. Of a PNG file with a number at the end of
    its name all files of the sequence are taken.

    Raises:
        Cancelled: `is_cancelled` said so. There is no `folder` then.
        VideoFileError: the file cannot be read, is none of ours, or is too long or too large; or
            the frames cannot be written.
    """
    video_format = _format_of(path)
    request = _request_in(path)
    if folder.exists():
        raise VideoFileError(f"{folder} exists already. Choose a new folder for the frames.")
    try:
        with (
            _READERS[video_format](path, request) as video,
            temporary_beside(folder) as temporary,
        ):
            with failures_explained(folder):
                (temporary / "frames").mkdir(parents=True)
            size, num_frames = _write_frames(video.frames, temporary, is_cancelled)
            with failures_explained(folder):
                frames = frame_path(temporary, num_frames, 0).parent
                (temporary / "frames").rename(frames)
                temporary.rename(folder)
    except ffmpeg.FfmpegError as error:
        raise damaged_video(shown_name(path), error.words) from error
    except PictureError as error:
        raise VideoFileError(error.message, detail=error.detail) from error
    except OSError as error:
        raise VideoFileError(f"{path} cannot be read.", detail=str(error)) from error
    return VideoOpened(
        folder=str(folder),
        num_frames=num_frames,
        width=size[0],
        height=size[1],
        frames_per_second=video.frames_per_second,
        request=request,
    )


def _write_frames(
    frames: Iterable[Image.Image], folder: Path, is_cancelled: Callable[[], bool]
) -> tuple[tuple[int, int], int]:
    """Write to `folder`/frames; the frames' common size and their number."""
    size = (0, 0)
    count = 0
    for frame in frames:
        if is_cancelled():
            raise Cancelled
        if count == 0:
            size = frame.size
            check_frame_size(size)
        if frame.size != size or count == MAX_FRAMES:
            raise too_many_frames() if frame.size == size else _of_two_sizes()
        with failures_explained(folder):
            # These files are looked at once and thrown away: small matters less than soon.
            frame.convert("RGB").save(folder / "frames" / f"{count + 1:04d}.png", compress_level=1)
        count += 1
    if not count:
        raise VideoFileError("There is no frame in the file. Choose another one.")
    return size, count


def _format_of(path: Path) -> VideoFormat:
    try:
        with open_regular_file(path) as file:
            found = VideoFormat.of_content(file.read(HEAD_BYTES))
    except FileNotFoundError as error:
        raise VideoFileError(f"There is no file {path}.", detail=str(error)) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        raise VideoFileError(f"{path} cannot be read.", detail=str(error)) from error
    if found is None:
        raise VideoFileError(
            f"{path.name} is not an MP4, GIF, WebP or PNG file. Save it as an MP4 with H.264 in "
            "another program first."
        )
    return found


def _request_in(path: Path) -> GenerateRequest | None:
    try:
        return from_json(GenerateRequest, read_request(path))
    except (VideoFileError, MessageError):
        return None


# MP4


@contextmanager
def _read_mp4(path: Path, _request: GenerateRequest | None) -> Generator[_Video]:
    # The kind of file and of video and the protocols are fixed: a playlist in disguise must not
    # make ffmpeg open other files or addresses, nor its rarer decoders.
    source = [*("-protocol_whitelist", "file,pipe", "-f", "mov"), "-i", ffmpeg.file_argument(path)]
    source += ["-map", "0:v:0"]
    limit = ["-frames:v", str(MAX_FRAMES + 1)]
    # Without decoding: the size, the unit of time, and a line for each frame.
    listing = [*source, "-c", "copy", *limit, "-f", "framecrc", "pipe:1"]
    packets = ffmpeg.read(listing, source=path).decode(errors="replace")
    size = re.search(r"^#dimensions 0: (\d+)x(\d+)$", packets, re.MULTILINE)
    unit = re.search(r"^#tb 0: (\d+)/(\d+)$", packets, re.MULTILINE)
    if "#codec_id 0: h264" not in packets or size is None or unit is None:
        raise VideoFileError(
            f"{path.name} is an MP4 of a kind that is not read: it must hold H.264 video. "
            "Save it as H.264 in another program."
        )
    check_frame_size((int(size[1]), int(size[2])))
    lines = [line for line in packets.splitlines() if not line.startswith("#")]
    if len(lines) > MAX_FRAMES:
        raise too_many_frames()
    durations = [int(line.split(",")[3]) for line in lines]
    seconds = sum(durations) * int(unit[1]) / int(unit[2])
    rate = len(lines) / seconds if seconds > 0 else _USUAL_FRAMES_PER_SECOND
    decoder = ["-c:v", "h264", *source, "-fps_mode", "passthrough", *limit]
    decoder += ["-f", "image2pipe", "-c:v", "ppm", "pipe:1"]
    yield _Video(frames=_decoded(path, decoder), frames_per_second=rate)


def _decoded(path: Path, arguments: list[str]) -> Generator[Image.Image]:
    with ffmpeg.reading(arguments, source=path, most_seconds=_MOST_SECONDS) as output:
        while (size := _read_ppm_head(output)) is not None:
            check_frame_size(size)
            pixels = output.read(size[0] * size[1] * 3)
            if len(pixels) < size[0] * size[1] * 3:
                return  # ffmpeg was ended; leaving the block says why
            yield Image.frombytes("RGB", size, pixels)


def _read_ppm_head(output: IO[bytes]) -> tuple[int, int] | None:
    head = b"".join(output.readline(_MAX_PPM_HEAD_BYTES) for _ in range(3))
    found = _PPM_HEAD.fullmatch(head)
    return None if found is None else (int(found[1]), int(found[2]))


# Pictures


@contextmanager
def _read_animation(path: Path, _request: GenerateRequest | None) -> Generator[_Video]:
    with opened_animation(path) as (durations, frames):
        is_webp = _format_of(path) is VideoFormat.WEBP
        shown = _times_shown(durations) if is_webp else [1] * len(durations)
        seconds = sum(durations) / 1000
        yield _Video(
            frames=_repeated(frames, shown),
            frames_per_second=sum(shown) / seconds if seconds > 0 else _USUAL_FRAMES_PER_SECOND,
        )


def _repeated(frames: Iterable[Image.Image], shown: list[int]) -> Generator[Image.Image]:
    for frame, times in zip(frames, shown, strict=True):
        for _ in range(times):
            yield frame


def _times_shown(durations: list[int]) -> list[int]:
    """How many frames each frame of a WebP stands for: those that look alike are stored once."""
    shortest = max(1, min(durations))
    shown = [max(1, round(duration / shortest)) for duration in durations]
    return shown if sum(shown) <= MAX_FRAMES else [1] * len(durations)


@contextmanager
def _read_pictures(path: Path, request: GenerateRequest | None) -> Generator[_Video]:
    paths = _sequence_of(path)
    if len(paths) > MAX_FRAMES:
        raise too_many_frames()
    rate = _PNG_FRAMES_PER_SECOND if request is None else float(request.fps.frames_per_second)
    with picture_decoder(most_seconds=_MOST_SECONDS, most_cpu_seconds=_MOST_SECONDS) as decoder:
        frames = (decoder.picture(path, background=_WHITE) for path in paths)
        yield _Video(frames=frames, frames_per_second=rate)


def _sequence_of(path: Path) -> list[Path]:
    numbered = re.fullmatch(r"(.*_)\d{4,}", path.stem)
    if numbered is None:
        return [path]
    pattern = re.compile(re.escape(numbered[1]) + r"\d{4,}" + re.escape(path.suffix))
    found = [entry for entry in path.parent.iterdir() if pattern.fullmatch(entry.name)]
    return sorted(found, key=lambda entry: int(entry.stem.removeprefix(numbered[1])))


_Reader: TypeAlias = "Callable[[Path, GenerateRequest | None], AbstractContextManager[_Video]]"
_READERS: dict[VideoFormat, _Reader] = {
    VideoFormat.MP4: _read_mp4,
    VideoFormat.GIF: _read_animation,
    VideoFormat.WEBP: _read_animation,
    VideoFormat.PNG: _read_pictures,
}


# Refusals


def _of_two_sizes() -> VideoFileError:
    return VideoFileError(
        "The frames are not all of one size. Choose files that were saved together."
    )
