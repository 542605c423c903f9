"""The networks have the tensors of the released files: names, shapes and types."""

import json
from pathlib import Path

import pytest
import torch
from transformers import T5Config

from engine.checkpoint.networks import without_weights
from engine.config import ModelConfig
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.movq import MoVQ
from engine.models.text_encoder import TextEncoder

RELEASED = Path(__file__).parents[1] / "kandinsky_1_1"
CONFIG = ModelConfig.from_json(json.loads((RELEASED / "configs.json").read_text()))
MANIFEST = json.loads((RELEASED / "manifest.json").read_text())

# One layer of Flan-UL2 is enough: the released files hold the projection behind the encoder only.
FLAN_UL2 = T5Config(
    d_model=4096, d_ff=16384, num_layers=1, num_heads=16, d_kv=256, feed_forward_proj="gated-silu"
)


def tensors(network, dtype):
    return {
        name: [list(tensor.shape), str(tensor.dtype).removeprefix("torch.")]
        for name, tensor in network.to(dtype).state_dict().items()
    }


@pytest.mark.parametrize(
    ("network", "config", "dtype", "file", "entry"),
    [
        (KeyFrameUNet, CONFIG.t2v, torch.float16, "t2v.pt", "unet"),
        (InterpolationUNet, CONFIG.interpolation, torch.float16, "interpolation.pt", "unet"),
        (MoVQ, CONFIG.image_movq, torch.float32, "movq.pt", "state_dict"),
        (MoVQ, CONFIG.video_movq, torch.float32, "video_movq.pt", "state_dict"),
    ],
)
def test_network_has_the_tensors_of_the_released_file(network, config, dtype, file, entry):
    assert tensors(without_weights(network, config), dtype) == MANIFEST[file][entry]


def test_projection_has_the_tensors_of_the_released_file():
    with torch.device("meta"):
        network = TextEncoder(FLAN_UL2, CONFIG.text.context_dim)
    expected = MANIFEST["t5_projections.pt"]["projection_base"]
    assert tensors(network.projection, torch.float32) == expected
