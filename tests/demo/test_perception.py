"""The measurement must be right on true clips before it may judge drawn ones."""

from __future__ import annotations

import numpy as np
import pytest
from perception import look_at
from shapes import Shape
from world import CORE_SHAPES, Motion, Scene, all_kinds, random_scene


def _true_clips(*, score: int, shapes: tuple[Shape, ...], count: int) -> list[Scene]:
    rng = np.random.default_rng(5)
    kinds = all_kinds(shapes)
    chosen = rng.choice(len(kinds), size=count, replace=False)
    return [random_scene(kinds[index], rng, score=score) for index in chosen]


@pytest.mark.parametrize("score", [10, 50, 100])
def test_measurement_is_right_on_true_clips(score):
    scenes = _true_clips(score=score, shapes=CORE_SHAPES, count=200)
    right = dict.fromkeys(("background", "colour", "shape", "motion"), 0)
    for scene in scenes:
        sight = look_at(scene.render(num_frames=12, pixels=64))
        for name in right:
            right[name] += getattr(sight, name) == getattr(scene.kind, name)
    assert min(right.values()) >= 0.99 * len(scenes), right


def test_a_star_is_told_from_the_other_shapes():
    for scene in _true_clips(score=50, shapes=(Shape.STAR,), count=40):
        sight = look_at(scene.render(num_frames=12, pixels=64), tuple(Shape))
        assert sight.shape is Shape.STAR


def test_a_still_object_has_no_drift():
    for scene in _true_clips(score=50, shapes=CORE_SHAPES, count=200):
        if scene.kind.motion is Motion.STILL:
            sight = look_at(scene.render(num_frames=12, pixels=64))
            assert sight.area_drift < 0.01
            assert sight.colour_drift < 0.01


def test_an_object_stays_inside_the_frame():
    for scene in _true_clips(score=100, shapes=tuple(Shape), count=150):
        frames = scene.render(num_frames=12, pixels=64)
        border = np.concatenate([frames[:, 0], frames[:, -1], frames[:, :, 0], frames[:, :, -1]])
        # The blurred tip of a corner may reach half a pixel further than the corner.
        assert np.ptp(border, axis=(0, 1)).max() < 0.25


def test_one_kind_in_five_is_held_out():
    kinds = all_kinds(CORE_SHAPES)
    assert len(kinds) == 378
    assert 0.15 < sum(kind.is_held_out for kind in kinds) / len(kinds) < 0.25


def test_start_and_size_do_not_depend_on_the_motion():
    def start(motion: Motion) -> tuple[float, float, float]:
        kind = next(kind for kind in all_kinds() if kind.motion is motion)
        scene = random_scene(kind, np.random.default_rng(3), score=50)
        return scene.x, scene.y, scene.radius

    assert len({start(motion) for motion in Motion}) == 1
