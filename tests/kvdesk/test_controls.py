"""The small controls: what they show, what they emit, and that nothing else changes them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QPushButton, QWidget

from kvdesk.ui.controls import (
    ChoiceMenu,
    ElidedButton,
    EvenRows,
    Expander,
    FlowRows,
    GrowingText,
    IconButton,
    LabelledField,
    NumberField,
    PopupList,
    Segments,
)
from kvdesk.ui.style_sheet import style_sheet
from kvdesk.ui.theme import ThemeChoice, theme
from kvdesk.ui.tokens import DARK, LIGHT

pytestmark = pytest.mark.usefixtures("themed")

OPTIONS = [("a", "low"), ("b", "medium"), ("c", "high")]


@pytest.fixture
def segments(qtbot):
    made = Segments(OPTIONS)
    qtbot.addWidget(made)
    made.set_value("b")
    made.show()
    return made


def heard_from(signal):
    heard = []
    signal.connect(heard.append)
    return heard


def turn_wheel_over(widget):
    centre = QPointF(widget.rect().center())
    event = QWheelEvent(
        centre,
        widget.mapToGlobal(centre),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


# Segments


def test_a_click_on_a_segment_chooses_it_once(qtbot, segments):
    heard = heard_from(segments.value_changed)
    for _ in range(2):
        qtbot.mouseClick(segments.button(2), Qt.MouseButton.LeftButton)
    assert heard == ["c"]
    assert segments.value == "c"


def test_segments_that_are_set_say_nothing(segments):
    heard = heard_from(segments.value_changed)
    segments.set_value("a")
    segments.set_options([("a", "niedrig"), ("b", "mittel"), ("c", "hoch")])
    assert heard == []
    assert segments.value == "a"
    assert segments.button(0).text() == "niedrig"


def test_an_unknown_value_leaves_no_segment_chosen(segments):
    segments.set_value(None)
    assert segments.value is None
    assert not any(segments.button(index).isChecked() for index in range(3))


def test_arrow_keys_choose_a_segment(qtbot, segments):
    heard = heard_from(segments.value_changed)
    qtbot.waitUntil(segments.isActiveWindow)
    segments.button(1).setFocus()
    qtbot.keyClick(segments.button(1), Qt.Key.Key_Right)
    assert heard == ["c"]
    assert segments.button(2).hasFocus()


def test_tab_reaches_only_the_chosen_segment(segments):
    reached = [
        index
        for index in range(3)
        if segments.button(index).focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert reached == [1]


def test_fewer_options_take_buttons_away(segments):
    segments.set_options(OPTIONS[:2])
    assert segments.value == "b"
    shown = [button for button in segments.findChildren(QPushButton) if button.isVisible()]
    assert len(shown) == 2


def test_segments_go_on_in_a_second_row_where_they_do_not_fit(qtbot, segments):
    low = segments.heightForWidth(600)
    assert segments.heightForWidth(segments.minimumSizeHint().width()) > 2 * low - 10
    segments.setFixedSize(150, segments.heightForWidth(150))
    qtbot.waitUntil(lambda: segments.button(2).y() > segments.button(0).y())
    for index in range(3):
        button = segments.button(index)
        assert button.width() >= button.fontMetrics().horizontalAdvance(button.text())


# Rows


def test_even_rows_fill_the_width_to_the_pixel(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    rows = EvenRows(widget, gap=2)
    buttons = [QPushButton("x") for _ in range(3)]
    for button in buttons:
        rows.addWidget(button)
    widget.resize(401, 60)
    widget.show()
    assert buttons[0].x() == 0
    assert buttons[2].geometry().right() == 400
    assert {button.y() for button in buttons} == {0}


def test_flow_rows_put_the_last_item_at_the_end_or_below(qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    rows = FlowRows(widget, gap=4, ends_apart=True)
    first, last = QLabel("first words"), QLabel("last words")
    rows.addWidget(first)
    rows.addWidget(last)
    widget.resize(500, 60)
    widget.show()
    assert last.geometry().right() == 499
    assert last.y() == first.y()
    widget.resize(first.sizeHint().width() + 5, 60)
    assert last.y() > first.y()


# LabelledField


def test_a_field_names_its_control_and_shows_remarks_only_when_there_are_some(qtbot):
    control = QPushButton()
    field = LabelledField("Size", control, "Width and height.")
    qtbot.addWidget(field)
    field.show()
    assert control.accessibleName() == "Size"
    assert control.accessibleDescription() == control.toolTip() == "Width and height."
    low = field.sizeHint().height()
    field.set_caution("Unlike the training.")
    field.set_problem("Too large.")
    assert (field.caution, field.problem) == ("Unlike the training.", "Too large.")
    assert field.sizeHint().height() > low
    field.set_caution("")
    field.set_problem("")
    assert field.sizeHint().height() == low


def test_the_title_of_a_field_leads_to_its_control(qtbot):
    control = QPushButton()
    field = LabelledField("Size", control)
    qtbot.addWidget(field)
    titles = [label for label in field.findChildren(QLabel) if label.buddy() is control]
    assert [title.text() for title in titles] == ["Size"]


# NumberField


@pytest.fixture
def number(qtbot):
    made = NumberField(-100, 100, step=0.5, decimals=2, usual=(0, 20))
    qtbot.addWidget(made)
    made.set_value(5)
    made.show()
    return made


def test_a_number_that_is_set_says_nothing(number):
    heard = heard_from(number.value_changed)
    number.set_value(7.25)
    assert heard == []
    assert number.value == 7.25


def test_typing_and_sliding_change_the_number(qtbot, number):
    heard = heard_from(number.value_changed)
    number._box.setFocus()
    number._box.selectAll()
    qtbot.keyClicks(number._box, "12.5")
    assert heard == []  # half typed
    qtbot.keyClick(number._box, Qt.Key.Key_Return)
    assert heard == [12.5]
    qtbot.keyClick(number._slider, Qt.Key.Key_Right)
    assert heard == [12.5, 13.0]


def test_a_number_beyond_the_slider_is_kept(number):
    number.set_value(50)
    assert number.value == 50
    assert number._slider.value() == number._slider.maximum()


def test_the_wheel_changes_no_number(number):
    heard = heard_from(number.value_changed)
    for part in (number._box, number._slider):
        part.setFocus()
        turn_wheel_over(part)
    assert heard == []
    assert number.value == 5


def test_a_number_is_shown_without_zeros_at_its_end(number):
    assert number._box.text() == "5"
    number.set_value(0.25)
    assert number._box.text() == "0.25"


def test_both_parts_of_a_number_have_its_name(number):
    number.setAccessibleName("Steps")
    number.setAccessibleDescription("More take longer.")
    for part in (number._box, number._slider):
        assert part.accessibleName() == "Steps"
        assert part.accessibleDescription() == "More take longer."


# Expander


def test_an_expander_opens_by_mouse_and_keys(qtbot):
    expander = Expander("More", QLabel("content"))
    qtbot.addWidget(expander)
    expander.show()
    heard = heard_from(expander.open_changed)
    assert not expander.content.isVisible()
    qtbot.mouseClick(expander.header, Qt.MouseButton.LeftButton)
    assert expander.content.isVisible()
    qtbot.keyClick(expander.header, Qt.Key.Key_Space)
    assert not expander.content.isVisible()
    assert heard == [True, False]


# PopupList


@pytest.fixture
def popup(qtbot):
    texts = ["a red circle", "a blue square", "two\nlines"]

    def search(words):
        return [text for text in texts if words in text]

    owner = QPushButton("owner")
    qtbot.addWidget(owner)
    owner.show()
    made = PopupList(search, owner)
    made.removal_wanted.connect(texts.remove)
    made.removal_wanted.connect(made.refresh)
    made.open_below(owner)
    yield made
    owner.close()


def test_typing_narrows_the_popup_and_enter_takes_the_line(qtbot, popup):
    heard = heard_from(popup.chosen)
    qtbot.keyClicks(popup._words, "blue")
    qtbot.keyClick(popup._words, Qt.Key.Key_Return)
    assert heard == ["a blue square"]
    assert not popup.isVisible()


def test_the_popup_is_walked_from_the_field_of_words(qtbot, popup):
    heard = heard_from(popup.chosen)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(popup._words, key)
    assert heard == ["two\nlines"]
    assert popup._texts.index(2, 0).data() == "two lines"


def test_delete_forgets_a_line_and_not_a_letter(qtbot, popup):
    heard = heard_from(popup.removal_wanted)
    qtbot.keyClicks(popup._words, "a")
    popup._words.setCursorPosition(0)
    qtbot.keyClick(popup._words, Qt.Key.Key_Delete)
    assert heard == []
    qtbot.keyClick(popup._words, Qt.Key.Key_Delete)
    assert heard == ["a red circle"]
    assert popup._texts.stringList() == ["a blue square", "two\nlines"]


def test_escape_closes_the_popup(qtbot, popup):
    qtbot.keyClick(popup._words, Qt.Key.Key_Escape)
    assert not popup.isVisible()


# ChoiceMenu


def test_a_choice_menu_emits_the_name_of_what_is_clicked(qtbot):
    owner = QPushButton("owner")
    qtbot.addWidget(owner)
    owner.show()
    menu = ChoiceMenu(("one", "two"), owner)
    menu.set_entry("one", "First", "What the first does.")
    menu.set_entry("two", "Second", "What the second does.")
    heard = heard_from(menu.chosen)
    menu.open_above(owner)
    assert menu.button("two").accessibleName() == "Second"
    qtbot.keyClick(menu.button("one"), Qt.Key.Key_Down)
    qtbot.keyClick(menu.button("two"), Qt.Key.Key_Space)
    assert heard == ["two"]
    assert not menu.isVisible()


@pytest.mark.parametrize("percent", [100, 200])
def test_a_choice_menu_lies_over_its_owner_and_is_as_high_as_its_lines(qtbot, themed, percent):
    themed.use(ThemeChoice.DARK, text_percent=percent)
    owner = QPushButton("owner")
    qtbot.addWidget(owner)
    owner.move(300, 700)
    owner.show()
    menu = ChoiceMenu(("one", "two"), owner)
    menu.set_entry("one", "First", "What the first does.")
    menu.set_entry(
        "two", "Second", "What the second does, in so many words that it takes two lines."
    )
    for _ in range(2):
        menu.open_above(owner)
        QApplication.processEvents()
        assert menu.geometry().bottom() < owner.mapToGlobal(owner.rect().topLeft()).y()
        for name in ("one", "two"):
            button = menu.button(name)
            assert button.height() == button.heightForWidth(button.width())
        menu.hide()


def test_a_choice_menu_has_round_corners(qtbot):
    owner = QPushButton("owner")
    qtbot.addWidget(owner)
    menu = ChoiceMenu(("one",), owner)
    menu.set_entry("one", "First", "What the first does.")
    menu.open_above(owner)
    picture = menu.grab().toImage()
    assert picture.pixelColor(0, 0).alpha() == 0
    assert picture.pixelColor(picture.width() // 2, 2) == theme().color("panel")


# GrowingText


@pytest.fixture
def editor(qtbot):
    made = GrowingText(min_lines=2, max_lines=4, max_characters=50)
    qtbot.addWidget(made)
    made.resize(300, 100)
    made.show()
    made.setFocus()
    return made


def test_a_text_grows_with_its_lines_and_no_further_than_its_limit(editor):
    heights = []
    for num_lines in (1, 2, 3, 4, 9):
        editor.show_text("\n".join("x" * num_lines))
        heights.append(editor.height())
    assert heights[0] == heights[1] < heights[2] < heights[3] == heights[4]


def test_a_text_that_is_shown_leaves_the_cursor_at_its_place(editor):
    heard = heard_from(editor.text_edited)
    editor.show_text("a red circle 🙂 moves")
    cursor = editor.textCursor()
    cursor.setPosition(2)
    editor.setTextCursor(cursor)
    editor.show_text("a red circle 🙂 stands still")
    assert editor.textCursor().position() == 2
    assert editor.toPlainText() == "a red circle 🙂 stands still"
    assert heard == []


def test_typing_emits_the_text_and_stops_at_the_limit(qtbot, editor):
    heard = heard_from(editor.text_edited)
    qtbot.keyClicks(editor, "ab")
    assert heard == ["a", "ab"]
    editor.insertPlainText("c" * 100)
    assert len(editor.text) == 50
    assert editor.toPlainText() == editor.text == heard[-1]


def test_keys_of_the_window_reach_the_window(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    editor = GrowingText(min_lines=2, max_lines=4, max_characters=50)
    window.setCentralWidget(editor)
    heard = []
    for keys in ("Ctrl+Return", "Ctrl+Z", "Ctrl+Shift+Z"):
        action = QAction(keys, window)
        action.setShortcut(keys)
        action.triggered.connect(lambda _=False, keys=keys: heard.append(keys))
        window.addAction(action)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    editor.setFocus()
    qtbot.keyClicks(editor, "x")
    control = Qt.KeyboardModifier.ControlModifier
    qtbot.keyClick(editor, Qt.Key.Key_Return, control)
    qtbot.keyClick(editor, Qt.Key.Key_Z, control)
    qtbot.keyClick(editor, Qt.Key.Key_Z, control | Qt.KeyboardModifier.ShiftModifier)
    assert heard == ["Ctrl+Return", "Ctrl+Z", "Ctrl+Shift+Z"]
    assert editor.text == "x"


def test_tab_moves_on(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    rows = FlowRows(window, gap=4)
    editor = GrowingText(min_lines=2, max_lines=4, max_characters=50)
    after = QPushButton("after")
    rows.addWidget(editor)
    rows.addWidget(after)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    editor.setFocus()
    qtbot.keyClick(editor, Qt.Key.Key_Tab)
    assert editor.text == ""
    assert after.hasFocus()


def test_pasted_pictures_and_files_are_handed_on_and_text_is_inserted(editor):
    heard = heard_from(editor.mime_pasted)
    picture, file, words = QMimeData(), QMimeData(), QMimeData()
    picture.setImageData(QImage(2, 2, QImage.Format.Format_RGB32))
    file.setUrls([QUrl.fromLocalFile("/somewhere/a.png")])
    words.setText("words")
    for mime in (picture, file, words):
        assert editor.canInsertFromMimeData(mime)
        editor.insertFromMimeData(mime)
    assert heard == [picture, file]
    assert editor.text == "words"


# Others


def test_an_elided_button_has_its_whole_text_in_the_tooltip(qtbot):
    button = ElidedButton("a long text that has no room here")
    qtbot.addWidget(button)
    button.show()
    button.resize(button.sizeHint())
    assert button.text() == button.whole_text
    button.resize(90, button.height())
    assert button.text().endswith("…")
    assert button.toolTip() == button.accessibleName() == button.whole_text


def test_an_icon_button_has_a_name_and_follows_the_theme(qtbot):
    button = IconButton("dice")
    qtbot.addWidget(button)
    button.set_words("Roll", shortcut="R")
    assert (button.accessibleName(), button.toolTip()) == ("Roll", "Roll (R)")
    before = button.icon().cacheKey()
    theme().use(ThemeChoice.LIGHT, text_percent=200)
    assert button.icon().cacheKey() != before
    assert button.iconSize().width() == 32


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_every_picture_of_the_style_sheet_is_there(tokens):
    found = re.findall(r'url\("([^"]+)"\)', style_sheet(tokens, round))
    assert found
    assert all(Path(path).is_file() for path in found)
