"""Carries a plan out: weights are on the device when a network's layers need them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

import torch

from engine.memory.device_kind import DeviceKind
from engine.memory.feeder import Feeder, Places, Wanted
from engine.memory.host_cache import HOST_CACHE_BYTES, units_to_keep
from engine.memory.plan import PassPlan, Variant
from engine.memory.units import PlacesOfWeights, units_of
from engine.memory.weights import FIXED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set
    from types import TracebackType

    from torch import Tensor, nn
    from torch.utils.hooks import RemovableHandle

    from engine.checkpoint.networks import LoadableNetwork
    from engine.memory.device import Device, Mark
    from engine.memory.weights import WeightSource


def whole(source: WeightSource, *, name: str = "whole") -> PassPlan:
    """The plan with all weights on the device, for who has no other. It says nothing of values."""
    num_bytes = source.fixed_bytes + sum(source.unit_bytes.values())
    return PassPlan(
        name=name,
        variant=Variant(),
        resident=frozenset(source.units),
        ring_bytes=0,
        resident_bytes=num_bytes,
        peak_bytes=num_bytes,
        streamed_bytes=num_bytes,
        flops=0,
        seconds=0.0,
        loading_seconds=0.0,
    )


@dataclass(slots=True, kw_only=True)
class _Held:
    """The unit outside of the residents that has its weights. `used` is behind its last use."""

    unit: str
    memory: Tensor
    is_in_ring: bool
    used: Mark | None = None


class Residency:
    """The weights of one network on a device, while passes through it are done.

    Between entering and leaving, the network can be called as if it were on the device. Units
    that stay come during the first pass and are as fast as any weights afterwards. All others come
    through a ring, right before they are needed. Work in another order than the planned one gives
    the same results, slower.

    It belongs to one thread.
    """

    def __init__(
        self,
        loadable: LoadableNetwork[nn.Module],
        device: Device,
        plan: PassPlan,
        order: Sequence[str],
        repeats: int,
    ) -> None:
        """Nothing is read and nothing allocated yet.

        Args:
            loadable: the network, and where its weights are. Nobody else uses it meanwhile.
            device: where it works.
            plan: which units stay, and how large the ring is.
            order: the units in the order of one pass.
            repeats: how often the pass will be done.

        Raises:
            ValueError: a unit of `order` neither stays nor fits into the ring.
        """
        self._source = loadable.source
        self._device = device
        self._modules = units_of(loadable.network)
        self._weights = {
            unit: PlacesOfWeights(loadable.network, self._source.names(unit))
            for unit in (FIXED, *self._modules)
        }
        self._hooks: dict[str, tuple[RemovableHandle, ...]] = {}
        self._fixed: Tensor | None = None
        self._here: dict[str, Tensor] = {}  # units that stay, by name
        self._expected: dict[str, Tensor] = {}  # the same, allocated and not filled
        self._ring: Tensor | None = None
        self._held: _Held | None = None
        self._feeder: Feeder | None = None
        self._bytes_read, self._seconds_reading = 0, 0.0
        self._settle_on(plan, order, repeats)

    @property
    def plan(self) -> PassPlan:
        """The plan that is carried out."""
        return self._plan

    @property
    def num_bytes(self) -> int:
        """Bytes of the device that weights have now, the ring included."""
        memories = [self._fixed, self._ring, *self._here.values(), *self._expected.values()]
        return sum(len(memory) for memory in memories if memory is not None)

    @property
    def bytes_read(self) -> int:
        """Bytes that were read from files ahead of the work, by feeders that have ended."""
        return self._bytes_read

    @property
    def seconds_reading(self) -> float:
        """How long `bytes_read` took."""
        return self._seconds_reading

    def read_ahead(self) -> None:
        """Begin to read into main memory, before entering. The device is left alone."""
        if self._feeder is None:
            self._feeder = self._new_feeder(place=0, passes=self._repeats)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> None:
        """Allocate, and begin to bring weights to the device.

        Raises:
            ModelFileError: a file cannot be read or is cut off.
            RuntimeError: the device has too little memory. Nothing is left on it.
        """
        try:
            self._fixed = self._read_at_once(FIXED)
            self._weights[FIXED].put(self._source.tensors(FIXED, self._fixed))
            self._allocate()
            self._begin(self._feeder or self._new_feeder(place=0, passes=self._repeats))
        except BaseException:
            self.close()
            raise

    def apply(self, plan: PassPlan, order: Sequence[str], repeats: int) -> None:
        """Go on with another plan, or another pass, from its beginning. Between two calls only.

        Units that stay under both plans are left as they are.

        Raises:
            ValueError: a unit of `order` neither stays nor fits into the ring.
            RuntimeError: the device has too little memory. Apply a smaller plan, or leave.
        """
        self._stop()
        kept = self.num_bytes
        self._settle_on(plan, order, repeats)
        for unit in self._here.keys() - plan.resident:
            self._weights[unit].take_out()
            del self._here[unit]
        for unit in self._expected.keys() - self._staying:
            del self._expected[unit]
        if self._ring is not None and len(self._ring) != plan.ring_bytes:
            self._ring = None
        if self.num_bytes < kept:
            self._device.trim()
        self._allocate()
        self._begin(self._new_feeder(place=0, passes=repeats))

    def close(self) -> None:
        """Take all weights out and give the memory back."""
        self._stop()
        for weights in self._weights.values():
            weights.take_out()
        for unit in list(self._hooks):
            self._unhook(unit)
        self._here.clear()
        self._expected.clear()
        self._fixed = self._ring = None
        self._device.trim()

    # Beginning and ending

    def _settle_on(self, plan: PassPlan, order: Sequence[str], repeats: int) -> None:
        streamed = set(order) - plan.resident
        largest = max((self._source.num_bytes(unit) for unit in streamed), default=0)
        if largest > plan.ring_bytes:
            raise ValueError(
                f"a unit of {largest} bytes does not fit into a ring of {plan.ring_bytes}"
            )
        self._plan = plan
        self._order = tuple(order)
        self._staying = plan.resident.intersection(order)
        self._repeats = self._passes_left = repeats
        self._place = -1

    def _allocate(self) -> None:
        for unit in self._order:
            if unit in self._staying and unit not in self._here and unit not in self._expected:
                self._expected[unit] = self._device.arena(self._source.num_bytes(unit))
        if self._ring is None and self._plan.ring_bytes:
            self._ring = self._device.arena(self._plan.ring_bytes)

    def _new_feeder(self, *, place: int, passes: int) -> Feeder:
        expected = self._staying - self._here.keys()
        wanted = _wanted(self._order, expected, frozenset(self._here), place=place, passes=passes)
        total = sum(self._source.num_bytes(unit) for unit in set(self._order) - self._here.keys())
        is_worth_keeping = passes > 1 and self._device.kind is DeviceKind.GRAPHICS_CARD
        kept = units_to_keep(
            self._order,
            self._staying,
            self._source.unit_bytes,
            HOST_CACHE_BYTES if is_worth_keeping else 0,
        )
        return Feeder(self._source, self._device, wanted, staging_bytes=total, kept=kept)

    def _begin(self, feeder: Feeder) -> None:
        self._feeder = feeder
        feeder.begin_copying(
            Places(own=dict(self._expected), ring=self._ring, free_from=self._device.mark())
        )
        for unit in self._modules:
            if unit not in self._here or self._source.is_rebuilt(unit):
                self._hook(unit)

    def _stop(self) -> None:
        """End the feeder; what it has brought to stay stays."""
        if self._feeder is not None:
            feeder, self._feeder = self._feeder, None
            for delivery in feeder.close():
                if delivery.wanted.stays and delivery.wanted.unit in self._expected:
                    self._let_stay(delivery.wanted.unit)
            self._bytes_read += feeder.bytes_read
            self._seconds_reading += feeder.seconds_reading
        self._held_goes(None)

    def _hook(self, unit: str) -> None:
        if unit not in self._hooks:
            module = self._modules[unit]
            self._hooks[unit] = (
                module.register_forward_pre_hook(partial(self._before, unit)),
                # After a failure too: what was made for this use only is not to stay.
                module.register_forward_hook(partial(self._after, unit), always_call=True),
            )

    def _unhook(self, unit: str) -> None:
        for handle in self._hooks.pop(unit, ()):
            handle.remove()

    # At work

    def _before(self, unit: str, *_: object) -> None:
        """Give a unit its weights."""
        if unit in self._here:
            self._weights[unit].put(self._source.tensors(unit, self._here[unit]))
        elif self._held is None or self._held.unit != unit:
            self._held_goes(self._feeder)
            self._bring(unit)
        elif self._source.is_rebuilt(unit):
            self._weights[unit].put(self._source.tensors(unit, self._held.memory))

    def _after(self, unit: str, *_: object) -> None:
        """Remember when a unit's weights may go.

        They go when another unit's come: a layer may be called twice in a row.
        """
        if self._held is not None and self._held.unit == unit:
            self._held.used = self._device.mark()
        if self._source.is_rebuilt(unit):
            self._weights[unit].take_out()

    def _held_goes(self, feeder: Feeder | None) -> None:
        """Take the weights out that were used last; the feeder may have their place."""
        if self._held is not None:
            held, self._held = self._held, None
            self._weights[held.unit].take_out()
            if held.is_in_ring and feeder is not None:
                feeder.release(held.used or self._device.mark())

    def _bring(self, unit: str) -> None:
        while True:
            delivery = self._feeder.take() if self._feeder is not None else None
            if delivery is None:
                break
            wanted = delivery.wanted
            if not wanted.stays and wanted.unit != unit:
                break
            self._place, self._passes_left = wanted.place, wanted.passes_left
            self._device.wait_for(delivery.ready)
            if not wanted.stays:
                self._hold(_Held(unit=unit, memory=delivery.memory, is_in_ring=True))
                return
            self._let_stay(wanted.unit)
            if wanted.unit == unit:
                self._weights[unit].put(self._source.tensors(unit, delivery.memory))
                return
        self._bring_out_of_order(unit)

    def _bring_out_of_order(self, unit: str) -> None:
        """Begin anew where `unit` comes next in the order; or read it alone if it never does."""
        places = [place for place, name in enumerate(self._order) if name == unit]
        if not places:
            self._hold(_Held(unit=unit, memory=self._read_at_once(unit), is_in_ring=False))
            return
        place = next((place for place in places if place > self._place), places[0])
        self._stop()
        self._begin(self._new_feeder(place=place, passes=max(1, self._passes_left)))
        if unit in self._here:  # it had come, unasked for
            self._weights[unit].put(self._source.tensors(unit, self._here[unit]))
        else:
            self._bring(unit)

    def _hold(self, held: _Held) -> None:
        self._weights[held.unit].put(self._source.tensors(held.unit, held.memory))
        self._held = held

    def _let_stay(self, unit: str) -> None:
        """A unit is there to stay. Its weights need no hook any more, unless they are rebuilt."""
        memory = self._here[unit] = self._expected.pop(unit)
        if not self._source.is_rebuilt(unit):
            self._weights[unit].put(self._source.tensors(unit, memory))
            self._unhook(unit)

    def _read_at_once(self, unit: str) -> Tensor:
        """The bytes of a unit in memory of its own on the device."""
        staging = torch.empty(self._source.num_bytes(unit), dtype=torch.uint8)
        self._source.read(unit, 0, staging)
        memory = self._device.arena(len(staging))
        copied = self._device.copy(staging, memory, after=self._device.mark())
        self._device.wait_for(copied)
        copied.synchronize()  # before the staging memory goes
        return memory


def _wanted(
    order: Sequence[str], expected: Set[str], here: Set[str], *, place: int, passes: int
) -> Iterator[Wanted]:
    """What a feeder brings, from a place in the first of some passes on.

    Args:
        order: the units of a pass.
        expected: units that are brought once, to stay.
        here: units that are there.
        place: in `order`, where the work begins.
        passes: how many there are, the first included.
    """
    missing = set(expected)
    passing = set(order) - expected - here
    before = ""
    for passes_left in range(passes, 0, -1):
        for index in range(place, len(order)):
            unit = order[index]
            # A unit that was the last to be used is still there.
            if unit in missing or (unit in passing and unit != before):
                stays = unit in missing
                missing.discard(unit)
                before = unit
                yield Wanted(unit=unit, place=index, passes_left=passes_left, stays=stays)
        place = 0
        if not missing and not passing:
            return
