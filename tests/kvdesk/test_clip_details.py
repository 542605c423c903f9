from __future__ import annotations

import pytest
from clip_folders import clip_info, make_clip
from PySide6.QtCore import Qt
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from kvdesk.clip_records import read_clip
from kvdesk.form import Form
from kvdesk.ui.clip_details import ClipDetails


@pytest.fixture
def undo_stack(qapp):  # noqa: ARG001 - there has to be an application
    stack = QUndoStack()
    yield stack
    stack.clear()  # it would tell a form that is gone already


@pytest.fixture
def form(undo_stack, tmp_path):
    return Form(tmp_path / "form.json", undo_stack)


@pytest.fixture
def details(qtbot, themed, form):  # noqa: ARG001 - widgets read the theme
    details = ClipDetails(form)
    qtbot.addWidget(details)
    details.resize(320, 700)
    details.show()
    return details


@pytest.fixture
def clip(tmp_path):
    clips = tmp_path / "clips"
    make_clip(clips, "one", prompt="A <b>panda</b>")
    return read_clip(clips / "one", is_binned=False).record(clips)


def texts(details):
    QApplication.processEvents()  # what is new in a layout is shown then
    return [label.text() for label in details.findChildren(QLabel) if label.isVisibleTo(details)]


def buttons(details, text):
    QApplication.processEvents()
    found = [b for b in details.findChildren(QPushButton) if b.text() == text]
    return [b for b in found if b.isVisibleTo(details)]


@pytest.mark.parametrize("eight_bit", [False, True])
def test_weights_in_8_bit_are_told_of_the_clips_that_were_allowed_them(
    details, tmp_path, eight_bit
):
    make_clip(tmp_path, "one", eight_bit=eight_bit)
    details.show_clip(read_clip(tmp_path / "one", is_binned=False).record(tmp_path))
    shown = texts(details)
    assert ("Weights" in shown) is eight_bit
    assert ("8 bit where exact ones did not fit" in shown) is eight_bit


def test_the_prompt_is_plain_text_that_can_be_selected(details, clip):
    details.show_clip(clip)
    prompts = [w for w in details.findChildren(QLabel) if w.text() == "A <b>panda</b>"]
    assert prompts[0].textInteractionFlags() & Qt.TextInteractionFlag.TextSelectableByKeyboard
    for label in details.findChildren(QLabel):
        if "panda" in label.text():
            assert label.textFormat() is Qt.TextFormat.PlainText


def test_the_facts_of_the_clip_are_shown(details, clip):
    details.show_clip(clip)
    shown = texts(details)
    assert "64 × 64" in shown
    assert "45" in shown
    assert "482\u202f193" in shown
    assert "Demo model" in shown
    times = [text.replace("\N{NO-BREAK SPACE}", " ") for text in shown]
    assert "Text 0.4 s · Motion 1 min 23 s" in times


def test_a_row_takes_over_its_field_alone(details, clip, form, qtbot):
    form.restore(clip.info.request)
    form.edit("Prompt", prompt="A dog")
    details.show_clip(clip)
    (button,) = buttons(details, "Use")
    assert button.accessibleName() == "Use Prompt: A <b>panda</b>"
    with qtbot.waitSignal(details.restore_requested) as wanted:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert wanted.args == ["one", frozenset({"prompt"})]


def test_use_all_takes_over_everything(details, clip, qtbot):
    details.show_clip(clip)
    (button,) = buttons(details, "Use all")
    button.setFocus()
    with qtbot.waitSignal(details.restore_requested) as wanted:
        qtbot.keyClick(button, Qt.Key.Key_Space)
    assert wanted.args == ["one", None]


def test_the_rows_follow_the_form_and_so_do_the_keys(details, clip, form, qtbot):
    form.restore(clip.info.request)
    form.edit("Prompt", prompt="A dog", seed=3)
    details.show_clip(clip)
    assert "Not the same as the form" in texts(details)
    details.activateWindow()
    first = buttons(details, "Use")[0]
    first.setFocus()
    qtbot.waitUntil(first.hasFocus)
    details.restore_requested.connect(lambda _, fields: form.restore(clip.info.request, fields))
    qtbot.keyClick(first, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(buttons(details, "Use")) == 1)
    assert buttons(details, "Use")[0].hasFocus()
    qtbot.keyClick(buttons(details, "Use")[0], Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: "Same as the form" in texts(details))
    assert buttons(details, "Use all") == []


def test_another_model_is_shown_and_not_offered(details, form, tmp_path):
    make_clip(tmp_path / "clips", "two", model="Kandinsky")
    other = read_clip(tmp_path / "clips" / "two", is_binned=False).record(tmp_path / "clips")
    form.restore(other.info.request)
    details.show_clip(other)
    assert "Kandinsky" in texts(details)
    assert buttons(details, "Use") == []


def test_a_key_frame_and_a_clip_of_a_newer_kvdesk_say_so(details, tmp_path):
    clips = tmp_path / "clips"
    make_clip(clips, "key", num_frames=0, has_key_frame=True, format_version=7)
    details.show_clip(read_clip(clips / "key", is_binned=False).record(clips))
    assert "key frame only" in texts(details)
    assert any("newer kvdesk" in text for text in texts(details))


def test_no_clip_shows_no_facts(details, clip):
    details.show_clip(clip)
    details.show_clip(None)
    assert texts(details) == ["Details"]


def test_a_prompt_of_ten_thousand_letters_is_cut_where_it_is_compared(details, tmp_path):
    clips = tmp_path / "clips"
    make_clip(clips, "long", request=clip_info("long " * 2000).request)
    details.show_clip(read_clip(clips / "long", is_binned=False).record(clips))
    (button,) = (b for b in buttons(details, "Use") if "Prompt" in b.accessibleName())
    assert len(button.accessibleName()) < 400


def test_closing_is_a_wish(details, qtbot):
    (button,) = (b for b in details.findChildren(object) if _is_close(b))
    with qtbot.waitSignal(details.closed):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def _is_close(widget):
    name = getattr(widget, "accessibleName", str)
    return name() == "Close the details"
