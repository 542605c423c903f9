from __future__ import annotations

import pytest
from clip_folders import make_clip, make_strip
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from engine.api import FrameSize, Motion
from kvdesk.batches import Batch, BatchKind, BatchLabel
from kvdesk.library import Library
from kvdesk.ui.batch_tile import BatchTile
from kvdesk.ui.batch_view import BatchView

NAMES = ("c0", "c1", "c2", "c3")


@pytest.fixture
def library(qapp, tmp_path):  # noqa: ARG001 - there has to be an application
    stack = QUndoStack()
    library = Library(tmp_path / "clips", tmp_path / "index.sqlite", stack)
    yield library
    library.close()
    stack.clear()


@pytest.fixture
def view(qtbot, themed, library):  # noqa: ARG001 - widgets read the theme
    view = BatchView(library)
    qtbot.addWidget(view)
    view.resize(700, 820)
    view.show()
    return view


def batch(kind=BatchKind.COUSINS):
    labels = tuple(
        BatchLabel(seed=100 + i, motion=Motion.HIGH, noise_augmentation=20) for i in range(4)
    )
    return Batch(id="b", kind=kind, folders=NAMES, labels=labels)


def motion_map():
    labels = tuple(
        BatchLabel(seed=1, motion=motion, noise_augmentation=noise)
        for motion in Motion
        for noise in (0, 20, 100)
    )
    folders = tuple(f"m{i}" for i in range(12))
    return Batch(id="m", kind=BatchKind.MOTION_MAP, folders=folders, labels=labels)


def make(qtbot, library, *names, **changes):
    for name in names:
        make_clip(library.clips, name, strip=changes.pop("strip", True), **changes)
        library.refresh(name)
    qtbot.waitUntil(lambda: all(name in library.summaries for name in names))


def tiles(view):
    QApplication.processEvents()  # what is new in a layout is shown then
    return [tile for tile in view.findChildren(BatchTile) if not tile.isHidden()]


def tile(view, words):
    return next(each for each in tiles(view) if each.accessibleName() == words)


def texts(view):
    QApplication.processEvents()
    return [label.text() for label in view.findChildren(QLabel) if label.isVisibleTo(view)]


def test_clips_that_are_not_made_yet_are_cards_that_cannot_be_chosen(qtbot, view):
    view.show_batch(batch())
    assert [each.accessibleName() for each in tiles(view)] == [f"seed {100 + i}" for i in range(4)]
    assert not any(each.isEnabled() or each.images for each in tiles(view))
    with qtbot.assertNotEmitted(view.clip_chosen):
        qtbot.mouseClick(tiles(view)[0], Qt.MouseButton.LeftButton)


def test_a_seed_is_shown_in_groups_of_three_digits(view):
    label = BatchLabel(seed=3145294645, motion=Motion.HIGH, noise_augmentation=20)
    view.show_batch(Batch(id="b", kind=BatchKind.COUSINS, folders=("c0",), labels=(label,)))
    assert tiles(view)[0].accessibleName() == "seed 3\u202f145\u202f294\u202f645"


def test_a_clip_appears_in_its_place_as_it_is_made(qtbot, view, library):
    view.show_batch(batch())
    make(qtbot, library, "c2")
    qtbot.waitUntil(lambda: len(tile(view, "seed 102").images) == 12)
    assert tile(view, "seed 102").isEnabled()
    assert not tile(view, "seed 101").isEnabled()


def test_a_key_frame_stands_still_and_becomes_a_clip(qtbot, view, library):
    view.show_batch(batch(BatchKind.KEY_FRAMES))
    assert "Pick a picture" in texts(view)
    make_clip(library.clips, "c1", num_frames=0, has_key_frame=True)
    Image.new("RGB", (64, 64), (200, 30, 30)).save(library.clips / "c1" / "key_frame.png")
    library.refresh("c1")
    qtbot.waitUntil(lambda: len(tile(view, "seed 101").images) == 1)
    with qtbot.waitSignal(view.animation_chosen) as chosen:
        qtbot.mouseClick(tile(view, "seed 101"), Qt.MouseButton.LeftButton)
    assert chosen.args == ["c1"]


def test_a_cousin_that_is_clicked_is_shown(qtbot, view, library):
    make(qtbot, library, *NAMES)
    view.show_batch(batch())
    assert "Four cousins" in texts(view)
    with qtbot.waitSignal(view.clip_chosen) as chosen:
        qtbot.mouseClick(tile(view, "seed 103"), Qt.MouseButton.LeftButton)
    assert chosen.args == ["c3"]


def test_a_place_of_the_motion_map_gives_its_values(qtbot, view, library):
    make(qtbot, library, *motion_map().folders)
    view.show_batch(motion_map())
    assert {"Motion map", "noise 0", "noise 20", "noise 100", "extreme motion"} <= set(texts(view))
    with qtbot.waitSignal(view.values_chosen) as chosen:
        qtbot.mouseClick(
            tile(view, "medium motion, noise augmentation 100"), Qt.MouseButton.LeftButton
        )
    assert chosen.args == [Motion.MEDIUM, 100]


def test_the_motion_map_has_a_row_for_each_motion_and_a_column_for_each_noise(qtbot, view, library):
    make(qtbot, library, *motion_map().folders)
    view.show_batch(motion_map())
    QApplication.processEvents()

    def corner(words):
        return tile(view, words).mapTo(view, QPoint())

    low_0, low_20 = (
        corner("low motion, noise augmentation 0"),
        corner("low motion, noise augmentation 20"),
    )
    high_0 = corner("high motion, noise augmentation 0")
    assert low_0.y() == low_20.y()
    assert low_0.x() < low_20.x()
    assert low_0.x() == high_0.x()
    assert low_0.y() < high_0.y()


def test_arrow_keys_go_from_clip_to_clip_and_space_chooses(qtbot, view, library):
    make(qtbot, library, *NAMES)
    view.show_batch(batch())
    view.focus()
    assert tile(view, "seed 100").hasFocus()
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Right)
    assert tile(view, "seed 101").hasFocus()
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Down)
    assert tile(view, "seed 103").hasFocus()
    with qtbot.waitSignal(view.clip_chosen) as chosen:
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert chosen.args == ["c3"]


def test_the_way_back_has_the_focus_while_nothing_can_be_chosen(qtbot, view):
    view.show_batch(batch())
    view.focus()
    back = QApplication.focusWidget()
    assert isinstance(back, QPushButton)
    with qtbot.waitSignal(view.closed):
        qtbot.keyClick(back, Qt.Key.Key_Space)


def painted(view, words):
    return tile(view, words).grab().toImage().pixelColor(40, 40).rgb()


def test_clips_play_by_themselves(qtbot, view, library):
    make(qtbot, library, *NAMES)
    view.show_batch(batch())
    qtbot.waitUntil(lambda: len(tile(view, "seed 100").images) == 12)
    first = painted(view, "seed 100")
    qtbot.waitUntil(lambda: painted(view, "seed 100") != first)


def test_with_reduced_motion_every_clip_stands_at_its_first_frame(qtbot, view, library):
    make(qtbot, library, *NAMES)
    view.show_batch(batch())
    qtbot.waitUntil(lambda: len(tile(view, "seed 100").images) == 12)
    first = tile(view, "seed 100").images[0].pixelColor(30, 30).rgb()
    view.set_reduced_motion(is_reduced=True)
    for _ in range(3):
        qtbot.wait(120)
        assert painted(view, "seed 100") == first
    view.set_reduced_motion(is_reduced=False)
    qtbot.waitUntil(lambda: painted(view, "seed 100") != first)


def test_nothing_plays_while_nobody_looks(qtbot, view, library):
    make(qtbot, library, *NAMES)
    view.show_batch(batch())
    qtbot.waitUntil(lambda: len(tile(view, "seed 100").images) == 12)
    view.hide()
    first = painted(view, "seed 100")
    qtbot.wait(400)
    assert painted(view, "seed 100") == first


def test_the_places_have_the_shape_of_the_clips(qtbot, view, library):
    make(qtbot, library, "c0", strip=False, size=FrameSize(width=640, height=320))
    make_strip(library.clips / "c0", 128, 64)
    library.refresh("c0")
    view.show_batch(batch())
    QApplication.processEvents()
    for each in tiles(view):
        assert each.height() == pytest.approx(each.width() / 2, abs=2)


@pytest.mark.parametrize("height", [620, 820])
def test_the_whole_motion_map_is_seen_without_scrolling(qtbot, view, library, height):
    make(qtbot, library, *motion_map().folders)
    view.show_batch(motion_map())
    view.resize(700, height)
    QApplication.processEvents()
    first, last = tiles(view)[0], tiles(view)[-1]
    assert last.mapTo(view, last.rect().bottomRight()).y() < height
    assert view._scroll.verticalScrollBar().maximum() == 0
    assert first.width() == pytest.approx(first.height(), abs=1)
    # No more is left free below than a small gap.
    assert height - last.mapTo(view, last.rect().bottomRight()).y() < 16


def test_where_all_is_too_low_tiles_stay_large_enough_and_it_scrolls(view):
    view.show_batch(motion_map())
    view.resize(700, 300)
    QApplication.processEvents()
    assert min(each.width() for each in tiles(view)) >= 96
    assert view._scroll.verticalScrollBar().maximum() > 0


def test_a_binned_clip_leaves_its_place_empty(qtbot, view, library):
    make(qtbot, library, *NAMES)
    library.open()
    view.show_batch(batch())
    library.bin(["c0"])
    qtbot.waitUntil(lambda: not tile(view, "seed 100").isEnabled())
