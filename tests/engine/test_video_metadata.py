from __future__ import annotations

import json
import random
import shutil
import subprocess
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from video_clips import REQUEST, decode_picture, smooth_frames, use_program

from engine.errors import VideoFileError
from engine.video_io import SaveSettings, read_request, save_video
from engine.video_metadata import request_text, with_gif_comment, with_webp_description

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ["clip.mp4", "clip.gif", "clip.webp", "clip.png"]
SETTINGS = SaveSettings(frames_per_second=8)
REPLACE = SaveSettings(frames_per_second=8, overwrite=True)

BREAK_EMBEDDING = {
    "clip.mp4": ("mp4_tags", lambda _text: ";FFMETADATA1\ncomment={half"),
    "clip.gif": ("with_gif_comment", lambda gif, _text: gif),
    "clip.webp": ("with_webp_description", lambda webp, _text, **_size: webp),
    "clip.png": ("png_text", lambda _text: PngInfo()),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "request_",
    [
        REQUEST,
        {},
        {"prompt": "long \\ = ; # 猫\n" * 1700},
        {"prompt": "\ud800 half of a pair"},
        {"prompt": "[CHAPTER]\ntitle=x\n;FFMETADATA1\n"},
    ],
    ids=["everything", "empty", "20 kB", "lone surrogate", "looks like tags"],
)
def test_a_request_comes_back_from_the_file_itself(tmp_path: Path, name: str, request_: dict):
    written = save_video(smooth_frames(2), tmp_path / name, SETTINGS, request=request_)
    assert len(written) == (2 if name == "clip.png" else 1)  # no sidecar
    for path in written:
        moved = shutil.move(path, tmp_path / f"moved{path.suffix}")
        assert read_request(moved) == request_


@pytest.mark.parametrize("length", [0, 1, 254, 255, 256, 510, 511])
def test_a_gif_comment_of_any_length_ends_where_it_ends(tmp_path: Path, length: int):
    path = tmp_path / "clip.gif"
    save_video(smooth_frames(2), path, SETTINGS)
    before, _ = decode_picture(path)
    path.write_bytes(with_gif_comment(path.read_bytes(), "x" * length))
    after, _ = decode_picture(path)
    assert (before == after).all()
    with Image.open(path) as picture:
        assert picture.info.get("comment", b"") == b"x" * length


@pytest.mark.parametrize("length", [1, 2, 3, 100, 30_001])
def test_a_webp_description_of_any_length_leaves_the_pixels_alone(tmp_path: Path, length: int):
    path = tmp_path / "clip.webp"
    for frames in (smooth_frames(2), smooth_frames(1) * 2):  # animated, and one plain picture
        save_video(frames, path, REPLACE)
        with Image.open(path) as picture:
            before = [frame.tobytes() for frame in every_frame(picture)]
        plain = path.read_bytes()
        data = with_webp_description(plain, "x" * length, width=64, height=48)
        path.write_bytes(data)
        assert int.from_bytes(data[4:8], "little") == len(data) - 8
        assert len(data) % 2 == 0
        with Image.open(path) as picture:
            assert picture.getexif()[0x010E] == "x" * length
            assert [frame.tobytes() for frame in every_frame(picture)] == before


def every_frame(picture: Image.Image):
    for number in range(picture.n_frames):
        picture.seek(number)
        yield picture.convert("RGB")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_loses_the_request_gets_a_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    function, broken = BREAK_EMBEDDING[name]
    with monkeypatch.context() as patch:
        patch.setattr(f"engine.video_encoding.{function}", broken)
        written = save_video(smooth_frames(2), tmp_path / name, SETTINGS, request=REQUEST)
    half = len(written) // 2
    videos, sidecars = written[:half], written[half:]
    assert [f"{path.name}.json" for path in written[:half]] == [
        path.name for path in written[half:]
    ]
    assert sorted(written) == sorted(tmp_path.iterdir())
    for video, sidecar in zip(videos, sidecars, strict=True):
        assert json.loads(sidecar.read_text()) == REQUEST
        assert read_request(video) == REQUEST

    # A new output takes the old one's sidecar along, which would speak for the wrong clip.
    written = save_video(smooth_frames(2), tmp_path / name, REPLACE, request={"prompt": "new"})
    assert sorted(written) == sorted(tmp_path.iterdir())
    assert read_request(written[0]) == {"prompt": "new"}


def test_a_file_that_gives_back_another_request_gets_a_sidecar_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(
        "engine.video_encoding.mp4_tags", lambda _: ';FFMETADATA1\ncomment={"prompt":"other"}\n'
    )
    path = tmp_path / "clip.mp4"
    assert save_video(smooth_frames(1), path, SETTINGS, request=REQUEST) == [
        path,
        tmp_path / "clip.mp4.json",
    ]
    assert read_request(path) == REQUEST


def test_a_damaged_sidecar_does_not_hide_the_request_in_the_file(tmp_path: Path):
    path = tmp_path / "clip.gif"
    save_video(smooth_frames(1), path, SETTINGS, request=REQUEST)
    (tmp_path / "clip.gif.json").write_bytes(b"\xff\xfe{")
    assert read_request(path) == REQUEST


@pytest.mark.fault(24)
def test_the_prompt_is_not_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    arguments = tmp_path / "arguments"
    use_program(
        monkeypatch,
        tmp_path / "bin",
        f"import sys; open({str(arguments)!r}, 'w').write(repr(sys.argv)); sys.exit(1)",
    )
    with pytest.raises(VideoFileError):
        save_video(
            smooth_frames(1), tmp_path / "clip.mp4", SETTINGS, request={"prompt": "secret wish"}
        )
    assert "ffmetadata" in arguments.read_text()
    assert "secret" not in arguments.read_text()


def test_a_request_that_could_not_be_read_again_is_refused(tmp_path: Path):
    with pytest.raises(VideoFileError, match="too long"):
        save_video(
            smooth_frames(1), tmp_path / "clip.gif", SETTINGS, request={"prompt": "x" * 2**20}
        )
    assert list(tmp_path.iterdir()) == []


def test_the_text_of_a_request_is_one_line_of_ascii():
    text = request_text(REQUEST)
    assert text.isascii()
    assert text.isprintable() or "\x7f" in text
    assert json.loads(text) == REQUEST


# Files of others


@pytest.mark.parametrize("name", NAMES)
def test_a_file_without_a_request_says_so(tmp_path: Path, name: str):
    first, *_ = save_video(smooth_frames(2), tmp_path / name, SETTINGS)
    with pytest.raises(VideoFileError, match="does not say what it was made from"):
        read_request(first)


@pytest.mark.parametrize(
    "comment", ["made by hand", "[1, 2]", "3", "[" * 100_000, "\x00", '{"a": 1', "{" * 2**20]
)
def test_a_comment_that_is_not_a_request_is_none(tmp_path: Path, comment: str):
    gif = tmp_path / "clip.gif"
    save_video(smooth_frames(1), gif, SETTINGS)
    gif.write_bytes(with_gif_comment(gif.read_bytes(), comment))
    with pytest.raises(VideoFileError, match="does not say"):
        read_request(gif)


def test_there_is_nothing_to_read_in_no_file_a_folder_and_another_kind(tmp_path: Path):
    with pytest.raises(VideoFileError, match="There is no file"):
        read_request(tmp_path / "missing.mp4")
    with pytest.raises(VideoFileError, match="cannot be read"):
        read_request(tmp_path)
    with pytest.raises(VideoFileError, match="cannot be read"):
        read_request(tmp_path / "zero\0byte.mp4")
    for content in (b"", b"\0", b"#EXTM3U\nhttp://127.0.0.1:9/x\n", b"RIFF\0\0\0\0AVI LIST" * 20):
        (tmp_path / "clip.mp4").write_bytes(content)
        with pytest.raises(VideoFileError, match="is not an MP4, GIF, WebP or PNG file"):
            read_request(tmp_path / "clip.mp4")


@pytest.mark.fault(22)
@pytest.mark.parametrize("name", NAMES)
def test_damage_is_never_more_than_a_refusal(tmp_path: Path, name: str):
    first, *_ = save_video(smooth_frames(2), tmp_path / name, SETTINGS, request=REQUEST)
    whole = first.read_bytes()
    chance = random.Random(0)
    outcomes: set[str] = set()
    for _ in range(12 if name == "clip.mp4" else 400):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 3, 30))):
            damaged[chance.randrange(8, len(damaged))] = chance.choice((0, 255, 65))
        first.write_bytes(damaged[: chance.choice((len(whole), chance.randrange(len(whole))))])
        try:
            read_request(first)
        except VideoFileError as error:
            outcomes.add(error.message)
        else:
            outcomes.add("read")
    assert len(outcomes) > 1


def test_an_mp4_that_other_tools_have_copied_still_says_what_it_was_made_from(tmp_path: Path):
    save_video(smooth_frames(2), tmp_path / "clip.mp4", SETTINGS, request=REQUEST)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error"]
    command += ["-i", str(tmp_path / "clip.mp4"), "-c", "copy", str(tmp_path / "copy.mp4")]
    subprocess.run(command, check=True)
    assert read_request(tmp_path / "copy.mp4") == REQUEST


def test_an_mp4_is_read_without_a_working_ffmpeg_only_from_its_sidecar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "clip.mp4"
    save_video(smooth_frames(1), path, SETTINGS, request=REQUEST)
    use_program(monkeypatch, tmp_path / "bin", "raise SystemExit(1)")
    with pytest.raises(VideoFileError, match="does not say"):
        read_request(path)
    (tmp_path / "clip.mp4.json").write_text(json.dumps(REQUEST))
    assert read_request(path) == REQUEST
