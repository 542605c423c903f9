"""The passes of a clip through its networks, each traced by a dry run of the code that does it.

Needs a model's configuration and no weights. A trace takes up to a second and is kept.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
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
from engine.memory.device_kind import DeviceKind
from engine.memory.dry_run import dry_run
from engine.memory.meta_networks import MetaNetworks
from engine.memory.model_sizes import sizes_of
from engine.memory.plan import PassTrace, Variant
from engine.memory.ways import Ways
from engine.models.layers import TextContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from engine.checkpoint.networks import NetworkLoader
    from engine.denoisers import LoopDenoiser
    from engine.memory.model_sizes import ModelSizes
    from engine.models.interpolation_unet import InterpolationUNet
    from engine.models.key_frame_unet import KeyFrameUNet
    from engine.models.movq import MoVQ
    from engine.models.text_encoder import TextEncoder

ResultT = TypeVar("ResultT")

META = torch.device("meta")
SMALL_MODEL_BYTES = 1 << 30
"""Networks that take no more than this together all stay on the device, from clip to clip."""

_TRACED_STEPS = (1, 2)

_STRIP_ROWS = (None, 128, 32)
"""Rows of pixels of the ways to encode and decode, in order of preference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopTraces:
    """The two passes of a denoising loop, each with the ways to do it in order of preference.

    Attributes:
        conditions: what is computed once for all steps.
        steps: the network itself.
        table_bytes: of the scales and shifts of all steps, in main memory.
    """

    conditions: Ways
    steps: Ways
    table_bytes: int


class ClipTracer:
    """Traces the passes of clips that one model makes on one kind of device."""

    def __init__(self, sizes: ModelSizes, kind: DeviceKind) -> None:
        self._sizes = sizes
        self._kind = kind
        self._networks = MetaNetworks(sizes, kind)
        # A dry run hangs its hooks into a network; questions are answered while a clip is made.
        self._lock = threading.RLock()
        self._kept: dict[tuple[object, ...], object] = {}

    @property
    def is_small(self) -> bool:
        """Whether all networks stay on the device together."""
        return self._networks.are_within(SMALL_MODEL_BYTES)

    def text(self) -> Ways:
        """One prompt through the text encoder."""
        return self._once(("text",), lambda: Ways([self.traced_text]))

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
                lambda movq, rows: movq.decode(_latents(chunk_frames, size), strip_rows=rows),
                size.height,
                repeats=num_chunks,
            ),
        )

    # The passes

    def traced_text(self) -> PassTrace:
        """The trace of `text`, made here and now."""
        part, length = ModelPart.TEXT_ENCODER, self._sizes.config.text.tokens_length
        encoder = cast("TextEncoder", self._networks.network(part))
        embeds = _empty(1, length, encoder.encoder.config.d_model)
        mask = torch.ones(1, length, dtype=torch.long)
        return self._pass(
            "text",
            part,
            Variant(),
            lambda: encoder(embeds, mask),
            repeats=1,
            held_bytes=embeds.nbytes,
        )

    def _key_frame(self, size: FrameSize, num_steps: int) -> LoopTraces:
        picture = FrameSize(width=2 * size.width, height=2 * size.height)

        def denoiser(count: int) -> LoopDenoiser:
            unet = cast("KeyFrameUNet", self._networks.network(ModelPart.T2V))
            return KeyFrameDenoiser(unet, self._guided(), range(count))

        latents = _latents(1, picture)
        return self._loop("key frame", ModelPart.T2V, denoiser, latents, num_steps)

    def _base_frames(self, size: FrameSize, num_steps: int) -> LoopTraces:
        def denoiser(count: int) -> LoopDenoiser:
            return BaseFrameDenoiser(
                cast("KeyFrameUNet", self._networks.network(ModelPart.T2V)),
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
                cast("InterpolationUNet", self._networks.network(ModelPart.INTERPOLATION)),
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
        """The traces of a loop; `denoiser_of` makes a denoiser for a number of steps."""
        prepared, conditions = self._conditions(name, part, denoiser_of, num_steps)
        # Latents before and after the step, the two predictions that guidance begins with, and
        # what a solver remembers.
        held = 6 * latents.nbytes + prepared.conditions.fixed_bytes
        table_bytes = prepared.conditions.step_bytes * num_steps
        held += prepared.conditions.step_bytes if self._on_card else table_bytes

        def trace(variant: Variant) -> PassTrace:
            together = variant.branches_together
            return self._pass(
                name,
                part,
                variant,
                lambda: prepared(latents, 0) if together else prepared.branch(latents, 0, 0),
                repeats=num_steps * (1 if together else prepared.num_branches),
                held_bytes=held,
            )

        # A model that is small is never in 8 bit: all its weights stay.
        has_8bit = self._sizes.eight_bit_bytes.get(part) is not None and not self.is_small
        variants = (
            Variant(branches_together=together, is_8bit=in_8bit)
            for in_8bit in ((False, True) if has_8bit else (False,))
            for together in (True, False)
        )
        steps = Ways([partial(trace, variant) for variant in variants])
        return LoopTraces(
            conditions=Ways([lambda: conditions]), steps=steps, table_bytes=table_bytes
        )

    def _conditions(
        self,
        name: str,
        part: ModelPart,
        denoiser_of: Callable[[int], LoopDenoiser],
        num_steps: int,
    ) -> tuple[LoopDenoiser, PassTrace]:
        """A denoiser with its conditions, and the pass that computes those of `num_steps` steps.

        Every step adds the same, so few of them are enough to know.
        """
        few, more = (denoiser_of(count) for count in _TRACED_STEPS)
        traces = [
            self._pass(
                f"{name} conditions", part, Variant(), denoiser.prepare, repeats=1, held_bytes=0
            )
            for denoiser in (few, more)
        ]
        others = num_steps - _TRACED_STEPS[0]
        # On a card the table of all steps is in main memory.
        table = few.conditions.step_bytes if self._on_card else 0
        uses = tuple(
            replace(
                use,
                flops=use.flops + others * (then.flops - use.flops),
                moved_bytes=use.moved_bytes + others * (then.moved_bytes - use.moved_bytes),
                live_bytes=use.live_bytes
                - _TRACED_STEPS[0] * table
                + others * (then.live_bytes - use.live_bytes - table),
            )
            for use, then in zip(*(trace.uses for trace in traces), strict=True)
        )
        return few, replace(traces[0], uses=uses)

    @property
    def _on_card(self) -> bool:
        return self._kind is DeviceKind.GRAPHICS_CARD

    def _movq(
        self,
        part: ModelPart,
        name: str,
        work: Callable[[MoVQ, int | None], object],
        height: int,
        *,
        repeats: int = 1,
    ) -> Ways:
        movq = cast("MoVQ", self._networks.network(part))

        def trace(rows: int | None) -> PassTrace:
            return self._pass(
                name,
                part,
                Variant(strip_rows=rows),
                lambda: work(movq, rows),
                repeats=repeats,
                held_bytes=0,
            )

        heights = (rows for rows in _STRIP_ROWS if rows is None or rows < height)
        return Ways([partial(trace, rows) for rows in heights])

    def _pass(
        self,
        name: str,
        part: ModelPart,
        variant: Variant,
        work: Callable[[], object],
        *,
        repeats: int,
        held_bytes: int,
    ) -> PassTrace:
        with self._lock:
            trace = dry_run(
                work,
                self._networks.network(part),
                kind=self._kind,
                name=name,
                part=part,
                variant=variant,
                repeats=repeats,
                held_bytes=held_bytes,
                stored_bytes=self._sizes.eight_bit_bytes.get(part) if variant.is_8bit else None,
            )
        if not self.is_small:
            return trace
        return replace(trace, fixed_bytes=trace.fixed_bytes + self._networks.idle_bytes(trace))

    def _guided(self) -> GuidedText:
        """Two prompts of the greatest length."""
        text = self._sizes.config.text
        context = TextContext(
            tokens=_empty(1, text.tokens_length, text.context_dim),
            mask=torch.ones(1, text.tokens_length, dtype=torch.bool, device=META),
            length=torch.ones(1, dtype=torch.long, device=META),
        )
        return GuidedText(prompt=context, without_prompt=context)

    def _once(self, key: tuple[object, ...], make: Callable[[], ResultT]) -> ResultT:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            return cast("ResultT", self._kept[key])


_tracers: dict[tuple[object, ...], ClipTracer] = {}
_KEPT_TRACERS = 4


def tracer_of(loader: NetworkLoader, kind: DeviceKind) -> ClipTracer:
    """The tracer of a model in a folder, with all that was traced in this process already."""
    has_8bit = loader.folder.tensors_8bit(ModelPart.T2V) is not None
    key = (loader.folder.fingerprint, loader.text_encoder_8bit, has_8bit, kind)
    tracer = _tracers.pop(key, None) or ClipTracer(sizes_of(loader), kind)
    _tracers[key] = tracer  # behind the others: the first ones were not used for longest
    for oldest in list(_tracers)[:-_KEPT_TRACERS]:
        del _tracers[oldest]
    return tracer


def _empty(*shape: int) -> Tensor:
    return torch.empty(shape, device=META)


def _latents(num_frames: int, size: FrameSize) -> Tensor:
    return _empty(
        num_frames, LATENT_CHANNELS, size.height // LATENT_SCALE, size.width // LATENT_SCALE
    )
