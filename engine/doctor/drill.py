"""A drill does harm to something, again and again, and looks whether what was promised holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random


class PromiseBroken(Exception):
    """Something did not hold; the message says what was done and what came of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """One kind of harm.

    Attributes:
        name: what is done.
        one_round: does it once, in an empty folder; raises `PromiseBroken` where it did not hold.
    """

    name: str
    one_round: Callable[[Random, Path], None]
