"""The bottom of the form: does it fit, how long, and the button."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from kvdesk.estimates import Estimate, spoken_seconds
from kvdesk.form_questions import AWAITED, PlanView
from kvdesk.ui import generate_bar
from kvdesk.ui.generate_bar import GenerateBar
from kvdesk.ui.theme import ThemeChoice, theme

pytestmark = pytest.mark.usefixtures("themed")

GIGABYTE = 1 << 30


@pytest.fixture
def bar(qtbot):
    made = GenerateBar()
    qtbot.addWidget(made)
    made.resize(360, 140)
    made.show()
    return made


def words(bar):
    return bar._words.text()


def plan(*, fits, needed, free, seconds=None, planned_seconds=None):
    return PlanView(
        planned_seconds=planned_seconds,
        fits=fits,
        needed_bytes=round(needed * GIGABYTE),
        free_bytes=round(free * GIGABYTE),
        estimate=Estimate(total_seconds=seconds),
    )


def test_a_clip_that_fits_is_green_with_its_memory_and_its_time(bar):
    bar.show_plan(plan(fits=True, needed=2.9, free=5.4, seconds=250))
    assert words(bar) == f"Fits: 2.9 of 5.4 GB free · {spoken_seconds(250)}"
    assert theme().tokens.fits in bar._dot.styleSheet()
    assert theme().tokens.fits in bar._dot.styleSheet()


def test_seconds_that_nobody_has_measured_are_called_planned(bar):
    bar.show_plan(plan(fits=True, needed=2.9, free=5.4, planned_seconds=240))
    assert words(bar) == "Fits: 2.9 of 5.4 GB free · about 4 min, planned"
    bar.show_plan(plan(fits=True, needed=2.9, free=5.4, seconds=250, planned_seconds=240))
    assert words(bar).endswith(spoken_seconds(250))


def test_a_clip_that_may_not_fit_is_amber_and_says_what_to_do(bar):
    bar.show_plan(plan(fits=False, needed=6.1, free=5.4))
    assert words(bar) == (
        "May not fit: needs 6.1, 5.4 GB free · make it smaller or close other programs"
    )
    assert theme().tokens.careful in bar._dot.styleSheet()


@pytest.mark.parametrize("unknown", [None, AWAITED])
def test_as_long_as_nobody_knows_it_says_so(bar, unknown):
    bar.show_plan(unknown)
    assert words(bar) == "Planning…"


def test_while_an_answer_is_awaited_nothing_of_the_last_one_is_said_and_nothing_moves(qtbot, bar):
    bar.show_plan(plan(fits=False, needed=6.1, free=5.4))
    qtbot.waitExposed(bar)
    height = bar.layout().totalHeightForWidth(bar.width())
    for _ in range(2):  # the clip changes again before there is an answer
        bar.show_plan(AWAITED)
        assert words(bar) == "Planning…"
        assert theme().tokens.careful not in bar._dot.styleSheet()
        assert theme().tokens.muted in bar._dot.styleSheet()
        assert theme().tokens.muted in bar._dot.styleSheet()
        assert bar.layout().totalHeightForWidth(bar.width()) == height
    bar.show_plan(plan(fits=True, needed=2.9, free=5.4, seconds=10))
    assert words(bar).startswith("Fits")
    assert theme().tokens.muted not in bar._dot.styleSheet()
    assert bar.layout().totalHeightForWidth(bar.width()) < height


def test_where_there_is_no_answer_the_last_one_goes(bar):
    bar.show_plan(plan(fits=True, needed=2.9, free=5.4))
    bar.show_plan(PlanView())
    assert words(bar) == "It is not known whether this fits."


def test_that_it_does_not_fit_is_heard_once_and_not_with_every_move_of_a_slider(bar, monkeypatch):
    heard = []
    monkeypatch.setattr(generate_bar, "announce", lambda _widget, text: heard.append(text))
    for needed in (6.1, 6.2):
        bar.show_plan(AWAITED)
        bar.show_plan(plan(fits=False, needed=needed, free=5.4))
    assert len(heard) == 1
    bar.show_plan(plan(fits=True, needed=2.9, free=5.4))
    bar.show_plan(plan(fits=False, needed=6.1, free=5.4))
    assert len(heard) == 2


def test_the_colours_follow_the_theme(bar):
    bar.show_plan(plan(fits=True, needed=2.9, free=5.4))
    theme().use(ThemeChoice.LIGHT)
    assert theme().tokens.fits in bar._dot.styleSheet()


@pytest.mark.parametrize("name", ["cousins", "key_frames", "motion_map"])
def test_the_menu_asks_for_several_at_once(qtbot, bar, name):
    qtbot.mouseClick(bar.more, Qt.MouseButton.LeftButton)
    assert bar.menu.isVisible()
    entry = bar.menu.button(name)
    assert entry.accessibleName()
    assert entry.accessibleDescription()
    with qtbot.waitSignal(getattr(bar, f"{name}_requested"), timeout=1000):
        qtbot.mouseClick(entry, Qt.MouseButton.LeftButton)
    assert not bar.menu.isVisible()


def test_the_button_asks_for_a_clip(qtbot, bar):
    with qtbot.waitSignal(bar.generate_requested, timeout=1000):
        qtbot.mouseClick(bar.button, Qt.MouseButton.LeftButton)


def test_the_button_says_when_a_clip_has_to_wait(bar):
    assert bar.button.text() == "Generate"
    bar.set_busy(True)
    assert bar.button.text() == "Add to the queue"


def test_a_job_that_is_edited_is_saved_or_left_alone(qtbot, bar):
    bar.set_busy(True)
    bar.show_editing(True)
    assert bar.button.text() == "Save changes"
    assert not bar.more.isVisible()
    with qtbot.waitSignal(bar.cancel_editing_requested, timeout=1000):
        qtbot.mouseClick(bar._cancel, Qt.MouseButton.LeftButton)
    bar.show_editing(False)
    assert bar.button.text() == "Add to the queue"
    assert bar.more.isVisible()
    assert not bar._cancel.isVisible()


def test_the_keys_are_shown_where_they_leave_the_text_alone(qtbot, bar):
    bar.resize(400, 140)
    qtbot.waitUntil(bar.button._keys.isVisible)
    assert "Return" in bar.button._keys.text()
    bar.resize(190, 140)
    qtbot.waitUntil(lambda: not bar.button._keys.isVisible())
