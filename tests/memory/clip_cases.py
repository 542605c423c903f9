"""Whole clips of the demo model, on a device whose every byte is counted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import (
    Fps,
    FrameSize,
    GenerateRequest,
    MemoryAdapted,
    Sampler,
    SamplingSettings,
    Stage,
)
from engine.checkpoint.folder import ModelFolder
from engine.checkpoint.networks import NetworkLoader
from engine.clip_run import ClipRun
from engine.denoisers import decoding_chunk_sizes
from engine.memory.cards import card_named
from engine.memory.clip_traces import ClipTracer
from engine.memory.device_kind import DeviceKind
from engine.memory.ladder import free_needed, usable_bytes
from engine.memory.model_sizes import sizes_of
from engine.memory.networks_in_use import NetworksInUse
from engine.memory.simulated_card import SimulatedCard
from engine.memory.simulated_device import SimulatedDevice
from engine.pipeline import Pipeline
from engine.progress import Progress, planned_work

if TYPE_CHECKING:
    from engine.memory.loop_traces import LoopTraces

DEMO = Path(__file__).parents[2] / "resources" / "demo_model"
SIZE = FrameSize(width=64, height=64)
MEMORY_BYTES = 1 << 30

# Nothing ever waits for copies, so that the way to compute is the preferred one while it fits.
CARD = replace(
    card_named("RTX 3060"),
    memory_bytes=MEMORY_BYTES,
    copy_bytes_per_second=1e18,
    source_bytes_per_second=1e18,
)


class CountingCard(SimulatedCard):
    """Counts what is copied to it."""

    def __init__(self):
        super().__init__(CARD)
        self.copied_bytes = 0

    def copy(self, num_bytes, *, after=0.0):
        self.copied_bytes += num_bytes
        return super().copy(num_bytes, after=after)


class CountedCpu(SimulatedDevice):
    """Counts as the card does and computes as the CPU does, in float32: float16 is slow there."""

    __slots__ = ()

    @property
    def kind(self):
        return DeviceKind.CPU


def counted_cpu():
    return CountedCpu.of(CountingCard())


def request_for(fps=Fps.LOW, size=SIZE, steps=2, sampler=Sampler.DDPM):
    return GenerateRequest(
        prompt="a red circle moving to the right",
        seed=3,
        size=size,
        fps=fps,
        sampling=SamplingSettings(sampler=sampler, steps=steps, interpolation_steps=2),
    )


@cache
def loader_of(folder):
    return NetworkLoader(ModelFolder.open(folder))


@dataclass
class Made:
    """A clip, with what was seen while it was made."""

    frames: list
    latents: dict
    events: list

    @property
    def adaptations(self):
        return [event for event in self.events if isinstance(event, MemoryAdapted)]


class Maker:
    """Makes a clip on a device. Nothing is kept from one to the next."""

    def __init__(self, device=None, folder=DEMO):
        self.device = device or counted_cpu()
        self.loader = loader_of(folder)
        self.pipeline = Pipeline(self.loader, self.device)
        self.pipeline.networks = NetworksInUse(
            self.loader, self.device, CARD, on_read=lambda *_: None
        )

    @property
    def card(self):
        return self.device.card

    def leave(self, num_bytes):
        """Let other programs have what leaves plans just so many bytes."""
        self.card.other_bytes = MEMORY_BYTES - free_for(num_bytes)

    def make(
        self,
        request,
        *,
        picture=None,
        on_event=lambda _event: None,
        until=None,
        allow_8bit=False,
    ):
        made = Made(frames=[], latents={}, events=[])

        def seen(event):
            made.events.append(event)
            on_event(event)

        run = ClipRun(
            self.pipeline,
            request,
            picture,
            Progress(
                planned_work(request, saves_file=False, until=until),
                on_event=seen,
                is_cancelled=lambda: False,
            ),
            allow_8bit=allow_8bit,
            on_look=lambda stage, step, latents: made.latents.update({(stage, step): latents}),
        )
        made.frames = run.frames(until)
        return made


def free_for(num_bytes):
    """Free bytes of which plans may use so many."""
    free = free_needed(num_bytes)
    while usable_bytes(free) < num_bytes:
        free += 1
    return free


class Needs:
    """How many bytes the stages of a clip take, each way to do it being the preferred one."""

    def __init__(self, request, kind=DeviceKind.CPU, folder=DEMO):
        self.tracer = ClipTracer(sizes_of(loader_of(folder)), kind)
        size, sampling = request.size, request.sampling
        tracer, num_frames = self.tracer, request.fps.num_frames
        sizes = decoding_chunk_sizes(num_frames)
        picture = FrameSize(width=2 * size.width, height=2 * size.height)
        self.passes = {
            # Others take memory when a stage is told to begin, and a picture is encoded before.
            Stage.TEXT: [tracer.text(), tracer.encode(size)],
            Stage.KEY_FRAME: [
                *passes_of(tracer.key_frame(size, sampling.steps)),
                tracer.decode_picture(picture),
                tracer.encode(size),
            ],
            Stage.BASE_FRAMES: passes_of(tracer.base_frames(size, sampling.steps)),
            Stage.INTERPOLATION: passes_of(
                tracer.interpolation(size, sampling.interpolation_steps, 12)
            ),
            Stage.DECODE: [tracer.decode(size, max(sizes), len(sizes))],
        }

    def of(self, stage, share):
        """With all weights on the device for a share of 1; with as few as can be for one of 0."""
        return max(
            math.ceil(trace.least_bytes + share * (trace.weights_bytes - trace.largest_unit_bytes))
            for trace in (ways[0] for ways in self.passes[stage])
        )

    def least(self, stage):
        """In any exact way."""
        return max(
            min(trace.least_bytes for trace in ways if not trace.variant.is_8bit)
            for ways in self.passes[stage]
        )


def passes_of(loop: LoopTraces):
    return [loop.conditions, loop.steps]
