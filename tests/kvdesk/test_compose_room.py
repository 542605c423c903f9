"""The left column has room for all its words, and a way through it for the keyboard."""

from __future__ import annotations

import pytest
from form_parts import a_panel, make_picture
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolButton, QWidget

from engine.api import FrameSize, GuidanceScales
from kvdesk.ui.theme import ThemeChoice, theme

pytestmark = pytest.mark.usefixtures("themed")


@pytest.fixture
def panel(qtbot, tmp_path):
    with a_panel(tmp_path) as made:
        qtbot.addWidget(made)
        yield made


def fill(panel):
    panel.form.edit("x", prompt="a cat " * 30, picture=make_picture(panel.folder))
    panel.form.edit("x", guidance=GuidanceScales(prompt=50), size=FrameSize(width=2048, height=64))
    panel.show_tokens(141, 128)
    panel.set_more_open(True)


@pytest.mark.parametrize("percent", [100, 200])
@pytest.mark.parametrize("is_filled", [False, True])
def test_no_text_is_clipped(qtbot, panel, percent, is_filled):
    if is_filled:
        fill(panel)
    theme().use(ThemeChoice.LIGHT, text_percent=percent)
    panel.resize(320, 640)
    qtbot.wait(50)
    assert panel._content.width() >= panel._content.minimumSizeHint().width()
    for kind in (QLabel, QPushButton, QToolButton):
        for widget in panel.findChildren(kind):
            if not widget.isVisible():
                continue
            if widget.hasHeightForWidth():
                needed = widget.heightForWidth(widget.width())
            else:
                needed = widget.minimumSizeHint().height()
            name = f"{type(widget).__name__} {widget.text()!r}"
            assert widget.height() >= needed, name
            assert widget.width() >= widget.minimumSizeHint().width(), name


@pytest.mark.parametrize("percent", [100, 200])
def test_in_a_low_window_the_button_stays_in_sight_and_the_rest_scrolls(qtbot, panel, percent):
    fill(panel)
    theme().use(ThemeChoice.DARK, text_percent=percent)
    panel.setFixedHeight(640)
    qtbot.wait(50)
    bottom = panel.bar.button.mapTo(panel, QPoint(0, panel.bar.button.height()))
    assert bottom.y() <= panel.height()
    assert panel._scroll.verticalScrollBar().maximum() > 0
    assert panel._scroll.height() > 200


def test_everything_that_can_be_pressed_has_a_name(panel):
    panel.form.edit("x", picture=make_picture(panel.folder))
    for kind in (QPushButton, QToolButton):
        for button in panel.findChildren(kind):
            assert button.text() or button.accessibleName(), button.objectName()


def test_tab_walks_through_everything_once_in_the_order_of_reading(qtbot, panel):
    panel.form.edit("x", picture=make_picture(panel.folder))
    panel.set_more_open(True)
    panel.size_picker.tile("other").click()
    qtbot.waitUntil(panel.isActiveWindow)
    panel.presets.setFocus()
    walked: list[QWidget] = []
    while (focused := QApplication.focusWidget()) not in walked:
        walked.append(focused)
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
    assert focused is walked[0]
    parts = (
        panel.presets,
        panel.prompt,
        panel.picture,
        panel.size_picker,
        panel.smoothness,
        panel.motion,
        panel.seed,
        panel.more.content,
        panel.bar,
    )
    order = [
        next(index for index, part in enumerate(parts) if part.isAncestorOf(widget))
        for widget in walked
        if widget is not panel.more.header
    ]
    assert order == sorted(order)
    assert set(order) == set(range(len(parts)))
    assert {panel.prompt.editor, panel.picture.frame, panel.bar.button} <= set(walked)
    assert len([widget for widget in walked if panel.more.content.isAncestorOf(widget)]) == 17
