"""A worker as the window has one, for checks and drills: started, told, listened to, ended."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from engine.api import (
    PROTOCOL_VERSION,
    Failed,
    Finished,
    Greet,
    Hello,
    Quit,
    Stopped,
    command_to_json,
    event_from_json,
)
from engine.api.own_module import own_command
from engine.errors import MessageError, WorkerSilent
from engine.own_process import CREATION_FLAGS
from engine.process_bonds import PARENT_VARIABLE

if TYPE_CHECKING:
    from types import TracebackType

    from engine.api import Command, Event, JsonObject

_MAX_WORDS = 4000
_SECONDS_TO_QUIT = 20


class WorkerTalk:
    """A worker that runs as long as the `with` block lasts; left early, it is killed.

    Attributes:
        process: the worker's.
    """

    def __init__(self, *, seconds_to_start: float = 120) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        environment = {
            "PYTHONPATH": path,
            "PYTHONSAFEPATH": "1",
            PARENT_VARIABLE: str(os.getpid()),
        }
        self.process = subprocess.Popen(
            own_command("engine.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env={**os.environ, **environment},
            creationflags=CREATION_FLAGS,
        )
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="events", daemon=True)
        self._reader.start()
        self._seconds_to_start = seconds_to_start

    def __enter__(self) -> Self:
        try:
            hello = self.next(self._seconds_to_start)
            if not isinstance(hello, Hello):
                raise WorkerSilent(f"The worker begins with {hello} instead of a hello.")
            self.send(Greet(protocol=PROTOCOL_VERSION))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, command: Command) -> None:
        """Tell the worker something; one that has ended hears nothing, which shows in `next`."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(json.dumps(command_to_json(command)).encode() + b"\n")
            self.process.stdin.flush()

    def next(self, seconds: float) -> Event:
        """The next event, whichever job it belongs to.

        Raises:
            WorkerSilent: there is none in so many seconds.
        """
        try:
            event = self._events.get(timeout=max(0, seconds))
        except queue.Empty:
            raise WorkerSilent(f"The worker says nothing for {seconds:.0f} s.") from None
        if event is None:
            code = self.process.wait()
            raise WorkerSilent(f"The worker ended with code {code}.", detail=self._last_words())
        return event

    def until(self, *kinds: type[Event], seconds: float) -> Event:
        """The next event of one of these kinds; what comes before is passed over.

        Raises:
            WorkerSilent: it does not come in so many seconds.
        """
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            event = self.next(left)
            if isinstance(event, kinds):
                return event
        names = " or ".join(kind.__name__ for kind in kinds)
        raise WorkerSilent(f"The worker lives, but sends no {names} for {seconds:.0f} s.")

    def end_of_job(self, seconds: float) -> Event:
        """The last event of the job that runs.

        Raises:
            WorkerSilent: it does not come in so many seconds.
        """
        return self.until(Finished, Stopped, Failed, seconds=seconds)

    def quit(self) -> int:
        """Have the worker end by itself; its exit code.

        Raises:
            WorkerSilent: it does not.
        """
        self.send(Quit())
        try:
            return self.process.wait(_SECONDS_TO_QUIT)
        except subprocess.TimeoutExpired:
            raise WorkerSilent("The worker does not end when it is asked to.") from None

    def close(self) -> None:
        """Kill what is left of it."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._words.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with contextlib.suppress(ValueError, MessageError):
                message = cast("JsonObject", json.loads(line))
                message.pop("job", None)
                self._events.put(event_from_json(message))
        self._events.put(None)

    def _last_words(self) -> str:
        self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, self._words.tell() - _MAX_WORDS))
        return self._words.read().decode(errors="replace")
