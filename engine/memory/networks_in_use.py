"""The networks of one model at work, within the memory that there is."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Generic, TypeVar

import torch

from engine.checkpoint.folder import ModelPart
from engine.checkpoint.networks import LoadableNetwork
from engine.errors import OutOfMemory
from engine.memory.ladder import StageMemory
from engine.memory.planner import plan_pass, plan_to_stay
from engine.memory.residency import Residency, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import nn

    from engine.checkpoint.networks import NetworkLoader
    from engine.memory.cards import Card
    from engine.memory.device import Device
    from engine.memory.ladder import MemoryChange
    from engine.memory.plan import PassPlan, PassTrace, Variant

    OnRead = Callable[[int, float], None]

NetworkT = TypeVar("NetworkT", bound="nn.Module")
ResultT = TypeVar("ResultT")


class NetworkAtWork(Generic[NetworkT]):
    """A network while one kind of pass is done with it, again and again.

    Attributes:
        network: to be called inside of `attempt` only: it has weights there.
        variants: the ways to do the pass.
    """

    def __init__(
        self,
        loadable_of: Callable[[bool], LoadableNetwork[NetworkT]],
        device: Device,
        memory: StageMemory,
        variants: Sequence[PassTrace],
        kept: dict[ModelPart, Residency] | None,
        on_read: OnRead,
    ) -> None:
        """No weight is read yet.

        Args:
            loadable_of: the network with its weights, in 8 bit or not.
            device: where it works.
            memory: plans the pass.
            variants: see above.
            kept: networks whose weights stay on the device from clip to clip, this one's to be
                among them; None where they go when the work ends.
            on_read: told how many bytes of weights were read, and in which time.
        """
        self.network = loadable_of(False).network
        self.variants = variants
        self._part = variants[0].part
        self._loadable_of = loadable_of
        self._device = device
        self._memory = memory
        self._kept = kept
        self._on_read = on_read
        self._residency = None if kept is None else kept.get(self._part)
        self._is_8bit = False
        self._is_open = self._residency is not None
        self._has_failed = False

    def read_ahead(self) -> None:
        """Begin to read weights into main memory, while another network is still at work.

        Raises:
            EightBitWouldFit: only 8-bit weights would fit, and nobody agreed to these.
            OutOfMemory: not even the smallest plan fits.
        """
        if self._residency is None:
            plan = self._memory.plan_for_next_step()
            trace = self._memory.trace
            self._residency = self._new_residency(plan, trace.order, trace.repeats)
            self._residency.read_ahead()

    def attempt(self, step: Callable[[Variant], ResultT]) -> ResultT:
        """Do a step; again, and in less memory, when memory runs out in it.

        Args:
            step: computes as it is told. It can be done again from its beginning.

        Raises:
            EightBitWouldFit: only 8-bit weights would fit, and nobody agreed to these.
            ModelFileError: the weights cannot be read.
            OutOfMemory: not even the smallest plan works.
        """

        def under(plan: PassPlan) -> ResultT:
            begins_anew, self._has_failed = self._has_failed, True
            self._follow(plan, begins_anew=begins_anew)
            result = step(plan.variant)
            self._has_failed = False
            return result

        return self._memory.attempt(under, self._device.release_unused)

    def close(self) -> None:
        """Give the memory back, unless the weights stay from clip to clip."""
        residency, self._residency = self._residency, None
        if residency is not None and self._kept is None:
            residency.close()
            self._on_read(residency.bytes_read, residency.seconds_reading)

    def _follow(self, plan: PassPlan, *, begins_anew: bool) -> None:
        """Bring the weights to where `plan` wants them."""
        trace = self._memory.trace
        order, repeats = trace.order, trace.repeats
        if self._kept is not None and not plan.ring_bytes:
            source = self._loadable_of(False).source
            plan, order, repeats = whole(source), source.units, 1
        residency = self._residency
        if residency is not None and not self._can_go_on(residency, plan):
            residency.close()
            residency = self._residency = None
        if residency is None:
            residency = self._new_residency(plan, order, repeats)
        if not self._is_open:
            residency.open()
            self._is_open = True
            if self._kept is not None:
                self._kept[self._part] = residency
        elif begins_anew or residency.plan != plan:
            residency.apply(plan, order, repeats)
        self._residency = residency

    def _can_go_on(self, residency: Residency, plan: PassPlan) -> bool:
        """Whether a residency can take up `plan`; one that only reads ahead has one plan."""
        is_same_type = plan.variant.is_8bit == self._is_8bit
        return is_same_type and (self._is_open or residency.plan == plan)

    def _new_residency(self, plan: PassPlan, order: Sequence[str], repeats: int) -> Residency:
        self._is_8bit, self._is_open = plan.variant.is_8bit, False
        source = self._loadable_of(self._is_8bit).source
        loadable = LoadableNetwork(part=self._part, network=self.network, source=source)
        return Residency(loadable, self._device, plan, order, repeats)


class NetworksInUse:
    """Hands out networks for their passes, one at a time.

    Attributes:
        allow_8bit: whether somebody agreed to 8-bit weights where no others fit.
        limit_bytes: what may be used on the device at most; None: what is free.
        on_change: told when a pass goes on with less memory, or with more.
    """

    def __init__(
        self, loader: NetworkLoader, device: Device, card: Card, *, on_read: OnRead
    ) -> None:
        """Nothing is read yet.

        Args:
            loader: of the model.
            device: where its networks work.
            card: what the device does in a second.
            on_read: told how many bytes of weights were read, and in which time.
        """
        self._on_read = on_read
        self.allow_8bit = False
        self.limit_bytes: int | None = None
        self.on_change: Callable[[MemoryChange], None] = _ignore
        self._loader = loader
        self._device = device
        self._card = card
        self._loadable: dict[tuple[ModelPart, bool], LoadableNetwork[nn.Module]] = {}
        self._kept: dict[ModelPart, Residency] = {}
        self._at_work: NetworkAtWork[nn.Module] | None = None
        self._ahead: NetworkAtWork[nn.Module] | None = None

    def network(self, part: ModelPart) -> nn.Module:
        """The network of `part`. It has weights while it is at work only."""
        return self._load(part, in_8bit=False).network

    def at_work(self, variants: Sequence[PassTrace], *, stays: bool) -> NetworkAtWork[nn.Module]:
        """The network that does the pass of `variants`. What was at work before ends.

        Args:
            variants: ways to do the pass, in order of preference.
            stays: whether all networks of the model are so small that they stay on the device.
        """
        if self._at_work is not None and self._at_work.variants is variants:
            return self._at_work
        if self._ahead is not None and self._ahead.variants is variants:
            former, self._at_work, self._ahead = self._at_work, self._ahead, None
            if former is not None:
                former.close()
            return self._at_work
        self.rest()
        self._at_work = self._new(variants, stays=stays)
        return self._at_work

    def read_ahead(self, variants: Sequence[PassTrace]) -> None:
        """Begin to read the weights of the next pass, whose network is not the one at work."""
        if self._ahead is None:
            self._ahead = self._new(variants, stays=False)
            with contextlib.suppress(OutOfMemory):  # it may fit when its time has come
                self._ahead.read_ahead()

    def _new(self, variants: Sequence[PassTrace], *, stays: bool) -> NetworkAtWork[nn.Module]:
        part = variants[0].part
        memory = StageMemory(
            variants,
            card=self._card,
            free_bytes=lambda: self._device.free_bytes,
            on_change=lambda change: self.on_change(change),
            allow_8bit=self.allow_8bit,
            limit_bytes=self.limit_bytes,
            planner=plan_to_stay if stays else plan_pass,
        )
        return NetworkAtWork(
            lambda in_8bit: self._load(part, in_8bit=in_8bit),
            self._device,
            memory,
            variants,
            self._kept if stays else None,
            self._on_read,
        )

    def rest(self) -> None:
        """End the work of the network that was used last, and reading ahead."""
        with contextlib.ExitStack() as closing:  # all of them, also where a device is broken
            for network in (self._at_work, self._ahead):
                if network is not None:
                    closing.callback(network.close)
            self._at_work = self._ahead = None

    def close(self) -> None:
        """Give all memory back."""
        self.rest()
        for residency in self._kept.values():
            residency.close()
        self._kept.clear()

    def _load(self, part: ModelPart, *, in_8bit: bool) -> LoadableNetwork[nn.Module]:
        key = (part, in_8bit)
        if key not in self._loadable:
            self._loadable[key] = self._loaded(part, in_8bit=in_8bit)
        return self._loadable[key]

    def _loaded(self, part: ModelPart, *, in_8bit: bool) -> LoadableNetwork[nn.Module]:
        loader, device = self._loader, self._device
        match part:
            case ModelPart.T2V:
                return loader.key_frame_unet(device.unet_dtype, in_8bit=in_8bit)
            case ModelPart.INTERPOLATION:
                return loader.interpolation_unet(device.unet_dtype, in_8bit=in_8bit)
            case ModelPart.IMAGE_MOVQ:
                return loader.image_movq(device.movq_dtype)
            case ModelPart.VIDEO_MOVQ:
                return loader.video_movq(device.movq_dtype)
            case ModelPart.TEXT_ENCODER | ModelPart.TEXT_PROJECTIONS:
                return loader.text_encoder(torch.float32)


def _ignore(_change: MemoryChange) -> None:
    pass
