"""A report of what went wrong: one text that a person can read before giving it to anybody."""

from __future__ import annotations

import json
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from engine.json_codec import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from engine.api.events import MachineDescribed
    from engine.api.redaction import Redactor
    from engine.api.requests import GenerateRequest

PACKAGES = (
    *("torch", "bitsandbytes", "transformers", "diffusers", "safetensors", "tokenizers"),
    *("sentencepiece", "numpy", "pillow", "imageio-ffmpeg", "PySide6-Essentials", "psutil"),
)
MAX_LOG_LINES = 400

_MAX_LOG_BYTES = 200_000
_GB = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a report: what it is about, and its lines."""

    title: str
    text: str


def report_text(sections: Iterable[Section], redactor: Redactor) -> str:
    """The report: what `redactor` leaves of the sections that have a text."""
    parts = ["Report of a problem with kvdesk"]
    parts += [
        f"## {section.title}\n{redactor.clean(section.text.strip())}"
        for section in sections
        if section.text.strip()
    ]
    return "\n\n".join(parts) + "\n"


def versions() -> Section:
    """The versions of this program, of Python, of the system, and of the libraries."""
    lines = [
        _version("kvdesk", otherwise="run from its sources"),
        f"Python {platform.python_version()} ({platform.python_implementation()})",
        f"{platform.system()} {platform.release()}, {platform.machine()}",
    ]
    if sys.platform == "linux":
        with suppress(OSError):
            lines.append(platform.freedesktop_os_release().get("PRETTY_NAME", ""))
    lines += [_version(name, otherwise="not installed") for name in PACKAGES]
    return Section(title="Versions", text="\n".join(filter(None, lines)))


def _version(name: str, *, otherwise: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"{name}: {otherwise}"


def machine(described: MachineDescribed) -> Section:
    """The devices and their memory."""
    lines = [
        f"{device.name}: {device.label}, {device.total_bytes / _GB:.1f} GB, "
        f"{device.free_bytes / _GB:.1f} GB free"
        for device in described.devices
    ]
    total, free = described.total_bytes / _GB, described.free_bytes / _GB
    lines.append(f"main memory: {total:.1f} GB, {free:.1f} GB free")
    return Section(title="Machine", text="\n".join(lines))


def requests(asked: Sequence[GenerateRequest], *, with_prompts: bool) -> Section:
    """What was asked for; prompts are counted only, unless they are wanted."""
    lines: list[str] = []
    for request in asked:
        data = to_json(request)
        if not with_prompts:
            data["prompt"] = f"({len(request.prompt)} characters)"
            data["negative_prompt"] = f"({len(request.negative_prompt)} characters)"
        lines.append(json.dumps(data, ensure_ascii=False))
    return Section(title="What was asked for", text="\n".join(lines))


def last_lines(path: Path) -> str:
    """The last lines of a log; empty where there is none that can be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _MAX_LOG_BYTES))
            data = file.read(_MAX_LOG_BYTES)
    except OSError:
        return ""
    lines = data.decode("utf-8", errors="replace").splitlines()
    if size > _MAX_LOG_BYTES:
        del lines[:1]  # the rest of one that begins before
    return "\n".join(lines[-MAX_LOG_LINES:])


def texts_of(asked: Iterable[GenerateRequest], *, with_prompts: bool) -> list[str]:
    """What of the requests must not be in a report: names of pictures, and prompts."""
    texts: list[str] = []
    for request in asked:
        if not with_prompts:
            texts += [request.prompt, request.negative_prompt]
        if request.picture is not None:
            texts.append(request.picture.path)
            name = request.picture.path.replace("\\", "/").rpartition("/")[2]
            texts += [name, name.rpartition(".")[0]]
    return [text for text in texts if text.strip()]
