"""The figures of the demo model, through the engine's own pipeline and from pixels only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from perception import look_at
from PIL import Image
from world import (
    CLIP_PIXELS,
    CORE_SHAPES,
    DIRECTIONS,
    NUM_BASE_FRAMES,
    Kind,
    Motion,
    all_kinds,
    random_scene,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perception import FloatArray, Sight

    from engine.pipeline import Pipeline
    from engine.python_api import VideoPipeline

_FIRST_SEED = 900_000
"""Training draws its numbers from other seeds."""
_SMOOTH_EVERY = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured number and what it should be: at least, or below where `is_limit` is true."""

    name: str
    value: float
    target: float
    unit: str
    is_limit: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether the number is what it should be."""
        return self.value < self.target if self.is_limit else self.value >= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnClip:
    """A clip, what was asked for, and what it shows."""

    kind: Kind
    frames: FloatArray
    sight: Sight


def held_out_kinds(count: int) -> list[Kind]:
    """`count` kinds that training never saw; all of them in turns where they are too few."""
    rng = np.random.default_rng(_FIRST_SEED)
    kinds = [kind for kind in all_kinds(CORE_SHAPES) if kind.is_held_out]
    order = rng.permutation(len(kinds))
    return [kinds[order[index % len(kinds)]] for index in range(count)]


def as_array(frames: Sequence[Image.Image]) -> FloatArray:
    """Pictures as F H W 3, from 0 to 1."""
    return np.stack([np.asarray(frame, dtype=np.float32) / 255 for frame in frames])


def draw_clips(model: VideoPipeline, kinds: Sequence[Kind], *, motion: str) -> list[DrawnClip]:
    """A clip of 12 frames from the prompt of each of `kinds`."""
    clips: list[DrawnClip] = []
    for index, kind in enumerate(kinds):
        frames = as_array(model(kind.prompt, motion=motion, seed=_FIRST_SEED + index))
        clips.append(DrawnClip(kind=kind, frames=frames, sight=look_at(frames)))
    return clips


def prompt_figures(clips: Sequence[DrawnClip]) -> list[Figure]:
    """How often clips show what their prompts say."""
    targets = {"background": 95.0, "colour": 90.0, "motion": 85.0, "shape": 75.0}
    figures: list[Figure] = []
    for name, target in targets.items():
        right = [getattr(clip.sight, name) == getattr(clip.kind, name) for clip in clips]
        share = 100 * float(np.mean(right))
        figures.append(Figure(name=f"{name} right", value=share, target=target, unit="%"))
    return figures


def drift_figure(clips: Sequence[DrawnClip]) -> Figure:
    """How much colour or area, whichever changes more, changes in clips that stand still."""
    still = [clip.sight for clip in clips if clip.kind.motion is Motion.STILL]
    drifts = [max(sight.colour_drift, sight.area_drift) for sight in still]
    value = 100 * float(np.mean(drifts)) if drifts else float("nan")
    return Figure(name="drift of still objects", value=value, target=10.0, unit="%", is_limit=True)


def psnr(drawn: FloatArray, wanted: FloatArray) -> float:
    """Peak signal-to-noise ratio in decibels, of values from 0 to 1."""
    return float(-10 * np.log10(max(float(np.square(drawn - wanted).mean()), 1e-10)))


def picture_figure(model: VideoPipeline, kinds: Sequence[Kind]) -> Figure:
    """How near the first frame is to the picture that the clip begins with."""
    rng = np.random.default_rng(_FIRST_SEED + 1)
    ratios: list[float] = []
    for index, kind in enumerate(kinds):
        picture = random_scene(kind, rng, score=50).render(num_frames=1, pixels=CLIP_PIXELS)[0]
        image = Image.fromarray((picture * 255).round().astype(np.uint8))
        seed = _FIRST_SEED + 1000 + index
        frames = as_array(model(kind.prompt, image=image, motion="high", seed=seed))
        ratios.append(psnr(frames[0], picture))
    return Figure(
        name="first frame is the picture", value=float(np.mean(ratios)), target=22.0, unit="dB"
    )


def distance_figure(model: VideoPipeline, count: int) -> Figure:
    """How much further objects go at motion extreme than at motion low, from the same seeds."""
    kinds = [kind for kind in held_out_kinds(10 * count) if kind.motion in DIRECTIONS][:count]
    distance: dict[str, float] = {}
    for motion in ("low", "extreme"):
        clips = draw_clips(model, kinds, motion=motion)
        distance[motion] = float(np.mean([clip.sight.distance for clip in clips]))
    ratio = distance["extreme"] / max(distance["low"], 1e-6)
    return Figure(name="distance, extreme over low", value=ratio, target=3.0, unit="times")


def smoothness_figure(model: VideoPipeline, kinds: Sequence[Kind]) -> Figure:
    """How far the frames between base frames are from where their neighbours put them."""
    errors: list[float] = []
    for index, kind in enumerate(kinds):
        frames = as_array(
            model(kind.prompt, fps="medium", motion="high", seed=_FIRST_SEED + 2000 + index)
        )
        track = look_at(frames).track
        base = np.arange(0, len(frames), _SMOOTH_EVERY)
        every = np.arange(len(frames))
        off_x = track.x - np.interp(every, base, track.x[base])
        off_y = track.y - np.interp(every, base, track.y[base])
        between = every % _SMOOTH_EVERY != 0
        errors.extend((np.hypot(off_x, off_y)[between] * CLIP_PIXELS).tolist())
    return Figure(
        name="centroid error of 45 frames",
        value=float(np.mean(errors)),
        target=1.5,
        unit="pixels",
        is_limit=True,
    )


@torch.no_grad()
def decoder_figure(stages: Pipeline, kinds: Sequence[Kind]) -> Figure:
    """How near held-out clips are to themselves behind the encoder and the temporal decoder."""
    rng = np.random.default_rng(_FIRST_SEED + 2)
    ratios: list[float] = []
    for kind in kinds:
        frames = random_scene(kind, rng, score=50).render(
            num_frames=NUM_BASE_FRAMES, pixels=CLIP_PIXELS
        )
        pictures = [Image.fromarray((frame * 255).round().astype(np.uint8)) for frame in frames]
        latents = torch.cat([stages.encode_picture(picture) for picture in pictures])
        ratios.append(psnr(as_array(stages.decode(latents)), frames))
    return Figure(
        name="MoVQ on held-out clips", value=float(np.mean(ratios)), target=30.0, unit="dB"
    )


def contact_sheet(clips: Sequence[DrawnClip], *, columns: int = 2) -> Image.Image:
    """Clips as rows of their twelve frames, in `columns`."""
    rows = [np.concatenate(list(clip.frames), axis=1) for clip in clips]
    rows += [np.zeros_like(rows[0])] * (-len(rows) % columns)
    lines = [
        np.concatenate(rows[start : start + columns], axis=1)
        for start in range(0, len(rows), columns)
    ]
    return Image.fromarray((np.concatenate(lines) * 255).round().astype(np.uint8))
