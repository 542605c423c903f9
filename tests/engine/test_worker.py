from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from finished_clips import demo_like_frames, write_clip
from worker_process import (
    LONG,
    NO_TORCH,
    PATIENCE,
    ROOT,
    frames_in,
    make_clip,
    names_in,
)

from engine.api import (
    PROTOCOL_VERSION,
    RELEASED_MODEL,
    Cancel,
    ClipPlanned,
    ExportClip,
    Failed,
    Finished,
    FrameSize,
    FreeMemory,
    GenerateRequest,
    Greet,
    Hello,
    KeyFrameReady,
    ListModels,
    MemoryFreed,
    ModelsListed,
    PictureRequest,
    PlanClip,
    Prepare,
    Prepared,
    PrepareProgress,
    Quit,
    SaveRequest,
    SelfTest,
    SelfTested,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
    Stopped,
    command_to_json,
    frame_path,
    to_json,
)
from engine.video_io import read_request

# In place of the jobs that need torch: one that never looks whether it was cancelled.
STUCK_JOBS = """
import sys, time, types
import engine.worker
class JobRunner:
    def make_clip(self, *_, on_event, **__):
        from engine.api import Stage, StageStarted
        on_event(StageStarted(stage=Stage.TEXT, num_steps=1))
        time.sleep(300)
sys.modules["engine.jobs"] = types.SimpleNamespace(JobRunner=JobRunner)
engine.jobs = sys.modules["engine.jobs"]
sys.modules["torch"] = types.SimpleNamespace()
engine.worker.main()
"""
PARENT = """
import os, subprocess, sys, time
environment = {**os.environ, "KVDESK_PARENT_PID": str(os.getpid())}
worker = subprocess.Popen(
    [sys.executable, "-c", "import sys; sys.modules['torch'] = None;"
     "import engine.worker; engine.worker.main()"],
    stdout=subprocess.PIPE, env=environment,
)
worker.stdout.readline()
print(worker.pid, flush=True)
time.sleep(300)
"""
NOISY_MODELS = """
import os, subprocess, sys
import engine.checkpoint.folder, engine.worker
def find_models():
    print("a library prints")
    sys.stdout.flush()
    os.write(1, b"a library writes\\n")
    subprocess.run([sys.executable, "-c", "print('a program prints')"])
    return []
engine.checkpoint.folder.find_models = find_models
engine.worker.main()
"""


# The greeting


def test_the_first_line_is_a_hello_with_the_protocol(start):
    job, event = start(program=NO_TORCH).next()
    assert job is None
    assert (type(event), event.protocol) == (Hello, PROTOCOL_VERSION)


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(command_to_json(Greet(protocol=PROTOCOL_VERSION + 1))).encode(),
        json.dumps(command_to_json(ListModels(job=1))).encode(),
        json.dumps(command_to_json(Quit())).encode(),
        b"GET / HTTP/1.1",
    ],
)
def test_a_wrong_greeting_is_refused_and_ends_the_worker(line, start):
    worker = start(program=NO_TORCH)
    worker.next()
    worker.send_line(line)
    _, event = worker.next()
    assert (type(event), event.code) == (Failed, "message")
    assert worker.seconds_to_end() < 2


# What it lives through


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b"\xff\xfe\x00\x80", "not JSON"),
        (b'{"command": "list_models", "job": 1', "not JSON"),
        (b"[" * 5000, "not JSON"),
        (b'{"command": "cancel", "job": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[]", "is a JSON object"),
        (b"null", "is a JSON object"),
        (b'"quit"', "is a JSON object"),
        (b"{}", "The command must be one of greet, make_clip"),
        (b'{"command": "explode"}', "not 'explode'"),
        (b'{"command": "cancel"}', "Cancel lacks 'job'"),
        (b'{"command": "cancel", "job": NaN}', "Cancel.job must be a whole number"),
        (b'{"command": "cancel", "job": "1"}', "Cancel.job must be a whole number"),
        (b'{"command": "quit", "now": true}', "Quit has no 'now'"),
        (b'{"command": "quit"}' + b" " * (3 << 20), "longer than 1 MiB"),
        (b"x" * (2 << 20) + b'{"command": "quit"}', "longer than 1 MiB"),
    ],
    ids=range(17),
)
def test_a_line_that_is_no_command_is_answered_once_and_survived(line, words, the_worker):
    the_worker.send_line(line)
    job, event = the_worker.next()
    assert (job, type(event), event.code) == (None, Failed, "message")
    assert words in event.message
    the_worker.send(ListModels(job=900))
    assert isinstance(the_worker.result(900), ModelsListed)


def test_models_are_listed_without_torch_and_a_fault_ends_the_job_only(start, tmp_path):
    worker = start(program=NO_TORCH, data_home=tmp_path).greeted()
    worker.send(ListModels(job=1))
    assert isinstance(worker.result(1), ModelsListed)
    worker.send(make_clip(2, tmp_path / "clip"))  # torch is missing: a fault of the program
    failed = worker.result(2)
    assert (type(failed), failed.code) == (Failed, "internal")
    assert "Traceback" in failed.detail
    worker.send(ListModels(job=3))
    assert isinstance(worker.result(3), ModelsListed)


@pytest.mark.fault(14)
def test_what_libraries_print_never_gets_between_the_events(start):
    worker = start(program=NOISY_MODELS).greeted()
    for job in (1, 2):
        worker.send(ListModels(job=job))
        assert [info.name for info in worker.result(job).models] == [RELEASED_MODEL]


# Jobs


def test_a_job_reports_its_stages_and_ends_with_its_folder(the_worker, tmp_path):
    command = make_clip(10, tmp_path / "новый клип")
    the_worker.send(command)
    jobs, events = zip(*the_worker.until(Finished, Failed), strict=True)
    assert set(jobs) == {10}
    started = [event.stage for event in events if isinstance(event, StageStarted)]
    finished = [event.stage for event in events if isinstance(event, StageFinished)]
    without = (Stage.INTERPOLATION, Stage.SAVE)
    assert started == finished == [stage for stage in Stage if stage not in without]
    assert events[-1].output == command.folder
    assert events[-1].num_frames == len(frames_in(Path(command.folder))) == 12


def test_a_clip_is_exported_with_its_request(the_worker, tmp_path):
    command = make_clip(11, tmp_path / "clip")
    save = SaveRequest(path=str(tmp_path / "клип.mp4"), width=64, speed=2)
    the_worker.send(command)
    the_worker.send(ExportClip(job=12, folder=command.folder, save=save))
    assert isinstance(the_worker.result(11), Finished)
    *before, (job, last) = the_worker.until(Finished, Failed)
    assert {job for job, _ in before} == {12}
    assert before[0][1] == StageStarted(stage=Stage.SAVE, num_steps=12)
    assert (job, last.output, last.num_frames) == (12, save.path, 12)
    assert read_request(Path(save.path)) == to_json(command.request)


def test_a_job_ends_after_the_stage_it_was_asked_for_and_goes_on_later(the_worker, tmp_path):
    folder = tmp_path / "clip"
    the_worker.send(make_clip(13, folder, until=Stage.KEY_FRAME))
    *before, (_, last) = the_worker.until(Finished, Failed)
    assert [type(event) for _, event in before].count(KeyFrameReady) == 1
    assert frames_in(folder) == []
    again = make_clip(13, folder)
    the_worker.send(again)
    *before, (_, last) = the_worker.until(Finished, Failed)
    assert last.num_frames == 12
    assert StageStarted(stage=Stage.KEY_FRAME, num_steps=1) not in [event for _, event in before]


def test_jobs_run_in_the_order_they_came(the_worker, tmp_path):
    for job in (20, 21):
        the_worker.send(make_clip(job, tmp_path / str(job)))
    jobs = [job for job, _ in the_worker.until(Finished)] + [
        job for job, _ in the_worker.until(Finished)
    ]
    assert jobs == sorted(jobs)
    assert set(jobs) == {20, 21}
    assert names_in(tmp_path) == ["20", "21"]


def test_a_running_job_is_cancelled_within_one_step(the_worker, tmp_path):
    the_worker.send(make_clip(30, tmp_path / "clip", sampling=LONG))
    the_worker.until(StepDone)
    the_worker.until(StepDone)
    the_worker.send(Cancel(job=30))
    *before, (job, last) = the_worker.until(Stopped, Finished, Failed)
    assert (job, type(last)) == (30, Stopped)
    # The two steps that may be done by then, and those that were reported while this test slept.
    assert len(before) < 200
    assert frames_in(tmp_path / "clip") == []


def test_a_waiting_job_is_cancelled_and_the_running_one_is_not(the_worker, tmp_path):
    the_worker.send(make_clip(40, tmp_path / "first"))
    the_worker.send(make_clip(41, tmp_path / "second"))
    the_worker.send(Cancel(job=41))
    assert isinstance(the_worker.result(40), Finished)
    assert the_worker.next() == (41, Stopped())
    assert names_in(tmp_path) == ["first"]


def test_cancelling_a_job_that_is_over_or_unknown_is_ignored_for_good(the_worker, tmp_path):
    the_worker.send(Cancel(job=40))
    the_worker.send(Cancel(job=50))
    the_worker.send(make_clip(50, tmp_path / "clip"))
    assert isinstance(the_worker.result(50), Finished)


def test_a_job_with_the_number_of_another_one_is_refused(the_worker, tmp_path):
    the_worker.send(make_clip(60, tmp_path / "clip"))
    the_worker.send(make_clip(60, tmp_path / "other"))
    the_worker.send(ListModels(job=60))
    events = the_worker.until(Finished)
    refused = [event for job, event in events if job is None]
    assert [failed.message for failed in refused] == ["There is a job 60 already."] * 2
    assert names_in(tmp_path) == ["clip"]


def test_a_job_that_cannot_be_understood_fails_under_its_number(the_worker, tmp_path):
    command = command_to_json(make_clip(65, tmp_path / "clip"))
    command["request"]["size"]["width"] = 60
    the_worker.send_line(json.dumps(command).encode())
    failed = the_worker.result(65)
    assert (type(failed), failed.code) == (Failed, "message")
    assert "The width must be a multiple of 8" in failed.message


def test_a_job_that_fails_is_followed_by_one_that_does_not(the_worker, tmp_path):
    (tmp_path / "taken.gif").touch()
    the_worker.send(make_clip(70, tmp_path / "clip"))
    assert isinstance(the_worker.result(70), Finished)
    folder = str(tmp_path / "clip")
    bad = {
        "output_exists": ExportClip(
            job=71, folder=folder, save=SaveRequest(path=str(tmp_path / "taken.gif"))
        ),
        "video_file": ExportClip(
            job=72, folder=folder, save=SaveRequest(path=str(tmp_path / "clip.avi"))
        ),
        "clip": ExportClip(
            job=73, folder=str(tmp_path), save=SaveRequest(path=str(tmp_path / "clip.gif"))
        ),
        "model_not_found": make_clip(74, tmp_path / "new", model=tmp_path / "none"),
        "invalid_request": make_clip(75, tmp_path / "new", width=40),
        "picture": make_clip(76, tmp_path / "new", picture=PictureRequest(path="none.png")),
    }
    for code, command in bad.items():
        the_worker.send(command)
        failed = the_worker.result(command.job)
        assert (type(failed), failed.code) == (Failed, code)
    the_worker.send(make_clip(77, tmp_path / "new"))
    assert isinstance(the_worker.result(77), Finished)


def test_memory_is_given_back_and_the_next_job_runs_all_the_same(the_worker, tmp_path):
    the_worker.send(FreeMemory(job=78))
    assert the_worker.result(78) == MemoryFreed()
    the_worker.send(make_clip(79, tmp_path / "clip"))
    assert isinstance(the_worker.result(79), Finished)


def test_a_model_is_prepared_and_can_be_used_at_once(the_worker, official_folder, tmp_path):
    folder = tmp_path / "prepared here"
    the_worker.send(Prepare(job=80, source=str(official_folder), destination=str(folder)))
    *progress, (job, last) = the_worker.until(Prepared, Failed)
    assert (job, last.folder) == (80, str(folder))
    assert last.eight_bit.num_layers > 0
    done = [event.done_bytes for _, event in progress]
    assert all(isinstance(event, PrepareProgress) for _, event in progress)
    assert done == sorted(done)
    assert done[-1] == progress[-1][1].total_bytes
    the_worker.send(make_clip(81, tmp_path / "clip", model=folder))
    assert isinstance(the_worker.result(81), Finished)


def test_a_self_test_goes_through_all_networks_and_keeps_the_clip(the_worker, tmp_path):
    folder = tmp_path / "clip"
    the_worker.send(SelfTest(job=85, model="demo", folder=str(folder), device="cpu"))
    *heard, (_, tested) = the_worker.until(SelfTested, Failed)
    finished = [event.stage for _, event in heard if isinstance(event, StageFinished)]
    assert finished == [stage for stage in Stage if stage is not Stage.SAVE]
    assert not [event for _, event in heard if isinstance(event, Finished)]
    assert (tested.num_frames, tested.device) == (45, "cpu")
    assert Path(tested.key_frame) == folder / "key_frame.png"
    assert frame_path(folder, 45, 44).is_file()
    assert tested.seconds > 0


def test_the_released_model_is_listed_and_planned_for_before_it_is_there(the_worker):
    listed, _ = the_worker.ask(ListModels(job=86))
    assert (listed.models[-1].name, listed.models[-1].is_ready) == (RELEASED_MODEL, False)
    request = GenerateRequest(prompt="x", seed=1, size=FrameSize(width=64, height=64))
    planned, _ = the_worker.ask(PlanClip(job=87, model=RELEASED_MODEL, request=request))
    assert isinstance(planned, ClipPlanned)
    assert planned.needed_bytes > 10**9
    odd = replace(request, size=FrameSize(width=96, height=64))
    refused, _ = the_worker.ask(PlanClip(job=88, model=RELEASED_MODEL, request=odd))
    assert (refused.code, "64" in refused.message) == ("invalid_request", True)
    the_worker.send(make_clip(89, "nowhere", model=RELEASED_MODEL))
    assert the_worker.result(89).code == "model_not_found"


def test_a_clip_is_exported_without_torch(start, tmp_path):
    write_clip(tmp_path / "clip", demo_like_frames(3))
    worker = start(program=NO_TORCH).greeted()
    save = SaveRequest(path=str(tmp_path / "clip.gif"))
    worker.send(ExportClip(job=1, folder=str(tmp_path / "clip"), save=save))
    assert isinstance(worker.result(1), Finished)


# The end


@pytest.mark.parametrize("how", ["close", "quit"])
def test_a_worker_ends_in_two_seconds_even_while_a_job_does_not_stop(how, start, tmp_path):
    worker = start(program=STUCK_JOBS).greeted()
    worker.send(make_clip(1, tmp_path / "clip"))
    worker.until(StageStarted)
    if how == "quit":
        worker.send(Quit())
    else:
        worker.process.stdin.close()
    assert worker.seconds_to_end() < 2


def test_a_worker_ends_when_nobody_reads_its_events(start):
    worker = start(program=NO_TORCH, max_events=1).greeted()
    worker.reader.join(PATIENCE)
    worker.send(ListModels(job=1))
    assert worker.seconds_to_end() < 2


def test_a_killed_worker_leaves_no_file_under_the_final_name(start, tmp_path):
    # An ffmpeg that takes its time, so that the process certainly dies while it saves.
    slow = tmp_path / "ffmpeg"
    slow.write_text("#!/bin/sh\nexec sleep 20\n")
    slow.chmod(0o755)
    clip = tmp_path / "clip"
    write_clip(clip, demo_like_frames(3))
    worker = start(program=NO_TORCH, IMAGEIO_FFMPEG_EXE=str(slow)).greeted()
    save = SaveRequest(path=str(tmp_path / "clip.mp4"))
    worker.send(ExportClip(job=1, folder=str(clip), save=save))
    worker.until(StageStarted)
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait(PATIENCE)
    assert not Path(save.path).exists()


@pytest.mark.fault(15)
@pytest.mark.skipif(sys.platform != "linux", reason="a call of Linux")
def test_a_worker_ends_with_its_parent_although_its_input_stays_open():
    # The parent starts a worker whose input this test holds open, says which one, and is killed.
    ours, theirs = os.pipe()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=ours, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.nice() > psutil.Process().nice() or psutil.Process().nice() >= 19
        parent.kill()
        parent.wait(PATIENCE)
        psutil.wait_procs([worker], timeout=PATIENCE)
        assert not worker.is_running()
    finally:
        parent.kill()
        parent.stdout.close()
        os.close(ours)
        os.close(theirs)


def test_closing_the_input_stops_a_running_job(the_worker, tmp_path):
    # The last test of this file: it ends the worker of all the others.
    the_worker.send(make_clip(90, tmp_path / "clip", sampling=LONG))
    the_worker.until(StepDone)
    the_worker.process.stdin.close()
    assert the_worker.seconds_to_end() < 2
    assert frames_in(tmp_path / "clip") == []
