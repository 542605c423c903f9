"""Words for tests to talk with an `EngineClient`."""

from __future__ import annotations

import json
import sys

import psutil
import pytest
from PIL import Image

from engine.api import (
    CLIP_FILE,
    ClipInfo,
    CountTokens,
    Failed,
    Finished,
    FrameSize,
    GenerateRequest,
    MakeClip,
    MemoryFreed,
    Prepared,
    SamplingSettings,
    Stopped,
    from_json,
)
from kvdesk.engine_state import EngineState

PATIENCE = 20_000  # milliseconds; nothing here waits on purpose
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="ends processes by signals")

REQUEST = GenerateRequest(
    prompt="a red circle moving",
    seed=7,
    size=FrameSize(width=64, height=64),
    sampling=SamplingSettings(steps=6, interpolation_steps=4),
)
TOKENS = CountTokens(job=0, model="demo", text="a red circle")
SHORT = SamplingSettings(steps=2, interpolation_steps=1)


class Log(list):
    """The events of one job, in their order."""

    @property
    def is_over(self) -> bool:
        return bool(self) and isinstance(
            self[-1], (Finished, Stopped, Failed, Prepared, MemoryFreed)
        )

    def of(self, *kinds):
        return [event for event in self if isinstance(event, kinds)]


def make_clip(folder, request=REQUEST, **fields) -> MakeClip:
    return MakeClip(job=0, model="demo", request=request, folder=str(folder), **fields)


def until_ready(qtbot, engine) -> None:
    qtbot.waitUntil(lambda: engine.state is EngineState.READY, timeout=PATIENCE)


def worker_processes() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [
        child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE
    ]


def deaths_of(engine) -> list:
    deaths = []
    engine.died.connect(deaths.append)
    return deaths


def opened_picture(path) -> tuple[str, tuple[int, int]]:
    with Image.open(path) as picture:
        picture.load()
        return picture.format, picture.size


def read_info(folder) -> ClipInfo:
    return from_json(ClipInfo, json.loads((folder / CLIP_FILE).read_text()))
