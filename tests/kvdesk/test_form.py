from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QUndoStack

from engine.api import (
    ClipDefaults,
    CropBox,
    Fps,
    FrameSize,
    GenerateRequest,
    GuidanceScales,
    ModelInfo,
    Motion,
    PictureRequest,
    Sampler,
    SamplingSettings,
)
from engine.errors import InvalidRequest
from kvdesk import form_edit
from kvdesk.form import Form, FormValues, PictureChoice, Preset

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

DEMO = ModelInfo(
    name="demo",
    folder="/models/demo",
    description="A toy.",
    text_encoder_8bit=False,
    size_multiple=32,
    defaults=ClipDefaults(
        size=FrameSize(width=64, height=64),
        sampling=SamplingSettings(sampler=Sampler.DPM_SOLVER, steps=20, interpolation_steps=8),
        guidance=GuidanceScales(key_frame=8.0, prompt=4.0, image=3.0),
    ),
)
REAL = replace(DEMO, name="kandinsky", size_multiple=64, defaults=ClipDefaults())
PICTURE = PictureChoice(
    path="/p/cat.png",
    width=800,
    height=600,
    preview="/c/1.png",
    crop=CropBox(left=0, top=0, right=600, bottom=600),
)
REQUEST = GenerateRequest(
    prompt="a dog",
    negative_prompt="rain",
    picture=PictureRequest(path="/p/dog.png", crop=CropBox(left=1, top=2, right=30, bottom=40)),
    seed=1234,
    size=FrameSize(width=640, height=384),
    fps=Fps.HIGH,
    motion=Motion.LOW,
    noise_augmentation=50,
    guidance=GuidanceScales(key_frame=1, prompt=2, image=3, interpolation=4),
    sampling=SamplingSettings(sampler=Sampler.UNIPC, steps=11, interpolation_steps=12),
)


@pytest.fixture
def stack(qapp: object) -> QUndoStack:  # noqa: ARG001 - there has to be an application
    return QUndoStack()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "form.json"


@pytest.fixture
def form(path: Path, stack: QUndoStack) -> Form:
    form = Form(path, stack)
    form.use_model(DEMO)
    return form


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(form_edit, "monotonic", clock)
    return clock


# Edits and undo


def test_an_edit_is_told_and_named_in_the_undo_stack(
    form: Form, stack: QUndoStack, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(form.changed, timeout=500) as told:
        form.edit("Words", prompt="a cat", fps=Fps.HIGH)

    assert told.args == [form.values]
    assert (form.values.prompt, form.values.fps) == ("a cat", Fps.HIGH)
    assert stack.undoText() == "Words"


def test_undo_and_redo_go_over_all_kinds_of_values(form: Form, stack: QUndoStack) -> None:
    start = form.values
    form.edit("Picture", picture=PICTURE)
    form.edit("Crop", picture=replace(PICTURE, crop=None))
    form.edit("Size", size=FrameSize(width=96, height=64))
    form.edit("Prompt guidance", prompt_guidance=7.5)
    form.edit("Steps", steps=12)
    form.edit("Lock", seed_is_locked=True)
    end = form.values
    seen: list[FormValues] = []
    form.changed.connect(seen.append)

    for _ in range(stack.count()):
        stack.undo()
    assert form.values == start
    assert seen[4].picture == PICTURE
    assert len(seen) == 6

    for _ in range(stack.count()):
        stack.redo()
    assert form.values == end


def test_fields_inside_others_are_set_by_their_own_names(form: Form) -> None:
    form.edit(
        "All",
        key_frame_guidance=1.5,
        prompt_guidance=2.5,
        image_guidance=3.5,
        interpolation_guidance=4.5,
        steps=5,
        interpolation_steps=6,
        sampler=Sampler.DDIM,
    )

    assert form.values.guidance == GuidanceScales(
        key_frame=1.5, prompt=2.5, image=3.5, interpolation=4.5
    )
    assert form.values.sampling == SamplingSettings(
        sampler=Sampler.DDIM, steps=5, interpolation_steps=6
    )


def test_an_edit_that_changes_nothing_is_no_step(
    form: Form, stack: QUndoStack, qtbot: QtBot
) -> None:
    with qtbot.assertNotEmitted(form.changed):
        form.edit("Same", prompt="", steps=20, guidance=DEMO.defaults.guidance, picture=None)

    assert stack.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 0},
        {"interpolation_steps": 1000},
        {"seed": -1},
        {"noise_augmentation": 1000},
        {"image_guidance": 101.0},
        {"prompt": "x" * 10_001},
        {"negative_prompt": "half a smile \ud83d"},
        {"picture": replace(PICTURE, path="a\0b")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_value_that_cannot_be_is_refused_before_anything_changes(
    form: Form, stack: QUndoStack, change: dict[str, object]
) -> None:
    before = form.values

    with pytest.raises(InvalidRequest):
        form.edit("Two things", motion=Motion.LOW, **change)

    assert form.values == before
    assert stack.count() == 0


def test_a_field_that_does_not_exist_is_refused(form: Form) -> None:
    with pytest.raises(TypeError):
        form.edit("Sound", volume=11)


def test_a_model_is_not_set_by_its_name(form: Form) -> None:
    with pytest.raises(ValueError, match="use_model"):
        form.edit("Model", model="kandinsky")


def test_edits_of_the_same_kind_shortly_after_one_another_are_one_step(
    form: Form, stack: QUndoStack, clock: Clock
) -> None:
    for text in ("a", "a c", "a cat"):
        form.edit("Prompt", merge="prompt", prompt=text)
        clock.seconds += 1.4

    assert stack.count() == 1
    stack.undo()
    assert form.values.prompt == ""
    stack.redo()
    assert form.values.prompt == "a cat"


def test_a_pause_begins_a_new_step(form: Form, stack: QUndoStack, clock: Clock) -> None:
    form.edit("Prompt", merge="prompt", prompt="a")
    clock.seconds += 1.6
    form.edit("Prompt", merge="prompt", prompt="a cat")

    stack.undo()
    assert form.values.prompt == "a"


@pytest.mark.parametrize("other", ["", "steps"])
@pytest.mark.usefixtures("clock")
def test_edits_of_another_kind_are_steps_of_their_own(
    form: Form, stack: QUndoStack, other: str
) -> None:
    form.edit("Prompt", merge="prompt", prompt="a cat")
    form.edit("Steps", merge=other, steps=30)
    form.edit("Steps", merge=other, steps=31)
    form.edit("Prompt", merge="prompt", prompt="a dog")

    assert stack.count() == (4 if other == "" else 3)
    stack.undo()
    assert form.values.prompt == "a cat"


@pytest.mark.usefixtures("clock")
def test_typing_and_taking_it_back_leaves_no_step(
    form: Form, stack: QUndoStack, qtbot: QtBot
) -> None:
    form.edit("Prompt", merge="prompt", prompt="a")
    with qtbot.waitSignal(form.changed, timeout=500):
        form.edit("Prompt", merge="prompt", prompt="")

    assert form.values.prompt == ""
    assert stack.count() == 0
    form.edit("Prompt", merge="prompt", prompt="b")
    stack.undo()
    assert form.values.prompt == ""


@pytest.mark.usefixtures("clock")
def test_who_listens_may_edit_in_turn_and_join_the_step(form: Form, stack: QUndoStack) -> None:
    """A crop that has to follow the size, for one."""

    def follow(values: FormValues) -> None:
        form.edit("Follow", merge="both", negative_prompt=values.prompt)

    form.changed.connect(follow)
    form.edit("Prompt", merge="both", prompt="a")
    assert form.values.negative_prompt == "a"
    assert stack.count() == 1

    stack.undo()
    assert (form.values.prompt, form.values.negative_prompt) == ("", "")
    stack.redo()
    assert (form.values.prompt, form.values.negative_prompt) == ("a", "a")
    assert stack.count() == 1


def test_who_listens_to_an_undo_may_edit_in_turn(form: Form, stack: QUndoStack) -> None:
    form.edit("Prompt", prompt="a")
    form.edit("Steps", steps=30)
    form.changed.connect(lambda _: form.edit("Follow", motion=Motion.LOW))

    stack.undo()

    assert (form.values.sampling.steps, form.values.motion) == (20, Motion.LOW)
    assert stack.undoText() == "Follow"
    assert stack.count() == 2


def test_a_form_that_is_gone_leaves_the_stack_in_order(path: Path, stack: QUndoStack) -> None:
    form = Form(path, stack)
    form.edit("Prompt", prompt="a")
    del form

    stack.undo()
    stack.redo()
    assert stack.count() == 1


def test_other_steps_of_the_same_stack_are_told_to_nobody(
    form: Form, stack: QUndoStack, qtbot: QtBot
) -> None:
    from PySide6.QtGui import QUndoCommand

    form.edit("Prompt", merge="prompt", prompt="a")
    with qtbot.assertNotEmitted(form.changed):
        stack.push(QUndoCommand("Something else"))
        stack.undo()


# Models


def test_the_first_model_gives_its_usual_values(path: Path, stack: QUndoStack) -> None:
    form = Form(path, stack)
    assert form.model is None
    form.use_model(DEMO)

    assert form.model == DEMO
    assert form.values.model == "demo"
    assert form.values.size == DEMO.defaults.size
    assert form.values.guidance == DEMO.defaults.guidance
    assert form.values.sampling == DEMO.defaults.sampling
    assert stack.count() == 0


def test_another_model_is_told_with_the_values_already_its_own(form: Form) -> None:
    told: list[tuple[str, str]] = []
    form.model_changed.connect(lambda info: told.append((info.name, form.values.model)))
    form.changed.connect(lambda values: told.append(("values", values.model)))

    form.use_model(REAL)

    assert told == [("kandinsky", "kandinsky"), ("values", "kandinsky")]


def test_the_same_model_again_changes_nothing(form: Form, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(form.changed), qtbot.assertNotEmitted(form.model_changed):
        form.use_model(DEMO)


def test_usual_values_become_those_of_the_new_model_and_chosen_ones_stay(form: Form) -> None:
    form.edit("Some", prompt="a cat", prompt_guidance=7.0, steps=33, seed=5, fps=Fps.LOW)

    form.use_model(REAL)

    assert form.values.size == FrameSize(width=512, height=512)
    assert form.values.guidance == GuidanceScales(prompt=7.0)
    assert form.values.sampling == SamplingSettings(steps=33)
    assert (form.values.prompt, form.values.seed, form.values.fps) == ("a cat", 5, Fps.LOW)


def test_a_wide_clip_stays_wide_and_a_preset_stays_that_preset(form: Form) -> None:
    form.edit("Wide", size=FrameSize(width=96, height=64))
    form.use_preset(Preset.QUICK)

    form.use_model(REAL)

    assert form.values.size == FrameSize(width=640, height=384)
    assert form.preset() is Preset.QUICK


def test_a_chosen_size_stays_and_is_a_problem_where_it_does_not_fit(form: Form) -> None:
    form.edit("Prompt", prompt="a cat", size=FrameSize(width=160, height=96))
    assert form.problems() == []

    form.use_model(REAL)

    assert form.values.size == FrameSize(width=160, height=96)
    assert [problem.field for problem in form.problems()] == ["size"]


def test_undo_after_another_model_gives_back_the_step_and_not_the_model(
    form: Form, stack: QUndoStack
) -> None:
    form.edit("Prompt", prompt="a cat")
    form.use_model(REAL)
    stack.undo()

    assert form.values.prompt == ""
    assert form.values.model == "kandinsky"
    assert form.values.size == FrameSize(width=512, height=512)
    stack.redo()
    assert form.values.prompt == "a cat"
    assert form.values.sampling == SamplingSettings()


# Presets, seeds, clips


def test_a_preset_is_one_step_of_undo(form: Form, stack: QUndoStack) -> None:
    form.use_preset(Preset.SMOOTH)
    assert form.preset() is Preset.SMOOTH
    assert stack.undoText() == "Smooth"

    stack.undo()
    assert form.preset() is Preset.STANDARD


def test_a_change_of_the_steps_leaves_the_preset(form: Form) -> None:
    form.edit("Steps", steps=21)

    assert form.preset() is None


def test_before_there_is_a_model_there_are_no_presets(path: Path, stack: QUndoStack) -> None:
    form = Form(path, stack)
    form.use_preset(Preset.QUICK)

    assert form.preset() is None
    assert stack.count() == 0
    assert [problem.field for problem in form.problems()] == ["model", "prompt"]


def test_a_rolled_seed_can_be_taken_back(form: Form, stack: QUndoStack) -> None:
    form.edit("Seed", seed=5)
    form.roll_seed()
    assert form.values.seed != 5

    stack.undo()
    assert form.values.seed == 5


def test_the_seed_after_a_clip_is_new_told_and_no_step(
    form: Form, stack: QUndoStack, qtbot: QtBot
) -> None:
    form.edit("Prompt", prompt="a cat")
    seed = form.values.seed
    with qtbot.waitSignal(form.changed, timeout=500):
        form.next_seed()
    new_seed = form.values.seed

    assert new_seed != seed
    assert stack.count() == 1
    stack.undo()
    assert (form.values.prompt, form.values.seed) == ("", new_seed)


def test_a_locked_seed_stays_for_the_next_clip(form: Form, qtbot: QtBot) -> None:
    form.edit("Lock", seed=5, seed_is_locked=True)
    with qtbot.assertNotEmitted(form.changed):
        form.next_seed()

    assert form.values.seed == 5


def test_all_settings_of_a_clip_come_back_in_one_step(form: Form, stack: QUndoStack) -> None:
    before = form.values
    form.restore(REQUEST)

    assert form.values.to_request() == REQUEST
    assert form.values.model == "demo"
    assert stack.count() == 1
    stack.undo()
    assert form.values == before


def test_only_the_named_settings_of_a_clip_are_taken_over(form: Form) -> None:
    before = form.values
    form.restore(REQUEST, frozenset({"seed", "image_guidance", "model"}))

    assert form.values == replace(before, seed=1234, guidance=replace(before.guidance, image=3.0))


def test_one_setting_of_a_clip_gives_its_name_to_the_step(form: Form, stack: QUndoStack) -> None:
    form.restore(REQUEST, frozenset({"fps"}))
    assert stack.undoText() == "Smoothness"

    form.restore(REQUEST)
    assert stack.undoText() == "Settings of a clip"


def test_a_setting_that_does_not_exist_is_not_taken_over(form: Form) -> None:
    with pytest.raises(ValueError, match="volume"):
        form.restore(REQUEST, frozenset({"seed", "volume"}))


def test_a_clip_without_a_picture_takes_the_picture_away(form: Form, stack: QUndoStack) -> None:
    form.edit("Picture", picture=PICTURE)
    form.restore(replace(REQUEST, picture=None))
    assert form.values.picture is None

    stack.undo()
    assert form.values.picture == PICTURE


def test_the_picture_of_a_clip_is_to_be_opened_and_then_known(
    form: Form, stack: QUndoStack, qtbot: QtBot
) -> None:
    form.restore(REQUEST)
    picture = form.values.picture
    assert picture is not None
    assert not picture.is_opened

    with qtbot.assertNotEmitted(form.changed):
        form.picture_opened("/p/other.png", width=9, height=9, preview="/c/9.png")
    with qtbot.waitSignal(form.changed, timeout=500):
        form.picture_opened("/p/dog.png", width=90, height=80, preview="/c/2.png")

    assert form.values.picture == replace(picture, width=90, height=80, preview="/c/2.png")
    assert stack.count() == 1


def test_the_picture_that_is_already_chosen_needs_no_opening(form: Form) -> None:
    form.edit("Picture", picture=PICTURE)
    form.restore(replace(REQUEST, picture=PictureRequest(path=PICTURE.path)))

    assert form.values.picture == replace(PICTURE, crop=None)


# Restarts


def test_all_values_survive_a_restart_with_the_same_model(form: Form, path: Path) -> None:
    form.restore(REQUEST)
    form.edit("Picture", picture=PICTURE, seed_is_locked=True)
    form.flush()

    again = Form(path, QUndoStack())
    assert again.values == form.values
    again.use_model(DEMO)
    assert again.values == form.values


def test_another_model_than_the_last_time_gives_its_usual_values(form: Form, path: Path) -> None:
    form.edit("Some", prompt="a cat", steps=33)
    form.flush()

    again = Form(path, QUndoStack())
    again.use_model(REAL)

    assert again.values.prompt == "a cat"
    assert again.values.sampling == REAL.defaults.sampling
    assert again.values.size == REAL.defaults.size


def test_a_change_is_soon_written_without_being_asked(form: Form, path: Path, qtbot: QtBot) -> None:
    form.edit("Prompt", prompt="红色的圆")
    assert not path.exists()

    qtbot.waitUntil(path.exists, timeout=2000)

    assert Form(path, QUndoStack()).values.prompt == "红色的圆"


def test_what_was_undone_is_not_there_after_a_restart(
    form: Form, path: Path, stack: QUndoStack
) -> None:
    form.edit("Prompt", prompt="a cat")
    form.flush()
    stack.undo()
    form.flush()

    assert Form(path, QUndoStack()).values.prompt == ""


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: "{",
        lambda _: "[]",
        lambda _: "{}",
        lambda data: {**data, "version": 2},
        lambda data: {**data, "values": None},
        lambda data: {**data, "values": {**data["values"], "steps": 3}},
        lambda data: {**data, "values": {**data["values"], "seed": -1}},
        lambda data: {**data, "values": {**data["values"], "fps": "often"}},
        lambda data: {**data, "values": {**data["values"], "size": {"width": 9, "height": 8}}},
        lambda data: {**data, "values": {**data["values"], "picture": {"path": "x"}}},
    ],
)
def test_a_damaged_or_foreign_file_gives_a_form_to_begin_with(
    form: Form, path: Path, damage: object
) -> None:
    form.edit("Prompt", prompt="a cat", picture=PICTURE)
    form.flush()
    assert callable(damage)
    damaged = damage(json.loads(path.read_text()))
    path.write_text(damaged if isinstance(damaged, str) else json.dumps(damaged))

    again = Form(path, QUndoStack())

    assert again.values == FormValues(size=FrameSize(width=512, height=512), seed=again.values.seed)
    again.use_model(DEMO)
    assert again.values.size == DEMO.defaults.size
