"""The self-test: a small clip through all networks, and what is said of wrong numbers."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from engine import cli, self_test
from engine.api import (
    ClipDefaults,
    Fps,
    FrameSize,
    SamplingSettings,
    SelfTest,
)
from engine.checkpoint.folder import ModelFolder, demo_folder
from engine.clip_run import ClipRun
from engine.errors import InvalidRequest, WrongNumbers
from engine.jobs import JobRunner
from engine.memory.speeds import speeds_file
from engine.pipeline import Pipeline


@pytest.fixture
def smallest(monkeypatch):
    """The smallest clip is the only one there is to choose."""
    monkeypatch.setattr(self_test, "_PARTS_OF_SIZE", (4,))
    monkeypatch.setattr(self_test, "_STEPS", (4,))


def run(folder):
    return self_test.run_self_test(
        JobRunner(),
        SelfTest(job=1, model="demo", folder=str(folder), device="cpu"),
        on_event=lambda _: None,
        is_cancelled=lambda: False,
    )


@pytest.mark.usefixtures("smallest")
def test_what_it_measures_is_what_later_plans_count_with(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("engine.memory.calibration._SHORTEST_S", 0.0)
    assert not speeds_file().exists()
    run(tmp_path / "clip")
    assert json.loads(speeds_file().read_text())


def test_two_tests_read_two_prompts():
    info = ModelFolder.open(demo_folder()).info
    prompts = {next(self_test._requests(info)).prompt for _ in range(8)}
    assert len(prompts) > 1


# How large the clip is


def plans(seconds, fits=lambda _: True):
    def plan(_folder, _device, request, *, eight_bit):
        del eight_bit
        stage = SimpleNamespace(seconds=seconds(request))
        return SimpleNamespace(fits=fits(request), stages=[stage])

    return plan


@pytest.fixture
def released():
    info = SimpleNamespace(defaults=ClipDefaults(), size_multiple=64)
    return SimpleNamespace(info=info)


def test_it_is_the_largest_clip_that_is_planned_to_take_ten_seconds(monkeypatch, released):
    def seconds(request):
        return request.size.width * request.size.height * request.sampling.steps / 100_000

    monkeypatch.setattr(self_test, "_plan", plans(seconds))
    request = self_test._request(released, None, eight_bit=False)
    assert (request.size, request.sampling.steps) == (FrameSize(width=256, height=256), 12)
    assert request.fps is Fps.MEDIUM


def test_where_nothing_is_that_quick_or_fits_it_is_the_smallest(monkeypatch, released):
    smallest = (FrameSize(width=128, height=128), SamplingSettings(steps=4, interpolation_steps=4))
    for plan in (plans(lambda _: 1e6), plans(lambda _: 0.0, fits=lambda _: False)):
        monkeypatch.setattr(self_test, "_plan", plan)
        request = self_test._request(released, None, eight_bit=False)
        assert (request.size, request.sampling) == smallest


def test_sides_are_what_the_model_can_make():
    defaults = ClipDefaults(size=FrameSize(width=640, height=128))
    info = SimpleNamespace(defaults=defaults, size_multiple=64)
    sizes = {request.size for request in self_test._requests(info)}
    assert {(size.width % 64, size.height % 64) for size in sizes} == {(0, 0)}
    assert min(size.height for size in sizes) == 64


# Wrong numbers


def check_refused(tmp_path, *words):
    with pytest.raises(WrongNumbers, match="computes wrong numbers") as caught:
        run(tmp_path / "clip")
    assert all(word in caught.value.message for word in words), caught.value.message


@pytest.mark.usefixtures("smallest")
@pytest.mark.parametrize(
    ("nth_loop", "words"),
    [(1, "drawing the key frame"), (2, "making the base frames"), (3, "frames in between")],
)
def test_latents_that_are_not_numbers_are_found_in_their_stage(
    monkeypatch, tmp_path, nth_loop, words
):
    run_loop, done = Pipeline.run_loop, []

    def spoiled(pipeline, stage, on_step=None):
        latents = run_loop(pipeline, stage, on_step)
        done.append(stage)
        return latents * torch.nan if len(done) == nth_loop else latents

    monkeypatch.setattr(Pipeline, "run_loop", spoiled)
    check_refused(tmp_path, words)


@pytest.mark.usefixtures("smallest")
def test_a_prompt_that_becomes_no_numbers_is_found(monkeypatch, tmp_path):
    encode = Pipeline.encode_prompts

    def spoiled(*arguments, **options):
        prompts = encode(*arguments, **options)
        prompts.prompt.tokens.fill_(torch.inf)
        return prompts

    monkeypatch.setattr(Pipeline, "encode_prompts", spoiled)
    check_refused(tmp_path, "reading the prompt")


@pytest.mark.usefixtures("smallest")
def test_pictures_of_one_colour_are_found(monkeypatch, tmp_path):
    decode = Pipeline.decode_chunk

    def flat(pipeline, chunk, num_frames):
        pictures = decode(pipeline, chunk, num_frames)
        return [*pictures[:-1], Image.new("RGB", pictures[-1].size, (9, 9, 9))]

    monkeypatch.setattr(Pipeline, "decode_chunk", flat)
    check_refused(tmp_path, "decoding the frames", "is of one colour")


@pytest.mark.usefixtures("smallest")
def test_a_folder_with_a_clip_is_not_tested_in(tmp_path):
    run(tmp_path / "clip")
    with pytest.raises(InvalidRequest, match="a clip in"):
        run(tmp_path / "clip")


# The command


@pytest.mark.usefixtures("smallest")
def test_the_command_says_what_each_stage_took_and_what_is_planned_now(capsys):
    assert cli.main(["self-test", "--model", "demo", "--device", "cpu"]) == 0
    output = capsys.readouterr().out
    assert "All networks compute on cpu: 45 frames of 16x16" in output
    assert "key frame" in output
    assert "is planned to take about" in output


@pytest.mark.usefixtures("smallest")
def test_the_command_prints_events_where_that_is_asked_for(capsys):
    assert cli.main(["self-test", "--model", "demo", "--device", "cpu", "--json"]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    assert json.loads(last)["event"] == "self_tested"


@pytest.mark.usefixtures("smallest")
def test_the_command_fails_where_numbers_are_wrong(monkeypatch, capsys):
    def wrong(_run, _until=None):
        raise WrongNumbers("It computes wrong numbers.")

    monkeypatch.setattr(ClipRun, "frames", wrong)
    assert cli.main(["self-test", "--model", "demo", "--device", "cpu"]) == 1
    assert "wrong numbers" in capsys.readouterr().err


def test_without_the_released_model_the_command_says_how_to_get_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert cli.main(["self-test"]) == 1
    assert "kvdesk download" in capsys.readouterr().err
