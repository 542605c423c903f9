"""Traces single passes of one model on one kind of device, and keeps what it found out."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import torch

from engine.memory.device_kind import DeviceKind
from engine.memory.dry_run import dry_run
from engine.memory.kept_traces import trace_from_json, trace_to_json
from engine.memory.meta_networks import MetaNetworks

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from engine.checkpoint.folder import ModelPart
    from engine.memory.kept_traces import KeptTraces
    from engine.memory.model_sizes import ModelSizes
    from engine.memory.plan import PassTrace, Variant

META = torch.device("meta")
SMALL_MODEL_BYTES = 1 << 30
"""Networks that take no more than this together all stay on the device, from clip to clip."""


class PassTracer:
    """Does dry runs of passes.

    Attributes:
        sizes: of the model.
        is_on_card: whether the device is a graphics card.
        lock: held during a dry run, which hangs its hooks into a network: questions are answered
            while a clip is made.
    """

    def __init__(self, sizes: ModelSizes, kind: DeviceKind, kept_traces: KeptTraces | None) -> None:
        """Trace for the model of `sizes`, with what `kept_traces` has of it."""
        self.sizes = sizes
        self.is_on_card = kind is DeviceKind.GRAPHICS_CARD
        self.lock = threading.RLock()
        self._kind = kind
        self._kept_traces = kept_traces
        self._networks = MetaNetworks(sizes, kind)

    @cached_property
    def is_small(self) -> bool:
        """Whether all networks stay on the device together."""
        kept = self._kept_traces
        limit = SMALL_MODEL_BYTES
        found = kept.find(f"within {limit}") if kept else None
        if found is not None:
            return bool(found["is_within"])
        is_within = self._networks.are_within(limit)
        if kept:
            kept.keep(f"within {limit}", {"is_within": is_within})
        return is_within

    def network(self, part: ModelPart) -> nn.Module:
        """The network of `part` on the meta device."""
        return self._networks.network(part)

    def is_kept(self, name: str, shape: tuple[object, ...], variant: Variant) -> bool:
        """Whether `trace_once` would find its trace."""
        kept = self._kept_traces
        return kept is not None and kept.find(self._key(name, shape, variant)) is not None

    def trace_once(
        self,
        name: str,
        shape: tuple[object, ...],
        variant: Variant,
        make: Callable[[], PassTrace],
    ) -> PassTrace:
        """The trace that is kept of the pass `name`, or the one that `make` gives now.

        `shape` is all that the trace depends on beside the model and the variant.
        """
        kept = self._kept_traces
        if kept is None:
            return make()
        key = self._key(name, shape, variant)
        found = kept.find(key)
        if found is not None:
            return trace_from_json(found)
        trace = make()
        kept.keep(key, trace_to_json(trace))
        return trace

    def trace(
        self,
        name: str,
        part: ModelPart,
        variant: Variant,
        work: Callable[[], object],
        *,
        repeats: int,
        held_bytes: int,
    ) -> PassTrace:
        """The trace of `work`; see `dry_run`."""
        with self.lock:
            trace = dry_run(
                work,
                self.network(part),
                kind=self._kind,
                name=name,
                part=part,
                variant=variant,
                repeats=repeats,
                held_bytes=held_bytes,
                stored_bytes=self.sizes.eight_bit_bytes.get(part) if variant.is_8bit else None,
            )
        if not self.is_small:
            return trace
        return replace(trace, fixed_bytes=trace.fixed_bytes + self._networks.idle_bytes(trace))

    def _key(self, name: str, shape: tuple[object, ...], variant: Variant) -> str:
        return f"{name} {shape} {variant} {'small' if self.is_small else 'large'}"
