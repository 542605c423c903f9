"""Work in a process of its own that tells of it: the side that waits, and the side that works.

The process gets what it is to do as one argument of JSON, and sends events, one JSON object a line;
the last one is its result or `Failed`. The end of its input asks it to stop.
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
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from engine.api import UNPICKLING_EXIT_CODE, Failed, event_from_json, event_to_json
from engine.api.own_module import own_command
from engine.errors import Cancelled, EngineError, MessageError
from engine.failures import error_of, in_words
from engine.own_process import CREATION_FLAGS
from engine.process_bonds import be_modest, end_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

    from engine.api import Event, JsonObject

    Tell = Callable[[Event], None]

_MAX_LINE_BYTES = 1 << 20
_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_STOP = 5.0
_SECONDS_TO_END = 2.0
_MOST_LAST_WORDS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class TellingProcess:
    """A kind of process, and how errors speak of it.

    Attributes:
        module: which is run.
        task: what it does, such as "prepares models".
        advice: what to do when it has died: one sentence or two.
        error: what its death is.
        progress: the kind of event that is not the last.
    """

    module: str
    task: str
    advice: str
    error: type[EngineError]
    progress: type[Event]

    def run(
        self,
        order: JsonObject,
        *,
        environment: Mapping[str, str],
        on_progress: Tell,
        is_cancelled: Callable[[], bool],
    ) -> Event:
        """Have `order` carried out.

        Args:
            order: what the process is to do.
            environment: all of its variables.
            on_progress: given its events of the kind `progress`.
            is_cancelled: asked several times a second. The process is asked to stop then, told to,
                and made to.

        Returns:
            Its last event.

        Raises:
            Cancelled: by `is_cancelled`.
            EngineError: what the process says, or that it has died.
        """
        with (
            tempfile.TemporaryFile() as words,
            subprocess.Popen(
                [*own_command(self.module), json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                env=environment,
                creationflags=CREATION_FLAGS,
            ) as process,
        ):
            try:
                return self._follow(process, words, on_progress, is_cancelled)
            finally:
                process.kill()  # one that has sent its last event has nothing left to do

    def _follow(
        self,
        process: subprocess.Popen[bytes],
        words: IO[bytes],
        on_progress: Tell,
        is_cancelled: Callable[[], bool],
    ) -> Event:
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=_read_lines, args=[process, lines], daemon=True).start()
        is_stopping = False
        while True:
            if is_cancelled() and not is_stopping:
                is_stopping = True
                threading.Thread(target=_stop, args=[process], daemon=True).start()
            try:
                line = lines.get(timeout=_SECONDS_BETWEEN_LOOKS)
            except queue.Empty:
                continue
            if not line and is_stopping:
                raise Cancelled
            event = self._event(line) if line else self._death(process, words)
            if isinstance(event, Failed):
                raise error_of(event.code, event.message, event.detail)
            if not isinstance(event, self.progress):
                return event
            on_progress(event)

    def misunderstood(self, detail: str) -> EngineError:
        """The error that it said something that has no place here."""
        return self.error(
            f"The process that {self.task} answered what nobody understands. {self.advice}",
            detail=detail,
        )

    def _event(self, line: bytes) -> Event:
        try:
            return event_from_json(json.loads(line))
        except (ValueError, RecursionError, MessageError) as error:
            raise self.misunderstood(repr(error)) from error

    def _death(self, process: subprocess.Popen[bytes], words: IO[bytes]) -> Failed:
        with contextlib.suppress(subprocess.TimeoutExpired):  # its pipe may close before it ends
            process.wait(_SECONDS_TO_STOP)
        words.seek(0)
        return Failed(
            code=self.error.code,
            message=f"The process that {self.task} stopped: {_cause(process.returncode)}. "
            f"{self.advice}",
            detail=words.read()[-_MOST_LAST_WORDS:].decode(errors="replace"),
        )


def _read_lines(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(OSError, ValueError):  # closed at the end of it all
        while line := process.stdout.readline(_MAX_LINE_BYTES):
            lines.put(line)
    lines.put(b"")


def _stop(process: subprocess.Popen[bytes]) -> None:
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


def _cause(code: int | None) -> str:
    if code == UNPICKLING_EXIT_CODE:
        return "a file asked for a program, and nothing of that was run"
    if code is None or code >= 0:
        return f"it ended with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"the system ended it ({name})"


def tell_of(work: Callable[[Tell], Event]) -> NoReturn:
    """Do the process's work and end it. For the process itself, right at its beginning.

    Args:
        work: given a function that sends an event; returns the last one.
    """
    be_modest()
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started this one
    output = os.fdopen(os.dup(1), "w", encoding="ascii", newline="\n")
    os.dup2(2, 1)  # whatever a library prints must not end up between the events

    def tell(event: Event) -> None:
        output.write(json.dumps(event_to_json(event)) + "\n")
        output.flush()

    try:
        tell(work(tell))
    except Exception as error:  # the edge of the process: whatever it is, it gets a sentence
        worded = error if isinstance(error, EngineError) else in_words(error)
        tell(Failed(code=worded.code, message=worded.message, detail=worded.detail))
    output.flush()
    os._exit(0)  # a thread may wait for its input, or for a server, for ever


def set_at_end_of_input(stopping: threading.Event) -> None:
    """Set `stopping` when whoever started this process wants it to stop. Starts a thread."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        stopping.set()

    threading.Thread(target=wait, daemon=True).start()
