"""From a request to frames in five stages: text, key frame, base frames, interpolation, decode.

Every stage can be called on its own; `Pipeline.generate` calls them all. Random numbers come from
one CPU generator in the order of the official code, so a seed means the same clip on every device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from transformers import AutoTokenizer

from engine.api import LATENT_SCALE, NUM_BASE_FRAMES, FrameSize, Stage
from engine.checkpoint.folder import ModelPart
from engine.denoisers import (
    FRAMES_BETWEEN,
    LATENT_CHANNELS,
    BaseFrameDenoiser,
    GuidedText,
    InterpolationDenoiser,
    KeyFrameDenoiser,
    between,
)
from engine.diffusion.guidance import PromptAndImageGuidance, PromptGuidance
from engine.diffusion.loop import DenoisingLoop
from engine.diffusion.solvers import Prediction, Solver, add_noise
from engine.errors import InvalidRequest
from engine.memory.networks_in_use import NetworksInUse
from engine.pictures import array_to_pictures, fit_picture, picture_to_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image
    from torch import Tensor

    from engine.api import GenerateRequest, Motion, SamplingSettings
    from engine.checkpoint.networks import NetworkLoader
    from engine.diffusion.loop import Step
    from engine.memory.device import Device
    from engine.models.layers import TextContext
    from engine.progress import Progress

    OnStep = Callable[[Step], None]
    OnStageStep = Callable[[Stage, Step], None]

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


class Pipeline:
    """The stages of one model on one device."""

    def __init__(self, loader: NetworkLoader, device: Device) -> None:
        self._loader = loader
        self._device = device
        self._networks = NetworksInUse(loader, device)
        self._tokenizer = AutoTokenizer.from_pretrained(
            loader.folder.tokenizer_folder, local_files_only=True
        )

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
        device = self._device.torch_device
        encoder = self._networks.text_encoder()
        return encoder(tokens["input_ids"].to(device), tokens["attention_mask"].to(device))

    def _guided(self, prompts: Prompts, part: ModelPart) -> GuidedText:
        if prompts.negative is not None:
            return GuidedText(prompt=prompts.prompt, without_prompt=prompts.negative)
        null_embedding = self._loader.null_embedding(part, self._device.torch_device)
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
        device = self._device.torch_device
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
        pixels = torch.from_numpy(picture_to_array(picture))[None].to(self._device.torch_device)
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
        with self._device.reporting_out_of_memory(), self._device.autocast():
            return loop.run(on_step)

    @torch.no_grad()
    def decode(
        self, latents: Tensor, on_frames: Callable[[int], None] | None = None
    ) -> list[Image.Image]:
        """Stage five: latents (F 4 h w) to F pictures; `on_frames` is told how many are done."""
        movq = self._networks.video_movq()
        pictures: list[Image.Image] = []
        # PARITY: the decoder looks over the frames of a chunk, so the chunks shape the result.
        for chunk in latents.chunk(max(1, len(latents) // _DECODE_CHUNK)):
            with self._device.reporting_out_of_memory():
                pictures += array_to_pictures(movq.decode(chunk).float().cpu().numpy())
            if on_frames is not None:
                on_frames(len(pictures))
        return pictures

    def check_size(self, size: FrameSize) -> None:
        """Check that the networks can make clips of this size.

        Raises:
            InvalidRequest: a side is not a multiple of what they need.
        """
        multiple = self._loader.folder.info.size_multiple
        if size.width % multiple or size.height % multiple:
            raise InvalidRequest(
                f"The width and height must be multiples of {multiple} for this model, not {size}."
            )

    def generate(
        self,
        request: GenerateRequest,
        picture: Image.Image | None,
        progress: Progress,
        *,
        on_step: OnStageStep | None = None,
    ) -> list[Image.Image]:
        """All stages: the frames of the clip that `request` asks for.

        Args:
            request: what to make. Its `picture` is not opened here.
            picture: the RGB picture to begin with; None draws one.
            progress: told of every step.
            on_step: given every denoising step's latents, for previews.

        Raises:
            Cancelled: the job was cancelled.
            InvalidRequest: the request does not fit the model.
            OutOfMemory: the device or the computer has too little memory.
        """
        self.check_size(request.size)
        crop = request.picture.crop if request.picture is not None else None
        first = None if picture is None else fit_picture(picture, request.size, crop=crop)
        generator = torch.Generator().manual_seed(request.seed)
        with progress.stage(Stage.TEXT) as step_done, self._device.reporting_out_of_memory():
            prompts = self.encode_prompts(request.prompt, request.negative_prompt)
            step_done(1)
        if first is None:
            drawn = self._draw_key_frame(request, prompts, generator, progress, on_step)
            first = fit_picture(drawn, request.size)
        frames = self._animate(request, prompts, first, generator, progress, on_step)
        if request.fps.interpolation_passes:
            frames = self._smooth(request, prompts, frames, generator, progress, on_step)
        with progress.stage(Stage.DECODE, len(frames)) as step_done:
            return self.decode(frames, step_done)

    def _draw_key_frame(
        self,
        request: GenerateRequest,
        prompts: Prompts,
        generator: torch.Generator,
        progress: Progress,
        on_step: OnStageStep | None,
    ) -> Image.Image:
        with self._device.reporting_out_of_memory():
            loop = self.key_frame_loop(
                prompts,
                request.size,
                request.sampling,
                guidance_scale=request.guidance.key_frame,
                generator=generator,
            )
            with progress.stage(Stage.KEY_FRAME, loop.num_steps) as step_done:
                latents = self.run_loop(loop, _reporting(Stage.KEY_FRAME, step_done, on_step))
                return self.decode_picture(latents)

    def _animate(
        self,
        request: GenerateRequest,
        prompts: Prompts,
        key_frame: Image.Image,
        generator: torch.Generator,
        progress: Progress,
        on_step: OnStageStep | None,
    ) -> Tensor:
        with self._device.reporting_out_of_memory():
            loop = self.base_frames_loop(
                prompts,
                self.encode_picture(key_frame),
                request.sampling,
                prompt_scale=request.guidance.prompt,
                image_scale=request.guidance.image,
                motion=request.motion,
                noise_augmentation=request.noise_augmentation,
                generator=generator,
            )
        with progress.stage(Stage.BASE_FRAMES, loop.num_steps) as step_done:
            return self.run_loop(loop, _reporting(Stage.BASE_FRAMES, step_done, on_step))

    def _smooth(
        self,
        request: GenerateRequest,
        prompts: Prompts,
        frames: Tensor,
        generator: torch.Generator,
        progress: Progress,
        on_step: OnStageStep | None,
    ) -> Tensor:
        with progress.stage(Stage.INTERPOLATION) as step_done:
            for pass_number in range(request.fps.interpolation_passes):
                with self._device.reporting_out_of_memory():
                    loop = self.interpolation_loop(
                        prompts,
                        frames,
                        request.sampling,
                        pass_number=pass_number,
                        guidance_scale=request.guidance.interpolation,
                        generator=generator,
                    )
                steps_before = pass_number * loop.num_steps
                report = _reporting(Stage.INTERPOLATION, step_done, on_step, steps_before)
                frames = between(frames, self.run_loop(loop, report))
        return frames


def _reporting(
    stage: Stage,
    step_done: Callable[[int], None],
    on_step: OnStageStep | None,
    steps_before: int = 0,
) -> OnStep:
    def report(step: Step) -> None:
        if on_step is not None:
            on_step(stage, step)
        step_done(steps_before + step.number)

    return report
