from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from finished_clips import request_of
from PIL import Image
from video_clips import grey_frames, psnr, smooth_frames, use_program

from engine import ffmpeg
from engine.api import Fps, Playback, frame_path, to_json
from engine.errors import Cancelled, VideoFileError
from engine.jail import JailLevel, probe
from engine.video_frames import open_video
from engine.video_io import SaveSettings, save_video

REQUEST = request_of()
SETTINGS = SaveSettings(frames_per_second=8)
FILES_LOCKED = (JailLevel.FILES, JailLevel.FULL)
NAMES = ["a %03d b.mp4", "clip.gif", "clip.webp", "clip.png"]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def opened(path: Path, folder: Path):
    return open_video(path, folder, is_cancelled=lambda: False)


def pixels_of(video) -> np.ndarray:
    """Pixels (frames, height, width, 3) of what was opened."""
    files = [frame_path(video.folder, video.num_frames, n) for n in range(video.num_frames)]
    assert names_in(files[0].parent) == [file.name for file in files]
    return np.stack([np.asarray(Image.open(file)) for file in files])


def encoded(path: Path, *arguments: str) -> Path:
    """A file that another program might have made; its picture is ffmpeg's test card."""
    program = imageio_ffmpeg.get_ffmpeg_exe()
    command = [program, "-nostdin", "-loglevel", "error", "-f", "lavfi", *arguments, str(path)]
    subprocess.run(command, check=True)
    return path


def test_the_module_does_not_load_torch():
    program = "import sys, engine.video_frames; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_comes_back_with_its_frames_pace_and_request(tmp_path, name):
    frames = smooth_frames(12)
    files = save_video(frames, tmp_path / name, SETTINGS, request=to_json(REQUEST))
    video = opened(files[len(files) // 2], tmp_path / "50% of frames")
    assert (video.num_frames, video.width, video.height) == (12, 64, 48)
    assert video.frames_per_second == pytest.approx(8, rel=0.01)
    assert video.request == REQUEST
    assert psnr(pixels_of(video), frames) > 28


@pytest.mark.parametrize("frames_per_second", [2, 32])
@pytest.mark.parametrize("name", NAMES[:3])
def test_the_pace_is_measured(tmp_path, name, frames_per_second):
    settings = SaveSettings(frames_per_second=frames_per_second, playback=Playback.ONCE)
    (path,) = save_video(smooth_frames(13), tmp_path / name, settings)
    video = opened(path, tmp_path / "frames")
    assert video.frames_per_second == pytest.approx(frames_per_second, rel=0.03)
    assert video.request is None


def test_colours_come_back_from_an_mp4(tmp_path):
    red = (200, 30, 60)
    (path,) = save_video([Image.new("RGB", (64, 48), red)] * 3, tmp_path / "a.mp4", SETTINGS)
    assert np.abs(pixels_of(opened(path, tmp_path / "frames")).astype(int) - red).max() <= 4


def test_frames_that_a_webp_has_put_together_are_there_again(tmp_path):
    levels = [20, 90, 90, 90, 200]
    (path,) = save_video(grey_frames(levels), tmp_path / "a.webp", SETTINGS)
    video = opened(path, tmp_path / "frames")
    assert np.abs(pixels_of(video)[:, 8, 8, 0].astype(int) - levels).max() <= 6
    assert video.frames_per_second == pytest.approx(8, rel=0.01)


def test_transparent_frames_lie_on_white(tmp_path):
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert (pixels_of(opened(tmp_path / "a.png", tmp_path / "frames")) == 255).all()


def test_of_png_files_only_those_of_the_same_sequence_are_taken_in_order(tmp_path):
    save_video(grey_frames([10, 20]), tmp_path / "a.png", SETTINGS)
    save_video(grey_frames([30]), tmp_path / "ab.png", SETTINGS)
    video = opened(tmp_path / "a_0002.png", tmp_path / "frames")
    assert pixels_of(video)[:, 0, 0, 0].tolist() == [10, 20]


def test_the_pace_of_png_files_is_that_of_their_request(tmp_path):
    request = to_json(request_of(Fps.HIGH))
    first, *_ = save_video(smooth_frames(2), tmp_path / "a.png", SETTINGS, request=request)
    assert opened(first, tmp_path / "frames").frames_per_second == 32


def test_an_mp4_with_gaps_between_its_frames_has_them_once(tmp_path):
    path = encoded(
        tmp_path / "a.mp4",
        *("-i", "testsrc=size=64x48:rate=10:duration=2", "-vf", "select='not(mod(n,2))'"),
        *("-fps_mode", "vfr", "-c:v", "libx264"),
    )
    video = opened(path, tmp_path / "frames")
    assert video.num_frames == 10
    assert video.frames_per_second == pytest.approx(5, rel=0.1)


# Refusals


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_cut_short_is_refused_or_opened_as_far_as_it_goes(tmp_path, name):
    path, *_ = save_video(smooth_frames(12), tmp_path / name, SETTINGS)
    data = path.read_bytes()
    for size in (12, 40, len(data) // 2):
        path.write_bytes(data[:size])
        folder = tmp_path / str(size)
        with contextlib.suppress(VideoFileError):
            assert 0 < opened(path, folder).num_frames <= 12
            assert folder.is_dir()
            continue
        assert not folder.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("-i", "testsrc=size=64x48:duration=1", "-c:v", "mpeg4"),
        ("-i", "sine=duration=1", "-c:a", "aac"),
    ],
)
def test_an_mp4_without_h264_is_refused(tmp_path, arguments):
    path = encoded(tmp_path / "a.mp4", *arguments)
    with pytest.raises(VideoFileError, match=r"a\.mp4"):
        opened(path, tmp_path / "frames")
    assert names_in(tmp_path) == ["a.mp4"]


@pytest.mark.fault(20)
@pytest.mark.parametrize("name", NAMES)
def test_a_video_with_too_many_frames_is_refused(tmp_path, name):
    frames = [Image.new("RGB", (16, 16), (n * 90 % 256, n * 70 % 256, 0)) for n in range(601)]
    path, *_ = save_video(frames, tmp_path / name, SETTINGS)
    with pytest.raises(VideoFileError, match="more than 600 frames"):
        opened(path, tmp_path / "frames")
    assert not (tmp_path / "frames").exists()


@pytest.mark.fault(20)
@pytest.mark.parametrize("name", NAMES)
def test_frames_that_are_too_large_are_refused(tmp_path, name):
    path, *_ = save_video([Image.new("RGB", (4098, 16))] * 2, tmp_path / name, SETTINGS)
    with pytest.raises(VideoFileError, match="4098x16 pixels, and 4096 is the most"):
        opened(path, tmp_path / "frames")
    assert not (tmp_path / "frames").exists()


@pytest.mark.fault(36)
def test_a_decoder_that_dies_in_a_frame_is_an_error_in_words(tmp_path, monkeypatch):
    path, *_ = save_video(smooth_frames(3), tmp_path / "clip.gif", SETTINGS)
    words = """if True:
        import sys
        print('{"level": "full"}', flush=True)
        sys.stdin.buffer.readline()
        print('{"durations": [10, 10]}')
    """
    command = [sys.executable, "-c", words]
    monkeypatch.setattr("engine.picture_opening.own_command", lambda _module: command)
    with pytest.raises(VideoFileError, match="broke down"):
        opened(path, tmp_path / "frames")
    assert names_in(tmp_path) == ["clip.gif"]


def test_pictures_of_two_sizes_are_no_clip(tmp_path):
    for number, size in enumerate([(8, 8), (8, 9)], start=1):
        Image.new("RGB", size).save(tmp_path / f"a_{number:04d}.png")
    with pytest.raises(VideoFileError, match="not all of one size"):
        opened(tmp_path / "a_0001.png", tmp_path / "frames")


def test_what_is_no_video_is_refused(tmp_path):
    (tmp_path / "text.mp4").write_text("#EXTM3U\nhttp://localhost/secret\n")
    (tmp_path / "taken").mkdir()
    save_video(smooth_frames(1), tmp_path / "a.gif", SETTINGS)
    for name, folder, words in (
        ("none.mp4", "frames", "There is no file"),
        ("text.mp4", "frames", "is not an MP4, GIF, WebP or PNG file"),
        ("taken", "frames", "cannot be read"),
        ("a.gif", "taken", "exists already"),
    ):
        with pytest.raises(VideoFileError, match=words):
            opened(tmp_path / name, tmp_path / folder)


@pytest.mark.parametrize("name", NAMES)
def test_opening_can_be_cancelled_between_frames_and_leaves_nothing(tmp_path, name):
    path, *_ = save_video(smooth_frames(12), tmp_path / name, SETTINGS)
    before = names_in(tmp_path)
    asked = []
    with pytest.raises(Cancelled):
        open_video(
            path, tmp_path / "frames", is_cancelled=lambda: asked.append(1) or len(asked) > 3
        )
    assert names_in(tmp_path) == before


# ffmpeg that does not do what it should

NO_VIDEO = Path("none.mp4")


@pytest.mark.fault(36)
@pytest.mark.skipif(probe() not in FILES_LOCKED, reason="this kernel has no Landlock")
def test_ffmpeg_reads_the_file_it_was_lent_and_no_other(tmp_path):
    lent, *_ = save_video(grey_frames([1, 2]), tmp_path / "lent.mp4", SETTINGS)
    other, *_ = save_video(grey_frames([1, 2]), tmp_path / "other.mp4", SETTINGS)
    listing = ["-c", "copy", "-f", "framecrc", "pipe:1"]
    assert ffmpeg.read(["-i", ffmpeg.file_argument(lent), *listing], source=lent)
    with pytest.raises(ffmpeg.FfmpegError, match="Permission denied"):
        ffmpeg.read(["-i", ffmpeg.file_argument(other), *listing], source=lent)
    with pytest.raises(ffmpeg.FfmpegError, match="Permission denied"):
        ffmpeg.read(["-i", ffmpeg.file_argument(lent), str(tmp_path / "new.mp4")], source=lent)
    assert names_in(tmp_path) == ["lent.mp4", "other.mp4"]


def test_an_ffmpeg_that_hangs_is_ended(tmp_path, monkeypatch):
    use_program(monkeypatch, tmp_path / "bin", "import time; time.sleep(60)")
    began = time.monotonic()
    with (
        pytest.raises(ffmpeg.FfmpegError),
        ffmpeg.reading([], source=NO_VIDEO, most_seconds=0.3) as output,
    ):
        output.read()
    assert time.monotonic() - began < 10


def test_an_ffmpeg_that_fails_is_quoted(tmp_path, monkeypatch):
    program = "import sys; print('that went wrong', file=sys.stderr); sys.exit(3)"
    use_program(monkeypatch, tmp_path / "bin", program)
    with (
        pytest.raises(ffmpeg.FfmpegError, match="that went wrong"),
        ffmpeg.reading([], source=NO_VIDEO, most_seconds=20) as output,
    ):
        output.read()


def test_an_ffmpeg_that_is_not_needed_any_more_is_ended(tmp_path, monkeypatch):
    program = "import sys, time; sys.stdout.write('x' * 9); sys.stdout.flush(); time.sleep(60)"
    use_program(monkeypatch, tmp_path / "bin", program)
    began = time.monotonic()
    with (
        contextlib.suppress(KeyError),
        ffmpeg.reading([], source=NO_VIDEO, most_seconds=60) as output,
    ):
        assert output.read(9) == b"x" * 9
        raise KeyError
    assert time.monotonic() - began < 10
