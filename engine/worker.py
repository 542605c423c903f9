"""The process that runs jobs: `python -m engine.worker`, told over stdin, answering over stdout.

One JSON object a line each way (see `engine.api`); the first line each way says hello with the
version of the protocol. Jobs run one after the other in the order they came; a thread reads the
input meanwhile, so that a job can be cancelled. The end of the input ends the process.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, NoReturn, TextIO, cast

import engine
from engine.api import (
    PROTOCOL_VERSION,
    Cancel,
    Command,
    Event,
    Failed,
    Generate,
    Greet,
    Hello,
    ListModels,
    ModelsListed,
    Prepare,
    Quit,
    Stopped,
    command_from_json,
    event_to_json,
)
from engine.environment import settle_environment
from engine.errors import Cancelled, EngineError, InternalError, MessageError
from engine.json_codec import shown

if TYPE_CHECKING:
    from engine.api import JsonObject
    from engine.jobs import JobRunner

log = logging.getLogger(__name__)

MAX_LINE_CHARACTERS = 1 << 20
SECONDS_TO_END = 1.0
"""How long a job may take to clean up when the process is to end."""


class Worker:
    """Reads commands from one stream and writes events to another.

    Attributes:
        ending: set when the input has ended or `Quit` has come.
    """

    def __init__(self, commands: TextIO, events: TextIO) -> None:
        self._commands = commands
        self._events = events
        self._writing = threading.Lock()
        self._waiting: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._cancelled: dict[int, threading.Event] = {}  # of the jobs that wait or run
        self.ending = threading.Event()
        self._runner: JobRunner | None = None

    def run(self) -> None:
        """Run jobs until the input ends or `Quit` comes."""
        self._send(None, Hello(protocol=PROTOCOL_VERSION, version=engine.__version__))
        threading.Thread(target=self._read_commands, name="commands", daemon=True).start()
        while not isinstance(command := self._waiting.get(), Quit):
            self._run_job(command)

    def _read_commands(self) -> None:
        try:
            greeted = False
            while line := _read_line(self._commands):
                job = None
                try:
                    data = _parse(line)
                    job = self._new_job(data)
                    command = command_from_json(data)
                    greeted = greeted or _check_greeting(command)
                    if isinstance(command, Quit):
                        break
                    self._accept(command)
                except MessageError as error:
                    self._send(job, _failure(error))
                    if not greeted:
                        break
        except OSError:
            log.info("nobody reads the events any more")
        finally:
            self.ending.set()
            self._waiting.put(Quit())

    def _new_job(self, data: JsonObject) -> int | None:
        """The number of the job that `data` would begin, whatever else may be wrong with it."""
        job = data.get("job")
        return job if type(job) is int and job not in self._cancelled else None

    def _accept(self, command: Command) -> None:
        if isinstance(command, Cancel):
            if cancelled := self._cancelled.get(command.job):
                cancelled.set()
        elif isinstance(command, Generate | Prepare | ListModels):
            if command.job in self._cancelled:
                raise MessageError(f"There is a job {shown(command.job)} already.")
            self._cancelled[command.job] = threading.Event()
            self._waiting.put(command)

    def _run_job(self, command: Command) -> None:
        assert isinstance(command, Generate | Prepare | ListModels)
        job = command.job
        try:
            self._stop_if_cancelled(job)
            self._do(command)
        except Cancelled:
            self._send(job, Stopped())
        except EngineError as error:
            self._send(job, _failure(error))
        except Exception as error:  # the edge of the process: a fault ends the job, not the worker
            log.exception("job %s", shown(job))
            self._send(job, _failure(_internal(error)))
        finally:
            del self._cancelled[job]

    def _do(self, command: Generate | Prepare | ListModels) -> None:
        job = command.job
        if isinstance(command, ListModels):
            from engine.checkpoint.folder import find_models

            self._send(job, ModelsListed(models=tuple(find_models())))
            return
        # Importing torch takes seconds; the hello and the list of models do not wait for it.
        from engine import jobs

        if isinstance(command, Prepare):
            jobs.prepare(
                command.source,
                command.destination,
                on_event=lambda event: self._send(job, event),
                is_cancelled=lambda: self._is_cancelled(job),
            )
            return
        self._runner = self._runner or jobs.JobRunner()
        self._runner.generate(
            command.request,
            command.save,
            model=command.model,
            device_name=command.device,
            on_event=lambda event: self._send(job, event),
            is_cancelled=lambda: self._is_cancelled(job),
        )

    def _is_cancelled(self, job: int) -> bool:
        return self._cancelled[job].is_set() or self.ending.is_set()

    def _stop_if_cancelled(self, job: int) -> None:
        if self._is_cancelled(job):
            raise Cancelled

    def _send(self, job: int | None, event: Event) -> None:
        message = event_to_json(event)
        if job is not None:
            message["job"] = job
        with self._writing:
            self._events.write(json.dumps(message) + "\n")
            self._events.flush()


def _read_line(commands: TextIO) -> str:
    """A line with its end; of one that is too long, the beginning. Empty at the end of all."""
    line = part = commands.readline(MAX_LINE_CHARACTERS)
    while part and not part.endswith("\n"):
        part = commands.readline(MAX_LINE_CHARACTERS)
    return line


def _parse(line: str) -> JsonObject:
    if not line.endswith("\n"):
        raise MessageError("A command is cut off, or longer than 1 MiB.")
    try:
        data: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MessageError("A command is not JSON.", detail=repr(error)) from error
    if not isinstance(data, dict):
        raise MessageError("A command is a JSON object.")
    return cast("JsonObject", data)


def _check_greeting(command: Command) -> bool:
    if not isinstance(command, Greet) or command.protocol != PROTOCOL_VERSION:
        raise MessageError(
            f"The first command must be a greeting in version {PROTOCOL_VERSION} of the protocol. "
            "Both sides must come from the same installation."
        )
    return True


def _failure(error: EngineError) -> Failed:
    return Failed(code=error.code, message=error.message, detail=error.detail)


def _internal(error: Exception) -> InternalError:
    return InternalError(
        f"Something went wrong that should not have: {error}. The details are in the log.",
        detail="".join(traceback.format_exception(error)),
    )


def main() -> None:
    """Talk over the process's own stdin and stdout."""
    # Whatever a library prints must not end up between the events: their stream moves to another
    # descriptor, and descriptor 1 becomes stderr before any library is imported.
    settle_environment()
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    commands = os.fdopen(os.dup(0), "r", encoding="utf-8", errors="replace", newline="\n")
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    try:
        worker = Worker(commands, events)
        threading.Thread(target=_end_in_time, args=[worker], name="end", daemon=True).start()
        worker.run()
    except OSError:
        log.info("nobody reads the events any more")
    _end_now()


def _end_in_time(worker: Worker) -> None:
    """A step of a large model may take minutes on a CPU, and nobody waits for it any more."""
    worker.ending.wait()
    time.sleep(SECONDS_TO_END)
    log.info("the job did not stop in time")
    _end_now()


def _end_now() -> NoReturn:
    # The reading thread may wait for input that never comes; it must not keep the process.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
