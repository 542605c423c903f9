from __future__ import annotations

import subprocess

import pytest
from busy_watch import BusyWatch
from PySide6.QtCore import QCoreApplication, QEvent, QLocale
from PySide6.QtWidgets import QDialogButtonBox, QWidget

import kvdesk.translations
from kvdesk.settings import LANGUAGES as LANGUAGES_OF_SETTINGS
from kvdesk.translations import (
    LANGUAGES,
    TRANSLATIONS_FOLDER,
    Translations,
    compile_translation,
    known_language,
)

MAX_STALL_MS = 50

CHINESE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context><name>Greeting</name>
<message><source>Good morning</source><translation>早上好</translation></message>
</context></TS>
"""
ENGLISH = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context><name>Greeting</name>
<message numerus="yes"><source>%n guest(s)</source><translation>
<numerusform>%n guest</numerusform><numerusform>%n guests</numerusform></translation></message>
</context></TS>
"""


class Changes(QWidget):
    """Counts how often it is told that the language is another."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def changeEvent(self, event):
        if event.type() is QEvent.Type.LanguageChange:
            self.count += 1
        super().changeEvent(event)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with translations of its own."""
    folder = tmp_path / "translations"
    folder.mkdir()
    (folder / "kvdesk_zh_CN.ts").write_text(CHINESE, encoding="utf-8")
    (folder / "kvdesk_en.ts").write_text(ENGLISH, encoding="utf-8")
    monkeypatch.setattr(kvdesk.translations, "TRANSLATIONS_FOLDER", folder)
    return folder


@pytest.fixture
def translations(qapp, tmp_path):
    usual = QLocale()
    translations = Translations(qapp, tmp_path / "cache")
    yield translations
    for translator in translations._installed:
        qapp.removeTranslator(translator)
    QLocale.setDefault(usual)


def greeting():
    return QCoreApplication.translate("Greeting", "Good morning")


def guests(count):
    return QCoreApplication.translate("Greeting", "%n guest(s)", "", count)


@pytest.mark.usefixtures("files")
def test_a_language_is_in_use_at_once_and_goes_again(translations):
    translations.use("zh_CN")
    assert greeting() == "早上好"
    assert translations.language == "zh_CN"
    assert QLocale().language() is QLocale.Language.Chinese
    translations.use("en")
    assert greeting() == "Good morning"
    assert QLocale().language() is QLocale.Language.English


@pytest.mark.usefixtures("files")
def test_english_has_its_plurals(translations):
    translations.use("en")
    assert [guests(count) for count in (1, 2, 45)] == ["1 guest", "2 guests", "45 guests"]


@pytest.mark.usefixtures("files")
def test_the_dialogs_of_qt_speak_the_language_too(qtbot, translations):
    translations.use("zh_CN")
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    qtbot.addWidget(box)
    assert "取消" in box.buttons()[0].text()


@pytest.mark.usefixtures("files")
def test_widgets_are_told_when_the_language_changes(qtbot, translations):
    widget = Changes()
    qtbot.addWidget(widget)
    widget.show()
    translations.use("zh_CN")
    qtbot.waitUntil(lambda: widget.count > 0)


@pytest.mark.usefixtures("files")
def test_a_file_is_compiled_once_and_again_when_it_has_changed(
    files, translations, tmp_path, monkeypatch
):
    runs = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: runs.append(a) or run(*a, **k))
    translations.use("zh_CN")
    translations.use("zh_CN")
    assert len(runs) == 1
    changed = CHINESE.replace("早上好", "你好")
    (files / "kvdesk_zh_CN.ts").write_text(changed, encoding="utf-8")
    translations.use("zh_CN")
    assert greeting() == "你好"
    assert len(runs) == 2
    assert not list((tmp_path / "cache").rglob("*.partial"))


def test_what_is_compiled_already_needs_no_tools(files, translations, monkeypatch, tmp_path):
    compile_translation(files / "kvdesk_zh_CN.ts", files / "kvdesk_zh_CN.qm")
    (files / "kvdesk_zh_CN.ts").unlink()

    def refuse(*_args, **_options):
        raise AssertionError("nothing is to be compiled")

    monkeypatch.setattr(subprocess, "run", refuse)
    translations.use("zh_CN")
    assert greeting() == "早上好"
    assert not (tmp_path / "cache").exists()


def test_a_damaged_file_leaves_english(files, translations, caplog):
    (files / "kvdesk_zh_CN.ts").write_text("this is no translation")
    translations.use("zh_CN")
    assert greeting() == "Good morning"
    assert "could not be compiled" in caplog.text


def test_a_missing_tool_leaves_english(files, translations, caplog, monkeypatch, tmp_path):  # noqa: ARG001
    monkeypatch.setattr(kvdesk.translations.PySide6, "__file__", str(tmp_path / "x.py"))
    translations.use("zh_CN")
    assert greeting() == "Good morning"
    assert "could not be compiled" in caplog.text


def test_a_cache_that_cannot_be_written_leaves_english(files, translations, caplog, tmp_path):  # noqa: ARG001
    (tmp_path / "cache").write_text("a file where the folder would be")
    translations.use("zh_CN")
    assert greeting() == "Good morning"
    assert "could not be compiled" in caplog.text


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("en-GB", "en"),
        ("en", "en"),
        ("zh-CN", "zh_CN"),
        ("zh", "zh_CN"),
        ("zh-Hans-SG", "zh_CN"),
        ("zh-TW", None),
        ("zh-Hant-HK", None),
        ("de-DE", None),
        ("C", None),
    ],
)
def test_the_language_of_a_system_is_one_of_ours_or_none(wanted, language):
    assert known_language(wanted) == language


def test_without_a_choice_the_first_language_of_the_system_is_used(
    files,  # noqa: ARG001
    translations,
    monkeypatch,
):
    class System:
        @staticmethod
        def uiLanguages():  # noqa: N802 - Qt's name
            return ["de-DE", "de", "zh-Hans-CN", "en"]

    monkeypatch.setattr(QLocale, "system", System)
    translations.use("")
    assert (translations.language, translations.wanted) == ("zh_CN", "")
    assert greeting() == "早上好"


def test_the_settings_know_the_same_languages():
    assert set(LANGUAGES_OF_SETTINGS) == {"", *LANGUAGES}


def test_a_language_is_there_before_anybody_waits_for_it(qtbot, translations):
    """The real files, compiled for the first time."""
    assert (TRANSLATIONS_FOLDER / "kvdesk_zh_CN.ts").is_file()
    with BusyWatch() as watch:
        translations.use("zh_CN")
        qtbot.wait(20)
    assert watch.worked_ms < MAX_STALL_MS, str(watch)
