"""The five stages of a clip: text, key frame, base frames, interpolation, decode.

Every stage can be called on its own; `engine.clip_run` calls them all. Random numbers come from
one CPU generator in the order of the official code, so a seed means the same clip on every device.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

import torch
from transformers import AutoTokenizer

from engine.api import LATENT_SCALE, NUM_BASE_FRAMES, FrameSize
from engine.checkpoint.folder import ModelPart
from engine.checkpoint.token_rows import read_token_rows
from engine.denoisers import (
    FRAMES_BETWEEN,
    LATENT_CHANNELS,
    BaseFrameDenoiser,
    GuidedText,
    InterpolationDenoiser,
    KeyFrameDenoiser,
    decoding_chunk_sizes,
    decoding_chunks,
)
from engine.diffusion.guidance import PromptAndImageGuidance, PromptGuidance
from engine.diffusion.loop import DenoisingLoop
from engine.diffusion.solvers import Prediction, Solver, add_noise
from engine.memory.clip_traces import tracer_of
from engine.memory.device_kind import DeviceKind
from engine.memory.feeder import main_memory_budget
from engine.memory.networks_in_use import NetworksInUse
from engine.memory.speeds import Speeds
from engine.pictures import array_to_pictures, picture_to_array
from engine.prompt_tokens import reading_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image
    from torch import Tensor

    from engine.api import Motion, SamplingSettings
    from engine.checkpoint.folder import ModelFolder
    from engine.checkpoint.networks import NetworkLoader
    from engine.context_cache import ContextCache
    from engine.denoisers import LoopDenoiser
    from engine.diffusion.loop import LoopState, Step
    from engine.memory.device import Device
    from engine.memory.loop_traces import LoopTraces
    from engine.memory.plan import PassTrace, Variant
    from engine.memory.ways import Ways
    from engine.models.interpolation_unet import InterpolationUNet
    from engine.models.key_frame_unet import KeyFrameUNet
    from engine.models.layers import TextContext
    from engine.models.movq import MoVQ
    from engine.models.text_encoder import TextEncoder

    OnStep = Callable[[Step], None]

ResultT = TypeVar("ResultT")

_SKIP_FRAMES = (3, 1)  # frames of the finished clip between two of each pass's input


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """The encoded prompt, and the negative one where there is one."""

    prompt: TextContext
    negative: TextContext | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStage:
    """A stage that is a denoising loop, with what its network does.

    Attributes:
        loop: from noise to latents.
        denoiser: that the loop asks.
        traces: the network's passes.
    """

    loop: DenoisingLoop
    denoiser: LoopDenoiser
    traces: LoopTraces


def draw_noise(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    """Normal noise (float32) for a loop to begin with."""
    return torch.randn(shape, generator=generator).to(device)


class Pipeline:
    """The stages of one model on one device.

    Attributes:
        device: where the networks run.
        networks: which of them have their weights there.
        tracer: knows what each pass of the stages takes.
    """

    def __init__(
        self, loader: NetworkLoader, device: Device, *, contexts: ContextCache | None = None
    ) -> None:
        """Nothing is loaded yet. `contexts` keeps encoded prompts; None: they are not kept."""
        self.device = device
        self._speeds = Speeds(device, loader.folder.fingerprint)
        self.networks = NetworksInUse(
            loader, device, self._speeds.card, on_read=self._speeds.has_read
        )
        self._loader = loader
        self._contexts = contexts
        self.tracer = tracer_of(loader, device.kind)
        folder = loader.folder.tokenizer_folder
        with reading_tokenizer(folder):
            self._tokenizer = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )

    @property
    def folder(self) -> ModelFolder:
        """The model's folder."""
        return self._loader.folder

    def limit_memory(self, num_bytes: int | None) -> None:
        """Use no more of a card's memory, or in this process on the CPU; None: no limit."""
        if num_bytes is not None and self.device.kind is DeviceKind.CPU:
            num_bytes = main_memory_budget(num_bytes)
        self.networks.limit_bytes = num_bytes

    def encode_prompts(
        self, prompt: str, negative_prompt: str = "", *, then: Ways | None = None
    ) -> Prompts:
        """Stage one: the prompts as the networks see them; `then` comes next.

        An empty negative prompt is none.
        """
        has_negative = bool(negative_prompt.strip())
        return Prompts(
            prompt=self._encode_text(prompt, then),
            negative=self._encode_text(negative_prompt, then) if has_negative else None,
        )

    def _encode_text(self, text: str, then: Ways | None) -> TextContext:
        model = self._loader.text_fingerprint
        kept = self._contexts.find(text, model) if self._contexts else None
        if kept is not None:
            return kept.to(self.device.torch_device)
        tokens = self._tokenizer(
            text,
            max_length=self._loader.config.text.tokens_length,
            truncation=True,
            padding="max_length",
            return_tensors="pt",
        )
        embeds = read_token_rows(self._loader.token_table(), tokens["input_ids"])
        embeds, mask = embeds.to(self.device.torch_device), tokens["attention_mask"]
        encoder = cast("TextEncoder", self.networks.network(ModelPart.TEXT_ENCODER))

        def encode(_: Variant) -> TextContext:
            self.read_ahead(then)
            return encoder(embeds, mask)

        context = self._attempt(self.tracer.text(), encode)
        if self._contexts:
            self._contexts.keep(text, model, context)
        return context

    def _guided(self, prompts: Prompts, part: ModelPart) -> GuidedText:
        if prompts.negative is not None:
            return GuidedText(prompt=prompts.prompt, without_prompt=prompts.negative)
        null_embedding = self._loader.null_embedding(part, self.device.torch_device)
        return GuidedText(
            prompt=prompts.prompt,
            without_prompt=GuidedText.unprompted(prompts.prompt, null_embedding),
        )

    def key_frame_stage(
        self,
        prompts: Prompts,
        size: FrameSize,
        sampling: SamplingSettings,
        *,
        guidance_scale: float,
        generator: torch.Generator,
    ) -> LoopStage:
        """Stage two: a loop to the latents (1 4 H/4 W/4) of a picture twice the clip's size."""
        device = self.device.torch_device
        solver = Solver(sampling.sampler, Prediction.NOISE, sampling.steps)
        denoiser = KeyFrameDenoiser(
            self._key_frame_unet(), self._guided(prompts, ModelPart.T2V), solver.timesteps
        )
        height, width = 2 * size.height // LATENT_SCALE, 2 * size.width // LATENT_SCALE
        loop = DenoisingLoop(
            denoiser,
            solver,
            PromptGuidance(guidance_scale),
            latents=draw_noise((1, LATENT_CHANNELS, height, width), generator, device),
            generator=generator,
        )
        traces = self.tracer.key_frame(size, loop.num_steps)
        return LoopStage(loop=loop, denoiser=denoiser, traces=traces)

    def decode_picture(self, latents: Tensor) -> Image.Image:
        """Latents (1 4 h w) to a picture of 8w x 8h."""
        movq = cast("MoVQ", self.networks.network(ModelPart.IMAGE_MOVQ))

        def decode(variant: Variant) -> Image.Image:
            decoded = movq.decode(latents, strip_rows=variant.strip_rows)
            return array_to_pictures(decoded.cpu().numpy())[0]

        return self._attempt(self.tracer.decode_picture(size_of(latents)), decode)

    def ways_to_decode(self, latents: Tensor, num_frames: int) -> Ways:
        """The pass that turns `latents` (F 4 h w) into pictures, in a clip of `num_frames`.

        All chunks of a clip are planned as the largest.
        """
        chunks = decoding_chunk_sizes(num_frames)
        return self.tracer.decode(size_of(latents), max(chunks), len(chunks))

    def read_ahead(self, ways: Ways | None) -> None:
        """Begin to read the weights of the pass that comes next, in another network than this one.

        To be called while something is at work. None: nothing is known to come.
        """
        if ways is not None and not self.tracer.is_small:
            self.networks.read_ahead(ways)

    def encode_picture(self, picture: Image.Image, *, then: Ways | None = None) -> Tensor:
        """An RGB picture of the clip's size to its latents (1 4 H/8 W/8); `then` comes next."""
        movq = cast("MoVQ", self.networks.network(ModelPart.IMAGE_MOVQ))
        pixels = torch.from_numpy(picture_to_array(picture))[None].to(self.device.torch_device)
        size = FrameSize(width=picture.width, height=picture.height)

        def encode(variant: Variant) -> Tensor:
            self.read_ahead(then)
            return movq.encode(pixels, strip_rows=variant.strip_rows).float()

        return self._attempt(self.tracer.encode(size), encode)

    def base_frames_stage(
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
    ) -> LoopStage:
        """Stage three: a loop to the latents (12 4 H W) of the base frames.

        `key_frame` has the latents (1 4 H W) of the picture that the clip begins with.
        """
        shape = (NUM_BASE_FRAMES, *key_frame.shape[1:])
        latents = draw_noise(shape, generator, key_frame.device)
        # PARITY: the noise on the key frame is uniform, not normal, and drawn after the loop's.
        uniform = torch.rand(key_frame.shape, generator=generator).to(key_frame.device)
        solver = Solver(sampling.sampler, Prediction.NOISE, sampling.steps)
        denoiser = BaseFrameDenoiser(
            self._key_frame_unet(),
            self._guided(prompts, ModelPart.T2V),
            add_noise(key_frame, uniform, noise_augmentation),
            solver.timesteps,
            num_frames=NUM_BASE_FRAMES,
            motion_score=motion.score,
            noise_augmentation=noise_augmentation,
        )
        loop = DenoisingLoop(
            denoiser,
            solver,
            PromptAndImageGuidance(prompt_scale, image_scale),
            latents=latents,
            generator=generator,
        )
        traces = self.tracer.base_frames(size_of(key_frame), loop.num_steps)
        return LoopStage(loop=loop, denoiser=denoiser, traces=traces)

    def interpolation_stage(
        self,
        prompts: Prompts,
        frames: Tensor,
        sampling: SamplingSettings,
        *,
        pass_number: int,
        guidance_scale: float,
        generator: torch.Generator,
    ) -> LoopStage:
        """Stage four: a loop to the latents (F-1 12 H W) of three frames between every two.

        `frames` has the latents (F 4 H W) of the clip so far; `pass_number` is 0 or 1. `between`
        puts the result in its place.
        """
        num_frames, channels, height, width = frames.shape
        shape = (num_frames - 1, FRAMES_BETWEEN * channels, height, width)
        solver = Solver(sampling.sampler, Prediction.VELOCITY, sampling.interpolation_steps)
        unet = cast("InterpolationUNet", self.networks.network(ModelPart.INTERPOLATION))
        denoiser = InterpolationDenoiser(
            unet,
            self._guided(prompts, ModelPart.INTERPOLATION),
            frames,
            solver.timesteps,
            skip_frames=_SKIP_FRAMES[pass_number],
        )
        loop = DenoisingLoop(
            denoiser,
            solver,
            PromptGuidance(guidance_scale),
            latents=draw_noise(shape, generator, frames.device),
            generator=generator,
        )
        traces = self.tracer.interpolation(size_of(frames), loop.num_steps, num_frames)
        return LoopStage(loop=loop, denoiser=denoiser, traces=traces)

    def run_loop(self, stage: LoopStage, on_step: OnStep | None = None) -> Tensor:
        """Do the steps that are left of a stage's loop, and return its latents.

        A step that runs out of memory is done again with less.

        Raises:
            EightBitWouldFit: only 8-bit weights would fit, and nobody agreed to these.
            OutOfMemory: not even the smallest plan works.
        """
        loop, denoiser = stage.loop, stage.denoiser
        if loop.is_done:
            return loop.latents
        on_card = self.device.kind is DeviceKind.GRAPHICS_CARD
        table_device = torch.device("cpu") if on_card else None
        self._attempt(stage.traces.conditions, lambda _: denoiser.prepare(table_device))
        with self._speeds.measuring(stage.traces.steps[0]) as step_done:
            while not loop.is_done:
                step = self._attempt(
                    stage.traces.steps, partial(_step, loop, denoiser, loop.state())
                )
                step_done()
                if on_step is not None:
                    on_step(step)
        return loop.latents

    def decode(
        self, latents: Tensor, on_frames: Callable[[int], None] | None = None
    ) -> list[Image.Image]:
        """Stage five: latents (F 4 h w) to F pictures; `on_frames` is told how many are done."""
        pictures: list[Image.Image] = []
        for chunk in decoding_chunks(latents):
            pictures += self.decode_chunk(chunk, len(latents))
            if on_frames is not None:
                on_frames(len(pictures))
        return pictures

    def decode_chunk(self, chunk: Tensor, num_frames: int) -> list[Image.Image]:
        """One of the `decoding_chunks` (C 4 h w) of a clip of `num_frames` to C pictures."""
        movq = cast("MoVQ", self.networks.network(ModelPart.VIDEO_MOVQ))

        def decode(variant: Variant) -> list[Image.Image]:
            decoded = movq.decode(chunk, strip_rows=variant.strip_rows)
            return array_to_pictures(decoded.cpu().numpy())

        return self._attempt(self.ways_to_decode(chunk, num_frames), decode)

    def _key_frame_unet(self) -> KeyFrameUNet:
        return cast("KeyFrameUNet", self.networks.network(ModelPart.T2V))

    @torch.no_grad()
    def _attempt(
        self, variants: Sequence[PassTrace], step: Callable[[Variant], ResultT]
    ) -> ResultT:
        return self.networks.at_work(variants, stays=self.tracer.is_small).attempt(step)


def _step(loop: DenoisingLoop, denoiser: LoopDenoiser, before: LoopState, variant: Variant) -> Step:
    """One step of a loop, which is as it was before if it fails."""
    denoiser.branches_together = variant.branches_together
    try:
        return loop.step()
    except BaseException:
        loop.restore(before)
        raise


def size_of(latents: Tensor) -> FrameSize:
    """The size of the pictures of `latents` (B C h w)."""
    height, width = latents.shape[-2:]
    return FrameSize(width=LATENT_SCALE * width, height=LATENT_SCALE * height)
