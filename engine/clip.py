"""A clip's folder: what is known of the clip, and its pictures. Does not import torch.

Everything in it appears whole or not at all, so that a crash or a full disk leaves the clip as it
was a moment before. What only goes on with the work is in `engine.clip_checkpoints`.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from PIL import Image

from engine.api import (
    CHECKPOINTS_FOLDER,
    CLIP_FILE,
    CLIP_FORMAT,
    KEY_FRAME_FILE,
    NUM_BASE_FRAMES,
    PICTURE_FILE,
    STRIP_FILE,
    STRIP_HEIGHT,
    ClipInfo,
    Fps,
    frame_path,
    from_json,
    to_json,
)
from engine.api.files import (
    make_folder,
    publish,
    publish_folder,
    remove_all_temporaries,
    temporary_beside,
    write_text_atomically,
)
from engine.clip_space import missing_bytes
from engine.disk_space import disk_full, is_disk_full
from engine.errors import ClipError, MessageError, PictureError
from engine.pictures import open_picture

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from engine.api import GenerateRequest

PREVIEW_FILE = "preview.png"

_MAX_CLIP_FILE_BYTES = 4 * 2**20
_MAX_JPEG_SIDE = 65_500
_STRIP_QUALITY = 85
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"


@contextlib.contextmanager
def writing(folder: Path) -> Generator[None]:
    """Raise what the disk reports while something is written into the clip's folder `folder`.

    Only for blocks that call nobody else.

    Raises:
        DiskFull: there is no room left; the message says how much the rest of the clip needs.
        ClipError: the disk refuses for another reason.
    """
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            needed = None
            with contextlib.suppress(ClipError):
                needed = missing_bytes(folder, _read_info(folder).request)
            raise disk_full(folder, "the clip", needed_bytes=needed, detail=repr(error)) from error
        raise ClipError(
            f"{folder} cannot be written: {error.strerror or error}. Choose a folder that you may "
            "write to; if one of its files is open in another program, close it.",
            detail=repr(error),
        ) from error


def without_fps(request: GenerateRequest) -> GenerateRequest:
    """What every stage of `request` sees: how many of them follow makes no difference to any."""
    return replace(request, fps=Fps.LOW)


class ClipFolder:
    """The folder of one clip.

    Attributes:
        path: the folder.
        info: what `clip.json` says.
    """

    def __init__(self, path: Path, info: ClipInfo) -> None:
        self.path = path
        self.info = info

    @staticmethod
    def is_at(path: Path) -> bool:
        """Whether there is a clip in the folder `path`, whole or damaged."""
        return (path / CLIP_FILE).is_file()

    @classmethod
    def open(cls, path: Path) -> ClipFolder:
        """The clip in the folder `path`.

        Raises:
            ClipError: there is none, its `clip.json` is damaged, or a newer kvdesk wrote it.
        """
        return cls(path, _read_info(path))

    @classmethod
    def create(cls, path: Path, info: ClipInfo) -> ClipFolder:
        """Begin a clip in the folder `path`, which is made if need be.

        Raises:
            ClipError, DiskFull: the disk refuses.
        """
        with writing(path):
            make_folder(path)
        clip = cls(path, info)
        clip.save(info)
        return clip

    def save(self, info: ClipInfo) -> None:
        """Write `info` as the clip's `clip.json`.

        Raises:
            ClipError, DiskFull: the disk refuses; the file is as it was.
        """
        text = json.dumps(to_json(info), indent=1, ensure_ascii=False) + "\n"
        with writing(self.path):
            write_text_atomically(self.path / CLIP_FILE, text)
        self.info = info

    def remove_temporaries(self) -> None:
        """Remove what a process that was killed left under temporary names."""
        for folder in (self.path, self.checkpoints):
            remove_all_temporaries(folder)

    @property
    def checkpoints(self) -> Path:
        """The folder with what is needed to go on."""
        return self.path / CHECKPOINTS_FOLDER

    @property
    def loop_file(self) -> Path:
        """Where the loop that runs is saved."""
        return self.checkpoints / "loop.safetensors"

    # Pictures.

    def keep_picture(self, picture: Image.Image) -> None:
        """Keep the upright picture that the clip starts from.

        Raises:
            ClipError, DiskFull: the disk refuses.
        """
        self._write_png(picture, self.path / PICTURE_FILE)

    def picture(self) -> Image.Image | None:
        """The picture that was kept; None where there is none that can be read."""
        with contextlib.suppress(PictureError):
            return open_picture(self.path / PICTURE_FILE)
        return None

    def keep_key_frame(self, picture: Image.Image) -> Path:
        """Keep the picture that the base frames begin with, and say where.

        Raises:
            ClipError, DiskFull: the disk refuses.
        """
        path = self.path / KEY_FRAME_FILE
        self._write_png(picture, path)
        return path

    def _write_png(self, picture: Image.Image, path: Path) -> None:
        with writing(self.path), temporary_beside(path) as temporary:
            picture.save(temporary, "PNG")
            publish(temporary, path, overwrite=True)

    # Frames.

    def frame_files(self, num_frames: int | None = None) -> tuple[Path, ...]:
        """The files of the finished clip's frames, or of those of `num_frames`."""
        count = self.info.num_frames if num_frames is None else num_frames
        return tuple(frame_path(self.path, count, index) for index in range(count))

    def has_frames(self, num_frames: int) -> bool:
        """Whether the clip is finished in `num_frames`, and all of them are there."""
        return self.info.num_frames == num_frames and all(
            file.is_file() for file in self.frame_files()
        )

    def decoded(self, num_frames: int) -> list[Image.Image]:
        """The first of `num_frames` that were decoded before the work was interrupted."""
        decoded = frame_path(self.checkpoints, num_frames, 0).parent
        finished = frame_path(self.path, num_frames, 0).parent
        if finished.is_dir() and not decoded.exists():  # one is missing, or all were there
            with contextlib.suppress(OSError):
                self.checkpoints.mkdir(exist_ok=True)
                finished.replace(decoded)
        pictures: list[Image.Image] = []
        for index in range(num_frames):
            file = frame_path(self.checkpoints, num_frames, index)
            try:  # a crash may have left half a file
                if not _is_whole_png(file.read_bytes()):
                    break
                pictures.append(open_picture(file))
            except (OSError, PictureError):
                break
        return pictures

    def keep_decoded(self, num_frames: int, first: int, pictures: Sequence[Image.Image]) -> None:
        """Keep decoded frames, of `num_frames` those from index `first`.

        Raises:
            ClipError, DiskFull: the disk refuses.
        """
        with writing(self.path):
            # Without a temporary name each: the folder is one, until it is declared whole.
            for index, picture in enumerate(pictures, start=first):
                file = frame_path(self.checkpoints, num_frames, index)
                file.parent.mkdir(parents=True, exist_ok=True)
                picture.save(file, "PNG")

    def finish(self, info: ClipInfo, frames: Sequence[Image.Image]) -> None:
        """Declare the clip finished: `frames` are all its frames, kept by `keep_decoded`.

        Raises:
            ClipError, DiskFull: the disk refuses; a version that was finished before still is.
        """
        with writing(self.path):
            self._write_strip(frames)
            self._publish_frames(len(frames))
        self.save(info)
        self.remove_superseded()

    def remove_superseded(self) -> None:
        """Remove what the finished clip does not need: other versions and half done work."""
        finished = frame_path(self.path, self.info.num_frames, 0).parent
        for folder in (*self.path.glob("frames_*"), *self.checkpoints.glob("frames_*")):
            if folder != finished:
                shutil.rmtree(folder, ignore_errors=True)
        for file in (self.path / PREVIEW_FILE, self.loop_file):
            with contextlib.suppress(OSError):
                file.unlink()

    def _publish_frames(self, num_frames: int) -> None:
        finished = frame_path(self.path, num_frames, 0).parent
        if finished.exists():  # not whole, or nobody would have decoded it again
            shutil.rmtree(finished)
        publish_folder(frame_path(self.checkpoints, num_frames, 0).parent, finished)

    def _write_strip(self, frames: Sequence[Image.Image]) -> None:
        base_frames = frames[:: (len(frames) - 1) // (NUM_BASE_FRAMES - 1)]
        width, height = frames[0].size
        scale = min(1.0, STRIP_HEIGHT / height, _MAX_JPEG_SIDE / (width * len(base_frames)))
        width, height = max(1, int(width * scale)), max(1, int(height * scale))
        strip = Image.new("RGB", (width * len(base_frames), height))
        for number, frame in enumerate(base_frames):
            small = frame.resize((width, height), Image.Resampling.LANCZOS)
            strip.paste(small, (number * width, 0))
        path = self.path / STRIP_FILE
        with temporary_beside(path) as temporary:
            strip.save(temporary, "JPEG", quality=_STRIP_QUALITY)
            publish(temporary, path, overwrite=True)


def _is_whole_png(data: bytes) -> bool:
    """Whether no byte is missing or wrong. Decoders are content when they have all pixels."""
    begin = 8  # behind the signature
    while begin < len(data):
        end = begin + 8 + int.from_bytes(data[begin : begin + 4], "big")
        if zlib.crc32(data[begin + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return False
        begin = end + 4
    return data.endswith(_PNG_END)


def _read_info(folder: Path) -> ClipInfo:
    path = folder / CLIP_FILE
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_CLIP_FILE_BYTES)
        data = json.loads(raw.decode("utf-8"))
    except FileNotFoundError as error:
        raise ClipError(f"There is no clip in {folder}.", detail=repr(error)) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ClipError(f"{path} cannot be read: {reason}.", detail=repr(error)) from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    version = cast("dict[str, object]", data).get("format_version") if type(data) is dict else None
    if type(version) is int and version > CLIP_FORMAT:
        raise ClipError(
            f"The clip in {folder} was made by a newer kvdesk (format {version}; this one reads "
            f"up to {CLIP_FORMAT}). Update kvdesk."
        )
    try:
        return from_json(ClipInfo, data, where=CLIP_FILE)
    except MessageError as error:
        raise _damaged(path, error.message) from error


def _damaged(path: Path, reason: str) -> ClipError:
    return ClipError(
        f"{path} is damaged, so the clip cannot be used. Make it again in another folder.",
        detail=reason,
    )
