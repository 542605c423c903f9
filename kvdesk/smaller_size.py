"""A size for what did not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.api import FrameSize
from engine.errors import OutOfMemory
from kvdesk.form_rules import size_step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.api import ModelInfo
    from kvdesk.form import FormValues
    from kvdesk.jobs import Job

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


def smallest_that_failed(values: FormValues, jobs: Iterable[Job]) -> FrameSize:
    """The size of the form, or a smaller one of a job for which there was too little memory."""
    sizes = [values.size] + [
        job.request.size
        for job in jobs
        if job.failure is not None and job.failure.code == OutOfMemory.code
    ]
    return min(sizes, key=lambda size: size.width * size.height)
