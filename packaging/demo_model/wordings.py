"""What people may type: the plain wording of a kind, and shorter and looser ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shapes import Shape
from world import Background, Colour, Kind, Motion

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

_PLAIN_PART = 0.6
"""How often training sees the plain wording, which is the one that the figures are about."""

_SHAPE_WORDS = {
    Shape.CIRCLE: ("circle", "circle", "ball", "disc"),
    Shape.SQUARE: ("square", "square", "box"),
    Shape.TRIANGLE: ("triangle",),
    Shape.STAR: ("star",),
}
_COLOUR_WORDS = {colour: (str(colour),) for colour in Colour} | {
    Colour.PURPLE: ("purple", "purple", "violet")
}
_BACKGROUND_WORDS = {background: (str(background),) for background in Background} | {
    Background.GRAY: ("gray", "grey")
}
_MOTION_WORDS = {
    Motion.LEFT: (
        "moving to the left",
        "moves to the left",
        "moves left",
        "goes left",
        "drifts left",
        "slides to the left",
    ),
    Motion.RIGHT: (
        "moving to the right",
        "moves to the right",
        "moves right",
        "goes right",
        "drifts right",
        "slides to the right",
    ),
    Motion.UP: ("moving up", "moves up", "goes up", "rises", "rising", "climbs"),
    Motion.DOWN: ("moving down", "moves down", "goes down", "falls", "falling", "sinks"),
    Motion.GROWING: ("growing", "grows", "gets bigger", "becomes larger"),
    Motion.SHRINKING: ("shrinking", "shrinks", "gets smaller", "becomes smaller"),
    Motion.STILL: ("standing still", "stands still", "does not move", "rests"),
}
_BACKGROUND_FORMS = ("on a {} background", "on {}", "in front of a {} background")
_ARTICLES = ("a ", "the ", "")


def random_wording(kind: Kind, rng: np.random.Generator) -> str:
    """A prompt for `kind`. Loose ones may leave out the motion, the background or both."""
    if rng.random() < _PLAIN_PART:
        return kind.prompt
    words = [
        _pick(_ARTICLES, rng) + _pick(_COLOUR_WORDS[kind.colour], rng),
        _pick(_SHAPE_WORDS[kind.shape], rng),
    ]
    if rng.random() < 0.75:
        words.append(_pick(_MOTION_WORDS[kind.motion], rng))
    if rng.random() < 0.65:
        form = _pick(_BACKGROUND_FORMS, rng)
        words.append(form.format(_pick(_BACKGROUND_WORDS[kind.background], rng)))
    return " ".join(words)


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[rng.integers(len(options))]


def vocabulary() -> list[str]:
    """Every word that a wording can have, in order."""
    tables = (_SHAPE_WORDS, _COLOUR_WORDS, _BACKGROUND_WORDS, _MOTION_WORDS)
    phrases = [phrase for table in tables for options in table.values() for phrase in options]
    phrases += [*_BACKGROUND_FORMS, *_ARTICLES]
    return sorted({word for phrase in phrases for word in re.findall(r"[a-z]+", phrase)})
