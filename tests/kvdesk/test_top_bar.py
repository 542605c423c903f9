from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QToolButton

from engine.api import DEMO_MODEL, ClipDefaults, DeviceInfo, MachineDescribed, ModelInfo
from kvdesk.engine_state import EngineState
from kvdesk.ui.memory_meter import MemoryMeter
from kvdesk.ui.theme import ThemeChoice
from kvdesk.ui.top_bar import TopBar

CARD = DeviceInfo(name="cuda:0", label="A graphics card", total_bytes=8 << 30, free_bytes=6 << 30)
CPU = DeviceInfo(name="cpu", label="A processor", total_bytes=16 << 30, free_bytes=4 << 30)
GIGABYTE = 1 << 30


def machine(*devices):
    return MachineDescribed(devices=devices, total_bytes=16 * GIGABYTE, free_bytes=4 * GIGABYTE)


def model(name):
    return ModelInfo(
        name=name,
        folder="",
        description=f"what {name} is",
        text_encoder_8bit=False,
        size_multiple=64,
        defaults=ClipDefaults(),
    )


@pytest.fixture
def stack(qapp):  # noqa: ARG001 - there has to be an application
    stack = QUndoStack()
    yield stack
    stack.clear()


@pytest.fixture
def bar(qtbot, themed, stack):  # noqa: ARG001 - widgets read the theme
    bar = TopBar(stack)
    qtbot.addWidget(bar)
    bar.resize(1200, 48)
    bar.show()
    return bar


def button(bar, words):
    found = [b for b in bar.findChildren(QToolButton) if b.accessibleName().startswith(words)]
    assert len(found) == 1
    return found[0]


def shown(bar):
    QApplication.processEvents()
    return [label.text() for label in bar.findChildren(QLabel) if label.isVisible()]


# The model


def test_until_there_is_a_model_it_says_that_it_looks_for_one(bar):
    assert button(bar, "Model").text() == "Looking for models …"


def test_the_model_in_use_is_named_with_what_it_is(bar):
    bar.show_models([model(DEMO_MODEL)], DEMO_MODEL)
    assert button(bar, "Model: Demo model").text() == "Demo model"
    assert "A toy" in button(bar, "Model").toolTip()
    bar.show_models([model("big")], "big")
    assert "what big is" in button(bar, "Model").toolTip()


def test_another_model_can_be_chosen_from_the_menu(qtbot, bar):
    bar.show_models([model(DEMO_MODEL), model("big")], DEMO_MODEL)
    menu = bar.findChild(QMenu)
    assert [(a.text(), a.isChecked()) for a in menu.actions()] == [
        ("Demo model", True),
        ("big", False),
    ]
    menu.popup(bar.mapToGlobal(bar.rect().bottomLeft()))
    with qtbot.waitSignal(bar.model_chosen) as chosen:
        place = menu.actionGeometry(menu.actions()[1]).center()
        qtbot.mouseClick(menu, Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args == ["big"]


def test_a_long_name_is_cut_off_and_whole_in_the_tooltip(bar, themed):
    name = "kandinsky-video-with-a-very-long-name-" * 4
    bar.show_models([model(name)], name)
    chip = button(bar, "Model")
    assert "…" in chip.text()
    assert name in chip.toolTip()
    assert chip.sizeHint().width() < themed.px(320)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (EngineState.STARTING, "starting"),
        (EngineState.READY, "ready"),
        (EngineState.STOPPED, "stopped"),
        (EngineState.FAILED, "does not start"),
    ],
)
def test_the_state_of_the_engine_is_a_dot_and_words(bar, state, words):
    bar.show_models([model(DEMO_MODEL)], DEMO_MODEL)
    assert button(bar, "Model").icon().isNull()
    bar.show_state(state)
    chip = button(bar, "Model")
    assert words in chip.toolTip()
    assert words in chip.accessibleDescription()
    assert not chip.icon().isNull()


# The memory


def test_without_a_card_the_memory_is_that_of_the_computer(bar):
    bar.show_machine(machine(CPU))
    assert {"Memory", "12.0 of 16.0 GB"} <= set(shown(bar))
    assert "no graphics card" in bar.findChild(MemoryMeter).toolTip()


def test_with_a_card_the_memory_is_that_of_the_card(bar):
    bar.show_machine(machine(CARD, CPU))
    assert {"GPU", "2.0 of 8.0 GB"} <= set(shown(bar))
    assert "A graphics card" in bar.findChild(MemoryMeter).toolTip()
    assert bar.findChild(MemoryMeter).accessibleName() == "GPU 2.0 of 8.0 GB"


def test_the_memory_is_not_there_before_anything_is_known_of_it(bar):
    assert not bar.findChild(MemoryMeter).isVisible()


def test_the_bar_of_the_memory_is_as_full_as_it_and_warns_near_the_end(bar, themed):
    def filled(free):
        card = DeviceInfo(name="cuda:0", label="x", total_bytes=100, free_bytes=free)
        bar.show_machine(machine(card))
        image = bar.findChild(MemoryMeter).grab().toImage()
        colours = [image.pixelColor(x, image.height() // 2).name() for x in range(image.width())]
        return {name: colours.count(getattr(themed.tokens, name)) for name in ("accent", "careful")}

    half, nearly_full = filled(50), filled(3)
    assert half["accent"] > 30
    assert half["careful"] == 0
    assert nearly_full["accent"] == 0
    assert nearly_full["careful"] > 1.6 * half["accent"]


def test_in_a_narrow_window_the_memory_shrinks_and_then_goes(bar):
    bar.show_models([model(DEMO_MODEL)], DEMO_MODEL)
    bar.show_machine(machine(CARD))
    states = []
    for width in range(1200, bar.minimumSizeHint().width() - 1, -20):
        bar.resize(width, 48)
        texts = shown(bar)
        states.append(("GPU" in texts, "2.0 of 8.0 GB" in texts))
        right = button(bar, "Settings")
        assert right.geometry().right() < width
        assert right.width() >= right.sizeHint().width()
    assert list(dict.fromkeys(states)) == [(True, True), (False, True), (False, False)]
    bar.resize(1200, 48)
    assert "GPU" in shown(bar)


def test_at_200_percent_everything_has_the_room_it_needs(bar, themed):
    bar.show_models([model(DEMO_MODEL), model("big")], DEMO_MODEL)
    bar.show_machine(machine(CARD))
    themed.use(ThemeChoice.LIGHT, text_percent=200)
    bar.resize(1000, bar.sizeHint().height())
    QApplication.processEvents()
    for each in (*bar.findChildren(QToolButton), *bar.findChildren(QLabel)):
        if each.isVisible():
            assert each.width() >= each.sizeHint().width()
            assert each.height() >= each.sizeHint().height()


# Undo and redo


def test_undo_and_redo_say_what_they_do_and_do_it(qtbot, bar, stack):
    undo, redo = button(bar, "Undo"), button(bar, "Redo")
    assert not undo.isEnabled()
    assert not redo.isEnabled()
    stack.push(QUndoCommand("Change the size"))
    assert undo.accessibleName() == "Undo Change the size"
    assert "Ctrl+Z" in undo.toolTip()
    qtbot.mouseClick(undo, Qt.MouseButton.LeftButton)
    assert not undo.isEnabled()
    assert redo.accessibleName() == "Redo Change the size"
    qtbot.mouseClick(redo, Qt.MouseButton.LeftButton)
    assert undo.isEnabled()


# The rest


@pytest.mark.parametrize(
    ("words", "signal"),
    [
        ("Help and shortcuts", "help_requested"),
        ("Settings", "settings_requested"),
        ("What to make", "folded_form_requested"),
        ("Queue and library", "folded_column_requested"),
    ],
)
def test_the_buttons_ask_for_their_pages(qtbot, bar, words, signal):
    bar.show_column_buttons(form=True, lists=True)
    with qtbot.waitSignal(getattr(bar, signal)):
        qtbot.mouseClick(button(bar, words), Qt.MouseButton.LeftButton)


def test_the_buttons_of_the_columns_are_there_only_when_these_are_folded(bar):
    for form, lists in ((False, False), (False, True), (True, True)):
        bar.show_column_buttons(form=form, lists=lists)
        assert button(bar, "What to make").isVisible() is form
        assert button(bar, "Queue and library").isVisible() is lists


def test_no_button_is_without_a_name(bar):
    for each in bar.findChildren(QToolButton):
        assert each.accessibleName()
        assert each.toolTip() or each.text()


def test_another_language_keeps_what_is_shown(bar):
    bar.show_models([model(DEMO_MODEL), model("big")], "big")
    bar.show_machine(machine(CPU))
    QApplication.sendEvent(bar, QEvent(QEvent.Type.LanguageChange))
    assert button(bar, "Model: big").text().startswith("big")
    assert [a.isChecked() for a in bar.findChild(QMenu).actions()] == [False, True]
    assert "12.0 of 16.0 GB" in shown(bar)
