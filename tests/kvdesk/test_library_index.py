from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace

import pytest
from clip_folders import make_clip

from kvdesk.clip_records import read_clip
from kvdesk.library_index import LibraryIndex


@pytest.fixture
def clips(tmp_path):
    return tmp_path / "clips"


@pytest.fixture
def row(clips):
    return read_clip(make_clip(clips, "one", prompt="Ein Kätzchen 😀"), is_binned=False)


def rows_in(path, clips):
    with LibraryIndex(path, clips) as index:
        return index.rows()


def fill(path, clips, *rows):
    with LibraryIndex(path, clips) as index:
        index.update(rows)


def test_rows_come_back_as_they_were_put_in_newest_first(tmp_path, clips, row):
    path = tmp_path / "cache" / "index.sqlite"
    newer = replace(row, name="two", created="2027-01-01T00:00:00+00:00", seed=2**63 - 1)
    fill(path, clips, row, newer)
    assert rows_in(path, clips) == [newer, row]


def test_a_row_replaces_the_one_of_its_name_and_names_can_go(tmp_path, clips, row):
    path = tmp_path / "index.sqlite"
    other = replace(row, name="two")
    fill(path, clips, row, other)
    with LibraryIndex(path, clips) as index:
        index.update([replace(row, starred=True)], gone=["two"])
    assert rows_in(path, clips) == [replace(row, starred=True)]


@pytest.mark.fault(26)
def test_the_index_of_a_newer_kvdesk_is_left_as_it_is(tmp_path, clips, row):
    path = tmp_path / "index.sqlite"
    fill(path, clips, row)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with LibraryIndex(path, clips) as index:
        assert index.rows() == []
        index.update([row])
        assert index.rows() == [row]
    assert path.read_bytes() == before


@pytest.mark.fault(27)
@pytest.mark.parametrize("damage", ["garbage", "cut", "overwritten", "empty", "folder"])
def test_a_damaged_index_is_thrown_away(tmp_path, clips, row, damage):
    path = tmp_path / "index.sqlite"
    fill(path, clips, *(replace(row, name=f"clip {i}") for i in range(200)))
    content = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(b"this is not a database" * 100)
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "overwritten":
        path.write_bytes(content[:4096] + b"\xff" * 8192 + content[12288:])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        path.unlink()
        path.mkdir()
    assert rows_in(path, clips) == []
    if damage != "folder":
        fill(path, clips, row)
        assert rows_in(path, clips) == [row]


@pytest.mark.fault(27)
def test_the_index_of_another_folder_or_format_is_not_used(tmp_path, clips, row, monkeypatch):
    path = tmp_path / "index.sqlite"
    fill(path, clips, row)
    assert rows_in(path, tmp_path / "other") == []
    fill(path, clips, row)
    monkeypatch.setattr("kvdesk.library_index.INDEX_FORMAT", 2)
    assert rows_in(path, clips) == []


@pytest.mark.fault(27, 30)
def test_where_nothing_can_be_written_the_index_is_empty_and_works(tmp_path, clips, row):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "index.sqlite"
    with LibraryIndex(path, clips) as index:
        index.update([row])
        assert index.rows() == [row]
