"""Notices: shown beside the work, closed, acted on, copied."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

from kvdesk.notice import Notice, Tone
from kvdesk.ui.notices import MAX_NOTICES, NoticeBar
from kvdesk.ui.theme import GAP, ThemeChoice

pytestmark = pytest.mark.usefixtures("themed")


@pytest.fixture
def bar(qtbot):
    made = NoticeBar()
    qtbot.addWidget(made)
    made.resize(500, 400)
    return made


def texts(bar):
    return [notice.text for notice in bar.notices]


def test_the_bar_takes_no_room_until_there_is_a_notice(bar):
    assert bar.isHidden()
    bar.show_notice(Notice(text="one"))
    assert not bar.isHidden()
    bar.close_all()
    assert bar.isHidden()


def test_the_newest_is_on_top_and_the_oldest_go(bar):
    for number in range(MAX_NOTICES + 2):
        bar.show_notice(Notice(text=str(number)))
    assert texts(bar) == ["4", "3", "2"]
    assert [card.y() for card in bar._cards] == sorted(card.y() for card in bar._cards)


def test_the_same_notice_is_there_once(bar):
    for text in ("one", "two", "one"):
        bar.show_notice(Notice(text=text))
    assert texts(bar) == ["one", "two"]


def test_a_notice_is_closed_by_its_button_and_by_escape(qtbot, bar):
    bar.show_notice(Notice(text="one"))
    bar.show_notice(Notice(text="two"))
    qtbot.mouseClick(bar._cards[0]._close, Qt.MouseButton.LeftButton)
    assert texts(bar) == ["one"]
    qtbot.keyClick(bar._cards[0]._close, Qt.Key.Key_Escape)
    assert texts(bar) == []


def test_escape_closes_a_notice_although_the_window_uses_it_too(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    bar = NoticeBar()
    window.setCentralWidget(bar)
    back = QAction("Back", window)
    back.setShortcut("Esc")
    heard = []
    back.triggered.connect(lambda: heard.append("back"))
    window.addAction(back)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    bar.show_notice(Notice(text="one"))
    bar._cards[0]._close.setFocus()
    qtbot.keyClick(bar._cards[0]._close, Qt.Key.Key_Escape)
    assert texts(bar) == []
    assert heard == []


def test_an_action_is_asked_for_by_its_name_and_closes_the_notice(qtbot, bar):
    bar.show_notice(Notice(text="one", action="retry", action_text="Try again"))
    with qtbot.waitSignal(bar.action_requested) as asked:
        qtbot.mouseClick(bar._cards[0]._action, Qt.MouseButton.LeftButton)
    assert asked.args == ["retry"]
    assert texts(bar) == []


def test_details_unfold_and_are_copied_with_the_text(qtbot, bar):
    bar.show_notice(Notice(text="It failed.", detail="line 1\nline 2", tone=Tone.FAILED))
    card = bar._cards[0]
    assert not card._detail.isVisible()
    qtbot.mouseClick(card._unfold, Qt.MouseButton.LeftButton)
    assert card._detail.isVisible()
    qtbot.mouseClick(card._copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "It failed.\n\nline 1\nline 2"


def test_without_details_and_action_there_are_no_buttons_for_them(bar):
    bar.show_notice(Notice(text="one"))
    card = bar._cards[0]
    assert not card._unfold.isVisible()
    assert not card._action.isVisible()


def test_text_with_markup_is_shown_as_it_is(bar):
    bar.show_notice(Notice(text="<b>bold</b> & co"))
    label = bar._cards[0]._text
    assert label.text() == "<b>bold</b> & co"
    assert label.textFormat() is Qt.TextFormat.PlainText


@pytest.mark.parametrize("percent", [100, 200])
@pytest.mark.parametrize("action", ["", "retry"])
def test_a_notice_is_as_high_as_its_words_and_level_with_its_sign(qtbot, themed, percent, action):
    themed.use(ThemeChoice.DARK, text_percent=percent)
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(700, 400)
    column = QVBoxLayout(host)
    bar = NoticeBar()
    column.addWidget(bar)
    column.addStretch(1)
    host.show()
    notice = Notice(
        text="The picture is cut short.", detail="x", action=action, action_text="Again"
    )
    bar.show_notice(notice)
    QApplication.processEvents()
    card = bar._cards[0]
    text, sign, close = card._text.geometry(), card._sign.geometry(), card._close.geometry()
    assert text.height() == card._text.heightForWidth(text.width())
    assert abs(text.center().y() - sign.center().y()) <= themed.px(1)
    assert abs(sign.center().y() - close.center().y()) <= themed.px(1)
    assert 0 < card._unfold.geometry().top() - text.bottom() < text.height() + GAP


def test_details_are_a_link_whose_words_begin_where_the_text_does(qtbot, bar):
    bar.show_notice(Notice(text="It failed.", detail="x"))
    qtbot.waitExposed(bar)
    card = bar._cards[0]
    assert card._unfold.property("kind") == "link"
    room = (card._unfold.width() - card._unfold.fontMetrics().horizontalAdvance("Details")) // 2
    assert abs(card._unfold.x() + room - card._text.x()) <= 2


@pytest.mark.parametrize("tone", list(Tone))
def test_every_tone_has_a_sign(bar, tone):
    bar.show_notice(Notice(text="one", tone=tone))
    card = bar._cards[0]
    assert card.property("tone") == tone.value
    assert not card._sign.pixmap().isNull()
