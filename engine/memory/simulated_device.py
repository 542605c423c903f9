"""A graphics card in name and in accounting; its tensors lie in main memory, and the CPU works."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.errors import OutOfMemory
from engine.memory.device import Device
from engine.memory.device_kind import DeviceKind

if TYPE_CHECKING:
    from torch import Tensor

    from engine.memory.device import Mark
    from engine.memory.simulated_card import SimulatedCard

_CPU_ALIGNMENT = 64  # of PyTorch's own tensors: kernels may sum in another order for any other


@dataclass(frozen=True, slots=True)
class SimulatedDevice(Device):
    """What `arena` gives is taken from the card, and given back when its last tensor goes.

    Values of networks are not counted: PyTorch's CPU allocator gives them. Copies are done at once,
    and take their time on the card's clock.

    Attributes:
        card: the bytes and the clocks.
    """

    card: SimulatedCard

    @classmethod
    def of(cls, card: SimulatedCard) -> SimulatedDevice:
        """The device of `card`."""
        return cls(torch.device("cpu"), card)

    @property
    def label(self) -> str:
        """See `Device.label`."""
        return self.card.card.name

    @property
    def kind(self) -> DeviceKind:
        """See `Device.kind`."""
        return DeviceKind.GRAPHICS_CARD

    @property
    def free_bytes(self) -> int:
        """See `Device.free_bytes`."""
        return self.card.available_bytes

    def arena(self, num_bytes: int) -> Tensor:
        """See `Device.arena`.

        Raises:
            SimulatedOutOfMemory: the card has too little.
        """
        handle = self.card.reserve(num_bytes)
        memory = np.empty(num_bytes + _CPU_ALIGNMENT, dtype=np.uint8)
        begin = -memory.ctypes.data % _CPU_ALIGNMENT
        arena = memory[begin : begin + num_bytes]
        # The tensor's storage holds the array until the last view of it goes.
        weakref.finalize(arena, self.card.free, handle)
        return torch.from_numpy(arena)

    def staging(self, num_bytes: int) -> Tensor:
        """See `Device.staging`."""
        return torch.empty(num_bytes, dtype=torch.uint8)

    def copy(self, source: Tensor, target: Tensor, *, after: Mark | None) -> Mark:
        """See `Device.copy`."""
        begin = after.seconds if isinstance(after, _SimulatedMark) else 0.0
        target.copy_(source)
        return _SimulatedMark(self.card.copy(source.numel(), after=begin))

    def mark(self) -> Mark:
        """See `Device.mark`."""
        return _SimulatedMark(self.card.compute_seconds)

    def wait_for(self, mark: Mark) -> None:
        """See `Device.wait_for`."""
        if isinstance(mark, _SimulatedMark):
            self.card.wait_for(mark.seconds)

    def trim(self) -> None:
        """See `Device.trim`."""
        self.card.release_unused()

    def out_of_memory(self) -> OutOfMemory:
        """See `Device.out_of_memory`."""
        return OutOfMemory(
            f"The simulated card ran out of memory: {self.card.free_bytes} of "
            f"{self.card.card.memory_bytes} bytes were free."
        )


@dataclass(frozen=True, slots=True)
class _SimulatedMark:
    """A time on the card's clocks; what is copied is there already."""

    seconds: float
    is_done: bool = True

    def synchronize(self) -> None:
        """See `Mark.synchronize`."""
