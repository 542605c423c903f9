"""The files of a clip's folder, without a model."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from engine.api import (
    CLIP_FORMAT,
    ClipInfo,
    Fps,
    FrameSize,
    GenerateRequest,
    Stage,
    StageSeconds,
    to_json,
)
from engine.clip import ClipFolder
from engine.errors import ClipError

ROOT = Path(__file__).parents[2]


def info(**changes) -> ClipInfo:
    values = ClipInfo(
        format_version=CLIP_FORMAT,
        request=GenerateRequest(
            prompt="красный круг", seed=2**63 - 1, size=FrameSize(width=64, height=64)
        ),
        model="toy",
        model_fingerprint="ab" * 32,
        kvdesk_version="0.1.0",
        device="cpu",
        created="2026-11-22T19:30:05+00:00",
        seconds=(StageSeconds(stage=Stage.TEXT, seconds=0.25),),
    )
    return replace(values, **changes)


def frames(count: int, size=(64, 64)) -> list[Image.Image]:
    return [Image.new("RGB", size, (index, 255 - index, 0)) for index in range(count)]


def finished(folder: Path, num_frames: int, size=(64, 64)) -> ClipFolder:
    clip = ClipFolder.create(folder, info())
    pictures = frames(num_frames, size)
    clip.keep_decoded(num_frames, 0, pictures)
    clip.finish(info(num_frames=num_frames), pictures)
    return clip


def test_a_clip_that_was_created_is_opened_as_it_was(tmp_path):
    assert not ClipFolder.is_at(tmp_path / "a")
    ClipFolder.create(tmp_path / "a" / "b", info())
    assert ClipFolder.is_at(tmp_path / "a" / "b")
    clip = ClipFolder.open(tmp_path / "a" / "b")
    assert clip.info == info()
    clip.save(info(num_frames=12))
    assert ClipFolder.open(clip.path).info.num_frames == 12
    assert [path.name for path in clip.path.iterdir()] == ["clip.json"]


def test_a_folder_without_a_clip_is_named(tmp_path):
    with pytest.raises(ClipError, match=f"There is no clip in {tmp_path}"):
        ClipFolder.open(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"7",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format_version": "one"}',
        json.dumps({**to_json(info()), "num_frames": "all"}).encode(),
        json.dumps({**to_json(info()), "more": 1}).encode(),
    ],
)
def test_a_damaged_clip_json_is_told_and_left_alone(text, tmp_path):
    (tmp_path / "clip.json").write_bytes(text)
    with pytest.raises(ClipError, match=r"clip\.json is damaged"):
        ClipFolder.open(tmp_path)
    assert (tmp_path / "clip.json").read_bytes() == text


def test_a_clip_of_a_newer_kvdesk_is_told_from_a_damaged_one(tmp_path):
    data = {"format_version": CLIP_FORMAT + 1, "what": "nobody knows"}
    (tmp_path / "clip.json").write_text(json.dumps(data))
    with pytest.raises(ClipError, match="newer kvdesk"):
        ClipFolder.open(tmp_path)
    assert json.loads((tmp_path / "clip.json").read_text()) == data


def test_a_clip_cannot_be_where_a_file_is(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ClipError, match="cannot be written"):
        ClipFolder.create(tmp_path / "file", info())


@pytest.mark.parametrize("num_frames", [12, 45, 177])
def test_a_strip_has_the_twelve_base_frames_and_a_limited_height(num_frames, tmp_path):
    finished(tmp_path, num_frames, size=(400, 384))
    with Image.open(tmp_path / "strip.jpg") as strip:
        assert strip.size == (12 * 200, 192)
        step = (num_frames - 1) // 11
        for number in range(12):
            red, green, blue = strip.getpixel((number * 200 + 100, 96))
            expected = (number * step, 255 - number * step, 0)
            assert max(abs(a - b) for a, b in zip((red, green, blue), expected, strict=True)) < 6


def test_a_strip_of_a_very_wide_clip_is_still_a_jpeg(tmp_path):
    finished(tmp_path, 12, size=(8192, 8))
    with Image.open(tmp_path / "strip.jpg") as strip:
        assert strip.width == 12 * 5458


def test_a_finer_version_takes_the_place_of_a_coarser_one(tmp_path):
    clip = finished(tmp_path, 12)
    assert clip.has_frames(12)
    pictures = frames(45)
    clip.keep_decoded(45, 0, pictures[:5])
    clip.keep_decoded(45, 5, pictures[5:])
    assert clip.has_frames(12)
    assert not clip.has_frames(45)
    clip.finish(info(num_frames=45), pictures)
    assert clip.has_frames(45)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoints",
        "clip.json",
        "frames_45",
        "strip.jpg",
    ]
    with Image.open(clip.frame_files()[44]) as frame:
        assert frame.getpixel((0, 0)) == (44, 211, 0)


def test_frames_that_were_decoded_are_found_up_to_the_first_that_is_not_whole(tmp_path):
    clip = ClipFolder.create(tmp_path, info())
    assert clip.decoded(12) == []
    clip.keep_decoded(12, 0, frames(12))
    assert [picture.tobytes() for picture in clip.decoded(12)] == [
        picture.tobytes() for picture in frames(12)
    ]
    damaged = tmp_path / "checkpoints" / "frames_12" / "0009.png"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    assert len(clip.decoded(12)) == 8
    assert clip.decoded(45) == []


def test_the_frames_of_a_clip_that_was_all_but_finished_are_used(tmp_path, monkeypatch):
    clip = ClipFolder.create(tmp_path, info(request=replace(info().request, fps=Fps.LOW)))
    clip.keep_decoded(12, 0, frames(12))

    def interrupted(_info):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(clip, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            clip.finish(info(num_frames=12), frames(12))
    assert ClipFolder.open(tmp_path).info.num_frames == 0
    assert len(clip.decoded(12)) == 12
    clip.finish(info(num_frames=12), frames(12))
    assert clip.has_frames(12)


def test_a_damaged_picture_counts_as_none(tmp_path):
    clip = ClipFolder.create(tmp_path, info())
    assert clip.picture() is None
    clip.keep_picture(frames(1)[0])
    assert clip.picture().tobytes() == frames(1)[0].tobytes()
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert clip.picture() is None


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    clip = finished(tmp_path, 12)
    (tmp_path / "notes.json").write_text("{}")
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / ".kvdesk-00.tmp").write_bytes(b"")
    (clip.checkpoints / ".kvdesk-01.tmp").mkdir()
    clip.remove_temporaries()
    assert sorted(tmp_path.rglob("*")) == before


def test_reading_a_clip_does_not_import_torch(tmp_path):
    ClipFolder.create(tmp_path, info())
    program = (
        "import sys; from pathlib import Path; from engine.clip import ClipFolder;"
        "ClipFolder.open(Path(sys.argv[1])); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=True)
