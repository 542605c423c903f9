"""What is promised of ten thousand clips, with real folders."""

from __future__ import annotations

import time

import pytest
from busy_watch import BusyWatch
from clip_folders import make_strip, many_clips
from PySide6.QtGui import QUndoStack

from kvdesk.library import Library
from kvdesk.library_model import LibraryModel
from kvdesk.ui.clip_grid import ClipGrid
from kvdesk.ui.library_view import LibraryView

pytestmark = pytest.mark.slow


@pytest.fixture
def clips(tmp_path):
    many_clips(tmp_path / "clips", 10_000)
    return tmp_path / "clips"


@pytest.fixture
def undo_stack(qapp):  # noqa: ARG001 - there has to be an application
    return QUndoStack()


def opened(qtbot, library):
    with BusyWatch() as watch, qtbot.waitSignal(library.loaded, timeout=120_000):
        library.open()
    return watch


def test_they_open_within_a_second_and_never_hold_up_the_window(tmp_path, clips, undo_stack, qtbot):
    times = []
    for _ in range(4):
        library = Library(clips, tmp_path / "index.sqlite", undo_stack)
        begin = time.perf_counter()
        watch = opened(qtbot, library)
        times.append(time.perf_counter() - begin)
        print(f"{times[-1]:.2f} s, {watch}")
        assert len(library.summaries) == 10_000
        assert watch.worked_ms < 50
        library.close()
    # The first time, every folder is read. A second, on a machine that does nothing else.
    assert sorted(times[1:])[1] < 2


@pytest.mark.usefixtures("themed")
def test_they_come_into_the_view_and_scroll_without_holding_it_up(
    tmp_path, clips, undo_stack, qtbot
):
    folders = list(clips.iterdir())
    make_strip(folders[0], width=192, height=192)
    strip = (folders[0] / "strip.jpg").read_bytes()
    for folder in folders[1:]:
        (folder / "strip.jpg").write_bytes(strip)
    library = Library(clips, tmp_path / "index.sqlite", undo_stack)
    view = LibraryView(LibraryModel(library, library), library)
    qtbot.addWidget(view)
    view.resize(312, 600)
    view.show()
    opened(qtbot, library)
    with BusyWatch() as opening, qtbot.waitSignal(library.loaded, timeout=60_000):
        library.use_folder(clips)
    bar = view.findChild(ClipGrid).verticalScrollBar()
    assert bar.maximum() > 100_000
    with BusyWatch() as scrolling:
        for _ in range(200):
            bar.setValue(bar.value() + 400)
            qtbot.wait(5)
    library.close()
    print(f"opening: {opening}, scrolling: {scrolling}")
    assert opening.worked_ms < 50
    assert scrolling.worked_ms < 50
