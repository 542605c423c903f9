"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How it is with one thing."""

    OK = "ok"
    CAREFUL = "careful"
    """It works, though not as well as it could, or not for long."""
    WRONG = "wrong"
    """Clips cannot be made or kept with it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the doctor's table.

    Attributes:
        topic: what was looked at.
        health: how it is.
        words: what was seen.
        advice: what to do about it; empty where there is nothing to do.
    """

    topic: str
    health: Health = Health.OK
    words: str
    advice: str = ""
