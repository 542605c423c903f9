from __future__ import annotations

import math

import pytest

from engine.api import (
    MAX_SPEED,
    MIN_SPEED,
    ExportClip,
    FrameSize,
    GenerateRequest,
    GuidanceScales,
    SaveRequest,
    command_from_json,
    command_to_json,
)
from engine.errors import EngineError, InvalidRequest, MessageError


def test_a_seed_out_of_range_is_refused_however_large():
    for seed in (-1, 2**63, 10**5000):  # the last has more digits than Python writes out
        with pytest.raises(InvalidRequest, match="The seed must be from 0 to 9223372036854775807"):
            GenerateRequest(prompt="x", seed=seed, size=FrameSize(width=64, height=64))


@pytest.mark.parametrize("scale", [math.nan, math.inf, -101])
def test_a_guidance_that_is_no_number_in_range_is_refused(scale):
    with pytest.raises(InvalidRequest, match="The image guidance must be from -100 to 100"):
        GuidanceScales(image=scale)


def test_every_error_has_a_code_of_its_own():
    def all_below(cls):
        return [cls, *(found for child in cls.__subclasses__() for found in all_below(child))]

    classes = all_below(EngineError)
    assert len({cls.code for cls in classes}) == len(classes)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("crf", 52, "save: The CRF must be from 0 to 51"),
        ("overwrite", 1, "save.overwrite must be true or false, not 1"),
        ("path", "\ud800", "is not the name of a file"),
        ("path", "a\0.mp4", "it holds a zero byte"),
        ("width", 15, "save: The width must be from 16 to 8192, not 15"),
        ("width", 320.5, "save.width must be a whole number, not 320.5"),
        ("speed", MIN_SPEED / 2, "save: The speed must be from 0.25 to 4.0, not 0.125"),
        ("speed", MAX_SPEED * 2, "save: The speed must be from 0.25 to 4.0, not 8.0"),
        ("speed", math.nan, "save.speed must be a number, not nan"),
        ("playback", "backwards", "must be one of 'once', 'loop', 'boomerang'"),
    ],
)
def test_an_export_with_a_wrong_value_is_refused_by_its_name(name, value, words):
    command = command_to_json(ExportClip(job=3, folder="a", save=SaveRequest(path="a.gif")))
    command["save"][name] = value
    with pytest.raises(MessageError) as caught:
        command_from_json(command)
    assert words in caught.value.message
