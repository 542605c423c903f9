"""What a newer kvdesk wrote is used as far as it is understood, and never rewritten."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from clip_folders import make_clip
from engine_talk import PATIENCE

from engine.api import Fps

if TYPE_CHECKING:
    from pathlib import Path

NEWER = 99


def write_newer_files(tmp_path: Path) -> list[Path]:
    """Files of every kind as a much newer kvdesk may write them, and things it alone knows."""
    contents = {
        "config/settings.json": {"notify": False, "scent": "rose"},
        "data/form.json": {"values": {"prompt": "a cat", "scent": "rose"}},
        "data/prompts.json": {"prompts": ["a cat"], "scents": ["rose"]},
        "data/queue.json": {"jobs": [{"id": "1", "scent": "rose"}], "is_held": True},
        "data/paces.json": {"stages": [{"scent": "rose"}]},
        "data/batches.json": {"batches": [{"scent": "rose"}]},
    }
    files = []
    for name, content in contents.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"version": NEWER, **content}))
        files.append(file)
    clip = make_clip(tmp_path / "clips", "20260101-newer", strip=True, num_frames=12)
    data = json.loads((clip / "clip.json").read_text())
    data |= {"format_version": NEWER, "scent": "rose"}
    data["request"]["motion"] = "sideways"
    (clip / "clip.json").write_text(json.dumps(data))
    (clip / "notes.json").write_text(json.dumps({"version": NEWER, "starred": True, "stars": 5}))
    index = tmp_path / "cache" / "library.sqlite"
    index.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(index)) as connection, connection:
        connection.execute("CREATE TABLE scents (name TEXT)")
        connection.execute(f"PRAGMA user_version = {NEWER}")
    return [*files, clip / "clip.json", clip / "notes.json", clip / "strip.jpg", index]


@pytest.mark.fault(26)
def test_a_whole_session_leaves_the_files_of_a_newer_kvdesk_as_they_were(desk_of, qtbot, tmp_path):
    files = write_newer_files(tmp_path)
    before = {file: file.read_bytes() for file in files}
    desk = desk_of()
    qtbot.waitUntil(
        lambda: desk.form.model is not None and desk.library.is_loaded, timeout=PATIENCE
    )
    (newer,) = desk.library.records
    assert desk.library.record(newer).is_read_only
    assert desk.library.record(newer).starred
    assert not desk.settings.values.notify
    notices, finished = [], []
    desk.studio.notice.connect(notices.append)
    desk.studio.clip_finished.connect(finished.append)

    desk.settings.change(reduce_motion=True, more_is_open=True)
    desk.library.star([newer], starred=False)
    desk.studio.smooth(newer, Fps.HIGH)
    assert any("newer kvdesk" in notice.text for notice in notices)
    desk.form.edit("test", prompt="a red circle", seed=3, fps=Fps.LOW)
    desk.studio.submit()
    qtbot.waitUntil(lambda: bool(finished), timeout=PATIENCE)
    desk.library.bin([newer])
    desk.undo_stack.undo()

    again = desk_of()  # the first has been closed, and has written all that it writes
    qtbot.waitUntil(lambda: again.library.is_loaded, timeout=PATIENCE)
    assert {newer, *finished} == set(again.library.records)
    assert {file: file.read_bytes() for file in files} == before
