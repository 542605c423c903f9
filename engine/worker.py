"""The process that does the work: `python -m engine.worker`, told by stdin, answering by stdout.

One JSON object a line each way (see `engine.api`); the first line each way says hello with the
version of the protocol. What makes something runs on the main thread, in the order it came;
questions are answered meanwhile by threads of their own, and another one reads the input, so that
anything can be cancelled. One more says every second that the process lives. The end of the input
ends the process, and so do that of its parent and a device that broke down, with which nothing goes
on in the same process. What it started ends with it.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO, cast, get_args

import engine
from engine.api import (
    DEVICE_LOST_EXIT_CODE,
    PROTOCOL_VERSION,
    Aside,
    Cancel,
    Command,
    DownloadModel,
    Event,
    ExportClip,
    Failed,
    Finished,
    FreeMemory,
    Greet,
    Hello,
    MemoryFreed,
    Prepare,
    Quit,
    SelfTest,
    Stopped,
    Work,
    command_from_json,
    event_to_json,
)
from engine.environment import settle_environment
from engine.errors import (
    Cancelled,
    DeviceLost,
    EngineError,
    MessageError,
)
from engine.failures import in_words
from engine.json_codec import shown
from engine.process_bonds import be_modest, end_with_parent, take_children_along
from engine.torch_loading import TorchLoading
from engine.unpickling_guard import forbid_unpickling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import JsonObject
    from engine.jobs import JobRunner
    from engine.questions import Lane

log = logging.getLogger(__name__)

MAX_LINE_CHARACTERS = 1 << 20
SECONDS_TO_END = 1.0
"""How long a job may take to clean up when the process is to end."""

_WORK = get_args(Work)
_ASIDE = get_args(Aside)


class Worker:
    """Reads commands from one stream and writes events to another.

    Attributes:
        ending: set when the input has ended, `Quit` has come, or the device is lost.
    """

    def __init__(self, commands: TextIO, events: TextIO) -> None:
        self._commands = commands
        self._events = events
        self._writing = threading.Lock()
        self._events_sent = 0  # of jobs
        self._waiting: queue.SimpleQueue[Work | Quit] = queue.SimpleQueue()
        self._lanes: dict[Lane, queue.SimpleQueue[Aside | Quit]] = {}
        self._answering: list[threading.Thread] = []
        self._cancelled: dict[int, threading.Event] = {}  # of the jobs that wait or run
        self.ending = threading.Event()
        self._lost: Failed | None = None  # what a job said whose device broke down
        self._loading = TorchLoading()
        self._runner: JobRunner | None = None

    @property
    def exit_code(self) -> int:
        """What the process is to end with."""
        return 0 if self._lost is None else DEVICE_LOST_EXIT_CODE

    def run(self) -> None:
        """Work until the input ends, `Quit` comes, or the device is lost."""
        self._send(None, Hello(protocol=PROTOCOL_VERSION, version=engine.__version__))
        importlib.import_module("engine.heartbeat")
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()
        # Before other threads begin: two that import the same packages can trip over each other.
        for module in ("engine.export", "engine.questions"):
            importlib.import_module(module)
        threading.Thread(target=self._read_commands, name="commands", daemon=True).start()
        self._loading.start()
        while not isinstance(work := self._waiting.get(), Quit):
            self._run_job(work.job, lambda work=work: self._do(work))
        for thread in self._answering:  # what they do ends soon, and cleans up behind itself
            thread.join()

    def _beat(self) -> None:
        from engine.heartbeat import Heartbeat

        heartbeat = Heartbeat(
            lambda alive: self._send(None, alive),
            events_sent=lambda: self._events_sent,
            has_work=lambda: bool(self._cancelled),
        )
        try:
            heartbeat.run()
        except OSError:
            log.info("nobody reads the events any more")
            self._end()

    # Commands.

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
            self._end()

    def _end(self) -> None:
        self.ending.set()
        for waiting in (self._waiting, *self._lanes.values()):
            waiting.put(Quit())

    def _new_job(self, data: JsonObject) -> int | None:
        """The number of the job that `data` would begin, whatever else may be wrong with it."""
        job = data.get("job")
        return job if type(job) is int and job not in self._cancelled else None

    def _accept(self, command: Command) -> None:
        if isinstance(command, Cancel):
            if cancelled := self._cancelled.get(command.job):
                cancelled.set()
        elif isinstance(command, _ASIDE):
            aside = cast("Aside", command)
            self._begin(aside.job)
            self._lane_of(aside).put(aside)
        elif isinstance(command, _WORK):
            work = cast("Work", command)
            self._begin(work.job)
            self._waiting.put(work)

    def _begin(self, job: int) -> None:
        if job in self._cancelled:
            raise MessageError(f"There is a job {shown(job)} already.")
        self._cancelled[job] = threading.Event()

    # Jobs.

    def _run_job(self, job: int, do: Callable[[], Event]) -> None:
        """Run `do`, and send what it returns, or how it failed, as the last event of `job`.

        The number is free again before that: who has read the event may use it at once.
        """
        last: Event
        try:
            if self._is_cancelled(job):
                raise Cancelled
            last = do()
        except Cancelled:
            # Nobody wanted a job to stop that only ends with the process.
            last = self._lost or Stopped()
        except Exception as error:  # the edge of the process: a fault ends the job, not the worker
            last = self._failed(job, error)
        del self._cancelled[job]
        self._send(job, last)
        if self._lost is not None:
            self._end()

    def _failed(self, job: int, error: Exception) -> Failed:
        if not isinstance(error, EngineError):
            log.error("job %s", shown(job), exc_info=error)
            error = in_words(error)
        failed = _failure(error)
        if isinstance(error, DeviceLost):
            self._lost = failed
        return failed

    def _do(self, work: Work) -> Event:
        """Do `work`; its last event is returned and not sent yet."""
        results: list[Event] = []

        def on_event(event: Event) -> None:
            if isinstance(event, Finished):
                results.append(event)
            else:
                self._send(work.job, event)

        def is_cancelled() -> bool:
            return self._is_cancelled(work.job)

        if isinstance(work, FreeMemory):
            if self._runner is not None:
                self._runner.free_memory()
            return MemoryFreed()
        if isinstance(work, ExportClip):
            from engine.export import export_clip

            folder = Path(work.folder)
            export_clip(folder, work.save, on_event=on_event, is_cancelled=is_cancelled)
            return results[0]
        # Importing torch takes seconds; nothing but these three waits for it.
        self._loading.wait_for_all()
        from engine import jobs

        if isinstance(work, Prepare):
            return jobs.prepare(work, on_event=on_event, is_cancelled=is_cancelled)
        self._runner = self._runner or jobs.JobRunner()
        if isinstance(work, SelfTest):
            from engine.self_test import run_self_test

            return run_self_test(self._runner, work, on_event=on_event, is_cancelled=is_cancelled)
        self._runner.make_clip(
            work.request,
            Path(work.folder),
            model=work.model,
            device_name=work.device,
            until=work.until,
            eight_bit=work.eight_bit,
            on_event=on_event,
            is_cancelled=is_cancelled,
        )
        return results[0]

    def _is_cancelled(self, job: int) -> bool:
        return self._cancelled[job].is_set() or self.ending.is_set()

    # Questions.

    def _lane_of(self, question: Aside) -> queue.SimpleQueue[Aside | Quit]:
        from engine.questions import lane_of

        lane = lane_of(question)
        if lane not in self._lanes:
            questions: queue.SimpleQueue[Aside | Quit] = queue.SimpleQueue()
            thread = threading.Thread(
                target=self._answer_all, args=[questions], name=f"{lane} questions", daemon=True
            )
            thread.start()
            self._lanes[lane] = questions
            self._answering.append(thread)
        return self._lanes[lane]

    def _answer_all(self, questions: queue.SimpleQueue[Aside | Quit]) -> None:
        try:
            while not isinstance(question := questions.get(), Quit):
                self._run_job(question.job, lambda question=question: self._answer(question))
        except OSError:
            log.info("nobody reads the answers any more")
            self._end()

    def _answer(self, question: Aside) -> Event:
        def is_cancelled() -> bool:
            return self._is_cancelled(question.job)

        if isinstance(question, DownloadModel):
            from engine.download.process import download

            return download(
                question,
                on_progress=lambda event: self._send(question.job, event),
                is_cancelled=is_cancelled,
            )
        from engine.questions import answer

        return answer(question, self._loading, is_cancelled=is_cancelled)

    def _send(self, job: int | None, event: Event) -> None:
        message = event_to_json(event)
        if job is not None:
            message["job"] = job
        with self._writing:
            self._events_sent += job is not None
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


def main(_arguments: Sequence[str] = ()) -> None:
    """Talk over the process's own stdin and stdout."""
    # Whatever a library prints must not end up between the events: their stream moves to another
    # descriptor, and descriptor 1 becomes stderr before any library is imported.
    settle_environment()
    be_modest()
    end_with_parent()
    take_children_along()
    forbid_unpickling()
    events = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    _tell_where_it_was()
    commands = os.fdopen(os.dup(0), "r", encoding="utf-8", errors="replace", newline="\n")
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    worker = Worker(commands, events)
    try:
        threading.Thread(target=_end_in_time, args=[worker], name="end", daemon=True).start()
        worker.run()
    except OSError:
        log.info("nobody reads the events any more")
    _end_now(worker.exit_code)


def _tell_where_it_was() -> None:
    """Have every thread's calls written to stderr by a crash, and by SIGTERM even in a hang."""
    faulthandler.enable()
    if sys.platform != "win32":
        faulthandler.register(signal.SIGTERM, chain=True)


def _end_in_time(worker: Worker) -> None:
    """A step of a large model may take minutes on a CPU, and nobody waits for it any more."""
    worker.ending.wait()
    time.sleep(SECONDS_TO_END)
    log.info("the job did not stop in time")
    _end_now(worker.exit_code)


def _end_now(exit_code: int) -> NoReturn:
    # The reading thread may wait for input that never comes; it must not keep the process.
    sys.stderr.flush()
    os._exit(exit_code)


if __name__ == "__main__":
    main()
