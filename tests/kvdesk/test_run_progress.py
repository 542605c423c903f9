from __future__ import annotations

from pathlib import Path

import pytest

from engine.api import (
    CheckProgress,
    Fps,
    FrameSize,
    GenerateRequest,
    Hello,
    KeyFrameReady,
    MemoryAdapted,
    MemoryChangeKind,
    MemoryEffect,
    PictureRequest,
    PlannedStage,
    PreviewReady,
    SamplingSettings,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
)
from kvdesk.estimates import UNKNOWN, Estimate
from kvdesk.job import Job, JobState
from kvdesk.job_texts import job_state_text
from kvdesk.run_progress import Preview, StageState, begun_progress

REQUEST = GenerateRequest(
    prompt="a",
    seed=1,
    size=FrameSize(width=64, height=64),
    fps=Fps.MEDIUM,
    sampling=SamplingSettings(steps=20, interpolation_steps=10),
)
FOLDER = Path("clip")
SECONDS = {
    Stage.TEXT: 1.0,
    Stage.KEY_FRAME: 10.0,
    Stage.BASE_FRAMES: 40.0,
    Stage.INTERPOLATION: 20.0,
    Stage.DECODE: 9.0,
}
PLAN = [PlannedStage(stage=stage, num_steps=1, cost=2 * cost) for stage, cost in SECONDS.items()]
KNOWN = Estimate(stage_seconds=SECONDS, total_seconds=80.0)


def begun(**changes):
    return begun_progress("j", FOLDER, REQUEST, **changes)


def states(progress):
    return {each.stage: each.state.value for each in progress.stages}


def step(stage, number, num_steps, left=None):
    return StepDone(stage=stage, step=number, num_steps=num_steps, seconds_left=left)


@pytest.mark.usefixtures("qapp")
def test_checking_the_model_is_told_until_the_first_stage_begins():
    assert begun().checked_share is None
    checking = begun().advanced(CheckProgress(done_bytes=3 << 30, total_bytes=8 << 30))
    assert checking.checked_share == 0.375
    job = Job(id="j", request=REQUEST, model="m", folder="clip", state=JobState.RUNNING)
    assert job_state_text(job, checking) == "Checking the model’s files, 37 %"
    started = checking.advanced(StageStarted(stage=Stage.TEXT, num_steps=1))
    assert started.checked_share is None
    assert job_state_text(job, started) == "Text"


def test_a_job_begins_with_all_its_stages_pending():
    progress = begun()
    assert [(each.stage, each.num_steps) for each in progress.stages] == [
        (Stage.TEXT, 1),
        (Stage.KEY_FRAME, 20),
        (Stage.BASE_FRAMES, 20),
        (Stage.INTERPOLATION, 10),
        (Stage.DECODE, 45),
    ]
    assert set(states(progress).values()) == {"pending"}
    assert progress.seconds_left is None
    assert progress.share_done == 0


def test_a_picture_needs_no_key_frame_and_until_ends_the_stages():
    from dataclasses import replace

    of_picture = replace(REQUEST, picture=PictureRequest(path="p.png"), fps=Fps.LOW)
    stages = [each.stage for each in begun_progress("j", FOLDER, of_picture).stages]
    assert stages == [Stage.TEXT, Stage.BASE_FRAMES, Stage.DECODE]
    assert [each.stage for each in begun(until=Stage.KEY_FRAME).stages] == [
        Stage.TEXT,
        Stage.KEY_FRAME,
    ]


def test_a_stage_starts_goes_on_and_ends():
    progress = begun().advanced(StageStarted(stage=Stage.TEXT, num_steps=1))
    assert progress.running_stage.stage is Stage.TEXT
    progress = progress.advanced(StageFinished(stage=Stage.TEXT, seconds=1))
    assert progress.running_stage is None
    progress = progress.advanced(StageStarted(stage=Stage.KEY_FRAME, num_steps=20))
    progress = progress.advanced(step(Stage.KEY_FRAME, 5, 20, left=33.0))
    assert states(progress)[Stage.TEXT] == "done"
    assert progress.running_stage.steps_done == 5
    assert progress.running_stage.share_done == 0.25
    assert progress.seconds_left == 33.0


def test_stages_before_one_that_starts_are_done():
    progress = begun().advanced(StageStarted(stage=Stage.INTERPOLATION, num_steps=10))
    assert list(states(progress).values()) == ["done", "done", "done", "running", "pending"]


def test_a_stage_that_was_thought_done_can_run_again():
    progress = begun(done={Stage.TEXT, Stage.KEY_FRAME})
    assert states(progress)[Stage.TEXT] == "done"
    progress = progress.advanced(StageStarted(stage=Stage.TEXT, num_steps=1))
    assert progress.running_stage.stage is Stage.TEXT
    assert progress.running_stage.share_done == 0


def test_a_stage_that_nobody_planned_takes_its_place():
    progress = begun(until=Stage.KEY_FRAME)
    progress = progress.advanced(StageStarted(stage=Stage.DECODE, num_steps=12))
    progress = progress.advanced(step(Stage.BASE_FRAMES, 1, 20))
    assert [each.stage for each in progress.stages] == [
        Stage.TEXT,
        Stage.KEY_FRAME,
        Stage.BASE_FRAMES,
        Stage.DECODE,
    ]


def test_previews_are_of_the_running_stage_only():
    progress = begun().advanced(StageStarted(stage=Stage.KEY_FRAME, num_steps=20))
    ready = PreviewReady(stage=Stage.KEY_FRAME, step=3, path="p.png", num_frames=1)
    progress = progress.advanced(ready)
    assert progress.preview == Preview(path="p.png", num_frames=1, stage=Stage.KEY_FRAME, step=3)
    progress = progress.advanced(KeyFrameReady(path="k.png"))
    progress = progress.advanced(StageStarted(stage=Stage.BASE_FRAMES, num_steps=20))
    assert progress.preview is None
    assert progress.key_frame == "k.png"


def test_the_plan_gives_the_stages_their_length_and_keeps_what_has_happened():
    progress = begun().advanced(StageStarted(stage=Stage.KEY_FRAME, num_steps=20))
    unknown = progress.with_plan(PLAN, UNKNOWN)
    assert [each.expected_seconds for each in unknown.stages] == [2, 20, 80, 40, 18]
    assert not unknown.seconds_are_known
    assert unknown.seconds_left is None
    known = progress.with_plan(PLAN, KNOWN)
    assert [each.expected_seconds for each in known.stages] == [1, 10, 40, 20, 9]
    assert known.seconds_left == 79  # the text is done
    assert known.running_stage.stage is Stage.KEY_FRAME


def test_the_worker_knows_the_time_left_better_than_earlier_clips():
    progress = begun().with_plan(PLAN, KNOWN)
    assert progress.seconds_left == 80
    told = progress.advanced(step(Stage.KEY_FRAME, 10, 20, left=7.0))
    assert told.seconds_left == 7.0
    assert told.with_plan(PLAN, KNOWN).seconds_left == 7.0
    untold = progress.advanced(step(Stage.KEY_FRAME, 10, 20))
    assert untold.seconds_left == 74.0


def test_the_share_done_counts_by_expected_time():
    progress = begun().with_plan(PLAN, KNOWN)
    progress = progress.advanced(step(Stage.BASE_FRAMES, 10, 20))
    assert progress.share_done == pytest.approx((1 + 10 + 20) / 80)


def test_the_strongest_effect_of_scarce_memory_stays_to_the_end():
    progress = begun()
    assert progress.memory_effect is None
    for told, kept in [("exact", "exact"), ("rounding", "rounding"), ("exact", "rounding")]:
        effect = MemoryEffect(told)
        change = MemoryChangeKind.RESIDENTS
        progress = progress.advanced(MemoryAdapted(stage=Stage.TEXT, change=change, effect=effect))
        assert progress.memory_effect is MemoryEffect(kept)


def test_an_event_without_meaning_changes_nothing():
    progress = begun()
    assert progress.advanced(Hello(protocol=1, version="1")) is progress


def test_nothing_is_changed_in_place():
    before = begun()
    before.advanced(StageStarted(stage=Stage.TEXT, num_steps=1))
    assert all(each.state is StageState.PENDING for each in before.stages)
