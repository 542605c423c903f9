from __future__ import annotations

from dataclasses import replace

import pytest

from engine.api import (
    ClipDefaults,
    CropBox,
    Fps,
    FrameSize,
    GuidanceScales,
    ModelInfo,
    Motion,
    PictureRequest,
    Sampler,
    SamplingSettings,
)
from kvdesk.form import FormValues, PictureChoice
from kvdesk.form_rules import (
    FIELDS,
    Preset,
    field_help,
    field_label,
    field_text,
    field_value,
    find_cautions,
    find_problems,
    preset_changes,
    preset_of,
    preset_text,
    size_presets,
    size_step,
)


def a_model(**changes: object) -> ModelInfo:
    info = ModelInfo(
        name="kandinsky",
        folder="/models/kandinsky",
        description="",
        text_encoder_8bit=False,
        size_multiple=64,
        defaults=ClipDefaults(),
    )
    return replace(info, **changes)


REAL = a_model()
DEMO = a_model(
    name="demo",
    size_multiple=32,
    defaults=ClipDefaults(
        size=FrameSize(width=64, height=64),
        sampling=SamplingSettings(sampler=Sampler.DPM_SOLVER, steps=20),
        guidance=GuidanceScales(key_frame=8.0, prompt=4.0, image=3.0),
    ),
)
MODELS = pytest.mark.parametrize("model", [REAL, DEMO], ids=["real", "demo"])
PICTURE = PictureChoice(path="/p/cat.png", width=800, height=600, preview="/c/1.png")


def usual(model: ModelInfo = REAL, **changes: object) -> FormValues:
    values = FormValues(
        prompt="a cat",
        seed=7,
        size=model.defaults.size,
        guidance=model.defaults.guidance,
        sampling=model.defaults.sampling,
    )
    return replace(values, **changes)


def sized(width: int, height: int, model: ModelInfo = REAL) -> FormValues:
    return usual(model, size=FrameSize(width=width, height=height))


def cautioned(values: FormValues, model: ModelInfo | None = REAL) -> set[str]:
    return {caution.field for caution in find_cautions(values, model)}


def forbidden(values: FormValues, model: ModelInfo | None = REAL) -> set[str]:
    return {problem.field for problem in find_problems(values, model)}


# Sizes


@pytest.mark.parametrize(
    ("model", "step"),
    [(REAL, 64), (DEMO, 32), (a_model(size_multiple=32), 64), (a_model(size_multiple=128), 128)],
    ids=["real", "demo", "finer", "coarser"],
)
def test_sides_go_in_steps_that_the_networks_can_take(model: ModelInfo, step: int) -> None:
    assert size_step(model) == step
    assert step % model.size_multiple == 0


@MODELS
def test_size_presets_fit_the_model_and_have_about_its_area(model: ModelInfo) -> None:
    own = model.defaults.size
    presets = size_presets(model)
    wide, tall = presets["wide"], presets["tall"]

    assert presets["square"] == own
    assert wide.width > wide.height
    assert (tall.width, tall.height) == (wide.height, wide.width)
    for size in presets.values():
        assert not forbidden(usual(model, size=size), model)
        assert 0.6 < size.width * size.height / (own.width * own.height) < 1.6


def test_the_released_models_sizes_are_the_ones_it_is_known_for() -> None:
    assert {name: str(size) for name, size in size_presets(REAL).items()} == {
        "square": "512x512",
        "wide": "640x384",
        "tall": "384x640",
    }
    assert not any(cautioned(usual(size=size)) for size in size_presets(REAL).values())


def test_there_are_three_different_sizes_even_for_the_smallest_model() -> None:
    smallest = replace(DEMO, size_multiple=64)

    assert len(set(size_presets(smallest).values())) == 3


# Presets


@MODELS
@pytest.mark.parametrize("preset", list(Preset))
def test_values_with_a_preset_are_known_as_that_preset(preset: Preset, model: ModelInfo) -> None:
    values = replace(usual(model), **preset_changes(preset, model))

    assert preset_of(values, model) is preset


def test_a_quick_look_draws_twelve_frames_with_a_solver_of_few_steps() -> None:
    assert preset_changes(Preset.QUICK, REAL) == {
        "fps": Fps.LOW,
        "sampling": SamplingSettings(sampler=Sampler.DPM_SOLVER, steps=20),
    }


@pytest.mark.parametrize(
    ("sampler", "steps", "quick_steps"),
    [
        (Sampler.DPM_SOLVER, 50, 25),
        (Sampler.UNIPC, 20, 10),
        (Sampler.DDIM, 12, 10),
        (Sampler.DDIM, 6, 6),
        (Sampler.DDPM, 12, 12),
    ],
)
def test_a_quick_look_takes_half_the_steps_but_not_too_few_nor_more_than_usual(
    sampler: Sampler, steps: int, quick_steps: int
) -> None:
    sampling = SamplingSettings(sampler=sampler, steps=steps, interpolation_steps=7)
    quick = preset_changes(Preset.QUICK, a_model(defaults=ClipDefaults(sampling=sampling)))

    assert isinstance(quick["sampling"], SamplingSettings)
    assert quick["sampling"].steps == quick_steps
    assert quick["sampling"].interpolation_steps == 7


@MODELS
def test_the_slower_presets_sample_as_the_model_does_usually(model: ModelInfo) -> None:
    sampling = model.defaults.sampling

    assert preset_changes(Preset.STANDARD, model) == {"fps": Fps.MEDIUM, "sampling": sampling}
    assert preset_changes(Preset.SMOOTH, model) == {"fps": Fps.HIGH, "sampling": sampling}


def test_other_steps_are_no_preset() -> None:
    assert preset_of(usual(sampling=SamplingSettings(steps=49)), REAL) is None
    assert preset_of(usual(fps=Fps.LOW), REAL) is None


# Problems


@MODELS
def test_usual_values_have_neither_problems_nor_cautions(model: ModelInfo) -> None:
    assert find_problems(usual(model), model) == []
    assert find_cautions(usual(model), model) == []


def test_without_a_model_nothing_can_be_made_and_nothing_is_cautioned() -> None:
    assert forbidden(usual(), None) == {"model"}
    assert cautioned(usual(noise_augmentation=900), None) == set()


@pytest.mark.parametrize("prompt", ["", " \n\t"])
def test_a_clip_needs_a_prompt_or_a_picture(prompt: str) -> None:
    assert forbidden(usual(prompt=prompt)) == {"prompt"}
    assert forbidden(usual(prompt=prompt, picture=PICTURE)) == set()


@pytest.mark.parametrize(("width", "height"), [(520, 512), (512, 480)])
def test_sides_between_the_steps_are_forbidden(width: int, height: int) -> None:
    (problem,) = find_problems(sized(width, height), REAL)

    assert problem.field == "size"
    assert "64" in problem.text
    assert forbidden(sized(96, 32, DEMO), DEMO) == set()


# Cautions


@pytest.mark.parametrize(
    ("width", "height", "is_cautioned"),
    [
        (512, 512, False),
        (640, 576, False),
        (640, 640, True),  # 1.56 times the area
        (384, 384, False),
        (320, 384, True),  # 0.47 times the area
        (704, 384, False),
        (768, 384, False),  # 2 : 1
        (832, 384, True),
        (384, 832, True),
    ],
)
def test_sizes_far_from_the_trained_one_are_cautioned_against(
    width: int, height: int, is_cautioned: bool
) -> None:
    assert cautioned(sized(width, height)) == ({"size"} if is_cautioned else set())


def test_a_small_model_is_cautioned_against_with_any_other_size() -> None:
    (caution,) = find_cautions(sized(96, 64, DEMO), DEMO)

    assert caution.field == "size"
    assert "64 × 64" in caution.text


@pytest.mark.parametrize(
    ("field", "fine", "strange"),
    [
        ("key_frame", (0.0, 10.0), (-0.5, 10.5)),
        ("prompt", (1.0, 10.0), (0.9, 10.5)),
        ("image", (1.0, 4.0), (0.9, 4.5)),
        ("interpolation", (0.0, 1.0), (-0.1, 1.1)),
    ],
)
def test_guidance_far_from_the_usual_is_cautioned_against(
    field: str, fine: tuple[float, ...], strange: tuple[float, ...]
) -> None:
    for scale in fine:
        assert cautioned(usual(guidance=replace(GuidanceScales(), **{field: scale}))) == set()
    for scale in strange:
        values = usual(guidance=replace(GuidanceScales(), **{field: scale}))
        assert cautioned(values) == {f"{field}_guidance"}


@pytest.mark.parametrize(
    ("steps", "is_cautioned"), [(9, True), (10, False), (100, False), (101, True)]
)
def test_very_few_and_very_many_steps_are_cautioned_against(steps: int, is_cautioned: bool) -> None:
    values = usual(sampling=SamplingSettings(steps=steps))

    assert cautioned(values) == ({"steps"} if is_cautioned else set())


def test_much_noise_is_cautioned_against() -> None:
    assert cautioned(usual(noise_augmentation=200)) == set()
    assert cautioned(usual(noise_augmentation=201)) == {"noise_augmentation"}


def test_a_picture_that_must_be_enlarged_is_cautioned_against() -> None:
    narrow = CropBox(left=0, top=0, right=500, bottom=500)

    assert cautioned(usual(picture=PICTURE)) == set()
    assert cautioned(usual(picture=replace(PICTURE, height=500))) == {"picture"}
    assert cautioned(usual(picture=replace(PICTURE, crop=narrow))) == {"picture"}
    assert cautioned(usual(picture=replace(PICTURE, width=0, height=0))) == set()


def test_every_reason_is_a_short_sentence_about_a_known_field() -> None:
    values = usual(
        size=FrameSize(width=1024, height=1024),
        noise_augmentation=999,
        picture=PICTURE,
        guidance=GuidanceScales(key_frame=99, prompt=0, image=99, interpolation=-1),
        sampling=SamplingSettings(steps=1, interpolation_steps=500),
    )

    cautions = find_cautions(values, REAL)

    assert {caution.field for caution in cautions} == {
        "picture",
        "size",
        "noise_augmentation",
        "key_frame_guidance",
        "prompt_guidance",
        "image_guidance",
        "interpolation_guidance",
        "steps",
        "interpolation_steps",
    }
    for caution in [*cautions, *find_problems(sized(8, 8), None)]:
        assert caution.text.endswith(".")
        assert len(caution.text) < 80
        assert "{" not in caution.text


# Words


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_has_a_name_and_says_in_a_line_what_it_does(field: str) -> None:
    assert field_label(field)
    assert "_" not in field_label(field)
    assert field_help(field).endswith(".")
    assert len(field_help(field)) <= 90


def test_no_two_fields_and_no_two_presets_have_the_same_words() -> None:
    assert len({field_label(field) for field in FIELDS}) == len(FIELDS)
    assert len({field_help(field) for field in FIELDS}) == len(FIELDS)
    assert len({preset_text(preset) for preset in Preset}) == len(Preset)


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({}, "prompt", "a cat"),
        ({}, "negative_prompt", "none"),
        ({}, "picture", "none"),
        ({"picture": PICTURE}, "picture", "cat.png"),
        (
            {"picture": replace(PICTURE, crop=CropBox(left=1.5, top=0, right=601.4, bottom=360))},
            "picture",
            "cat.png, 600 × 360 of it",
        ),
        ({}, "size", "512 × 512"),
        ({"fps": Fps.LOW}, "fps", "2 frames a second (draft)"),
        ({"fps": Fps.MEDIUM}, "fps", "8 frames a second"),
        ({"fps": Fps.HIGH}, "fps", "32 frames a second"),
        ({"motion": Motion.EXTREME}, "motion", "extreme"),
        ({}, "noise_augmentation", "20"),
        ({}, "key_frame_guidance", "5"),
        ({}, "interpolation_guidance", "0.5"),
        ({}, "seed", "7"),
        ({"seed": 3145294645}, "seed", "3\u202f145\u202f294\u202f645"),
        ({}, "steps", "50"),
        ({}, "interpolation_steps", "10"),
        ({}, "sampler", "DDPM"),
        (
            {"sampling": SamplingSettings(sampler=Sampler.DPM_SOLVER)},
            "sampler",
            "DPM-Solver++",
        ),
    ],
)
def test_a_value_reads_the_same_in_the_form_and_in_a_clip(
    changes: dict[str, object], field: str, text: str
) -> None:
    values = usual(**changes)

    assert field_text(values, field) == text
    assert field_text(values.to_request(), field) == text
    assert field_value(values, field) == field_value(values.to_request(), field)


def test_a_clips_request_does_not_know_its_model() -> None:
    assert field_value(usual(), "model") == "demo"
    assert field_value(usual().to_request(), "model") == ""


def test_a_seed_of_zero_is_a_number_and_not_none() -> None:
    assert field_text(usual(seed=0, noise_augmentation=0), "seed") == "0"
    assert field_text(usual(noise_augmentation=0), "noise_augmentation") == "0"


def test_every_choice_has_words_of_its_own() -> None:
    for field, choices in (("fps", Fps), ("motion", Motion)):
        assert len({field_text(usual(**{field: choice}), field) for choice in choices}) == len(
            choices
        )
    samplers = [usual(sampling=SamplingSettings(sampler=sampler)) for sampler in Sampler]
    assert len({field_text(values, "sampler") for values in samplers}) == len(Sampler)


def test_a_picture_is_asked_for_with_its_crop() -> None:
    crop = CropBox(left=0, top=0, right=600, bottom=600)

    request = usual(picture=replace(PICTURE, crop=crop)).to_request()

    assert request.picture == PictureRequest(path="/p/cat.png", crop=crop)
