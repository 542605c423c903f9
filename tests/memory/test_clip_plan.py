"""Plans of whole clips: what the released model takes, before anybody has its files."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from rehearsal import peaks
from rehearsal.seconds import clip_stages, released_tracer

from engine.api import Fps, PictureRequest, Stage
from engine.memory.cards import card_named
from engine.memory.clip_plan import plan_clip

BUDGET = 3_000_000_000
CARD = card_named("RTX 3060")
SQUARE, WIDE = peaks.SIZES


def planned(size, fps, budget=BUDGET):
    return peaks.planned(size, fps, budget, CARD)


@pytest.mark.parametrize(("size", "fps"), [(SQUARE, Fps.HIGH), (WIDE, Fps.LOW)])
def test_no_stage_of_the_released_model_takes_more_than_three_gigabytes(size, fps):
    plan = planned(size, fps)
    assert plan.fits
    assert max(stage.peak_bytes for stage in plan.stages) <= BUDGET


def test_the_official_code_holds_a_multiple():
    for row in peaks.rows_of(WIDE, Fps.LOW, BUDGET, CARD):
        assert row.values < row.peak
        assert row.least <= row.peak
        assert row.official > 18 * row.peak
        assert row.official_8bit > 9 * row.peak


def test_peaks_are_what_stays_and_the_ring_and_the_values():
    """Counted once more from the traces, for the clip that has all stages."""
    plan = planned(SQUARE, Fps.HIGH)
    stages = clip_stages()
    assert [stage.name for stage in plan.stages] == [stage.name for stage in stages]
    for stage, traced in zip(plan.stages, stages, strict=True):
        peaks_of_passes = []
        for done, variants in zip(stage.passes, traced.passes, strict=True):
            trace = next(trace for trace in variants if trace.variant == done.variant)
            streamed = trace.unit_bytes.keys() - done.resident
            assert done.ring_bytes >= max((trace.unit_bytes[unit] for unit in streamed), default=0)
            held = trace.fixed_bytes + sum(trace.unit_bytes[unit] for unit in done.resident)
            values = max(use.live_bytes for use in trace.uses)
            peaks_of_passes.append(held + done.ring_bytes + values)
        assert stage.peak_bytes == max(peaks_of_passes)
    assert plan.peak_bytes == max(stage.peak_bytes for stage in plan.stages)


def test_arithmetic_is_that_of_the_released_model():
    """TFLOP that were counted without any of this code: of a step, a picture, a frame."""
    known = {
        "text": (2.2, 1),
        "key frame": (6.41, 50),
        "key frame decode": (34.1, 1),
        "base frames": (36.5, 50),
        "interpolation 1": (26.6, 10),
        "interpolation 2": (106.3, 10),
    }
    stages = {stage.name: stage for stage in planned(SQUARE, Fps.HIGH).stages}
    for name, (tera, times) in known.items():
        assert stages[name].flops == pytest.approx(tera * 1e12 * times, rel=0.05), name
    # Frames of zeros around a chunk are not computed with, and the last chunk is planned as whole.
    assert 0.88 < stages["decode"].flops / (22.7e12 * 180) < 1


def test_seconds_are_those_of_all_stages_and_belong_to_their_part_of_the_progress():
    plan = planned(SQUARE, Fps.MEDIUM)
    assert plan.fits
    assert all(0 < stage.seconds < math.inf for stage in plan.stages)
    assert [(stage.name, stage.stage) for stage in plan.stages] == [
        ("text", Stage.TEXT),
        ("key frame", Stage.KEY_FRAME),
        ("key frame decode", Stage.KEY_FRAME),
        ("picture encode", Stage.BASE_FRAMES),
        ("base frames", Stage.BASE_FRAMES),
        ("interpolation 1", Stage.INTERPOLATION),
        ("decode", Stage.DECODE),
    ]
    tables = {stage.name: stage.table_bytes for stage in plan.stages if stage.table_bytes}
    assert tables.keys() == {"key frame", "base frames", "interpolation 1"}
    assert plan.table_bytes == max(tables.values()) < 1_200_000_000


def test_a_picture_that_is_given_need_not_be_drawn():
    picture = PictureRequest(path="picture.png")
    request = replace(peaks.request_for(WIDE, Fps.LOW), picture=picture)
    plan = plan_clip(released_tracer(), request, budget_bytes=BUDGET, card=CARD)
    assert [stage.name for stage in plan.stages] == [
        "text",
        "picture encode",
        "base frames",
        "decode",
    ]


def test_what_does_not_fit_says_what_it_needs_and_with_that_it_fits():
    nothing = planned(WIDE, Fps.LOW, 0)
    assert not nothing.fits
    for stage in nothing.stages:
        assert stage.seconds == math.inf
        assert stage.passes == ()
        assert stage.flops > 0
    needed = {stage.name: stage.peak_bytes for stage in nothing.stages}
    for name, num_bytes in needed.items():
        for budget, fits in ((num_bytes, True), (num_bytes - 1, False)):
            stages = planned(WIDE, Fps.LOW, budget).stages
            assert next(stage.fits for stage in stages if stage.name == name) is fits
    least = max(needed.values())
    assert nothing.peak_bytes == least < 1_800_000_000
    assert planned(WIDE, Fps.LOW, least).fits
