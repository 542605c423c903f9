"""The recipe of the demo model must still train the engine's networks, all of each."""

from __future__ import annotations

import pytest
import torch
from dataset import Encoded, random_scenes
from networks import MODEL_CONFIG
from text_and_unet import encode_prompts, new_text_encoder
from train_interpolation import Interpolation
from train_unet import TextToVideo, _Batch
from world import NUM_BASE_FRAMES, NUM_SMOOTH_FRAMES

from engine.checkpoint.folder import ModelFolder, ModelPart, demo_folder
from engine.checkpoint.networks import expected_shapes
from engine.models.movq import MoVQ

SIDE = 8  # of the latents


@pytest.fixture(autouse=True)
def _same_numbers():
    torch.manual_seed(3)


def encoded(num_frames: int) -> Encoded:
    scenes = random_scenes(3, 5)
    return Encoded(scenes=scenes, latents=torch.randn(3, num_frames, 4, SIDE, SIDE).half())


def untrained(network: torch.nn.Module) -> list[str]:
    """Weights without a gradient, or with one that is no number."""
    return [
        name
        for name, weight in network.named_parameters()
        if weight.grad is None or not weight.grad.isfinite().all()
    ]


def test_pictures_and_clips_train_text_encoder_and_unet():
    network = TextToVideo()
    # As after some steps: the last layer begins with hearing nothing but its own input.
    torch.nn.init.normal_(network.unet.out_layer[2].weight, std=0.1)
    batch = _Batch(encoded(NUM_BASE_FRAMES), 3, torch.Generator().manual_seed(1))
    (network.picture_loss(batch) + network.clip_loss(batch)).backward()
    assert untrained(network) == []
    table = network.text_encoder.encoder.get_input_embeddings().weight
    words_heard = table.grad.abs().amax(dim=1).count_nonzero()
    assert 3 < words_heard < len(table)


def test_smooth_clips_train_the_interpolation():
    network, encoder = Interpolation(), new_text_encoder()
    generator = torch.Generator().manual_seed(1)
    network.loss(encoded(NUM_SMOOTH_FRAMES), 3, encoder, generator).backward()
    assert untrained(network) == []
    assert all(weight.grad is None for weight in encoder.parameters())


@pytest.mark.parametrize("config", [MODEL_CONFIG.image_movq, MODEL_CONFIG.video_movq])
def test_a_picture_that_comes_back_trains_the_autoencoder(config):
    network = MoVQ(config)
    pictures = torch.rand(2, 3, 32, 32) * 2 - 1
    (network.decode(network.encode(pictures)) - pictures).square().mean().backward()
    # It is given no latents, in training as in use.
    unused = "decoder.mid.temporal_attn_1.norm.conv_"
    assert [name for name in untrained(network) if not name.startswith(unused)] == []


def test_the_trained_text_encoder_has_the_keys_of_its_file():
    weights = new_text_encoder().encoder.state_dict()
    found = {f"encoder.{name}": tuple(weight.shape) for name, weight in weights.items()}
    demo = ModelFolder.open(demo_folder())
    assert found == expected_shapes(ModelPart.TEXT_ENCODER, demo)


def test_a_prompt_is_encoded_alone_as_beside_a_longer_one():
    encoder = new_text_encoder().eval()
    short, long = "a red circle", "a blue triangle moving up on a gray background"
    with torch.no_grad():
        alone, both = encode_prompts(encoder, [short]), encode_prompts(encoder, [short, long])
    length = int(both.length[0])
    assert length == alone.tokens.shape[1] == int(alone.length[0])
    torch.testing.assert_close(both.tokens[:1, :length], alone.tokens)
    assert both.tokens[0, length:].abs().max() == 0
