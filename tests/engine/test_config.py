"""configs.json: what is read, and what is refused by its name."""

import copy
import json
from pathlib import Path

import pytest

from engine.config import ModelConfig
from engine.errors import UnsupportedModel

RELEASED = Path(__file__).parents[1] / "kandinsky_1_1" / "configs.json"


@pytest.fixture
def configs():
    return copy.deepcopy(json.loads(RELEASED.read_text()))


def test_released_configuration(configs):
    config = ModelConfig.from_json(configs)
    assert config.t2v.dim_mult == (1, 2, 4, 8)
    assert config.t2v.latent_multiple == 8
    assert config.interpolation.out_channels == 12
    assert config.video_movq.temporal
    assert not config.image_movq.temporal
    assert config.text.tokens_length == 128


@pytest.mark.parametrize(
    ("network", "option", "value"),
    [
        ("t2v", "noise_augmentation", False),
        ("t2v", "motion_score", False),
        ("interpolation", "add_new_temporal_params", True),
        ("interpolation", "add_temporal_attention", False),
        ("interpolation", "temporal", False),
        ("interpolation", "time_downsample", [False, True, False, False]),
        ("interpolation", "merge_perturbation_time_with_context", True),
        ("interpolation", "pass_skip_frames", False),
        ("image_movq", "double_z", True),
        ("image_movq", "dropout", 0.1),
        ("video_movq", "temporal_blocks", True),
        ("video_movq", "build_3D_decoder", True),
        ("video_movq", "flicker_augmentation", True),
        ("video_movq", "temporal_kernel_size", [3, 1, 1]),
    ],
)
def test_an_option_that_the_released_model_does_not_use_is_refused_by_name(
    configs, network, option, value
):
    configs[network]["configs"][option] = value
    with pytest.raises(UnsupportedModel, match=rf"{network}.*{option}"):
        ModelConfig.from_json(configs)


@pytest.mark.parametrize("network", ["t2v", "interpolation", "image_movq", "video_movq"])
def test_an_unknown_option_is_refused_by_name(configs, network):
    configs[network]["configs"]["colour_depth"] = 8
    with pytest.raises(UnsupportedModel, match=rf"{network}.*colour_depth"):
        ModelConfig.from_json(configs)


@pytest.mark.parametrize(
    ("network", "option"),
    [("t2v", "head_dim"), ("interpolation", "groups"), ("image_movq", "ch")],
)
def test_a_missing_size_is_named(configs, network, option):
    del configs[network]["configs"][option]
    with pytest.raises(UnsupportedModel, match=rf"{network} lacks {option}"):
        ModelConfig.from_json(configs)


@pytest.mark.parametrize("option", ["noise_augmentation", "motion_score"])
def test_a_flag_of_the_key_frame_network_that_is_left_out_is_off(configs, option):
    del configs["t2v"]["configs"][option]
    with pytest.raises(UnsupportedModel, match=rf"t2v: {option} = False"):
        ModelConfig.from_json(configs)


def test_a_missing_network_is_named(configs):
    del configs["video_movq"]
    with pytest.raises(UnsupportedModel, match="video_movq"):
        ModelConfig.from_json(configs)


def test_temporal_decoder_without_its_attention_is_refused(configs):
    configs["video_movq"]["configs"]["temporal_attention_block"] = False
    with pytest.raises(UnsupportedModel, match="temporal_attention_block"):
        ModelConfig.from_json(configs)


def test_a_text_encoder_in_4_bit_is_refused(configs):
    configs["text_encoder"]["load_in_4bit"] = True
    with pytest.raises(UnsupportedModel, match="load_in_4bit"):
        ModelConfig.from_json(configs)


@pytest.mark.parametrize(
    ("option", "value"),
    [("dim_mult", [1, 2]), ("num_blocks", [3, 3, 3, 1]), ("groups", 7), ("dim_mult", [])],
)
def test_sizes_that_do_not_fit_together_are_refused(configs, option, value):
    configs["t2v"]["configs"][option] = value
    with pytest.raises(UnsupportedModel):
        ModelConfig.from_json(configs)


def test_reading_leaves_the_configuration_as_it_is(configs):
    before = copy.deepcopy(configs)
    del configs["t2v"]["configs"]["motion_score"]
    with pytest.raises(UnsupportedModel):
        ModelConfig.from_json(configs)
    del before["t2v"]["configs"]["motion_score"]
    assert configs == before
