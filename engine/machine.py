"""The computer: its processor, its memory, and what networks can run on."""

from __future__ import annotations

import logging
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

from engine.api import DeviceInfo, MachineDescribed

log = logging.getLogger(__name__)

CPU = "cpu"

PROCESS_BYTES = 500_000_000
"""What a process takes on the CPU that has loaded its libraries and made a clip of the smallest
size: measured, and rounded up. A graphics card has nothing of that in its memory."""


def describe_machine() -> MachineDescribed:
    """The devices, best first, and the main memory. Imports torch if nobody did before."""
    memory = psutil.virtual_memory()
    cpu = DeviceInfo(
        name=CPU,
        label=processor_name(),
        total_bytes=memory.total,
        free_bytes=free_main_memory(),
    )
    return MachineDescribed(
        devices=(*_graphics_cards(), cpu),
        total_bytes=memory.total,
        free_bytes=memory.available,
    )


def free_main_memory() -> int:
    """Bytes that a job can have, those that this process holds already among them."""
    return psutil.virtual_memory().available + psutil.Process().memory_info().rss


@cache
def processor_name() -> str:
    """The processor as a person knows it, such as "AMD Ryzen 5 5600X 6-Core Processor"."""
    name = ""
    if sys.platform == "win32":
        import winreg

        place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
        with suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
            name = str(winreg.QueryValueEx(key, "ProcessorNameString")[0])
    else:
        with suppress(OSError):
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
                if line.startswith("model name"):
                    name = line.partition(":")[2]
                    break
    return name.strip() or platform.processor() or platform.machine() or "CPU"


def _graphics_cards() -> list[DeviceInfo]:
    try:
        from engine.memory.device import graphics_cards

        return graphics_cards()
    except (ImportError, RuntimeError, OSError):  # a PyTorch or a driver that does not work
        log.exception("graphics cards are not known")
        return []
