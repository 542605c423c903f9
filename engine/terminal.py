"""Events in a terminal: bars of progress with one estimate of the time left, or lines of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn, Self

from tqdm import tqdm

from engine.api import (
    CheckProgress,
    MemoryAdapted,
    MemoryEffect,
    PrepareProgress,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
    event_to_json,
)
from engine.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType, TracebackType

    from engine.api import Event

_ADAPTED = {
    MemoryEffect.EXACT: "Memory is short: going on with less. The clip stays the same.",
    MemoryEffect.ROUNDING: "Memory is short: going on with less. Last digits may differ.",
    MemoryEffect.LOSSY: "Memory is short: going on with 8-bit weights. Pixels differ a little.",
}
_NAMES = {
    Stage.TEXT: "Reading the prompt",
    Stage.KEY_FRAME: "Drawing the picture",
    Stage.BASE_FRAMES: "Setting it in motion",
    Stage.INTERPOLATION: "Smoothing",
    Stage.DECODE: "Developing the frames",
    Stage.SAVE: "Saving",
}
_STARTING = "Starting ..."  # until torch is there and the first stage begins
_CHECKING = "Checking the model"
_WIDTH = max(map(len, _NAMES.values()))
_FILE_WIDTH = len("interpolation.safetensors")
_FORMAT = "{desc} {percentage:3.0f} % |{bar:20}| {n_fmt}/{total_fmt}{postfix}"
_BYTES_FORMAT = "{desc} {percentage:3.0f} % |{bar:20}| {n_fmt}/{total_fmt}, {remaining} left"
_NARROW = 79
_STDERR = 2
_STOPPING = b"\nStopping after this step; press Ctrl-C again to stop at once.\n"


class TerminalProgress:
    """Shows events on stderr; where that is not a terminal, a line for each finished stage."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._is_terminal = sys.stderr.isatty()
        self._is_starting = False

    def __enter__(self) -> Self:
        if self._is_terminal:
            self._is_starting = True
            self._write(_STARTING)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()
        self._end_start()

    def show(self, event: Event) -> None:
        """Show an event; those that are no progress are passed over."""
        match event:
            case StageStarted():
                self._open(_NAMES[event.stage].ljust(_WIDTH), event.num_steps)
            case StepDone():
                if event.seconds_left is not None and self._bar is not None:
                    self._bar.set_postfix_str(_left(event.seconds_left), refresh=False)
                self._advance(event.step)
            case StageFinished():
                self._close()
                if not self._is_terminal:
                    self._write(f"{_NAMES[event.stage]}: {event.seconds:.1f} s\n")
            case MemoryAdapted():
                self._write(f"\n{_ADAPTED[event.effect]}\n")
            case PrepareProgress():
                name = event.file.rpartition("/")[2][-_FILE_WIDTH:].ljust(_FILE_WIDTH)
                self._show_bytes(name, event.done_bytes, event.total_bytes)
            case CheckProgress():
                self._show_bytes(_CHECKING, event.done_bytes, event.total_bytes)
            case _:
                pass

    def _show_bytes(self, name: str, done: int, total: int) -> None:
        if self._bar is None:
            self._open(name, total, in_bytes=True)
        assert self._bar is not None
        self._bar.total = total  # more may turn out to be needed
        self._bar.set_description_str(name, refresh=False)
        self._advance(done)

    def _open(self, name: str, total: int, *, in_bytes: bool = False) -> None:
        self._close()
        self._end_start()
        bar_format = _BYTES_FORMAT if in_bytes else _FORMAT
        if self._is_terminal and os.get_terminal_size(sys.stderr.fileno()).columns < _NARROW:
            bar_format = bar_format.replace("|{bar:20}| ", "")  # the time left matters more
        self._bar = tqdm(
            desc=name,
            total=total,
            bar_format=bar_format,
            unit="B" if in_bytes else "it",
            unit_scale=in_bytes,
            disable=not self._is_terminal,
        )

    def _advance(self, done: int) -> None:
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str("", refresh=False)
            self._bar.close()
            self._bar = None

    def _end_start(self) -> None:
        if self._is_starting:
            self._is_starting = False
            self._write("\r" + " " * len(_STARTING) + "\r")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def _left(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"about {minutes} min {rest:02} s left" if minutes else f"about {rest} s left"


@contextlib.contextmanager
def reporting(*, as_json: bool) -> Generator[tuple[Callable[[Event], None], Callable[[], bool]]]:
    """Where events go, and whether Ctrl-C was pressed; the second press ends at once."""
    presses = 0

    def on_interrupt(_signal: int, _frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            os.write(_STDERR, _STOPPING)  # `print` may be what was interrupted
            return
        # This waits for the end of a single computation; a third press does not.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, on_interrupt)
    try:
        if as_json:
            yield print_event, lambda: presses > 0
        else:
            with TerminalProgress() as progress:
                yield progress.show, lambda: presses > 0
    except (Exception, KeyboardInterrupt):
        # Ctrl-C reaches the programs that we started too, and their end looks like a failure.
        if presses:
            raise Cancelled from None
        raise
    finally:
        signal.signal(signal.SIGINT, previous)


def print_event(event: Event) -> None:
    """Print `event` as a line of JSON."""
    print(json.dumps(event_to_json(event)), flush=True)
