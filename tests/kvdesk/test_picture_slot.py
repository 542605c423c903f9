"""The picture that a clip starts from: the slot, the crop frame, and what can be dropped."""

from __future__ import annotations

import pytest
from form_parts import make_picture
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from engine.api import CropBox, FrameSize
from kvdesk.crop import (
    dragged_corner,
    inner_crop,
    largest_crop,
    moved,
    reshaped,
    resized,
)
from kvdesk.ui.drops import CLIP_MIME_TYPE, NO_DROP, Drop, DropKind, classify
from kvdesk.ui.picture_slot import PictureSlot

SQUARE = FrameSize(width=512, height=512)
WIDE = FrameSize(width=640, height=384)
SIDES = st.integers(min_value=1, max_value=5000)
ASPECTS = st.floats(min_value=0.1, max_value=10)
WAYS = st.floats(min_value=-6000, max_value=6000)


def shape(crop):
    return (crop.right - crop.left) / (crop.bottom - crop.top)


# Geometry


def test_the_largest_crop_is_in_the_middle():
    assert largest_crop(1200, 800, 1.0) == CropBox(left=200, top=0, right=1000, bottom=800)
    assert largest_crop(600, 800, 2.0) == CropBox(left=0, top=250, right=600, bottom=550)


def test_another_shape_keeps_the_centre_and_the_area():
    crop = CropBox(left=300, top=200, right=700, bottom=600)
    wide = reshaped(crop, 1200, 800, 4.0)
    assert wide == CropBox(left=100, top=300, right=900, bottom=500)
    assert reshaped(wide, 1200, 800, 1.0) == crop


def test_another_shape_at_the_edge_stays_inside_the_picture():
    crop = CropBox(left=0, top=0, right=400, bottom=400)
    assert reshaped(crop, 1200, 800, 4.0) == CropBox(left=0, top=100, right=800, bottom=300)


def test_what_is_used_of_a_crop_of_another_shape_is_its_middle():
    crop = CropBox(left=100, top=0, right=500, bottom=200)
    assert inner_crop(crop, 1.0) == CropBox(left=200, top=0, right=400, bottom=200)


def test_a_dragged_corner_leaves_the_opposite_one():
    crop = CropBox(left=100, top=100, right=300, bottom=300)
    larger = dragged_corner(crop, right=True, bottom=True, to=(500, 350), width=1200, height=800)
    assert larger == CropBox(left=100, top=100, right=500, bottom=500)
    beyond = dragged_corner(
        crop, right=False, bottom=False, to=(-900, -900), width=1200, height=800
    )
    assert beyond == CropBox(left=0, top=0, right=300, bottom=300)


@given(SIDES, SIDES, ASPECTS, ASPECTS, WAYS, WAYS, st.booleans(), st.booleans())
def test_no_crop_ever_leaves_the_picture(
    width, height, aspect, other_aspect, dx, dy, right, bottom
):
    crop = largest_crop(width, height, aspect)
    crops = [crop, moved(crop, dx, dy, width, height), resized(crop, abs(dx), width, height)]
    crops.append(reshaped(crop, width, height, other_aspect))
    crops.append(
        dragged_corner(
            crops[2], right=right, bottom=bottom, to=(dx, dy), width=width, height=height
        )
    )
    for each in crops:
        assert 0 <= each.left < each.right <= width
        assert 0 <= each.top < each.bottom <= height


@given(st.integers(200, 5000), st.integers(200, 5000), st.floats(0.4, 2.5), WAYS, WAYS)
def test_a_crop_keeps_its_shape_whatever_is_done_with_it(width, height, aspect, dx, dy):
    crop = resized(largest_crop(width, height, aspect), 100.0, width, height)
    for each in (
        moved(crop, dx, dy, width, height),
        resized(crop, abs(dx), width, height),
        dragged_corner(crop, right=True, bottom=False, to=(dx, dy), width=width, height=height),
    ):
        assert shape(each) == pytest.approx(aspect, rel=0.01)


# Drops


def mime_of(*paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return mime


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["/a/b.PNG"], Drop(kind=DropKind.PICTURES, paths=("/a/b.PNG",))),
        (["/a.jpg", "/b.webp"], Drop(kind=DropKind.PICTURES, paths=("/a.jpg", "/b.webp"))),
        (["/a.txt", "/b.png"], Drop(kind=DropKind.PICTURES, paths=("/b.png",))),
        (["/prompts.txt"], Drop(kind=DropKind.TEXT_FILE, paths=("/prompts.txt",))),
        (["/clip.mp4"], Drop(kind=DropKind.VIDEO, paths=("/clip.mp4",))),
        (["/clip.gif", "/other.gif"], Drop(kind=DropKind.VIDEO, paths=("/clip.gif",))),
        (
            ["/clips/cat/frames_45/0007.png"],
            Drop(kind=DropKind.FRAME, paths=("/clips/cat/frames_45/0007.png",)),
        ),
        (["/model.safetensors"], NO_DROP),
        (["/folder"], NO_DROP),
    ],
)
def test_files_are_told_by_their_endings(paths, expected):
    assert classify(mime_of(*paths)) == expected


def test_a_clip_of_the_library_goes_before_its_files():
    mime = mime_of("/a/frames_12/0001.png")
    mime.setData(CLIP_MIME_TYPE, b"20261122-red-circle-4f3a")
    assert classify(mime) == Drop(kind=DropKind.CLIP, clip="20261122-red-circle-4f3a")


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "a\\b", "..", ".", "a\0b", ""])
def test_a_clip_that_is_no_name_of_a_folder_is_nothing(name):
    mime = QMimeData()
    mime.setData(CLIP_MIME_TYPE, name.encode())
    assert classify(mime) == NO_DROP


def test_pixels_are_taken_where_there_is_no_file():
    mime = QMimeData()
    mime.setImageData(QImage(2, 2, QImage.Format.Format_RGB32))
    assert classify(mime).kind is DropKind.PIXELS


def test_addresses_of_the_net_and_words_are_nothing():
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/a.png")])
    mime.setText("words")
    assert classify(mime) == NO_DROP


# The slot


@pytest.fixture
def slot(qtbot, themed):  # noqa: ARG001
    made = PictureSlot()
    qtbot.addWidget(made)
    made.resize(340, 320)
    made.show()
    made.heard = []
    made.crop_changed.connect(made.heard.append)
    return made


@pytest.fixture
def filled(slot, tmp_path):
    slot.show_picture(make_picture(tmp_path), SQUARE)
    return slot


def middle(frame):
    return frame._frame_rect().center().toPoint()


def drag(frame, start, end):
    QTest.mousePress(frame, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(frame, (start + end) / 2)
    QTest.mouseMove(frame, end)
    QTest.mouseRelease(frame, Qt.MouseButton.LeftButton, pos=end)


@pytest.mark.parametrize("key", [None, Qt.Key.Key_Space])
def test_the_empty_slot_is_one_button(qtbot, slot, key):
    with qtbot.waitSignal(slot.choose_requested, timeout=1000):
        if key is None:
            qtbot.mouseClick(slot.zone, Qt.MouseButton.LeftButton)
        else:
            qtbot.keyClick(slot.zone, key)
    assert slot.zone.accessibleName()


def test_a_picture_says_how_much_of_it_is_used(filled):
    assert filled._words.text() == "from 1200 × 800, uses 800 × 800"
    assert not filled.zone.isVisible()
    assert filled.frame.isVisible()


def test_a_picture_that_is_not_opened_yet_waits_without_a_frame(slot):
    from kvdesk.form import PictureChoice

    slot.show_picture(PictureChoice(path="a.png", width=0, height=0, preview=""), SQUARE)
    assert slot._words.text() == "Opening the picture…"
    assert not slot.frame.isVisible()
    assert slot._remove.isVisible()


def test_the_picture_is_removed_by_its_button(qtbot, filled):
    with qtbot.waitSignal(filled.removed, timeout=1000):
        qtbot.mouseClick(filled._remove, Qt.MouseButton.LeftButton)
    filled.show_picture(None, SQUARE)
    assert filled.zone.isVisible()
    assert not filled._remove.isVisible()


def test_another_size_shows_another_frame_and_says_nothing(filled, tmp_path):
    filled.show_picture(make_picture(tmp_path), WIDE)
    assert filled.heard == []
    assert shape(filled.frame.crop) == pytest.approx(640 / 384)


def test_dragging_moves_the_frame_inside_the_picture(filled):
    frame = filled.frame
    drag(frame, middle(frame), middle(frame) + QPoint(400, 0))
    assert filled.heard[-1] == CropBox(left=400, top=0, right=1200, bottom=800)
    assert filled._words.text() == "from 1200 × 800, uses 800 × 800"


def test_dragging_a_corner_sizes_the_frame(filled):
    frame = filled.frame
    corner = frame._frame_rect().bottomRight().toPoint()
    drag(frame, corner, (corner + middle(frame)) / 2)
    crop = filled.heard[-1]
    assert (crop.left, crop.top) == (200, 0)
    assert crop.right - crop.left == pytest.approx(600, abs=10)
    assert shape(crop) == pytest.approx(1.0, rel=0.001)


def test_a_press_outside_of_the_frame_does_nothing(filled):
    frame = filled.frame
    outside = frame._picture_rect().topLeft().toPoint() + QPoint(3, 60)
    drag(frame, outside, outside + QPoint(80, 0))
    assert filled.heard == []


def test_arrow_keys_move_and_shift_moves_further(qtbot, filled):
    frame = filled.frame
    qtbot.keyClick(frame, Qt.Key.Key_Left)
    assert filled.heard[-1].left == 192
    qtbot.keyClick(frame, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert filled.heard[-1].left == 112
    for _ in range(3):
        qtbot.keyClick(frame, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert filled.heard[-1].left == 0


def test_plus_and_minus_size_the_frame_about_its_centre(qtbot, filled):
    frame = filled.frame
    qtbot.keyClick(frame, Qt.Key.Key_Minus, Qt.KeyboardModifier.ShiftModifier)
    assert filled.heard[-1] == CropBox(left=240, top=40, right=960, bottom=760)
    qtbot.keyClick(frame, Qt.Key.Key_Plus)
    assert filled.heard[-1] == CropBox(left=236, top=36, right=964, bottom=764)


@pytest.mark.parametrize("by_keys", [False, True])
def test_a_double_click_or_home_takes_the_middle_again(qtbot, filled, by_keys):
    frame = filled.frame
    qtbot.keyClick(frame, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    if by_keys:
        qtbot.keyClick(frame, Qt.Key.Key_Home)
    else:
        qtbot.mouseDClick(frame, Qt.MouseButton.LeftButton, pos=middle(frame))
    assert filled.heard[-1] is None
    assert frame.crop == largest_crop(1200, 800, 1.0)


def test_outside_of_the_frame_the_picture_is_darker(filled):
    frame = filled.frame
    shot = frame.grab().toImage()
    inside = shot.pixelColor(middle(frame))
    left = frame._picture_rect().topLeft().toPoint() + QPoint(15, 60)
    assert shot.pixelColor(left).lightness() < inside.lightness() - 20
