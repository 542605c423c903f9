from __future__ import annotations

import json

import pytest
from engine_talk import PATIENCE
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from engine.api import models_folder
from kvdesk.settings import SettingsStore
from kvdesk.ui.theme import ThemeChoice


def shown(widget, kind=QPushButton):
    return [part for part in widget.findChildren(kind) if part.isVisibleTo(widget)]


def words(widget):
    return " ".join(label.text() for label in shown(widget, QLabel))


def buttons(widget, text):
    return [part for part in shown(widget) if part.text() == text]


def press(qtbot, widget, text):
    qtbot.waitUntil(lambda: len(buttons(widget, text)) == 1)
    qtbot.mouseClick(buttons(widget, text)[0], Qt.MouseButton.LeftButton)


@pytest.fixture
def desk(desk_of, qtbot):
    desk = desk_of(is_new=True)
    desk.window.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is desk.window)
    return desk


@pytest.fixture
def page(desk):
    assert desk.window.page is desk.window.first_start
    return desk.window.first_start


def files_of_the_person(tmp_path):
    """All that lies in the folders of the application, but its caches."""
    folders = [tmp_path / name for name in ("config", "data", "clips", "user_data")]
    return [file for folder in folders for file in folder.rglob("*") if file.is_file()]


def test_it_is_shown_once_also_if_the_window_is_closed_over_it_and_the_help_page_has_it(
    desk_of, qtbot
):
    desk = desk_of(is_new=True)
    assert desk.window.page is desk.window.first_start

    again = desk_of(is_new=True)
    assert again.window.page is again.window.stage
    again.window.show_help()
    press(qtbot, again.window.help_page, "Show the first steps again")
    assert again.window.page is again.window.first_start
    assert "Step 1 of 3" in words(again.window.first_start)
    press(qtbot, again.window.first_start, "Skip all")
    assert again.window.page is again.window.stage


def test_settings_of_an_earlier_version_need_no_first_steps(qapp, tmp_path):  # noqa: ARG001
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": 1, "theme": "dark"}))
    assert SettingsStore(path).values.welcomed
    assert not SettingsStore(tmp_path / "none.json").values.welcomed


def test_nothing_is_written_or_fetched_before_something_is_chosen(desk, page, qtbot, tmp_path):
    qtbot.waitUntil(lambda: desk.form.model is not None, timeout=PATIENCE)
    for _ in range(2):
        press(qtbot, page, "Continue")
    # The test itself has set the language, after a moment.
    written = {file.name for file in files_of_the_person(tmp_path)} - {"settings.json"}
    assert written <= {"form.json"}
    assert desk.settings.values.welcomed is False
    assert desk.studio.getting.store.state.is_running is False


def test_a_language_takes_effect_at_once(desk, page, qtbot):
    press(qtbot, page, "简体中文")
    assert desk.settings.values.language == "zh_CN"
    qtbot.waitUntil(lambda: bool(buttons(page, "继续")))
    assert desk.window.page is page
    press(qtbot, page, "English")
    qtbot.waitUntil(lambda: bool(buttons(page, "Continue")))


def test_the_folders_are_shown_with_what_is_free_and_can_be_changed(desk, page, qtbot, tmp_path):
    press(qtbot, page, "Continue")
    assert str(desk.library.clips) in words(page)
    assert str(models_folder()) in words(page)
    qtbot.waitUntil(lambda: words(page).count("GB free") == 2)

    desk.settings.change(clips_folder=str(tmp_path / "elsewhere"))
    desk.studio.getting.choices.choose_folder(str(tmp_path / "big drive"))
    qtbot.waitUntil(lambda: str(tmp_path / "elsewhere") in words(page))
    qtbot.waitUntil(lambda: str(tmp_path / "big drive") in words(page))
    assert desk.library.clips == tmp_path / "elsewhere"
    assert models_folder() == tmp_path / "big drive"

    page.folders.show_models_folder("/models", 49_000_000_000)
    assert "49 GB free" in words(page)
    assert "Too little for the real model" in words(page)
    page.folders.show_models_folder("/models", 80_000_000_000)
    assert "Too little" not in words(page)


def test_the_demo_puts_an_example_into_the_form_and_waits_for_generate(desk, page, qtbot):
    for _ in range(2):
        press(qtbot, page, "Continue")
    press(qtbot, page, "Demo now")
    qtbot.waitUntil(lambda: desk.form.values.prompt != "", timeout=PATIENCE)
    assert desk.form.values.prompt == desk.form.model.defaults.examples[0]
    assert desk.window.page is desk.window.stage
    assert QApplication.focusWidget() is desk.window.compose.bar.button
    assert desk.settings.values.welcomed
    assert desk.queue.jobs == ()


def test_the_real_model_opens_its_page_and_begins_nothing(desk, page, qtbot):
    for _ in range(2):
        press(qtbot, page, "Continue")
    assert "40 GB are fetched" in words(page)
    press(qtbot, page, "The real model …")
    assert desk.window.page is desk.window.model_page
    assert desk.settings.values.welcomed
    assert desk.studio.getting.store.state.is_running is False


def test_back_goes_back_and_escape_leaves_at_any_point(desk, page, qtbot):
    press(qtbot, page, "Continue")
    press(qtbot, page, "Back")
    assert "Step 1 of 3" in words(page)
    press(qtbot, page, "Continue")
    press(qtbot, page, "Continue")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert desk.window.page is desk.window.stage
    assert desk.settings.values.welcomed


def test_the_keyboard_alone_goes_through_all_of_it_and_all_has_a_name(desk, page, qtbot):
    def tab_to(text):
        for _ in range(12):
            focused = QApplication.focusWidget()
            if isinstance(focused, QPushButton) and focused.text() == text:
                return
            qtbot.keyClick(focused, Qt.Key.Key_Tab)
        pytest.fail(f"Tab does not reach {text}")

    for card in (page.language, page.folders, page.model):
        assert card.accessibleName() == card.title()
        assert all(part.accessibleName() or part.text() for part in card.findChildren(QPushButton))
    assert page.language.isAncestorOf(QApplication.focusWidget())
    tab_to("Continue")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert page.folders.isAncestorOf(QApplication.focusWidget())
    tab_to("Continue")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert QApplication.focusWidget() is buttons(page, "Demo now")[0]
    tab_to("The real model …")
    tab_to("Neither now")
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert desk.window.page is desk.window.stage


def test_every_line_has_the_room_it_needs_in_text_of_twice_the_size(desk, page, qtbot, themed):
    def has_room(label):
        right = label.mapTo(page, label.rect().topRight()).x()
        needed = max(label.heightForWidth(label.width()), label.fontMetrics().height())
        return right <= page.width() and label.height() >= needed

    themed.use(ThemeChoice.DARK, text_percent=200)
    desk.window.resize(960, 640)
    for _ in range(3):
        qtbot.waitUntil(lambda: all(has_room(label) for label in shown(page, QLabel)))
        page._next.click()
