"""The stages of one clip in their order, each skipped where a checkpoint has its result.

The random numbers are drawn in the same order whatever is skipped: a checkpoint holds the state of
the generator at its point, so that a clip which was interrupted is the clip made in one go.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from engine.api import MemoryEffect, Stage
from engine.clip_points import NoCheckpoints, Point
from engine.denoisers import between, decoding_chunks
from engine.errors import Cancelled, ClipError
from engine.models.layers import TextContext
from engine.pictures import fit_picture
from engine.pipeline import Prompts, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from engine.api import GenerateRequest
    from engine.clip_points import Checkpoints
    from engine.diffusion.loop import DenoisingLoop, Step
    from engine.memory.ladder import MemoryChange
    from engine.memory.loop_traces import LoopTraces
    from engine.memory.ways import Ways
    from engine.pipeline import LoopStage, Pipeline
    from engine.progress import Progress

    OnLook = Callable[[Stage, int, Tensor], None]
    OnKeyFrame = Callable[[Image.Image], None]
    OnStep = Callable[[Step], None]

log = logging.getLogger(__name__)

_PASSES = (Point.FIRST_PASS, Point.SECOND_PASS)


class ClipRun:
    """All stages of one clip."""

    def __init__(
        self,
        pipeline: Pipeline,
        request: GenerateRequest,
        picture: Image.Image | None,
        progress: Progress,
        *,
        allow_8bit: bool = False,
        checkpoints: Checkpoints | None = None,
        on_look: OnLook | None = None,
        on_key_frame: OnKeyFrame | None = None,
    ) -> None:
        """Make the clip of `request` on `pipeline`.

        Args:
            pipeline: the stages of the model.
            request: what to make. Its `picture` is not opened here.
            picture: the RGB picture to begin with; None draws one.
            progress: told of every step of the stages that run.
            allow_8bit: whether 8-bit weights may be used where no others fit.
            checkpoints: where what is done is kept and taken from.
            on_look: given, after every denoising step, its stage and number and what it expects
                the clip to be: latents (F 4 h w).
            on_key_frame: given the picture, in the clip's size, that the base frames begin with.
        """
        self._pipeline = pipeline
        self._device = pipeline.device
        self._request = request
        self._picture = picture
        self._progress = progress
        self._allow_8bit = allow_8bit
        self._checkpoints = checkpoints or NoCheckpoints()
        self._on_look = on_look
        self._on_key_frame = on_key_frame
        self._generator = torch.Generator().manual_seed(request.seed)
        self._encoded: Prompts | None = None
        self._until: Stage | None = None

    def frames(self, until: Stage | None = None) -> list[Image.Image]:
        """The frames of the clip; none where an earlier stage is the last that is wanted.

        Raises:
            Cancelled: the job was cancelled.
            ClipError: a checkpoint cannot be written.
            InvalidRequest: the request does not fit the model.
            OutOfMemory: the device or the computer has too little memory.
        """
        self._pipeline.folder.check_size(self._request.size)
        networks = self._pipeline.networks
        networks.allow_8bit, networks.on_change = self._allow_8bit, self._tell_of_memory
        try:
            with self._device.reporting_out_of_memory():
                return self._frames(until)
        finally:
            networks.rest()

    def _frames(self, until: Stage | None) -> list[Image.Image]:
        self._until = until
        if until is Stage.TEXT:
            self._prompts()
        elif until is Stage.KEY_FRAME:
            self._key_frame()
        elif until is Stage.BASE_FRAMES:
            self._base_frames()
        elif until is Stage.INTERPOLATION:
            self._all_frames()
        else:
            return self._decoded(self._all_frames())
        return []

    def _tell_of_memory(self, change: MemoryChange) -> None:
        log.info("%s", change)
        if not change.is_growth:
            self._progress.adapted(change.kind, MemoryEffect(change.effect.value))

    def _prompts(self, then: Ways | None = None) -> Prompts:
        """The encoded prompts; where they have to be encoded, `then` comes next."""
        if self._encoded is None:
            saved = self._load(Point.TEXT)
            self._encoded = _prompts_from(saved, self._device.torch_device) if saved else None
        if self._encoded is None:
            request = self._request
            with self._progress.stage(Stage.TEXT) as step_done:
                prompts = self._pipeline.encode_prompts(
                    request.prompt, request.negative_prompt, then=then
                )
                self._checkpoints.save(Point.TEXT, _tensors_of(prompts))
                step_done(1)
            self._encoded = prompts
        return self._encoded

    def _key_frame(self) -> Image.Image:
        saved = self._load(Point.KEY_FRAME)
        if saved is not None:
            key_frame = Image.fromarray(saved["picture"].numpy())
        else:
            size, given = self._request.size, self._request.picture
            if self._picture is None:
                key_frame = fit_picture(self._drawn_key_frame(), size)
            else:
                crop = given.crop if given is not None else None
                key_frame = fit_picture(self._picture, size, crop=crop)
            self._save(Point.KEY_FRAME, picture=torch.from_numpy(np.array(key_frame)))
        if self._on_key_frame is not None:
            self._on_key_frame(key_frame)
        return key_frame

    def _drawn_key_frame(self) -> Image.Image:
        request, tracer = self._request, self._pipeline.tracer
        loop = tracer.key_frame(request.size, request.sampling.steps)
        prompts = self._prompts(then=loop.conditions)
        stage = self._pipeline.key_frame_stage(
            prompts,
            request.size,
            request.sampling,
            guidance_scale=request.guidance.key_frame,
            generator=self._generator,
        )
        steps_before = self._restore(stage.loop, Point.KEY_FRAME)
        with self._progress.stage(
            Stage.KEY_FRAME, stage.loop.num_steps, steps_before=steps_before
        ) as step_done:
            report = self._reporting(Stage.KEY_FRAME, step_done)
            return self._pipeline.decode_picture(self._run(stage, Point.KEY_FRAME, report))

    def _base_frames(self) -> Tensor:
        saved = self._load_latents(Point.BASE_FRAMES)
        if saved is not None:
            return saved
        request, key_frame, tracer = self._request, self._key_frame(), self._pipeline.tracer
        loop = tracer.base_frames(request.size, request.sampling.steps)
        prompts = self._prompts(then=tracer.encode(request.size))
        stage = self._pipeline.base_frames_stage(
            prompts,
            self._pipeline.encode_picture(key_frame, then=loop.conditions),
            request.sampling,
            prompt_scale=request.guidance.prompt,
            image_scale=request.guidance.image,
            motion=request.motion,
            noise_augmentation=request.noise_augmentation,
            generator=self._generator,
        )
        steps_before = self._restore(stage.loop, Point.BASE_FRAMES)
        with self._progress.stage(
            Stage.BASE_FRAMES, stage.loop.num_steps, steps_before=steps_before
        ) as step_done:
            report = self._reporting(Stage.BASE_FRAMES, step_done)
            frames = self._run(stage, Point.BASE_FRAMES, report)
        self._save(Point.BASE_FRAMES, latents=frames)
        return frames

    def _all_frames(self) -> Tensor:
        """Latents (F 4 h w) of all the frames that are asked for."""
        passes = self._request.fps.interpolation_passes
        for pass_number in reversed(range(passes)):
            frames = self._load_latents(_PASSES[pass_number])
            if frames is not None:
                return self._interpolated(frames, passes_before=pass_number + 1)
        return self._interpolated(self._base_frames(), passes_before=0)

    def _interpolated(self, frames: Tensor, *, passes_before: int) -> Tensor:
        request = self._request
        passes = range(passes_before, request.fps.interpolation_passes)
        if not passes:
            return frames
        prompts = self._prompts(then=self._between(frames).conditions)
        kept = self._checkpoints.load_loop(_PASSES[passes_before])
        steps_before = passes_before * request.sampling.interpolation_steps
        with self._progress.stage(
            Stage.INTERPOLATION, steps_before=steps_before + (kept.steps_done if kept else 0)
        ) as step_done:
            for pass_number in passes:
                point = _PASSES[pass_number]
                stage = self._pipeline.interpolation_stage(
                    prompts,
                    frames,
                    request.sampling,
                    pass_number=pass_number,
                    guidance_scale=request.guidance.interpolation,
                    generator=self._generator,
                )
                self._restore(stage.loop, point)
                report = self._reporting(
                    Stage.INTERPOLATION, step_done, pass_number * stage.loop.num_steps, frames
                )
                frames = between(frames, self._run(stage, point, report))
                self._save(point, latents=frames)
        return frames

    def _decoded(self, latents: Tensor) -> list[Image.Image]:
        chunks = decoding_chunks(latents)
        ends = list(accumulate(len(chunk) for chunk in chunks))
        frames = self._checkpoints.decoded(len(latents))
        num_kept = max((end for end in ends if end <= len(frames)), default=0)
        frames = frames[:num_kept]
        with self._progress.stage(Stage.DECODE, len(latents), steps_before=num_kept) as step_done:
            for chunk, end in zip(chunks, ends, strict=True):
                if end <= num_kept:
                    continue
                pictures = self._pipeline.decode_chunk(chunk, len(latents))
                self._checkpoints.keep_decoded(len(latents), len(frames), pictures)
                frames += pictures
                step_done(len(frames))
        return frames

    def _reporting(
        self,
        stage: Stage,
        step_done: Callable[[int], None],
        steps_before: int = 0,
        between_frames: Tensor | None = None,
    ) -> OnStep:
        def report(step: Step) -> None:
            number = steps_before + step.number
            if self._on_look is not None:
                clean = step.clean_latents
                frames = clean if between_frames is None else between(between_frames, clean)
                self._on_look(stage, number, frames)
            step_done(number)

        return report

    # What is kept.

    def _run(self, stage: LoopStage, point: Point, report: OnStep) -> Tensor:
        loop = stage.loop

        def on_step(step: Step) -> None:
            self._checkpoints.loop_stepped(point, loop)
            if step.number == step.num_steps - 1:
                self._pipeline.read_ahead(self._next_pass(point, loop.latents))
            report(step)

        try:
            return self._pipeline.run_loop(stage, on_step)
        except Cancelled:
            try:
                self._checkpoints.save_loop(point, loop)
            except ClipError as error:  # an older state will do; the job was cancelled all the same
                log.warning("%s", error.message)
            raise

    def _next_pass(self, point: Point, latents: Tensor) -> Ways | None:
        """What follows the loop to `point`, where another network does it."""
        fps, until = self._request.fps, self._until
        if point is Point.KEY_FRAME:
            return self._pipeline.tracer.decode_picture(size_of(latents))
        if until is Stage.BASE_FRAMES:
            return None
        if point is (Point.BASE_FRAMES, *_PASSES)[fps.interpolation_passes]:
            is_end = until is Stage.INTERPOLATION
            return None if is_end else self._pipeline.ways_to_decode(latents, fps.num_frames)
        return self._between(latents).conditions if point is Point.BASE_FRAMES else None

    def _between(self, frames: Tensor) -> LoopTraces:
        """The loop that makes frames between `frames` (F 4 h w)."""
        steps = self._request.sampling.interpolation_steps
        return self._pipeline.tracer.interpolation(size_of(frames), steps, len(frames))

    def _restore(self, loop: DenoisingLoop, point: Point) -> int:
        """Go on with the loop to `point` where it was interrupted: after how many steps."""
        state = self._checkpoints.load_loop(point)
        if state is None:
            return 0
        device = self._device.torch_device
        # What the solvers count with stays where they made it.
        history = {
            name: tensor.to(device) if tensor.ndim else tensor
            for name, tensor in state.history.items()
        }
        loop.restore(replace(state, latents=state.latents.to(device), history=history))
        return state.steps_done

    def _load(self, point: Point) -> Mapping[str, Tensor] | None:
        tensors = self._checkpoints.load(point)
        if tensors is not None and "generator" in tensors:
            self._generator.set_state(tensors["generator"])
        return tensors

    def _load_latents(self, point: Point) -> Tensor | None:
        tensors = self._load(point)
        return None if tensors is None else tensors["latents"].to(self._device.torch_device)

    def _save(self, point: Point, **tensors: Tensor) -> None:
        self._checkpoints.save(point, {**tensors, "generator": self._generator.get_state()})


_NAMES = ("prompt", "negative")


def _tensors_of(prompts: Prompts) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, text in zip(_NAMES, (prompts.prompt, prompts.negative), strict=True):
        if text is not None:
            tensors |= {
                f"{name}.tokens": text.tokens,
                f"{name}.mask": text.mask,
                f"{name}.length": text.length,
            }
    return tensors


def _prompts_from(tensors: Mapping[str, Tensor], device: torch.device) -> Prompts:
    prompt, negative = (
        TextContext(
            tokens=tensors[f"{name}.tokens"],
            mask=tensors[f"{name}.mask"],
            length=tensors[f"{name}.length"],
        ).to(device)
        if f"{name}.tokens" in tensors
        else None
        for name in _NAMES
    )
    assert prompt is not None
    return Prompts(prompt=prompt, negative=negative)
