"""Owns the worker process: the only way from the window to the engine."""

from __future__ import annotations

import itertools
import json
import logging
import time
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, QTimer, Signal

from engine.api import (
    PROTOCOL_VERSION,
    Alive,
    Aside,
    Cancel,
    Command,
    DownloadModel,
    Event,
    Failed,
    Greet,
    Hello,
    JsonObject,
    Question,
    Stopped,
    Work,
    command_to_json,
    event_from_json,
)
from engine.api.own_module import own_command
from engine.errors import DeviceLost, InvalidRequest, MessageError
from kvdesk.engine_state import EngineState
from kvdesk.open_job import ANSWERS, OpenJob
from kvdesk.worker_death import WorkerDeath, death_by_device, death_by_protocol, death_by_restart
from kvdesk.worker_process import WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

log = logging.getLogger(__name__)

MAX_DEATHS = 3
DEATH_MEMORY_SECONDS = 300.0
"""A worker that dies `MAX_DEATHS` times in this time is not started again by itself."""
MAX_COMMAND_BYTES = 1 << 20
"""The worker does not read longer lines, and would not know which job they belong to."""
_RELEASE_MILLISECONDS = 2000  # that a new worker waits for a killed one to be gone


class EngineClient(QObject):
    """Numbers jobs, sends them to a worker, and hands its events to whoever asked.

    Callbacks are called from the event loop, never from within `ask` or `run`, and may call
    anything here. If one raises an exception, only that call is lost. After `shut_down` none is
    called for a job from before it.

    Attributes:
        state_changed: with the new `EngineState`.
        died: with a `WorkerDeath`; the jobs that were open get their `Failed` after it.
    """

    state_changed = Signal(object)
    died = Signal(object)

    def __init__(
        self,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        parent: QObject | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """A client without a worker yet: `start` makes one.

        Args:
            command: the program and its arguments; our own `engine.worker` unless given.
            environment: variables that the worker gets besides those of this process.
            parent: the owner.
            clock: seconds, for the rule when to give up.
        """
        super().__init__(parent)
        self._command = tuple(command or own_command("engine.worker"))
        self._environment = dict(environment or {})
        self._clock = clock
        self._state = EngineState.STOPPED
        self._process: WorkerProcess | None = None
        self._leaving: list[WorkerProcess] = []  # told to end, and not gone yet
        self._numbers = itertools.count(1)
        self._open_jobs: dict[int, OpenJob] = {}
        self._unsent: dict[int, bytes] = {}  # until the worker has said hello
        self._deaths: deque[tuple[float, WorkerDeath]] = deque(maxlen=MAX_DEATHS)
        # All that is to be handled, in its order, one at a time: the event loop gets its turn in
        # between, and whatever an item calls or raises cannot get between those after it.
        self._inbox: deque[Callable[[], None]] = deque()
        self._inbox_timer = QTimer(self, singleShot=True, interval=0)
        self._inbox_timer.timeout.connect(self._on_turn)
        self._release_timer = QTimer(self, singleShot=True, interval=_RELEASE_MILLISECONDS)
        self._release_timer.timeout.connect(self._launch)

    @property
    def state(self) -> EngineState:
        """How the worker is now."""
        return self._state

    def start(self) -> None:
        """Start the worker, unless it was started before."""
        if self._state is EngineState.STOPPED:
            self._set_state(EngineState.STARTING)
            self._launch_soon()

    def shut_down(self) -> None:
        """Have the worker end, without waiting for it; open jobs are forgotten."""
        self._forget_everything()
        self._release_timer.stop()
        if process := self._let_go():
            process.stop()
        self._set_state(EngineState.STOPPED)

    def wait_until_gone(self, milliseconds: int) -> bool:
        """Wait for the end of a worker that was shut down; for the end of the application only.

        Returns:
            Whether no process is left. What did not end in time has been killed.
        """
        end = time.monotonic() + milliseconds / 1000
        for process in tuple(self._leaving):
            process.wait_until_gone(max(300, round(1000 * (end - time.monotonic()))))
        return not any(process.is_running for process in self._leaving)

    def restart(self) -> None:
        """End the worker at once and start a new one; every open job fails as "restarted"."""
        process = self._let_go()
        detail = process.stderr_tail if process else ""
        self._inbox.clear()
        self._unsent.clear()
        self._deaths.clear()
        self._set_state(EngineState.STARTING)
        death = death_by_restart(detail)
        self._fail(list(self._open_jobs), death)
        if process:
            process.kill()
            self.died.emit(death)
        if self._state is EngineState.STARTING and self._process is None:
            self._launch_soon()

    def ask(self, question: Question, on_answer: Callable[[Event], None]) -> int:
        """Ask a question, whose own job number does not matter.

        `on_answer` is called once, with the answer, or with `Failed` or `Stopped`.

        Returns:
            The number of the job.
        """
        job = OpenJob(on_event=on_answer, answer=ANSWERS[type(question)])
        return self._begin(question, job)

    def run(self, work: Work | DownloadModel, on_event: Callable[[Event], None]) -> int:
        """Have something done, whose own job number does not matter.

        `on_event` is called with every event; the last one is `Finished`, `Stopped`, `Failed`,
        `Prepared`, `SelfTested`, `Downloaded` or `MemoryFreed`.

        Returns:
            The number of the job.
        """
        return self._begin(work, OpenJob(on_event=on_event))

    def cancel(self, job: int) -> None:
        """Have a job stop; its last event says how it ended. One that has ended is left alone."""
        if self._unsent.pop(job, None) is not None:
            self._post(partial(self._deliver, job, Stopped()))
        elif self._state is EngineState.READY and job in self._open_jobs and self._process:
            self._process.send(_line(Cancel(job=job)))

    def forget(self, job: int) -> None:
        """Call nobody for this job any more. What is under way goes on."""
        self._open_jobs.pop(job, None)
        self._unsent.pop(job, None)

    def _begin(self, command: Work | Aside, open_job: OpenJob) -> int:
        job = next(self._numbers)
        self._open_jobs[job] = open_job
        line = _line(replace(command, job=job))
        if len(line) > MAX_COMMAND_BYTES:
            text = self.tr("This is too long for the engine. Use a shorter text.")
            failed = Failed(code=InvalidRequest.code, message=text)
            self._post(partial(self._deliver, job, failed))
        elif self._state is EngineState.FAILED:
            self._fail([job], self._deaths[-1][1])
        elif self._state is EngineState.READY and self._process is not None:
            self._process.send(line)
        else:
            self._unsent[job] = line
        return job

    def _post(self, item: Callable[[], None]) -> None:
        self._inbox.append(item)
        self._inbox_timer.start()

    def _on_turn(self) -> None:
        if not self._inbox:
            return
        item = self._inbox.popleft()
        if self._inbox:  # now, since the item may raise, or run an event loop of its own
            self._inbox_timer.start()
        item()

    def _deliver(self, job: int, event: Event) -> None:
        open_job = self._open_jobs.get(job)
        if open_job is None:
            log.debug("nobody waits for %s of job %d", type(event).__name__, job)
            return
        if open_job.is_ended_by(event):
            del self._open_jobs[job]
        elif open_job.answer is not None:
            log.warning("%s does not answer job %d", type(event).__name__, job)
            return
        open_job.on_event(event)

    def _fail(self, jobs: Sequence[int], death: WorkerDeath) -> None:
        failed = Failed(code=death.code, message=death.message, detail=death.detail)
        for job in jobs:
            self._post(partial(self._deliver, job, failed))

    # The worker's side.

    def _launch_soon(self) -> None:
        """Start a worker when the one before has given back what it held."""
        if any(process.is_running for process in self._leaving):
            self._release_timer.start()
        else:
            self._launch()

    def _launch(self) -> None:
        self._release_timer.stop()
        self._process = WorkerProcess(self._command, self._environment, self)
        self._process.line_read.connect(self._on_line_read)
        self._process.ended.connect(self._on_ended)
        self._process.start()

    def _let_go(self) -> WorkerProcess | None:
        """The current process, of which nothing is heard any more but that it is gone."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.line_read.disconnect(self._on_line_read)
        process.ended.disconnect(self._on_ended)
        process.ended.connect(self._on_left)
        self._leaving.append(process)
        if not process.is_running:  # its end is in the inbox, or never came to be
            self._on_left()
        return process

    def _on_left(self) -> None:
        for process in [process for process in self._leaving if not process.is_running]:
            self._leaving.remove(process)
            process.deleteLater()
        if not self._leaving and self._release_timer.isActive():
            self._launch()

    def _on_line_read(self, line: bytes) -> None:
        self._post(partial(self._handle_line, line))

    def _on_ended(self, death: WorkerDeath) -> None:
        self._post(partial(self._handle_death, death))

    def _handle_line(self, line: bytes) -> None:
        """The one place where all that a worker says arrives."""
        message = _parse(line)
        if message is None:
            log.warning("the engine wrote %r, which is no message", line[:200])
            return
        job = message.pop("job", None)
        try:
            event = event_from_json(message)
        except MessageError as error:
            if message.get("event") == "hello" and self._state is EngineState.STARTING:
                self._refuse(error.message)
            else:
                log.warning("the engine sent an unknown event: %s", error.message)
            return
        if isinstance(event, Alive):
            if self._process is not None:
                self._process.hear_mark(event.mark, has_work=bool(self._open_jobs))
        elif isinstance(event, Hello):
            self._greet(event)
        elif isinstance(event, Failed) and event.code == DeviceLost.code:
            self._lose_device(event)
        elif type(job) is int and self._state is EngineState.READY:
            self._deliver(job, event)
        else:
            log.warning("the engine sent %s", event)

    def _greet(self, hello: Hello) -> None:
        if self._state is not EngineState.STARTING or self._process is None:
            log.warning("the engine said hello twice")
            return
        if hello.protocol != PROTOCOL_VERSION:
            self._refuse(f"{hello}, expected protocol {PROTOCOL_VERSION}")
            return
        self._process.send(_line(Greet(protocol=PROTOCOL_VERSION)))
        unsent, self._unsent = self._unsent, {}
        for line in unsent.values():
            self._process.send(line)
        self._set_state(EngineState.READY)

    def _refuse(self, detail: str) -> None:
        death = death_by_protocol(detail)
        if self._process is not None:
            self._process.kill()
        self._handle_death(death)

    def _lose_device(self, failed: Failed) -> None:
        """Give up a worker that is about to end, before anything else is sent to it."""
        if self._process is not None:
            self._process.stop()
        self._handle_death(death_by_device(failed.detail or failed.message))

    def _handle_death(self, death: WorkerDeath) -> None:
        log.error("the engine is gone: %s %s", death.reason, death.detail)
        self._let_go()
        self._inbox.clear()
        self._unsent.clear()
        now = self._clock()
        self._deaths.append((now, death))
        recent = sum(now - died < DEATH_MEMORY_SECONDS for died, _ in self._deaths)
        may_start = death.may_heal and recent < MAX_DEATHS
        self._fail(list(self._open_jobs), death)
        self._set_state(EngineState.STARTING if may_start else EngineState.FAILED)
        self.died.emit(death)
        # Whoever was told may have called `restart` or `shut_down`.
        if self._state is EngineState.STARTING and self._process is None:
            self._launch_soon()

    def _forget_everything(self) -> None:
        self._inbox.clear()
        self._open_jobs.clear()
        self._unsent.clear()

    def _set_state(self, state: EngineState) -> None:
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)


def _line(command: Command) -> bytes:
    return json.dumps(command_to_json(command)).encode()


def _parse(line: bytes) -> JsonObject | None:
    try:
        data: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("JsonObject", data) if isinstance(data, dict) else None
