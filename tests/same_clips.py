"""What makes two clips the same: the bytes of their pictures, and the latents behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file

from engine.clip import ClipFolder

if TYPE_CHECKING:
    from pathlib import Path

LAST_POINTS = {12: "base_frames", 45: "interpolation_1", 177: "interpolation_2"}
"""The checkpoint that holds the latents of a clip's frames, by their number."""


def pictures_of(folder: Path) -> dict[str, bytes]:
    """The files with the pictures of the finished clip in `folder`."""
    names = ["key_frame.png", "strip.jpg"]
    files = [folder / name for name in names] + list(ClipFolder.open(folder).frame_files())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def assert_same_pictures(folder: Path, other: Path) -> None:
    pictures, expected = pictures_of(folder), pictures_of(other)
    assert pictures.keys() == expected.keys()
    assert [name for name in expected if pictures[name] != expected[name]] == []


def assert_same_clip(folder: Path, other: Path) -> None:
    """The pictures are the same, and the latents that they were decoded from."""
    assert_same_pictures(folder, other)
    num_frames = ClipFolder.open(other).info.num_frames
    name = f"checkpoints/{LAST_POINTS[num_frames]}.safetensors"
    tensors, expected = load_file(folder / name), load_file(other / name)
    assert tensors.keys() == expected.keys()
    assert [name for name in expected if not torch.equal(tensors[name], expected[name])] == []


def names_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def whole_clip(num_frames: int, *more: str) -> set[str]:
    """The names of the files of a finished clip, and `more`."""
    frames = {f"frames_{num_frames}/{index:04d}.png" for index in range(1, num_frames + 1)}
    points = ["text", "key_frame", "base_frames"]
    points += {12: [], 45: ["interpolation_1"], 177: ["interpolation_1", "interpolation_2"]}[
        num_frames
    ]
    files = {f"checkpoints/{point}.safetensors" for point in points}
    return frames | files | {"clip.json", "clip.mp4", "key_frame.png", "strip.jpg", *more}
