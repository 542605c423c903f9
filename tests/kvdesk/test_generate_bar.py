"""The bottom of the form: does it fit, how long, and the button."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from kvdesk.estimates import Estimate, spoken_seconds
from kvdesk.form_questions import PlanView
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
    return re.sub(r"<[^>]+>", "", bar._words.text())


def plan(*, fits, needed, free, seconds=None):
    return PlanView(
        fits=fits,
        needed_bytes=round(needed * GIGABYTE),
        free_bytes=round(free * GIGABYTE),
        estimate=Estimate(total_seconds=seconds),
    )


def test_a_clip_that_fits_is_green_with_its_memory_and_its_time(bar):
    bar.show_plan(plan(fits=True, needed=2.9, free=5.4, seconds=250))
    assert words(bar) == f"Fits: 2.9 of 5.4 GB free · {spoken_seconds(250)}"
    assert theme().tokens.fits in bar._words.text()
    assert theme().tokens.fits in bar._dot.styleSheet()


def test_a_clip_that_may_not_fit_is_amber(bar):
    bar.show_plan(plan(fits=False, needed=6.1, free=5.4))
    assert words(bar) == (
        "May not fit: needs 6.1, 5.4 GB free · time is known after the first clip"
    )
    assert theme().tokens.careful in bar._words.text()


@pytest.mark.parametrize("unknown", [None, PlanView()])
def test_as_long_as_nobody_knows_it_says_so(bar, unknown):
    bar.show_plan(unknown)
    assert words(bar) == "Looking…"


def test_the_last_answer_stays_muted_while_the_next_is_awaited(qtbot, bar):
    known = plan(fits=True, needed=2.9, free=5.4)
    bar.show_plan(known)
    said = words(bar)
    qtbot.waitExposed(bar)
    height = bar.sizeHint().height()
    bar.show_plan(replace(known, fits=None))
    assert words(bar) == said
    assert theme().tokens.fits not in bar._words.text()
    assert theme().tokens.muted in bar._words.text()
    assert theme().tokens.muted in bar._dot.styleSheet()
    assert bar.sizeHint().height() == height
    bar.show_plan(plan(fits=False, needed=6.1, free=5.4))
    assert words(bar).startswith("May not fit")
    assert theme().tokens.muted not in bar._words.text()


def test_where_there_is_no_answer_the_last_one_goes(bar):
    bar.show_plan(plan(fits=True, needed=2.9, free=5.4))
    bar.show_plan(PlanView())
    assert words(bar) == "Looking…"


def test_the_colours_follow_the_theme(bar):
    bar.show_plan(plan(fits=True, needed=2.9, free=5.4))
    theme().use(ThemeChoice.LIGHT)
    assert theme().tokens.fits in bar._words.text()


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
