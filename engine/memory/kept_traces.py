"""Traces on the disk: a dry run takes up to a second, and the next process asks for the same.

Kept for one model on one kind of device by one program: whatever could change a trace is part of
the name that it is kept under.
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import engine
from engine.cache_folder import CacheFolder, user_cache
from engine.checkpoint.folder import ModelPart
from engine.memory.device_kind import DeviceKind
from engine.memory.plan import PassTrace, UnitUse, Variant

if TYPE_CHECKING:
    from engine.json_codec import JsonObject
    from engine.memory.model_sizes import ModelSizes

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 2**20
"""Room for some hundred traces of the released networks."""


def traces_folder() -> Path:
    """Where this user's traces are kept."""
    return user_cache() / "traces"


class KeptTraces:
    """What was found out about the passes of one model on one kind of device."""

    def __init__(self, folder: Path, sizes: ModelSizes, kind: DeviceKind) -> None:
        """`folder` need not exist."""
        self._files = CacheFolder(folder, ending=".json", max_bytes=MAX_BYTES)
        self._identity = f"{_program()} {_machine(kind)} {sizes!r}"

    def find(self, name: str) -> JsonObject | None:
        """What was kept under `name`; None where there is nothing, or it is damaged."""
        key = self._key(name)
        data = self._files.read(key)
        if data is None:
            return None
        digest, _, text = data.partition(b"\n")
        if digest.decode("ascii", errors="replace") != hashlib.sha256(text).hexdigest():
            log.warning("%s is damaged and not used", self._files.path(key))
            return None
        return json.loads(text)

    def keep(self, name: str, value: JsonObject) -> None:
        """Keep `value` under `name`."""
        text = json.dumps(value).encode()
        digest = hashlib.sha256(text).hexdigest().encode()
        self._files.write(self._key(name), digest + b"\n" + text)

    def _key(self, name: str) -> str:
        return hashlib.sha256(f"{self._identity} {name}".encode()).hexdigest()


def trace_to_json(trace: PassTrace) -> JsonObject:
    """`trace` as `json.dumps` takes it."""
    return asdict(trace)


def trace_from_json(fields: dict[str, Any]) -> PassTrace:
    """The trace that `trace_to_json` made `fields` from."""
    fields["part"] = ModelPart(fields["part"])
    fields["variant"] = Variant(**fields["variant"])
    fields["uses"] = tuple(UnitUse(**use) for use in fields["uses"])
    return PassTrace(**fields)


@cache
def _program() -> str:
    """What tells this program and the libraries that it traces from others."""
    sha256 = hashlib.sha256()
    for name in ("torch", "transformers"):
        sha256.update(f"{name} {metadata.version(name)} ".encode())
    sha256.update(engine.__version__.encode())
    # Where the sources are, as for whoever works on them, a change of them makes other traces.
    for source in sorted(Path(engine.__file__).parent.rglob("*.py")):
        sha256.update(source.read_bytes())
    return sha256.hexdigest()


def _machine(kind: DeviceKind) -> str:
    """What the kernels' workspaces depend on."""
    if kind is not DeviceKind.CPU:
        return kind.name
    return f"{kind.name} {torch.get_num_threads()} {torch.backends.cpu.get_cpu_capability()}"
