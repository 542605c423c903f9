from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from engine.api.files import temporary_beside
from kvdesk import json_files
from kvdesk.folders import Folders
from kvdesk.json_files import DelayedWriter, NewerFormat, read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.json"
    data = {"a": [1, 2.5, None, True], "prompt": "红色的圆 ☺", "name": "bytes \udcff of a name"}

    write_json(path, data)

    assert read_json(path) == data


def test_a_file_that_is_not_there_is_none_and_stays_away(tmp_path: Path) -> None:
    assert read_json(tmp_path / "file.json") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe{}", b"[1]", b"null", b"[" * 100_000, b'{"a": 1' + b"0" * 5000 + b"}"],
    ids=["empty", "cut", "not text", "a list", "null", "nested too deep", "number too long"],
)
def test_a_damaged_file_is_none_and_set_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)

    assert read_json(path) is None

    assert not path.exists()
    assert (tmp_path / "file.json.damaged").read_bytes() == content


def test_a_file_that_the_disk_does_not_let_be_read_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.json"
    path.write_text('{"a": 1}')

    def unreadable(_path: Path) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.read_bytes", unreadable)
        assert read_json(path) is None
    write_json(path, {"a": 2})

    assert read_json(path) == {"a": 2}
    assert read_json(tmp_path / "file.json.damaged") == {"a": 1}


def test_a_file_of_a_newer_version_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"version": 2, "a": 1})

    with pytest.raises(NewerFormat):
        write_json(path, {"version": 1})

    assert read_json(path) == {"version": 2, "a": 1}
    write_json(path, {"version": 2, "a": 2})
    assert read_json(path) == {"version": 2, "a": 2}


def test_what_a_killed_process_left_goes_with_the_next_writing(tmp_path: Path) -> None:
    write_json(tmp_path / "other.json", {})
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        gone = process.pid
    with temporary_beside(tmp_path / "file.json") as ours:
        ours.write_text("half")
        theirs = ours.with_name(ours.name.replace(f"-{os.getpid()}-", f"-{gone}-"))
        theirs.write_text("half")
        write_json(tmp_path / "file.json", {})
        assert ours.exists()
        assert not theirs.exists()


@pytest.mark.fault(8)
def test_what_could_not_be_written_is_written_once_it_can_be(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kvdesk.json_files._RETRY_MS", 20)
    full = [True]
    write = json_files.write_atomically

    def filling(path: Path, data: bytes) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        write(path, data)

    monkeypatch.setattr(json_files, "write_atomically", filling)
    path = tmp_path / "file.json"
    writer = DelayedWriter(path, lambda: {"a": 1}, delay_ms=1)
    writer.schedule()
    qtbot.wait(60)
    assert not path.exists()
    full[0] = False
    qtbot.waitUntil(path.exists)
    assert read_json(path) == {"a": 1}
    writer.deleteLater()


def test_what_could_not_be_written_is_tried_again_at_the_end(tmp_path: Path, qtbot: QtBot) -> None:
    blocker = tmp_path / "folder"
    blocker.write_text("in the way")
    writer = DelayedWriter(blocker / "file.json", lambda: {"a": 1}, delay_ms=1)
    writer.schedule()
    qtbot.wait(30)
    blocker.unlink()
    writer.flush()
    assert read_json(blocker / "file.json") == {"a": 1}
    writer.deleteLater()


def test_a_file_that_cannot_be_read_is_none_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.mkdir()

    assert read_json(path) is None
    assert path.is_dir()


def test_writing_where_a_file_is_in_the_way_raises(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(OSError, match="file"):
        write_json(tmp_path / "file" / "settings.json", {})


def test_a_failed_write_leaves_the_former_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.mkdir()  # a folder cannot be replaced by a file

    with pytest.raises(OSError, match=r"file\.json cannot be written"):
        write_json(path, {"a": 1})

    assert list(tmp_path.iterdir()) == [path]


def test_values_that_are_no_json_leave_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_json(path, {"a": 1})

    with pytest.raises(TypeError):
        write_json(path, {"a": object()})

    assert read_json(path) == {"a": 1}


def test_several_changes_are_written_once_and_as_they_are_at_the_end(
    tmp_path: Path, qtbot: QtBot
) -> None:
    states = [1]
    asked: list[int] = []

    def content() -> dict[str, object]:
        asked.append(states[-1])
        return {"state": states[-1]}

    writer = DelayedWriter(tmp_path / "file.json", content, delay_ms=50)
    writer.schedule()
    states.append(2)
    writer.schedule()

    assert not (tmp_path / "file.json").exists()
    qtbot.waitUntil((tmp_path / "file.json").exists, timeout=2000)
    assert json.loads((tmp_path / "file.json").read_text()) == {"state": 2}
    assert asked == [2]


def test_flush_writes_at_once_and_only_what_changed(tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "file.json"
    writer = DelayedWriter(path, lambda: {"a": 1}, delay_ms=60_000)

    writer.flush()
    assert not path.exists()

    writer.schedule()
    writer.flush()
    assert read_json(path) == {"a": 1}

    path.unlink()
    writer.flush()
    qtbot.wait(20)
    assert not path.exists()


def test_a_write_that_fails_later_is_logged_and_harms_nobody(
    tmp_path: Path, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    writer = DelayedWriter(tmp_path / "file" / "a.json", dict, delay_ms=1)

    writer.schedule()
    qtbot.waitUntil(lambda: bool(caplog.records), timeout=2000)

    assert caplog.records[0].levelname == "WARNING"


def test_the_usual_folders_are_the_applications_own() -> None:
    folders = Folders.usual()

    own = (folders.config, folders.data, folders.cache, folders.clips)
    assert all("kvdesk" in path.parts for path in own)
    assert all(path.is_absolute() for path in own)


def test_other_clips_leave_the_other_folders(tmp_path: Path) -> None:
    usual = Folders.usual()

    moved = usual.with_clips(tmp_path)

    assert moved.clips == tmp_path
    assert (moved.config, moved.data, moved.cache) == (usual.config, usual.data, usual.cache)
