"""What a clip shows, measured from its pixels alone.

Background by the border, object by its difference from it, colour by the nearest of the palette,
motion by centroid and area, shape by the outline that covers it best.

Shape legend: F frames, H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from shapes import CENTROIDS, UNIT_AREAS, Shape, draw
from world import (
    CORE_SHAPES,
    DISTANCES,
    GROWTHS,
    RGB_OF_BACKGROUND,
    RGB_OF_COLOUR,
    Background,
    Colour,
    Motion,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

_LEAST_DIFFERENCE = 0.12
"""Below this distance in RGB (from 0 to 1) from the background nothing is an object."""
_LEAST_COVERAGE = 0.3
"""Pixels that the object covers by less are its blurred edge or noise."""
_MOVES_FROM = 0.03  # of the frame's width
_GROWS_FROM = 1.12  # area at the end over area at the beginning
_FULL_WAY = DISTANCES[50]
_FULL_GROWTH = 2 * float(np.log(1 + GROWTHS[50]))  # of the area's logarithm


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectTrack:
    """The object in every frame, all (F): centroid and area as parts of the frame."""

    x: FloatArray
    y: FloatArray
    area: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a clip shows."""

    background: Background
    colour: Colour
    shape: Shape
    motion: Motion
    track: ObjectTrack
    object_rgb: tuple[float, float, float]
    colour_drift: float

    @property
    def distance(self) -> float:
        """How far the centroid goes from the first to the last frame, in widths of the frame."""
        return float(np.hypot(*_displacement(self.track)))

    @property
    def area_drift(self) -> float:
        """The largest change of the area against the first frame, as a part of it."""
        first = max(float(self.track.area[0]), 1e-6)
        return float(np.abs(self.track.area / first - 1).max())


def look_at(frames: FloatArray, shapes: Sequence[Shape] = CORE_SHAPES) -> Sight:
    """Say what `frames` (F H W 3, from 0 to 1) show; `shapes` are those to choose from."""
    background_rgb = np.median(_border(frames), axis=0)
    colours = np.stack([_object_colour(frame, background_rgb) for frame in frames])
    object_rgb = np.median(colours, axis=0)
    coverage = _coverage(frames, background_rgb, object_rgb)
    track = track_object(coverage)
    return Sight(
        background=_nearest(background_rgb, RGB_OF_BACKGROUND),
        colour=_nearest(object_rgb, RGB_OF_COLOUR),
        shape=_shape(coverage, track, shapes),
        motion=_motion(track),
        track=track,
        object_rgb=(float(object_rgb[0]), float(object_rgb[1]), float(object_rgb[2])),
        colour_drift=float(np.linalg.norm(colours - colours[0], axis=1).max() / np.sqrt(3)),
    )


def _border(frames: FloatArray) -> FloatArray:
    sides = (frames[:, :2], frames[:, -2:], frames[:, :, :2], frames[:, :, -2:])
    return np.concatenate([side.reshape(-1, 3) for side in sides])


def _object_colour(frame: FloatArray, background_rgb: FloatArray) -> FloatArray:
    """The colour of the pixels that differ most: the object's inside, not its edge."""
    difference = np.linalg.norm(frame - background_rgb, axis=-1)
    most = np.quantile(difference, 0.99)
    inside = difference >= max(0.75 * most, 1e-6)
    return np.median(frame[inside], axis=0)


def _coverage(frames: FloatArray, background_rgb: FloatArray, object_rgb: FloatArray) -> FloatArray:
    """F H W: 0 where a pixel has the background's colour, 1 where it has the object's."""
    towards = object_rgb - background_rgb
    length = float(np.dot(towards, towards))
    if length < _LEAST_DIFFERENCE**2:
        return np.zeros(frames.shape[:3], dtype=np.float32)
    part = np.clip((frames - background_rgb) @ towards / length, 0, 1)
    return np.where(part < _LEAST_COVERAGE, 0, part).astype(np.float32)


def track_object(coverage: FloatArray) -> ObjectTrack:
    """Centroid and area of what covers the frames (F H W); the middle where nothing does."""
    _, height, width = coverage.shape
    total = coverage.sum(axis=(1, 2))
    safe = np.maximum(total, 1e-6)
    across = (np.arange(width) + 0.5) / width
    down = (np.arange(height) + 0.5) / height
    x = (coverage.sum(axis=1) @ across) / safe
    y = (coverage.sum(axis=2) @ down) / safe
    empty = total < 1
    return ObjectTrack(
        x=np.where(empty, 0.5, x), y=np.where(empty, 0.5, y), area=total / (height * width)
    )


def _displacement(track: ObjectTrack) -> tuple[float, float]:
    return float(track.x[-1] - track.x[0]), float(track.y[-1] - track.y[0])


def _motion(track: ObjectTrack) -> Motion:
    """What changes more, measured by what the world does at the same motion score."""
    across, down = _displacement(track)
    distance = max(abs(across), abs(down))
    growth = float(np.log(max(track.area[-1], 1e-6) / max(track.area[0], 1e-6)))
    if abs(growth) >= np.log(_GROWS_FROM) and abs(growth) / _FULL_GROWTH > distance / _FULL_WAY:
        return Motion.GROWING if growth > 0 else Motion.SHRINKING
    if distance < _MOVES_FROM:
        return Motion.STILL
    if abs(across) >= abs(down):
        return Motion.RIGHT if across > 0 else Motion.LEFT
    return Motion.DOWN if down > 0 else Motion.UP


def _shape(coverage: FloatArray, track: ObjectTrack, shapes: Sequence[Shape]) -> Shape:
    """The shape that, drawn with the same centroid and area, covers the most of the same pixels."""

    def likeness(shape: Shape) -> float:
        radius = np.sqrt(np.maximum(track.area, 1e-6) / UNIT_AREAS[shape])
        off_x, off_y = CENTROIDS[shape]
        states = np.stack([track.x - off_x * radius, track.y - off_y * radius, radius], axis=1)
        drawn = draw(states.astype(np.float32), shape=shape, pixels=coverage.shape[-1])
        together = np.minimum(drawn, coverage).sum(axis=(1, 2))
        either = np.maximum(drawn, coverage).sum(axis=(1, 2))
        return float((together / np.maximum(either, 1e-6)).mean())

    return max(shapes, key=likeness)


def _nearest(rgb: FloatArray, palette: Mapping[Colour, object] | Mapping[Background, object]):  # noqa: ANN202 - the palette's kind of name
    return min(palette, key=lambda name: np.linalg.norm(np.asarray(palette[name]) / 255 - rgb))
