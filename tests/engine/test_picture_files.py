"""A path that is no readable picture file is refused at once and in words."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from picture_makers import encode, scene
from picture_wrecks import refusal, write

from engine.errors import PictureError
from engine.picture_files import MAX_FILE_BYTES
from engine.pictures import open_picture

PNG = encode(scene(55, 45), "PNG")

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


def test_a_link_to_a_picture_opens(tmp_path):
    target = write(tmp_path, PNG, "target")
    link = tmp_path / "link.png"
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("no right to make links")
    assert open_picture(link).size == (55, 45)


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    assert "is empty" in refusal(write(tmp_path, b"")).message


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    assert "no file" in refusal(tmp_path / "gone.png").message


def test_a_file_is_not_a_folder_to_look_in(tmp_path):
    assert "gone.png" in refusal(write(tmp_path, b"x", "file") / "gone.png").message


def test_a_folder_is_said_to_be_a_folder(tmp_path):
    assert "folder" in refusal(tmp_path).message


@pytest.mark.fault(23)
@posix_only
def test_pipes_and_devices_are_refused_without_waiting(tmp_path):
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    start = time.perf_counter()
    for path in (pipe, Path("/dev/zero"), Path("/dev/null")):
        assert "device or a pipe" in refusal(path).message
    assert time.perf_counter() - start < 1


@pytest.mark.fault(23)
@posix_only
def test_a_loop_of_links_is_refused(tmp_path):
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    first.symlink_to(second)
    second.symlink_to(first)
    assert "cannot be read" in refusal(first).message


@posix_only
def test_a_link_to_nothing_is_said_to_be_missing(tmp_path):
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "gone.png")
    assert "no file" in refusal(link).message


@posix_only
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = write(tmp_path, PNG)
    path.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:  # root may read everything, so be somebody else for a moment
        os.seteuid(65534)
    try:
        assert "permission" in refusal(path).message
    finally:
        if is_root:
            os.seteuid(0)


def test_a_file_of_more_bytes_than_the_limit_is_refused_unread(tmp_path):
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert "513 MB" in refusal(path).message


@pytest.mark.parametrize("name", ["nul\0inside.png", "n" * 5000 + ".png"])
def test_a_name_that_no_file_can_have_is_refused(name, tmp_path):
    with pytest.raises(PictureError):
        open_picture(tmp_path / name)


@pytest.mark.fault(24, 25)
@posix_only
def test_a_name_cannot_break_the_message(tmp_path):
    path = write(tmp_path, b"", "a\nb\u202eg\x1b[31m.png")
    with pytest.raises(PictureError) as caught:
        open_picture(path)
    assert caught.value.message == '"a\ufffdb\ufffdg\ufffd[31m.png" is empty.'
