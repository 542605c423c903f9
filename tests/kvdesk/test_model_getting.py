"""The released model, from nothing to ready, on a worker that plays: nothing is lost on the way."""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from pathlib import Path

import pytest
from engine_talk import PATIENCE

from engine.api import RELEASED_MODEL, Fps, models_folder
from kvdesk.engine_state import EngineState
from kvdesk.getting import Getting, Phase, Step
from kvdesk.jobs import JobState, WaitsFor

NUM_FILES = 8
SLOW = {"step_seconds": 0.03}


@pytest.fixture
def begin(studio_of):
    """An application that knows its models; a second call is a restart."""

    def make(**script):
        return studio_of(**{"released": True, "step_seconds": 0.001, "previews": False, **script})

    return make


def is_ready(desk):
    return lambda: state_of(desk).phase is Phase.READY


def state_of(desk) -> Getting:
    return desk.studio.getting.store.state


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


def add_clips(desk, model, *prompts):
    desk.studio.use_model(model)
    for prompt in prompts:
        desk.form.edit("test", prompt=prompt, fps=Fps.LOW, steps=4)
        desk.studio.submit()


def fetch_beforehand(desk):
    """Put the official files there, as an earlier session has."""
    import fake_getting

    originals = state_of(desk).originals
    (originals / "text_encoder").mkdir(parents=True)
    for name in fake_getting.FILES:
        (originals / name).write_text(name)


def test_all_steps_end_with_a_model_that_was_tested_and_that_the_form_uses(begin):
    desk = begin()
    phases = []
    desk.studio.getting.store.changed.connect(lambda state: phases.append(state.phase))
    desk.studio.getting.go_on()
    desk.until(is_ready(desk))
    wanted = [Phase.DOWNLOADING, Phase.PREPARING, Phase.TESTING, Phase.READY]
    assert list(dict.fromkeys(phases)) == wanted
    desk.until(lambda: desk.form.model.name == RELEASED_MODEL)
    assert desk.form.model.is_ready
    tested = state_of(desk).tested
    assert tested.seconds > 0
    assert Path(tested.key_frame).is_file()
    assert (models_folder() / RELEASED_MODEL / "model.json").is_file()
    assert not state_of(desk).has_originals
    assert [notice.tone for notice in desk.notices] == ["fits"]

    desk = begin()
    desk.until(lambda: bool(desk.studio.models))
    assert state_of(desk).phase is Phase.READY
    assert state_of(desk).tested == tested


def test_nothing_is_asked_or_fetched_before_somebody_wants_it(begin, qtbot):
    desk = begin()
    answers = []
    desk.studio.getting.choices.described.connect(answers.append)
    desk.settings.change(mirror="http://localhost:1")
    qtbot.wait(50)
    assert answers == []
    assert not models_folder().exists()
    desk.studio.getting.choices.describe()
    qtbot.waitUntil(lambda: len(answers) == 2, timeout=PATIENCE)
    assert answers[0] is None
    assert answers[1].missing_bytes > 0
    assert not models_folder().exists()


def test_a_download_is_paused_by_a_restart_and_goes_on_with_what_is_missing(begin, qtbot):
    desk = begin(**SLOW)
    originals = state_of(desk).originals
    desk.studio.getting.go_on()
    desk.until(lambda: originals.is_dir() and len(files_of(originals)) >= 3)
    desk = begin()
    before = files_of(originals)
    qtbot.wait(50)
    assert state_of(desk).phase is Phase.PAUSED
    assert state_of(desk).done_bytes > 0
    assert len(files_of(originals)) == len(before) < NUM_FILES

    desk.studio.getting.choices.delete_originals(False)
    desk.studio.getting.go_on()
    desk.until(is_ready(desk))
    after = files_of(originals)
    assert len(after) == NUM_FILES
    assert {name: after[name] for name in before} == before
    assert state_of(desk).has_originals


@pytest.mark.parametrize("step", Step)
def test_what_is_paused_stays_paused_and_goes_on_at_its_step(begin, qtbot, step):
    desk = begin(**SLOW)
    getting = desk.studio.getting
    getting.go_on()
    desk.until(lambda: state_of(desk).step is step and getting.progress.share > 0)
    getting.pause()
    assert getting.progress.is_stopping
    desk.until(lambda: state_of(desk).phase is Phase.PAUSED)
    assert getting.progress is None
    assert state_of(desk).step in list(Step)[list(Step).index(step) :]
    kept = state_of(desk)
    qtbot.wait(100)
    assert replace(state_of(desk), done_bytes=0, total_bytes=0) == replace(
        kept, done_bytes=0, total_bytes=0
    )
    getting.go_on()
    assert state_of(desk).step is kept.step
    desk.until(is_ready(desk))
    desk.until(lambda: bool(desk.notices))
    assert [notice.tone for notice in desk.notices] == ["fits"]


@pytest.mark.parametrize("moment", ["download:4", "prepare:3", "key_frame:1"])
def test_after_the_worker_has_died_once_it_goes_on_by_itself(begin, tmp_path, moment):
    desk = begin(die_at=moment, once=str(tmp_path / "once"))
    desk.studio.getting.go_on()
    desk.until(is_ready(desk))
    assert (tmp_path / "once").exists()
    desk.until(lambda: bool(desk.notices))
    assert [notice.tone for notice in desk.notices] == ["fits"]


def test_after_the_worker_has_died_twice_it_stops_and_says_so(begin, tmp_path):
    desk = begin(
        workers=[{"die_at": "download:4"}, {"die_at": "download:4"}, {}],
        count=str(tmp_path / "count"),
    )
    desk.studio.getting.go_on()
    desk.until(lambda: state_of(desk).phase is Phase.FAILED)
    assert state_of(desk).failure.code == "worker_died"
    assert desk.notices[-1].action == "show_model_page"
    desk.until(lambda: desk.engine.state is EngineState.READY)
    desk.studio.getting.go_on()
    desk.until(is_ready(desk))


@pytest.mark.parametrize(
    ("moment", "step"),
    [("download:4", Step.DOWNLOAD), ("prepare:3", Step.PREPARE), ("self_test", Step.TEST)],
)
def test_an_error_is_kept_with_its_words_and_the_step_is_tried_again(begin, tmp_path, moment, step):
    refusal = {moment: {"code": "disk_full", "message": "There is no room.", "detail": "ENOSPC"}}
    desk = begin(refuse=refusal, once=str(tmp_path / "once"))
    desk.studio.getting.go_on()
    desk.until(lambda: state_of(desk).phase is Phase.FAILED)
    (notice,) = desk.notices
    assert "There is no room." in notice.text
    assert notice.detail == "ENOSPC"

    desk = begin(refuse=refusal, once=str(tmp_path / "once"))
    desk.until(lambda: bool(desk.studio.models))
    assert (state_of(desk).phase, state_of(desk).step) == (Phase.FAILED, step)
    assert state_of(desk).failure.message == "There is no room."
    desk.studio.getting.go_on()
    desk.until(is_ready(desk))
    assert state_of(desk).failure is None


def test_a_model_that_was_prepared_elsewhere_is_ready_and_can_be_tested(begin):
    prepared = models_folder() / RELEASED_MODEL
    desk = begin()
    prepared = state_of(desk).prepared
    prepared.mkdir(parents=True)
    (prepared / "model.json").write_text("{}")
    desk.studio.list_models()
    desk.until(is_ready(desk))
    assert state_of(desk).tested is None
    desk.studio.getting.go_on()
    assert state_of(desk).phase is Phase.TESTING
    desk.until(lambda: state_of(desk).tested is not None)
    desk.until(lambda: desk.form.model.name == RELEASED_MODEL)


def test_a_model_that_is_gone_is_to_be_got_again(begin):
    desk = begin()
    desk.studio.getting.go_on()
    desk.until(lambda: desk.form.model.name == RELEASED_MODEL)
    (state_of(desk).prepared / "model.json").unlink()
    desk.studio.list_models()
    desk.until(lambda: state_of(desk).phase is Phase.NOT_STARTED)
    assert state_of(desk).tested is None


def test_preparing_waits_for_the_clip_and_the_next_clips_wait_for_it(begin, qtbot):
    desk = begin(**SLOW)
    fetch_beforehand(desk)
    finished = []
    desk.studio.clip_finished.connect(finished.append)
    add_clips(desk, "demo", "first", "second")
    desk.until(lambda: desk.queue.running is not None)
    getting = desk.studio.getting
    getting.go_on()
    desk.until(lambda: getting.progress is not None and getting.progress.waits_for_clip)
    _, second = desk.queue.jobs
    assert desk.queue.waits_for(second) is WaitsFor.PREPARING
    desk.until(lambda: bool(finished))
    desk.until(lambda: not getting.progress.waits_for_clip)
    assert state_of(desk).phase is Phase.PREPARING
    qtbot.wait(30)
    assert desk.queue.job(second.id).state is JobState.WAITING  # not handed to a busy worker
    desk.until(is_ready(desk))
    desk.until(lambda: len(finished) == 2)
    assert desk.queue.jobs == ()


def test_waiting_for_a_clip_can_be_paused_at_once(begin):
    desk = begin(**SLOW)
    fetch_beforehand(desk)
    add_clips(desk, "demo", "first", "second")
    desk.until(lambda: desk.queue.running is not None)
    desk.studio.getting.go_on()
    desk.until(lambda: state_of(desk).phase is Phase.PREPARING)
    desk.studio.getting.pause()
    assert state_of(desk).phase is Phase.PAUSED
    assert desk.queue.waits_for(desk.queue.jobs[1]) is None
    desk.until(lambda: desk.queue.jobs == ())


def test_another_limit_holds_for_the_download_that_runs(begin):
    desk = begin(**SLOW)
    getting = desk.studio.getting
    getting.go_on()
    desk.until(lambda: getting.progress is not None and getting.progress.share > 0)
    desk.settings.change(download_limit=3)
    desk.until(lambda: getting.progress.bytes_per_second == 3_000_000)
    assert state_of(desk).phase is Phase.DOWNLOADING
    desk.until(is_ready(desk))


def test_in_another_folder_files_of_the_first_are_used(begin, tmp_path):
    desk = begin(**SLOW)
    getting, first = desk.studio.getting, state_of(desk)
    getting.go_on()
    getting.choices.choose_folder(str(tmp_path / "usb"))  # not while it is being filled
    assert desk.notices[-1].action == "show_model_page"
    desk.until(lambda: getting.progress is not None and getting.progress.share > 0)
    getting.pause()
    desk.until(lambda: state_of(desk).phase is Phase.PAUSED)
    getting.choices.choose_folder(str(tmp_path / "usb"))
    desk.until(lambda: state_of(desk).phase is Phase.NOT_STARTED)
    assert models_folder() == tmp_path / "usb"
    assert state_of(desk).also_in == (str(first.originals),)
    getting.go_on()
    desk.until(is_ready(desk))
    assert (tmp_path / "usb" / RELEASED_MODEL / "model.json").is_file()


def test_what_was_fetched_is_removed_and_nothing_else(begin):
    desk = begin(**SLOW)
    getting = desk.studio.getting
    getting.go_on()
    desk.until(lambda: state_of(desk).step is Step.PREPARE and getting.progress.share > 0)
    getting.choices.remove()  # not while it is used
    getting.pause()
    desk.until(lambda: state_of(desk).phase is Phase.PAUSED)
    state = state_of(desk)
    assert state.originals.is_dir()
    mine = models_folder() / "my own model" / "model.json"
    mine.parent.mkdir()
    mine.write_text("{}")
    getting.choices.remove()
    desk.until(lambda: state_of(desk).phase is Phase.NOT_STARTED)
    assert not state.originals.exists()
    assert not state.prepared.exists()
    assert mine.is_file()


def test_a_link_in_place_of_our_folder_is_not_followed(begin, tmp_path):
    desk = begin()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "diary.txt").write_text("dear diary")
    models_folder().mkdir(parents=True)
    state_of(desk).originals.symlink_to(mine)
    desk.studio.getting.choices.remove()
    desk.until(lambda: bool(desk.notices))
    assert desk.notices[0].tone == "failed"
    assert (mine / "diary.txt").read_text() == "dear diary"


def test_where_an_original_is_missing_files_can_be_fetched_again(begin, tmp_path):
    refusal = {"prepare:3": {"code": "model_file", "message": "t2v.pt is missing."}}
    desk = begin(refuse=refusal, once=str(tmp_path / "once"))
    desk.studio.getting.go_on()
    desk.until(lambda: state_of(desk).phase is Phase.FAILED)
    desk.studio.getting.fetch_again()
    assert (state_of(desk).phase, state_of(desk).step) == (Phase.PAUSED, Step.DOWNLOAD)
    desk.studio.getting.go_on()
    desk.until(is_ready(desk))


def test_a_window_that_ends_suddenly_has_kept_the_step(begin):
    desk = begin(**SLOW)
    desk.studio.getting.go_on()
    file = desk.folder / "data" / "getting.json"
    desk.until(
        lambda: file.is_file() and json.loads(file.read_text())["getting"]["step"] == "prepare"
    )
    assert json.loads(file.read_text())["getting"]["phase"] == "preparing"


def test_of_a_card_that_cannot_be_used_is_told_once(begin, qtbot):
    for times, card in ((1, "NVIDIA RTX 4070"), (0, "NVIDIA RTX 4070"), (1, "NVIDIA RTX 5080")):
        desk = begin(card_without_torch=card)
        desk.until(lambda desk=desk: desk.settings.values.told_of_card != "")
        qtbot.wait(30)
        told = [notice for notice in desk.notices if card in notice.text]
        assert len(told) == times
        assert all("--torch-backend=auto" in notice.text for notice in told)


@pytest.mark.slow
def test_whatever_interrupts_it_the_model_gets_ready_and_no_file_is_fetched_twice(
    begin, qtbot, tmp_path
):
    rounds = int(os.environ.get("KVDESK_FAULT_ROUNDS", "30"))
    for number in range(rounds):
        chance = random.Random(number)
        desk = begin(step_seconds=0.01)
        getting, store = desk.studio.getting, desk.studio.getting.store
        getting.choices.choose_folder(str(tmp_path / f"models {number}"))
        desk.until(lambda store=store, name=str(number): store.state.models_folder.endswith(name))
        getting.choices.delete_originals(False)
        seen: dict[str, int] = {}
        for _ in range(40):
            if state_of(desk).phase is Phase.READY:
                break
            getting.go_on()
            qtbot.wait(chance.randrange(1, 120))
            match chance.choice(("pause", "kill", "restart", "limit", "clip", "nothing")):
                case "pause":
                    getting.pause()
                    desk.until(lambda store=store: not store.state.is_running)
                case "kill":
                    desk.engine.restart()
                case "restart":
                    desk = begin(step_seconds=0.01)
                    getting, store = desk.studio.getting, desk.studio.getting.store
                case "limit":
                    desk.settings.change(download_limit=chance.randrange(1, 9))
                case "clip":
                    add_clips(desk, "demo", "a clip")
                    desk.queue.hold(False)
                case _:
                    pass
            if state_of(desk).originals.is_dir():
                now = files_of(state_of(desk).originals)
                assert seen.items() <= now.items(), number
                seen = now
        getting.go_on()
        desk.until(is_ready(desk))
        desk.queue.hold(False)
        desk.until(lambda desk=desk: not desk.queue.jobs)
        assert len(files_of(state_of(desk).originals)) == NUM_FILES
