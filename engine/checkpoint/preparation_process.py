"""Prepares models in a process of its own, which can read the source, write the result, no more.

`prepare_in_process` starts it and follows it. The process gets what it is to do as one argument of
JSON, and sends events, one JSON object a line: `PrepareProgress`, and last `Prepared` or `Failed`.
The end of its input asks it to stop.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from engine.api import (
    UNPICKLING_EXIT_CODE,
    Failed,
    JailLevel,
    Prepared,
    PrepareProgress,
    event_from_json,
    event_to_json,
)
from engine.api.own_module import own_command, own_program
from engine.checkpoint.checked_files import CheckedFiles
from engine.checkpoint.folder import ModelFolder, ModelPart
from engine.checkpoint.model_json import MODEL_FILE
from engine.errors import (
    Cancelled,
    EngineError,
    MessageError,
    ModelFileError,
)
from engine.failures import error_of, in_words
from engine.json_codec import from_json, to_json
from engine.own_process import CREATION_FLAGS, own_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import Event

    OnProgress = Callable[[PrepareProgress], None]

_MEMORY_BYTES = 4 * 2**30
"""Beyond what the libraries take: several times what has ever been needed."""
_MOST_THREADS = 8
_MAX_LINE_BYTES = 1 << 20
_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_STOP = 5.0
_SECONDS_TO_END = 2.0
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
    num_threads: int


def prepare_in_process(
    source: Path,
    destination: Path,
    *,
    eight_bit: bool,
    on_progress: OnProgress,
    is_cancelled: Callable[[], bool],
) -> Prepared:
    """Prepare the model in `source` into `destination`, as `prepare_model` does.

    Args:
        source: a folder of official files.
        destination: where the result belongs.
        eight_bit: whether the U-Nets are also written in 8 bit.
        on_progress: told the bytes that are checked and written so far.
        is_cancelled: asked several times a second.

    Raises:
        EngineError: as `prepare_model`, and where the process dies. The same call goes on.
    """
    ModelFolder.open(source)  # what can be told without starting a process
    was_whole = (destination / MODEL_FILE).is_file()
    order = _Order(
        source=str(source),
        destination=str(destination),
        eight_bit=eight_bit,
        num_threads=_num_threads(),
    )
    command = [*own_command(__name__), json.dumps(to_json(order))]
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env={**own_environment(), "MALLOC_ARENA_MAX": "2"},
            creationflags=CREATION_FLAGS,
        ) as process,
    ):
        try:
            prepared = _follow(process, words, on_progress, is_cancelled)
        finally:
            _end(process)
    if not (was_whole and eight_bit):  # then not all of it was read
        model = ModelFolder.open(destination)
        CheckedFiles().remember(model.checkable_files(tuple(ModelPart), in_8bit=True))
    return prepared


# The side that waits.


def _follow(
    process: subprocess.Popen[bytes],
    words: IO[bytes],
    on_progress: OnProgress,
    is_cancelled: Callable[[], bool],
) -> Prepared:
    """Pass on what the process tells, until it is done."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(
        target=_read_lines, args=[process, lines], name="preparation", daemon=True
    ).start()
    while True:
        if is_cancelled():
            raise Cancelled
        try:
            line = lines.get(timeout=_SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            continue
        match _event(line) if line else _death(process, words):
            case PrepareProgress() as progress:
                on_progress(progress)
            case Prepared() as prepared:
                return prepared
            case Failed() as failed:
                raise error_of(failed.code, failed.message, failed.detail)
            case _:
                raise ModelFileError("The process that prepares models said what it never says.")


def _read_lines(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(OSError, ValueError):  # closed at the end of it all
        while line := process.stdout.readline(_MAX_LINE_BYTES):
            lines.put(line)
    lines.put(b"")


def _event(line: bytes) -> Event:
    try:
        return event_from_json(json.loads(line))
    except (ValueError, RecursionError, MessageError) as error:
        raise ModelFileError(
            "The process that prepares models answered what nobody understands. Prepare the model "
            "again; if it happens again, download its official files again.",
            detail=repr(error),
        ) from error


def _death(process: subprocess.Popen[bytes], words: IO[bytes]) -> Failed:
    with contextlib.suppress(subprocess.TimeoutExpired):  # its pipe may close before it ends
        process.wait(_SECONDS_TO_END)
    words.seek(0)
    last_words = words.read()[-4000:].decode(errors="replace")
    cause = f"it ended with code {process.returncode}"
    if process.returncode == UNPICKLING_EXIT_CODE:
        cause = "a file in the source asked for a program, and nothing of that was run"
    elif process.returncode is not None and process.returncode < 0:
        cause = f"the system ended it ({_signal_name(-process.returncode)})"
    return Failed(
        code=ModelFileError.code,
        message=f"The process that prepares models stopped: {cause}. What was prepared is kept: "
        "prepare the model again into the same folder, and it goes on.",
        detail=last_words,
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to stop, then terminate it, then kill it."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    for seconds, harder in (
        (_SECONDS_TO_STOP, process.terminate),
        (_SECONDS_TO_END, process.kill),
    ):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            harder()
        else:
            return
    process.wait()


def _num_threads() -> int:
    """How many it may compute with: each takes room beneath the limit of its memory."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    count = int(wanted) if wanted.isdecimal() else os.cpu_count() or 1
    return max(1, min(count, _MOST_THREADS))


# The process itself.


def main(arguments: Sequence[str]) -> None:
    """Prepare a model as the one of `arguments` says, and tell of it on stdout."""
    from engine.environment import settle_environment
    from engine.process_bonds import be_modest, end_with_parent
    from engine.unpickling_guard import forbid_unpickling

    settle_environment()
    be_modest()
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started this one
    forbid_unpickling()
    output = os.fdopen(os.dup(1), "w", encoding="ascii", newline="\n")
    os.dup2(2, 1)  # whatever a library prints must not end up between the events

    def tell(event: Event) -> None:
        output.write(json.dumps(event_to_json(event)) + "\n")
        output.flush()

    try:
        tell(_prepare(from_json(_Order, json.loads(arguments[0])), tell))
    except Exception as error:  # the edge of the process: whatever it is, it gets a sentence
        worded = error if isinstance(error, EngineError) else in_words(error)
        tell(Failed(code=worded.code, message=worded.message, detail=worded.detail))
    output.flush()
    os._exit(0)  # the reader of the input may wait for ever


def _prepare(order: _Order, on_progress: OnProgress) -> Prepared:
    for module in _NEEDED_ON_THE_WAY:  # while anything can be opened
        importlib.import_module(module)
    import torch

    from engine.checkpoint.networks import expected_shapes
    from engine.checkpoint.prepare import prepare_model

    destination = Path(order.destination)
    stopping = threading.Event()
    levels: list[JailLevel] = []

    def lock_up(opened: ModelFolder) -> None:
        levels.append(_lock_up(opened, destination))
        torch.set_num_threads(order.num_threads)
        # Only now: a process that is to be locked up has one thread.
        threading.Thread(target=_wait_for_end, args=[stopping], daemon=True).start()

    model = prepare_model(
        Path(order.source),
        destination,
        expected=expected_shapes,
        on_progress=on_progress,
        is_cancelled=stopping.is_set,
        eight_bit=order.eight_bit,
        on_ready=lock_up,
    )
    level = levels[0] if levels else JailLevel.NONE
    return Prepared(folder=order.destination, eight_bit=model.eight_bit, jail_level=level)


def _lock_up(opened: ModelFolder, destination: Path) -> JailLevel:
    from engine.jail import lock_up

    folders = {opened.path, opened.tokenizer_folder}
    # Files of a download cache are links to files elsewhere.
    links = {file for folder in folders for file in folder.iterdir() if file.is_symlink()}
    # In a bundle the program itself holds the modules.
    python = {own_program(), sys.prefix, sys.base_prefix, *sys.path}
    system = {Path(part) for part in (*python, *_PARTS_OF_SYSTEM) if Path(part).exists()}
    return lock_up(
        readable=[*folders, *links, *system], writable=[destination], memory_bytes=_MEMORY_BYTES
    )


def _wait_for_end(stopping: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    stopping.set()
