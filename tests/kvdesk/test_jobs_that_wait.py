"""Clips can be added for a model that is not there yet: they wait for it, and for nothing else."""

from __future__ import annotations

import pytest
from engine_talk import PATIENCE

from engine.api import RELEASED_MODEL, Fps
from kvdesk.getting import Phase
from kvdesk.getting_notices import missing_model_notice
from kvdesk.job_texts import job_state_text, spoken_job
from kvdesk.jobs import WAITS_ROLE, JobState, WaitsFor

SCRIPT = {"released": True, "step_seconds": 0.001, "previews": False}


@pytest.fixture
def begin(studio_of):
    """An application that knows its models; a second call is a restart."""
    return lambda **script: studio_of(**{**SCRIPT, **script})


@pytest.fixture
def window_of(desk_of, qtbot):
    """The same with a window."""

    def make(**script):
        desk = desk_of(**{**SCRIPT, **script})
        qtbot.waitUntil(lambda: bool(desk.studio.models), timeout=PATIENCE)
        return desk

    return make


def add(desk, model, *prompts):
    desk.studio.use_model(model)
    for prompt in prompts:
        desk.form.edit("test", prompt=prompt, fps=Fps.LOW, steps=4)
        desk.studio.submit()


def finished_of(desk):
    finished = []
    desk.studio.clip_finished.connect(finished.append)
    return finished


def test_the_form_takes_a_model_that_is_not_there(window_of, qtbot):
    desk = window_of()
    counts = []
    desk.studio.tokens_counted.connect(lambda *numbers: counts.append(numbers))
    desk.studio.use_model(RELEASED_MODEL)
    desk.form.edit("test", prompt="a cat")
    qtbot.wait(250)
    assert desk.form.problems() == []
    assert {limit for _, limit in counts} == {0}  # nobody can count them yet
    assert desk.window.compose.bar.button.text() == "Add to the queue"


def test_clips_of_models_that_are_there_go_first(begin):
    desk = begin()
    finished = finished_of(desk)
    add(desk, RELEASED_MODEL, "one", "two")
    add(desk, "demo", "three", "four")
    desk.until(lambda: len(finished) == 2)
    assert [job.title for job in desk.queue.jobs] == ["one", "two"]
    assert all(job.state is JobState.WAITING for job in desk.queue.jobs)
    assert desk.queue.index(0).data(WAITS_ROLE) == WaitsFor.MODEL


def test_they_start_when_the_model_is_ready(begin):
    desk = begin()
    finished = finished_of(desk)
    add(desk, RELEASED_MODEL, "one", "two")
    desk.studio.getting.go_on()
    desk.until(lambda: len(finished) == 2)
    assert desk.studio.getting.store.state.phase is Phase.READY
    records = [desk.library.record(name) for name in finished]
    assert {record.info.model for record in records} == {RELEASED_MODEL}


def test_they_wait_over_a_restart_and_hold_nothing_up(begin):
    desk = begin()
    add(desk, RELEASED_MODEL, "one")
    desk = begin()
    (job,) = desk.queue.jobs
    assert desk.queue.waits_for(job) is WaitsFor.MODEL
    assert not desk.queue.is_held
    assert desk.notices == []
    finished = finished_of(desk)
    desk.studio.getting.go_on()
    desk.until(lambda: bool(finished))


def test_a_clip_that_could_have_started_still_holds_the_queue_after_a_restart(begin):
    desk = begin()
    desk.studio.hold(True)
    add(desk, RELEASED_MODEL, "one")
    add(desk, "demo", "two")
    desk.studio.hold(False)
    desk.studio.hold(True)
    desk = begin()
    assert desk.queue.is_held
    (notice,) = desk.notices
    assert notice.text.startswith("1 clip")


def test_before_the_models_are_known_nothing_is_asked_of_one_that_was_missing(begin):
    desk = begin()
    add(desk, RELEASED_MODEL, "one")
    desk = begin(answer_seconds=0.2)
    assert desk.queue.next_waiting() is None


def test_a_failed_test_holds_the_queue_of_those_who_wait_for_the_model(begin):
    words = "The model computes wrong numbers."
    desk = begin(refuse={"self_test": {"code": "device", "message": words}})
    add(desk, RELEASED_MODEL, "one")
    desk.studio.getting.go_on()
    desk.until(lambda: desk.studio.getting.store.state.phase is Phase.FAILED)
    desk.until(lambda: any(each.is_ready for each in desk.studio.models[1:]))
    assert desk.queue.is_held
    notice = desk.notices[-1]
    assert words in notice.text
    assert "queue is held" in notice.text
    assert desk.queue.waits_for(desk.queue.jobs[0]) is None  # a person may let it go on


def test_who_adds_one_is_told_and_shown_the_way(window_of, qtbot):
    desk = window_of()
    add(desk, RELEASED_MODEL, "one")
    (notice,) = desk.window.notices.notices
    assert notice == missing_model_notice()
    desk.window.notices.action_requested.emit(notice.action)
    assert desk.window.page is desk.window.model_page
    desk.studio.getting.go_on()
    qtbot.waitUntil(lambda: notice not in desk.window.notices.notices, timeout=PATIENCE)


def test_a_row_says_what_it_waits_for_and_leads_to_the_model(window_of):
    desk = window_of()
    add(desk, RELEASED_MODEL, "one")
    (job,) = desk.queue.jobs
    assert job_state_text(job, None, WaitsFor.MODEL).startswith("Waits for the model · ")
    assert "until the model is prepared" in spoken_job(job, None, WaitsFor.PREPARING)
    view = desk.window.queue_view
    view.view.activated.emit(desk.queue.index(0))
    assert desk.window.page is desk.window.model_page


def test_an_export_during_preparation_says_why_it_waits(begin, tmp_path):
    from engine.api import SaveRequest

    desk = begin(step_seconds=0.02)
    finished = finished_of(desk)
    add(desk, "demo", "one")
    desk.until(lambda: bool(finished))
    desk.studio.getting.go_on()
    desk.until(lambda: desk.studio.getting.store.state.phase is Phase.PREPARING)
    notices, events = [], []
    desk.studio.notice.connect(notices.append)
    save = SaveRequest(path=str(tmp_path / "clip.mp4"))
    desk.studio.export(finished[0], save, events.append)
    assert "prepared and tested" in notices[0].text
    desk.until(lambda: bool(events))
    assert events[0].output == save.path
