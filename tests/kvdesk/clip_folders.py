"""Makes clips' folders as the worker does, for tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from PIL import Image

from engine.api import (
    CLIP_FORMAT,
    ClipInfo,
    FrameSize,
    GenerateRequest,
    Stage,
    StageSeconds,
    to_json,
)

if TYPE_CHECKING:
    from pathlib import Path

COLOURS = [(20 * i, 255 - 20 * i, 90) for i in range(12)]


def clip_info(prompt: str = "A red circle", **changes: object) -> ClipInfo:
    request = changes.pop("request", None) or GenerateRequest(
        prompt=prompt,
        seed=changes.pop("seed", 482193),
        size=changes.pop("size", FrameSize(width=64, height=64)),
    )
    values = {
        "format_version": CLIP_FORMAT,
        "model": "demo",
        "model_fingerprint": "a" * 64,
        "kvdesk_version": "0.1.0",
        "device": "cpu",
        "created": "2026-11-22T18:30:05+00:00",
        "num_frames": 45,
        "seconds": (
            StageSeconds(stage=Stage.TEXT, seconds=0.4),
            StageSeconds(stage=Stage.BASE_FRAMES, seconds=83.0),
        ),
        **changes,
    }
    return ClipInfo(request=request, **values)


def make_clip(clips: Path, name: str, *, strip: bool = False, **changes: object) -> Path:
    folder = clips / name
    folder.mkdir(parents=True)
    (folder / "clip.json").write_text(json.dumps(to_json(clip_info(**changes))))
    if strip:
        make_strip(folder)
    return folder


def make_strip(folder: Path, width: int = 64, height: int = 64) -> None:
    strip = Image.new("RGB", (12 * width, height))
    for i, colour in enumerate(COLOURS):
        strip.paste(colour, (i * width, 0, (i + 1) * width, height))
    strip.save(folder / "strip.jpg", quality=95)


def many_clips(clips: Path, count: int) -> None:
    """Folders with a `clip.json` each, of which every tenth has a cat."""
    for i in range(count):
        info = clip_info(
            prompt=f"A {'cat' if i % 10 == 0 else 'boat'} on the lake number {i}",
            seed=i,
            created=f"2026-11-22T{i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}+00:00",
        )
        folder = clips / f"20261122-{i:06}-clip"
        folder.mkdir(parents=True)
        (folder / "clip.json").write_text(json.dumps(to_json(info)))
