"""Nothing is cut off, nameless or out of reach of the keyboard, in either language and any size."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QToolButton,
    QWidget,
)

from engine.api import Fps
from kvdesk.getting import Getting, Phase, Step
from kvdesk.job import Failure

PATIENCE = 15_000
SECONDS_TO_SETTLE = 2
CONTROLS = (
    QAbstractButton,
    QApplication,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
)


@pytest.fixture
def desk(desk_of, qtbot):
    """A window with a clip, so that nothing is empty."""
    made = desk_of()
    qtbot.waitUntil(lambda: made.form.model is not None, timeout=PATIENCE)
    made.form.edit("draft", fps=Fps.LOW)
    made.window.stage.example_chosen.emit("a red circle moving to the right")
    qtbot.waitUntil(lambda: bool(made.library.records) and not made.queue.jobs, timeout=PATIENCE)
    made.window.resize(1440, 900)
    return made


def pages(desk):
    """Show every page in turn, by a name for messages."""
    window = desk.window
    (name,) = desk.library.records
    window.compose.set_more_open(True)
    desk.actions.show(name)
    yield "clip"
    desk.actions.open_export(name)
    yield "export"
    window.show_settings()
    yield "settings"
    yield from model_pages(desk)
    window.show_help()
    while not window.help_page.is_complete:
        QApplication.processEvents()
    yield "help"
    window.show_first_start()
    for card in ("language", "folders", "model"):
        yield f"first start: {card}"
        window.first_start._next.click()
    desk.actions.compare(name, name)
    yield "compare"
    desk.studio.submit_cousins()
    window.show_batch()
    yield "batch"


def model_pages(desk):
    """Show the page of the real model in all its states, without doing anything."""
    window, store = desk.window, desk.studio.getting.store
    window.show_model_page()
    begun = replace(store.state, has_originals=True, total_bytes=40 * 10**9)
    failure = Failure(code="model_file", message="t2v.pt")
    for state in (
        replace(store.state, also_in=("/media/usb",)),
        replace(begun, phase=Phase.PAUSED),
        replace(begun, phase=Phase.FAILED, step=Step.PREPARE, failure=failure),
        replace(begun, phase=Phase.TESTING, step=Step.TEST),
        replace(begun, phase=Phase.READY, step=Step.TEST),
    ):
        store.put(state)
        yield f"model {state.phase}"
    store.put(Getting(models_folder=state.models_folder))


def seen(root: QWidget) -> list[QWidget]:
    return [widget for widget in root.findChildren(QWidget) if widget.isVisible()]


def is_cut_off(widget: QWidget) -> bool:
    """Whether a widget has less room than its text needs."""
    if isinstance(widget, QLabel) and widget.text() and not widget.toolTip():
        margins = widget.contentsMargins()
        across = margins.left() + margins.right()
        if widget.wordWrap():
            return widget.heightForWidth(widget.width()) > widget.height() + 1
        needed = widget.fontMetrics().horizontalAdvance(widget.text()) + across
        return needed > widget.width() + 1 or widget.fontMetrics().height() > widget.height() + 1
    if isinstance(widget, QAbstractButton) and widget.text() and not shows_icon_only(widget):
        words = widget.fontMetrics()
        is_elided = widget.toolTip() != "" and "…" in widget.text()
        fits_across = words.horizontalAdvance(widget.text()) <= widget.width() + 1
        return not (fits_across or is_elided) or words.height() > widget.height() + 1
    return False


def shows_icon_only(button: QAbstractButton) -> bool:
    style = Qt.ToolButtonStyle.ToolButtonIconOnly
    is_icon_only = isinstance(button, QToolButton) and button.toolButtonStyle() == style
    return is_icon_only and not button.icon().isNull()


def cut_off(root: QWidget) -> list[tuple[object, ...]]:
    return [
        (type(widget).__name__, widget.objectName(), widget.text(), widget.size().toTuple())
        for widget in seen(root)
        if is_cut_off(widget)
    ]


@pytest.mark.parametrize("percent", [100, 200])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_no_text_is_cut_off(language, percent, desk, qtbot):
    desk.settings.change(language=language, text_percent=percent)
    desk.window.resize(1440, 900)
    for page in pages(desk):
        qtbot.wait(50)
        # An answer of the worker may have come just now, and the layout follows in a moment.
        deadline = time.monotonic() + SECONDS_TO_SETTLE
        while cut := cut_off(desk.window):
            assert time.monotonic() < deadline, (page, cut)
            qtbot.wait(10)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_everything_that_can_be_used_has_a_name(language, desk):
    desk.settings.change(language=language)
    for page in pages(desk):
        nameless = [
            (type(widget).__name__, type(widget.parent()).__name__)
            for widget in seen(desk.window)
            if isinstance(widget, CONTROLS)
            and not isinstance(widget, QScrollBar)
            and widget.objectName() not in {"qt_spinbox_lineedit", "qt_scrollarea_viewport"}
            and not (widget.accessibleName() or getattr(widget, "text", str)())
        ]
        assert nameless == [], page


def test_everything_that_can_be_used_is_reached_by_tab(desk):
    for page in pages(desk):
        start = desk.window.compose.prompt.editor
        reached, widget = {start}, start.nextInFocusChain()
        while widget is not start:
            reached.add(widget)
            widget = widget.nextInFocusChain()
        unreachable = [
            (type(widget).__name__, widget.accessibleName())
            for widget in seen(desk.window)
            if isinstance(widget, QAbstractButton | QLineEdit | QAbstractItemView)
            and widget.isEnabled()
            and widget not in reached
            and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        ]
        assert unreachable == [], page


def test_english_leaves_nothing_on_a_chinese_screen(desk, qtbot):
    desk.settings.change(language="zh_CN")
    for page in pages(desk):
        qtbot.wait(20)
        texts = [
            widget.text()
            for widget in seen(desk.window)
            if isinstance(widget, QLabel | QAbstractButton)
        ]
        prompts = " ".join(desk.form.model.defaults.examples) + " ".join(
            record.info.request.prompt for record in desk.library.records.values()
        )
        english = [
            text
            for text in texts
            if sum(word.isascii() and word.isalpha() and len(word) > 3 for word in text.split()) > 1
            and text.rstrip("…") not in prompts
        ]
        assert english == [], page
