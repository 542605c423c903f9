"""One worker as a process: its lines, its end, and how it is made to end."""

from __future__ import annotations

import json
import logging
import os
import site
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QDir, QObject, QProcess, QProcessEnvironment, QTimer, Signal

import kvdesk
from engine.api import Quit, command_to_json
from engine.api.own_module import own_program
from kvdesk.worker_death import death_by_exit, death_by_hang, death_by_no_start
from kvdesk.worker_output import LineSplitter, Tail
from kvdesk.worker_watch import Signs, WorkerWatch, look_at_process

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)

QUIT_MILLISECONDS = 1500
"""How long a worker may take to end when it is asked; a little more than it takes for itself."""
TERMINATE_MILLISECONDS = 2000
_HUNG_MILLISECONDS = 400  # for each step, where it is known that it will hardly react
TICK_MILLISECONDS = 1000
"""How often it is looked whether the worker hangs."""
_QUIT = json.dumps(command_to_json(Quit())).encode()


class WorkerProcess(QObject):
    """A process that is started once, and ended when it hangs.

    Attributes:
        line_read: a line of its stdout, as bytes without the end.
        ended: it is gone, or could not be started; with a `WorkerDeath`, once, and the last.
    """

    line_read = Signal(object)
    ended = Signal(object)

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], parent: QObject
    ) -> None:
        super().__init__(parent)
        program, *arguments = command
        self._lines = LineSplitter()
        self._tail = Tail()
        self._is_asked_to_end = False
        self._is_terminated = False
        self._is_hung = False
        self._stop_timer = QTimer(self, singleShot=True)
        self._stop_timer.timeout.connect(self._on_stop_overdue)
        # Any other program runs on another computer, and the process here is not the worker.
        self._watch = WorkerWatch(self._look if program == own_program() else None)
        self._tick_timer = QTimer(self, interval=TICK_MILLISECONDS)
        self._tick_timer.timeout.connect(self._on_tick)
        self._process = QProcess(self)
        self._process.setProgram(program)
        self._process.setArguments(arguments)
        self._process.setProcessEnvironment(_environment(environment))
        # A folder that nobody unplugs or deletes, and that holds no modules.
        self._process.setWorkingDirectory(QDir.rootPath())
        self._process.readyReadStandardOutput.connect(self._on_output)
        self._process.readyReadStandardError.connect(self._on_stderr)
        self._process.errorOccurred.connect(self._on_error)
        self._process.finished.connect(self._on_finished)

    @property
    def is_running(self) -> bool:
        """Whether there is a process, be it one that is about to end."""
        return self._process.state() is not QProcess.ProcessState.NotRunning

    @property
    def stderr_tail(self) -> str:
        """The last lines that it wrote to stderr."""
        return self._tail.text

    def start(self) -> None:
        """Start it. Whether that succeeds shows later."""
        self._process.start()
        self._tick_timer.start()

    def send(self, line: bytes) -> None:
        """Write a line to its stdin, unless it is gone or was asked to end."""
        if self.is_running and not self._is_asked_to_end:
            self._process.write(line + b"\n")

    def hear_mark(self, mark: int, *, has_work: bool) -> None:
        """It has said `Alive`; one that has work and does not get on is ended."""
        if self._watch.hear_mark(mark, has_work=has_work):
            self._end_hung()

    def stop(self) -> None:
        """Ask it to end with a last line and the end of its input; then press; then kill it."""
        if not self.is_running or self._is_asked_to_end:
            return
        self.send(_QUIT)
        self._is_asked_to_end = True
        self._tick_timer.stop()
        self._process.closeWriteChannel()
        self._stop_timer.start(_HUNG_MILLISECONDS if self._is_hung else QUIT_MILLISECONDS)

    def kill(self) -> None:
        """End it at once."""
        self._is_asked_to_end = True
        self._tick_timer.stop()
        self._process.kill()

    def wait_until_gone(self, milliseconds: int) -> bool:
        """Wait, blocking, until it is gone; in the last third of the time it is killed."""
        if not self.is_running or self._process.waitForFinished(2 * milliseconds // 3):
            return True
        self.kill()
        return self._process.waitForFinished(milliseconds // 3)

    def _on_output(self) -> None:
        lines = self._lines.feed(bytes(self._process.readAllStandardOutput().data()))
        if self._is_hung:  # what it says now is an echo of being ended
            return
        for line in lines:
            self._watch.hear_line()
            self.line_read.emit(line)

    def _on_stderr(self) -> None:
        self._tail.feed(bytes(self._process.readAllStandardError().data()))

    def _on_tick(self) -> None:
        if self._watch.tick():
            self._end_hung()

    def _look(self) -> Signs | None:
        return look_at_process(self._process.processId())

    def _end_hung(self) -> None:
        if not self._is_asked_to_end:
            log.error("the engine hangs")
            self._is_hung = True
            self.stop()

    def _on_stop_overdue(self) -> None:
        if self._is_terminated:
            log.warning("the engine had to be killed")
            self._process.kill()
            return
        log.info("the engine did not end when it was asked")
        self._is_terminated = True
        self._process.terminate()
        self._stop_timer.start(_HUNG_MILLISECONDS if self._is_hung else TERMINATE_MILLISECONDS)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        # Of all errors only this one is not followed by `finished`.
        if error is QProcess.ProcessError.FailedToStart:
            self._tick_timer.stop()
            program = self._process.program()
            self.ended.emit(death_by_no_start(program, self._process.errorString()))

    def _on_finished(self, exit_code: int, status: QProcess.ExitStatus) -> None:
        self._stop_timer.stop()
        self._tick_timer.stop()
        self._on_output()
        self._on_stderr()
        if self._is_hung:
            self.ended.emit(death_by_hang(self._tail.text))
            return
        crashed = status is QProcess.ExitStatus.CrashExit
        self.ended.emit(death_by_exit(exit_code, self._tail.text, crashed=crashed))


def _environment(changes: Mapping[str, str]) -> QProcessEnvironment:
    environment = QProcessEnvironment.systemEnvironment()
    environment.insert("KVDESK_PARENT_PID", str(os.getpid()))
    environment.insert("PYTHONUNBUFFERED", "1")
    environment.insert("PYTHONSAFEPATH", "1")  # nothing is imported from the working directory
    root = str(Path(kvdesk.__file__).parents[1])
    if root not in site.getsitepackages():  # run from its sources
        path = environment.value("PYTHONPATH")
        environment.insert("PYTHONPATH", os.pathsep.join(filter(None, [root, path])))
    for name, value in changes.items():
        environment.insert(name, value)
    return environment
