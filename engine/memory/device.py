"""The seam to the device: the only module with calls that only a GPU has.

Work on a device is done in order, and may still be under way when a call returns. A `Mark` is a
moment in that order. Copies of weights have an order of their own beside it, so that they do not
wait for work; marks are what the two orders wait for each other with.
"""

from __future__ import annotations

import contextlib
import gc
import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

import torch

from engine.api import DeviceInfo
from engine.errors import DeviceError, OutOfMemory
from engine.machine import PROCESS_BYTES, free_main_memory, processor_name
from engine.memory.device_kind import DeviceKind
from engine.memory.host_cache import PINNED_BLOCK_BYTES
from engine.memory.out_of_memory import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

log = logging.getLogger(__name__)


def graphics_cards() -> list[DeviceInfo]:
    """The graphics cards that PyTorch can use, in its order; see `Device.free_bytes`."""
    if not torch.cuda.is_available():
        return []
    cards: list[DeviceInfo] = []
    for index in range(torch.cuda.device_count()):
        card = CudaDevice(torch.device("cuda", index))
        properties = torch.cuda.get_device_properties(card.torch_device)
        cards.append(
            DeviceInfo(
                name=card.name,
                label=properties.name,
                total_bytes=properties.total_memory,
                free_bytes=card.free_bytes,
            )
        )
    return cards


class Mark(Protocol):
    """A moment in the order of a device's work, or of its copies."""

    @property
    def is_done(self) -> bool:
        """Whether everything up to it is done."""
        ...

    def synchronize(self) -> None:
        """Let the caller wait until everything up to it is done."""
        ...


@dataclass(frozen=True, slots=True)
class Device(ABC):
    """Where the networks run."""

    torch_device: torch.device

    @staticmethod
    def named(name: str) -> Device:
        """The device called "cpu", "cuda" or "cuda:N".

        Raises:
            DeviceError: there is no such device here.
        """
        try:
            device = torch.device(name)
        except RuntimeError as error:
            raise DeviceError(
                f'There is no device "{name}". Devices are "cpu", "cuda" and "cuda:N".',
                detail=str(error),
            ) from error
        if device.type == "cpu":
            return CpuDevice(device)
        if device.type != "cuda":
            raise DeviceError(f'The device "{name}" is not supported. Use "cpu" or "cuda".')
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            found = f"{count} found" if count else "none found"
            raise DeviceError(
                f'There is no graphics card "{name}" that PyTorch can use ({found}). '
                "Check the driver and that PyTorch was installed with CUDA, or use the CPU."
            )
        return CudaDevice(device)

    @staticmethod
    def best() -> Device:
        """The first graphics card if there is one, otherwise the CPU."""
        return Device.named("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def name(self) -> str:
        """What `named` takes, such as "cpu" or "cuda"."""
        return str(self.torch_device)

    @property
    @abstractmethod
    def label(self) -> str:
        """What a person calls it, such as "NVIDIA GeForce RTX 3060"."""

    @property
    @abstractmethod
    def kind(self) -> DeviceKind:
        """Whether it is a graphics card."""

    @property
    @abstractmethod
    def free_bytes(self) -> int:
        """Memory that a job can have here for weights and values.

        What this process holds already counts as free: its next job uses that again.
        """

    @property
    def unet_dtype(self) -> torch.dtype:
        """The type of the U-Nets' weights."""
        return torch.float16 if self.kind is DeviceKind.GRAPHICS_CARD else torch.float32

    @property
    def movq_dtype(self) -> torch.dtype:
        """The type of the autoencoders' weights."""
        return torch.float16 if self.kind is DeviceKind.GRAPHICS_CARD else torch.float32

    @abstractmethod
    def arena(self, num_bytes: int) -> Tensor:
        """Memory on the device: (num_bytes) uint8, not initialised."""

    @abstractmethod
    def staging(self, num_bytes: int) -> Tensor:
        """Main memory that is good to copy from: (num_bytes) uint8, not initialised."""

    @abstractmethod
    def copy(self, source: Tensor, target: Tensor, *, after: Mark | None) -> Mark:
        """Copy bytes to the device, in the order of such calls.

        Args:
            source: uint8, in main memory. To be left alone until the copy is done.
            target: of the same shape, on the device.
            after: the copy does not begin before this.

        Returns:
            When it is done.
        """

    @abstractmethod
    def mark(self) -> Mark:
        """Behind the work that was begun so far."""

    @abstractmethod
    def wait_for(self, mark: Mark) -> None:
        """Let work that is begun from now on wait for `mark`. The caller does not wait."""

    @abstractmethod
    def trim(self) -> None:
        """Give memory that nothing refers to any more back to the system."""

    def release_unused(self) -> None:
        """As `trim`, after a look for what only refers to itself. That takes half a second."""
        gc.collect()
        self.trim()

    def out_of_memory(self) -> OutOfMemory:
        """The error for a person when the device's memory is exhausted."""
        return _computer_out_of_memory()

    @contextlib.contextmanager
    def reporting_out_of_memory(self) -> Generator[None]:
        """Turn the errors of an exhausted device or computer into `OutOfMemory`."""
        try:
            yield
        except (MemoryError, RuntimeError, OSError) as error:
            if not is_out_of_memory(error):
                raise
            # The computer's memory can end while a graphics card works, too.
            is_main_memory = isinstance(error, (MemoryError, OSError)) or (
                "DefaultCPUAllocator" in str(error)
            )
            report = _computer_out_of_memory() if is_main_memory else self.out_of_memory()
            report.detail = str(error)
            raise report from error


def _computer_out_of_memory() -> OutOfMemory:
    return OutOfMemory(
        "The computer ran out of memory. Close other programs, or make a smaller or shorter clip."
    )


class CpuDevice(Device):
    """The processor: its memory is main memory, and a call returns when its work is done."""

    __slots__ = ()

    @property
    def label(self) -> str:
        """See `Device.label`."""
        return processor_name()

    @property
    def kind(self) -> DeviceKind:
        """See `Device.kind`."""
        return DeviceKind.CPU

    @property
    def free_bytes(self) -> int:
        """See `Device.free_bytes`."""
        return free_main_memory() - PROCESS_BYTES

    def arena(self, num_bytes: int) -> Tensor:
        """See `Device.arena`."""
        return torch.empty(num_bytes, dtype=torch.uint8)

    def staging(self, num_bytes: int) -> Tensor:
        """See `Device.staging`."""
        return torch.empty(num_bytes, dtype=torch.uint8)

    def copy(self, source: Tensor, target: Tensor, *, after: Mark | None) -> Mark:
        """See `Device.copy`."""
        del after
        target.copy_(source)
        return DONE

    def mark(self) -> Mark:
        """See `Device.mark`."""
        return DONE

    def wait_for(self, mark: Mark) -> None:
        """See `Device.wait_for`."""

    def trim(self) -> None:
        """See `Device.trim`."""


@dataclass(frozen=True, slots=True)
class _Done:
    """The mark of what was done when the call returned."""

    is_done: bool = True

    def synchronize(self) -> None:
        """See `Mark.synchronize`."""


DONE: Mark = _Done()
"""A mark that need not be waited for."""


class CudaDevice(Device):
    """A graphics card: work goes to the current stream, copies of weights to one of their own."""

    __slots__ = ()

    @property
    def label(self) -> str:
        """See `Device.label`."""
        return torch.cuda.get_device_properties(self.torch_device).name

    @property
    def kind(self) -> DeviceKind:
        """See `Device.kind`."""
        return DeviceKind.GRAPHICS_CARD

    @property
    def free_bytes(self) -> int:
        """See `Device.free_bytes`."""
        free, _total = torch.cuda.mem_get_info(self.torch_device)
        return free + torch.cuda.memory_reserved(self.torch_device)

    def arena(self, num_bytes: int) -> Tensor:
        """See `Device.arena`."""
        return torch.empty(num_bytes, dtype=torch.uint8, device=self.torch_device)

    def staging(self, num_bytes: int) -> Tensor:
        """See `Device.staging`. Pinned, unless the system refuses that: then copies are slower.

        PyTorch keeps pinned memory that was given back, by the powers of two that it rounds up to.
        With whole blocks, all of it serves again.
        """
        try:
            block = max(num_bytes, PINNED_BLOCK_BYTES)
            return torch.empty(block, dtype=torch.uint8, pin_memory=True)[:num_bytes]
        except RuntimeError:
            log.warning("%d bytes of main memory cannot be pinned", num_bytes, exc_info=True)
            return torch.empty(num_bytes, dtype=torch.uint8)

    def copy(self, source: Tensor, target: Tensor, *, after: Mark | None) -> Mark:
        """See `Device.copy`."""
        stream = _copy_stream(self.torch_device)
        with torch.cuda.stream(stream):
            if isinstance(after, _CudaMark):
                stream.wait_event(after.event)
            target.copy_(source, non_blocking=True)
            return _CudaMark.behind(stream)

    def mark(self) -> Mark:
        """See `Device.mark`."""
        return _CudaMark.behind(torch.cuda.current_stream(self.torch_device))

    def wait_for(self, mark: Mark) -> None:
        """See `Device.wait_for`."""
        if isinstance(mark, _CudaMark):
            torch.cuda.current_stream(self.torch_device).wait_event(mark.event)

    def trim(self) -> None:
        """See `Device.trim`."""
        torch.cuda.empty_cache()

    def out_of_memory(self) -> OutOfMemory:
        """See `Device.out_of_memory`."""
        free, total = torch.cuda.mem_get_info(self.torch_device)
        return OutOfMemory(
            f"The graphics card ran out of memory ({free / 2**30:.1f} of {total / 2**30:.1f} GB "
            "were free). Close other programs that use it, or make a smaller or shorter clip."
        )


@dataclass(frozen=True, slots=True)
class _CudaMark:
    event: torch.cuda.Event

    @classmethod
    def behind(cls, stream: torch.cuda.Stream) -> _CudaMark:
        """Behind everything that was given to `stream`."""
        # Blocking: who waits sleeps, and leaves the core to who gives the card its work.
        event = torch.cuda.Event(blocking=True)
        event.record(stream)
        return cls(event)

    @property
    def is_done(self) -> bool:
        """See `Mark.is_done`."""
        return self.event.query()

    def synchronize(self) -> None:
        """See `Mark.synchronize`."""
        self.event.synchronize()


@cache
def _copy_stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)
