from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt, QTranslator
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QScrollArea

from kvdesk.translations import compile_translation
from kvdesk.ui.help_page import HelpPage
from kvdesk.ui.help_parts import PICTURES_FOLDER, Strip
from kvdesk.ui.help_texts import troubles
from kvdesk.ui.shortcuts import Command, clip_keys, list_keys, shortcuts
from kvdesk.ui.theme import ThemeChoice


@pytest.fixture
def page(qtbot, themed):  # noqa: ARG001 - widgets read the theme
    page = HelpPage()
    qtbot.addWidget(page)
    page.resize(640, 500)
    page.show()
    qtbot.waitUntil(lambda: page.is_complete)
    return page


def labels(page):
    QApplication.processEvents()
    return [label for label in page.findChildren(QLabel) if label.isVisible()]


def texts(page):
    return [label.text() for label in labels(page)]


def test_every_key_is_listed_beside_what_it_does(page):
    rows = [(each.shown_keys, each.text) for each in shortcuts()] + clip_keys() + list_keys()
    shown = labels(page)
    for keys, text in rows:
        caps = [label for label in shown if label.text() == keys]
        words = [label for label in shown if label.text() == text]
        assert any(
            abs(_middle(cap) - _middle(word)) <= 2 and cap.x() < word.x()
            for cap in caps
            for word in words
        ), f"{keys}: {text}"


def _middle(label):
    return label.mapToGlobal(QPoint(0, label.height() // 2)).y()


def test_no_two_commands_have_the_same_keys_and_none_is_without():
    table = shortcuts()
    assert {each.command for each in table} == set(Command)
    sequences = [each.sequence.toString() for each in table]
    assert all(sequences)
    assert len(set(sequences)) == len(table)


def test_keys_are_written_as_the_system_writes_them():
    for each in shortcuts():
        assert each.sequence == QKeySequence(each.keys)
        assert each.shown_keys == each.sequence.toString(QKeySequence.SequenceFormat.NativeText)


def test_the_text_says_what_the_demo_can_draw_and_that_nothing_leaves_the_computer(page):
    words = " ".join(texts(page))
    assert "circles, squares and triangles" in words
    assert "Nothing that you type or make leaves this computer." in words


def test_nothing_is_made_before_the_page_is_shown(qtbot, themed):  # noqa: ARG001 - as above
    page = HelpPage()
    qtbot.addWidget(page)
    assert len(page.findChildren(QLabel)) == 1  # its title
    page.show()
    assert not page.is_complete
    assert page.findChildren(Strip) == []
    qtbot.waitUntil(lambda: page.is_complete)


def test_every_picture_is_there_once_and_says_what_is_to_be_seen(page):
    strips = page.findChildren(Strip)
    assert all(strip.has_picture and strip.accessibleName() for strip in strips)
    files = sorted(PICTURES_FOLDER.glob("*.png"))
    assert len(strips) == len(files) > 10
    assert sum(file.stat().st_size for file in files) < 300_000


def test_a_picture_shrinks_where_there_is_no_room_for_it(qtbot, page):
    strip = page.findChildren(Strip)[0]
    own = strip.sizeHint()
    page.resize(300, 500)
    qtbot.waitUntil(lambda: strip.width() < own.width())
    assert strip.heightForWidth(strip.width()) < own.height()
    assert strip.mapTo(page, strip.rect().topRight()).x() <= page.width()


def test_the_table_of_contents_leads_to_each_section(qtbot, page):
    bar = page.findChild(QScrollArea).verticalScrollBar()
    titles = [label for label in labels(page) if label.property("role") == "title"][1:]
    links = [link for link in page.findChildren(QPushButton) if link.property("kind") == "link"]
    assert [link.text() for link in links] == [title.text() for title in titles]
    seen = set()
    for link, title in zip(links, titles, strict=True):
        qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
        top = title.mapTo(page, QPoint(0, 0)).y()
        assert 0 < top < page.height()
        seen.add(bar.value())
    assert len(seen) >= len(links) - 2  # the last ones have no room below them


def test_every_failure_that_a_person_can_meet_has_a_way_out(page):
    shown = texts(page)
    for what, way in troubles():
        assert what in shown
        assert way in shown


@pytest.mark.parametrize("percent", [100, 200])
def test_every_line_has_the_room_it_needs_at_any_size_of_text(qtbot, page, themed, percent):
    def has_room(label):
        right = label.mapTo(page, QPoint(label.width(), 0)).x()
        needed = max(label.heightForWidth(label.width()), label.fontMetrics().height())
        return right <= page.width() and label.height() >= needed

    themed.use(ThemeChoice.DARK, text_percent=percent)
    page.resize(900, 700)
    # New widgets are laid out in several turns of the event loop.
    qtbot.waitUntil(lambda: page.is_complete and all(map(has_room, labels(page))))


def test_the_keyboard_scrolls_the_page(qtbot, page):
    page.focus()
    back = QApplication.focusWidget()
    assert isinstance(back, QPushButton)
    bar = page.findChild(QScrollArea).verticalScrollBar()
    assert bar.maximum() > 0
    qtbot.keyClick(back, Qt.Key.Key_PageDown)
    one_page = bar.value()
    assert one_page > 100
    qtbot.keyClick(back, Qt.Key.Key_Up)
    assert 0 < bar.value() < one_page
    qtbot.keyClick(back, Qt.Key.Key_Down)
    assert bar.value() == one_page
    qtbot.keyClick(back, Qt.Key.Key_End)
    assert bar.value() == bar.maximum()
    qtbot.keyClick(back, Qt.Key.Key_Home)
    assert bar.value() == 0


def test_a_page_that_is_shown_again_begins_at_its_top(page):
    bar = page.findChild(QScrollArea).verticalScrollBar()
    bar.setValue(bar.maximum())
    page.focus()
    assert bar.value() == 0


def test_the_text_is_no_wider_than_can_be_read(page):
    page.resize(1600, 600)
    assert max(label.width() for label in labels(page)) <= 640


GERMAN = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context><name>HelpPage</name>
<message><source>How a clip is made</source><translation>Wie ein Clip entsteht</translation>
</message></context>
<context><name>Shortcuts</name>
<message><source>Search the library</source><translation>Suchen</translation></message>
</context></TS>
"""


def test_all_of_it_follows_the_language(qtbot, page, tmp_path):
    source = tmp_path / "german.ts"
    source.write_text(GERMAN, encoding="utf-8")
    compile_translation(source, tmp_path / "german.qm")
    translator = QTranslator()
    assert translator.load(str(tmp_path / "german.qm"))
    count = len(texts(page))
    QCoreApplication.installTranslator(translator)
    try:
        qtbot.waitUntil(lambda: {"Wie ein Clip entsteht", "Suchen"} <= set(texts(page)))
        qtbot.waitUntil(lambda: len(texts(page)) == count)
        assert "How a clip is made" not in texts(page)
    finally:
        QCoreApplication.removeTranslator(translator)
    qtbot.waitUntil(lambda: "How a clip is made" in texts(page))
