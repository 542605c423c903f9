from __future__ import annotations

import errno
from pathlib import Path

import psutil
import pytest
from PIL import Image
from video_clips import grey_frames, smooth_frames, use_program

from engine.errors import Cancelled, DiskFull, OutputExists, VideoFileError
from engine.video_io import SaveSettings, save_video

NAMES = ["clip.mp4", "clip.gif", "clip.webp", "clip.png"]
SETTINGS = SaveSettings(frames_per_second=8)
REPLACE = SaveSettings(frames_per_second=8, overwrite=True)


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.rglob("*"))


@pytest.fixture(autouse=True)
def _no_process_is_left():
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


# Files that are there already


@pytest.mark.parametrize(
    ("name", "existing"),
    [(name, name) for name in NAMES[:3]]
    + [("clip.png", "clip_0001.png"), ("clip.png", "clip_0100.png"), ("clip.mp4", "clip.mp4.json")],
)
def test_an_output_is_not_replaced_unless_that_is_asked_for(
    tmp_path: Path, name: str, existing: str
):
    (tmp_path / existing).write_bytes(b"precious")
    with pytest.raises(OutputExists, match="exists already"):
        save_video(smooth_frames(2), tmp_path / name, SETTINGS)
    assert names_in(tmp_path) == [existing]
    assert (tmp_path / existing).read_bytes() == b"precious"

    written = save_video(smooth_frames(2), tmp_path / name, REPLACE)
    assert names_in(tmp_path) == sorted(path.name for path in written)
    assert all(path.read_bytes() != b"precious" for path in written)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_appears_while_a_clip_is_saved_is_not_replaced(tmp_path: Path, name: str):
    other = tmp_path / ("clip_0002.png" if name == "clip.png" else name)
    with pytest.raises(OutputExists):
        save_video(
            smooth_frames(3),
            tmp_path / name,
            SETTINGS,
            on_frame=lambda _: other.write_bytes(b"theirs"),
        )
    assert names_in(tmp_path) == [other.name]
    assert other.read_bytes() == b"theirs"


def test_names_that_only_resemble_the_output_are_left_alone(tmp_path: Path):
    others = ["clip_1.png", "clip_a001.png", "myclip_0001.png", "clip_0001.pngx", "clipXpng"]
    for other in others:
        (tmp_path / other).write_bytes(b"other")
    written = save_video(smooth_frames(1), tmp_path / "clip.png", REPLACE)
    assert names_in(tmp_path) == sorted([*others, *(path.name for path in written)])


def test_a_folder_is_never_replaced(tmp_path: Path):
    (tmp_path / "clip.mp4").mkdir()
    with pytest.raises(VideoFileError, match="is a folder"):
        save_video(smooth_frames(1), tmp_path / "clip.mp4", REPLACE)
    assert (tmp_path / "clip.mp4").is_dir()


def test_a_missing_folder_is_made(tmp_path: Path):
    path = tmp_path / "new" / "and newer" / "clip.gif"
    assert save_video(smooth_frames(2), path, SETTINGS) == [path]


@pytest.mark.parametrize(
    "name", ["-y.mp4", "http:x.mp4", "%d 100%.gif", "a'b\"c;$(x)`.webp", "é.mp4"]
)
def test_a_name_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.chdir(tmp_path)
    assert save_video(smooth_frames(2), Path(name), SETTINGS, request={"a": 1}) == [Path(name)]
    assert names_in(tmp_path) == [name]


# Failures


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("error", [Cancelled(), KeyboardInterrupt(), OSError("theirs")])
def test_what_on_frame_raises_ends_the_call_and_leaves_nothing(
    tmp_path: Path, name: str, error: BaseException
):
    def stop(num_frames: int):
        if num_frames == 2:
            raise error

    with pytest.raises(type(error)) as raised:
        save_video(smooth_frames(5), tmp_path / name, SETTINGS, on_frame=stop)
    assert raised.value is error
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_cancelled_replacement_leaves_the_old_output(tmp_path: Path, name: str):
    written = save_video(smooth_frames(4), tmp_path / name, SETTINGS)
    before = {path: path.read_bytes() for path in written}

    def stop(num_frames: int):
        if num_frames == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        save_video(grey_frames([1, 2, 3]), tmp_path / name, REPLACE, on_frame=stop)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_cancel_is_heard_while_ffmpeg_finishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = "import sys, time; sys.stdin.buffer.read(); time.sleep(300)"
    use_program(monkeypatch, tmp_path / "bin", program)
    counts: list[int] = []

    def stop(num_frames: int):
        counts.append(num_frames)
        if len(counts) == 4:
            raise Cancelled

    with pytest.raises(Cancelled):
        save_video(smooth_frames(2), tmp_path / "out" / "clip.mp4", SETTINGS, on_frame=stop)
    assert counts == [1, 2, 2, 2]
    assert names_in(tmp_path / "out") == []


@pytest.mark.parametrize("name", NAMES[:3])
def test_what_ffmpeg_says_reaches_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    program = (
        "import sys; open(sys.argv[-1].removeprefix('file:'), 'wb').write(b'half')\n"
        "sys.stderr.write('noise\\n' * 9000 + '[libx @ 0x55] [enc] The cat is out\\nsecond\\n')\n"
        "sys.exit(1)"
    )
    use_program(monkeypatch, tmp_path / "bin", program.replace("'noise\\n' * 9000 + ", ""))
    with pytest.raises(VideoFileError, match=f"{name} .* ffmpeg reports: The cat is out$") as short:
        save_video(smooth_frames(200), tmp_path / "out" / name, SETTINGS)
    assert short.value.detail == "[libx @ 0x55] [enc] The cat is out\nsecond"

    use_program(monkeypatch, tmp_path / "bin2", program)
    with pytest.raises(VideoFileError) as long:
        save_video(smooth_frames(200), tmp_path / "out" / name, SETTINGS)
    assert long.value.detail.endswith("The cat is out\nsecond")
    assert len(long.value.detail.splitlines()) == 20
    assert names_in(tmp_path / "out") == []


@pytest.mark.parametrize(
    "program",
    [
        "",  # ends well at once, has read nothing and written nothing
        "import sys; sys.stdin.buffer.read()",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        # ends well, and what it wrote begins well, but it has not taken all frames
        "import sys; open(sys.argv[-1].removeprefix('file:'), 'wb').write(b'0000ftypisom')",
    ],
)
def test_a_silent_failure_of_ffmpeg_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
):
    use_program(monkeypatch, tmp_path / "bin", program)
    with pytest.raises(VideoFileError, match="ffmpeg reports"):
        save_video(smooth_frames(200), tmp_path / "out" / "clip.mp4", SETTINGS)
    assert names_in(tmp_path / "out") == []


def test_a_missing_ffmpeg_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", lambda: str(tmp_path / "missing"))
    with pytest.raises(VideoFileError, match=r"ffmpeg reports: .*missing"):
        save_video(smooth_frames(1), tmp_path / "clip.mp4", SETTINGS)

    def not_found():
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr("imageio_ffmpeg.get_ffmpeg_exe", not_found)
    with pytest.raises(VideoFileError, match="No ffmpeg exe"):
        save_video(smooth_frames(1), tmp_path / "clip.mp4", SETTINGS)
    assert names_in(tmp_path) == []


def test_a_full_disk_has_a_sentence_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = (
        "import sys; sys.stderr.write('Error muxing\\n-28 (No space left on device)'); exit(1)"
    )
    use_program(monkeypatch, tmp_path / "bin", program)
    with pytest.raises(DiskFull, match=r"disk of .*out has too little room: .* are free") as error:
        save_video(smooth_frames(1), tmp_path / "out" / "clip.mp4", SETTINGS)
    assert "No space left" in error.value.detail

    def full(*_arguments: object, **_options: object):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(DiskFull, match=r"disk of .*out has too little room: .* are free"):
        save_video(smooth_frames(1), tmp_path / "out" / "clip.png", SETTINGS)
    assert names_in(tmp_path / "out") == []


def test_a_folder_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("x")
    with pytest.raises(VideoFileError, match="file is a file"):
        save_video(smooth_frames(1), tmp_path / "file" / "clip.mp4", SETTINGS)
    with pytest.raises(VideoFileError, match=r"cannot be written to .*file"):
        save_video(smooth_frames(1), tmp_path / "file" / "deeper" / "clip.mp4", SETTINGS)

    def forbidden(*_arguments: object, **_options: object):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(VideoFileError, match=r"cannot be written to .*: Permission denied"):
        save_video(smooth_frames(1), tmp_path / "clip.mp4", SETTINGS)
    assert names_in(tmp_path) == ["file"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_the_disk_refuses_leaves_nothing(tmp_path: Path, name: str):
    with pytest.raises(VideoFileError):
        save_video(smooth_frames(1), tmp_path / f"{'x' * 300}{name}", SETTINGS)
    assert names_in(tmp_path) == []


def test_a_sequence_that_cannot_be_published_to_its_end_is_not_published_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    published: list[Path] = []

    def failing(temporary: Path, path: Path, *, overwrite: bool):
        assert not overwrite
        if len(published) == 2:
            raise OSError(errno.EIO, "Input/output error")
        temporary.rename(path)
        published.append(path)

    monkeypatch.setattr("engine.video_io.publish", failing)
    with pytest.raises(VideoFileError, match="Input/output error"):
        save_video(smooth_frames(3), tmp_path / "clip.png", SETTINGS)
    assert len(published) == 2
    assert names_in(tmp_path) == []
