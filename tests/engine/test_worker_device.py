"""A worker whose device breaks down says so and ends: nothing goes on with it in that process."""

from __future__ import annotations

import pytest
from worker_process import make_clip

from engine.api import (
    DEVICE_LOST_EXIT_CODE,
    DescribeMachine,
    Failed,
    FreeMemory,
    MemoryFreed,
    StageStarted,
)

# In place of what needs torch: jobs, and a machine, that fail in the words of the test.
BROKEN = """
import sys, types
import engine.worker
from engine.errors import Cancelled, DeviceLost
ILLEGAL = RuntimeError("CUDA error: an illegal memory access was encountered")
class JobRunner:
    def make_clip(self, *_, on_event, is_cancelled, **__):
        from engine.api import Stage, StageStarted
        on_event(StageStarted(stage=Stage.TEXT, num_steps=1))
        {job}
    def free_memory(self):
        pass
sys.modules["engine.jobs"] = types.SimpleNamespace(JobRunner=JobRunner)
engine.jobs = sys.modules["engine.jobs"]
import engine.questions
def describe_machine():
    raise ILLEGAL
engine.questions.describe_machine = describe_machine
sys.modules["torch"] = types.SimpleNamespace(OutOfMemoryError=MemoryError)
engine.worker.main()
"""
UNTIL_CANCELLED = """
        import time
        while not is_cancelled():
            time.sleep(0.01)
        raise Cancelled
"""


def ended(worker) -> int:
    worker.seconds_to_end()
    return worker.process.returncode


@pytest.mark.fault(17)
@pytest.mark.parametrize(
    "job", ["raise ILLEGAL", "raise DeviceLost('The card is gone.')"], ids=["torch", "engine"]
)
def test_a_job_whose_device_breaks_down_is_the_last_of_its_worker(start, tmp_path, job):
    worker = start(program=BROKEN.replace("{job}", job)).greeted()
    worker.send(make_clip(1, tmp_path / "one"))
    worker.send(make_clip(2, tmp_path / "two"))
    failed = worker.result(1)
    assert (type(failed), failed.code) == (Failed, "device_lost")
    assert ended(worker) == DEVICE_LOST_EXIT_CODE
    assert not (tmp_path / "two").exists()


def test_a_question_that_finds_the_device_broken_ends_the_job_as_failed_and_not_as_stopped(
    start, tmp_path
):
    worker = start(program=BROKEN.replace("{job}", UNTIL_CANCELLED)).greeted()
    worker.send(make_clip(1, tmp_path / "one"))
    worker.until(StageStarted)
    worker.send(DescribeMachine(job=2))
    codes = {job: event.code for job, event in (worker.next(), worker.next())}
    assert codes == {1: "device_lost", 2: "device_lost"}
    assert ended(worker) == DEVICE_LOST_EXIT_CODE


@pytest.mark.fault(17)
def test_memory_that_runs_out_fails_the_job_and_the_worker_lives(start, tmp_path):
    worker = start(program=BROKEN.replace("{job}", "raise MemoryError")).greeted()
    worker.send(make_clip(1, tmp_path / "one"))
    failed = worker.result(1)
    assert (type(failed), failed.code) == (Failed, "out_of_memory")
    worker.send(FreeMemory(job=2))
    assert worker.result(2) == MemoryFreed()
