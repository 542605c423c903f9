"""The further settings: they show the form, edit it in steps, and say what is unusual."""

from __future__ import annotations

import pytest
from form_parts import BIG, SMALL, a_form
from PySide6.QtCore import Qt

from engine.api import GuidanceScales, Sampler
from kvdesk.form_fields import field_help, field_label
from kvdesk.ui.more_settings import MoreSettings

pytestmark = pytest.mark.usefixtures("themed")

FIELDS = {
    "negative_prompt",
    "noise_augmentation",
    "key_frame_guidance",
    "prompt_guidance",
    "image_guidance",
    "interpolation_guidance",
    "steps",
    "interpolation_steps",
    "sampler",
    "model",
}


@pytest.fixture
def more(qtbot, tmp_path):
    with a_form(tmp_path) as (form, stack):
        made = MoreSettings(form)
        qtbot.addWidget(made)
        made.form, made.stack = form, stack
        form.changed.connect(made.show_values)
        made.set_models([BIG, SMALL])
        made.resize(340, 1200)
        made.set_open(True)
        made.show()
        yield made


def test_every_setting_is_there_with_its_name_and_its_line(more):
    assert set(more.fields) == FIELDS
    for name, field in more.fields.items():
        assert field.control.accessibleName() == field_label(name)
        assert field._help.text() == field_help(name)
        assert field._help.isVisible()


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("noise_augmentation", lambda values: values.noise_augmentation),
        ("key_frame_guidance", lambda values: values.guidance.key_frame),
        ("prompt_guidance", lambda values: values.guidance.prompt),
        ("image_guidance", lambda values: values.guidance.image),
        ("interpolation_guidance", lambda values: values.guidance.interpolation),
        ("steps", lambda values: values.sampling.steps),
        ("interpolation_steps", lambda values: values.sampling.interpolation_steps),
    ],
)
def test_a_typed_number_goes_to_its_field_of_the_form(qtbot, more, name, read):
    box = more._numbers[name]._box
    box.selectAll()
    qtbot.keyClicks(box, "7")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert read(more.form.values) == 7
    assert more.stack.undoText() == field_label(name)


def test_moves_of_one_slider_are_one_step_of_undo(qtbot, more):
    for _ in range(5):
        qtbot.keyClick(more._numbers["steps"]._slider, Qt.Key.Key_Right)
    assert more.form.values.sampling.steps == 55
    assert more.stack.count() == 1
    more.stack.undo()
    assert more._numbers["steps"].value == 50


def test_the_negative_prompt_goes_to_the_form_and_comes_back_by_undo(qtbot, more):
    qtbot.keyClicks(more._negative, "text")
    assert more.form.values.negative_prompt == "text"
    more.stack.undo()
    assert more._negative.text == ""


def test_a_sampler_is_chosen_with_a_click(qtbot, more):
    index = list(Sampler).index(Sampler.UNIPC)
    qtbot.mouseClick(more._sampler.button(index), Qt.MouseButton.LeftButton)
    assert more.form.values.sampling.sampler is Sampler.UNIPC


def test_another_model_is_asked_for_and_not_taken(qtbot, more):
    assert more._model.currentText() == "big"
    with qtbot.waitSignal(more.model_requested) as asked:
        qtbot.keyClick(more._model, Qt.Key.Key_Down)
    assert asked.args == [SMALL]
    assert more.form.values.model == "big"


def test_models_are_offered_without_choosing_one(qtbot, more):
    with qtbot.assertNotEmitted(more.model_requested):
        more.set_models([SMALL, BIG])
    assert more._model.currentText() == "big"


def test_the_defaults_come_back_in_one_step(qtbot, more):
    assert not more._defaults.isEnabled()
    more.form.edit("x", noise_augmentation=300, guidance=GuidanceScales(prompt=9), steps=3)
    assert more._defaults.isEnabled()
    qtbot.mouseClick(more._defaults, Qt.MouseButton.LeftButton)
    values = more.form.values
    assert values.guidance == BIG.defaults.guidance
    assert values.sampling == BIG.defaults.sampling
    assert values.noise_augmentation == 20
    assert not more._defaults.isEnabled()
    more.stack.undo()
    assert more.form.values.noise_augmentation == 300


def test_a_caution_stands_under_its_control(more):
    more.show_caution("steps", "Too few.")
    assert more.fields["steps"].caution == "Too few."
    assert more._numbers["steps"]._box.property("caution") == "true"
    more.show_caution("steps", "")
    assert more.fields["steps"].caution == ""
    assert more._numbers["steps"]._box.property("caution") == "false"


def test_without_a_model_there_are_no_defaults_to_go_back_to(qtbot, tmp_path):
    with a_form(tmp_path, model=None) as (form, _stack):
        more = MoreSettings(form)
        qtbot.addWidget(more)
        assert not more._defaults.isEnabled()
