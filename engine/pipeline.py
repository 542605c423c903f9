"""The five stages of a clip: text, key frame, base frames, interpolation, decode.

Every stage can be called on its own; `engine.clip_run` calls them all. Random numbers come from
one CPU generator in the order of the official code, so a seed means the same clip on every device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from transformers import AutoTokenizer

from engine.api import LATENT_SCALE, NUM_BASE_FRAMES, FrameSize
from engine.checkpoint.folder import ModelPart
from engine.denoisers import (
    FRAMES_BETWEEN,
    LATENT_CHANNELS,
    BaseFrameDenoiser,
    GuidedText,
    InterpolationDenoiser,
    KeyFrameDenoiser,
)
from engine.diffusion.guidance import PromptAndImageGuidance, PromptGuidance
from engine.diffusion.loop import DenoisingLoop
from engine.diffusion.solvers import Prediction, Solver, add_noise
from engine.memory.networks_in_use import NetworksInUse
from engine.pictures import array_to_pictures, picture_to_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image
    from torch import Tensor

    from engine.api import Motion, SamplingSettings
    from engine.checkpoint.folder import ModelFolder
    from engine.checkpoint.networks import NetworkLoader
    from engine.diffusion.loop import Step
    from engine.memory.device import Device
    from engine.models.layers import TextContext

    OnStep = Callable[[Step], None]

_SKIP_FRAMES = (3, 1)  # frames of the finished clip between two of each pass's input
_DECODE_CHUNK = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """The encoded prompt, and the negative one where there is one."""

    prompt: TextContext
    negative: TextContext | None


def draw_noise(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    """Normal noise (float32) for a loop to begin with."""
    return torch.randn(shape, generator=generator).to(device)


def decoding_chunks(latents: Tensor) -> tuple[Tensor, ...]:
    """The latents (F 4 h w) of a clip in the chunks that are decoded together."""
    # PARITY: the decoder looks over the frames of a chunk, so the chunks shape the result.
    return latents.chunk(max(1, len(latents) // _DECODE_CHUNK))


class Pipeline:
    """The stages of one model on one device.

    Attributes:
        device: where the networks run.
    """

    def __init__(self, loader: NetworkLoader, device: Device) -> None:
        self._loader = loader
        self.device = device
        self._networks = NetworksInUse(loader, device)
        self._tokenizer = AutoTokenizer.from_pretrained(
            loader.folder.tokenizer_folder, local_files_only=True
        )

    @property
    def folder(self) -> ModelFolder:
        """The model's folder."""
        return self._loader.folder

    @torch.no_grad()
    def encode_prompts(self, prompt: str, negative_prompt: str = "") -> Prompts:
        """Stage one: the prompts as the networks see them. An empty negative prompt is none."""
        return Prompts(
            prompt=self._encode_text(prompt),
            negative=self._encode_text(negative_prompt) if negative_prompt.strip() else None,
        )

    def _encode_text(self, text: str) -> TextContext:
        tokens = self._tokenizer(
            text,
            max_length=self._loader.config.text.tokens_length,
            truncation=True,
            padding="max_length",
            return_tensors="pt",
        )
        device = self.device.torch_device
        encoder = self._networks.text_encoder()
        return encoder(tokens["input_ids"].to(device), tokens["attention_mask"].to(device))

    def _guided(self, prompts: Prompts, part: ModelPart) -> GuidedText:
        if prompts.negative is not None:
            return GuidedText(prompt=prompts.prompt, without_prompt=prompts.negative)
        null_embedding = self._loader.null_embedding(part, self.device.torch_device)
        return GuidedText(
            prompt=prompts.prompt,
            without_prompt=GuidedText.unprompted(prompts.prompt, null_embedding),
        )

    @torch.no_grad()
    def key_frame_loop(
        self,
        prompts: Prompts,
        size: FrameSize,
        sampling: SamplingSettings,
        *,
        guidance_scale: float,
        generator: torch.Generator,
    ) -> DenoisingLoop:
        """Stage two: a loop to the latents (1 4 H/4 W/4) of a picture twice the clip's size."""
        device = self.device.torch_device
        shape = (
            1,
            LATENT_CHANNELS,
            size.height * 2 // LATENT_SCALE,
            size.width * 2 // LATENT_SCALE,
        )
        unet = self._networks.key_frame_unet()
        return DenoisingLoop(
            KeyFrameDenoiser(unet, self._guided(prompts, ModelPart.T2V)),
            Solver(sampling.sampler, Prediction.NOISE, sampling.steps),
            PromptGuidance(guidance_scale),
            latents=draw_noise(shape, generator, device),
            generator=generator,
        )

    @torch.no_grad()
    def decode_picture(self, latents: Tensor) -> Image.Image:
        """Latents (1 4 h w) to a picture of 8w x 8h."""
        decoded = self._networks.image_movq().decode(latents)
        return array_to_pictures(decoded.float().cpu().numpy())[0]

    @torch.no_grad()
    def encode_picture(self, picture: Image.Image) -> Tensor:
        """An RGB picture of the clip's size to its latents (1 4 H/8 W/8)."""
        pixels = torch.from_numpy(picture_to_array(picture))[None].to(self.device.torch_device)
        return self._networks.image_movq().encode(pixels)

    @torch.no_grad()
    def base_frames_loop(
        self,
        prompts: Prompts,
        key_frame: Tensor,
        sampling: SamplingSettings,
        *,
        prompt_scale: float,
        image_scale: float,
        motion: Motion,
        noise_augmentation: int,
        generator: torch.Generator,
    ) -> DenoisingLoop:
        """Stage three: a loop to the latents (12 4 H W) of the base frames.

        `key_frame` has the latents (1 4 H W) of the picture that the clip begins with.
        """
        shape = (NUM_BASE_FRAMES, *key_frame.shape[1:])
        latents = draw_noise(shape, generator, key_frame.device)
        # PARITY: the noise on the key frame is uniform, not normal, and drawn after the loop's.
        uniform = torch.rand(key_frame.shape, generator=generator).to(key_frame.device)
        unet = self._networks.key_frame_unet()
        denoiser = BaseFrameDenoiser(
            unet,
            self._guided(prompts, ModelPart.T2V),
            add_noise(key_frame, uniform, noise_augmentation),
            num_frames=NUM_BASE_FRAMES,
            motion_score=motion.score,
            noise_augmentation=noise_augmentation,
        )
        return DenoisingLoop(
            denoiser,
            Solver(sampling.sampler, Prediction.NOISE, sampling.steps),
            PromptAndImageGuidance(prompt_scale, image_scale),
            latents=latents,
            generator=generator,
        )

    @torch.no_grad()
    def interpolation_loop(
        self,
        prompts: Prompts,
        frames: Tensor,
        sampling: SamplingSettings,
        *,
        pass_number: int,
        guidance_scale: float,
        generator: torch.Generator,
    ) -> DenoisingLoop:
        """Stage four: a loop to the latents (F-1 12 H W) of three frames between every two.

        `frames` has the latents (F 4 H W) of the clip so far; `pass_number` is 0 or 1. `between`
        puts the result in its place.
        """
        num_frames, channels, height, width = frames.shape
        shape = (num_frames - 1, FRAMES_BETWEEN * channels, height, width)
        unet = self._networks.interpolation_unet()
        denoiser = InterpolationDenoiser(
            unet,
            self._guided(prompts, ModelPart.INTERPOLATION),
            frames,
            skip_frames=_SKIP_FRAMES[pass_number],
        )
        return DenoisingLoop(
            denoiser,
            Solver(sampling.sampler, Prediction.VELOCITY, sampling.interpolation_steps),
            PromptGuidance(guidance_scale),
            latents=draw_noise(shape, generator, frames.device),
            generator=generator,
        )

    @torch.no_grad()
    def run_loop(self, loop: DenoisingLoop, on_step: OnStep | None = None) -> Tensor:
        """Run a loop of one of the stages to its end."""
        with self.device.reporting_out_of_memory(), self.device.autocast():
            return loop.run(on_step)

    def decode(
        self, latents: Tensor, on_frames: Callable[[int], None] | None = None
    ) -> list[Image.Image]:
        """Stage five: latents (F 4 h w) to F pictures; `on_frames` is told how many are done."""
        pictures: list[Image.Image] = []
        for chunk in decoding_chunks(latents):
            pictures += self.decode_chunk(chunk)
            if on_frames is not None:
                on_frames(len(pictures))
        return pictures

    @torch.no_grad()
    def decode_chunk(self, chunk: Tensor) -> list[Image.Image]:
        """One of the `decoding_chunks` (C 4 h w) to C pictures."""
        movq = self._networks.video_movq()
        with self.device.reporting_out_of_memory():
            return array_to_pictures(movq.decode(chunk).float().cpu().numpy())
