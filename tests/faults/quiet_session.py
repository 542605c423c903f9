"""A whole session of the window with nobody at it: `python quiet_session.py FILE`.

It starts as for a person, makes a clip with the demo model, saves it as FILE, shows every page, and
ends by its close button.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from engine.api import Event, Failed, Fps, SaveRequest
from kvdesk import app as application
from kvdesk.app import Desk, build
from kvdesk.jobs import JobState

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

MOST_MS = 240_000
MS_BETWEEN = 200
PROMPT = "a red circle moving to the right on a black background"


class Session:
    """Does one thing after the other, as soon as the one before has come to its end."""

    def __init__(self, desk: Desk, file: str) -> None:
        self._desk = desk
        self._file = file
        self.problem = "the session took too long"
        self._timer = QTimer(desk.root, interval=MS_BETWEEN)
        self._timer.timeout.connect(self._generate)
        self._timer.start()
        desk.studio.clip_finished.connect(self._export)
        desk.studio.notice.connect(self._look_at_queue)

    def _generate(self) -> None:
        if self._desk.form.model is None:  # the worker has not named any yet
            return
        self._timer.stop()
        window = self._desk.window
        for show in (window.show_help, window.show_settings, window.show_report):
            show()
        window.show_stage()
        self._desk.form.edit("", prompt=PROMPT, fps=Fps.LOW)
        window.compose.request_generate()

    def _look_at_queue(self, notice: object) -> None:
        if any(job.state is JobState.FAILED for job in self._desk.queue.jobs):
            self._end(str(notice))

    def _export(self, name: str) -> None:
        self._desk.studio.export(name, SaveRequest(path=self._file, width=128), self._on_exported)

    def _on_exported(self, event: Event) -> None:
        self._end(event.message if isinstance(event, Failed) else "")

    def _end(self, problem: str) -> None:
        self.problem = problem
        QTimer.singleShot(500, self._desk.window.close)


def main() -> int:
    sessions: list[Session] = []

    def build_and_begin(app: QApplication, *arguments: object, **keywords: object) -> Desk:
        desk = build(app, *arguments, **keywords)
        sessions.append(Session(desk, sys.argv[1]))
        QTimer.singleShot(MOST_MS, desk.window.close)
        return desk

    application.build = build_and_begin
    status = application.main()
    print(sessions[0].problem, file=sys.stderr)
    return status or bool(sessions[0].problem)


if __name__ == "__main__":
    sys.exit(main())
