"""The computer: its processor, its memory, and what networks can run on."""

from __future__ import annotations

import logging
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from engine.api import DeviceInfo, MachineDescribed
from engine.own_process import CREATION_FLAGS

log = logging.getLogger(__name__)

CPU = "cpu"

_SECONDS_FOR_DRIVER = 20
_NVIDIA = "0x10de"
_DISPLAY_CLASS = "0x03"

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
        card_without_torch=card_without_torch(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A graphics card of NVIDIA that is in the computer; `driver` is "" where there is none."""

    name: str
    driver: str

    def __str__(self) -> str:
        return f"{self.name}, {f'driver {self.driver}' if self.driver else 'without a driver'}"


def cards_in_computer() -> list[Card]:
    """The graphics cards that are there, also those that PyTorch cannot use."""
    tool = shutil.which("nvidia-smi")
    if tool is not None:
        with suppress(OSError, subprocess.SubprocessError):
            said = subprocess.run(
                [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
                timeout=_SECONDS_FOR_DRIVER,
                creationflags=CREATION_FLAGS,
            )
            lines = [line.rpartition(",") for line in said.stdout.splitlines() if line.strip()]
            return [Card(name=name.strip(), driver=driver.strip()) for name, _, driver in lines]
    # Without a driver there is no tool, and the card is there all the same.
    found: list[Card] = []
    for device in sorted(Path("/sys/bus/pci/devices").glob("*")):
        with suppress(OSError):
            vendor = (device / "vendor").read_text(encoding="ascii").strip()
            kind = (device / "class").read_text(encoding="ascii")
            if vendor == _NVIDIA and kind.startswith(_DISPLAY_CLASS):
                found.append(Card(name="NVIDIA graphics card", driver=""))
    return found


@cache
def card_without_torch() -> str:
    """The name of a card that this PyTorch was built without; "" where there is none.

    Imports torch if nobody did before. The card and the build stay what they are.
    """
    try:
        import torch
    except (ImportError, OSError):  # said by who needs it
        return ""
    if torch.version.cuda is not None or torch.version.hip is not None:
        return ""
    cards = cards_in_computer()
    return cards[0].name if cards else ""


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
