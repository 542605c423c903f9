"""Choosing a size: three shapes, or any in steps that the model can do."""

from __future__ import annotations

import pytest
from form_parts import BIG, SMALL
from PySide6.QtCore import Qt

from engine.api import FrameSize
from kvdesk.form import size_presets
from kvdesk.ui.size_picker import SizePicker

pytestmark = pytest.mark.usefixtures("themed")

SQUARE = FrameSize(width=512, height=512)


@pytest.fixture
def picker(qtbot):
    made = SizePicker()
    qtbot.addWidget(made)
    made.use_model(BIG)
    made.show_size(SQUARE)
    made.show()
    made.heard = []
    made.size_changed.connect(made.heard.append)
    return made


def chosen(picker):
    return [name for name in ("square", "wide", "tall", "other") if picker.tile(name).isChecked()]


@pytest.mark.parametrize("name", ["wide", "tall"])
def test_a_tile_takes_the_size_that_suits_the_model(qtbot, picker, name):
    qtbot.mouseClick(picker.tile(name), Qt.MouseButton.LeftButton)
    assert picker.heard == [size_presets(BIG)[name]]
    assert chosen(picker) == [name]
    assert not picker._free.isVisible()


def test_a_size_that_is_shown_says_nothing(picker):
    picker.show_size(FrameSize(width=640, height=320))
    assert picker.heard == []
    assert chosen(picker) == ["other"]
    assert picker._free.isVisible()
    picker.show_size(SQUARE)
    assert chosen(picker) == ["square"]


def test_other_opens_the_numbers_and_changes_nothing_yet(qtbot, picker):
    qtbot.mouseClick(picker.tile("other"), Qt.MouseButton.LeftButton)
    assert picker._free.isVisible()
    assert picker.heard == []


def test_a_step_of_a_number_is_a_step_of_the_model(qtbot, picker):
    qtbot.mouseClick(picker.tile("other"), Qt.MouseButton.LeftButton)
    qtbot.keyClick(picker._width, Qt.Key.Key_Up)
    assert picker.heard == [FrameSize(width=576, height=512)]


def test_a_typed_number_goes_to_the_nearest_step(qtbot, picker):
    qtbot.mouseClick(picker.tile("other"), Qt.MouseButton.LeftButton)
    picker._height.selectAll()
    qtbot.keyClicks(picker._height, "700")
    assert picker.heard == []
    qtbot.keyClick(picker._height, Qt.Key.Key_Return)
    assert picker.heard == [FrameSize(width=512, height=704)]
    assert picker._height.value() == 704


def test_swapping_turns_the_size(qtbot, picker):
    picker.show_size(FrameSize(width=640, height=320))
    qtbot.mouseClick(picker._swap, Qt.MouseButton.LeftButton)
    assert picker.heard == [FrameSize(width=320, height=640)]


def test_the_numbers_stay_open_on_the_size_of_a_tile(qtbot, picker):
    qtbot.mouseClick(picker.tile("other"), Qt.MouseButton.LeftButton)
    picker.show_size(size_presets(BIG)["wide"])
    assert chosen(picker) == ["other"]
    qtbot.mouseClick(picker.tile("square"), Qt.MouseButton.LeftButton)
    assert chosen(picker) == ["square"]
    assert not picker._free.isVisible()


def test_another_model_has_other_sizes_and_steps(qtbot, picker):
    picker.use_model(SMALL)
    picker.show_size(FrameSize(width=96, height=96))
    assert chosen(picker) == ["square"]
    qtbot.mouseClick(picker.tile("other"), Qt.MouseButton.LeftButton)
    qtbot.keyClick(picker._width, Qt.Key.Key_Up)
    assert picker.heard == [FrameSize(width=104, height=96)]


def test_a_size_out_of_range_is_shown_as_it_is(picker):
    picker.show_size(FrameSize(width=4096, height=40))
    assert (picker._width.value(), picker._height.value()) == (4096, 40)
    assert picker.heard == []


def test_before_there_is_a_model_the_size_alone_is_shown(qtbot):
    picker = SizePicker()
    qtbot.addWidget(picker)
    picker.show_size(SQUARE)
    picker.show()
    assert not picker._free.isVisible()


def test_arrow_keys_walk_the_tiles_and_stay_on_them(qtbot, picker):
    qtbot.waitUntil(picker.isActiveWindow)
    picker.tile("square").setFocus()
    for name in ("square", "wide", "tall"):
        qtbot.keyClick(picker.tile(name), Qt.Key.Key_Right)
    assert picker.heard == [size_presets(BIG)["wide"], size_presets(BIG)["tall"]]
    assert chosen(picker) == ["other"]
    assert picker.tile("other").hasFocus()
