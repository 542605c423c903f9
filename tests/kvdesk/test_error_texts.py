from __future__ import annotations

import pytest
from PySide6.QtCore import QLocale

from engine import errors
from kvdesk.error_texts import error_text


@pytest.fixture
def in_chinese():
    before = QLocale()
    QLocale.setDefault(QLocale("zh_CN"))
    yield
    QLocale.setDefault(before)


def test_in_english_the_worker_speaks_for_itself():
    assert error_text("picture", "cat.png is damaged.") == "cat.png is damaged."


@pytest.mark.usefixtures("in_chinese")
def test_in_another_language_the_kind_of_error_comes_first():
    assert error_text("picture", "cat.png is damaged.") == (
        "The picture cannot be used. cat.png is damaged."
    )


@pytest.mark.usefixtures("in_chinese")
@pytest.mark.parametrize("code", ["worker_died", "restarted", errors.DeviceLost.code])
def test_the_window_s_own_sentence_for_a_death_stands_alone(code):
    assert error_text(code, "Already translated.") == "Already translated."


@pytest.mark.usefixtures("in_chinese")
def test_every_error_of_the_engine_has_its_kind():
    waiting = [errors.EngineError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        if error not in (
            errors.EngineError,
            errors.Cancelled,
            errors.MessageError,
            errors.DeviceLost,  # a death
        ):
            assert error_text(error.code, "") != "", error
