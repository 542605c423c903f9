from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from worker_process import PATIENCE, WorkerProcess

from engine.api import (
    PROTOCOL_VERSION,
    Cancel,
    ClipDefaults,
    Failed,
    Finished,
    FrameSize,
    Generate,
    GenerateRequest,
    Greet,
    Hello,
    ListModels,
    ModelsListed,
    PictureRequest,
    Prepare,
    Prepared,
    PrepareProgress,
    Quit,
    SamplingSettings,
    SaveRequest,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
    Stopped,
    command_to_json,
    to_json,
)
from engine.video_io import read_request

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT = SamplingSettings(steps=1, interpolation_steps=1)
LONG = SamplingSettings(steps=999)

# In place of the jobs that need torch: one that never looks whether it was cancelled.
STUCK_JOBS = """
import sys, time, types
import engine.worker
class JobRunner:
    def generate(self, *_, on_event, **__):
        from engine.api import Stage, StageStarted
        on_event(StageStarted(stage=Stage.TEXT, num_steps=1))
        time.sleep(300)
sys.modules["engine.jobs"] = types.SimpleNamespace(JobRunner=JobRunner)
engine.jobs = sys.modules["engine.jobs"]
engine.worker.main()
"""
NO_TORCH = "import sys; sys.modules['torch'] = None; import engine.worker; engine.worker.main()"
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


@pytest.fixture
def start() -> Iterator[type[WorkerProcess]]:
    """Starts workers as `WorkerProcess(...)` does, and ends them with the test."""
    started = []

    def starting(**options):
        started.append(WorkerProcess(**options))
        return started[-1]

    yield starting
    for worker in started:
        worker.close()


@pytest.fixture(scope="module")
def the_worker(prepared_folder, tmp_path_factory) -> Iterator[WorkerProcess]:
    """One worker for all tests that leave it as they found it; it knows the toy by its name."""
    data_home = tmp_path_factory.mktemp("data")
    models = data_home / "kvdesk" / "models"
    models.mkdir(parents=True)
    (models / "toy").symlink_to(prepared_folder)
    worker = WorkerProcess(data_home=data_home).greeted()
    yield worker
    worker.close()


def generate(
    job: int, path: Path, *, width=32, sampling=SHORT, model="toy", overwrite=False, picture=None
) -> Generate:
    request = GenerateRequest(
        prompt="a red circle",
        seed=job,
        size=FrameSize(width=width, height=32),
        picture=picture,
        sampling=sampling,
    )
    save = SaveRequest(path=str(path), overwrite=overwrite)
    return Generate(job=job, model=str(model), request=request, save=save, device="cpu")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


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
        (b"{}", "The command must be one of greet, generate"),
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
    worker.send(generate(2, tmp_path / "clip.gif"))  # torch is missing: a fault of the program
    failed = worker.result(2)
    assert (type(failed), failed.code) == (Failed, "internal")
    assert "Traceback" in failed.detail
    worker.send(ListModels(job=3))
    assert isinstance(worker.result(3), ModelsListed)


def test_what_libraries_print_never_gets_between_the_events(start):
    worker = start(program=NOISY_MODELS).greeted()
    for job in (1, 2):
        worker.send(ListModels(job=job))
        assert worker.result(job) == ModelsListed(models=())


def test_prepared_models_are_listed_by_their_names(the_worker, prepared_folder):
    the_worker.send(ListModels(job=1))
    (toy,) = [info for info in the_worker.result(1).models if info.name != "demo"]
    assert (toy.name, toy.text_encoder_8bit, toy.size_multiple) == ("toy", True, 32)
    assert toy.defaults == ClipDefaults()
    assert Path(toy.folder).samefile(prepared_folder)


# Jobs


def test_a_job_reports_its_stages_and_ends_with_its_file(the_worker, tmp_path):
    command = generate(10, tmp_path / "новый клип.gif")
    the_worker.send(command)
    jobs, events = zip(*the_worker.until(Finished, Failed), strict=True)
    assert set(jobs) == {10}
    started = [event.stage for event in events if isinstance(event, StageStarted)]
    finished = [event.stage for event in events if isinstance(event, StageFinished)]
    assert started == finished == [stage for stage in Stage if stage is not Stage.INTERPOLATION]
    assert events[-1].output == command.save.path
    assert events[-1].num_frames == 12
    assert read_request(Path(command.save.path)) == to_json(command.request)
    assert names_in(tmp_path) == ["новый клип.gif"]


def test_jobs_run_in_the_order_they_came(the_worker, tmp_path):
    for job in (20, 21):
        the_worker.send(generate(job, tmp_path / f"{job}.png"))
    jobs = [job for job, _ in the_worker.until(Finished)] + [
        job for job, _ in the_worker.until(Finished)
    ]
    assert jobs == sorted(jobs)
    assert set(jobs) == {20, 21}
    assert len(names_in(tmp_path)) == 2 * 12


def test_a_running_job_is_cancelled_within_one_step_and_leaves_nothing(the_worker, tmp_path):
    the_worker.send(generate(30, tmp_path / "clip.mp4", sampling=LONG))
    the_worker.until(StepDone)
    the_worker.until(StepDone)
    the_worker.send(Cancel(job=30))
    *before, (job, last) = the_worker.until(Stopped, Finished, Failed)
    assert (job, type(last)) == (30, Stopped)
    # The two steps that may be done by then, and those that were reported while this test slept.
    assert len(before) < 100
    assert names_in(tmp_path) == []


def test_a_waiting_job_is_cancelled_and_the_running_one_is_not(the_worker, tmp_path):
    the_worker.send(generate(40, tmp_path / "first.gif"))
    the_worker.send(generate(41, tmp_path / "second.gif"))
    the_worker.send(Cancel(job=41))
    assert isinstance(the_worker.result(40), Finished)
    assert the_worker.next() == (41, Stopped())
    assert names_in(tmp_path) == ["first.gif"]


def test_cancelling_a_job_that_is_over_or_unknown_is_ignored_for_good(the_worker, tmp_path):
    the_worker.send(Cancel(job=40))
    the_worker.send(Cancel(job=50))
    the_worker.send(generate(50, tmp_path / "clip.gif"))
    assert isinstance(the_worker.result(50), Finished)


def test_a_job_with_the_number_of_another_one_is_refused(the_worker, tmp_path):
    the_worker.send(generate(60, tmp_path / "clip.gif"))
    the_worker.send(generate(60, tmp_path / "other.gif"))
    events = the_worker.until(Finished)
    (failed,) = [event for job, event in events if job is None]
    assert failed.message == "There is a job 60 already."
    assert names_in(tmp_path) == ["clip.gif"]


def test_a_job_that_cannot_be_understood_fails_under_its_number(the_worker, tmp_path):
    command = command_to_json(generate(65, tmp_path / "clip.gif"))
    command["request"]["size"]["width"] = 60
    the_worker.send_line(json.dumps(command).encode())
    failed = the_worker.result(65)
    assert (type(failed), failed.code) == (Failed, "message")
    assert "The width must be a multiple of 8" in failed.message


def test_a_job_that_fails_is_followed_by_one_that_does_not(the_worker, tmp_path):
    (tmp_path / "taken.gif").touch()
    bad = {
        "output_exists": generate(70, tmp_path / "taken.gif"),
        "video_file": generate(71, tmp_path / "clip.avi"),
        "model_not_found": generate(72, tmp_path / "clip.gif", model=tmp_path / "none"),
        "invalid_request": generate(73, tmp_path / "clip.gif", width=40),
        "picture": generate(74, tmp_path / "clip.gif", picture=PictureRequest(path="none.png")),
    }
    for code, command in bad.items():
        the_worker.send(command)
        failed = the_worker.result(command.job)
        assert (type(failed), failed.code) == (Failed, code)
    the_worker.send(generate(75, tmp_path / "taken.gif", overwrite=True))
    assert isinstance(the_worker.result(75), Finished)
    assert names_in(tmp_path) == ["taken.gif"]


def test_a_model_is_prepared_and_can_be_used_at_once(the_worker, official_folder, tmp_path):
    folder = tmp_path / "prepared here"
    the_worker.send(Prepare(job=80, source=str(official_folder), destination=str(folder)))
    *progress, (job, last) = the_worker.until(Prepared, Failed)
    assert (job, last) == (80, Prepared(folder=str(folder)))
    done = [event.done_bytes for _, event in progress]
    assert all(isinstance(event, PrepareProgress) for _, event in progress)
    assert done == sorted(done)
    assert done[-1] == progress[-1][1].total_bytes
    the_worker.send(generate(81, tmp_path / "clip.gif", model=folder))
    assert isinstance(the_worker.result(81), Finished)


# The end


@pytest.mark.parametrize("how", ["close", "quit"])
def test_a_worker_ends_in_two_seconds_even_while_a_job_does_not_stop(how, start, tmp_path):
    worker = start(program=STUCK_JOBS).greeted()
    worker.send(generate(1, tmp_path / "clip.gif"))
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


def test_a_killed_worker_leaves_no_file_under_the_final_name(start, prepared_folder, tmp_path):
    # An ffmpeg that takes its time, so that the process certainly dies while it saves.
    slow = tmp_path / "ffmpeg"
    slow.write_text("#!/bin/sh\nexec sleep 20\n")
    slow.chmod(0o755)
    clips = tmp_path / "clips"
    clips.mkdir()
    worker = start(IMAGEIO_FFMPEG_EXE=str(slow)).greeted()
    worker.send(generate(1, clips / "clip.mp4", model=prepared_folder))
    while worker.until(StageStarted)[-1][1].stage is not Stage.SAVE:
        pass
    worker.process.send_signal(signal.SIGKILL)
    worker.process.wait(PATIENCE)
    assert not (clips / "clip.mp4").exists()


def test_closing_the_input_stops_a_running_job_and_leaves_nothing(the_worker, tmp_path):
    # The last test of this file: it ends the worker of all the others.
    the_worker.send(generate(90, tmp_path / "clip.mp4", sampling=LONG))
    the_worker.until(StepDone)
    the_worker.process.stdin.close()
    assert the_worker.seconds_to_end() < 2
    assert names_in(tmp_path) == []
