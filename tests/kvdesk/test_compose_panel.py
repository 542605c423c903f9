"""The left column as a whole: the form and the panel show the same, whoever changed it."""

from __future__ import annotations

import pytest
from form_parts import BIG, SMALL, a_form, a_panel, make_picture
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QMainWindow,
)

from engine.api import CropBox, Fps, FrameSize, GuidanceScales, Motion
from kvdesk.form_rules import Preset
from kvdesk.prompt_history import PromptHistory
from kvdesk.ui.compose_panel import ComposePanel
from kvdesk.ui.drops import CLIP_MIME_TYPE

pytestmark = pytest.mark.usefixtures("themed")


@pytest.fixture
def panel(qtbot, tmp_path):
    with a_panel(tmp_path) as made:
        qtbot.addWidget(made)
        yield made


def heard_from(signal):
    heard = []
    signal.connect(lambda *values: heard.append(values))
    return heard


def click(qtbot, widget):
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


# The form is shown


def test_what_changes_in_the_form_shows_everywhere(panel):
    panel.form.edit(
        "x",
        prompt="a cat",
        size=FrameSize(width=640, height=384),
        fps=Fps.HIGH,
        motion=Motion.LOW,
        seed=482193,
        seed_is_locked=True,
        steps=12,
    )
    assert panel.prompt.editor.text == "a cat"
    assert panel.size_picker.tile("wide").isChecked()
    assert panel._fields["size"]._value.text() == "640 × 384"
    assert panel.smoothness.value is Fps.HIGH
    assert panel._fields["fps"]._value.text().startswith("177 frame")
    assert panel.motion.value is Motion.LOW
    assert panel.seed._words.text() == "seed 482\u202f193"
    assert panel.seed._lock.isChecked()
    assert panel.more._numbers["steps"].value == 12


def test_showing_the_form_changes_nothing_in_it(panel):
    values = panel.form.values
    panel._show_values(values)
    QApplication.sendEvent(panel, QEvent(QEvent.Type.LanguageChange))
    assert panel.form.values == values
    assert panel.stack.count() == 0


def test_cautions_stand_beside_their_controls(panel):
    panel.form.edit("x", guidance=GuidanceScales(prompt=50), size=FrameSize(width=2048, height=64))
    assert panel.more.fields["prompt_guidance"].caution
    assert panel._fields["size"].caution
    panel.stack.undo()
    assert not panel.more.fields["prompt_guidance"].caution
    assert not panel._fields["size"].caution


def test_another_model_brings_its_sizes_and_examples(panel):
    panel.form.use_model(SMALL)
    assert panel.size_picker.tile("square").isChecked()
    assert panel._fields["size"]._value.text() == "96 × 96"
    assert panel.prompt._examples == SMALL.defaults.examples


# A person edits


def test_typing_is_one_step_of_undo_that_the_panel_shows(qtbot, panel):
    qtbot.keyClicks(panel.prompt.editor, "a cat")
    assert panel.form.values.prompt == "a cat"
    assert panel.stack.count() == 1
    panel.stack.undo()
    assert panel.prompt.editor.text == ""


def test_each_choice_goes_to_the_form(qtbot, panel):
    assert panel._fields["fps"]._value.text().endswith(" 5.6 s")  # 45 frames, 8 a second
    click(qtbot, panel.smoothness.button(0))
    assert panel._fields["fps"]._value.text().endswith(" 6.0 s")
    click(qtbot, panel.motion.button(3))
    click(qtbot, panel.size_picker.tile("tall"))
    values = panel.form.values
    assert (values.fps, values.motion) == (Fps.LOW, Motion.EXTREME)
    assert values.size.width < values.size.height


@pytest.mark.parametrize(("index", "preset"), list(enumerate(Preset)))
def test_presets_are_taken_and_shown(qtbot, panel, index, preset):
    panel.form.edit("x", fps=Fps.LOW, steps=33)
    assert panel.presets.value is None
    click(qtbot, panel.presets.button(index))
    assert panel.form.preset() is preset
    assert panel.presets.value is preset


def test_the_seed_is_typed_locked_and_rolled(qtbot, panel):
    click(qtbot, panel.seed._words)
    panel.seed._field.selectAll()
    qtbot.keyClicks(panel.seed._field, "12 345")
    qtbot.keyClick(panel.seed._field, Qt.Key.Key_Return)
    assert panel.form.values.seed == 12345
    assert panel.seed._words.isVisible()
    click(qtbot, panel.seed._lock)
    assert panel.form.values.seed_is_locked
    click(qtbot, panel.seed._dice)
    assert panel.form.values.seed != 12345


def test_escape_leaves_the_seed_although_the_window_uses_it_too(qtbot, panel):
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(panel)
    panel.window_around = window  # which ends with it, and not before
    back = QAction("Back", window)
    back.setShortcut("Esc")
    heard = heard_from(back.triggered)
    window.addAction(back)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    seed = panel.form.values.seed
    click(qtbot, panel.seed._words)
    qtbot.keyClicks(panel.seed._field, "99")
    qtbot.keyClick(panel.seed._field, Qt.Key.Key_Escape)
    assert panel.form.values.seed == seed
    assert not panel.seed._field.isVisible()
    assert heard == []


def test_a_seed_that_is_too_large_becomes_the_largest(qtbot, panel):
    click(qtbot, panel.seed._words)
    panel.seed._field.selectAll()
    qtbot.keyClicks(panel.seed._field, "9" * 25)
    qtbot.keyClick(panel.seed._field, Qt.Key.Key_Return)
    assert panel.form.values.seed == 2**63 - 1


def test_the_crop_goes_to_the_form_and_follows_the_size_in_the_same_step(qtbot, panel):
    panel.form.edit("x", picture=make_picture(panel.folder))
    qtbot.keyClick(panel.picture.frame, Qt.Key.Key_Home)
    qtbot.keyClick(panel.picture.frame, Qt.Key.Key_Left)
    assert panel.form.values.picture.crop == CropBox(left=192, top=0, right=992, bottom=800)
    count = panel.stack.count()
    click(qtbot, panel.size_picker.tile("wide"))
    crop = panel.form.values.picture.crop
    assert panel.stack.count() == count + 1
    size = panel.form.values.size
    assert (crop.right - crop.left) / (crop.bottom - crop.top) == pytest.approx(
        size.width / size.height, rel=0.001
    )
    panel.stack.undo()
    assert panel.form.values.picture.crop.left == 192


def test_the_picture_is_removed_as_a_step_of_undo(qtbot, panel):
    panel.form.edit("x", picture=make_picture(panel.folder))
    click(qtbot, panel.picture._remove)
    assert panel.form.values.picture is None
    panel.stack.undo()
    assert panel.form.values.picture is not None


def test_the_tokens_are_counted_for_every_other_prompt_once(qtbot, panel):
    heard = heard_from(panel.token_count_wanted)
    qtbot.keyClicks(panel.prompt.editor, "ab")
    panel.form.edit("x", fps=Fps.LOW)
    assert heard == [("a",), ("ab",)]


def test_a_chosen_model_is_used(qtbot, panel):
    panel.set_more_open(True)
    qtbot.keyClick(panel.more._model, Qt.Key.Key_Down)
    assert panel.form.model == SMALL


def test_opening_the_further_settings_is_told(qtbot, panel):
    heard = heard_from(panel.more_open_changed)
    click(qtbot, panel.more.header)
    panel.set_more_open(False)
    assert heard == [(True,), (False,)]


# Generate


def test_without_a_prompt_the_problem_is_shown_and_nothing_is_asked_for(qtbot, panel):
    heard = heard_from(panel.generate_requested)
    qtbot.waitUntil(panel.isActiveWindow)
    panel.bar.button.setFocus()
    click(qtbot, panel.bar.button)
    assert heard == []
    assert panel.prompt.field.problem
    assert panel.prompt.editor.hasFocus()
    qtbot.keyClicks(panel.prompt.editor, "a")
    assert not panel.prompt.field.problem
    click(qtbot, panel.bar.button)
    panel.request_generate()
    assert heard == [(), ()]


def test_a_problem_shows_only_when_the_button_is_pressed(panel):
    panel.form.edit("x", prompt="a")
    panel.form.edit("x", prompt="")
    assert not panel.prompt.field.problem


def test_without_a_model_the_bar_says_so(qtbot, tmp_path):
    with a_form(tmp_path, model=None) as (form, _stack):
        panel = ComposePanel(form, PromptHistory(tmp_path / "prompts.json"))
        qtbot.addWidget(panel)
        form.edit("x", prompt="a cat")
        heard = heard_from(panel.generate_requested)
        panel.request_generate()
        assert panel.bar.problem
        assert heard == []
        form.use_model(BIG)
        assert not panel.bar.problem
        panel.request_generate()
        assert heard == [()]


@pytest.mark.parametrize("name", ["cousins", "key_frames", "motion_map"])
def test_several_at_once_are_asked_for_unless_there_is_a_problem(qtbot, panel, name):
    heard = heard_from(getattr(panel, f"{name}_requested"))
    click(qtbot, panel.bar.menu.button(name))
    assert heard == []
    panel.form.edit("x", prompt="a cat")
    click(qtbot, panel.bar.menu.button(name))
    assert heard == [()]


# What is brought


def drop(panel, mime):
    place = QPointF(50, 300)
    rest = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton)
    enter = QDragEnterEvent(place.toPoint(), *rest, Qt.KeyboardModifier.NoModifier)
    enter.ignore()
    QApplication.sendEvent(panel, enter)
    lit = panel.picture.zone.property("dropping")
    event = QDropEvent(place, *rest, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    QApplication.sendEvent(panel, event)
    assert event.isAccepted() == enter.isAccepted() == (lit == "true")
    assert panel.picture.zone.property("dropping") == "false"
    return event.isAccepted()


def files(*paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(path) for path in paths])
    return mime


@pytest.mark.parametrize(
    ("paths", "signal", "value"),
    [
        (["/a.png"], "picture_path_chosen", "/a.png"),
        (["/c/frames_12/0012.png"], "picture_path_chosen", "/c/frames_12/0012.png"),
        (["/a.png", "/b.jpg"], "pictures_dropped", ["/a.png", "/b.jpg"]),
        (["/prompts.txt"], "text_file_dropped", "/prompts.txt"),
        (["/clip.mp4"], "video_dropped", "/clip.mp4"),
    ],
)
def test_files_that_are_dropped_are_passed_on(panel, paths, signal, value):
    heard = heard_from(getattr(panel, signal))
    assert drop(panel, files(*paths))
    assert heard == [(value,)]


def test_a_clip_that_is_dropped_is_passed_on(panel):
    heard = heard_from(panel.clip_dropped)
    mime = QMimeData()
    mime.setData(CLIP_MIME_TYPE, b"a-clip")
    assert drop(panel, mime)
    assert heard == [("a-clip",)]


def test_what_is_nothing_for_the_panel_is_not_taken(panel):
    assert not drop(panel, files("/archive.zip"))


@pytest.mark.parametrize("place", ["zone", "editor"])
def test_a_picture_is_pasted_wherever_the_focus_is(qtbot, panel, place):
    image = QImage(4, 3, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    heard = heard_from(panel.picture_pasted)
    widget = panel.picture.zone if place == "zone" else panel.prompt.editor
    widget.setFocus()
    qtbot.keyClick(widget, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert [pasted.size().toTuple() for (pasted,) in heard] == [(4, 3)]
    assert panel.form.values.prompt == ""


def test_pictures_are_chosen_in_a_dialog_that_is_not_waited_for(qtbot, panel):
    heard = heard_from(panel.picture_path_chosen)
    click(qtbot, panel.picture.zone)
    dialog = panel.findChild(QFileDialog)
    assert dialog.isVisible()
    dialog.filesSelected.emit(["/a.png"])
    dialog.close()
    assert heard == [("/a.png",)]
