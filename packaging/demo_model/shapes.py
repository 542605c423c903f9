"""The shapes of the demo model's world, drawn with antialiasing from their signed distance."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

_SQUARE = 0.886  # half a side, for the area of the circle
_TRIANGLE = 1.4  # distance of a corner from the centroid
_STAR = 1.45  # distance of a tip from the centre
_STAR_WAIST = 0.45  # distance of an inner corner from the centre, as a part of a tip's


class Shape(StrEnum):
    """What the object is."""

    CIRCLE = "circle"
    SQUARE = "square"
    TRIANGLE = "triangle"
    STAR = "star"


HALF_EXTENTS = {
    Shape.CIRCLE: (1.0, 1.0),
    Shape.SQUARE: (_SQUARE, _SQUARE),
    Shape.TRIANGLE: (_TRIANGLE * math.sqrt(3) / 2, _TRIANGLE * 0.75),
    Shape.STAR: (_STAR * math.sin(math.radians(72)), _STAR * (1 + math.cos(math.radians(36))) / 2),
}
"""Half the width and half the height of a shape of radius 1; its position is their middle."""

CENTROIDS = {
    Shape.CIRCLE: (0.0, 0.0),
    Shape.SQUARE: (0.0, 0.0),
    Shape.TRIANGLE: (0.0, _TRIANGLE * 0.25),
    Shape.STAR: (0.0, _STAR * (1 - math.cos(math.radians(36))) / 2),
}
"""Where the centroid of a shape of radius 1 lies from its position."""
UNIT_AREAS = {
    Shape.CIRCLE: math.pi,
    Shape.SQUARE: (2 * _SQUARE) ** 2,
    Shape.TRIANGLE: _TRIANGLE**2 * 0.75 * math.sqrt(3),
    Shape.STAR: 5 * _STAR**2 * _STAR_WAIST * math.sin(math.radians(36)),
}
"""Areas of shapes of radius 1."""


def draw(states: FloatArray, *, shape: Shape, pixels: int) -> FloatArray:
    """How much of each pixel `shape` covers.

    Args:
        states: N 3: x, y and radius as parts of the frame.
        shape: what is drawn.
        pixels: height and width of the frame.

    Returns:
        N H W, from 0 to 1.
    """
    axis = (np.arange(pixels, dtype=np.float32) + 0.5) / pixels
    x, y, radius = (states[:, index, None, None] for index in range(3))
    across = (axis[None, None, :] - x) / radius
    down = (axis[None, :, None] - y) / radius
    distance = _DISTANCES[shape](across, down) * radius * pixels
    return np.clip(0.5 - distance, 0, 1).astype(np.float32)


def _circle(across: FloatArray, down: FloatArray) -> FloatArray:
    return np.hypot(across, down) - 1


def _square(across: FloatArray, down: FloatArray) -> FloatArray:
    return np.maximum(np.abs(across), np.abs(down)) - _SQUARE


def _triangle(across: FloatArray, down: FloatArray) -> FloatArray:
    down = down - _TRIANGLE * 0.25  # from the middle of the box to the centroid
    side = np.abs(across) * (math.sqrt(3) / 2) - down / 2
    return np.maximum(side, down) - _TRIANGLE / 2


def _star(across: FloatArray, down: FloatArray) -> FloatArray:
    down = down - _STAR * (1 - math.cos(math.radians(36))) / 2
    wedge = math.radians(36)
    angle = np.arctan2(across, -down)
    folded = np.abs(np.mod(angle + wedge, 2 * wedge) - wedge)
    along, beside = np.cos(folded), np.sin(folded)
    length = np.hypot(across, down)
    # The edge runs from a tip to the inner corner beside it.
    edge_x = _STAR_WAIST * math.cos(wedge) - 1
    edge_y = _STAR_WAIST * math.sin(wedge)
    normal_x, normal_y = edge_y, -edge_x
    size = math.hypot(normal_x, normal_y)
    return (normal_x * (along * length - _STAR) + normal_y * beside * length) / size


_DISTANCES = {
    Shape.CIRCLE: _circle,
    Shape.SQUARE: _square,
    Shape.TRIANGLE: _triangle,
    Shape.STAR: _star,
}
