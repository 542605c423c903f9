"""The passes of a clip through its networks, each traced by a dry run of the code that does it.

Needs a model's configuration and no weights. A trace takes up to a second and is kept, in the
process and on the disk.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

import torch

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
from engine.memory.kept_traces import KeptTraces, traces_folder
from engine.memory.loop_traces import LoopTracer
from engine.memory.model_sizes import sizes_of
from engine.memory.pass_tracer import META, PassTracer
from engine.memory.plan import Variant
from engine.memory.ways import Ways
from engine.models.layers import TextContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from engine.checkpoint.networks import NetworkLoader
    from engine.denoisers import LoopDenoiser
    from engine.memory.device_kind import DeviceKind
    from engine.memory.loop_traces import LoopTraces
    from engine.memory.model_sizes import ModelSizes
    from engine.memory.plan import PassTrace
    from engine.models.interpolation_unet import InterpolationUNet
    from engine.models.key_frame_unet import KeyFrameUNet
    from engine.models.movq import MoVQ
    from engine.models.text_encoder import TextEncoder

ResultT = TypeVar("ResultT")

_STRIP_ROWS = (None, 128, 32)
"""Rows of pixels of the ways to encode and decode, in order of preference."""


class ClipTracer:
    """Traces the passes of clips that one model makes on one kind of device."""

    def __init__(
        self, sizes: ModelSizes, kind: DeviceKind, kept_traces: KeptTraces | None = None
    ) -> None:
        """Trace for the model of `sizes`, with what `kept_traces` has of it."""
        self._passes = PassTracer(sizes, kind, kept_traces)
        self._text_config = sizes.config.text
        self._kept: dict[tuple[object, ...], object] = {}

    @property
    def is_small(self) -> bool:
        """Whether all networks stay on the device together."""
        return self._passes.is_small

    def text(self) -> Ways:
        """One prompt through the text encoder."""
        return self._once(("text",), lambda: Ways([self.traced_text]))

    @property
    def has_text(self) -> bool:
        """Whether the trace of the text encoder need not be made."""
        return self._passes.is_kept("text", (), Variant())

    def take_text(self, trace: Callable[[], PassTrace]) -> None:
        """Have the trace of the text encoder made by somebody else."""
        self._kept[("text",)] = Ways([trace])

    def key_frame(self, size: FrameSize, num_steps: int) -> LoopTraces:
        """The picture that a clip of `size` begins with."""
        return self._once(("key frame", size, num_steps), lambda: self._key_frame(size, num_steps))

    def base_frames(self, size: FrameSize, num_steps: int) -> LoopTraces:
        """The twelve base frames."""
        return self._once(
            ("base frames", size, num_steps), lambda: self._base_frames(size, num_steps)
        )

    def interpolation(self, size: FrameSize, num_steps: int, num_frames: int) -> LoopTraces:
        """Three frames between every two of `num_frames`."""
        return self._once(
            ("interpolation", size, num_steps, num_frames),
            lambda: self._interpolation(size, num_steps, num_frames),
        )

    def encode(self, size: FrameSize) -> Ways:
        """A picture of the clip's size to latents."""
        pixels = (1, 3, size.height, size.width)
        return self._once(
            ("encode", size),
            lambda: self._movq(
                ModelPart.IMAGE_MOVQ,
                "picture encode",
                (size,),
                lambda movq, rows: movq.encode(_empty(*pixels), strip_rows=rows),
                size.height,
            ),
        )

    def decode_picture(self, size: FrameSize) -> Ways:
        """Latents to one picture of `size`."""
        return self._once(
            ("decode picture", size),
            lambda: self._movq(
                ModelPart.IMAGE_MOVQ,
                "key frame decode",
                (size,),
                lambda movq, rows: movq.decode(_latents(1, size), strip_rows=rows),
                size.height,
            ),
        )

    def decode(self, size: FrameSize, chunk_frames: int, num_chunks: int) -> Ways:
        """Latents to frames of `size`, `chunk_frames` of them at once."""
        return self._once(
            ("decode", size, chunk_frames, num_chunks),
            lambda: self._movq(
                ModelPart.VIDEO_MOVQ,
                "decode",
                (size, chunk_frames, num_chunks),
                lambda movq, rows: movq.decode(_latents(chunk_frames, size), strip_rows=rows),
                size.height,
                repeats=num_chunks,
            ),
        )

    # The passes

    def traced_text(self) -> PassTrace:
        """The trace of `text`, made here and now unless it is kept."""

        def trace() -> PassTrace:
            part, length = ModelPart.TEXT_ENCODER, self._text_config.tokens_length
            encoder = cast("TextEncoder", self._passes.network(part))
            embeds = _empty(1, length, encoder.encoder.config.d_model)
            mask = torch.ones(1, length, dtype=torch.long)
            return self._passes.trace(
                "text",
                part,
                Variant(),
                lambda: encoder(embeds, mask),
                repeats=1,
                held_bytes=embeds.nbytes,
            )

        return self._passes.trace_once("text", (), Variant(), trace)

    def _key_frame(self, size: FrameSize, num_steps: int) -> LoopTraces:
        picture = FrameSize(width=2 * size.width, height=2 * size.height)

        def denoiser(count: int) -> LoopDenoiser:
            unet = cast("KeyFrameUNet", self._passes.network(ModelPart.T2V))
            return KeyFrameDenoiser(unet, self._guided(), range(count))

        latents = _latents(1, picture)
        return self._loop("key frame", ModelPart.T2V, denoiser, latents, num_steps)

    def _base_frames(self, size: FrameSize, num_steps: int) -> LoopTraces:
        def denoiser(count: int) -> LoopDenoiser:
            return BaseFrameDenoiser(
                cast("KeyFrameUNet", self._passes.network(ModelPart.T2V)),
                self._guided(),
                _latents(1, size),
                range(count),
                num_frames=NUM_BASE_FRAMES,
                motion_score=1,
                noise_augmentation=0,
            )

        latents = _latents(NUM_BASE_FRAMES, size)
        return self._loop("base frames", ModelPart.T2V, denoiser, latents, num_steps)

    def _interpolation(self, size: FrameSize, num_steps: int, num_frames: int) -> LoopTraces:
        def denoiser(count: int) -> LoopDenoiser:
            return InterpolationDenoiser(
                cast("InterpolationUNet", self._passes.network(ModelPart.INTERPOLATION)),
                self._guided(),
                _latents(num_frames, size),
                range(count),
                skip_frames=1,
            )

        shape = _latents(num_frames - 1, size).shape
        latents = _empty(shape[0], FRAMES_BETWEEN * shape[1], *shape[2:])
        return self._loop("interpolation", ModelPart.INTERPOLATION, denoiser, latents, num_steps)

    def _loop(
        self,
        name: str,
        part: ModelPart,
        denoiser_of: Callable[[int], LoopDenoiser],
        latents: Tensor,
        num_steps: int,
    ) -> LoopTraces:
        loop = LoopTracer(self._passes, name, part, denoiser_of, latents, num_steps=num_steps)
        return loop.traces()

    def _movq(
        self,
        part: ModelPart,
        name: str,
        shape: tuple[object, ...],
        work: Callable[[MoVQ, int | None], object],
        height: int,
        *,
        repeats: int = 1,
    ) -> Ways:
        def trace(rows: int | None) -> PassTrace:
            movq = cast("MoVQ", self._passes.network(part))
            return self._passes.trace(
                name,
                part,
                Variant(strip_rows=rows),
                lambda: work(movq, rows),
                repeats=repeats,
                held_bytes=0,
            )

        def way(rows: int | None) -> Callable[[], PassTrace]:
            variant = Variant(strip_rows=rows)
            return partial(self._passes.trace_once, name, shape, variant, partial(trace, rows))

        heights = (rows for rows in _STRIP_ROWS if rows is None or rows < height)
        return Ways([way(rows) for rows in heights])

    def _guided(self) -> GuidedText:
        """Two prompts of the greatest length."""
        text = self._text_config
        context = TextContext(
            tokens=_empty(1, text.tokens_length, text.context_dim),
            mask=torch.ones(1, text.tokens_length, dtype=torch.bool, device=META),
            length=torch.ones(1, dtype=torch.long, device=META),
        )
        return GuidedText(prompt=context, without_prompt=context)

    def _once(self, key: tuple[object, ...], make: Callable[[], ResultT]) -> ResultT:
        with self._passes.lock:
            if key not in self._kept:
                self._kept[key] = make()
            return cast("ResultT", self._kept[key])


_tracers: dict[tuple[object, ...], ClipTracer] = {}
_KEPT_TRACERS = 4


def tracer_of(loader: NetworkLoader, kind: DeviceKind) -> ClipTracer:
    """The tracer of a model in a folder, with all that was traced already."""
    has_8bit = loader.folder.tensors_8bit(ModelPart.T2V) is not None
    key = (loader.folder.fingerprint, loader.text_encoder_8bit, has_8bit, kind)
    tracer = _tracers.pop(key, None) or keeping_tracer(sizes_of(loader), kind)
    _tracers[key] = tracer  # behind the others: the first ones were not used for longest
    for oldest in list(_tracers)[:-_KEPT_TRACERS]:
        del _tracers[oldest]
    return tracer


def keeping_tracer(sizes: ModelSizes, kind: DeviceKind) -> ClipTracer:
    """A tracer that keeps what it traces in this user's cache."""
    return ClipTracer(sizes, kind, KeptTraces(traces_folder(), sizes, kind))


def _empty(*shape: int) -> Tensor:
    return torch.empty(shape, device=META)


def _latents(num_frames: int, size: FrameSize) -> Tensor:
    return _empty(
        num_frames, LATENT_CHANNELS, size.height // LATENT_SCALE, size.width // LATENT_SCALE
    )
