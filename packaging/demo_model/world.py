"""The demo model's world: one object on one background, and how it moves.

A `Scene` says everything about a clip, in fractions of the frame, so that it can be drawn at any
size and at any moment: the key frame at twice the clip's size, 12 base frames, or the 45 frames of
the same clip.

Shape legend: N frames, H height, W width.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from shapes import CENTROIDS, HALF_EXTENTS, Shape, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

CLIP_PIXELS = 64
KEY_FRAME_PIXELS = 128
NUM_BASE_FRAMES = 12
NUM_SMOOTH_FRAMES = 45
MARGIN = 1 / 64
"""What stays free between the object and the frame, as a part of the frame."""

FloatArray = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


class Colour(StrEnum):
    """What the object is painted with."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    YELLOW = "yellow"
    WHITE = "white"
    PURPLE = "purple"


class Background(StrEnum):
    """What is behind the object."""

    BLACK = "black"
    GRAY = "gray"
    DARK_BLUE = "dark blue"


class Motion(StrEnum):
    """What the object does."""

    LEFT = "moving to the left"
    RIGHT = "moving to the right"
    UP = "moving up"
    DOWN = "moving down"
    GROWING = "growing"
    SHRINKING = "shrinking"
    STILL = "standing still"


RGB_OF_COLOUR = {
    Colour.RED: (220, 40, 40),
    Colour.GREEN: (40, 180, 60),
    Colour.BLUE: (50, 90, 245),
    Colour.YELLOW: (240, 220, 50),
    Colour.WHITE: (245, 245, 245),
    Colour.PURPLE: (165, 50, 205),
}
RGB_OF_BACKGROUND = {
    Background.BLACK: (10, 10, 10),
    Background.GRAY: (115, 115, 115),
    Background.DARK_BLUE: (15, 20, 85),
}
DIRECTIONS = {
    Motion.LEFT: (-1, 0),
    Motion.RIGHT: (1, 0),
    Motion.UP: (0, -1),
    Motion.DOWN: (0, 1),
}
DISTANCES = {1: 0.05, 10: 0.12, 50: 0.25, 100: 0.40}
"""By motion score: how far an object goes in a clip, where the frame leaves it the room."""
GROWTHS = {1: 0.10, 10: 0.25, 50: 0.50, 100: 0.80}
"""By motion score: how much wider a growing object becomes; a shrinking one the other way."""
CORE_SHAPES = (Shape.CIRCLE, Shape.SQUARE, Shape.TRIANGLE)
"""The shapes that the figures are about. The star is an extra."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a prompt can say."""

    colour: Colour
    shape: Shape
    motion: Motion
    background: Background

    @property
    def prompt(self) -> str:
        """The kind in the world's plain wording."""
        return f"a {self.colour} {self.shape} {self.motion} on a {self.background} background"

    @property
    def is_held_out(self) -> bool:
        """Whether training never sees it; true for about one kind in five."""
        digest = hashlib.sha256(
            "|".join((self.colour, self.shape, self.motion, self.background)).encode()
        ).digest()
        return digest[0] % 5 == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A clip: `x`, `y` and `radius` are those of the first frame, as parts of the frame."""

    kind: Kind
    x: float
    y: float
    radius: float
    score: int

    def state_at(self, moment: float) -> tuple[float, float, float]:
        """Position and radius at `moment`, from 0 (first frame) to 1 (last frame)."""
        half_width, half_height = (part * self.radius for part in HALF_EXTENTS[self.kind.shape])
        room_x = min(self.x, 1 - self.x) - MARGIN
        room_y = min(self.y, 1 - self.y) - MARGIN
        motion = self.kind.motion
        if motion in (Motion.GROWING, Motion.SHRINKING):
            off_y = CENTROIDS[self.kind.shape][1]
            if motion is Motion.GROWING:
                most = min(room_x / half_width, room_y / (half_height + off_y * self.radius))
                factor = min(1 + GROWTHS[self.score], most)
            else:
                factor = 1 / (1 + GROWTHS[self.score])
            change = self.radius * moment * (factor - 1)
            return self.x, self.y - off_y * change, self.radius + change
        if motion is Motion.STILL:
            return self.x, self.y, self.radius
        to_right, to_bottom = DIRECTIONS[motion]
        ahead = {
            Motion.LEFT: self.x - half_width,
            Motion.RIGHT: 1 - self.x - half_width,
            Motion.UP: self.y - half_height,
            Motion.DOWN: 1 - self.y - half_height,
        }[motion]
        distance = moment * min(DISTANCES[self.score], ahead - MARGIN)
        return self.x + to_right * distance, self.y + to_bottom * distance, self.radius

    def render(self, *, num_frames: int, pixels: int) -> FloatArray:
        """The clip as N H W 3, from 0 to 1."""
        moments = [index / max(1, num_frames - 1) for index in range(num_frames)]
        return self.render_at(moments, pixels=pixels)

    def render_at(self, moments: Sequence[float], *, pixels: int) -> FloatArray:
        """The frames at `moments` (0 to 1) as N H W 3, from 0 to 1."""
        states = np.array([self.state_at(moment) for moment in moments], dtype=np.float32)
        return paint(
            states,
            shape=self.kind.shape,
            colour=RGB_OF_COLOUR[self.kind.colour],
            background=RGB_OF_BACKGROUND[self.kind.background],
            pixels=pixels,
        )


def paint(
    states: FloatArray,
    *,
    shape: Shape,
    colour: Sequence[float],
    background: Sequence[float],
    pixels: int,
) -> FloatArray:
    """Draw one object N times.

    Args:
        states: N 3: x, y and radius as parts of the frame.
        shape: what is drawn.
        colour: red, green, blue of the object, 0 to 255.
        background: the same of everything else.
        pixels: width and height.

    Returns:
        N H W 3, from 0 to 1.
    """
    coverage = draw(states, shape=shape, pixels=pixels)[..., None]
    front = np.asarray(colour, dtype=np.float32) / 255
    back = np.asarray(background, dtype=np.float32) / 255
    return coverage * front + (1 - coverage) * back


def all_kinds(shapes: Sequence[Shape] = tuple(Shape)) -> list[Kind]:
    """Every combination, in a fixed order."""
    return [
        Kind(colour=colour, shape=shape, motion=motion, background=background)
        for colour, shape, motion, background in product(Colour, shapes, Motion, Background)
    ]


def random_scene(kind: Kind, rng: np.random.Generator, *, score: int) -> Scene:
    """A clip of `kind`, its start and size drawn without a look at the motion.

    A network that could tell the motion from where the object begins would not read the prompt.
    """
    x, y = rng.uniform(0.39, 0.61, 2)
    return Scene(
        kind=kind, x=float(x), y=float(y), radius=float(rng.uniform(0.14, 0.195)), score=score
    )
