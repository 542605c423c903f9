"""`kvdesk download`: fetches the official files, and says before what that takes."""

from __future__ import annotations

import argparse
import contextlib
import json
import shlex
import signal
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import RELEASED_MODEL, DescribeDownload, DownloadModel, event_to_json, models_folder
from engine.disk_space import disk_full
from engine.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from engine.api import DownloadDescribed, Downloaded, DownloadProgress

_MB, _GB = 10**6, 10**9
_MINUTE, _HOUR = 60, 3600


def add_download_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be said behind `kvdesk download`."""
    add = parser.add_argument
    add("folder", nargs="?", metavar="FOLDER", help="where to; default: in the data of kvdesk")
    add("--also-in", action="append", default=[], metavar="DIR",
        help="take files that lie here, as on a USB disk; may be said several times")  # fmt: skip
    add("--only", action="append", default=[], metavar="NAME",
        help="fetch this file alone, such as t2v.pt; may be said several times")  # fmt: skip
    add("--endpoint", metavar="URL", help="another server; default: HF_ENDPOINT, or the Hub")
    add("--limit", type=_megabytes, metavar="MB/s", help="fetch no faster")
    add("--encoder-only-repo", dest="encoder_only", action="store_true",
        help="take the text encoder from a repository that has no decoder")  # fmt: skip
    add("--dry-run", action="store_true", help="say what there is to fetch, and fetch nothing")
    add("--json", action="store_true", help="print events as lines of JSON")
    parser.set_defaults(run=run_download)


def run_download(options: argparse.Namespace) -> None:
    """Say what there is to fetch, and fetch it.

    Raises:
        EngineError: what stopped it, `Cancelled` included. The same command goes on.
    """
    # The network is for this command only; the others must not wait for what it needs.
    from engine.download.process import describe_download, download

    folder = Path(options.folder).expanduser() if options.folder else _default_folder()
    question = DescribeDownload(
        job=0,
        folder=str(folder.absolute()),
        also_in=tuple(str(Path(place).absolute()) for place in options.also_in),
        endpoint=options.endpoint,
        encoder_only=options.encoder_only,
        only=tuple(options.only),
    )
    shared = {field.name: getattr(question, field.name) for field in fields(question)}
    command = DownloadModel(**shared, bytes_per_second=options.limit)
    line = _ProgressLine(as_json=options.json)
    try:
        with _listening_to_ctrl_c() as is_cancelled, line:
            if not options.json:
                print("Asking the server what belongs to the model …", file=sys.stderr)
            described = describe_download(question, is_cancelled=is_cancelled)
            if options.json:
                print(json.dumps(event_to_json(described)), flush=True)
            else:
                _print_plan(described, folder)
            if options.dry_run:
                return
            done = download(command, on_progress=line.show, is_cancelled=is_cancelled)
    except Cancelled:
        if not options.json:
            print("Paused. What was fetched is kept: the same command goes on.", file=sys.stderr)
        raise
    if options.json:
        print(json.dumps(event_to_json(done)), flush=True)
    else:
        _print_end(done)


class _ProgressLine:
    """One line in a terminal that changes; where there is no terminal, one for each file."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._is_terminal = sys.stderr.isatty()
        self._width = 0
        self._file = ""
        self._waiting = ""

    def __enter__(self) -> _ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            print(file=sys.stderr)

    def show(self, progress: DownloadProgress) -> None:
        """Show how far it is."""
        if self._as_json:
            print(json.dumps(event_to_json(progress)), flush=True)
        elif self._is_terminal:
            words = _progress_words(progress)
            print("\r" + words.ljust(self._width), end="", file=sys.stderr, flush=True)
            self._width = len(words)
        else:
            # Of a pause only the beginning: the seconds that are left change all the time.
            waiting = progress.waiting.partition(";")[0]
            if progress.file != self._file or (waiting and waiting != self._waiting):
                print(_progress_words(progress), file=sys.stderr, flush=True)
            self._file, self._waiting = progress.file, waiting


def _progress_words(progress: DownloadProgress) -> str:
    share = progress.done_bytes / max(progress.total_bytes, 1)
    name = progress.file.rpartition("/")[2]
    words = f"{share:4.0%} of {_size(progress.total_bytes)}  {name}"
    if progress.waiting:
        return f"{words}  {progress.waiting}"
    words += f"  {progress.bytes_per_second / _MB:.1f} MB/s"
    if progress.seconds_left is not None:
        words += f"  {_duration(progress.seconds_left)} left"
    return words


def _size(num_bytes: int) -> str:
    return f"{num_bytes / _GB:.2f} GB" if num_bytes >= _GB else f"{num_bytes / _MB:.2f} MB"


def _duration(seconds: float) -> str:
    if seconds >= _HOUR:
        return f"{seconds / _HOUR:.1f} h"
    if seconds >= _MINUTE:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds:.0f} s"


def _print_plan(described: DownloadDescribed, folder: Path) -> None:
    for file in described.files:
        state = "is here" if file.have_bytes == file.size else ""
        if 0 < file.have_bytes < file.size:
            state = f"{file.have_bytes / file.size:.0%} is here"
        if file.found_in:
            state = f"found: {file.found_in}"
        print(f"{_size(file.size):>10}  {file.name}  {state}".rstrip())
    print(f"Into {folder}")
    print(f"To fetch: {_size(described.missing_bytes)} of {_size(described.total_bytes)}.")
    print(
        f"The prepared model takes about {_size(described.stays_bytes)}. With the official files "
        f"it is {_size(described.peak_bytes)} in all; where they are deleted as they are prepared "
        f"(--delete-originals), at most about {_size(described.peak_bytes_deleting)} at once."
    )
    if described.free_bytes is not None:
        print(f"Free on that disk: {_size(described.free_bytes)}.", flush=True)
        there = described.total_bytes - described.missing_bytes
        still_needed = described.peak_bytes_deleting - there
        if described.missing_bytes <= described.free_bytes < still_needed:
            words = disk_full(folder, "preparing the model beside them", needed_bytes=still_needed)
            print(f"The files fit, but: {words.message}", file=sys.stderr)


def _print_end(done: Downloaded) -> None:
    print(
        f"All files are in {done.folder}: {_size(done.fetched_bytes)} fetched, "
        f"{_size(done.copied_bytes)} copied, {_size(done.linked_bytes)} linked to "
        "files that were here, which takes no more room."
    )
    model = shlex.quote(str(models_folder() / RELEASED_MODEL))
    print(f"Next: kvdesk prepare --delete-originals {shlex.quote(done.folder)} {model}")
    print("Without --delete-originals the official files stay.")


def _default_folder() -> Path:
    return models_folder() / f"{RELEASED_MODEL}-originals"


@contextlib.contextmanager
def _listening_to_ctrl_c() -> Generator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed; a second press ends at once."""
    presses = 0

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses > 1:
            raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield lambda: presses > 0
    finally:
        signal.signal(signal.SIGINT, previous)


def _megabytes(text: str) -> int:
    """A positive number of MB in bytes."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"a limit is a number of MB a second, not {text!r}")
    return max(1, int(value * _MB))
