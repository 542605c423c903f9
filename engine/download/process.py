"""Downloads in a process of its own: the only one of this program that may use the network.

Everywhere else the libraries are told to stay offline. What it has fetched is safe however it ends.
See `engine.telling_process`.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, cast

from engine.api import (
    DescribeDownload,
    DownloadDescribed,
    Downloaded,
    DownloadModel,
    DownloadProgress,
    command_from_json,
    command_to_json,
)
from engine.errors import DownloadError, MessageError
from engine.own_process import own_environment
from engine.telling_process import TellingProcess, set_at_end_of_input, tell_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import Event

    OnProgress = Callable[[DownloadProgress], None]
    IsCancelled = Callable[[], bool]

_STAYS_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_PROCESS = TellingProcess(
    module=__name__,
    task="downloads",
    advice="What was fetched is kept. Start the download again: it goes on.",
    error=DownloadError,
    progress=DownloadProgress,
)


def describe_download(
    question: DescribeDownload, *, is_cancelled: IsCancelled
) -> DownloadDescribed:
    """What there is to fetch; see `Download.describe`.

    Raises:
        EngineError: as `Download.describe`.
    """
    described = _run(question, lambda _: None, is_cancelled)
    if not isinstance(described, DownloadDescribed):
        raise _PROCESS.misunderstood(repr(described))
    return described


def download(
    command: DownloadModel, *, on_progress: OnProgress, is_cancelled: IsCancelled
) -> Downloaded:
    """Fetch what is missing; see `Download.run`. When it was cancelled, the same call goes on.

    Raises:
        EngineError: as `Download.run`, and where the process dies.
    """
    downloaded = _run(command, on_progress, is_cancelled)
    if not isinstance(downloaded, Downloaded):
        raise _PROCESS.misunderstood(repr(downloaded))
    return downloaded


def _run(
    command: DescribeDownload | DownloadModel, on_progress: OnProgress, is_cancelled: IsCancelled
) -> Event:
    environment = {**own_environment(), "HF_HUB_DISABLE_TELEMETRY": "1"}
    for name in _STAYS_OFFLINE:
        environment.pop(name, None)
    return _PROCESS.run(
        command_to_json(command),
        environment=environment,
        on_progress=cast("Callable[[Event], None]", on_progress),
        is_cancelled=is_cancelled,
    )


# The process itself.


def main(arguments: Sequence[str]) -> None:
    """Do what the command in `arguments` asks for, and tell of it on stdout."""
    from engine.unpickling_guard import forbid_unpickling

    forbid_unpickling()
    stopping = threading.Event()
    set_at_end_of_input(stopping)
    tell_of(lambda tell: _do(arguments, tell, stopping))


def _do(
    arguments: Sequence[str], on_progress: OnProgress, stopping: threading.Event
) -> DownloadDescribed | Downloaded:
    from engine.download.download import Download

    command = command_from_json(json.loads(arguments[0]))
    if not isinstance(command, DescribeDownload | DownloadModel):
        raise MessageError("This is not about a download.")
    work = Download(command, on_progress=on_progress, is_cancelled=stopping.is_set)
    return work.run() if isinstance(command, DownloadModel) else work.describe()
