"""The application without its window: everything that the studio needs, on a worker that plays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoStack

from engine.api import Fps
from kvdesk.estimates import Paces
from kvdesk.folders import Folders
from kvdesk.form import Form
from kvdesk.jobs import JobQueue, JobState
from kvdesk.library import Library
from kvdesk.prompt_history import PromptHistory
from kvdesk.settings import SettingsStore
from kvdesk.studio import Studio

if TYPE_CHECKING:
    from pathlib import Path

WAIT_MS = 8000


@dataclass
class StudioDesk:
    """Everything that the studio needs, and what it said."""

    folder: Path
    engine: object
    qtbot: object
    notices: list = field(default_factory=list)
    progress: list = field(default_factory=list)
    finished: list = field(default_factory=list)
    plans: list = field(default_factory=list)

    def __post_init__(self) -> None:
        folders = Folders(
            config=self.folder / "config",
            data=self.folder / "data",
            cache=self.folder / "cache",
            clips=self.folder / "clips",
        )
        folders.clips.mkdir(parents=True, exist_ok=True)
        self.clips = folders.clips
        self.stack = QUndoStack()
        self.form = Form(folders.data / "form.json", self.stack)
        self.history = PromptHistory(folders.data / "prompts.json")
        self.queue = JobQueue(folders.data / "queue.json", self.stack)
        self.library = Library(folders.clips, folders.cache / "library.sqlite", self.stack)
        self.settings = SettingsStore(folders.config / "settings.json")
        self.studio = Studio(
            engine=self.engine,
            queue=self.queue,
            form=self.form,
            history=self.history,
            paces=Paces(folders.data / "paces.json"),
            folders=folders,
            library=self.library,
            settings=self.settings,
        )
        self.studio.notice.connect(self.notices.append)
        self.studio.progress_changed.connect(self.progress.append)
        self.studio.clip_finished.connect(self.finished.append)
        self.studio.plan_changed.connect(self.plans.append)

    def start(self) -> None:
        self.library.open()
        self.studio.start()
        self.until(lambda: self.form.model is not None and self.library.is_loaded)

    def close(self) -> None:
        for store in (self.form, self.history, self.queue, self.settings):
            store.flush()
        self.studio.close()
        self.library.close()

    def until(self, condition) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)

    def write(self, prompt="a red circle", **changes) -> None:
        self.form.edit("test", prompt=prompt, fps=Fps.LOW, steps=4, **changes)

    def submit(self, prompt="a red circle", **changes):
        self.write(prompt, **changes)
        self.studio.submit()
        return self.queue.jobs[-1]

    def state(self, job) -> JobState | None:
        now = self.queue.job(job.id)
        return now and now.state

    def until_state(self, job, state) -> None:
        self.until(lambda: self.state(job) is state)

    def until_stage(self, stage, steps=1) -> None:
        def is_there() -> bool:
            running = self.progress[-1] and self.progress[-1].running_stage
            return running and running.stage is stage and running.steps_done >= steps

        self.until(lambda: self.progress and is_there())

    def make(self, **changes):
        job = self.submit(**changes)
        self.until(lambda: self.finished[-1:] == [job.folder])
        return job

    def tones(self) -> list:
        return [notice.tone for notice in self.notices]
