"""Downloads in a process of its own: the only one of this program that may use the network.

Everywhere else the libraries are told to stay offline. The process gets a command as one
argument of JSON and sends events, one JSON object a line; the end of its input asks it to stop.
What it has fetched is safe however it ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from typing import IO, TYPE_CHECKING

from engine.api import (
    DescribeDownload,
    DownloadDescribed,
    Downloaded,
    DownloadModel,
    DownloadProgress,
    Failed,
    command_from_json,
    command_to_json,
    event_from_json,
    event_to_json,
)
from engine.api.own_module import own_command
from engine.errors import Cancelled, DownloadError, EngineError, MessageError
from engine.failures import error_of, in_words
from engine.own_process import CREATION_FLAGS, own_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import Event

    OnProgress = Callable[[DownloadProgress], None]
    IsCancelled = Callable[[], bool]

_MAX_LINE_BYTES = 1 << 20
_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_STOP = 5.0
_STAYS_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def describe_download(
    question: DescribeDownload, *, is_cancelled: IsCancelled
) -> DownloadDescribed:
    """What there is to fetch; see `Download.describe`.

    Raises:
        EngineError: as `Download.describe`.
    """
    described = _run(question, lambda _: None, is_cancelled)
    assert isinstance(described, DownloadDescribed)
    return described


def download(
    command: DownloadModel, *, on_progress: OnProgress, is_cancelled: IsCancelled
) -> Downloaded:
    """Fetch what is missing; see `Download.run`. When it was cancelled, the same call goes on.

    Raises:
        EngineError: as `Download.run`, and where the process dies.
    """
    downloaded = _run(command, on_progress, is_cancelled)
    assert isinstance(downloaded, Downloaded)
    return downloaded


# The side that waits.


def _run(
    command: DescribeDownload | DownloadModel, on_progress: OnProgress, is_cancelled: IsCancelled
) -> DownloadDescribed | Downloaded:
    environment = {**own_environment(), "HF_HUB_DISABLE_TELEMETRY": "1"}
    for name in _STAYS_OFFLINE:
        environment.pop(name, None)
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(
            [*own_command(__name__), json.dumps(command_to_json(command))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            env=environment,
            creationflags=CREATION_FLAGS,
        ) as process,
    ):
        try:
            return _follow(process, words, on_progress, is_cancelled)
        finally:
            process.kill()  # one that has sent its last event has nothing left to do


def _follow(
    process: subprocess.Popen[bytes],
    words: IO[bytes],
    on_progress: OnProgress,
    is_cancelled: IsCancelled,
) -> DownloadDescribed | Downloaded:
    """Pass on what the process tells, until it is done."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    reader = threading.Thread(target=_read_lines, args=[process, lines], daemon=True)
    reader.start()
    is_stopping = False
    while True:
        if is_cancelled() and not is_stopping:
            is_stopping = True
            _ask_to_stop(process)
        try:
            line = lines.get(timeout=_SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            continue
        if not line and is_stopping:
            raise Cancelled
        match _event(line) if line else _death(process, words):
            case DownloadProgress() as progress:
                on_progress(progress)
            case DownloadDescribed() | Downloaded() as result:
                return result
            case Failed() as failed:
                raise error_of(failed.code, failed.message, failed.detail)
            case _:
                raise DownloadError("The process that downloads said what it never says.")


def _ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """Ask for an end with all noted that was fetched; kill what does not answer."""
    assert process.stdin is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    killer = threading.Timer(_SECONDS_TO_STOP, process.kill)
    killer.daemon = True
    killer.start()


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
        raise DownloadError(
            "The process that downloads answered what nobody understands. Start the download "
            "again: it goes on.",
            detail=repr(error),
        ) from error


def _death(process: subprocess.Popen[bytes], words: IO[bytes]) -> Failed:
    with contextlib.suppress(subprocess.TimeoutExpired):  # its pipe may close before it ends
        process.wait(_SECONDS_TO_STOP)
    words.seek(0)
    return Failed(
        code=DownloadError.code,
        message=f"The process that downloads ended with code {process.returncode}. What was "
        "fetched is kept. Start the download again: it goes on.",
        detail=words.read()[-4000:].decode(errors="replace"),
    )


# The process itself.


def main(arguments: Sequence[str]) -> None:
    """Do what the command in `arguments` asks for, and tell of it on stdout."""
    from engine.process_bonds import be_modest, end_with_parent
    from engine.unpickling_guard import forbid_unpickling

    be_modest()
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started this one
    forbid_unpickling()
    output = os.fdopen(os.dup(1), "w", encoding="ascii", newline="\n")
    os.dup2(2, 1)  # whatever a library prints must not end up between the events
    stopping = threading.Event()
    threading.Thread(target=_wait_for_end, args=[stopping], daemon=True).start()

    def tell(event: Event) -> None:
        output.write(json.dumps(event_to_json(event)) + "\n")
        output.flush()

    try:
        tell(_do(arguments, tell, stopping))
    except Exception as error:  # the edge of the process: whatever it is, it gets a sentence
        worded = error if isinstance(error, EngineError) else in_words(error)
        tell(Failed(code=worded.code, message=worded.message, detail=worded.detail))
    output.flush()
    os._exit(0)  # a thread may wait for a server for ever


def _do(
    arguments: Sequence[str], on_progress: OnProgress, stopping: threading.Event
) -> DownloadDescribed | Downloaded:
    from engine.download.download import Download

    command = command_from_json(json.loads(arguments[0]))
    if not isinstance(command, DescribeDownload | DownloadModel):
        raise MessageError("This is not about a download.")
    work = Download(command, on_progress=on_progress, is_cancelled=stopping.is_set)
    return work.run() if isinstance(command, DownloadModel) else work.describe()


def _wait_for_end(stopping: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    stopping.set()
