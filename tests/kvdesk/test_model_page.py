"""The page of the real model: what it shows, and what its buttons are for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine_talk import PATIENCE
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QPushButton, QSpinBox

from engine.api import models_folder
from kvdesk.getting import Phase, Step

GB = 10**9


@pytest.fixture
def page_of(desk_of, qtbot):
    """A window that shows the page, which knows what there is to fetch."""

    def make(**script):
        desk = desk_of(**{"released": True, "step_seconds": 0.03, "previews": False, **script})
        qtbot.waitUntil(lambda: bool(desk.studio.models), timeout=PATIENCE)
        with qtbot.waitSignals([desk.studio.getting.choices.described] * 2, timeout=PATIENCE):
            desk.window.show_model_page()
        return desk

    return make


@pytest.fixture
def until(qtbot):
    return lambda what: qtbot.waitUntil(what, timeout=PATIENCE)


def shown(desk, kind):
    return [each for each in desk.window.model_page.findChildren(kind) if each.isVisible()]


def words_of(desk):
    return " ".join(label.text() for label in shown(desk, QLabel))


def press(desk, qtbot, start):
    (button,) = [each for each in shown(desk, QPushButton) if each.text().startswith(start)]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def phase_of(desk):
    return desk.studio.getting.store.state.phase


def test_it_says_what_is_fetched_where_to_and_how_much_room_it_takes(page_of, qtbot):
    desk = page_of()
    words = words_of(desk)
    for said in ("Key frames and motion", "8.3 GB", "39.7 GB", "48.0 GB", "30.1 GB", "250.0 GB"):
        assert said in words, said
    assert str(models_folder()) in words
    assert [each.text() for each in shown(desk, QPushButton)][-1] == "Get the model (39.7 GB)"

    box = desk.window.model_page.choices._delete.box
    assert box.isChecked()
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=box.rect().center() / 8)
    assert "69.8 GB are on the disk at once, and 69.8 GB stay" in words_of(desk)
    assert not desk.studio.getting.store.state.delete_originals


def test_too_little_room_is_said_before_anything_starts(page_of):
    desk = page_of(free_disk_bytes=39 * GB)
    page = desk.window.model_page
    (button,) = [each for each in shown(desk, QPushButton) if each.text().startswith("Get the")]
    assert "too little room" in words_of(desk)
    assert not button.isEnabled()
    for free, has_room in ((45 * GB, False), (60 * GB, True)):
        page.show_answer(replace(page._answer, free_bytes=free))
        assert ("too little room" not in words_of(desk)) == has_room
        assert button.isEnabled()  # at least the files fit
    assert not models_folder().exists()


def test_a_server_that_does_not_answer_is_told_and_asked_again(page_of, qtbot, until, tmp_path):
    refusal = {"describe_download": {"code": "download", "message": "There is no network."}}
    desk = page_of(refuse=refusal, once=str(tmp_path / "once"))
    assert "There is no network." in words_of(desk)
    assert "About 40 GB" in words_of(desk)
    press(desk, qtbot, "Ask again")
    until(lambda: "48.0 GB" in words_of(desk))


def test_from_the_first_press_to_the_test_clip(page_of, qtbot, until):
    desk = page_of(download_waiting="There is no network. Trying again in 30 s.")
    press(desk, qtbot, "Get the model (")
    until(lambda: "MB/s" in words_of(desk))
    assert "Trying again in 30 s." in words_of(desk)
    assert "Step 1 of 3" in words_of(desk)
    assert desk.window.top_bar._getting.text().startswith("Fetching")
    press(desk, qtbot, "Pause")
    until(lambda: phase_of(desk) is Phase.PAUSED)
    until(lambda: "is here" in words_of(desk))
    assert "Paused" in words_of(desk)
    assert desk.window.top_bar._getting.isHidden()
    press(desk, qtbot, "Go on")
    until(lambda: "Step 2 of 3" in words_of(desk))
    until(lambda: "Step 3 of 3" in words_of(desk))
    until(lambda: phase_of(desk) is Phase.READY)
    assert "45 frames, 64 × 64, took 10.4 s on the processor" in words_of(desk)
    picture = desk.window.model_page._result._picture
    assert not picture.pixmap().isNull()
    press(desk, qtbot, "Make a test clip")
    assert phase_of(desk) is Phase.TESTING
    until(lambda: phase_of(desk) is Phase.READY)


def test_an_error_stands_on_the_page_with_a_way_on(page_of, qtbot, until, tmp_path):
    refusal = {"prepare:2": {"code": "model_file", "message": "t2v.pt is damaged."}}
    desk = page_of(refuse=refusal, once=str(tmp_path / "once"))
    press(desk, qtbot, "Get the model (")
    until(lambda: phase_of(desk) is Phase.FAILED)
    assert "t2v.pt is damaged." in words_of(desk)
    press(desk, qtbot, "Fetch files again")
    assert desk.studio.getting.store.state.step is Step.DOWNLOAD
    press(desk, qtbot, "Go on")
    until(lambda: phase_of(desk) is Phase.READY)


def test_what_was_fetched_is_removed_after_asking_only(page_of, qtbot, until):
    desk = page_of()
    press(desk, qtbot, "Get the model (")
    until(lambda: desk.studio.getting.store.state.originals.is_dir())
    press(desk, qtbot, "Pause")
    until(lambda: phase_of(desk) is Phase.PAUSED)
    press(desk, qtbot, "Remove what was fetched")
    assert str(desk.studio.getting.store.state.originals) in words_of(desk)
    press(desk, qtbot, "Keep")
    press(desk, qtbot, "Remove what was fetched")
    press(desk, qtbot, "Remove for good")
    until(lambda: phase_of(desk) is Phase.NOT_STARTED)
    assert not desk.studio.getting.store.state.originals.exists()


def test_folders_are_chosen_and_taken_back(page_of, qtbot, until, tmp_path):
    desk = page_of()
    usb = tmp_path / "usb"
    usb.mkdir()
    (usb / "t2v.pt").write_text("t2v")
    press(desk, qtbot, "Add a folder")
    dialog = desk.window.findChild(QFileDialog)
    dialog.fileSelected.emit(str(usb))
    dialog.reject()
    until(lambda: "found on this computer" in words_of(desk))
    assert "To fetch: 31.4 GB" in words_of(desk)
    remove = desk.window.model_page.choices._source_rows.itemAt(0).widget().layout().itemAt(1)
    qtbot.mouseClick(remove.widget(), Qt.MouseButton.LeftButton)
    until(lambda: "To fetch: 39.7 GB" in words_of(desk))
    desk.studio.getting.choices.choose_folder(str(usb))
    until(lambda: str(usb) in words_of(desk))
    assert models_folder() == usb


def test_speed_and_server_are_settings(page_of, qtbot, until):
    desk = page_of()
    page = desk.window.model_page
    page.choices._more.set_open(True)
    (limit,) = shown(desk, QSpinBox)
    limit.setValue(7)
    (mirror,) = [each for each in shown(desk, QLineEdit) if "huggingface" in each.placeholderText()]
    qtbot.keyClicks(mirror, "http://localhost:9 ")
    with qtbot.waitSignal(desk.studio.getting.choices.described, timeout=PATIENCE):
        qtbot.keyClick(mirror, Qt.Key.Key_Return)
    assert desk.settings.values.download_limit == 7
    assert desk.settings.values.mirror == "http://localhost:9"
    until(lambda: "To fetch" in words_of(desk))


def test_menu_settings_and_empty_stage_lead_to_the_page(page_of, qtbot):
    desk = page_of()
    window = desk.window
    texts = [action.text() for action in window.top_bar._menu.actions()]
    assert texts[:2] == ["Demo model", "Kandinsky 1.1 (not here yet)"]
    window.show_stage()
    window.top_bar._menu.actions()[-1].trigger()
    assert window.page is window.model_page
    window.show_stage()
    (link,) = [
        each
        for each in window.stage.empty.findChildren(QPushButton)
        if each.property("kind") == "link"
    ]
    qtbot.mouseClick(link, Qt.MouseButton.LeftButton)
    assert window.page is window.model_page
    window.show_settings()
    window.settings_page._get_model.click()
    assert window.page is window.model_page
