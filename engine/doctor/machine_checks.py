"""The computer: Python, PyTorch, what can compute, memory, ffmpeg, and the locks of the system."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine import jail
from engine.doctor.finding import Finding, Health
from engine.errors import EngineError
from engine.own_process import CREATION_FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.api import MachineDescribed

_GB = 10**9
_SCARCE_BYTES = 2 * _GB
_SECONDS_FOR_DRIVER = 20
_NVIDIA = "0x10de"
_DISPLAY_CLASS = "0x03"

_LEVELS = {
    jail.JailLevel.NONE: "files of strangers are read in processes of their own, without locks",
    jail.JailLevel.LIMITS: "files of strangers are read in processes with limited memory and time",
    jail.JailLevel.FILES: "files of strangers are read in processes that can open no other files",
    jail.JailLevel.FULL: (
        "files of strangers are read in processes without other files, network and programs"
    ),
}


def check_python() -> Iterator[Finding]:
    """The Python that runs this, and the system."""
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    words = f"{platform.python_version()} in {sys.prefix}; {system}"
    if sys.maxsize < 2**32:
        advice = "Install a Python of 64 bit: models are larger than this one can read."
        yield Finding(topic="Python", health=Health.WRONG, words=words, advice=advice)
    else:
        yield Finding(topic="Python", words=words)


def check_torch() -> Iterator[Finding]:
    """PyTorch, whether it is the build for the card that is there, and whether it computes."""
    try:
        import torch
    except Exception as error:  # a broken installation fails in as many ways as there are
        yield Finding(
            topic="PyTorch",
            health=Health.WRONG,
            words=f"cannot be loaded: {type(error).__name__}: {error}",
            advice="Install kvdesk again, into a fresh environment of Python.",
        )
        return
    from engine.machine import CPU, describe_machine

    machine = describe_machine()
    has_card = any(device.name != CPU for device in machine.devices)
    yield build_finding(str(torch.__version__), torch.version.cuda, uses_card=has_card)
    yield from _device_findings(machine)


def build_finding(version: str, cuda: str | None, *, uses_card: bool) -> Finding:
    """Whether PyTorch was built for the card that is there.

    Args:
        version: of PyTorch.
        cuda: the version of CUDA that it was built for; None for none.
        uses_card: whether it finds a card.
    """
    cards = nvidia_cards()
    words = f"{version}, {f'for CUDA {cuda}' if cuda else 'for the processor only'}"
    if not cards or uses_card:
        return Finding(topic="PyTorch", words=words)
    named = ", ".join(cards)
    if cuda is None:
        return Finding(
            topic="PyTorch",
            health=Health.CAREFUL,
            words=f"{words}, although there is a graphics card: {named}",
            advice=(
                "Clips are computed by the processor, which takes hours with a large model. "
                "The way to the PyTorch of this card: kvdesk get-torch"
            ),
        )
    return Finding(
        topic="PyTorch",
        health=Health.CAREFUL,
        words=f"{words}, but cannot use the graphics card: {named}",
        advice="Install a newer driver of the graphics card, and start the computer anew.",
    )


def nvidia_cards() -> list[str]:
    """The NVIDIA cards with their drivers, also where PyTorch knows none."""
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
            return [f"{line} (driver)" for line in said.stdout.splitlines() if line.strip()]
    # Without a driver there is no tool, and the card is there all the same.
    found: list[str] = []
    for device in sorted(Path("/sys/bus/pci/devices").glob("*")):
        with suppress(OSError):
            vendor = (device / "vendor").read_text(encoding="ascii").strip()
            kind = (device / "class").read_text(encoding="ascii")
            if vendor == _NVIDIA and kind.startswith(_DISPLAY_CLASS):
                found.append(f"NVIDIA at {device.name}, without a driver")
    return found


def _device_findings(machine: MachineDescribed) -> Iterator[Finding]:
    for device in machine.devices:
        words = (
            f"{device.label}, {device.total_bytes / _GB:.1f} GB, "
            f"{device.free_bytes / _GB:.1f} GB free"
        )
        problem = _computing_problem(device.name)
        if problem:
            yield Finding(
                topic=device.name,
                health=Health.WRONG,
                words=f"{words}; it does not compute: {problem}",
                advice="Start the computer anew. If that does not help, install a newer driver.",
            )
        else:
            yield Finding(topic=device.name, words=words)
    words = f"{machine.total_bytes / _GB:.1f} GB, {machine.free_bytes / _GB:.1f} GB free"
    if machine.free_bytes < _SCARCE_BYTES:
        advice = "Close other programs before you make clips."
        yield Finding(topic="main memory", health=Health.CAREFUL, words=words, advice=advice)
    else:
        yield Finding(topic="main memory", words=words)


def _computing_problem(device: str) -> str:
    """Why a product of two small matrices fails on the device; empty where it is right."""
    import torch

    try:
        numbers = torch.arange(64.0, device=device).reshape(8, 8)
        product = float((numbers @ numbers.T).sum().cpu())
    except RuntimeError as error:
        return str(error).partition("\n")[0]
    # Of all elements of A x A^T the sum is that of the squares of the sums of A's columns.
    expected = sum(sum(8 * row + column for row in range(8)) ** 2 for column in range(8))
    return "" if product == expected else f"a product is {product} instead of {expected}"


def check_ffmpeg() -> Iterator[Finding]:
    """The program that writes and reads videos: it writes one, and reads it."""
    from PIL import Image

    from engine.video_frames import open_video
    from engine.video_io import SaveSettings, save_video

    frames = [Image.new("RGB", (64, 64), (shade, 0, 255 - shade)) for shade in (0, 80, 160, 240)]
    with tempfile.TemporaryDirectory(prefix="kvdesk-doctor-") as name:
        path = Path(name) / "clip.mp4"
        try:
            save_video(frames, path, SaveSettings(frames_per_second=2.0), request={})
            opened = open_video(path, Path(name) / "frames", is_cancelled=lambda: False)
        except EngineError as error:
            yield Finding(
                topic="ffmpeg",
                health=Health.WRONG,
                words=f"cannot write a video: {error.message}",
                advice="Install kvdesk again: ffmpeg comes with it.",
            )
            return
    if opened.num_frames != len(frames):
        words = f"wrote {len(frames)} frames and read {opened.num_frames}"
        yield Finding(
            topic="ffmpeg", health=Health.WRONG, words=words, advice="Install kvdesk again."
        )
    else:
        yield Finding(topic="ffmpeg", words="writes and reads videos")


def check_locks() -> Iterator[Finding]:
    """How well the system can lock up a process that reads what strangers made."""
    level = jail.probe()
    if level is jail.JailLevel.FULL:
        yield Finding(topic="locks", words=_LEVELS[level])
        return
    advice = "Open models and pictures only from people you trust."
    if sys.platform == "linux":
        advice += " A newer Linux (6.7 or later, with Landlock) can lock more."
    yield Finding(topic="locks", health=Health.CAREFUL, words=_LEVELS[level], advice=advice)
