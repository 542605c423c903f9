"""The seam to the device: the only module with calls that only a GPU has."""

from __future__ import annotations

import contextlib
import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from engine.api import DeviceInfo
from engine.errors import DeviceError, OutOfMemory

if TYPE_CHECKING:
    from collections.abc import Generator


def graphics_cards() -> list[DeviceInfo]:
    """The graphics cards that PyTorch can use, in its order; see `Device.free_bytes`."""
    if not torch.cuda.is_available():
        return []
    cards: list[DeviceInfo] = []
    for index in range(torch.cuda.device_count()):
        card = torch.device("cuda", index)
        properties = torch.cuda.get_device_properties(card)
        cards.append(
            DeviceInfo(
                name=str(card),
                label=properties.name,
                total_bytes=properties.total_memory,
                free_bytes=Device(card).free_bytes or 0,
            )
        )
    return cards


@dataclass(frozen=True, slots=True)
class Device:
    """Where the networks run, and in which type: float32 on the CPU, float16 U-Nets on a GPU."""

    torch_device: torch.device

    @classmethod
    def named(cls, name: str) -> Device:
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
        if device.type == "cuda":
            count = torch.cuda.device_count() if torch.cuda.is_available() else 0
            if (device.index or 0) >= count:
                found = f"{count} found" if count else "none found"
                raise DeviceError(
                    f'There is no graphics card "{name}" that PyTorch can use ({found}). '
                    "Check the driver and that PyTorch was installed with CUDA, or use the CPU."
                )
        elif device.type != "cpu":
            raise DeviceError(f'The device "{name}" is not supported. Use "cpu" or "cuda".')
        return cls(device)

    @classmethod
    def best(cls) -> Device:
        """The first graphics card if there is one, otherwise the CPU."""
        return cls.named("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def name(self) -> str:
        """What `named` takes, such as "cpu" or "cuda"."""
        return str(self.torch_device)

    @property
    def free_bytes(self) -> int | None:
        """Memory that a job here can have on a graphics card; None for the CPU.

        What this process holds already counts as free: its next job uses that again.
        """
        if not self.is_cuda:
            return None
        free, _total = torch.cuda.mem_get_info(self.torch_device)
        return free + torch.cuda.memory_reserved(self.torch_device)

    @property
    def is_cuda(self) -> bool:
        """Whether it is a graphics card."""
        return self.torch_device.type == "cuda"

    @property
    def unet_dtype(self) -> torch.dtype:
        """The type of the U-Nets' weights."""
        return torch.float16 if self.is_cuda else torch.float32

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Mixed precision around a U-Net, as the official code runs it on a GPU."""
        if not self.is_cuda:
            return contextlib.nullcontext()
        return torch.autocast("cuda", dtype=torch.float16)

    def release_unused(self) -> None:
        """Give memory that nothing uses any more back to the system."""
        gc.collect()
        if self.is_cuda:
            torch.cuda.empty_cache()

    @contextlib.contextmanager
    def reporting_out_of_memory(self) -> Generator[None]:
        """Turn the errors of an exhausted device or computer into `OutOfMemory`."""
        try:
            yield
        except torch.OutOfMemoryError as error:
            free, total = torch.cuda.mem_get_info(self.torch_device)
            raise OutOfMemory(
                f"The graphics card ran out of memory ({free / 2**30:.1f} of "
                f"{total / 2**30:.1f} GB were free). Close other programs that use it, or make a "
                "smaller or shorter clip.",
                detail=str(error),
            ) from error
        except (MemoryError, RuntimeError) as error:
            # PyTorch's CPU allocator has no exception type of its own.
            if isinstance(error, MemoryError) or "DefaultCPUAllocator" in str(error):
                raise OutOfMemory(
                    "The computer ran out of memory. Close other programs, or make a smaller or "
                    "shorter clip.",
                    detail=str(error),
                ) from error
            raise
