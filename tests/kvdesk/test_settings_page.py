from __future__ import annotations

from dataclasses import replace

import pytest
from fake_answers import DEMO
from PySide6.QtCore import QCoreApplication, Qt, QTranslator
from PySide6.QtWidgets import QApplication, QCheckBox, QLabel, QPushButton

from engine.api import DeviceInfo, MachineDescribed
from kvdesk.settings import Settings
from kvdesk.translations import compile_translation
from kvdesk.ui.controls import LabelledField
from kvdesk.ui.settings_page import SettingsPage

CARD = DeviceInfo(name="cuda:0", label="A graphics card", total_bytes=8 << 30, free_bytes=6 << 30)
CPU = DeviceInfo(name="cpu", label="A processor", total_bytes=16 << 30, free_bytes=8 << 30)
MACHINE = MachineDescribed(devices=(CARD, CPU), total_bytes=16 << 30, free_bytes=8 << 30)


@pytest.fixture
def page(qtbot, themed):  # noqa: ARG001 - widgets read the theme
    page = SettingsPage()
    qtbot.addWidget(page)
    page.resize(620, 800)
    page.show()
    page.show_settings(Settings(), "/home/someone/Videos/kvdesk")
    page.show_machine(MACHINE)
    return page


def field(page, title):
    fields = page.findChildren(LabelledField)
    return next(f for f in fields if f.findChildren(QLabel)[0].text() == title)


def choice(page, title, text):
    QApplication.processEvents()
    return next(b for b in field(page, title).findChildren(QPushButton) if b.text() == text)


def chosen(page, title):
    QApplication.processEvents()
    buttons = field(page, title).findChildren(QPushButton)
    return [button.text() for button in buttons if button.isChecked()]


def texts(page):
    QApplication.processEvents()
    return [label.text() for label in page.findChildren(QLabel) if label.isVisible()]


@pytest.mark.parametrize(
    ("title", "text", "wanted"),
    [
        ("Language", "English", ["language", "en"]),
        ("Language", "简体中文", ["language", "zh_CN"]),
        ("Colours", "Light", ["theme", "light"]),
        ("Colours", "Dark", ["theme", "dark"]),
        ("Size of text", "125 %", ["text_percent", 125]),
        ("Size of text", "200 %", ["text_percent", 200]),
        ("Works on", "A graphics card", ["device", "cuda:0"]),
        ("Works on", "A processor", ["device", "cpu"]),
        ("Weights of the networks", "8 bit", ["eight_bit", True]),
    ],
)
def test_every_choice_says_which_setting_it_changes(qtbot, page, title, text, wanted):
    with qtbot.waitSignal(page.setting_changed) as changed:
        qtbot.mouseClick(choice(page, title, text), Qt.MouseButton.LeftButton)
    assert changed.args == wanted
    setting = {wanted[0]: wanted[1]}
    assert Settings(**setting)  # the name and the value are those of a setting


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("Reduce motion", ["reduce_motion", True]), ("Say when a clip is ready", ["notify", False])],
)
def test_a_box_that_is_ticked_changes_its_setting(qtbot, page, text, wanted):
    box = next(each for each in page.findChildren(QCheckBox) if each.text() == text)
    with qtbot.waitSignal(page.setting_changed) as changed:
        qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=box.rect().center() * 0.1)
    assert changed.args == wanted


def test_the_folder_can_be_chosen_and_shown(qtbot, page):
    assert "/home/someone/Videos/kvdesk" in texts(page)
    with qtbot.waitSignal(page.folder_choice_requested):
        qtbot.mouseClick(
            choice(page, "Clips are kept in", "Choose another folder …"), Qt.MouseButton.LeftButton
        )
    with qtbot.waitSignal(page.folder_requested):
        qtbot.mouseClick(
            choice(page, "Clips are kept in", "Show in folder"), Qt.MouseButton.LeftButton
        )


def test_what_is_set_is_shown_and_nothing_is_emitted_by_that(qtbot, page):
    settings = Settings(
        language="zh_CN",
        theme="dark",
        text_percent=150,
        device="cpu",
        reduce_motion=True,
        notify=False,
    )
    with qtbot.assertNotEmitted(page.setting_changed):
        page.show_settings(settings, "/elsewhere")
    assert chosen(page, "Language") == ["简体中文"]
    assert chosen(page, "Colours") == ["Dark"]
    assert chosen(page, "Size of text") == ["150 %"]
    assert chosen(page, "Works on") == ["A processor"]
    boxes = {box.text(): box.isChecked() for box in page.findChildren(QCheckBox)}
    assert boxes == {"Reduce motion": True, "Say when a clip is ready": False}
    assert "/elsewhere" in texts(page)


def test_a_device_that_is_not_there_any_more_is_shown_as_such(page):
    page.show_settings(Settings(device="cuda:1"), "/clips")
    assert chosen(page, "Works on") == ["cuda:1 (not found)"]


def test_a_device_is_not_called_missing_before_anybody_looked(qtbot, themed):  # noqa: ARG001
    page = SettingsPage()
    qtbot.addWidget(page)
    page.show_settings(Settings(device="cuda:0"), "/clips")
    assert chosen(page, "Works on") == ["cuda:0"]
    page.show_machine(MACHINE)
    assert chosen(page, "Works on") == ["A graphics card"]


def test_a_machine_that_is_described_again_leaves_the_keyboard_where_it_is(page):
    button = choice(page, "Works on", "Automatic")
    button.setFocus()
    page.show_machine(MACHINE)
    assert button.hasFocus()


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (DEMO, "“kvdesk prepare” with “--8bit”"),
        (replace(DEMO, unets_8bit=True), "where the exact weights do not fit"),
        (replace(DEMO, unets_8bit=True, error_8bit=0.00412), "off by 0.41 % on average"),
    ],
)
def test_what_8_bit_means_is_said_for_the_model_in_use(page, model, words):
    page.show_settings(Settings(eight_bit=True), "/clips")
    assert chosen(page, "Weights of the networks") == ["8 bit"]
    page.show_model(model)
    assert any(words in text for text in texts(page))


def test_tab_goes_from_top_to_bottom(qtbot, page):
    QApplication.processEvents()
    page.focus()
    seen = []
    while len(seen) < 15:
        control = QApplication.focusWidget()
        seen.append(control.text())
        qtbot.keyClick(control, Qt.Key.Key_Tab)
    assert seen == [
        *("Back", "System", "System", "100 %", "Reduce motion", "Automatic"),
        *("Exact", "Choose another folder …", "Show in folder", "Choose another folder …"),
        *("Show in folder", "Get the model …", "No limit", "", "Say when a clip is ready"),
    ]


def test_the_page_is_closed_by_its_button(qtbot, page):
    page.focus()
    with qtbot.waitSignal(page.closed):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)


GERMAN = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context><name>SettingsPage</name>
<message><source>Settings</source><translation>Einstellungen</translation></message>
<message><source>Language</source><translation>Sprache</translation></message>
<message><source>Automatic</source><translation>Selbsttätig</translation></message>
<message><source>Reduce motion</source><translation>Weniger Bewegung</translation></message>
</context>
<context><name>Page</name>
<message><source>Back</source><translation>Zurück</translation></message>
</context></TS>
"""


def test_the_words_follow_the_language_and_the_choices_stay(page, tmp_path):
    page.show_settings(Settings(theme="dark", device="cpu"), "/clips")
    source = tmp_path / "german.ts"
    source.write_text(GERMAN, encoding="utf-8")
    compile_translation(source, tmp_path / "german.qm")
    translator = QTranslator()
    assert translator.load(str(tmp_path / "german.qm"))
    QCoreApplication.installTranslator(translator)
    try:
        assert {"Einstellungen", "Sprache"} <= set(texts(page))
        assert choice(page, "Works on", "Selbsttätig").text() == "Selbsttätig"
        assert "Weniger Bewegung" in [box.text() for box in page.findChildren(QCheckBox)]
        assert "Zurück" in [button.text() for button in page.findChildren(QPushButton)]
        assert chosen(page, "Works on") == ["A processor"]
        assert chosen(page, "Colours") == ["Dark"]
    finally:
        QCoreApplication.removeTranslator(translator)
    assert "Settings" in texts(page)
