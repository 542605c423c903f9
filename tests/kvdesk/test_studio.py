from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from engine_talk import read_info
from PIL import Image
from PySide6.QtGui import QColor, QImage
from studio_desk import WAIT_MS, StudioDesk

from engine.api import (
    MAX_SEED,
    DeviceInfo,
    ExportPredicted,
    Failed,
    Finished,
    Fps,
    FrameSize,
    FreeMemory,
    MachineDescribed,
    MakeClip,
    MemoryEffect,
    Motion,
    PictureRequest,
    SaveRequest,
    Stage,
    Stopped,
)
from kvdesk.batches import BatchKind
from kvdesk.chosen_files import MAX_PROMPTS
from kvdesk.engine_state import EngineState
from kvdesk.form_questions import AWAITED, PlanView
from kvdesk.jobs import JobState
from kvdesk.notice import Tone

SLOW = {"step_seconds": 0.02}


@pytest.fixture
def new_desk(fake_engine, tmp_path, qtbot):
    desks: list[StudioDesk] = []

    def make(folder="desk", **script):
        desk = StudioDesk(tmp_path / folder, fake_engine(**script), qtbot)
        desks.append(desk)
        desk.start()
        return desk

    yield make
    for desk in desks:
        desk.engine.shut_down()
        desk.close()


@pytest.fixture
def desk(new_desk):
    return new_desk()


@pytest.fixture
def slow(new_desk):
    return new_desk(**SLOW)


# Running


def test_a_clip_is_made_watched_and_in_the_library(desk):
    job = desk.make()
    assert desk.queue.jobs == ()
    assert desk.library.record(job.folder).info.num_frames == 12
    seen = [each for each in desk.progress if each is not None]
    assert seen[0].job_id == job.id
    assert seen[0].folder == desk.clips / job.folder
    assert any(each.preview for each in seen)
    assert any(each.key_frame for each in seen)
    assert seen[-1].running_stage is None or seen[-1].running_stage.stage is Stage.DECODE
    assert desk.progress[-1] is None
    assert desk.history.search("") == ["a red circle"]
    assert desk.notices == []


def test_one_job_runs_at_a_time_and_in_the_order_of_the_queue(slow):
    first, second, third = (slow.submit(prompt) for prompt in ("one", "two", "three"))
    slow.queue.move(third.id, 1)
    most = 0

    def all_done() -> bool:
        nonlocal most
        running = [each for each in slow.queue.jobs if each.state is JobState.RUNNING]
        most = max(most, len(running))
        return len(slow.finished) == 3

    slow.until(all_done)
    assert slow.finished == [first.folder, third.folder, second.folder]
    assert most == 1


def test_progress_is_not_told_more_than_about_twenty_times_a_second(new_desk):
    desk = new_desk(step_seconds=0.0, previews=False)
    told: list[float] = []
    desk.studio.progress_changed.connect(lambda _: told.append(time.monotonic()))
    desk.write(prompt="fast")
    desk.form.edit("test", steps=400)
    began = time.monotonic()
    desk.studio.submit()
    desk.until(lambda: desk.finished)
    stages_and_ends = 16
    assert len(told) <= 20 * (time.monotonic() - began) + stages_and_ends


def test_nothing_starts_while_the_queue_is_held(desk):
    desk.studio.hold(True)
    job = desk.submit()
    desk.qtbot.wait(200)
    assert desk.state(job) is JobState.WAITING
    desk.studio.hold(False)
    desk.until(lambda: desk.finished == [job.folder])


def test_holding_lets_the_running_job_go_on(slow):
    first, second = slow.submit("one"), slow.submit("two")
    slow.until_state(first, JobState.RUNNING)
    slow.studio.hold(True)
    slow.until(lambda: slow.finished == [first.folder])
    slow.qtbot.wait(150)
    assert slow.state(second) is JobState.WAITING


def test_a_job_waits_for_an_engine_that_starts(new_desk):
    desk = new_desk(start_seconds=0.3)
    job = desk.submit()
    desk.until(lambda: desk.finished == [job.folder])


def test_a_failed_job_stays_with_its_reason_and_the_next_one_runs(new_desk, tmp_path):
    failure = {"code": "picture", "message": "It is blurred.", "detail": "trace"}
    desk = new_desk(refuse={"base_frames:2": failure}, once=str(tmp_path / "once"))
    first, second = desk.submit("one"), desk.submit("two")
    desk.until(lambda: desk.finished == [second.folder])
    failed = desk.queue.job(first.id)
    assert failed.state is JobState.FAILED
    assert (failed.failure.code, failed.failure.detail) == ("picture", "trace")
    (notice,) = desk.notices
    assert notice.tone is Tone.FAILED
    assert notice.text == "“one” was not made. It is blurred."
    assert notice.detail == "trace"
    desk.studio.retry(first.id)
    desk.until(lambda: desk.finished == [second.folder, first.folder])


def test_what_did_not_fit_is_offered_smaller(new_desk, tmp_path):
    failure = {"code": "out_of_memory", "message": "Too little memory."}
    desk = new_desk(refuse={"make_clip": failure}, once=str(tmp_path / "once"))
    job = desk.submit()
    desk.until_state(job, JobState.FAILED)
    (notice,) = desk.notices
    assert (notice.action, notice.action_text) == ("smaller", "Make it smaller")
    desk.studio.act(notice.action)
    assert desk.form.values.size == FrameSize(width=48, height=48)
    desk.stack.undo()
    assert desk.form.values.size == FrameSize(width=64, height=64)


def test_scarce_memory_is_told_with_the_progress_until_the_clip_is_done(new_desk):
    desk = new_desk(adapt={"base_frames:2": "rounding"})
    desk.make()
    told = [each.memory_effect for each in desk.progress if each]
    assert told[0] is None
    assert told[-1] is MemoryEffect.ROUNDING
    assert desk.notices == []
    desk.make(seed=3)
    assert desk.progress[-1] is None


def test_8_bit_weights_are_taken_only_after_a_person_said_so(new_desk):
    desk = new_desk(eight_bit_at="base_frames:3")
    job = desk.submit("one")
    desk.until_state(job, JobState.FAILED)
    (notice,) = desk.notices
    assert (notice.tone, notice.action_text) == (Tone.CAREFUL, "Go on with 8-bit weights")
    desk.studio.retry(job.id)  # this is no consent
    desk.until(lambda: len(desk.notices) == 2)
    desk.until_state(job, JobState.FAILED)
    desk.studio.act(notice.action)
    assert desk.queue.job(job.id).eight_bit
    desk.until(lambda: desk.finished == [job.folder])
    clip = read_info(desk.clips / job.folder)
    assert clip.eight_bit
    drawn = [event for event in desk.progress if event and event.running_stage]
    stages = [event.running_stage.stage for event in drawn]
    assert Stage.KEY_FRAME not in stages[stages.index(Stage.BASE_FRAMES) :]  # it went on


def test_what_is_allowed_in_the_settings_is_not_asked_again(new_desk):
    desk = new_desk(eight_bit_at="base_frames:3", needed_bytes=12 << 30)
    desk.write()
    desk.until(lambda: desk.plans and desk.plans[-1].fits is not None)
    assert desk.plans[-1].fits is False
    desk.settings.change(eight_bit=True)
    desk.until(lambda: desk.plans[-1].fits)
    desk.make()
    assert desk.notices == []


def test_a_clip_that_was_made_in_8_bit_is_made_smooth_so(desk):
    desk.settings.change(eight_bit=True)
    job = desk.make()
    desk.queue.hold(True)
    desk.settings.change(eight_bit=False)
    desk.studio.smooth(job.folder, Fps.MEDIUM)
    assert desk.queue.jobs[-1].eight_bit


def test_the_smallest_size_cannot_be_smaller(desk):
    desk.form.edit("test", size=FrameSize(width=8, height=8))
    desk.studio.act("smaller")
    assert desk.form.values.size == FrameSize(width=8, height=8)
    assert desk.tones() == [Tone.CAREFUL]


# A worker that dies


def test_a_job_goes_on_after_the_first_death_of_the_worker(new_desk, tmp_path):
    desk = new_desk(die_at="base_frames:3", die_signal=signal.SIGKILL, once=str(tmp_path / "once"))
    job = desk.submit("one")
    other = desk.submit("two")
    desk.until(lambda: desk.finished == [job.folder, other.folder])
    assert desk.tones() == [Tone.CAREFUL]
    assert desk.library.record(job.folder).info.num_frames == 12


def test_a_job_that_kills_the_worker_twice_holds_the_queue(new_desk):
    desk = new_desk(die_at="base_frames:3", die_code=3)
    job, other = desk.submit("one"), desk.submit("two")
    desk.until_state(job, JobState.FAILED)
    assert desk.queue.is_held
    assert desk.queue.job(job.id).failure.code == "worker_died"
    assert desk.state(other) is JobState.WAITING
    assert desk.tones() == [Tone.CAREFUL, Tone.FAILED]
    assert desk.notices[-1].action == "resume_queue"
    desk.studio.act("resume_queue")
    assert not desk.queue.is_held


LOST = {"code": "device_lost", "message": "An illegal memory access.", "detail": "trace"}


def test_a_clip_goes_on_by_itself_after_its_device_broke_down(new_desk, tmp_path):
    desk = new_desk(refuse={"base_frames:3": LOST}, once=str(tmp_path / "once"))
    job, other = desk.submit("one"), desk.submit("two")
    desk.until(lambda: desk.finished == [job.folder, other.folder])
    (notice,) = desk.notices
    assert notice.tone is Tone.CAREFUL
    assert "The graphics card reported a fault" in notice.text
    assert "It goes on from where it was" in notice.text
    assert notice.detail == "trace"


def test_a_device_that_breaks_down_twice_in_a_job_ends_that(new_desk):
    desk = new_desk(refuse={"base_frames:3": LOST})
    job, other = desk.submit("one"), desk.submit("two")
    desk.until_state(job, JobState.FAILED)
    assert desk.queue.job(job.id).failure.code == "device_lost"
    assert desk.queue.is_held
    assert desk.state(other) is JobState.WAITING
    assert desk.tones() == [Tone.CAREFUL, Tone.FAILED]
    assert "was interrupted twice" in desk.notices[-1].text
    desk.until(lambda: desk.engine.state is EngineState.READY)


def test_an_engine_that_gives_up_says_so_and_can_be_started_again(new_desk):
    desk = new_desk(die_at="describe_machine", die_code=4)
    desk.until(lambda: desk.engine.state is EngineState.FAILED)
    notice = desk.notices[-1]
    assert (notice.tone, notice.action) == (Tone.FAILED, "restart_engine")
    desk.studio.act(notice.action)
    assert desk.engine.state is EngineState.STARTING


# Cancel


def test_a_cancelled_new_clip_leaves_the_queue_and_the_disk(slow):
    job = slow.submit()
    slow.until_stage(Stage.KEY_FRAME)
    assert (slow.clips / job.folder).is_dir()
    slow.studio.cancel(job.id)
    assert slow.progress[-1].is_cancelling
    slow.until(lambda: slow.queue.jobs == ())
    slow.until(lambda: not (slow.clips / job.folder).exists())
    assert slow.finished == []
    assert slow.progress[-1] is None


def test_a_key_frame_that_was_drawn_stays_when_the_clip_is_cancelled(slow):
    job = slow.submit()
    slow.until_stage(Stage.BASE_FRAMES)
    slow.studio.cancel(job.id)
    slow.until(lambda: slow.library.record(job.folder) is not None)
    slow.qtbot.wait(100)
    assert slow.library.record(job.folder).info.has_key_frame


def test_a_second_press_ends_the_worker_at_once(new_desk):
    desk = new_desk(hang_at="base_frames:2")
    job, other = desk.submit("one"), desk.submit("two")
    desk.until_stage(Stage.BASE_FRAMES)
    desk.studio.cancel(job.id)
    desk.qtbot.wait(150)
    assert desk.state(job) is JobState.RUNNING
    desk.studio.cancel(job.id)
    desk.until(lambda: desk.state(job) is None)
    assert not desk.queue.is_held
    assert desk.notices == []
    desk.until_state(other, JobState.RUNNING)


def test_cancelling_a_smoothing_leaves_the_clip(slow):
    job = slow.make()
    slow.studio.smooth(job.folder, Fps.MEDIUM)
    slow.until_stage(Stage.INTERPOLATION)
    slow.studio.cancel(slow.queue.jobs[0].id)
    slow.until(lambda: slow.queue.jobs == ())
    slow.qtbot.wait(150)
    assert slow.library.record(job.folder).info.num_frames == 12
    assert len(list((slow.clips / job.folder / "frames_12").iterdir())) == 12


def test_cancelling_a_waiting_job_can_be_undone(slow):
    slow.studio.hold(True)
    job = slow.submit()
    slow.studio.cancel(job.id)
    assert slow.queue.jobs == ()
    slow.stack.undo()
    assert slow.queue.jobs == (job,)


def test_a_folder_that_is_a_link_is_not_followed(slow, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious.txt").write_text("mine")
    slow.studio.hold(True)
    job = slow.submit()
    (slow.clips / job.folder).symlink_to(elsewhere)
    slow.studio.hold(False)
    slow.until_stage(Stage.KEY_FRAME)
    slow.studio.cancel(job.id)
    slow.until(lambda: slow.queue.jobs == ())
    slow.qtbot.wait(150)
    assert (elsewhere / "precious.txt").read_text() == "mine"
    assert (elsewhere / "clip.json").exists()


def test_what_a_removed_job_left_is_cleared_away_at_the_end(new_desk):
    desk = new_desk(**SLOW)
    job, kept = desk.submit("one"), desk.submit("two")
    desk.until_stage(Stage.KEY_FRAME)
    desk.studio.hold(True)
    desk.studio.pause(job.id)
    desk.until_state(job, JobState.PAUSED)
    desk.studio.cancel(job.id)
    assert (desk.clips / job.folder).is_dir()
    (desk.clips / kept.folder).mkdir()
    desk.engine.shut_down()
    desk.close()
    assert not (desk.clips / job.folder).exists()
    assert (desk.clips / kept.folder).is_dir()


# Pause


def test_pausing_gives_the_memory_back_after_the_job(slow, monkeypatch):
    given: list = []
    run = slow.engine.run
    monkeypatch.setattr(
        slow.engine, "run", lambda work, heard: (given.append(type(work)), run(work, heard))[1]
    )
    job = slow.submit()
    slow.until_stage(Stage.KEY_FRAME)
    slow.studio.pause(job.id)
    slow.until_state(job, JobState.PAUSED)
    assert given == [MakeClip, FreeMemory]


def test_a_paused_job_goes_on_where_it_was(slow):
    job = slow.submit()
    slow.until_stage(Stage.BASE_FRAMES, 2)
    slow.studio.pause(job.id)
    slow.until_state(job, JobState.PAUSED)
    assert (slow.clips / job.folder).is_dir()
    slow.qtbot.wait(100)
    assert slow.state(job) is JobState.PAUSED
    slow.progress.clear()
    slow.studio.resume(job.id)
    slow.until(lambda: slow.finished == [job.folder])
    stages = {each.running_stage.stage for each in slow.progress if each and each.running_stage}
    assert Stage.KEY_FRAME not in stages


def test_a_resumed_job_is_next(slow):
    slow.studio.hold(True)
    first, second = slow.submit("one"), slow.submit("two")
    slow.studio.pause(second.id)
    slow.studio.resume(second.id)
    assert [job.id for job in slow.queue.jobs] == [second.id, first.id]


def test_cancelling_while_it_pauses_cancels(slow):
    job = slow.submit()
    slow.until_stage(Stage.KEY_FRAME)
    slow.studio.pause(job.id)
    slow.studio.cancel(job.id)
    slow.until(lambda: slow.queue.jobs == ())
    assert slow.engine.state is EngineState.READY


# From the form to the queue


def test_the_seed_is_drawn_anew_unless_it_is_locked(desk):
    desk.studio.hold(True)
    first = desk.submit(seed=5)
    assert first.request.seed == 5
    assert desk.form.values.seed != 5
    desk.form.edit("test", seed=6, seed_is_locked=True)
    desk.studio.submit()
    desk.studio.submit()
    assert [job.request.seed for job in desk.queue.jobs] == [5, 6, 6]
    assert len({job.folder for job in desk.queue.jobs}) == 3


def test_what_forbids_a_clip_is_said(desk):
    desk.form.edit("test", prompt="  ")
    desk.studio.submit()
    assert desk.queue.jobs == ()
    assert [notice.text for notice in desk.notices] == [desk.form.problems()[0].text]


def test_four_cousins_are_one_step_and_one_batch(desk):
    desk.studio.hold(True)
    desk.write(seed=MAX_SEED - 1)
    desk.studio.submit_cousins()
    seeds = [job.request.seed for job in desk.queue.jobs]
    assert seeds == [MAX_SEED - 1, MAX_SEED, 0, 1]
    batch = desk.studio.batches.latest(BatchKind.COUSINS)
    assert batch.folders == tuple(job.folder for job in desk.queue.jobs)
    assert [label.seed for label in batch.labels] == seeds
    assert {job.group for job in desk.queue.jobs} == {batch.id}
    desk.stack.undo()
    assert desk.queue.jobs == ()


def test_key_frames_are_drawn_and_the_chosen_one_is_animated(desk):
    desk.write()
    desk.studio.submit_key_frames()
    assert {job.until for job in desk.queue.jobs} == {Stage.KEY_FRAME}
    desk.until(lambda: len(desk.finished) == 4)
    batch = desk.studio.batches.latest(BatchKind.KEY_FRAMES)
    assert sorted(batch.folders) == sorted(desk.finished)
    picked = batch.folders[2]
    assert desk.library.record(picked).info.has_key_frame
    assert desk.library.record(picked).info.num_frames == 0
    desk.form.edit("test", fps=Fps.MEDIUM)
    desk.studio.animate(picked)
    desk.until(lambda: len(desk.finished) == 5)
    info = desk.library.record(picked).info
    assert info.num_frames == 45
    assert info.request.seed == batch.labels[2].seed


def test_key_frames_are_not_picked_where_a_picture_is_given(desk, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "p.png")
    desk.studio.open_picture(str(tmp_path / "p.png"))
    desk.until(lambda: desk.form.values.picture is not None)
    desk.studio.submit_key_frames()
    assert desk.queue.jobs == ()
    assert desk.tones() == [Tone.CAREFUL]


def test_a_motion_map_is_a_grid_of_quick_drafts_of_one_seed(desk):
    desk.studio.hold(True)
    desk.form.edit("test", prompt="a ball", fps=Fps.HIGH, seed=9)
    desk.studio.submit_motion_map()
    batch = desk.studio.batches.latest(BatchKind.MOTION_MAP)
    cells = [(label.motion, label.noise_augmentation) for label in batch.labels]
    assert cells == [(motion, noise) for motion in Motion for noise in (20, 100, 400)]
    for job, label in zip(desk.queue.jobs, batch.labels, strict=True):
        assert job.request.motion is label.motion
        assert job.request.noise_augmentation == label.noise_augmentation
        assert (job.request.fps, job.request.seed) == (Fps.LOW, 9)
        assert job.request.sampling.steps == 10
    assert desk.form.values.fps is Fps.HIGH


def test_a_waiting_job_is_edited_instead_of_added(desk, qtbot):
    desk.studio.hold(True)
    job = desk.submit("before", seed=3)
    desk.form.edit("test", prompt="something else", fps=Fps.HIGH)
    with qtbot.waitSignal(desk.studio.editing_changed) as editing:
        desk.studio.edit_job(job.id)
    assert editing.args == [job.id]
    assert desk.form.values.to_request() == job.request
    desk.form.edit("test", prompt="after")
    desk.studio.submit()
    (changed,) = desk.queue.jobs
    assert (changed.id, changed.request.prompt) == (job.id, "after")
    assert changed.folder != job.folder
    assert desk.studio.editing is None
    desk.stack.undo()
    assert desk.queue.jobs == (job,)


def test_a_job_that_leaves_is_not_edited_any_more(desk):
    desk.studio.hold(True)
    job = desk.submit("before")
    desk.studio.edit_job(job.id)
    desk.studio.hold(False)
    desk.until(lambda: desk.finished == [job.folder])
    assert desk.studio.editing is None
    assert len(desk.notices) == 1
    desk.studio.hold(True)
    desk.studio.submit()
    assert desk.queue.jobs[0].id != job.id


def test_stopping_to_edit_leaves_the_job(desk):
    desk.studio.hold(True)
    job = desk.submit("before")
    desk.studio.edit_job(job.id)
    desk.studio.stop_editing()
    desk.form.edit("test", prompt="new")
    desk.studio.submit()
    assert [each.request.prompt for each in desk.queue.jobs] == ["before", "new"]


# From clips that are there


def test_a_draft_is_smoothed_in_its_folder(desk):
    job = desk.make()
    desk.studio.smooth(job.folder, Fps.MEDIUM)
    (smoothing,) = desk.queue.jobs
    assert smoothing.folder == job.folder
    desk.studio.smooth(job.folder, Fps.HIGH)  # while it is in the queue
    assert desk.tones() == [Tone.CAREFUL]
    desk.until(lambda: len(desk.finished) == 2)
    assert desk.library.record(job.folder).info.num_frames == 45
    seen = [each for each in desk.progress if each and each.job_id == smoothing.id]
    assert seen[0].stages[2].state.value == "done"
    desk.studio.smooth(job.folder, Fps.LOW)
    assert desk.queue.jobs == ()
    assert desk.notices[-1].text == "The clip is that smooth already."


def test_a_clip_goes_on_from_its_last_frame(desk):
    job = desk.make()
    desk.studio.continue_from(job.folder)
    desk.until(lambda: desk.form.values.picture is not None)
    picture = desk.form.values.picture
    assert Path(picture.path) == desk.clips / job.folder / "frames_12" / "0012.png"
    assert (picture.width, picture.height) == (64, 64)


def test_a_clip_that_is_gone_is_said_to_be(desk):
    desk.studio.smooth("nobody", Fps.HIGH)
    desk.studio.animate("nobody")
    desk.studio.continue_from("nobody")
    assert len(desk.notices) == 3
    assert desk.queue.jobs == ()


# After a restart


def test_jobs_wait_after_a_restart_and_finished_ones_are_dropped(new_desk):
    desk = new_desk(**SLOW)
    job, other = desk.submit("one"), desk.submit("two")
    desk.until(lambda: desk.finished == [job.folder])
    desk.until_state(other, JobState.RUNNING)  # held before that, it would wait
    desk.studio.hold(True)
    desk.until(lambda: desk.finished == [job.folder, other.folder])
    third = desk.submit("three")
    # The file still names a job that was done, as after a crash.
    desk.queue.add([job], at=0)
    desk.engine.shut_down()
    desk.close()
    again = new_desk()
    assert [each.id for each in again.queue.jobs] == [third.id]
    assert again.queue.is_held
    assert [notice.action for notice in again.notices] == ["resume_queue"]
    again.studio.act("resume_queue")
    again.until(lambda: again.finished == [third.folder])


# The plan, tokens and the machine


def test_the_plan_says_whether_it_fits_and_after_a_clip_how_long_it_takes(desk):
    desk.write()
    desk.until(lambda: desk.plans and desk.plans[-1].fits is not None)
    assert desk.plans[-1].fits
    assert desk.plans[-1].estimate.total_seconds is None
    desk.make()
    desk.until(lambda: desk.plans[-1].estimate.total_seconds is not None)
    before = desk.plans[-1]
    desk.form.edit("test", steps=8)
    assert desk.plans[-1] == AWAITED
    desk.until(lambda: desk.plans[-1].fits is not None)
    assert desk.plans[-1].estimate.total_seconds > before.estimate.total_seconds


def test_before_the_first_clip_its_seconds_are_planned(new_desk):
    desk = new_desk(planned_seconds=60.0)
    desk.write()
    desk.until(lambda: desk.plans and desk.plans[-1].fits is not None)
    assert desk.plans[-1].planned_seconds == 60.0 * 4  # stages
    assert desk.plans[-1].estimate.total_seconds is None


def test_words_do_not_make_the_plan_unknown(desk):
    desk.write()
    desk.until(lambda: desk.plans and desk.plans[-1].fits is not None)
    known = len(desk.plans)
    desk.form.edit("test", prompt="other words", seed=4)
    desk.qtbot.wait(300)
    assert len(desk.plans) == known


def test_the_plan_of_other_weights_or_another_device_is_not_shown_for_these(desk):
    desk.write()
    for changes in ({"eight_bit": True}, {"device": "cuda:1"}):
        desk.until(lambda: desk.plans and desk.plans[-1].fits is not None)
        desk.settings.change(**changes)
        assert desk.plans[-1] == AWAITED
    desk.until(lambda: desk.plans[-1].fits is not None)
    assert desk.plans[-1].device == "cuda:1"


def test_a_plan_that_nobody_waits_for_any_more_does_not_keep_the_next_one_waiting(
    new_desk, monkeypatch
):
    desk = new_desk(answer_seconds=0.5)
    cancelled = []
    monkeypatch.setattr(desk.engine, "cancel", cancelled.append)
    desk.write(size=FrameSize(width=64, height=64))
    desk.qtbot.wait(250)
    desk.form.edit("test", size=FrameSize(width=96, height=96))
    desk.until(lambda: cancelled)
    desk.until(lambda: desk.plans and desk.plans[-1].fits is not None)
    fits = [plan for plan in desk.plans if plan.fits is not None]
    assert len({plan.needed_bytes for plan in fits}) == 1


def test_what_does_not_fit_is_said_not_to(new_desk):
    desk = new_desk(needed_bytes=9 << 30)
    desk.write()
    desk.until(lambda: desk.plans and desk.plans[-1].fits is not None)
    assert desk.plans[-1].fits is False
    assert desk.plans[-1].needed_bytes == 9 << 30


def test_a_plan_that_is_refused_is_unknown(new_desk):
    desk = new_desk(refuse={"plan_clip": {"code": "invalid_request"}})
    desk.write()
    desk.until(lambda: desk.plans and desk.plans[-1] == PlanView())
    assert all(plan.fits is None for plan in desk.plans)


def test_tokens_are_counted_when_a_person_pauses(desk, qtbot):
    with qtbot.waitSignal(desk.studio.tokens_counted, timeout=WAIT_MS) as counted:
        desk.studio.count_tokens("a")
        desk.studio.count_tokens("a red circle")
    assert counted.args == [4, 128]
    with qtbot.assertNotEmitted(desk.studio.tokens_counted, wait=300):
        pass


def test_machine_and_models_are_asked_at_the_start(fake_engine, tmp_path, qtbot):
    desk = StudioDesk(tmp_path / "desk", fake_engine(models=[{"name": "large"}]), qtbot)
    machines: list[MachineDescribed] = []
    models: list[list] = []
    desk.studio.machine_changed.connect(machines.append)
    desk.studio.models_changed.connect(models.append)
    desk.start()
    desk.until(lambda: machines)
    assert isinstance(machines[0].devices[0], DeviceInfo)
    assert [[info.name for info in each] for each in models] == [["demo", "large"]]
    desk.engine.shut_down()
    desk.close()


# Opening


def picture(path: Path, size=(80, 60)) -> str:
    Image.new("RGB", size, (200, 30, 60)).save(path)
    return str(path)


def test_a_picture_is_opened_into_the_form_as_a_step(desk, qtbot, tmp_path):
    path = picture(tmp_path / "p.png")
    with qtbot.waitSignal(desk.studio.picture_opened, timeout=WAIT_MS) as opened:
        desk.studio.open_picture(path)
    choice = desk.form.values.picture
    assert opened.args == [choice]
    assert (choice.path, choice.width, choice.height) == (path, 80, 60)
    assert not QImage(choice.preview).isNull()
    desk.stack.undo()
    assert desk.form.values.picture is None


def test_of_two_pictures_the_one_chosen_last_is_in_the_form(desk, tmp_path):
    paths = [picture(tmp_path / "a.png"), picture(tmp_path / "b.png")]
    for path in paths:
        desk.studio.open_picture(path)
    desk.until(lambda: desk.form.values.picture is not None)
    desk.qtbot.wait(150)
    assert desk.form.values.picture.path == paths[1]
    assert desk.stack.count() == 1


def test_several_pictures_become_jobs_and_those_that_cannot_are_named(desk, tmp_path):
    desk.studio.hold(True)
    desk.write()
    (tmp_path / "bad.png").write_bytes(b"no picture")
    paths = [picture(tmp_path / "a.png"), str(tmp_path / "bad.png"), picture(tmp_path / "b.png")]
    desk.studio.open_pictures(paths)
    desk.until(lambda: len(desk.queue.jobs) == 2 and desk.notices)
    pictures = [job.request.picture for job in desk.queue.jobs]
    assert pictures == [PictureRequest(path=paths[0]), PictureRequest(path=paths[2])]
    assert len({job.request.seed for job in desk.queue.jobs}) == 2
    assert desk.notices[0].text.startswith("1 picture(s) could not be opened. bad.png")
    desk.stack.undo()
    assert desk.queue.jobs == ()


def test_a_pasted_picture_is_kept_and_opened(desk):
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    desk.studio.paste_picture(image)
    desk.until(lambda: desk.form.values.picture is not None)
    assert desk.form.values.picture.width == 40
    assert Path(desk.form.values.picture.path).is_file()


def test_a_picture_that_comes_with_settings_is_opened_too(desk, tmp_path):
    path = picture(tmp_path / "p.png")
    request = replace(desk.form.values.to_request(), picture=PictureRequest(path=path))
    desk.form.restore(request)
    desk.until(lambda: desk.form.values.picture.is_opened)
    assert desk.form.values.picture.width == 80


@pytest.mark.parametrize("opening", ["open_picture", "open_video", "open_text_file"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "nothing"])
def test_what_is_no_file_is_refused_without_blocking(desk, tmp_path, opening, kind):
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    began = time.monotonic()
    getattr(desk.studio, opening)(str(path))
    desk.until(lambda: desk.notices)
    assert time.monotonic() - began < 2
    assert desk.tones() == [Tone.FAILED]
    assert desk.queue.jobs == ()


def test_a_video_is_taken_apart(desk, qtbot, tmp_path):
    (tmp_path / "v.mp4").write_bytes(b"video")
    with qtbot.waitSignal(desk.studio.video_opened, timeout=WAIT_MS) as opened:
        desk.studio.open_video(str(tmp_path / "v.mp4"))
    assert opened.args[0].num_frames == 12
    assert Path(opened.args[0].folder).is_relative_to(desk.folder / "cache")


def test_each_line_of_a_text_file_becomes_a_job(desk, tmp_path):
    desk.studio.hold(True)
    desk.form.edit("test", seed=7, seed_is_locked=True)
    path = tmp_path / "prompts.txt"
    path.write_bytes("\ufeffein Bär\r\n\r\n  a cat  \n".encode())
    desk.studio.open_text_file(str(path))
    desk.until(lambda: desk.queue.jobs)
    assert [job.request.prompt for job in desk.queue.jobs] == ["ein Bär", "a cat"]
    assert {job.request.seed for job in desk.queue.jobs} == {7}
    assert desk.history.search("") == ["ein Bär", "a cat"]
    desk.stack.undo()
    assert desk.queue.jobs == ()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\xff\xfea\0", "UTF-8"),
        (b"x" * (1 << 20) + b"y", "1 MiB"),
        (b"\n \n", "no words"),
        (b"a\n" * (MAX_PROMPTS + 1), "500"),
    ],
)
def test_a_text_file_that_holds_no_prompts_is_refused_with_the_reason(
    desk, tmp_path, content, word
):
    path = tmp_path / "prompts.txt"
    path.write_bytes(content)
    desk.studio.open_text_file(str(path))
    desk.until(lambda: desk.notices)
    assert word in desk.notices[0].text
    assert desk.queue.jobs == ()


def test_a_line_that_is_too_long_is_left_out_and_said(desk):
    desk.studio.hold(True)
    desk.studio.submit_prompts(["short", "x" * 10_001])
    assert [job.request.prompt for job in desk.queue.jobs] == ["short"]
    assert "10000" in desk.notices[0].text


# Saving


def test_a_clip_is_saved(desk, tmp_path):
    job = desk.make()
    done: list = []
    desk.studio.export(job.folder, SaveRequest(path=str(tmp_path / "c.mp4")), done.append)
    desk.until(lambda: done)
    assert isinstance(done[0], Finished)
    assert (tmp_path / "c.mp4").is_file()
    assert desk.notices == []


def test_saving_waits_for_the_running_job_and_says_so(slow, tmp_path):
    job = slow.make()
    slow.submit("another")
    slow.until_stage(Stage.BASE_FRAMES)
    done, seen = [], []
    save = SaveRequest(path=str(tmp_path / "c.mp4"))
    number = slow.studio.export(job.folder, save, done.append, seen.append)
    assert len(slow.notices) == 1
    slow.until(lambda: seen)
    assert len(slow.finished) == 2
    slow.studio.cancel_export(number)
    slow.until(lambda: done)
    assert isinstance(done[0], Stopped)


def test_the_size_of_a_file_is_predicted_for_the_last_question_only(desk, tmp_path):
    job = desk.make()
    answers: list = []
    save = SaveRequest(path=str(tmp_path / "c.mp4"))
    for limit in (None, 1000):
        desk.studio.predict_export(job.folder, save, limit, answers.append)
    desk.until(lambda: answers)
    desk.qtbot.wait(100)
    (answer,) = answers
    assert isinstance(answer, ExportPredicted)
    assert answer.num_bytes <= 1000


def test_a_clip_that_is_gone_is_not_saved(desk, tmp_path):
    answers: list = []
    save = SaveRequest(path=str(tmp_path / "c.mp4"))
    desk.studio.export("nobody", save, answers.append)
    desk.studio.predict_export("nobody", save, None, answers.append)
    assert [type(answer) for answer in answers] == [Failed, Failed]


def test_a_frame_is_copied_over_what_was_there(desk, tmp_path):
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    source.write_bytes(b"new")
    target.write_bytes(b"old")
    desk.studio.copy_file(source, target)
    desk.until(lambda: desk.notices)
    assert target.read_bytes() == b"new"
    assert desk.tones() == [Tone.FITS]


def test_a_frame_that_cannot_be_copied_leaves_what_was_there(desk, tmp_path):
    target = tmp_path / "b.png"
    target.write_bytes(b"old")
    desk.studio.copy_file(tmp_path / "gone.png", target)
    desk.until(lambda: desk.notices)
    assert desk.tones() == [Tone.FAILED]
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.png", "desk"]


# Models


def test_a_model_is_used_by_its_name_and_one_that_is_gone_is_said(new_desk):
    desk = new_desk(models=[{"name": "large"}])
    assert [info.name for info in desk.studio.models] == ["demo", "large"]
    desk.studio.use_model("large")
    assert desk.form.values.model == "large"
    desk.studio.use_model("nobody")
    assert desk.form.values.model == "large"
    assert desk.tones() == [Tone.CAREFUL]


def test_a_job_is_edited_with_its_own_model(new_desk):
    desk = new_desk(models=[{"name": "large"}])
    desk.studio.hold(True)
    desk.studio.use_model("large")
    job = desk.submit()
    desk.studio.use_model("demo")
    desk.studio.edit_job(job.id)
    assert desk.form.values.model == "large"
