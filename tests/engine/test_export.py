from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from finished_clips import demo_like_frames, request_of, write_clip
from PIL import Image
from video_clips import decode_picture, describe_mp4, first_picture, grey_frames, mp4_seconds

from engine import export
from engine.api import (
    Finished,
    Playback,
    SaveRequest,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
    frame_path,
    to_json,
)
from engine.errors import Cancelled, ClipError, OutputExists, VideoFileError
from engine.export import export_clip, load_frames, save_frames
from engine.export_size import WORST_CRF, predict_export
from engine.video_io import frame_order, read_request

if TYPE_CHECKING:
    from pathlib import Path

REQUEST = to_json(request_of())


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def seconds_of(path: Path) -> float:
    if path.suffix == ".mp4":
        return mp4_seconds(path)
    return sum(decode_picture(path)[1]) / 1000


def size_of(path: Path) -> str:
    if path.suffix == ".mp4":
        return next(word for word in ("40x26", "64x48") if f" {word}" in describe_mp4(path))
    height, width, _ = first_picture(path).shape
    return f"{width}x{height}"


def test_the_module_does_not_load_torch():
    program = "import sys, engine.export_size; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


# Speed, width and playback


@pytest.mark.parametrize("width", [None, 40])
@pytest.mark.parametrize("playback", Playback)
@pytest.mark.parametrize("ending", ["mp4", "gif", "webp"])
def test_a_file_lasts_and_measures_what_was_asked_for(tmp_path, ending, playback, width):
    frames = demo_like_frames(12, width=64, height=42 if width else 48)
    for speed, fps in ((0.5, 2), (1.5, 32)):
        path = tmp_path / f"{speed}.{ending}"
        save = SaveRequest(path=str(path), playback=playback, width=width, speed=speed)
        assert save_frames(frames, save, frames_per_second=fps, request=REQUEST) == [path]
        wanted = len(frame_order(len(frames), playback)) / (fps * speed)
        assert seconds_of(path) == pytest.approx(wanted, abs=0.012)
        assert size_of(path) == ("40x26" if width else "64x48")
        assert read_request(path) == REQUEST


@pytest.mark.parametrize("playback", Playback)
@pytest.mark.parametrize("ending", ["mp4", "gif", "webp"])
def test_what_is_too_fast_for_a_format_loses_frames_and_lasts_as_long(tmp_path, ending, playback):
    frames = grey_frames([20 + 53 * number % 200 for number in range(177)])
    path = tmp_path / f"clip.{ending}"
    save = SaveRequest(path=str(path), playback=playback, speed=4)
    save_frames(frames, save, frames_per_second=32, request=REQUEST)
    wanted = len(frame_order(177, playback)) / 128
    assert seconds_of(path) == pytest.approx(wanted, abs=0.025)
    if ending != "mp4":
        durations = decode_picture(path)[1]
        assert min(durations) >= 20
        assert len(durations) == pytest.approx(len(frame_order(59, playback)), abs=1)


def test_png_files_are_all_there_whatever_the_speed(tmp_path):
    frames = demo_like_frames(12)
    save = SaveRequest(path=str(tmp_path / "clip.png"), speed=4, width=32)
    written = save_frames(frames, save, frames_per_second=32, request=REQUEST)
    assert len(written) == 12
    assert {first_picture(path).shape for path in written} == {(32, 32, 3)}


def test_a_frame_is_scaled_and_not_cut(tmp_path):
    frame = Image.fromarray(np.tile(np.arange(64, dtype=np.uint8) * 4, (48, 1))).convert("RGB")
    save = SaveRequest(path=str(tmp_path / "clip.png"), width=128)
    (path,) = save_frames([frame], save, frames_per_second=2, request=REQUEST)
    row = first_picture(path)[48, :, 0].astype(int)
    assert abs(row - np.linspace(-1, 253, 128)).max() < 6


def test_an_mp4_gets_even_sides_and_others_the_ones_asked_for(tmp_path):
    frames = demo_like_frames(2, width=64, height=64)
    for ending, size in (("mp4", "32x32"), ("gif", "33x33")):
        path = tmp_path / f"clip.{ending}"
        save = SaveRequest(path=str(path), width=33)
        save_frames(frames, save, frames_per_second=2, request=REQUEST)
        found = describe_mp4(path) if ending == "mp4" else size_of(path)
        assert size in found


def test_frames_that_would_not_fit_into_memory_are_refused(tmp_path):
    save = SaveRequest(path=str(tmp_path / "clip.gif"), width=8192)
    frames = [Image.new("RGB", (64, 64))] * 177
    with pytest.raises(VideoFileError, match=r"177 frames of 8192x8192 .* Choose a smaller width"):
        save_frames(frames, save, frames_per_second=8, request=REQUEST)
    assert names_in(tmp_path) == []


# Clips in folders


def test_the_frames_of_a_clip_are_those_that_were_written(tmp_path):
    frames = demo_like_frames(12)
    write_clip(tmp_path, frames)
    loaded = load_frames(tmp_path, 12)
    assert [frame.tobytes() for frame in loaded] == [frame.tobytes() for frame in frames]


@pytest.mark.fault(31)
@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n", None])
def test_a_frame_that_is_missing_or_damaged_is_named(tmp_path, damage):
    write_clip(tmp_path, demo_like_frames(3))
    path = frame_path(tmp_path, 3, 1)
    path.unlink() if damage is None else path.write_bytes(damage)
    with pytest.raises(VideoFileError, match=r"Frame 2 of 3 .* is missing or damaged"):
        load_frames(tmp_path, 3)


def test_a_clip_is_exported_with_its_request_and_tells_of_every_frame(tmp_path):
    info = write_clip(tmp_path / "clip", demo_like_frames(45))
    path = tmp_path / "новый клип.gif"
    events = []
    written = export_clip(
        tmp_path / "clip",
        SaveRequest(path=str(path), playback=Playback.BOOMERANG),
        on_event=events.append,
        is_cancelled=lambda: False,
    )
    assert written == [path]
    assert read_request(path) == to_json(info.request)
    assert events[0] == StageStarted(stage=Stage.SAVE, num_steps=88)
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert sorted(set(steps)) == list(range(1, 89))
    assert isinstance(events[-2], StageFinished)
    assert isinstance(events[-1], Finished)
    assert (events[-1].num_frames, events[-1].output) == (88, str(path))


def test_a_cancelled_export_leaves_nothing(tmp_path):
    write_clip(tmp_path / "clip", demo_like_frames(12))
    events = []
    with pytest.raises(Cancelled):
        export_clip(
            tmp_path / "clip",
            SaveRequest(path=str(tmp_path / "a.mp4")),
            on_event=events.append,
            is_cancelled=lambda: len(events) > 3,
        )
    assert names_in(tmp_path) == ["clip"]


def test_what_cannot_be_exported_is_refused_with_the_reason(tmp_path):
    (tmp_path / "empty").mkdir()
    info = write_clip(tmp_path / "unfinished", [])
    write_clip(tmp_path / "clip", demo_like_frames(2))
    (tmp_path / "taken.gif").touch()
    assert info.num_frames == 0

    def exporting(folder: str, name: str):
        return export_clip(
            tmp_path / folder,
            SaveRequest(path=str(tmp_path / name)),
            on_event=lambda _: None,
            is_cancelled=lambda: False,
        )

    with pytest.raises(ClipError, match="There is no clip in"):
        exporting("empty", "a.gif")
    with pytest.raises(VideoFileError, match="has no frames yet"):
        exporting("unfinished", "a.gif")
    with pytest.raises(OutputExists):
        exporting("clip", "taken.gif")
    with pytest.raises(VideoFileError, match="must end in"):
        exporting("clip", "a.avi")


# How large a file will be


@pytest.mark.parametrize(
    ("ending", "playback"),
    [
        *(("mp4", Playback.LOOP), ("mp4", Playback.BOOMERANG), ("gif", Playback.BOOMERANG)),
        *(("webp", Playback.ONCE), ("png", Playback.LOOP)),
    ],
)
def test_a_size_is_predicted_from_a_quarter_of_a_long_clip(tmp_path, monkeypatch, ending, playback):
    monkeypatch.setattr(export, "_MIN_PIXELS_TO_SAMPLE", 0)
    frames = demo_like_frames(45)
    save = SaveRequest(path=str(tmp_path / f"clip.{ending}"), playback=playback)
    encoded = []
    real_save = export.save_video
    monkeypatch.setattr(
        export, "save_video", lambda frames, *rest, **more: (
            encoded.append(len(frames)), real_save(frames, *rest, **more))[1]
    )  # fmt: skip
    predicted, settings = predict_export(frames, save, frames_per_second=8, request=REQUEST)
    assert settings == save
    assert sum(encoded) < 45 / 2
    assert names_in(tmp_path) == []
    written = save_frames(frames, save, frames_per_second=8, request=REQUEST)
    real = sum(path.stat().st_size for path in written)
    assert predicted == pytest.approx(real, rel=0.15)


@pytest.mark.parametrize("ending", ["mp4", "gif", "webp", "png"])
def test_a_short_clip_has_exactly_the_size_that_was_predicted(tmp_path, ending):
    frames = demo_like_frames(12)
    save = SaveRequest(path=str(tmp_path / f"clip.{ending}"), width=40, speed=2)
    predicted, _ = predict_export(frames, save, frames_per_second=8, request=REQUEST)
    written = save_frames(frames, save, frames_per_second=8, request=REQUEST)
    assert predicted == sum(path.stat().st_size for path in written)


@pytest.mark.parametrize(
    ("ending", "share", "sampled"),
    [
        *(("mp4", 0.6, True), ("mp4", 0.2, False)),
        *(("webp", 0.7, False), ("webp", 0.35, True), ("gif", 0.4, True)),
    ],
)
def test_a_file_that_is_to_fit_under_a_size_does(tmp_path, monkeypatch, ending, share, sampled):
    if sampled:
        monkeypatch.setattr(export, "_MIN_PIXELS_TO_SAMPLE", 0)
    frames = demo_like_frames(45)
    save = SaveRequest(path=str(tmp_path / f"clip.{ending}"))
    (first,) = save_frames(frames, save, frames_per_second=8, request=REQUEST)
    limit = int(first.stat().st_size * share)
    first.unlink()
    predicted, found = predict_export(
        frames, save, frames_per_second=8, request=REQUEST, max_bytes=limit
    )
    assert names_in(tmp_path) == []
    (path,) = save_frames(frames, found, frames_per_second=8, request=REQUEST)
    assert path.stat().st_size == predicted <= limit
    # Nothing but what makes it smaller was changed, and no more than was needed.
    assert replace(found, crf=18, webp_quality=80, width=None) == save
    assert predicted > limit * 0.4


def test_what_fits_already_is_left_as_it_is(tmp_path):
    save = SaveRequest(path=str(tmp_path / "clip.mp4"), crf=30)
    _, found = predict_export(
        demo_like_frames(12), save, frames_per_second=8, request=REQUEST, max_bytes=10**6
    )
    assert found == save


def test_the_quality_is_the_best_that_fits(tmp_path):
    frames = demo_like_frames(12)
    save = SaveRequest(path=str(tmp_path / "clip.mp4"))
    better, _ = predict_export(frames, replace(save, crf=24), frames_per_second=8, request=REQUEST)
    _, found = predict_export(
        frames, save, frames_per_second=8, request=REQUEST, max_bytes=better - 1
    )
    assert 24 < found.crf <= WORST_CRF
    one_better, _ = predict_export(
        frames, replace(found, crf=found.crf - 1), frames_per_second=8, request=REQUEST
    )
    assert one_better >= better


@pytest.mark.parametrize("ending", ["mp4", "gif"])
def test_a_size_that_cannot_be_reached_is_refused_with_the_least(tmp_path, ending):
    save = SaveRequest(path=str(tmp_path / f"clip.{ending}"))
    with pytest.raises(VideoFileError, match=r"[\d,]+ bytes is the least, and 100 were asked for"):
        predict_export(
            demo_like_frames(12), save, frames_per_second=8, request=REQUEST, max_bytes=100
        )


def test_png_files_are_not_made_to_fit(tmp_path):
    save = SaveRequest(path=str(tmp_path / "clip.png"))
    with pytest.raises(VideoFileError, match="PNG files cannot be made to fit"):
        predict_export(
            demo_like_frames(2), save, frames_per_second=8, request=REQUEST, max_bytes=10**9
        )


def test_a_prediction_can_be_cancelled_between_frames(tmp_path):
    asked = []

    def is_cancelled() -> bool:
        asked.append(1)
        return len(asked) > 20

    save = SaveRequest(path=str(tmp_path / "clip.gif"))
    with pytest.raises(Cancelled):
        predict_export(
            demo_like_frames(45), save, frames_per_second=8, request=REQUEST,
            is_cancelled=is_cancelled,
        )  # fmt: skip
    assert len(asked) == 21
