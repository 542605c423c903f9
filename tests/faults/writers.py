"""Everything that writes files, each in a process of its own that can be made to fail.

Run as a program it has imported all that is needed and forks a child for each line that it reads.
The child stops itself, so that somebody can attach to it, and goes on when it is told.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from PIL import Image
from PySide6.QtCore import QCoreApplication

from engine.api import (
    CLIP_FORMAT,
    ClipInfo,
    FrameSize,
    GenerateRequest,
    Playback,
    SaveRequest,
    to_json,
)
from engine.api.files import copy_atomically, make_folder
from engine.cache_folder import CacheFolder
from engine.checkpoint.resumable_file import write_chunks
from engine.clip import ClipFolder
from engine.clip_checkpoints import FolderCheckpoints
from engine.clip_points import Point
from engine.errors import EngineError
from engine.export import save_frames
from engine.memory.calibration import CalibrationStore, Rate
from kvdesk.clip_records import NOTES_FORMAT
from kvdesk.job import Job, JobState
from kvdesk.json_files import write_json
from kvdesk.prompt_history import PromptHistory
from kvdesk.queue_store import StoredQueue, queue_to_json
from kvdesk.settings import SettingsStore

if TYPE_CHECKING:
    from collections.abc import Callable

SAVED, REFUSED, BROKEN = 0, 3, 4
"""How a child ends: it was told that all is saved, or why not, or something has no words."""

OLD, NEW = 1, 2


def settings(folder: Path, version: int) -> None:
    store = SettingsStore(folder / "config" / "settings.json")
    store.change(text_percent={OLD: 125, NEW: 150}[version], clips_folder="/clips" * version)
    store.flush()


def prompts(folder: Path, version: int) -> None:
    history = PromptHistory(folder / "data" / "prompts.json")
    for number in range(version * 20):
        history.add(f"A prompt of version {version} with the number {number}")
    history.flush()


def queue(folder: Path, version: int) -> None:
    jobs = [
        Job(
            id=str(number),
            folder=f"clip-{number}",
            model="demo",
            request=replace(clip_info(version).request, seed=number),
            state=JobState.WAITING,
        )
        for number in range(4)
    ]
    write_json(folder / "queue.json", queue_to_json(StoredQueue(jobs=tuple(jobs))))


def notes(folder: Path, version: int) -> None:
    write_json(folder / "notes.json", {"version": NOTES_FORMAT, "starred": version == NEW})


def clip_info(version: int, num_frames: int = 0) -> ClipInfo:
    size = FrameSize(width=64, height=64)
    return ClipInfo(
        format_version=CLIP_FORMAT,
        request=GenerateRequest(prompt="A cat. " * 100 * version, seed=version, size=size),
        model="demo",
        model_fingerprint="f" * 64,
        kvdesk_version="0",
        device="cpu",
        created="2027-01-01T00:00:00+00:00",
        num_frames=num_frames,
    )


def pictures(version: int, count: int) -> list[Image.Image]:
    gradient = Image.linear_gradient("L").resize((64, 64))
    colours = ((80 * version, 20 * number, 0) for number in range(count))
    return [
        Image.composite(gradient.convert("RGB"), Image.new("RGB", (64, 64), c), gradient)
        for c in colours
    ]


def a_clip(folder: Path, version: int) -> ClipFolder:
    clip = ClipFolder(folder / "clip", clip_info(version))
    clip.remove_temporaries()
    return clip


def clip_json(folder: Path, version: int) -> None:
    a_clip(folder, version)
    ClipFolder.create(folder / "clip", clip_info(version))


def key_frame(folder: Path, version: int) -> None:
    clip = a_clip(folder, version)
    make_folder(clip.path)
    (picture,) = pictures(version, 1)
    clip.keep_key_frame(picture)


def checkpoint(folder: Path, version: int) -> None:
    clip = a_clip(folder, version)
    make_folder(clip.path)
    FolderCheckpoints(clip).save(Point.TEXT, {"x": torch.full((64, 64), float(version))})


def finished_clip(folder: Path, version: int) -> None:
    if version == OLD:
        ClipFolder.create(folder / "clip", clip_info(version))
        return
    clip = a_clip(folder, version)
    frames = pictures(version, 12)
    clip.keep_decoded(12, 0, frames)
    clip.finish(clip_info(version, num_frames=12), frames)


def export(folder: Path, version: int) -> None:
    if version == NEW:
        save = SaveRequest(path=str(folder / "out" / "cat.png"))
        request = to_json(clip_info(NEW).request)
        save_frames(pictures(NEW, 3), save, frames_per_second=8, request=request)


def replaced_export(folder: Path, version: int) -> None:
    save = SaveRequest(
        path=str(folder / "cat.gif"), overwrite=version == NEW, playback=Playback.LOOP
    )
    save_frames(pictures(version, 3), save, frames_per_second=8, request={"version": version})


def copied_picture(folder: Path, version: int) -> None:
    source = Path(__file__) if version == NEW else Path(__file__).with_name("conftest.py")
    copy_atomically(source, folder / "copy")


def speeds(folder: Path, version: int) -> None:
    store = CalibrationStore(folder / "cache" / "speeds.json")
    store.record(f"card {version}", flops=Rate(amount=10**12, seconds=version))


def cached(folder: Path, version: int) -> None:
    cache = CacheFolder(folder / "cache", ending=".safetensors", max_bytes=2**20)
    cache.write("key", bytes([version]) * 30_000)


def model_file(folder: Path, version: int) -> None:
    chunks = [bytes([version]) * 9_000, b"end"]
    write_chunks(folder / "unet.safetensors", chunks, lambda _: None)


WRITERS: dict[str, Callable[[Path, int], None]] = {
    writer.__name__: writer
    for writer in (
        settings,
        prompts,
        queue,
        notes,
        clip_json,
        key_frame,
        checkpoint,
        finished_clip,
        export,
        replaced_export,
        copied_picture,
        speeds,
        cached,
        model_file,
    )
}


class _Complaints(logging.Handler):
    """Whether anything was complained of: a failure that is only logged is no "saved" either."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.any = False

    def emit(self, record: logging.LogRecord) -> None:
        del record
        self.any = True


def _child(name: str, folder: Path, version: int, *, waits: bool) -> int:
    complaints = _Complaints()
    logging.getLogger().addHandler(complaints)
    if waits:
        os.kill(os.getpid(), signal.SIGSTOP)
    try:
        WRITERS[name](folder, version)
    except (OSError, EngineError):
        return REFUSED
    except BaseException:
        traceback.print_exc()
        return BROKEN
    return REFUSED if complaints.any else SAVED


def main() -> None:
    """Fork a child for each line on stdin; say its number once it waits, then how it ended."""
    _application = QCoreApplication([])
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as warm:  # what is imported late is imported now
        for version in (OLD, NEW):
            checkpoint(Path(warm), version)
            export(Path(warm), version)
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(
                _child(
                    order["writer"], Path(order["folder"]), order["version"], waits=order["waits"]
                )
            )
        if order["waits"]:
            os.waitpid(child, os.WUNTRACED)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
