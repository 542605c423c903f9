"""Errors of any kind as errors with a sentence for a person, at the edges of a program."""

from __future__ import annotations

import traceback

from engine.errors import DeviceLost, EngineError, InternalError, OutOfMemory
from engine.memory.out_of_memory import is_broken_device, is_out_of_memory


def error_of(code: str, message: str, detail: str) -> EngineError:
    """The error that another process gave these words and this code."""
    kinds: list[type[EngineError]] = [EngineError]
    for kind in kinds:  # grows meanwhile
        kinds += kind.__subclasses__()
    kind = next((kind for kind in kinds if kind.code == code), InternalError)
    return kind(message, detail=detail)


def in_words(error: Exception) -> EngineError:
    """What a person is told of an error that nothing closer to it could put into words."""
    detail = "".join(traceback.format_exception(error))
    if is_broken_device(error):
        return DeviceLost(
            "The graphics card reported a fault that ends all work on it in this process. Start "
            "again. If it happens again, a newer graphics driver may help.",
            detail=detail,
        )
    if is_out_of_memory(error):
        return OutOfMemory(
            "Memory ran out. Close other programs or choose a smaller size, then try again.",
            detail=detail,
        )
    return InternalError(
        f"Something went wrong that should not have: {error}. The details are in the log.",
        detail=detail,
    )
