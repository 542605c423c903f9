"""Whether clips can be made now."""

from __future__ import annotations

from enum import StrEnum


class EngineState(StrEnum):
    """STARTING until the worker has said hello; FAILED: only `restart` brings it back."""

    STARTING = "starting"
    READY = "ready"
    STOPPED = "stopped"
    FAILED = "failed"
