"""Finished clips as a worker leaves them, without making them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from engine.api import (
    CLIP_FILE,
    CLIP_FORMAT,
    ClipInfo,
    Fps,
    FrameSize,
    GenerateRequest,
    frame_path,
    to_json,
)

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 64
PROMPT = "a red circle moving to the right on a dark blue background"


def request_of(fps: Fps = Fps.MEDIUM) -> GenerateRequest:
    return GenerateRequest(prompt=PROMPT, seed=7, size=FrameSize(width=SIDE, height=SIDE), fps=fps)


def demo_like_frames(num_frames: int, *, width: int = SIDE, height: int = SIDE):
    """A disc that moves over a plain ground with a little noise, as the demo model draws."""
    noise = np.random.default_rng(7)
    frames = []
    for number in range(num_frames):
        frame = Image.new("RGB", (width, height), (30, 40, 90))
        x = width * (0.2 + 0.6 * number / max(1, num_frames - 1))
        y = height * (0.5 + 0.2 * np.sin(number / 5))
        radius = min(width, height) / 6
        ImageDraw.Draw(frame).ellipse((x - radius, y - radius, x + radius, y + radius), "firebrick")
        pixels = np.asarray(frame) + noise.normal(0, 2, (height, width, 3))
        frames.append(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)))
    return frames


def write_clip(folder: Path, frames: list[Image.Image], *, fps: Fps = Fps.MEDIUM) -> ClipInfo:
    """A finished clip in `folder`; how many frames there are is not checked against `fps`."""
    info = ClipInfo(
        format_version=CLIP_FORMAT,
        request=request_of(fps),
        model="demo",
        model_fingerprint="0" * 64,
        kvdesk_version="0.1.0",
        device="cpu",
        created="2026-11-22T19:30:05+00:00",
        has_key_frame=True,
        num_frames=len(frames),
    )
    for index, frame in enumerate(frames):
        path = frame_path(folder, len(frames), index)
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.save(path)
    folder.mkdir(exist_ok=True)
    (folder / CLIP_FILE).write_text(json.dumps(to_json(info)))
    return info
