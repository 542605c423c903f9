"""What a worker answers while it works."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from finished_clips import demo_like_frames, write_clip
from worker_process import LONG, NO_TORCH, PATIENCE, make_clip, names_in

from engine.api import (
    RELEASED_MODEL,
    Cancel,
    ClipDefaults,
    ClipPlanned,
    CountTokens,
    DescribeMachine,
    Failed,
    FreeMemory,
    ListModels,
    MachineDescribed,
    MemoryFreed,
    ModelsListed,
    PlanClip,
    PredictExport,
    SaveRequest,
    StepDone,
    Stopped,
    TokensCounted,
)


def test_prepared_models_are_listed_by_their_names(the_worker, prepared_folder):
    the_worker.send(ListModels(job=1))
    others = {"demo", RELEASED_MODEL}
    (toy,) = [info for info in the_worker.result(1).models if info.name not in others]
    assert (toy.name, toy.text_encoder_8bit, toy.size_multiple) == ("toy", True, 32)
    assert toy.defaults == ClipDefaults()
    assert Path(toy.folder).samefile(prepared_folder)


def test_questions_are_answered_within_a_second_while_a_long_job_runs(the_worker, tmp_path):
    the_worker.send(make_clip(100, tmp_path / "clip", sampling=LONG))
    the_worker.until(StepDone)
    request = make_clip(0, tmp_path).request
    for number, (question, kind) in enumerate(
        [
            (ListModels(job=101), ModelsListed),
            (CountTokens(job=102, model="toy", text="a red circle"), TokensCounted),
            (PlanClip(job=103, model="toy", request=request), ClipPlanned),
            (DescribeMachine(job=104), MachineDescribed),
        ]
        * 2
    ):
        answer, seconds = the_worker.ask(replace(question, job=101 + number))
        assert isinstance(answer, kind)
        assert seconds < 1 or number < 4  # each has something to load when it is first asked
    the_worker.send(Cancel(job=100))
    assert the_worker.result(100) == Stopped()


def test_a_question_that_fails_is_answered_too(the_worker, tmp_path):
    command = make_clip(0, tmp_path, width=40)
    plan = PlanClip(job=110, model="toy", request=command.request)
    answer, _ = the_worker.ask(plan)
    assert (type(answer), answer.code) == (Failed, "invalid_request")


def test_a_long_question_holds_up_no_short_one_and_can_be_cancelled(the_worker, tmp_path):
    write_clip(tmp_path / "clip", demo_like_frames(45, width=256, height=256))
    save = SaveRequest(path=str(tmp_path / "clip.webp"))
    long = PredictExport(job=120, folder=str(tmp_path / "clip"), save=save, max_bytes=20_000)
    the_worker.send(long)
    the_worker.send(replace(long, job=121))
    for job in (122, 123):
        answer, _ = the_worker.ask(CountTokens(job=job, model="toy", text="x"))
        assert isinstance(answer, TokensCounted)
    for job in (121, 120):
        the_worker.send(Cancel(job=job))
    assert [the_worker.result(job) for job in (120, 121)] == [Stopped(), Stopped()]
    assert names_in(tmp_path) == ["clip"]


def test_memory_is_given_back_without_torch_where_no_job_ever_ran(start):
    worker = start(program=NO_TORCH).greeted()
    worker.send(FreeMemory(job=1))
    assert worker.result(1) == MemoryFreed()


def test_a_machine_without_a_working_torch_is_described(start):
    answer, _ = start(program=NO_TORCH).greeted().ask(DescribeMachine(job=1))
    assert [device.name for device in answer.devices] == ["cpu"]


def test_a_question_that_takes_long_is_stopped_and_cleans_up_at_the_end(start, tmp_path):
    write_clip(tmp_path / "clip", demo_like_frames(45, width=256, height=256))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    worker = start(program=NO_TORCH, TMPDIR=str(temporary)).greeted()
    save = SaveRequest(path=str(tmp_path / "clip.webp"))
    worker.send(PredictExport(job=1, folder=str(tmp_path / "clip"), save=save, max_bytes=9000))
    deadline = time.monotonic() + PATIENCE
    while not names_in(temporary) and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.process.stdin.close()
    assert worker.seconds_to_end() < 2
    assert names_in(temporary) == []
