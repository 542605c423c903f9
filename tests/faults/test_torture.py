"""`kvdesk doctor --torture`: its drills hold here, and find what does not hold."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from engine.api import (
    CLIP_FORMAT,
    DEMO_MODEL,
    ClipInfo,
    Fps,
    FrameSize,
    GenerateRequest,
    frame_path,
)
from engine.cli import main
from engine.clip import ClipFolder
from engine.doctor import file_drills, model_drills, torture
from engine.doctor.drill import Drill, PromiseBroken
from engine.doctor.worker_drills import End, InterruptedClips
from engine.errors import ModelFileError

if TYPE_CHECKING:
    from fault_rounds import Rounds

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such limits and signals")


def do(one_round, rounds: Rounds, tmp_path: Path, *, small: int, large: int) -> None:
    """Rounds of a drill, each in a folder of its own; all must hold."""
    rng = random.Random(37)
    for number in range(rounds.wanted(small, large)):
        drill = Drill(name="", one_round=one_round)
        assert torture.do_round(drill, rng, tmp_path / "round") == "", f"round {number}"
        assert not (tmp_path / "round").exists()
        rounds.done()


# All hold


@pytest.mark.fault(6, 37)
def test_a_damaged_demo_is_not_used(rounds, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    do(model_drills.damage_model, rounds, tmp_path, small=12, large=1000)


@pytest.mark.slow  # starts a process that imports torch
@pytest.mark.fault(1, 37)
@pytest.mark.timeout(0)
def test_a_file_with_a_program_in_it_is_not_obeyed(rounds, tmp_path):
    do(model_drills.open_hostile_file, rounds, tmp_path, small=1, large=60)


@pytest.mark.fault(22, 37)
@pytest.mark.timeout(0)
def test_a_damaged_picture_is_read_or_refused(rounds, tmp_path):
    do(file_drills.open_damaged_picture, rounds, tmp_path, small=2, large=300)


@POSIX
@pytest.mark.fault(8, 37)
@pytest.mark.timeout(0)
def test_a_disk_that_takes_no_more_spoils_nothing(rounds, tmp_path):
    clip = drawn_clip(tmp_path / "finished")
    drill = file_drills.full_disk_drill(lambda: clip)
    do(drill.one_round, rounds, tmp_path, small=1, large=60)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    "end",
    [
        pytest.param(End.KILL, marks=pytest.mark.fault(10, 37)),
        pytest.param(End.STOP, marks=[pytest.mark.fault(12, 37), POSIX]),
        pytest.param(End.CANCEL, marks=pytest.mark.fault(10, 37)),
    ],
)
def test_a_clip_that_was_interrupted_has_the_same_frames(rounds, tmp_path, monkeypatch, end):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    clips = InterruptedClips(tmp_path)

    def one_round(rng, folder):
        clips.one_round(rng, folder, end=end)

    do(one_round, rounds, tmp_path, small=1, large=20)


def drawn_clip(folder: Path) -> Path:
    """A finished clip that no model has made."""
    request = GenerateRequest(prompt="drawn", seed=1, size=FrameSize(width=64, height=64))
    info = ClipInfo(
        format_version=CLIP_FORMAT,
        kvdesk_version="0.1.0",
        device="cpu",
        created="2026-11-22T19:30:05+00:00",
        model=DEMO_MODEL,
        model_fingerprint="0" * 64,
        request=request,
        num_frames=Fps.LOW.num_frames,
        has_key_frame=False,
    )
    rng = random.Random(1)
    for index in range(Fps.LOW.num_frames):
        path = frame_path(folder, Fps.LOW.num_frames, index)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.frombytes("RGB", (64, 64), rng.randbytes(3 * 64 * 64)).save(path)
    ClipFolder.create(folder, info)
    return folder


# And find what does not


@pytest.mark.fault(37)
def test_damage_that_nobody_notices_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(model_drills, "check_model", lambda *_: None)
    monkeypatch.setattr(model_drills.ModelFolder, "open", lambda path: path)
    with pytest.raises(PromiseBroken, match="nobody noticed"):
        model_drills.damage_model(random.Random(1), tmp_path)


@pytest.mark.fault(37)
def test_a_file_that_is_taken_for_a_model_or_obeyed_is_found(monkeypatch, tmp_path):
    monkeypatch.setattr(model_drills, "index_archives", lambda _: {})
    with pytest.raises(PromiseBroken, match="taken for a model"):
        model_drills.open_hostile_file(random.Random(1), tmp_path)

    def obey(_paths):
        (tmp_path / "mark").touch()
        raise ModelFileError("refused, too late")

    monkeypatch.setattr(model_drills, "index_archives", obey)
    with pytest.raises(PromiseBroken, match="was obeyed"):
        model_drills.open_hostile_file(random.Random(1), tmp_path)


@pytest.mark.fault(37)
def test_every_hostile_file_is_one_that_would_be_obeyed(tmp_path):
    # What cannot do harm would prove nothing. A process of its own obeys all of them.
    program = """
import json, pickle, sys
from pathlib import Path
from engine.doctor.model_drills import _hostile_pickles
mark = Path(sys.argv[1])
obeyed = []
for name, data in _hostile_pickles(mark).items():
    try:
        pickle.loads(data)
    except Exception as error:
        pass
    if mark.exists():
        mark.unlink()
        obeyed.append(name)
print(json.dumps([obeyed, list(_hostile_pickles(mark))]))
"""
    root = str(Path(torture.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "mark")],
        env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    obeyed, everything = json.loads(done.stdout)
    assert obeyed == everything


@pytest.mark.fault(37)
def test_an_error_without_words_is_found(monkeypatch, tmp_path):
    def stumble(_path):
        raise ValueError("a decoder's own")

    monkeypatch.setattr(file_drills, "open_picture", stumble)
    with pytest.raises(PromiseBroken, match="a decoder's own"):
        file_drills.open_damaged_picture(random.Random(1), tmp_path)


@POSIX
@pytest.mark.fault(37)
@pytest.mark.parametrize("harm", ["lost", "half", "left", "words"])
def test_a_file_that_is_lost_half_or_left_behind_is_found(monkeypatch, tmp_path, harm):
    finished = drawn_clip(tmp_path / "finished")

    def write(clip, video, _limit):
        outcomes = {"clip/clip.json": "clip", "clip.mp4": "video_file"}
        match harm:
            case "lost":
                video.unlink()
            case "half":
                (clip / "clip.json").write_bytes(b"{")
            case "left":
                (clip / ".kvdesk-0123.tmp").touch()
            case "words":
                outcomes["clip.mp4"] = "Traceback: OSError"
        return outcomes

    monkeypatch.setattr(file_drills, "_write_with_limit", write)
    with pytest.raises(PromiseBroken):
        file_drills.write_to_full_disk(random.Random(1), tmp_path, finished=finished)


# The command


@pytest.fixture
def drills_are(monkeypatch):
    def use(*drills: Drill) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", os.environ["XDG_CACHE_HOME"])  # put back afterwards
        monkeypatch.setattr(torture, "all_drills", lambda _: list(drills))

    return use


def holds(_rng, folder):
    assert not list(folder.iterdir())
    (folder / "something").touch()


def breaks(_rng, _folder):
    raise PromiseBroken("a bit was lost")


def stumbles(_rng, _folder):
    raise RuntimeError("a fault of the drill")


@pytest.mark.fault(37)
@pytest.mark.parametrize(
    ("one_round", "status", "words"),
    [(holds, 0, None), (breaks, 1, "a bit was lost"), (stumbles, 1, "a fault of the drill")],
)
def test_the_status_says_whether_all_held(drills_are, capsys, one_round, status, words):
    drills_are(Drill(name="first", one_round=holds), Drill(name="second", one_round=one_round))
    assert main(["doctor", "--torture", "0.0005", "--json"]) == status
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is not bool(status)
    first, second = answer["drills"]
    assert first["rounds"] >= 1
    assert first["broken"] == []
    assert second["rounds"] >= 1
    if words:
        assert words in second["broken"][0]


@pytest.mark.fault(37)
def test_ctrl_c_ends_it_with_the_counts_so_far(drills_are, capsys):
    rounds = []

    def interrupted(_rng, _folder):
        rounds.append(1)
        if len(rounds) == 3:
            raise KeyboardInterrupt

    drills_are(Drill(name="the only one", one_round=interrupted))
    assert main(["doctor", "--torture", "60"]) == 130
    printed = capsys.readouterr().out
    assert "the only one       2       0" in printed


@pytest.mark.fault(37)
@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "1e9"])
def test_no_time_is_no_torture(capsys, minutes):
    assert main(["doctor", "--torture", minutes]) == 1
    assert "number of minutes" in capsys.readouterr().err


@pytest.mark.fault(37)
def test_every_drill_has_a_name_of_its_own_and_leaves_the_folder_alone(tmp_path):
    names = [drill.name for drill in torture.all_drills(tmp_path)]
    assert len(set(names)) == len(names) >= 6
    assert not list(tmp_path.iterdir())
