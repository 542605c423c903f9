"""The translation files have every text of the window, and nothing else."""

from __future__ import annotations

import importlib.util
import shutil
import string
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kvdesk.translations import LANGUAGES, TRANSLATIONS_FOLDER

SCRIPT = Path(__file__).parents[2] / "packaging" / "update_translations.py"
NUM_FORMS = {"en": 2, "zh_CN": 1}


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("update_translations", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def updated(script, tmp_path_factory):
    """The files as they would be if they were brought up to date now."""
    folder = tmp_path_factory.mktemp("translations")
    for language in LANGUAGES:
        shutil.copy(TRANSLATIONS_FOLDER / f"kvdesk_{language}.ts", folder)
    script.update(folder)
    return folder


def messages(folder, language):
    """(context, text) and what it is translated to, in one form or several."""
    root = ElementTree.parse(folder / f"kvdesk_{language}.ts").getroot()
    found = {}
    for context in root.iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            forms = [form.text or "" for form in translation.iter("numerusform")]
            state = translation.get("type", "finished")
            key = (context.findtext("name"), message.findtext("source"))
            found[key] = (forms or [translation.text or ""], state, message.get("numerus") == "yes")
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_in_the_file_and_none_that_is_gone(updated, language):
    kept = set(messages(TRANSLATIONS_FOLDER, language))
    wanted = set(messages(updated, language))
    assert wanted - kept == set(), "run packaging/update_translations.py, then translate"
    assert kept - wanted == set(), "run packaging/update_translations.py"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(updated, language):
    unfinished = [
        key
        for key, (forms, state, _) in messages(updated, language).items()
        if state != "finished" or not all(form.strip() for form in forms)
    ]
    assert unfinished == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_has_the_forms_of_the_language(updated, language):
    for key, (forms, _, has_plural) in messages(updated, language).items():
        assert len(forms) == (NUM_FORMS[language] if has_plural else 1), key
        assert ("%n" in key[1]) == has_plural, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_places_of_its_text(updated, language):
    def places(text):
        return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)

    for key, (forms, state, has_plural) in messages(updated, language).items():
        for form in forms if state == "finished" else ():
            assert places(form) == places(key[1]), key
            if has_plural:
                assert "%n" in form, key


def test_english_holds_plurals_only(updated):
    assert all(has_plural for _, _, has_plural in messages(updated, "en").values())


# What collects them


def collect(script, tmp_path, source):
    path = tmp_path / "source.py"
    path.write_text(source, encoding="utf-8")
    return [(w.context, w.text, w.has_plural) for w in script.collect(path)]


def test_texts_are_found_however_they_are_written(script, tmp_path):
    source = """
class Bar(QWidget):
    def shown(self, n):
        self.tr("one")
        self.tr("two " "and three {n}").format(n=n)
        self.tr("%n thing(s)", "", len(self.things))
        label.setText(
            QCoreApplication.translate("Other", "%n of them", None, len(n)).format(n=1)
        )
        translate = QCoreApplication.translate
        return {1: translate("Other", "four" " …")}[n].translate({1: 2})
"""
    assert collect(script, tmp_path, source) == [
        ("Bar", "one", False),
        ("Bar", "two and three {n}", False),
        ("Bar", "%n thing(s)", True),
        ("Other", "%n of them", True),
        ("Other", "four …", False),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "self.tr(words)",
        "self.tr(f'{n} frames')",
        "window.tr('whose is it?')",
        "QCoreApplication.translate(context, 'whose is it?')",
        "QCoreApplication.translate('Bar', words)",
        "self.tr('')",
    ],
)
def test_a_text_that_a_translator_would_never_see_is_refused(script, tmp_path, line):
    with pytest.raises(SyntaxError, match=r"source\.py:4"):
        collect(script, tmp_path, f"class Bar:\n    def shown(self):\n        pass\n        {line}")


def test_lupdate_gets_every_text_unchanged(script, tmp_path, monkeypatch):
    texts = ['say "so"', "a\\b", "two\nlines", "时间 × …", "a\ttab", "%n thing(s)"]
    root = tmp_path / "root"
    (root / "kvdesk").mkdir(parents=True)
    calls = [
        f"self.tr({text!r}, '', 3)" if "%n" in text else f"self.tr({text!r})" for text in texts
    ]
    source = "class Bar:\n    def shown(self):\n        " + "\n        ".join(calls)
    (root / "kvdesk" / "bar.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(script, "ROOT", root)
    script.update(tmp_path / "ts")
    assert {text for _, text in messages(tmp_path / "ts", "zh_CN")} == set(texts)
    assert list(messages(tmp_path / "ts", "en")) == [("Bar", "%n thing(s)")]
