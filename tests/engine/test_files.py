from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.api.files import (
    fsync_folder,
    make_folder,
    publish,
    remove_leftovers,
    temporary_beside,
    write_text_atomically,
)


def no_hard_links(*_arguments):
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.fixture(params=["hard links", "no hard links"])
def _disk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch):
    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", no_hard_links)


def test_a_temporary_name_is_hidden_free_and_in_the_same_folder(tmp_path: Path):
    with temporary_beside(tmp_path / "clip.mp4") as first:
        with temporary_beside(tmp_path / "clip.mp4") as second:
            assert first != second
        assert first.parent == tmp_path
        assert first.name.startswith(".")
        assert not first.exists()


@pytest.mark.parametrize("kind", ["file", "folder", "nothing"])
def test_what_was_not_published_is_removed_whatever_happens(tmp_path: Path, kind: str):
    def leave():
        with temporary_beside(tmp_path / "clip.mp4") as temporary:
            if kind == "folder":
                temporary.mkdir()
                (temporary / "inside").write_text("x")
            elif kind == "file":
                temporary.write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_disk")
def test_a_published_file_has_its_name_and_no_other(tmp_path: Path):
    path = tmp_path / "clip.json"
    with temporary_beside(path) as temporary:
        temporary.write_text("new")
        publish(temporary, path, overwrite=False)
    assert [(entry.name, entry.read_text()) for entry in tmp_path.iterdir()] == [
        ("clip.json", "new")
    ]
    assert path.stat().st_nlink == 1


@pytest.mark.usefixtures("_disk")
def test_an_existing_file_is_only_replaced_where_that_is_allowed(tmp_path: Path):
    path = tmp_path / "clip.json"
    path.write_text("old")
    with temporary_beside(path) as temporary:
        temporary.write_text("new")
        with pytest.raises(FileExistsError):
            publish(temporary, path, overwrite=False)
        assert path.read_text() == "old"
        publish(temporary, path, overwrite=True)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("_disk")
def test_of_many_who_publish_one_new_name_exactly_one_succeeds(tmp_path: Path):
    path = tmp_path / "clip.json"
    winners: list[str] = []
    barrier = threading.Barrier(8)

    def compete(name: str):
        with temporary_beside(path) as temporary:
            temporary.write_text(name)
            barrier.wait()
            try:
                publish(temporary, path, overwrite=False)
            except FileExistsError:
                return
            winners.append(name)

    threads = [threading.Thread(target=compete, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert winners == [path.read_text()]
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_was_claimed_in_vain_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "clip.json"
    monkeypatch.setattr(os, "link", no_hard_links)
    with temporary_beside(path) as temporary:
        temporary.write_text("new")
        with monkeypatch.context() as patch:
            patch.setattr("pathlib.Path.replace", no_hard_links)
            with pytest.raises(PermissionError):
                publish(temporary, path, overwrite=False)
        assert not path.exists()
        assert temporary.read_text() == "new"


def test_text_is_written_as_it_is(tmp_path: Path):
    path = tmp_path / "settings.json"
    write_text_atomically(path, "кошка\n猫\n")
    assert path.read_bytes() == "кошка\n猫\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "settings.json"
    path.write_text("old")

    def full(_descriptor: int):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_synced_before_it_is_named_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "clip.json"
    had_name: list[bool] = []
    fsync = os.fsync

    def watched(descriptor: int):
        had_name.append(path.exists())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    write_text_atomically(path, "new")
    assert had_name == [False, True]


def test_a_new_file_whose_name_cannot_be_made_to_last_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "clip.json"

    def broken(_folder: Path):
        raise OSError(errno.EIO, "Input/output error")

    with temporary_beside(path) as temporary:
        temporary.write_text("new")
        monkeypatch.setattr("engine.api.files.fsync_folder", broken)
        with pytest.raises(OSError, match="Input/output"):
            publish(temporary, path, overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_somebody_holds_for_a_moment_is_replaced_when_they_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "clip.json"
    path.write_text("old")
    replace, tries = Path.replace, []

    def held(temporary: Path, target: Path):
        tries.append(temporary)
        if len(tries) < 3:
            raise PermissionError(errno.EACCES, "The file is in use")
        replace(temporary, target)

    monkeypatch.setattr("engine.api.files._SECONDS_TO_REPLACE", 2.0)
    monkeypatch.setattr(Path, "replace", held)
    write_text_atomically(path, "new")
    assert (len(tries), path.read_text()) == (3, "new")


def test_a_disk_that_cannot_sync_folders_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fsync = os.fsync

    def files_only(descriptor: int):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    write_text_atomically(tmp_path / "clip.json", "new")
    assert (tmp_path / "clip.json").read_text() == "new"


def test_a_folder_is_made_with_all_above_it_and_each_name_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    synced: list[Path] = []
    monkeypatch.setattr("engine.api.files.fsync_folder", synced.append)
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert synced == [tmp_path, tmp_path / "a"]
    make_folder(tmp_path / "a" / "b")
    assert len(synced) == 2
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "file" / "deeper")


def test_leftovers_of_processes_that_are_gone_are_removed_and_others_stay(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        gone = process.pid
    with temporary_beside(tmp_path / "clip.mp4") as ours:
        ours.mkdir()
        (ours / "frame").write_text("x")
        of_gone = ours.with_name(ours.name.replace(f"-{os.getpid()}-", f"-{gone}-"))
        of_gone.mkdir()
        (of_gone / "frame").write_text("x")
        elsewhere = tmp_path / f".kvdesk-00000000-{gone}-1234.tmp"
        elsewhere.write_text("on another computer")
        old = tmp_path / ".kvdesk-0123.tmp"
        old.write_text("of a kvdesk that wrote no numbers")
        os.utime(old, (0, 0))
        mine = tmp_path / "clip.tmp"
        mine.write_text("not ours")
        remove_leftovers(tmp_path)
        assert {path for path in (ours, of_gone, elsewhere, old, mine) if path.exists()} == {
            ours,
            elsewhere,
            mine,
        }


def test_a_folder_that_is_not_there_cannot_be_synced(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        fsync_folder(tmp_path / "missing")
