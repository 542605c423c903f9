"""`kvdesk download`, and downloads of a worker: all of it in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hub_server import Fault, HubServer, repositories_of
from small_hub import LARGEST, files_in, repositories, wanted_files
from worker_process import NO_TORCH, make_clip

from engine.api import (
    Cancel,
    DescribeDownload,
    DownloadDescribed,
    Downloaded,
    DownloadModel,
    DownloadProgress,
    Failed,
    Stopped,
    event_from_json,
)

ROOT = Path(__file__).parents[2]
WHOLE = wanted_files()
TOTAL = sum(map(len, WHOLE.values()))
PATIENCE = 60
SLOW_MB = str(TOTAL / 3 / 1e6)


@pytest.fixture
def server():
    with HubServer(repositories()) as server:
        yield server


def environment(server, tmp_path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_ENDPOINT": server.endpoint,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_TOKEN": "hf_very_secret",
    }


def begin(server, tmp_path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "engine.cli", *map(str, arguments)],
        env=environment(server, tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )


def run(server, tmp_path, *arguments: object) -> tuple[int, str, str]:
    process = begin(server, tmp_path, *arguments)
    output, errors = process.communicate(timeout=PATIENCE)
    assert "hf_very_secret" not in output + errors
    return process.returncode, output, errors


def test_what_is_fetched_is_said_before_and_a_dry_run_fetches_nothing(server, tmp_path):
    status, output, _ = run(server, tmp_path, "download", "model", "--dry-run")
    assert status == 0
    assert "To fetch: 0.71 MB of 0.71 MB." in output
    assert all(name in output for name in WHOLE)
    assert not (tmp_path / "model").exists()


def test_ctrl_c_pauses_and_the_same_command_goes_on(server, tmp_path):
    command = ("download", "model", "--limit", SLOW_MB, "--json")
    process = begin(server, tmp_path, *command)
    for line in process.stdout:
        event = event_from_json(json.loads(line))
        if isinstance(event, DownloadProgress) and event.done_bytes > TOTAL / 4:
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert isinstance(event_from_json(json.loads(output.splitlines()[-1])), Stopped)
    (part,) = (tmp_path / "model").rglob("*.part")
    there = part.stat().st_size + sum(
        len(data) for name, data in files_in(tmp_path / "model").items() if name in WHOLE
    )
    assert there > TOTAL / 4
    status, output, _ = run(server, tmp_path, "download", "model", "--json")
    assert status == 0
    assert event_from_json(json.loads(output.splitlines()[-1])) == Downloaded(
        folder=str(tmp_path / "model"),
        fetched_bytes=TOTAL - there,
        copied_bytes=0,
        linked_bytes=0,
    )
    assert files_in(tmp_path / "model") == WHOLE


@pytest.fixture
def start_worker(start, server, tmp_path):
    variables = environment(server, tmp_path)
    names = ("HF_ENDPOINT", "HF_HOME")

    def starting():
        return start(program=NO_TORCH, **{name: variables[name] for name in names}).greeted()

    return starting


def test_a_worker_downloads_while_it_does_everything_else(start_worker, tmp_path):
    worker = start_worker()
    folder = str(tmp_path / "model")
    question = DescribeDownload(job=1, folder=folder)
    described, _ = worker.ask(question)
    assert isinstance(described, DownloadDescribed)
    assert described.missing_bytes == TOTAL
    worker.send(DownloadModel(job=2, folder=folder, bytes_per_second=TOTAL // 3))
    worker.until(DownloadProgress)
    # A clip fails at once, since there is no torch; it did not wait for the download.
    worker.send(make_clip(3, tmp_path / "clip", model="demo"))
    job, _ = worker.until(Failed)[-1]
    assert job == 3
    worker.send(Cancel(job=2))
    assert worker.until(Stopped)[-1][0] == 2
    worker.send(DownloadModel(job=2, folder=folder))
    job, done = worker.until(Downloaded)[-1]
    assert job == 2
    assert 0 < done.fetched_bytes <= TOTAL
    assert files_in(tmp_path / "model") == WHOLE


@pytest.mark.slow
def test_a_worker_that_is_killed_takes_its_download_along_and_the_next_one_goes_on(
    start_worker, server, tmp_path
):
    worker = start_worker()
    folder = str(tmp_path / "model")
    worker.send(DownloadModel(job=1, folder=folder, bytes_per_second=TOTAL // 10))
    while worker.until(DownloadProgress)[-1][1].done_bytes < TOTAL / 10:
        pass
    worker.process.kill()
    worker.process.wait()
    time.sleep(0.5)
    num_asked = len(server.asked)
    time.sleep(0.5)
    assert len(server.asked) == num_asked
    another = start_worker()
    another.send(DownloadModel(job=1, folder=folder))
    assert isinstance(another.until(Downloaded, Failed)[-1][1], Downloaded)
    assert files_in(tmp_path / "model") == WHOLE


@pytest.mark.slow
def test_from_nothing_to_a_clip(official_folder, tmp_path):
    with HubServer(repositories_of(official_folder)) as server:
        server.cut_at = 3_000_000
        server.will(LARGEST, Fault.CUT, Fault.CUT)
        status, output, errors = run(server, tmp_path, "download", "official")
        assert status == 0, errors
        assert "kvdesk prepare" in output
        assert not server.starts("flax_model.msgpack")
        original = files_in(official_folder)
        fetched = files_in(tmp_path / "official")
        assert {name: original[name] for name in fetched} == fetched
        status, _, errors = run(server, tmp_path, "prepare", "official", "toy")
        assert status == 0, errors
        small = ("--width", 32, "--height", 32, "--steps", 1, "--interpolation-steps", 1)
        clip = ("generate", "a red circle", "--model", "toy", "-o", "clip.mp4", *small)
        status, _, errors = run(server, tmp_path, *clip)
    assert status == 0, errors
    assert (tmp_path / "clip.mp4").stat().st_size > 0
