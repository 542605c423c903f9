from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import engine.jobs
from engine import cli
from engine.api import (
    Failed,
    Finished,
    GenerateRequest,
    Prepared,
    PrepareProgress,
    Stage,
    StageStarted,
    StepDone,
    Stopped,
    event_from_json,
    from_json,
)
from engine.checkpoint.eight_bit_report import read_eight_bit_report
from engine.errors import VideoFileError
from engine.jail import probe
from engine.video_io import read_request

ROOT = Path(__file__).parents[2]
PATIENCE = 120  # seconds to import torch on a busy machine; nothing here waits on purpose
SMALL = ("--width", "32", "--height", "32", "--steps", "1", "--interpolation-steps", "1")
PICTURE = ROOT / "tests" / "goldens" / "input.png"

# In place of the jobs that need torch: one that never ends by itself.
STUCK_JOBS = """
import sys, time, types
class JobRunner:
    def generate(self, *_, **__):
        print("running", flush=True)
        time.sleep(300)
sys.modules["engine.jobs"] = types.SimpleNamespace(JobRunner=JobRunner)
from engine.cli import main
sys.exit(main())
"""
NO_TORCH = "import sys; sys.modules['torch'] = None; from engine.cli import main; sys.exit(main())"


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """The toy networks are too small for several: these would mostly wait for each other."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture
def generate(prepared_folder):
    """Runs `kvdesk generate` with the toy, and gives the exit status."""

    def run(*arguments: object) -> int:
        common = ["generate", "--model", prepared_folder, "--device", "cpu", *SMALL]
        return cli.main([str(argument) for argument in (*common, *arguments)])

    return run


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def start(*command: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def events_in(text: str) -> list:
    return [event_from_json(json.loads(line)) for line in text.splitlines()]


def frames_in(folder: Path) -> np.ndarray:
    return np.stack([np.asarray(Image.open(folder / name)) for name in names_in(folder)])


# Making a clip


@pytest.mark.parametrize("name", ["clip.mp4", "clip.GIF", "clip.webp", "новый клип.mp4"])
def test_a_clip_is_saved_in_the_format_of_its_ending(name, generate, tmp_path, capsys):
    assert generate("a red circle", "--seed", 5, "-o", tmp_path / name) == 0
    assert names_in(tmp_path) == [name]
    said = capsys.readouterr()
    assert said.out == f"{tmp_path / name}: 12 frames, seed 5\n"
    assert re.sub(r"\d+\.\d s", "N s", said.err).splitlines() == [
        "Reading the prompt: N s",
        "Drawing the picture: N s",
        "Setting it in motion: N s",
        "Developing the frames: N s",
        "Saving: N s",
    ]


def test_every_option_reaches_the_request_in_the_file(generate, tmp_path):
    options = ["-o", tmp_path / "clip.gif", "--image", PICTURE, "--crop", "10,20.5,110,120"]
    options += ["--background", "#102030", "--width", 64, "--height", 32, "--fps", "medium"]
    options += ["--motion", "extreme", "--noise-augmentation", 0, "--negative-prompt", "rain"]
    options += ["--key-frame-guidance", 1, "--prompt-guidance", "2.5", "--image-guidance", 3]
    options += ["--interpolation-guidance", 0, "--seed", 2**63 - 1, "--steps", 3]
    options += ["--interpolation-steps", 2, "--sampler", "dpm++", "--crf", 30]
    options += ["--playback", "boomerang"]
    assert generate("a\nred “circle”", *options) == 0
    assert read_request(tmp_path / "clip.gif") == {
        "prompt": "a\nred “circle”",
        "seed": 2**63 - 1,
        "size": {"width": 64, "height": 32},
        "negative_prompt": "rain",
        "picture": {
            "path": str(PICTURE),
            "crop": {"left": 10.0, "top": 20.5, "right": 110.0, "bottom": 120.0},
            "background": [16, 32, 48],
        },
        "fps": "medium",
        "motion": "extreme",
        "noise_augmentation": 0,
        "guidance": {"key_frame": 1.0, "prompt": 2.5, "image": 3.0, "interpolation": 0.0},
        "sampling": {"sampler": "dpm++", "steps": 3, "interpolation_steps": 2},
    }
    with Image.open(tmp_path / "clip.gif") as gif:
        assert gif.n_frames == 45 + 43


def test_the_same_command_as_a_file_was_made_with_gives_the_same_frames(generate, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    assert generate("a red circle", "--motion", "high", "-o", first / "clip.png") == 0
    capsys.readouterr()
    assert cli.main(["inspect", str(first / "clip_0001.png")]) == 0
    request = json.loads(capsys.readouterr().out)
    assert from_json(GenerateRequest, request).seed == request["seed"]

    options = ["--seed", request["seed"], "--motion", request["motion"], "--fps", request["fps"]]
    options += ["--width", request["size"]["width"], "--height", request["size"]["height"]]
    options += ["--steps", request["sampling"]["steps"]]
    assert generate(request["prompt"], *options, "-o", second / "clip.png") == 0
    assert len(names_in(first)) == 12
    assert np.array_equal(frames_in(first), frames_in(second))


def test_a_file_is_replaced_only_where_it_may_be(generate, tmp_path, capsys):
    (tmp_path / "clip.gif").write_text("old")
    assert generate("x", "-o", tmp_path / "clip.gif") == 1
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "clip.gif").read_text() == "old"
    assert generate("x", "-o", tmp_path / "clip.gif", "--overwrite") == 0
    assert read_request(tmp_path / "clip.gif")["prompt"] == "x"


def test_json_is_all_that_is_printed_where_it_is_asked_for(generate, tmp_path, capsys):
    assert generate("x", "-o", tmp_path / "clip.gif", "--json") == 0
    said = capsys.readouterr()
    events = events_in(said.out)
    assert isinstance(events[0], StageStarted)
    assert events[-1] == Finished(
        num_frames=12, seconds=events[-1].seconds, output=str(tmp_path / "clip.gif")
    )
    assert said.err == ""


def test_json_ends_with_what_went_wrong(generate, tmp_path, capsys):
    assert generate("x", "-o", tmp_path / "clip.avi", "--json") == 1
    said = capsys.readouterr()
    (failed,) = events_in(said.out)
    assert (type(failed), failed.code) == (Failed, "video_file")
    assert said.err == f"kvdesk: {failed.message}\n"


# Models


def test_a_model_is_prepared_listed_and_used_by_its_name(
    official_folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "kvdesk" / "models" / "toy"
    assert cli.main(["prepare", str(official_folder), str(folder), "--json"]) == 0
    said = capsys.readouterr()
    events = events_in(said.out)
    assert {type(event) for event in events[:-1]} == {PrepareProgress}
    report = read_eight_bit_report(folder)
    level = probe()  # all that there is here
    assert events[-1] == Prepared(folder=str(folder), eight_bit=report, jail_level=level)
    assert said.err == ""

    assert cli.main(["models"]) == 0
    listed = capsys.readouterr().out
    assert "\ntoy\n" in f"\n{listed}"
    assert f"512x512, in {folder}" in listed
    assert cli.main(["generate", "x", *SMALL, "--model", "toy", "-o", str(tmp_path / "a.gif")]) == 0
    assert (tmp_path / "a.gif").is_file()


# Refusals


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["x", "-o", "clip"], "must end in .mp4, .gif, .webp or .png"),
        (["x", "-o", "/dev/null/clip.gif"], "/dev/null"),
        (["x", "-o", "/proc/clip.gif"], "/proc"),
        (["x", "-o", "a\0b.gif"], "it holds a zero byte"),
        (["x", "-o", "c.gif", "--model", "none"], "There is no model 'none'"),
        (["x", "-o", "c.gif", "--model", "a\0b"], "There is no model"),
        (["x", "-o", "c.gif", "--device", "tpu"], 'There is no device "tpu"'),
        (["x", "-o", "c.gif", "--width", "0"], "The width must be a multiple of 8"),
        (["x", "-o", "c.gif", "--height", "-64"], "The height must be a multiple of 8"),
        (["x", "-o", "c.gif", "--width", "40"], "must be multiples of 32 for this model"),
        (["x", "-o", "c.gif", "--seed", str(2**64)], "The seed must be from 0"),
        (["x", "-o", "c.gif", "--steps", "0"], "The number of steps must be from 1 to 999"),
        (["x", "-o", "c.gif", "--prompt-guidance", "nan"], "guidance must be from -100 to 100"),
        (["x", "-o", "c.gif", "--crf", "52"], "The CRF must be from 0 to 51"),
        (["x", "-o", "c.gif", "--crop", "0,0,9,9"], "Name one with --image"),
        (["x", "-o", "c.gif", "--image", "none.png"], "none.png"),
        (["x", "-o", "c.gif", "--image", "a\0b"], "it holds a zero byte"),
        (["x", "-o", "c.gif", "--image", "."], "folder"),
        (["x", "-o", "c.gif", "--image", PICTURE, "--crop", "0,0,999,9"], "beyond the picture"),
        (["\udcff", "-o", "c.gif"], "The prompt holds a damaged character"),
        (["x" * 10_001, "-o", "c.gif"], "The prompt must have at most 10000 characters"),
    ],
)  # fmt: skip
def test_a_failure_is_a_sentence_and_an_exit_status(
    arguments, words, generate, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert generate(*arguments) == 1
    said = capsys.readouterr()
    sentence = next(line for line in said.err.splitlines() if line.startswith("kvdesk: "))
    assert words in sentence
    assert "Traceback" not in said.err
    assert said.out == ""
    assert names_in(tmp_path) == []


def test_a_pipe_in_place_of_a_picture_is_not_waited_for(generate, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.png")
    out = tmp_path / "clip.gif"
    assert generate("x", "-o", out, "--image", tmp_path / "pipe.png") == 1
    assert "pipe.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explode"], "explode"),
        (["generate"], "prompt, -o/--output"),
        (["generate", "x"], "-o/--output"),
        (["generate", "x", "-o", "c.gif", "--fps", "60"], "choose from 'low', 'medium', 'high'"),
        (["generate", "x", "-o", "c.gif", "--motion", "normal"], "'extreme'"),
        (["generate", "x", "-o", "c.gif", "--sampler", "euler"], "'dpm++'"),
        (["generate", "x", "-o", "c.gif", "--steps", "many"], "invalid int value: 'many'"),
        (["generate", "x", "-o", "c.gif", "--crop", "1,2,3"], "a crop is LEFT,TOP,RIGHT,BOTTOM"),
        (["generate", "x", "-o", "c.gif", "--crop", "9,9,1,1"], "is empty"),
        (["generate", "x", "-o", "c.gif", "--background", "red"], "a colour is #RRGGBB"),
        (["generate", "x", "-o", "c.gif", "--quality", "9"], "--quality"),
        (["prepare", "official"], "MODEL_FOLDER"),
        (["inspect"], "FILE"),
    ],
)
def test_wrong_usage_is_explained_and_has_a_status_of_its_own(arguments, words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["inspect", "none.mp4"], "There is no file none.mp4"),
        (["inspect", str(PICTURE)], "input.png does not say what it was made from"),
        (["prepare", "none", "toy"], "There is no model in none"),
        (["prepare", "a\0b", "toy"], "There is no model in a\0b"),
        (["prepare", str(PICTURE.parent), "toy"], "is not complete"),
        (["prepare", "official", "a\0b"], "cannot be the name of a model's folder"),
        (["prepare", "official", "\udcff"], "cannot be the name of a model's folder"),
    ],
)
def test_other_commands_fail_with_a_sentence_too(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("kvdesk: ")
    assert words in said
    assert names_in(tmp_path) == []


def test_what_can_be_refused_at_once_does_not_wait_for_torch(prepared_folder, tmp_path):
    (tmp_path / "clip.gif").touch()
    generating = ["-c", NO_TORCH, "generate", "x", "--model", prepared_folder, "-o"]
    for arguments in ([tmp_path / "clip.gif"], [tmp_path / "new.avi"],
                      [tmp_path / "new.gif", "--seed", "-1"]):  # fmt: skip
        refused = run(*generating, *arguments)
        assert refused.returncode == 1
        assert refused.stderr.startswith("kvdesk: ")
        assert "went wrong" not in refused.stderr
    assert "went wrong that should not have" in run(*generating, tmp_path / "new.gif").stderr


@pytest.mark.parametrize("arguments", [("-m", "kvdesk", "--help"), ("-m", "engine.cli")])
def test_it_says_what_it_can_do(arguments):
    said = run(*arguments)
    assert said.returncode == 0
    for command in ("generate", "prepare", "inspect", "models"):
        assert command in said.stdout
    assert run("-m", "kvdesk", "--version").stdout == f"kvdesk {engine.__version__}\n"


def test_a_reader_that_goes_away_is_no_fault():
    process = start("-m", "kvdesk", "models")
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(PATIENCE) == 1


# Ctrl-C


def test_ctrl_c_ends_within_one_step_and_leaves_nothing(prepared_folder, tmp_path):
    process = start("-m", "kvdesk", "generate", "x", "--model", prepared_folder, "--json", *SMALL,
                    "--steps", 200, "--image", PICTURE, "-o", tmp_path / "clip.mp4")  # fmt: skip
    for line in process.stdout:
        event = event_from_json(json.loads(line))
        if isinstance(event, StepDone) and event.stage is Stage.BASE_FRAMES:
            break
    process.send_signal(signal.SIGINT)
    pressed = time.monotonic()
    out, err = process.communicate(timeout=PATIENCE)
    assert time.monotonic() - pressed < 5
    assert process.returncode == 130
    *steps, stopped = events_in(out)
    assert stopped == Stopped()
    assert all(isinstance(event, StepDone) and event.step < 190 for event in steps)
    assert err.splitlines() == [
        "",
        "Stopping after this step; press Ctrl-C again to stop at once.",
        "kvdesk: stopped.",
    ]
    assert names_in(tmp_path) == []


def test_the_second_ctrl_c_ends_at_once(prepared_folder, tmp_path):
    process = start("-c", STUCK_JOBS, "generate", "x", "--model", prepared_folder,
                    "-o", tmp_path / "clip.mp4")  # fmt: skip
    assert process.stdout.readline() == "running\n"
    process.send_signal(signal.SIGINT)
    while "Stopping" not in process.stderr.readline():
        pass
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert err == "kvdesk: stopped.\n"
    assert names_in(tmp_path) == []


def test_ctrl_c_that_breaks_a_program_of_ours_is_still_a_cancelled_job(
    generate, tmp_path, monkeypatch, capsys
):
    def interrupted(*_, **__):
        signal.raise_signal(signal.SIGINT)
        raise VideoFileError("ffmpeg was interrupted.")

    monkeypatch.setattr(engine.jobs.JobRunner, "generate", interrupted)
    handler = signal.getsignal(signal.SIGINT)
    assert generate("x", "-o", tmp_path / "clip.gif") == 130
    assert capsys.readouterr().err == "kvdesk: stopped.\n"
    assert signal.getsignal(signal.SIGINT) is handler
