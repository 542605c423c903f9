"""A clip's folder: what is known of the clip, and its pictures. Does not import torch.

Everything in it appears whole or not at all, so that a crash or a full disk leaves the clip as it
was a moment before. What only goes on with the work is in `engine.clip_checkpoints`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
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
from engine.errors import ClipError, MessageError, PictureError
from engine.files import fsync_folder, publish, temporary_beside, write_text_atomically
from engine.pictures import open_picture

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from engine.api import GenerateRequest

PREVIEW_FILE = "preview.png"

_MAX_CLIP_FILE_BYTES = 4 * 2**20
_MAX_JPEG_SIDE = 65_500
_STRIP_QUALITY = 85
_TEMPORARY = ".kvdesk-*.tmp"  # see engine.files


@contextlib.contextmanager
def writing(folder: Path) -> Generator[None]:
    """Raise what the disk reports while something is written into a clip's folder as a ClipError.

    Only for blocks that call nobody else.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = (
                f"The disk of {folder} is full. Free some space, and go on: what was done so far "
                "is kept."
            )
        else:
            message = (
                f"{folder} cannot be written: {reason}. Choose a folder that you may write to; if "
                "one of its files is open in another program, close it."
            )
        raise ClipError(message, detail=repr(error)) from error


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
            ClipError: the disk refuses.
        """
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
        clip = cls(path, info)
        clip.save(info)
        return clip

    def save(self, info: ClipInfo) -> None:
        """Write `info` as the clip's `clip.json`.

        Raises:
            ClipError: the disk refuses; the file is as it was.
        """
        text = json.dumps(to_json(info), indent=1, ensure_ascii=False) + "\n"
        with writing(self.path):
            write_text_atomically(self.path / CLIP_FILE, text)
        self.info = info

    def remove_temporaries(self) -> None:
        """Remove what a process that was killed left under temporary names."""
        for folder in (self.path, self.checkpoints):
            for leftover in folder.glob(_TEMPORARY):
                if leftover.is_dir():
                    shutil.rmtree(leftover, ignore_errors=True)
                else:
                    with contextlib.suppress(OSError):
                        leftover.unlink()

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
            ClipError: the disk refuses.
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
            ClipError: the disk refuses.
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
            if not file.is_file():
                break
            try:  # a crash may have left half a file
                pictures.append(open_picture(file))
            except PictureError:
                break
        return pictures

    def keep_decoded(self, num_frames: int, first: int, pictures: Sequence[Image.Image]) -> None:
        """Keep decoded frames, of `num_frames` those from index `first`.

        Raises:
            ClipError: the disk refuses.
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
            ClipError: the disk refuses; a version that was finished before still is.
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
        decoded = frame_path(self.checkpoints, num_frames, 0).parent
        for file in decoded.iterdir():
            with file.open("r+b") as opened:
                os.fsync(opened.fileno())
        fsync_folder(decoded)
        finished = frame_path(self.path, num_frames, 0).parent
        if finished.exists():  # not whole, or nobody would have decoded it again
            shutil.rmtree(finished)
        decoded.replace(finished)
        fsync_folder(self.path)

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
