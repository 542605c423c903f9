from __future__ import annotations

from dataclasses import replace

import pytest
from clip_folders import clip_info

from engine.api import (
    CropBox,
    Fps,
    FrameSize,
    GuidanceScales,
    Motion,
    PictureRequest,
    Sampler,
    SamplingSettings,
)
from kvdesk.clip_differences import Difference, clip_differences, differences
from kvdesk.form import FormValues, PictureChoice
from kvdesk.form_fields import FIELDS

INFO = clip_info("A cat")


@pytest.fixture
def values():
    return FormValues(
        prompt="A cat",
        seed=INFO.request.seed,
        size=INFO.request.size,
        fps=INFO.request.fps,
        motion=INFO.request.motion,
        guidance=INFO.request.guidance,
        sampling=INFO.request.sampling,
    )


CHANGES = {
    "prompt": {"prompt": "A dog"},
    "negative_prompt": {"negative_prompt": "rain"},
    "picture": {"picture": PictureRequest(path="/pictures/cat.png")},
    "size": {"size": FrameSize(width=96, height=64)},
    "fps": {"fps": Fps.HIGH},
    "motion": {"motion": Motion.LOW},
    "noise_augmentation": {"noise_augmentation": 21},
    "key_frame_guidance": {"guidance": GuidanceScales(key_frame=6)},
    "prompt_guidance": {"guidance": GuidanceScales(prompt=6)},
    "image_guidance": {"guidance": GuidanceScales(image=6)},
    "interpolation_guidance": {"guidance": GuidanceScales(interpolation=6)},
    "seed": {"seed": 1},
    "steps": {"sampling": SamplingSettings(steps=7)},
    "interpolation_steps": {"sampling": SamplingSettings(interpolation_steps=7)},
    "sampler": {"sampling": SamplingSettings(sampler=Sampler.DDIM)},
}


def test_a_clip_made_of_the_form_does_not_differ(values):
    assert differences(values, values.to_request(), values.model) == []


@pytest.mark.parametrize("field", CHANGES)
def test_every_field_that_differs_is_named_alone(values, field):
    request = replace(INFO.request, **CHANGES[field])
    (found,) = differences(values, request, "demo")
    assert found.field == field
    assert found.mine != found.theirs


def test_every_field_of_the_form_is_compared():
    assert {*CHANGES, "model"} == set(FIELDS)


def test_another_model_is_a_difference(values):
    assert differences(values, INFO.request, "Kandinsky") == [
        Difference(field="model", mine="Demo model", theirs="Kandinsky")
    ]


def test_another_crop_of_the_same_picture_is_a_difference(values):
    choice = PictureChoice(path="/p/cat.png", width=100, height=100, preview="")
    mine = replace(values, picture=choice)
    crop = CropBox(left=0, top=0, right=50, bottom=50)
    theirs = replace(INFO.request, picture=PictureRequest(path="/p/cat.png", crop=crop))
    (found,) = differences(mine, theirs, "demo")
    assert found.field == "picture"
    assert differences(mine, replace(theirs, picture=choice.to_request()), "demo") == []


def test_two_clips_are_compared_in_the_order_of_the_form():
    other = clip_info("A dog", seed=1, model="Kandinsky")
    found = clip_differences(INFO, other)
    assert [each.field for each in found] == ["prompt", "seed", "model"]
    assert (found[0].mine, found[0].theirs) == ("A cat", "A dog")
