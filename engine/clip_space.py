"""How much room a clip's folder takes on the disk until the clip is finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.api import CHECKPOINTS_FOLDER, LATENT_SCALE, NUM_BASE_FRAMES, Fps, Stage, frame_path
from engine.disk_space import check_space

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import GenerateRequest

# Of a PNG of the usual kind of picture, and of an H.264 at the usual quality: estimated.
_FRAME_BYTES_PER_PIXEL = 2.0
_VIDEO_BYTES_PER_PIXEL = 0.25
_LATENT_CHANNELS = 4
_LATENT_ITEM_BYTES = 4
_LOOP_TENSORS = 4  # latents, and what the solvers with the longest memory keep of earlier steps
_TEXT_BYTES = 2 * 2**20  # the longest prompt, as the released text encoder makes it
_KEY_FRAME_SCALE = 2  # of its sides to the clip's


def check_clip_space(folder: Path, request: GenerateRequest, until: Stage | None) -> None:
    """Refuse to begin or to go on where the rest of the clip would not fit on the disk.

    Raises:
        DiskFull: the message says how much is missing.
    """
    check_space(folder, missing_bytes(folder, request, until), "the clip")


def missing_bytes(folder: Path, request: GenerateRequest, until: Stage | None = None) -> int:
    """About what the clip of `request` in `folder` still writes until `until` is done."""
    pixels = request.size.width * request.size.height
    latents = _LATENT_CHANNELS * _LATENT_ITEM_BYTES * pixels // LATENT_SCALE**2
    key_frame = _KEY_FRAME_SCALE**2 * (latents * _LOOP_TENSORS + _picture_bytes(pixels))
    checkpoints = _TEXT_BYTES + (key_frame if request.picture is None else latents)
    frames = 0
    if until not in (Stage.TEXT, Stage.KEY_FRAME):
        passes = [NUM_BASE_FRAMES]
        if until is not Stage.BASE_FRAMES:
            passes += [fps.num_frames for fps in (Fps.MEDIUM, Fps.HIGH)]
            passes = [count for count in passes if count <= request.fps.num_frames]
        checkpoints += latents * (sum(passes) + _LOOP_TENSORS * max(passes))
    if until in (None, Stage.DECODE, Stage.SAVE):
        count = request.fps.num_frames
        frames = count * int((_FRAME_BYTES_PER_PIXEL + _VIDEO_BYTES_PER_PIXEL) * pixels)
        there = frame_path(folder / CHECKPOINTS_FOLDER, count, 0).parent
        frames -= min(frames, _bytes_of_files(there))
    return frames + max(0, checkpoints - _bytes_of_files(folder / CHECKPOINTS_FOLDER))


def _picture_bytes(pixels: int) -> int:
    return int(_FRAME_BYTES_PER_PIXEL * pixels)


def _bytes_of_files(folder: Path) -> int:
    """Of the files right in `folder`; 0 where it cannot be read."""
    try:
        return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    except OSError:
        return 0
