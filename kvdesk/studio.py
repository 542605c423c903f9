"""What happens in the application: the intents of all widgets end here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.api import RELEASED_MODEL
from kvdesk.background import Background
from kvdesk.batches import Batches
from kvdesk.clip_leftovers import remove_leftover
from kvdesk.engine_state import EngineState
from kvdesk.exporting import Exporter
from kvdesk.form_questions import FormQuestions, PlanView
from kvdesk.getting_notices import ready_notice
from kvdesk.jobs import JobState
from kvdesk.model_getting import ModelGetting
from kvdesk.notice import Notice, Tone
from kvdesk.opening import Opener
from kvdesk.run_notices import (
    EIGHT_BIT,
    RESTART_ENGINE,
    RESUME_JOB,
    RESUME_QUEUE,
    SMALLER,
    engine_failed_notice,
    waiting_notice,
)
from kvdesk.runner import Runner
from kvdesk.smaller_size import smaller_size, smallest_that_failed
from kvdesk.submitting import Submitter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from PySide6.QtGui import QImage

    from engine.api import Event, Fps, ModelInfo, SaveRequest
    from kvdesk.engine_client import EngineClient
    from kvdesk.estimates import Paces
    from kvdesk.folders import Folders
    from kvdesk.form import Form, PictureChoice
    from kvdesk.jobs import JobQueue
    from kvdesk.library import Library
    from kvdesk.prompt_history import PromptHistory
    from kvdesk.settings import SettingsStore
    from kvdesk.worker_death import WorkerDeath

__all__ = ["PlanView", "Studio"]

_MS_TO_CLOSE = 2000


class Studio(QObject):
    """The parts that do the work, wired to one another, and what each intent means to them.

    Attributes:
        progress_changed: with the `RunProgress` of the running job, or None.
        clip_finished: with the name of a clip's folder; also where only its key frame is drawn.
        notice: with a `Notice`.
        machine_changed: with a `MachineDescribed`.
        models_changed: with the list of `ModelInfo`.
        plan_changed: with a `PlanView` for the form as it is.
        tokens_counted: (count, limit) of the text that was asked for last.
        picture_opened: with the `PictureChoice` that has just been put into the form.
        video_opened: with a `VideoOpened`.
        editing_changed: with the id of the job that the form holds, or None.
        batches: clips that were asked for together.
        getting: the released model on its way onto this computer.
    """

    progress_changed = Signal(object)
    clip_finished = Signal(str)
    notice = Signal(object)
    machine_changed = Signal(object)
    models_changed = Signal(list)
    plan_changed = Signal(object)
    tokens_counted = Signal(int, int)
    picture_opened = Signal(object)
    video_opened = Signal(object)
    editing_changed = Signal(object)

    def __init__(
        self,
        *,
        engine: EngineClient,
        queue: JobQueue,
        form: Form,
        history: PromptHistory,
        paces: Paces,
        folders: Folders,
        library: Library,
        settings: SettingsStore,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._queue = queue
        self._form = form
        self._library = library
        self._folders_seen: set[str] = set()
        self._background = Background(self)
        self.batches = Batches(folders.data / "batches.json", self)
        self._runner = Runner(
            engine=engine,
            queue=queue,
            paces=paces,
            library=library,
            settings=settings,
            background=self._background,
            parent=self,
        )
        self._questions = FormQuestions(
            engine=engine, form=form, paces=paces, settings=settings, parent=self
        )
        self._submitter = Submitter(
            queue=queue,
            form=form,
            history=history,
            batches=self.batches,
            library=library,
            parent=self,
        )
        self._opener = Opener(
            engine=engine,
            form=form,
            folders=folders,
            library=library,
            submitter=self._submitter,
            background=self._background,
            parent=self,
        )
        self.getting = ModelGetting(
            engine=engine,
            runner=self._runner,
            settings=settings,
            folders=folders,
            background=self._background,
            parent=self,
        )
        self._exporter = Exporter(
            engine=engine,
            library=library,
            runner=self._runner,
            background=self._background,
            parent=self,
        )
        self._connect()

    def _connect(self) -> None:
        self._runner.progress_changed.connect(self.progress_changed)
        self._runner.clip_finished.connect(self.clip_finished)
        self._runner.clip_finished.connect(self._questions.plan_again)
        self._questions.machine_changed.connect(self.machine_changed)
        self._questions.models_changed.connect(self._on_models)
        self.getting.models_touched.connect(self._questions.list_models)
        self.getting.ready.connect(self._on_model_ready)
        self._questions.plan_changed.connect(self.plan_changed)
        self._questions.tokens_counted.connect(self.tokens_counted)
        self._opener.picture_opened.connect(self.picture_opened)
        self._opener.video_opened.connect(self.video_opened)
        self._submitter.editing_changed.connect(self.editing_changed)
        parts = (self._runner, self._questions, self._submitter, self._opener, self._exporter)
        for part in (*parts, self.getting):
            part.notice.connect(self.notice)
        self._queue.changed.connect(self._on_queue_changed)
        self._on_queue_changed()
        self._engine.died.connect(self._on_engine_died)

    # Beginning and end

    def start(self) -> None:
        """Ask the worker what there is, and say what waits from the last time."""
        self._questions.start()
        self._opener.start()
        jobs = [job for job in self._queue.jobs if job.state is JobState.WAITING]
        waiting = sum(self._queue.waits_for(job) is None for job in jobs)
        if waiting and self._queue.is_held:
            self.notice.emit(waiting_notice(waiting))

    def close(self) -> None:
        """Write what is not written yet, and clear away what removed jobs have left.

        For the end of the application, once the worker is gone.
        """
        self._questions.stop()
        self.batches.flush()
        self.getting.close()
        kept = {job.folder for job in self._queue.jobs}
        for folder in self._folders_seen - kept:
            self._background.run(partial(remove_leftover, self._library.clips, folder))
        self._background.close(_MS_TO_CLOSE)

    # Models

    @property
    def models(self) -> list[ModelInfo]:
        """The models that the worker has found."""
        return list(self._questions.models)

    def list_models(self) -> None:
        """Ask for the models again: one was prepared."""
        self._questions.list_models()

    def use_model(self, name: str) -> None:
        """Make clips with the model of that name; where there is none, the form keeps its own."""
        model = next((info for info in self._questions.models if info.name == name), None)
        if model is not None:
            self._form.use_model(model)
            return
        text = self.tr("The model {name} is not there any more. The one in use stays.")
        self.notice.emit(Notice(text=text.format(name=name), tone=Tone.CAREFUL))

    # Making clips

    @property
    def is_running(self) -> bool:
        """Whether a clip is being made."""
        return self._runner.is_running

    @property
    def editing(self) -> str | None:
        """The id of the waiting job that the next `submit` changes."""
        return self._submitter.editing

    def submit(self) -> None:
        """Make a job of the form, or put the form into the job that is being edited."""
        self._submitter.submit()

    def submit_prompts(self, prompts: Sequence[str]) -> None:
        """Make a job of each prompt, with all else as it is in the form."""
        self._submitter.submit_prompts(prompts)

    def submit_pictures(self, pictures: Sequence[PictureChoice]) -> None:
        """Make a job of each picture, with all else as it is in the form."""
        self._submitter.submit_pictures(pictures)

    def submit_cousins(self) -> None:
        """Make the clip from four seeds in a row."""
        self._submitter.submit_cousins()

    def submit_key_frames(self) -> None:
        """Draw the key frame of four seeds in a row, for a person to pick from."""
        self._submitter.submit_key_frames()

    def submit_motion_map(self) -> None:
        """Make quick drafts of every motion with three noise augmentations, from one seed."""
        self._submitter.submit_motion_map()

    def smooth(self, clip: str, fps: Fps) -> None:
        """Let a clip go on to more frames, in its own folder."""
        self._submitter.smooth(clip, fps)

    def animate(self, clip: str) -> None:
        """Let a key frame go on to a clip, as smooth as the form says."""
        self._submitter.animate(clip)

    # The queue

    def cancel(self, job_id: str) -> None:
        """Stop the running job; at the second press at once. One that waits is taken out."""
        self._runner.cancel(job_id)

    def pause(self, job_id: str) -> None:
        """Stop a job until `resume`; the memory of a running one is given back."""
        self._runner.pause(job_id)

    def resume(self, job_id: str) -> None:
        """Make it a paused job's turn next."""
        self._runner.resume(job_id)

    def retry(self, job_id: str) -> None:
        """Let a job that failed wait again, in its place; what it has made so far is used."""
        self._runner.retry(job_id)

    def hold(self, held: bool) -> None:
        """Let no further job start, or let them again; the running one goes on."""
        self._queue.hold(held)

    def edit_job(self, job_id: str) -> None:
        """Put the settings of a job that does not run into the form; `submit` changes the job."""
        job = self._queue.job(job_id)
        if job is not None:
            self.use_model(job.model)
        self._submitter.edit_job(job_id)

    def stop_editing(self) -> None:
        """Leave the job as it is; the form stays as it is too."""
        self._submitter.stop_editing()

    # Opening and saving

    def count_tokens(self, text: str) -> None:
        """Count the tokens of `text` once a person has paused, for `tokens_counted`."""
        self._questions.count_tokens(text)

    def open_picture(self, path: str) -> None:
        """Put a picture into the form."""
        self._opener.open_picture(path)

    def open_pictures(self, paths: Sequence[str]) -> None:
        """Put one picture into the form; make a job of each where there are several."""
        self._opener.open_pictures(paths)

    def paste_picture(self, picture: bytes | QImage) -> None:
        """Keep a picture from the clipboard as a file, and put it into the form."""
        self._opener.paste_picture(picture)

    def open_text_file(self, path: str) -> None:
        """Make a job of each line of a text file."""
        self._opener.open_text_file(path)

    def open_video(self, path: str) -> None:
        """Take a video apart into frames, for `video_opened`."""
        self._opener.open_video(path)

    def continue_from(self, clip: str) -> None:
        """Put the last frame of a clip into the form."""
        self._opener.continue_from(clip)

    def copy_file(self, source: Path, target: Path) -> None:
        """Copy a picture of ours to where a person said; what is there is replaced."""
        self._exporter.copy_file(source, target)

    def export(
        self,
        clip: str,
        save: SaveRequest,
        on_done: Callable[[Event], None],
        on_event: Callable[[Event], None] | None = None,
    ) -> int | None:
        """Save a clip as a file; see `Exporter.export`."""
        return self._exporter.export(clip, save, on_done, on_event)

    def cancel_export(self, number: int) -> None:
        """Stop saving; no file is left."""
        self._exporter.cancel(number)

    def predict_export(
        self,
        clip: str,
        save: SaveRequest,
        max_bytes: int | None,
        on_answer: Callable[[Event], None],
    ) -> None:
        """Find out how large the file will be; see `Exporter.predict`."""
        self._exporter.predict(clip, save, max_bytes, on_answer)

    # What notices offer

    def act(self, action: str) -> None:
        """Do what a notice offered by that name; a name from elsewhere is nobody's here."""
        if action == SMALLER:
            self._make_smaller()
        elif action == RESUME_QUEUE:
            self._queue.hold(False)
        elif action.startswith(RESUME_JOB):
            self._runner.resume_queue(action.removeprefix(RESUME_JOB))
        elif action == RESTART_ENGINE:
            self._engine.restart()
        elif action.startswith(EIGHT_BIT):
            self._runner.allow_eight_bit(action.removeprefix(EIGHT_BIT))

    def _make_smaller(self) -> None:
        """Put a smaller size into the form than that of the job that did not fit."""
        model = self._form.model
        if model is None:
            return
        smaller = smaller_size(smallest_that_failed(self._form.values, self._queue.jobs), model)
        if smaller is None:
            text = self.tr(
                "This is the smallest size already. Close other programs that use the graphics "
                "card, or choose fewer frames a second."
            )
            self.notice.emit(Notice(text=text, tone=Tone.CAREFUL))
            return
        self._form.edit(self.tr("Make it smaller"), size=smaller)

    def _on_models(self, models: list[ModelInfo]) -> None:
        self.getting.know_models(models)
        self._queue.know_missing_models(
            frozenset(each.name for each in models if not each.is_ready)
        )
        self.models_changed.emit(models)

    def _on_model_ready(self) -> None:
        self.use_model(RELEASED_MODEL)
        self.notice.emit(ready_notice())

    def _on_queue_changed(self) -> None:
        self._library.needed = frozenset(job.folder for job in self._queue.jobs)
        self._folders_seen |= self._library.needed

    def _on_engine_died(self, death: WorkerDeath) -> None:
        if self._engine.state is EngineState.FAILED:
            self.notice.emit(engine_failed_notice(death.message, death.detail))
