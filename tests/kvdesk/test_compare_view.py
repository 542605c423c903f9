from random import Random

import pytest
from busy_watch import BusyWatch
from drawn_clips import drawn_clip, red_of
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication

from kvdesk.blind_vote import Choice
from kvdesk.clip_differences import Difference
from kvdesk.ui.compare_canvas import CompareMode
from kvdesk.ui.compare_view import CompareView
from kvdesk.ui.differences_table import DifferencesTable
from kvdesk.ui.theme import ThemeChoice

pytestmark = pytest.mark.usefixtures("themed")

DIFFERENCES = [
    Difference(field="seed", mine="12", theirs="13"),
    Difference(field="motion", mine="low", theirs="high"),
]
SHUFFLED = 1  # a seed whose first draw swaps the clips
UNSHUFFLED = 0  # and one whose does not


@pytest.fixture
def clips(tmp_path):
    return (
        drawn_clip(tmp_path, 12, fps=2.0, name="a", side=64),
        drawn_clip(tmp_path, 45, fps=8.0, name="b", side=64),
    )


def make_view(qtbot, clips, *, random=None, differences=DIFFERENCES):
    view = CompareView(random=random)
    qtbot.addWidget(view)
    view.resize(728, 800)
    view.set_reduced_motion(True)
    view.show_clips(*clips, differences)
    view.show()
    qtbot.waitExposed(view)
    qtbot.waitUntil(lambda: all(view.player.can_show(tick) for tick in range(45)))
    return view


@pytest.fixture
def view(qtbot, clips):
    return make_view(qtbot, clips, random=Random(SHUFFLED))


def click(qtbot, widget):
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def reds_at(view, *places):
    """The red of the canvas at places from 0 to 1 of its width, at half its height."""
    picture = view.canvas.grab().toImage()
    return [
        picture.pixelColor(round(part * picture.width()), round(picture.height() * 0.6)).red()
        for part in places
    ]


def test_both_clips_are_locked_by_time_and_the_caption_says_so(view):
    view.player.seek(22)
    assert (red_of(view.player.image(0)), red_of(view.player.image(1))) == (6, 22)
    assert "A: 12 frame(s) at 2 a second" in view.caption
    assert "B: 45 frame(s) at 8 a second" in view.caption
    assert "nearest" in view.caption


def test_the_transport_drives_both(qtbot, view):
    click(qtbot, view.transport.play_button)
    assert view.player.is_playing
    click(qtbot, view.transport.step_on_button)
    assert view.player.index == 1
    assert view.transport.counter.text() == "2 / 45"
    assert not view.transport.export_button.isVisible()


def test_side_by_side_shows_both_whole(view):
    view.player.seek(44)
    assert reds_at(view, 0.25, 0.75) == [11, 44]


def test_the_wipe_shows_either_side_of_the_divider(view):
    view.player.seek(44)
    view.modes.button(1).click()
    assert view.canvas.mode is CompareMode.WIPE
    assert reds_at(view, 0.4, 0.6) == [11, 44]
    view.canvas.set_divider(0.9)
    assert reds_at(view, 0.4, 0.6) == [11, 11]


def test_the_divider_is_dragged_and_moved_by_arrow_keys(qtbot, view):
    view.canvas.set_mode(CompareMode.WIPE)
    middle = view.canvas.height() // 2
    start = QPoint(round(view.canvas.divider_x()), middle)
    qtbot.mousePress(view.canvas, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view.canvas, start + QPoint(100, 0))
    qtbot.mouseRelease(view.canvas, Qt.MouseButton.LeftButton, pos=start + QPoint(100, 0))
    assert view.canvas.divider_x() == pytest.approx(start.x() + 100, abs=2)
    before = view.canvas.divider
    qtbot.keyClick(view.canvas, Qt.Key.Key_Right)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Right)
    qtbot.keyClick(view.canvas, Qt.Key.Key_Left)
    assert view.canvas.divider == pytest.approx(before + 0.02)
    assert view.player.index == 0
    for _ in range(60):
        qtbot.keyClick(view.canvas, Qt.Key.Key_Right)
    assert view.canvas.divider == 1.0
    assert "100 %" in view.canvas.accessibleDescription()


def test_arrow_keys_step_where_there_is_no_divider(qtbot, view):
    qtbot.keyClick(view.canvas, Qt.Key.Key_Right)
    assert view.player.index == 1


def test_b_shows_one_in_the_place_of_the_other(qtbot, view):
    view.player.seek(44)
    qtbot.keyClick(view.canvas, Qt.Key.Key_B)
    assert view.modes.value is CompareMode.BLINK
    assert reds_at(view, 0.5) == [11]
    qtbot.keyClick(view.canvas, Qt.Key.Key_B)
    assert reds_at(view, 0.5) == [44]
    qtbot.keyClick(view.canvas, Qt.Key.Key_B)
    assert reds_at(view, 0.5) == [11]


def test_sides_can_be_swapped(qtbot, view):
    view.player.seek(44)
    click(qtbot, view.swap_button)
    assert reds_at(view, 0.25, 0.75) == [44, 11]


def test_only_what_differs_is_listed(view):
    table = view.table
    rows = [[table.item(row, column).text() for column in range(3)] for row in range(2)]
    assert rows == [["Seed", "12", "13"], ["Motion", "low", "high"]]
    assert table.isVisible()


@pytest.mark.parametrize("percent", [100, 200])
def test_a_long_setting_is_read_to_its_end(qtbot, themed, percent):
    themed.use(ThemeChoice.DARK, text_percent=percent)
    words = "a yellow circle moving to the left on a dark blue background"
    table = DifferencesTable()
    qtbot.addWidget(table)
    table.show_differences([Difference(field="prompt", mine=words, theirs="none")])
    for width in range(500, 800, 20):
        table.resize(width, 300)
        table.show()
        QApplication.processEvents()
        inner = table.columnWidth(1) - 2 * themed.px(8)
        room = QRect(0, 0, inner, 10_000)
        lines = table.fontMetrics().boundingRect(room, Qt.TextFlag.TextWordWrap, words)
        assert table.rowHeight(0) >= lines.height()


def test_the_same_settings_are_said(qtbot, clips):
    view = make_view(qtbot, clips, differences=[])
    assert not view.table.isVisible()
    assert view._same.isVisible()


def test_a_blind_vote_hides_names_and_settings_and_tells_afterwards(qtbot, view):
    view.player.seek(44)
    click(qtbot, view.vote_button)
    assert view.is_blind
    assert view.canvas.is_swapped
    assert not view.table.isVisible()
    assert view.caption == ""
    words = " ".join(view.canvas._labels)
    assert "title of" not in words
    assert not view.swap_button.isEnabled()
    with qtbot.waitSignal(view.voted) as voted:
        click(qtbot, view.choice_buttons[Choice.FIRST])
    assert voted.args == ["b"]
    assert not view.is_blind
    assert view.result.startswith("You chose B: title of b.")
    assert "The first was B: title of b, the second was A: title of a." in view.result
    assert view.table.isVisible()
    assert view.canvas._labels == ("B: title of b", "A: title of a")


def test_the_clips_need_not_be_swapped(qtbot, clips):
    view = make_view(qtbot, clips, random=Random(UNSHUFFLED))
    click(qtbot, view.vote_button)
    assert not view.canvas.is_swapped
    with qtbot.waitSignal(view.voted) as voted:
        click(qtbot, view.choice_buttons[Choice.FIRST])
    assert voted.args == ["a"]


def test_no_difference_is_an_answer(qtbot, view):
    click(qtbot, view.vote_button)
    with qtbot.waitSignal(view.voted) as voted:
        click(qtbot, view.choice_buttons[Choice.NO_DIFFERENCE])
    assert voted.args == [""]
    assert view.result.startswith("You saw no difference.")


def test_a_frame_that_cannot_be_read_is_said(qtbot, clips):
    clips[1].frames[0].write_text("broken")
    view = make_view(qtbot, clips)
    assert view.player.has_failed(1)
    assert not view.canvas.grab().isNull()
    view.player.seek(4)
    assert not view.player.has_failed(1)


def test_going_back_gives_the_memory_back(qtbot, view):
    with qtbot.waitSignal(view.closed):
        click(qtbot, view.back_button)
    view.hide()
    assert view.player.clips is None
    assert view.player.image(0) is None


def test_every_button_has_a_name_and_can_be_reached(view):
    for button in view.findChildren(QAbstractButton):
        if button.isVisible():
            assert button.accessibleName() or button.text()
            assert button.focusPolicy() != Qt.FocusPolicy.NoFocus


def test_large_text_scrolls_and_nothing_is_squeezed(qtbot, view, themed):
    themed.use(ThemeChoice.LIGHT, text_percent=200)
    view.resize(560, 600)
    view.vote_button.click()
    qtbot.wait(30)
    content = view.widget()
    assert content.width() <= view.viewport().width()
    for button in view.findChildren(QAbstractButton):
        if button.isVisible():
            place = button.rect().translated(button.mapTo(content, QPoint(0, 0)))
            assert content.rect().contains(place), button.text()
            assert button.width() >= button.minimumSizeHint().width(), button.text()
            assert button.height() >= button.minimumSizeHint().height(), button.text()


def test_opening_two_clips_does_not_hold_the_event_loop_up(qtbot, tmp_path):
    large = [drawn_clip(tmp_path, 15, name=name, side=512) for name in ("c", "d")]
    view = CompareView()
    qtbot.addWidget(view)
    view.resize(728, 800)
    view.show()
    QApplication.processEvents()
    with BusyWatch() as watch:
        view.show_clips(*large, [])
        qtbot.waitUntil(lambda: all(view.player.can_show(tick) for tick in range(15)))
    assert watch.worked_ms < 50, str(watch)
