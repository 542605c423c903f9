"""Prepares models in a process of its own, which can read the source, write the result, no more.

`prepare_in_process` starts it and follows it, see `engine.telling_process`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from engine.api import JailLevel, Prepared, PrepareProgress
from engine.api.own_module import own_program
from engine.checkpoint.checked_files import CheckedFiles
from engine.checkpoint.folder import ModelFolder, ModelPart
from engine.checkpoint.model_json import MODEL_FILE
from engine.checkpoint.official import OfficialFolder
from engine.checkpoint.originals import open_official, remove_emptied
from engine.errors import ModelFileError
from engine.json_codec import from_json, to_json
from engine.own_process import own_environment
from engine.telling_process import TellingProcess, set_at_end_of_input, tell_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import Event

    OnProgress = Callable[[PrepareProgress], None]

_MEMORY_BYTES = 4 * 2**30
"""Beyond what the libraries take: several times what has ever been needed."""
_MOST_THREADS = 8
_NEEDED_ON_THE_WAY = (
    "bitsandbytes.functional",
    "engine.checkpoint.preview_fit",
    "engine.models.text_encoder",
    "transformers.models.t5",
)
_PARTS_OF_SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What the process is to do."""

    source: str
    destination: str
    eight_bit: bool
    delete_originals: bool
    num_threads: int


_PROCESS = TellingProcess(
    module=__name__,
    task="prepares models",
    advice="What was prepared is kept: prepare the model again into the same folder, and it goes "
    "on. If it happens again, download its official files again.",
    error=ModelFileError,
    progress=PrepareProgress,
)


def prepare_in_process(
    source: Path,
    destination: Path,
    *,
    eight_bit: bool,
    delete_originals: bool = False,
    on_progress: OnProgress,
    is_cancelled: Callable[[], bool],
) -> Prepared:
    """Prepare the model in `source` into `destination`, as `prepare_model` does.

    Args:
        source: a folder of official files.
        destination: where the result belongs.
        eight_bit: whether the U-Nets are also written in 8 bit.
        delete_originals: whether the official files go as they are prepared, and their folder too
            where nothing else is in it.
        on_progress: told the bytes that are checked and written so far.
        is_cancelled: asked several times a second.

    Raises:
        EngineError: as `prepare_model`, and where the process dies. The same call goes on.
    """
    # What can be told without starting a process.
    if not (eight_bit and source.resolve() == destination.resolve()):
        open_official(source, destination, may_be_gone=delete_originals)
    was_whole = (destination / MODEL_FILE).is_file()
    order = _Order(
        source=str(source),
        destination=str(destination),
        eight_bit=eight_bit,
        delete_originals=delete_originals,
        num_threads=_num_threads(),
    )
    prepared = _PROCESS.run(
        to_json(order),
        environment={**own_environment(), "MALLOC_ARENA_MAX": "2"},
        on_progress=cast("Callable[[Event], None]", on_progress),
        is_cancelled=is_cancelled,
    )
    if not isinstance(prepared, Prepared):
        raise _PROCESS.misunderstood(repr(prepared))
    if delete_originals:
        remove_emptied(source)  # which would be too much for the process: it is in another folder
    if not (was_whole and eight_bit):  # then not all of it was read
        model = ModelFolder.open(destination)
        CheckedFiles().remember(model.checkable_files(tuple(ModelPart), in_8bit=True))
    return prepared


def _num_threads() -> int:
    """How many it may compute with: each takes room beneath the limit of its memory."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    count = int(wanted) if wanted.isdecimal() else os.cpu_count() or 1
    return max(1, min(count, _MOST_THREADS))


# The process itself.


def main(arguments: Sequence[str]) -> None:
    """Prepare a model as the one of `arguments` says, and tell of it on stdout."""
    from engine.environment import settle_environment
    from engine.unpickling_guard import forbid_unpickling

    settle_environment()
    forbid_unpickling()
    tell_of(lambda tell: _prepare(from_json(_Order, json.loads(arguments[0])), tell))


def _prepare(order: _Order, on_progress: OnProgress) -> Prepared:
    for module in _NEEDED_ON_THE_WAY:  # while anything can be opened
        importlib.import_module(module)
    import torch

    from engine.checkpoint.networks import expected_shapes
    from engine.checkpoint.prepare import prepare_model

    source, destination = Path(order.source), Path(order.destination)
    deletable = [source] if order.delete_originals else []
    stopping = threading.Event()
    levels: list[JailLevel] = []

    def lock_up(opened: ModelFolder) -> None:
        levels.append(_lock_up(opened, destination, deletable))
        torch.set_num_threads(order.num_threads)
        # Only now: a process that is to be locked up has one thread.
        set_at_end_of_input(stopping)

    model = prepare_model(
        source,
        destination,
        expected=expected_shapes,
        on_progress=on_progress,
        is_cancelled=stopping.is_set,
        eight_bit=order.eight_bit,
        delete_originals=order.delete_originals,
        on_ready=lock_up,
    )
    level = levels[0] if levels else JailLevel.NONE
    return Prepared(folder=order.destination, eight_bit=model.eight_bit, jail_level=level)


def _lock_up(opened: ModelFolder, destination: Path, deletable: Sequence[Path]) -> JailLevel:
    from engine.jail import lock_up

    folders = {opened.path, opened.tokenizer_folder}
    if isinstance(opened, OfficialFolder):
        folders.add(opened.text_encoder_folder)
    # Files of a download cache are links to files elsewhere.
    links = {
        file
        for folder in (*folders, *deletable)
        if folder.is_dir()
        for file in folder.iterdir()
        if file.is_symlink()
    }
    # In a bundle the program itself holds the modules.
    python = {own_program(), sys.prefix, sys.base_prefix, *sys.path}
    system = {Path(part) for part in (*python, *_PARTS_OF_SYSTEM) if Path(part).exists()}
    return lock_up(
        readable=[*folders, *links, *system],
        writable=[destination],
        deletable=deletable,
        memory_bytes=_MEMORY_BYTES,
    )
