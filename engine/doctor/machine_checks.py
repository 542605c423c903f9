"""The computer: Python, PyTorch, what can compute, memory, ffmpeg, and the locks of the system."""

from __future__ import annotations

import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from engine import jail
from engine.api.own_module import torch_advice
from engine.doctor.finding import Finding, Health
from engine.errors import EngineError
from engine.machine import cards_in_computer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.api import MachineDescribed

_GB = 10**9
_SCARCE_BYTES = 2 * _GB

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
    cards = cards_in_computer()
    words = f"{version}, {f'for CUDA {cuda}' if cuda else 'for the processor only'}"
    if not cards or uses_card:
        return Finding(topic="PyTorch", words=words)
    named = ", ".join(map(str, cards))
    if cuda is None:
        return Finding(
            topic="PyTorch",
            health=Health.CAREFUL,
            words=f"{words}, although there is a graphics card: {named}",
            advice=(
                "Clips are computed by the processor, which takes hours with a large model. "
                f"The way to the PyTorch of this card: {torch_advice()}"
            ),
        )
    return Finding(
        topic="PyTorch",
        health=Health.CAREFUL,
        words=f"{words}, but cannot use the graphics card: {named}",
        advice="Install a newer driver of the graphics card, and start the computer anew.",
    )


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
    """How well processes that read what strangers made are locked up: models', and pictures'."""
    from engine.picture_opening import decoder_level

    yield _lock_finding("locks", jail.probe())
    yield _lock_finding("locks of pictures", decoder_level())


def _lock_finding(topic: str, level: jail.JailLevel) -> Finding:
    if level is jail.JailLevel.FULL:
        return Finding(topic=topic, words=_LEVELS[level])
    advice = "Open models and pictures only from people you trust."
    if sys.platform == "linux":
        advice += " A newer Linux (6.7 or later, with Landlock) can lock more."
    return Finding(topic=topic, health=Health.CAREFUL, words=_LEVELS[level], advice=advice)
