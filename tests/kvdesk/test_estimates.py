from __future__ import annotations

import json

import pytest

from engine.api import ClipPlanned, PlannedStage, Stage, StageFinished, StageStarted, StepDone
from kvdesk.estimates import UNKNOWN, Paces, StageTimes, spoken_seconds


def plan(*, device="cpu", **costs):
    return ClipPlanned(
        stages=tuple(
            PlannedStage(stage=Stage(stage), num_steps=10, cost=cost)
            for stage, cost in costs.items()
        ),
        fits=True,
        needed_bytes=1,
        free_bytes=2,
        device=device,
    )


def times(*, first_step=1, **seconds):
    noted = StageTimes()
    for name, taken in seconds.items():
        stage = Stage(name)
        noted.note(StageStarted(stage=stage, num_steps=10))
        for step in range(first_step, 11):
            noted.note(StepDone(stage=stage, step=step, num_steps=10, seconds_left=None))
        noted.note(StageFinished(stage=stage, seconds=taken))
    return noted


@pytest.fixture
def paces(tmp_path):
    return Paces(tmp_path / "paces.json")


def test_nothing_is_known_before_the_first_clip(paces):
    assert paces.estimate(plan(decode=5.0), "demo") == UNKNOWN


def test_a_clip_twice_as_costly_takes_twice_as_long(paces):
    paces.learn(times(key_frame=4, decode=6), plan(key_frame=2.0, decode=3.0), "demo")
    estimate = paces.estimate(plan(key_frame=4.0, decode=6.0), "demo")
    assert estimate.stage_seconds == {Stage.KEY_FRAME: 8.0, Stage.DECODE: 12.0}
    assert estimate.total_seconds == 20.0


def test_what_was_learnt_of_a_model_and_a_device_says_nothing_of_others(paces):
    paces.learn(times(decode=6), plan(decode=3.0), "demo")
    assert paces.estimate(plan(decode=3.0), "large") == UNKNOWN
    assert paces.estimate(plan(device="cuda:0", decode=3.0), "demo") == UNKNOWN


def test_one_unknown_stage_makes_the_whole_unknown(paces):
    paces.learn(times(decode=6), plan(decode=3.0), "demo")
    assert paces.estimate(plan(decode=3.0, interpolation=1.0), "demo") == UNKNOWN


def test_the_median_of_the_last_five_counts(paces):
    for seconds in (1000, 2, 2, 4, 900, 2):
        paces.learn(times(decode=seconds), plan(decode=1.0), "demo")
    assert paces.estimate(plan(decode=1.0), "demo").total_seconds == 2
    for _ in range(3):
        paces.learn(times(decode=7), plan(decode=1.0), "demo")
    assert paces.estimate(plan(decode=1.0), "demo").total_seconds == 7


def test_a_stage_without_cost_takes_as_long_whatever_is_made(paces):
    paces.learn(times(text=3), plan(text=0.0), "demo")
    assert paces.estimate(plan(text=0.0), "demo").total_seconds == 3


def test_a_stage_that_went_on_in_the_middle_teaches_nothing(paces):
    paces.learn(times(first_step=6, base_frames=3), plan(base_frames=1.0), "demo")
    assert paces.estimate(plan(base_frames=1.0), "demo") == UNKNOWN


def test_frames_are_decoded_a_few_at_a_time_from_the_first(paces):
    paces.learn(times(first_step=5, decode=3), plan(decode=1.0), "demo")
    assert paces.estimate(plan(decode=1.0), "demo").total_seconds == 3


def test_what_was_learnt_is_there_again(paces, tmp_path):
    paces.learn(times(decode=6), plan(decode=3.0), "demo")
    again = Paces(tmp_path / "paces.json")
    assert again.estimate(plan(decode=3.0), "demo").total_seconds == 6


def test_wrong_entries_of_the_file_are_passed_over(tmp_path):
    path = tmp_path / "paces.json"
    good = {"model": "demo", "device": "cpu", "stage": "decode", "paces": [2.0, -1, "x", 1e300]}
    wrong = [{**good, "stage": "dance"}, {**good, "model": 3}, {**good, "paces": 7}, 5, {}]
    path.write_text(json.dumps({"version": 1, "stages": [*wrong, good]}))
    assert Paces(path).estimate(plan(decode=1.0), "demo").total_seconds == 2
    path.write_text(json.dumps({"version": 1, "stages": 5}))
    assert Paces(path).estimate(plan(decode=1.0), "demo") == UNKNOWN


@pytest.mark.parametrize(
    ("seconds", "spoken"),
    [
        (0.2, "less than a second"),
        (4.4, "about 4 s"),
        (43, "about 45 s"),
        (58, "about 55 s"),
        (59.7, "about 1 min"),
        (64, "about 1 min"),
        (221, "about 3 min 40 s"),
        (598, "about 10 min"),
        (1500, "about 25 min"),
        (3590, "about 1 h"),
        (4800, "about 1 h 20 min"),
        (7195, "about 2 h"),
        (40000, "about 11 h"),
    ],
)
def test_a_duration_is_no_more_exact_than_an_estimate(seconds, spoken):
    assert spoken_seconds(seconds) == spoken
