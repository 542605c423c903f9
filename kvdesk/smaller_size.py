"""A size for what did not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.api import FrameSize
from kvdesk.form_rules import size_step

if TYPE_CHECKING:
    from engine.api import ModelInfo

_SHARE = 0.8  # of each side, so that about a third of the memory is saved


def smaller_size(size: FrameSize, model: ModelInfo) -> FrameSize | None:
    """A size of about the same shape whose sides are about a fifth shorter.

    None where no side can be shorter.
    """
    step = size_step(model)

    def shorter(side: int) -> int:
        return max(step, min(side - step, int(side * _SHARE) // step * step))

    smaller = FrameSize(width=shorter(size.width), height=shorter(size.height))
    return smaller if smaller.width * smaller.height < size.width * size.height else None
