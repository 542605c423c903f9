from __future__ import annotations

import pytest
from clip_folders import COLOURS, make_clip
from PySide6.QtCore import QPoint, Qt, QTranslator
from PySide6.QtGui import QContextMenuEvent, QImage, QUndoStack
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPushButton

from engine.api import Fps
from kvdesk.library import Library
from kvdesk.library_model import LibraryModel
from kvdesk.ui.clip_grid import ClipGrid
from kvdesk.ui.clip_menu import ClipAction
from kvdesk.ui.library_search import LibrarySearch, SearchField
from kvdesk.ui.library_view import LibraryView
from kvdesk.ui.theme import ThemeChoice, theme


def day(number):
    return f"2026-11-{number:02}T12:00:00+00:00"


@pytest.fixture
def clips(tmp_path):
    (tmp_path / "clips").mkdir()
    return tmp_path / "clips"


@pytest.fixture
def undo_stack(qapp):  # noqa: ARG001 - there has to be an application
    return QUndoStack()


@pytest.fixture
def library(tmp_path, clips, undo_stack):
    library = Library(clips, tmp_path / "index.sqlite", undo_stack)
    yield library
    library.close()


@pytest.fixture
def view(qtbot, themed, library):  # noqa: ARG001 - widgets read the theme
    view = LibraryView(LibraryModel(library, library), library)
    qtbot.addWidget(view)
    view.resize(312, 600)
    view.show()
    view.activateWindow()
    return view


@pytest.fixture
def three(qtbot, view, library, clips):
    """Three clips: "c" is the newest."""
    make_clip(clips, "a", created=day(1), num_frames=12, strip=True)
    make_clip(clips, "b", created=day(2), num_frames=45, strip=True)
    make_clip(clips, "c", created=day(3), num_frames=177, strip=True)
    opened(qtbot, library)
    QApplication.processEvents()
    return view


def opened(qtbot, library):
    with qtbot.waitSignal(library.loaded):
        library.open()


def grid_of(view):
    return view.findChild(ClipGrid)


def place_of(view, row):
    grid = grid_of(view)
    return grid.visualRect(grid.model().index(row)).center()


def click(qtbot, view, row, modifier=Qt.KeyboardModifier.NoModifier):
    viewport = grid_of(view).viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, modifier, place_of(view, row))


def shown(view, kind=QLabel):
    return [w.text() for w in view.findChildren(kind) if w.isVisibleTo(view) and w.text()]


def button(view, text):
    (found,) = (b for b in view.findChildren(QPushButton) if b.text() == text)
    return found


def entries(view):
    return [a.text().partition("\t")[0] for a in view.menu().actions() if not a.isSeparator()]


def search(qtbot, view, words):
    field = view.findChild(SearchField)
    field.clear()
    with qtbot.waitSignal(view.findChild(LibrarySearch).searched):
        qtbot.keyClicks(field, words)


def test_a_click_or_enter_chooses_a_clip(three, qtbot):
    with qtbot.waitSignal(three.clip_chosen) as chosen:
        click(qtbot, three, 1)
    assert chosen.args == ["b"]
    qtbot.keyClick(grid_of(three), Qt.Key.Key_Right)
    with qtbot.waitSignal(three.clip_chosen) as chosen:
        qtbot.keyClick(grid_of(three), Qt.Key.Key_Return)
    assert chosen.args == ["a"]


def test_arrow_keys_walk_over_the_grid(three, qtbot):
    grid = grid_of(three)
    grid.setFocus()
    grid.select(0)
    qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert grid.currentIndex().row() == 2
    qtbot.keyClick(grid, Qt.Key.Key_Up)
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    assert grid.currentIndex().row() == 1


def test_selecting_several_chooses_none(three, qtbot):
    click(qtbot, three, 0)
    with qtbot.assertNotEmitted(three.clip_chosen):
        click(qtbot, three, 2, Qt.KeyboardModifier.ControlModifier)
    assert three.selected_names() == ["c", "a"]


def test_delete_bins_what_is_selected_and_the_keys_go_on(three, qtbot, library, undo_stack):
    click(qtbot, three, 0)
    qtbot.keyClick(grid_of(three), Qt.Key.Key_Delete)
    assert library.record("c").is_binned
    assert three.selected_names() == ["b"]
    qtbot.keyClick(grid_of(three), Qt.Key.Key_Delete)
    qtbot.keyClick(grid_of(three), Qt.Key.Key_Delete)
    assert undo_stack.count() == 3
    undo_stack.setIndex(0)
    assert grid_of(three).model().rowCount() == 3


def test_s_gives_a_star_and_takes_it(three, qtbot, library):
    click(qtbot, three, 0)
    click(qtbot, three, 1, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(grid_of(three), Qt.Key.Key_S)
    assert library.record("b").starred
    assert library.record("c").starred
    qtbot.keyClick(grid_of(three), Qt.Key.Key_S)
    assert not library.record("b").starred


def test_a_clip_can_be_smoothed_to_more_than_it_has(three):
    grid = grid_of(three)
    smooth = ["Smooth to 8 frames a second", "Smooth to 32 frames a second"]
    for row, offered in ((2, smooth), (1, smooth[1:]), (0, [])):
        grid.select(row)
        assert [text for text in entries(three) if text.startswith("Smooth")] == offered


def test_the_menu_says_what_is_wanted(three, qtbot):
    grid_of(three).select(2)
    wanted = {
        "Show": (three.clip_chosen, ["a"]),
        "Use its settings": (three.restore_requested, ["a", None]),
        "Continue from its last frame": (three.continue_requested, ["a"]),
        "Smooth to 32 frames a second": (three.smooth_requested, ["a", Fps.HIGH]),
        "Compare with the one that is shown": (three.compare_requested, ["a"]),
        "Export …": (three.export_requested, ["a"]),
        "Show in folder": (three.show_folder_requested, ["a"]),
    }
    for text, (signal, arguments) in wanted.items():
        menu = three.menu()
        (action,) = (a for a in menu.actions() if a.text().partition("\t")[0] == text)
        with qtbot.waitSignal(signal) as emitted:
            action.trigger()
        assert emitted.args == arguments
        menu.deleteLater()


def test_several_clips_can_be_starred_deleted_and_two_be_compared(three, qtbot, library):
    grid_of(three).selectAll()
    assert entries(three) == ["Star", "Delete"]
    click(qtbot, three, 0, Qt.KeyboardModifier.ControlModifier)
    assert entries(three) == ["Compare the two", "Star", "Delete"]
    with qtbot.waitSignal(three.pair_compare_requested) as wanted:
        three.do(ClipAction.COMPARE_PAIR, three.selected_names())
    assert wanted.args == ["b", "a"]
    three.do(ClipAction.DELETE, three.selected_names())
    assert library.record("a").is_binned
    assert library.record("b").is_binned


def test_a_key_frame_can_be_animated_and_not_be_exported(view, library, clips, qtbot):
    make_clip(clips, "key", num_frames=0, has_key_frame=True)
    opened(qtbot, library)
    grid_of(view).select(0)
    texts = entries(view)
    assert "Animate" in texts
    assert not any(text.startswith(("Smooth", "Export", "Compare")) for text in texts)
    with qtbot.waitSignal(view.animate_requested):
        view.do(ClipAction.ANIMATE, ["key"])


def test_a_clip_of_a_newer_kvdesk_is_not_gone_on_with(view, library, clips, qtbot):
    make_clip(clips, "new", num_frames=12, format_version=5)
    make_clip(clips, "key", num_frames=0, has_key_frame=True, format_version=5)
    opened(qtbot, library)
    for row in (0, 1):
        grid_of(view).select(row)
        assert not any(text.startswith(("Smooth", "Animate")) for text in entries(view))


@pytest.mark.parametrize("reason", ["Keyboard", "Mouse"])
def test_the_menu_opens_by_key_and_by_mouse_and_escape_closes_it(three, qtbot, reason):
    viewport = grid_of(three).viewport()
    place = place_of(three, 1)
    qtbot.mouseClick(viewport, Qt.MouseButton.RightButton, pos=place)  # which selects it
    reason = QContextMenuEvent.Reason[reason]
    event = QContextMenuEvent(reason, place, viewport.mapToGlobal(place))
    QApplication.sendEvent(viewport, event)
    menu = QApplication.activePopupWidget()
    assert "Smooth to 32 frames a second" in [action.text() for action in menu.actions()]
    qtbot.keyClick(menu, Qt.Key.Key_Escape)
    assert QApplication.activePopupWidget() is None


def test_words_search_while_they_are_typed(three, qtbot):
    search(qtbot, three, "nothing")
    assert shown(three) == ["Library", "Nothing matches “nothing”."]
    qtbot.mouseClick(button(three, "Clear search"), Qt.MouseButton.LeftButton)
    assert grid_of(three).model().rowCount() == 3
    assert "3" in shown(three)


def search_sign_px(field):
    """How wide the sign at the left end is painted, in pixels."""
    field.setPlaceholderText("")
    field.clearFocus()  # no cursor
    picture = field.grab().toImage()
    ground = picture.pixel(picture.width() // 2, picture.height() // 2)
    columns = [
        x
        for x in range(4, picture.width() // 2)
        if any(picture.pixel(x, y) != ground for y in range(4, picture.height() - 4))
    ]
    return max(columns) - min(columns) + 1


def test_the_icons_of_the_search_grow_with_the_text(three, qtbot, themed):
    field = three.findChild(SearchField)
    small = search_sign_px(field)
    themed.use(ThemeChoice.LIGHT, text_percent=200)
    QApplication.processEvents()
    assert search_sign_px(field) == pytest.approx(2 * small, abs=2)
    search(qtbot, three, "red")
    clear = field.clear_button
    assert clear.isVisible()
    assert clear.iconSize().width() == 32
    assert field.rect().contains(clear.geometry())
    qtbot.mouseClick(clear, Qt.MouseButton.LeftButton)
    assert field.text() == ""
    assert not clear.isVisible()


def test_escape_clears_the_words_and_down_goes_to_the_clips(three, qtbot):
    search(qtbot, three, "red")
    field = three.findChild(SearchField)
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert grid_of(three).hasFocus()
    assert three.selected_names() == ["c"]
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == ""


def filter_entry(view, *path):
    (button,) = (b for b in view.findChildren(QAbstractButton) if "Filter" in b.accessibleName())
    menu = button.menu()
    menu.aboutToShow.emit()
    *menus, text = path
    for name in menus:
        (menu,) = (a.menu() for a in menu.actions() if a.text() == name)
    (entry,) = (a for a in menu.actions() if a.text() == text)
    return entry


def test_filters_are_named_and_can_be_taken_back(view, library, clips, qtbot):
    make_clip(clips, "a")
    make_clip(clips, "b", model="R&D")
    opened(qtbot, library)
    model = grid_of(view).model()
    filter_entry(view, "Model", "R&&D").trigger()
    assert model.summary(0).name == "b"
    filter_entry(view, "Size", "64 × 64").trigger()
    filter_entry(view, "With a star only").trigger()
    assert model.rowCount() == 0
    assert any(text.startswith("Only: R&D · 64 × 64 · with a star") for text in shown(view))
    (reset,) = (
        b for b in view.findChildren(QAbstractButton) if b.accessibleName() == "Show all again"
    )
    qtbot.mouseClick(reset, Qt.MouseButton.LeftButton)
    assert model.rowCount() == 2
    assert filter_entry(view, "Model", "All").isChecked()


def test_an_empty_library_offers_the_first_clip_once_it_is_known_to_be_empty(view, library, qtbot):
    assert shown(view) == ["Library"]
    opened(qtbot, library)
    assert shown(view) == ["Library", "Your clips will be kept here."]
    with qtbot.waitSignal(view.first_clip_wanted):
        qtbot.mouseClick(button(view, "Make the first one"), Qt.MouseButton.LeftButton)


def test_the_bin_is_emptied_after_a_question_and_clips_can_be_put_back(
    three, qtbot, library, clips
):
    library.bin(["a", "b"])
    filter_entry(three, "Show the bin").trigger()
    qtbot.waitUntil(lambda: any("kB" in text for text in shown(three, QPushButton)))
    grid_of(three).select(0)
    assert entries(three) == ["Show", "Put back"]
    qtbot.keyClick(grid_of(three), Qt.Key.Key_Delete)  # which does nothing here
    three.do(ClipAction.PUT_BACK, ["b"])
    assert not library.record("b").is_binned
    qtbot.waitUntil(lambda: any("kB" in text for text in shown(three, QPushButton)))
    (empty,) = (b for b in three.findChildren(QPushButton) if b.text().startswith("Empty the bin"))
    qtbot.mouseClick(empty, Qt.MouseButton.LeftButton)
    assert any("for good" in text for text in shown(three))
    qtbot.mouseClick(button(three, "Keep"), Qt.MouseButton.LeftButton)
    assert (clips / ".bin" / "a").exists()
    qtbot.mouseClick(empty, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(button(three, "Delete for good"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: list((clips / ".bin").iterdir()) == [])
    assert "The bin is empty." in shown(three)
    qtbot.mouseClick(button(three, "Back to the library"), Qt.MouseButton.LeftButton)
    assert grid_of(three).model().rowCount() == 2


def colour_of(view, row):
    """The colour in the middle of a tile, as it is painted."""
    image = grid_of(view).viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return image.pixelColor(place_of(view, row)).getRgb()[:3]


def is_frame(colour, number):
    return max(abs(a - b) for a, b in zip(colour, COLOURS[number], strict=True)) < 9


def test_a_clip_under_the_pointer_plays_until_the_pointer_leaves(three, qtbot):
    qtbot.waitUntil(lambda: is_frame(colour_of(three, 1), 0))
    grid = grid_of(three)
    qtbot.mouseMove(grid.viewport(), place_of(three, 1))
    seen = set()

    def has_played():
        colour = colour_of(three, 1)
        seen.update(i for i in range(12) if is_frame(colour, i))
        assert is_frame(colour_of(three, 2), 0)
        return {0, 1, 2, 3} <= seen

    qtbot.waitUntil(has_played)
    qtbot.mouseMove(grid.viewport(), QPoint(grid.viewport().width() - 1, 590))
    qtbot.waitUntil(lambda: is_frame(colour_of(three, 1), 0))
    qtbot.wait(400)
    assert is_frame(colour_of(three, 1), 0)


def test_with_less_motion_nothing_plays(three, qtbot):
    three.set_reduce_motion(True)
    qtbot.waitUntil(lambda: is_frame(colour_of(three, 1), 0))
    qtbot.mouseMove(grid_of(three).viewport(), place_of(three, 1))
    qtbot.wait(500)
    assert is_frame(colour_of(three, 1), 0)


def columns(view):
    grid = grid_of(view)
    QApplication.processEvents()
    rects = [grid.visualRect(grid.model().index(row)) for row in range(grid.model().rowCount())]
    return len({rect.left() for rect in rects if rect.top() == rects[0].top()})


def test_there_are_as_many_columns_as_fit(three):
    assert columns(three) == 2
    three.resize(500, 600)
    assert columns(three) == 3
    theme().use("dark", text_percent=200)
    three.resize(312, 600)
    assert columns(three) == 1


def test_every_button_has_a_name_and_every_field(three):
    for each in three.findChildren(QAbstractButton):
        assert each.text() or each.accessibleName(), each
        assert each.text() or each.toolTip(), each
    assert three.findChild(SearchField).accessibleName()
    assert grid_of(three).accessibleName()


class Marking(QTranslator):
    """A language in which everything is English with an arrow before it."""

    def isEmpty(self):  # noqa: N802
        return False

    def translate(self, _context, text, _about=None, _number=-1):
        return f"→ {text}"


def test_the_words_follow_the_language(three, qapp, qtbot):
    translator = Marking()
    qapp.installTranslator(translator)
    try:
        qtbot.waitUntil(lambda: "→ Library" in shown(three))
        search(qtbot, three, "nothing")
        assert "→ Nothing matches “nothing”." in shown(three)
        assert filter_entry(three, "→ With a star only").isCheckable()
    finally:
        qapp.removeTranslator(translator)
    qtbot.waitUntil(lambda: "Clear search" in shown(three, QPushButton))
