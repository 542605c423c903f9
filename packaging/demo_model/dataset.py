"""The training data: scenes with their latents, encoded once.

Shape legend: S scenes, F frames, 4 latent channels, h and w an eighth of the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from world import (
    CLIP_PIXELS,
    CORE_SHAPES,
    DISTANCES,
    KEY_FRAME_PIXELS,
    NUM_BASE_FRAMES,
    NUM_SMOOTH_FRAMES,
    Kind,
    Scene,
    all_kinds,
    random_scene,
)

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from engine.models.movq import MoVQ

NUM_PICTURES = 3000
NUM_CLIPS = 3000
NUM_SMOOTH_CLIPS = 400
NUM_FINE_CLIPS = 100
NUM_FINEST_FRAMES = 177
_ENCODE_AT_ONCE = 48
_SCORES = tuple(DISTANCES)
_STAR_WEIGHT = 0.3
"""The star is an extra, and takes little time from the shapes that the figures are about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Scenes and their latents (S F 4 h w) in float16."""

    scenes: list[Scene]
    latents: Tensor


def training_kinds() -> list[Kind]:
    """What is trained on: every kind that is not held out."""
    return [kind for kind in all_kinds() if not kind.is_held_out]


def random_scenes(count: int, seed: int) -> list[Scene]:
    """Scenes of kinds that are trained on."""
    rng = np.random.default_rng(seed)
    kinds = training_kinds()
    weights = np.array([1.0 if kind.shape in CORE_SHAPES else _STAR_WEIGHT for kind in kinds])
    chosen = rng.choice(len(kinds), size=count, p=weights / weights.sum())
    return [
        random_scene(kinds[index], rng, score=_SCORES[rng.integers(len(_SCORES))])
        for index in chosen
    ]


def encoded_pictures(work: Path, movq: MoVQ) -> Encoded:
    """First frames at the key frame's size."""
    scenes = random_scenes(NUM_PICTURES, seed=11)
    return _encoded(work / "pictures.pt", movq, scenes, moments=[[0.0]], pixels=KEY_FRAME_PIXELS)


def encoded_clips(work: Path, movq: MoVQ) -> Encoded:
    """Clips of 12 frames."""
    scenes = random_scenes(NUM_CLIPS, seed=12)
    moments = [_moments(NUM_BASE_FRAMES, 0, NUM_BASE_FRAMES)]
    return _encoded(work / "clips.pt", movq, scenes, moments=moments, pixels=CLIP_PIXELS)


def encoded_smooth_clips(work: Path, movq: MoVQ) -> Encoded:
    """Clips of 45 frames."""
    scenes = random_scenes(NUM_SMOOTH_CLIPS, seed=13)
    moments = [_moments(NUM_SMOOTH_FRAMES, 0, NUM_SMOOTH_FRAMES)]
    return _encoded(work / "smooth_clips.pt", movq, scenes, moments=moments, pixels=CLIP_PIXELS)


def encoded_fine_clips(work: Path, movq: MoVQ) -> Encoded:
    """Quarters of clips of 177 frames, 45 frames each."""
    scenes = random_scenes(NUM_FINE_CLIPS, seed=14)
    quarters = range(0, NUM_FINEST_FRAMES - 1, NUM_SMOOTH_FRAMES - 1)
    moments = [_moments(NUM_FINEST_FRAMES, start, NUM_SMOOTH_FRAMES) for start in quarters]
    return _encoded(work / "fine_clips.pt", movq, scenes, moments=moments, pixels=CLIP_PIXELS)


def _moments(num_frames: int, start: int, count: int) -> list[float]:
    """`count` neighbouring moments of a clip of `num_frames`."""
    return [index / (num_frames - 1) for index in range(start, start + count)]


@torch.no_grad()
def _encoded(
    path: Path, movq: MoVQ, scenes: list[Scene], *, moments: list[list[float]], pixels: int
) -> Encoded:
    """Encode `scenes` at `moments`, which they take in turns, or read what was encoded earlier."""
    if path.exists():
        return Encoded(scenes=scenes, latents=torch.load(path, weights_only=True))
    latents: list[Tensor] = []
    num_frames = len(moments[0])
    at_once = max(1, _ENCODE_AT_ONCE // num_frames)
    for start in range(0, len(scenes), at_once):
        frames = np.concatenate(
            [
                scene.render_at(moments[(start + index) % len(moments)], pixels=pixels)
                for index, scene in enumerate(scenes[start : start + at_once])
            ]
        )
        pictures = torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous() * 2 - 1
        with torch.autocast("cpu", dtype=torch.bfloat16):
            encoded = movq.encode(pictures)
        latents.append(encoded.half().unflatten(0, (-1, num_frames)))
    joined = torch.cat(latents)
    partial = path.with_suffix(".partial")
    torch.save(joined, partial)
    partial.replace(path)
    return Encoded(scenes=scenes, latents=joined)
