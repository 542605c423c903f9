"""What is dropped on the window or chosen in it, and is no harmless file."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
import window_parts
from busy_watch import BusyWatch
from mutants import one_of_each
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication

from engine.strange_files import SpecialFile, open_regular_file
from kvdesk.notice import Tone
from kvdesk.ui.drops import DropKind, classify, pixels_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fault_rounds import Rounds
    from pytestqt.qtbot import QtBot

    from kvdesk.app import Desk
    from kvdesk.notice import Notice

desk_of = window_parts.desk_of
themed = window_parts.themed
_installed_theme = window_parts._installed_theme
nothing_is_left = window_parts.nothing_is_left

MOST_MS = 50.0


def strange_things(folder: Path) -> dict[str, Path]:
    """One of everything that is no plain picture, under names that end like one."""
    things = {
        name: folder / f"{name}.png"
        for name in ("folder", "pipe", "socket", "loop", "other loop", "dangling", "closed")
    }
    things["folder"].mkdir()
    os.mkfifo(things["pipe"])
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(things["socket"]))
    things["loop"].symlink_to(things["other loop"])
    things["other loop"].symlink_to(things["loop"])
    things["dangling"].symlink_to(folder / "nothing")
    things["closed"].write_bytes(b"\x89PNG")
    things["closed"].chmod(0)
    for name, target in (("zero", "/dev/zero"), ("to a pipe", things["pipe"])):
        things[name] = folder / f"{name}.png"
        things[name].symlink_to(target)
    things["text"] = folder / "text.png"
    things["text"].write_text("no picture", encoding="ascii")
    things["empty"] = folder / "empty.png"
    things["empty"].touch()
    return things


def files(paths: list[str]) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return mime


def worked_ms(qtbot: QtBot, desk: Desk, mime: QMimeData, heard: list[Notice]) -> float:
    """The longest piece of work in the event loop while `mime` is dropped and answered."""
    expected = len(heard) + (classify(mime).kind is not DropKind.NOTHING)
    with BusyWatch() as watch:
        drop(desk, mime)
        qtbot.waitUntil(lambda: len(heard) == expected, timeout=30_000)
    return watch.worked_ms


def drop(desk: Desk, mime: QMimeData) -> None:
    """Drag `mime` over the left column, as a person does, and let it go there."""
    panel = desk.window.compose
    place, copy, left = QPoint(40, 40), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    for event in (
        QDragEnterEvent(place, copy, mime, left, none),
        QDragMoveEvent(place, copy, mime, left, none),
        QDropEvent(QPointF(place), copy, mime, left, none),
    ):
        QApplication.sendEvent(panel, event)
        QApplication.processEvents()


@pytest.mark.fault(22, 23)
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_nothing_that_is_dropped_holds_up_the_window(
    qtbot: QtBot, desk_of: Callable[..., Desk], tmp_path: Path, rounds: Rounds
):
    desk = desk_of(real=True)
    heard: list[Notice] = []
    desk.studio.notice.connect(heard.append)
    garbage = QMimeData()
    garbage.setData("image/png", b"\x89PNG\r\n\x1a\n" + bytes(99))
    brought = [files([str(path)]) for path in strange_things(tmp_path).values()]
    qtbot.wait(500)  # what a start still has to do is not counted
    for mime in [*brought, garbage]:
        assert worked_ms(qtbot, desk, mime, heard) < MOST_MS
        rounds.done()
    assert {notice.tone for notice in heard} == {Tone.FAILED}
    assert desk.form.values.picture is None
    assert desk.queue.jobs == ()


@pytest.mark.fault(23)
def test_ten_thousand_files_do_not_hold_up_the_window(
    qtbot: QtBot, desk_of: Callable[..., Desk], tmp_path: Path
):
    desk = desk_of()
    heard: list[Notice] = []
    desk.studio.notice.connect(heard.append)
    qtbot.wait(500)  # what a start still has to do is not counted
    for ending in ("zip", "", "png", "txt"):
        mime = files([str(tmp_path / f"a file {number}.{ending}") for number in range(10_000)])
        assert min(worked_ms(qtbot, desk, mime, heard) for _ in range(3)) < MOST_MS, ending
    assert len(heard) == 6  # too many pictures; no such text
    assert desk.queue.jobs == ()


@pytest.mark.fault(23)
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_the_engine_waits_for_no_pipe_even_where_one_takes_a_files_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pipe, file = tmp_path / "pipe", tmp_path / "file"
    os.mkfifo(pipe)
    file.write_bytes(b"x")
    for path in (pipe, tmp_path, tmp_path / "none", "/dev/zero"):
        with pytest.raises(OSError, match=r"folder|device|No such file"):
            open_regular_file(tmp_path / path)
    regular = file.stat()
    monkeypatch.setattr(type(pipe), "stat", lambda _path: regular)
    with pytest.raises(SpecialFile):
        open_regular_file(pipe)


# Pictures without a file


@pytest.mark.fault(36)
def test_a_pasted_picture_is_not_decoded_in_the_window(
    qtbot: QtBot, desk_of: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
):
    desk = desk_of(real=True)
    mime = QMimeData()
    data = one_of_each()["png"]
    mime.setData("image/png", data)
    mime.setData("text/html", b"<img src='http://example.org/a.png'>")
    monkeypatch.setattr(QMimeData, "imageData", None)
    assert classify(mime).kind is DropKind.PIXELS
    assert pixels_of(mime) == data
    drop(desk, mime)
    qtbot.waitUntil(lambda: desk.form.values.picture is not None, timeout=30_000)
    assert (desk.form.values.picture.width, desk.form.values.picture.height) == (55, 45)


@pytest.mark.fault(36)
def test_what_only_qt_could_decode_is_nothing_and_bare_pixels_are_a_picture():
    strange = QMimeData()
    strange.setData("image/x-icon", b"\0\0\1\0")
    assert classify(strange).kind is DropKind.NOTHING
    assert pixels_of(strange) is None
    bare = QMimeData()
    bare.setImageData(QImage(4, 3, QImage.Format.Format_RGB32))
    assert classify(bare).kind is DropKind.PIXELS
    assert isinstance(pixels_of(bare), QImage)
