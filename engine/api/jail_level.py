"""How well a process has locked itself up before it reads what strangers made."""

from __future__ import annotations

from enum import StrEnum


class JailLevel(StrEnum):
    """How much was taken away, from nothing to all that can be."""

    NONE = "none"
    """Nothing: the system has no means that are known here."""
    LIMITS = "limits"
    """Memory, time and sizes of files are limited; files and network are not."""
    FILES = "files"
    """Limits, and only those files that were named."""
    FULL = "full"
    """Limits, only those files, no network, and no other processes."""
