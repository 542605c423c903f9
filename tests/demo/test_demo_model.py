"""A small form of the measurement: no change to the engine may break what the demo model draws.

The numbers that are asked for are looser than the measured ones, since eight clips are few.
"""

from __future__ import annotations

from pathlib import Path

import measurement as m
import pytest
from world import Motion

from engine import get_T2V_pipeline
from engine.checkpoint.folder import ModelFolder
from engine.checkpoint.networks import NetworkLoader
from engine.memory.device import Device
from engine.pipeline import Pipeline

MODEL = Path(__file__).parents[2] / "resources" / "demo_model"
MOST_BYTES = 15_000_000


@pytest.fixture(scope="module")
def model():
    return get_T2V_pipeline("cpu", MODEL)


def test_eight_held_out_prompts_are_drawn_as_they_say(model):
    clips = m.draw_clips(model, m.held_out_kinds(8), motion="high")
    share = {figure.name: figure.value for figure in m.prompt_figures(clips)}
    assert share["background right"] >= 87
    assert share["colour right"] >= 87
    assert share["motion right"] >= 75
    assert share["shape right"] >= 75


def test_a_clip_begins_with_its_picture(model):
    assert m.picture_figure(model, m.held_out_kinds(2)).value >= 20


def test_decoder_returns_held_out_clips():
    stages = Pipeline(NetworkLoader(ModelFolder.open(MODEL)), Device.named("cpu"))
    kinds = [kind for kind in m.held_out_kinds(20) if kind.motion is not Motion.STILL][:3]
    assert m.decoder_figure(stages, kinds).value >= 28


def test_the_model_is_small_enough_to_ship():
    assert sum(file.stat().st_size for file in MODEL.glob("*.safetensors")) <= MOST_BYTES
