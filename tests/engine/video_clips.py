"""Small clips to save, and ways to look at what was saved."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import imageio_ffmpeg
import numpy as np
from PIL import Image

from engine import ffmpeg
from engine.jail import JailLevel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

WIDTH, HEIGHT = 64, 48
REQUEST = {
    "prompt": 'Кошка 猫 🐈\nsecond line\r\t= ; # \\ \\\\ \\n "quoted" <&> \x00\x7f \u2028',
    "negative_prompt": "",
    "seed": 2**63 - 1,
    "guidance": {"prompt": 5.5, "image": -1e-9},
    "picture": None,
    "list": [True, [], {}],
}


def smooth_frames(num_frames: int) -> list[Image.Image]:
    """Gradients without fine detail; every frame differs from every other."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return [
        Image.fromarray(
            np.stack([60 + x + 7 * n, 200 - y - 8 * n, 90 + x // 2 + y // 2], -1).astype(np.uint8)
        )
        for n in range(num_frames)
    ]


def grey_frames(levels: list[int]) -> list[Image.Image]:
    """Plain frames that can be told apart by their level in any format."""
    return [Image.new("RGB", (WIDTH, HEIGHT), (level,) * 3) for level in levels]


def decode_mp4(path: Path) -> np.ndarray:
    """Pixels (frames, height, width, 3) by a player that takes the file for BT.709."""
    filters = "scale=in_color_matrix=bt709:in_range=tv"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-i", str(path)]
    command += ["-vf", filters, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    pixels = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(-1, HEIGHT, WIDTH, 3)


def describe_mp4(path: Path) -> str:
    """What ffmpeg prints about the file."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def mp4_seconds(path: Path) -> float:
    """The duration that the file declares."""
    found = re.search(r"Duration: 00:00:(\d+\.\d+)", describe_mp4(path))
    assert found
    return float(found[1])


def decode_picture(path: Path) -> tuple[np.ndarray, list[int]]:
    """Pixels (frames, height, width, 3) and milliseconds of every frame of a GIF or WebP."""
    pixels: list[np.ndarray] = []
    durations: list[int] = []
    with Image.open(path) as picture:
        for number in range(picture.n_frames):
            picture.seek(number)
            pixels.append(np.asarray(picture.convert("RGB")))  # before its duration is known
            durations.append(int(picture.info["duration"]))
    return np.stack(pixels), durations


def first_picture(path: Path) -> np.ndarray:
    """Pixels (height, width, 3) of a PNG, or of the first frame of a GIF or WebP."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def picture_info(path: Path) -> dict:
    """What Pillow finds in the head of a picture besides pixels."""
    with Image.open(path) as picture:
        return dict(picture.info)


def psnr(pixels: np.ndarray, frames: list[Image.Image]) -> float:
    """Peak signal to noise ratio over all frames, in dB."""
    wanted = np.stack([np.asarray(frame) for frame in frames]).astype(float)
    assert pixels.shape == wanted.shape
    return float(10 * np.log10(255**2 / max(((pixels - wanted) ** 2).mean(), 1e-9)))


def use_program(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    """Put the Python `program` in ffmpeg's place, as a file in `folder`."""
    folder.mkdir()
    executable = folder / "ffmpeg"
    executable.write_text(f"#!{sys.executable}\n{program}\n")
    executable.chmod(0o755)
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: str(executable))
    # It is a script, and locked up it could not read Python's own files.
    monkeypatch.setattr(ffmpeg, "probe", lambda: JailLevel.NONE)
