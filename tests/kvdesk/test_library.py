from __future__ import annotations

import json
import os
import sys
from dataclasses import replace

import pytest
from clip_folders import make_clip, make_strip
from PySide6.QtGui import QUndoStack

from engine.api import ClipInfo
from kvdesk.clip_records import ClipRecord, read_clip
from kvdesk.library import Library
from kvdesk.library_index import LibraryIndex


@pytest.fixture
def clips(tmp_path):
    (tmp_path / "clips").mkdir()
    return tmp_path / "clips"


@pytest.fixture
def undo_stack(qapp):  # noqa: ARG001 - there has to be an application
    return QUndoStack()


@pytest.fixture
def make_library(qtbot, tmp_path, clips, undo_stack):
    libraries = []

    def make(folder=clips, *, is_open=True):
        library = Library(folder, tmp_path / "cache" / "index.sqlite", undo_stack)
        libraries.append(library)
        if is_open:
            opened(qtbot, library)
        return library

    yield make
    for library in libraries:
        library.close()


def opened(qtbot, library):
    with qtbot.waitSignal(library.loaded, timeout=20_000):
        library.open()


def test_clips_are_found_with_all_that_their_file_says(make_library, clips):
    folder = make_clip(clips, "one", prompt="A  panda\nclimbs", num_frames=12)
    record = make_library().record("one")
    assert isinstance(record, ClipRecord)
    assert record.folder == folder
    assert isinstance(record.info, ClipInfo)
    assert record.info.num_frames == 12
    assert record.title == "A panda climbs"
    assert not record.starred
    assert not record.is_binned
    assert record.modified_ns == (folder / "clip.json").stat().st_mtime_ns


def test_records_are_a_mapping_by_name(make_library, clips):
    make_clip(clips, "one")
    make_clip(clips, ".bin/two")
    records = make_library().records
    assert sorted(records) == ["one", "two"]
    assert len(records) == 2
    assert records["two"].is_binned
    assert "three" not in records


def test_a_clip_without_words_is_called_by_its_picture(make_library, clips):
    folder = make_clip(clips, "one", prompt=" ")
    data = json.loads((folder / "clip.json").read_text())
    data["request"]["picture"] = {"path": "C:\\pictures\\cat.png"}
    (folder / "clip.json").write_text(json.dumps(data))
    assert make_library().record("one").title == "cat.png"


def test_a_folder_of_clips_that_is_not_there_is_an_empty_library(make_library, tmp_path):
    assert dict(make_library(tmp_path / "none").summaries) == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b"{}", b"[" * 100_000, b" " * (2 << 20), b'{"seed": 1}'],
)
def test_a_damaged_clip_is_left_out_and_logged(make_library, clips, content, caplog):
    make_clip(clips, "good")
    (make_clip(clips, "bad") / "clip.json").write_bytes(content)
    assert list(make_library().summaries) == ["good"]
    assert "bad" in caplog.text


def test_a_file_and_a_folder_without_clip_are_left_out(make_library, clips, caplog):
    (clips / "notes.txt").write_text("mine")
    (clips / "holiday").mkdir()
    assert dict(make_library().summaries) == {}
    assert caplog.text == ""


def test_a_clip_of_a_newer_kvdesk_is_shown_and_never_rewritten(make_library, clips):
    folder = make_clip(clips, "one", format_version=9)
    data = json.loads((folder / "clip.json").read_text())
    data["mood"] = "new"
    data["request"] |= {"weather": {"wind": 3}}
    data["request"]["size"]["depth"] = 8
    content = json.dumps(data)
    (folder / "clip.json").write_text(content)
    library = make_library()
    assert library.record("one").is_read_only
    assert library.record("one").info.request.size.width == 64
    library.star(["one"], starred=True)
    library.bin(["one"])
    library.restore(["one"])
    assert (folder / "clip.json").read_text() == content


@pytest.mark.fault(26)
def test_values_that_only_a_newer_kvdesk_knows_do_not_hide_its_clips(make_library, clips):
    folder = make_clip(clips, "one", format_version=9)
    data = json.loads((folder / "clip.json").read_text())
    data["request"] |= {"motion": "sideways", "fps": 7}
    data["seconds"] = [{"stage": "polish", "seconds": 1.0}]
    (folder / "clip.json").write_text(json.dumps(data))
    record = make_library().record("one")
    assert (record.is_read_only, record.info.num_frames) == (True, 45)
    assert record.info.request.prompt == "A red circle"
    assert record.info.seconds == ()


def test_an_unknown_name_in_a_clip_of_this_kvdesk_is_damage(make_library, clips):
    folder = make_clip(clips, "one")
    data = json.loads((folder / "clip.json").read_text())
    (folder / "clip.json").write_text(json.dumps({**data, "mood": "new"}))
    assert make_library().record("one") is None


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_links_are_not_followed(make_library, clips, tmp_path):
    outside = make_clip(tmp_path / "outside", "one")
    (clips / "linked").symlink_to(outside)
    (clips / ".bin").symlink_to(outside.parent)
    inner = clips / "inner"
    inner.mkdir()
    (inner / "clip.json").symlink_to(outside / "clip.json")
    pipe = clips / "pipe"
    pipe.mkdir()
    os.mkfifo(pipe / "clip.json")
    assert dict(make_library().summaries) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_folder_whose_name_is_no_text_is_left_out(make_library, clips):
    make_clip(clips, "good")
    folder = clips / os.fsdecode(b"\xff")
    folder.mkdir()
    (folder / "clip.json").write_text("{}")
    assert list(make_library().summaries) == ["good"]


def test_only_what_changed_is_read_again(make_library, clips, monkeypatch):
    for i in range(5):
        make_clip(clips, f"clip{i}")
    make_library().close()
    make_clip(clips, "new")
    changed = clips / "clip2" / "clip.json"
    os.utime(changed, ns=(1, 1))
    (clips / "clip3" / "clip.json").unlink()
    (clips / "clip4" / "notes.json").write_text('{"version": 1, "starred": true}')
    read = []
    monkeypatch.setattr(
        "kvdesk.library_scan.read_clip",
        lambda folder, **more: read.append(folder.name) or read_clip(folder, **more),
    )
    library = make_library()
    assert sorted(read) == ["clip2", "clip4", "new"]
    assert sorted(library.summaries) == ["clip0", "clip1", "clip2", "clip4", "new"]
    assert library.record("clip4").starred


def test_opening_again_finds_what_came_and_went(make_library, clips, qtbot):
    make_clip(clips, "one")
    library = make_library()
    make_clip(clips, "two")
    (clips / "one").rename(clips.parent / "elsewhere")
    opened(qtbot, library)
    assert list(library.summaries) == ["two"]


def test_an_index_that_somebody_changed_does_no_harm(make_library, clips, tmp_path):
    make_clip(clips, "one")
    library = make_library()
    library.close()
    row = replace(library.summaries["one"], clip_json='{"no": "clip"}')
    with LibraryIndex(tmp_path / "cache" / "index.sqlite", clips) as index:
        index.update([row])
    library = make_library()
    assert library.record("one").title == "A red circle"


def test_refresh_reads_one_folder_again(make_library, clips, qtbot):
    library = make_library()
    folder = make_clip(clips, "one", num_frames=12)
    with qtbot.waitSignal(library.changed) as changed:
        library.refresh("one")
    assert changed.args == [["one"]]
    (folder / "clip.json").write_text((folder / "clip.json").read_text().replace("12", "45", 1))
    library.refresh("one")
    (folder / "clip.json").unlink()
    with qtbot.waitSignal(library.changed):
        library.refresh("one")
    assert library.record("one") is None


def test_what_changed_here_is_not_undone_by_a_comparison_that_was_running(
    make_library, clips, qtbot
):
    make_clip(clips, "one")
    make_clip(clips, "two")
    library = make_library()
    with qtbot.waitSignal(library.loaded):
        library.open()
        library.star(["one"], starred=True)
        library.bin(["two"])
    assert library.record("one").starred
    assert library.record("two").is_binned


def test_a_star_is_kept_in_the_folder_and_can_be_undone(make_library, clips, undo_stack):
    folder = make_clip(clips, "one")
    library = make_library()
    library.star(["one", "gone"], starred=True)
    assert json.loads((folder / "notes.json").read_text()) == {"version": 1, "starred": True}
    assert undo_stack.undoText() == "Star clip"
    library.close()
    assert make_library().record("one").starred
    undo_stack.undo()
    assert not library.record("one").starred
    library.star(["one"], starred=False)
    assert undo_stack.count() == 1  # there was nothing to do


def test_other_notes_are_kept_beside_the_star(make_library, clips):
    folder = make_clip(clips, "one")
    (folder / "notes.json").write_text('{"version": 1, "label": "best"}')
    make_library().star(["one"], starred=True)
    notes = json.loads((folder / "notes.json").read_text())
    assert notes == {"version": 1, "label": "best", "starred": True}


def test_notes_of_a_newer_kvdesk_are_never_rewritten(make_library, clips, qtbot):
    notes = make_clip(clips, "one") / "notes.json"
    notes.write_text('{"version": 3, "starred": true}')
    library = make_library()
    with qtbot.waitSignal(library.failed) as failed:
        library.star(["one"], starred=False)
    assert "newer kvdesk" in failed.args[1]
    assert library.record("one").starred
    assert notes.read_text() == '{"version": 3, "starred": true}'


def test_damaged_notes_are_no_star(make_library, clips):
    (make_clip(clips, "one") / "notes.json").write_text("{")
    assert not make_library().record("one").starred


def test_a_star_that_cannot_be_kept_is_told_and_is_no_step_to_undo(make_library, clips, qtbot):
    folder = make_clip(clips, "one")
    library = make_library()
    folder.rename(clips.parent / "elsewhere")
    with qtbot.waitSignal(library.failed) as failed:
        library.star(["one"], starred=True)
    assert "star" in failed.args[0]
    assert not library.record("one").starred
    assert not folder.exists()


def test_the_bin_takes_clips_and_gives_them_back(make_library, clips, undo_stack):
    make_clip(clips, "one")
    library = make_library()
    library.bin(["one"])
    assert library.record("one").is_binned
    assert (clips / ".bin" / "one" / "clip.json").exists()
    assert not (clips / "one").exists()
    assert undo_stack.undoText() == "Delete clip"
    undo_stack.undo()
    assert not library.record("one").is_binned
    undo_stack.redo()
    library.restore(["one"])
    assert undo_stack.undoText() == "Put back clip"
    assert library.record("one").folder == clips / "one"
    assert library.record("one").folder.exists()


def test_a_name_that_is_taken_gets_a_number(make_library, clips, undo_stack):
    make_clip(clips, "one", seed=1)
    make_clip(clips, ".bin/one-2")
    (clips / ".bin" / "one").mkdir()
    library = make_library()
    library.bin(["one"])
    assert library.record("one") is None
    assert library.record("one-3").is_binned
    make_clip(clips, "one-3", seed=2)
    undo_stack.undo()
    assert library.record("one-3-2").info.request.seed == 1
    assert json.loads((clips / "one-3" / "clip.json").read_text())["request"]["seed"] == 2


def test_a_clip_that_a_job_is_at_work_on_stays(make_library, clips, undo_stack):
    make_clip(clips, "one")
    make_clip(clips, "two")
    library = make_library()
    library.needed = frozenset({"one"})
    said = []
    library.failed.connect(lambda text, _: said.append(text))
    library.bin(["one", "two"])
    assert not library.record("one").is_binned
    assert library.record("two").is_binned
    library.bin(["one"])
    assert len(said) == 2
    assert undo_stack.count() == 1


def test_a_clip_that_is_gone_cannot_be_binned_and_leaves_no_step(
    make_library, clips, undo_stack, qtbot
):
    make_clip(clips, "one").joinpath("frame").write_text("")
    make_clip(clips, "two")
    library = make_library()
    (clips / "one").rename(clips.parent / "elsewhere")
    with qtbot.waitSignal(library.failed) as failed:
        library.bin(["one"])
    assert "bin" in failed.args[0]
    assert undo_stack.count() == 0
    library.bin(["two"])
    assert undo_stack.count() == 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_nothing_is_moved_through_a_link(make_library, clips, tmp_path, qtbot):
    make_clip(clips, "one")
    (tmp_path / "outside").mkdir()
    (clips / ".bin").symlink_to(tmp_path / "outside")
    library = make_library()
    with qtbot.waitSignal(library.failed):
        library.bin(["one"])
    assert not library.record("one").is_binned
    assert list((tmp_path / "outside").iterdir()) == []


def test_emptying_the_bin_deletes_its_clips_and_nothing_else(make_library, clips, qtbot):
    make_clip(clips, "kept")
    make_strip(make_clip(clips, ".bin/one"))
    (clips / ".bin" / "mine").mkdir()
    library = make_library()
    with qtbot.waitSignal(library.bin_measured) as measured:
        library.measure_bin()
    size = sum(file.stat().st_size for file in (clips / ".bin" / "one").iterdir())
    assert measured.args == [size]
    assert library.bin_size() == size
    library.empty_bin()
    assert list(library.summaries) == ["kept"]
    qtbot.waitUntil(lambda: [f.name for f in (clips / ".bin").iterdir()] == ["mine"])
    assert library.bin_size() == 0


def test_undo_after_the_bin_was_emptied_says_that_the_clip_is_gone(
    make_library, clips, undo_stack, qtbot
):
    make_clip(clips, "one")
    library = make_library()
    library.bin(["one"])
    library.empty_bin()
    with qtbot.waitSignal(library.failed):
        undo_stack.undo()
    assert library.record("one") is None
    assert not undo_stack.canRedo()


def test_what_was_being_deleted_when_the_application_ended_is_deleted_at_the_next_start(
    make_library, clips
):
    (clips / ".bin" / ".doomed-one" / "frames_12").mkdir(parents=True)
    library = make_library()
    library.close()
    assert list((clips / ".bin").iterdir()) == []


def test_another_folder_replaces_all_clips(make_library, clips, tmp_path, qtbot):
    make_clip(clips, "one")
    make_clip(tmp_path / "other", "two")
    library = make_library()
    with qtbot.waitSignal(library.loaded):
        library.use_folder(tmp_path / "other")
    assert list(library.summaries) == ["two"]
    assert library.record("two").folder == tmp_path / "other" / "two"


def test_a_drive_that_is_away_for_a_while_costs_no_reading_anew(
    make_library, clips, monkeypatch, qtbot
):
    make_clip(clips, "one")
    library = make_library()
    clips.rename(clips.parent / "away")
    opened(qtbot, library)
    assert dict(library.summaries) == {}
    (clips.parent / "away").rename(clips)
    monkeypatch.setattr("kvdesk.library_scan.read_clip", lambda *_, **__: None)
    opened(qtbot, library)
    assert list(library.summaries) == ["one"]
