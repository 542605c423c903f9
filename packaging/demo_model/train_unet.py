"""Trains the key-frame U-Net with the text encoder: pictures first, then clips and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusion_schedule import add_noise, noise_loss, random_times
from einops import rearrange
from networks import MODEL_CONFIG
from starting_point import carry_input_to_output
from text_and_unet import NullEmbedding, encode_prompts, new_text_encoder
from torch import Tensor, nn
from training import Plan, train
from wordings import random_wording
from world import NUM_BASE_FRAMES, Motion

from engine.models.key_frame_unet import KeyFrameUNet, VideoConditions

if TYPE_CHECKING:
    from pathlib import Path

    from dataset import Encoded
    from world import Scene

    from engine.models.layers import TextContext

_PICTURES_AT_ONCE = 8
_CLIPS_AT_ONCE = 3
_PICTURE_EVERY = 2
"""Once clips are trained on, every other step is of pictures: they take longest to get crisp."""
_WEIGHT_OF_SCORE = {1: 1.0, 10: 1.0, 50: 2.0, 100: 2.0}
"""How often clips are trained on: those that move far teach what a direction is."""
_WEIGHT_OF_STILL = 2.0
"""How often clips of objects that stand still are trained on, which must learn to keep them."""
_PROMPT_GAIN = 3.0
"""How much louder than usual the pooled prompt is at the start, beside the time embedding."""
_TEXT_DROPPED = 0.12
_ALL_DROPPED = 0.07
_USUAL_NOISE = 60
"""Key frames mostly have less noise than this on them, and sometimes any amount."""


class TextToVideo(nn.Module):
    """Everything that is trained together."""

    def __init__(self) -> None:
        super().__init__()
        self.text_encoder = new_text_encoder()
        self.unet = KeyFrameUNet(MODEL_CONFIG.t2v)
        self.null = NullEmbedding(MODEL_CONFIG.t2v.context_dim)
        carry_input_to_output(
            self.unet,
            first=0,
            num_carried=MODEL_CONFIG.t2v.out_channels,
            groups=MODEL_CONFIG.t2v.groups,
        )
        with torch.no_grad():
            self.unet.feature_pooling.attention.output_layer.weight.mul_(_PROMPT_GAIN)

    def context(
        self, scenes: list[Scene], dropped: Tensor, rng: np.random.Generator
    ) -> TextContext:
        """Prompts of `scenes` in random wordings, without those `dropped` (B) is true for."""
        prompts = [random_wording(scene.kind, rng) for scene in scenes]
        return self.null(encode_prompts(self.text_encoder, prompts), dropped)

    def picture_loss(self, batch: _Batch) -> Tensor:
        """The noise of pictures, predicted on the image path."""
        clean = batch.latents[:, 0]
        count = len(clean)
        times = random_times(count, batch.generator, late=300, late_part=0.5)
        noise = torch.randn(clean.shape, generator=batch.generator)
        noisy = add_noise(clean, noise, times)
        x = torch.cat([noisy, torch.zeros_like(noisy), torch.zeros_like(noisy[:, :1])], dim=1)
        dropped = torch.rand(count, generator=batch.generator) < _TEXT_DROPPED
        text = self.context(batch.scenes, dropped, batch.rng)
        return noise_loss(self.unet(x, times.float(), text, video=None), noise, times)

    def clip_loss(self, batch: _Batch) -> Tensor:
        """The noise of clips, predicted on the video path from prompt and first frame."""
        clean, generator = batch.latents, batch.generator
        count = len(clean)
        # Only here must the prompt say where things go: a little earlier the noisy frames show it.
        times = random_times(count, generator, late=850, late_part=0.65)
        noise = torch.randn(clean.shape, generator=generator)
        noisy = add_noise(clean, noise, times)
        chance = torch.rand(count, generator=generator)
        without_picture = chance < _ALL_DROPPED
        without_text = chance < _ALL_DROPPED + _TEXT_DROPPED
        known, augmentation = _known_frames(clean, without_picture, generator)
        x = rearrange(torch.cat([noisy, known], dim=2), "b f c h w -> (b f) c h w")
        scores = torch.tensor([scene.score for scene in batch.scenes])
        video = VideoConditions(
            num_frames=NUM_BASE_FRAMES,
            noise_augmentation=augmentation,
            motion_score=scores,
        )
        text = self.context(batch.scenes, without_text, batch.rng)
        predicted = self.unet(x, times.float(), text, video=video)
        frame_times = times.repeat_interleave(NUM_BASE_FRAMES)
        return noise_loss(predicted, rearrange(noise, "b f c h w -> (b f) c h w"), frame_times)


class _Batch:
    """Random scenes with their latents, and what a step draws its numbers from."""

    def __init__(self, encoded: Encoded, count: int, generator: torch.Generator) -> None:
        self.generator = generator
        self.rng = np.random.default_rng(generator.initial_seed())
        weights = np.array([_weight(scene) for scene in encoded.scenes])
        chosen = self.rng.choice(len(weights), size=count, p=weights / weights.sum())
        self.scenes = [encoded.scenes[index] for index in chosen]
        self.latents = encoded.latents[torch.from_numpy(chosen)].float()


def _weight(scene: Scene) -> float:
    is_still = scene.kind.motion is Motion.STILL
    return _WEIGHT_OF_SCORE[scene.score] * (_WEIGHT_OF_STILL if is_still else 1.0)


def _known_frames(
    clean: Tensor, without_picture: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The key frames with noise on them and their mask (B F 5 h w), and the noise's time (B)."""
    count = len(clean)
    usual = torch.randint(0, _USUAL_NOISE, (count,), generator=generator)
    any_time = torch.randint(0, 1000, (count,), generator=generator)
    is_usual = torch.rand(count, generator=generator) < 0.8
    times = torch.where(is_usual, usual, any_time)
    # As the pipeline does it: this noise is uniform.
    uniform = torch.rand(clean[:, 0].shape, generator=generator)
    known = clean.new_zeros((*clean.shape[:2], clean.shape[2] + 1, *clean.shape[3:]))
    known[:, 0, :-1] = add_noise(clean[:, 0], uniform, times)
    known[:, 0, -1] = 1
    known[without_picture] = 0
    return known, times


def train_unet(
    work: Path, pictures: Encoded, clips: Encoded, *, picture_steps: int, steps: int
) -> TextToVideo:
    """Train on pictures alone for `picture_steps` of `steps`, then on clips and pictures."""
    torch.manual_seed(3)
    model = TextToVideo()

    def loss(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        if step < picture_steps or step % _PICTURE_EVERY == 0:
            return {"picture": model.picture_loss(_Batch(pictures, _PICTURES_AT_ONCE, generator))}
        return {"clip": model.clip_loss(_Batch(clips, _CLIPS_AT_ONCE, generator))}

    # At the full rate the text encoder keeps the colours, which pay first, and gives all other
    # words nearly the same vector: prompts then cannot say where things go.
    plan = Plan(name="unet", steps=steps, rate=1.2e-3, seed=4)
    train(model, loss, plan, work, slow=model.text_encoder)
    return model
