from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from video_clips import (
    HEIGHT,
    WIDTH,
    decode_mp4,
    decode_picture,
    describe_mp4,
    first_picture,
    grey_frames,
    mp4_seconds,
    picture_info,
    psnr,
    smooth_frames,
)

from engine.api import Playback
from engine.errors import InvalidRequest, VideoFileError
from engine.video_io import SaveSettings, VideoFormat, frame_order, save_video

NAMES = ["clip.mp4", "clip.gif", "clip.webp", "clip.png"]
SETTINGS = SaveSettings(frames_per_second=8)


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.rglob("*"))


def test_the_module_does_not_load_torch():
    program = "import sys, engine.video_io; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


# What is in the files


def test_an_mp4_shows_the_frames(tmp_path: Path):
    frames = smooth_frames(12)
    assert save_video(frames, tmp_path / "clip.mp4", SETTINGS) == [tmp_path / "clip.mp4"]
    assert psnr(decode_mp4(tmp_path / "clip.mp4"), frames) > 40
    assert mp4_seconds(tmp_path / "clip.mp4") == pytest.approx(1.5, abs=0.01)


def test_an_mp4_keeps_a_saturated_red_and_says_how_its_colours_are_meant(tmp_path: Path):
    red = (200, 30, 60)
    save_video([Image.new("RGB", (WIDTH, HEIGHT), red)] * 3, tmp_path / "clip.mp4", SETTINGS)
    assert np.abs(decode_mp4(tmp_path / "clip.mp4").astype(int) - red).max() <= 4
    described = describe_mp4(tmp_path / "clip.mp4")
    assert "h264 (High)" in described
    # One word where the matrix, the primaries and the curve agree, three where they do not.
    assert "yuv420p(tv, bt709" in described
    assert "unknown" not in described


def test_an_mp4_can_be_played_from_its_beginning_while_it_loads(tmp_path: Path):
    save_video(smooth_frames(3), tmp_path / "clip.mp4", SETTINGS, request={"prompt": "x"})
    data = (tmp_path / "clip.mp4").read_bytes()
    boxes: list[bytes] = []
    start = 0
    while start < len(data):
        boxes.append(data[start + 4 : start + 8])
        start += int.from_bytes(data[start : start + 4], "big")
    assert boxes.index(b"moov") < boxes.index(b"mdat")


@pytest.mark.parametrize(("crf", "least"), [(0, 40), (1, 40), (51, 15)])
def test_every_crf_gives_an_mp4_that_any_player_decodes(tmp_path: Path, crf: int, least: float):
    frames = smooth_frames(5)
    path = tmp_path / "clip.mp4"
    save_video(frames, path, SaveSettings(frames_per_second=8, crf=crf))
    assert "h264 (High), yuv420p" in describe_mp4(path).replace(" (avc1 / 0x31637661)", "")
    assert psnr(decode_mp4(path), frames) > least


def test_a_higher_crf_gives_a_smaller_mp4(tmp_path: Path):
    sizes = [
        save_video(smooth_frames(8), tmp_path / f"{crf}.mp4", settings)[0].stat().st_size
        for crf in (0, 20, 51)
        for settings in [SaveSettings(frames_per_second=8, crf=crf)]
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2]


@pytest.mark.parametrize(("name", "least"), [("clip.gif", 28), ("clip.webp", 35)])
@pytest.mark.parametrize("frames_per_second", [2, 8, 32, 25])
def test_a_gif_and_a_webp_show_the_frames_for_as_long_as_they_should(
    tmp_path: Path, name: str, least: float, frames_per_second: int
):
    frames = smooth_frames(13)
    save_video(frames, tmp_path / name, SaveSettings(frames_per_second=frames_per_second))
    pixels, durations = decode_picture(tmp_path / name)
    assert psnr(pixels, frames) > least
    assert sum(durations) == pytest.approx(13_000 / frames_per_second, abs=10)
    assert max(durations) - min(durations) <= 10


def test_a_better_webp_is_larger(tmp_path: Path):
    sizes = [
        save_video(smooth_frames(3), tmp_path / f"{quality}.webp", settings)[0].stat().st_size
        for quality in (5, 95)
        for settings in [SaveSettings(frames_per_second=8, webp_quality=quality)]
    ]
    assert sizes[0] < sizes[1]


def test_a_clip_in_which_nothing_moves_can_be_saved_as_anything(tmp_path: Path):
    still = Image.new("RGB", (WIDTH, HEIGHT), (10, 120, 240))
    for name in NAMES:
        first, *_ = save_video([still] * 3, tmp_path / name, SETTINGS, request={"prompt": "x"})
        pixels = decode_mp4(first)[0] if name == "clip.mp4" else first_picture(first)
        assert np.abs(pixels.astype(int) - (10, 120, 240)).max() <= 4


def test_a_webp_shows_frames_that_look_alike_as_long_as_all_of_them(tmp_path: Path):
    save_video(grey_frames([20, 90, 90, 90, 200]), tmp_path / "clip.webp", SETTINGS)
    _, durations = decode_picture(tmp_path / "clip.webp")
    assert durations[:2] == [125, 375]


def test_png_files_are_numbered_and_exact(tmp_path: Path):
    frames = smooth_frames(11)
    written = save_video(frames, tmp_path / "a.b.PNG", SETTINGS)
    assert [path.name for path in written] == [f"a.b_{number:04d}.PNG" for number in range(1, 12)]
    assert names_in(tmp_path) == [path.name for path in written]
    for path, frame in zip(written, frames, strict=True):
        assert np.array_equal(first_picture(path), np.asarray(frame))


@pytest.mark.parametrize("name", ["clip.gif", "clip.webp", "clip.png"])
def test_only_an_mp4_minds_odd_sides(tmp_path: Path, name: str):
    written = save_video([Image.new("RGB", (31, 17))] * 2, tmp_path / name, SETTINGS)
    assert first_picture(written[0]).shape == (17, 31, 3)


# Playback


@pytest.mark.parametrize(
    ("num_frames", "order"),
    [(1, [0]), (2, [0, 1]), (3, [0, 1, 2, 1]), (5, [0, 1, 2, 3, 4, 3, 2, 1])],
)
def test_a_boomerang_comes_back_without_showing_an_end_twice(num_frames: int, order: list[int]):
    assert frame_order(num_frames, Playback.BOOMERANG) == order
    for playback in (Playback.ONCE, Playback.LOOP):
        assert frame_order(num_frames, playback) == list(range(num_frames))


@pytest.mark.parametrize("name", NAMES)
def test_a_boomerang_is_saved_in_its_order(tmp_path: Path, name: str):
    settings = SaveSettings(frames_per_second=8, playback=Playback.BOOMERANG)
    counts: list[int] = []
    written = save_video(
        grey_frames([20, 90, 160, 230]), tmp_path / name, settings, on_frame=counts.append
    )
    if name == "clip.mp4":
        pixels = decode_mp4(written[0])
    elif name == "clip.png":
        pixels = np.stack([first_picture(path) for path in written])
    else:
        pixels, _ = decode_picture(written[0])
    levels = pixels[:, 8, 8, 0].astype(int)
    assert np.abs(levels - [20, 90, 160, 230, 160, 90]).max() <= 6
    assert sorted(set(counts)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("playback", Playback)
def test_gif_and_webp_say_whether_they_begin_again(tmp_path: Path, playback: Playback):
    settings = SaveSettings(frames_per_second=8, playback=playback)
    save_video(smooth_frames(3), tmp_path / "clip.gif", settings, request={"prompt": "x"})
    save_video(smooth_frames(3), tmp_path / "clip.webp", settings, request={"prompt": "x"})
    # 0 is for ever. A GIF that is played once does not mention it, a WebP counts.
    is_once = playback is Playback.ONCE
    assert picture_info(tmp_path / "clip.gif").get("loop") == (None if is_once else 0)
    assert picture_info(tmp_path / "clip.webp")["loop"] == (1 if is_once else 0)


# Refusals


@pytest.mark.parametrize("name", ["clip.mov", "clip", ".mp4", "clip.mp4.txt", "clip.apng"])
def test_an_ending_that_is_no_format_is_refused_with_those_that_are(tmp_path: Path, name: str):
    with pytest.raises(VideoFileError, match=r"\.mp4, \.gif, \.webp or \.png"):
        save_video(smooth_frames(1), tmp_path / name, SETTINGS)
    assert names_in(tmp_path) == []


def test_the_ending_counts_in_capitals_too():
    assert VideoFormat.of_path(Path("clip.MP4")) is VideoFormat.MP4
    assert VideoFormat.of_path(Path("clip.WebP")) is VideoFormat.WEBP


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("crf", -1), ("crf", 52), ("frames_per_second", 0), ("frames_per_second", 101)),
        *(("webp_quality", -1), ("webp_quality", 101)),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: int):
    with pytest.raises(InvalidRequest, match=f"must be from .* not {value}"):
        SaveSettings(**{"frames_per_second": 8, name: value})


@pytest.mark.parametrize("size", [(63, 48), (64, 47)])
def test_an_mp4_of_odd_size_is_refused_and_not_scaled(tmp_path: Path, size: tuple[int, int]):
    with pytest.raises(VideoFileError, match=rf"even .* not {size[0]}x{size[1]}"):
        save_video([Image.new("RGB", size)], tmp_path / "clip.mp4", SETTINGS)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_frames_and_frames_of_two_sizes_are_refused(tmp_path: Path, name: str):
    with pytest.raises(VideoFileError, match="no frames"):
        save_video([], tmp_path / name, SETTINGS)
    two_sizes = [Image.new("RGB", (64, 48)), Image.new("RGB", (48, 64))]
    with pytest.raises(VideoFileError, match="64x48, number 2 is 48x64"):
        save_video(two_sizes, tmp_path / name, SETTINGS)
    assert names_in(tmp_path) == []
