"""Traces the text encoder in a process of its own, while this one traces the other networks.

Importing the encoder's library takes as long as all other dry runs, so that a plan which is made
from nothing takes two thirds of the time.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import TYPE_CHECKING

from engine.memory.kept_traces import trace_from_json, trace_to_json

if TYPE_CHECKING:
    from engine.memory.clip_traces import ClipTracer
    from engine.memory.plan import PassTrace


def trace_text_beside(tracer: ClipTracer) -> None:
    """Let the text encoder of `tracer` be traced by a child of this process, where that is safe.

    To be called before this process has threads. Where there is no `fork`, nothing happens.
    """
    if sys.platform != "linux" or tracer.has_text:
        return
    # Dry runs of both sides import it, wherever it is first needed, and it takes half a second.
    importlib.import_module("torch._dynamo")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _write_trace(tracer, writing)  # does not return
    os.close(writing)

    def received() -> PassTrace:
        with os.fdopen(reading, encoding="utf-8") as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        # A child that died has written nothing, and what killed it is for this process to meet.
        return trace_from_json(json.loads(text)) if text else tracer.traced_text()

    tracer.take_text(received)


def _write_trace(tracer: ClipTracer, descriptor: int) -> None:
    try:
        fields = trace_to_json(tracer.text()[0])
        with os.fdopen(descriptor, "w", encoding="utf-8") as pipe:
            json.dump(fields, pipe)
    finally:
        os._exit(0)
