"""From the form, or from a clip that is there, to jobs in the queue."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Signal

from engine.api import MAX_SEED, Fps, Motion, SamplingSettings, Stage, draw_seed
from engine.errors import InvalidRequest
from kvdesk.batches import Batch, BatchKind, BatchLabel
from kvdesk.error_texts import error_text
from kvdesk.form_rules import Preset, preset_changes
from kvdesk.getting_notices import missing_model_notice
from kvdesk.jobs import Job, JobState, WaitsFor, free_folder_name, new_id
from kvdesk.notice import Notice, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.api import GenerateRequest
    from kvdesk.batches import Batches
    from kvdesk.form import Form, FormValues, PictureChoice
    from kvdesk.jobs import JobQueue
    from kvdesk.library import ClipRecord, Library
    from kvdesk.prompt_history import PromptHistory

NUM_SEEDS = 4
"""How many cousins, and how many key frames to pick from, are made at once."""
MAP_NOISE_AUGMENTATIONS = (20, 100, 400)
"""Of a motion map: the usual one, as much as the model was trained on, and far beyond."""


class Submitter(QObject):
    """Adds jobs to the queue, or changes the one that is being edited.

    Attributes:
        editing_changed: with the id of the job that the form holds, or None.
        notice: with a `Notice`.
    """

    editing_changed = Signal(object)
    notice = Signal(object)

    def __init__(
        self,
        *,
        queue: JobQueue,
        form: Form,
        history: PromptHistory,
        batches: Batches,
        library: Library,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._queue = queue
        self._form = form
        self._history = history
        self._batches = batches
        self._library = library
        self._editing: str | None = None
        queue.changed.connect(self._on_queue_changed)

    @property
    def editing(self) -> str | None:
        """The id of the waiting job that the next `submit` changes."""
        return self._editing

    # From the form

    def submit(self) -> None:
        """Make a job of the form, or put the form into the job that is being edited."""
        if not self._may_submit():
            return
        values = self._form.values
        if self._editing is not None and (job := self._queue.job(self._editing)):
            self._change(job, values)
        else:
            self._add([self._new_job(values)])
        self._history.add(values.prompt)
        self._form.next_seed()

    def submit_prompts(self, prompts: Sequence[str]) -> None:
        """Make a job of each prompt, with all else as it is in the form."""
        self._submit_each([{"prompt": prompt} for prompt in prompts if prompt.strip()])

    def submit_pictures(self, pictures: Sequence[PictureChoice]) -> None:
        """Make a job of each picture, with all else as it is in the form."""
        self._submit_each([{"picture": picture} for picture in pictures])

    def submit_cousins(self) -> None:
        """Make the clip from four seeds in a row."""
        if self._may_submit():
            self._submit_batch(BatchKind.COUSINS, self._neighbours())

    def submit_key_frames(self) -> None:
        """Draw the key frame of four seeds in a row, for a person to pick from."""
        if self._form.values.picture is not None:
            text = self.tr(
                "The clip begins with your picture, so there are none to pick from. Take the "
                "picture out of the form first."
            )
            self.notice.emit(Notice(text=text, tone=Tone.CAREFUL))
        elif self._may_submit():
            self._submit_batch(BatchKind.KEY_FRAMES, self._neighbours(), until=Stage.KEY_FRAME)

    def submit_motion_map(self) -> None:
        """Make quick drafts of every motion with three noise augmentations, from one seed."""
        model = self._form.model
        if model is None or not self._may_submit():
            return
        quick = cast("SamplingSettings", preset_changes(Preset.QUICK, model)["sampling"])
        draft = replace(self._form.values, fps=Fps.LOW, sampling=quick)
        cells = [
            replace(draft, motion=motion, noise_augmentation=noise)
            for motion in Motion
            for noise in MAP_NOISE_AUGMENTATIONS
        ]
        self._submit_batch(BatchKind.MOTION_MAP, cells)

    # From a job that waits

    def edit_job(self, job_id: str) -> None:
        """Put the settings of a job that does not run into the form; `submit` changes the job."""
        job = self._queue.job(job_id)
        if job is None or job.state is JobState.RUNNING:
            return
        self._form.restore(job.request)
        self._set_editing(job_id)

    def stop_editing(self) -> None:
        """Leave the job as it is; the form stays as it is too."""
        self._set_editing(None)

    # From a clip of the library

    def smooth(self, clip: str, fps: Fps) -> None:
        """Let a clip go on to more frames, in its own folder."""
        if record := self._usable_record(clip):
            self._go_on(record, fps)

    def animate(self, clip: str) -> None:
        """Let a key frame go on to a clip, as smooth as the form says."""
        if record := self._usable_record(clip):
            self._go_on(record, self._form.values.fps)

    # How

    def _may_submit(self) -> bool:
        problems = self._form.problems()
        if problems:
            self.notice.emit(Notice(text=problems[0].text, tone=Tone.CAREFUL))
        return not problems

    def _may_submit_each(self) -> bool:
        """As `_may_submit`, for clips that bring their own prompt or picture."""
        problems = [each for each in self._form.problems() if each.field != "prompt"]
        if problems:
            self.notice.emit(Notice(text=problems[0].text, tone=Tone.CAREFUL))
        return not problems

    def _add(self, jobs: Sequence[Job]) -> None:
        self._queue.add(jobs)
        if any(self._queue.waits_for(job) is WaitsFor.MODEL for job in jobs):
            self.notice.emit(missing_model_notice())

    def _new_job(self, values: FormValues, *, until: Stage | None = None, group: str = "") -> Job:
        return Job(
            id=new_id(),
            request=values.to_request(),
            model=values.model,
            folder=self._free_folder_name(values.prompt),
            until=until,
            group=group,
        )

    def _free_folder_name(self, prompt: str) -> str:
        taken = {job.folder for job in self._queue.jobs}
        return free_folder_name(
            prompt,
            datetime.now().astimezone(),
            lambda name: name in taken or name in self._library.records,
        )

    def _change(self, job: Job, values: FormValues) -> None:
        request = values.to_request()
        changes: dict[str, object] = {"request": request, "model": values.model}
        if not _only_fps_differs(job.request, request) or job.model != values.model:
            # A folder goes on with the clip that it was begun for, and with no other.
            changes["folder"] = self._free_folder_name(values.prompt)
        self._set_editing(None)
        self._queue.change(job.id, self.tr("Change a clip of the queue"), **changes)
        if job.state is JobState.FAILED:
            self._queue.set_state(job.id, JobState.WAITING)

    def _submit_each(self, each: Sequence[dict[str, object]]) -> None:
        """Add a job for each of these differences to the form, as one step."""
        if not self._may_submit_each():
            return
        jobs: list[Job] = []
        refused: list[str] = []
        for difference in each:
            values = self._form.values
            seed = values.seed if not jobs or values.seed_is_locked else draw_seed()
            try:
                values = replace(values, seed=seed, **difference)
            except InvalidRequest as error:
                refused.append(error_text(error.code, error.message))
                continue
            jobs.append(self._new_job(values))
        self._add(jobs)
        for job in reversed(jobs):  # the first one is the newest of the history, as in the file
            self._history.add(job.request.prompt)
        if jobs:
            self._form.next_seed()
        if refused:
            text = self.tr("%n of them cannot be made. {reason}", "", len(refused))
            text = text.format(reason=refused[0])
            self.notice.emit(Notice(text=text, tone=Tone.CAREFUL, detail="\n".join(refused)))

    def _neighbours(self) -> list[FormValues]:
        values = self._form.values
        return [
            replace(values, seed=(values.seed + number) % (MAX_SEED + 1))
            for number in range(NUM_SEEDS)
        ]

    def _submit_batch(
        self, kind: BatchKind, each: Sequence[FormValues], *, until: Stage | None = None
    ) -> None:
        group = new_id()
        jobs = [self._new_job(values, until=until, group=group) for values in each]
        labels = [
            BatchLabel(
                seed=values.seed,
                motion=values.motion,
                noise_augmentation=values.noise_augmentation,
            )
            for values in each
        ]
        folders = tuple(job.folder for job in jobs)
        self._batches.add(Batch(id=group, kind=kind, folders=folders, labels=tuple(labels)))
        self._add(jobs)
        self._history.add(self._form.values.prompt)
        self._form.next_seed()

    def _usable_record(self, clip: str) -> ClipRecord | None:
        record = self._library.record(clip)
        text = ""
        if record is None or record.is_binned:
            text = self.tr("The clip is not in the library any more.")
        elif record.is_read_only:
            text = self.tr("A newer kvdesk made this clip. Use that one to go on with it.")
        elif any(job.folder == clip for job in self._queue.jobs):
            text = self.tr("The clip is in the queue already.")
        if text:
            self.notice.emit(Notice(text=text, tone=Tone.CAREFUL))
            return None
        return record

    def _go_on(self, record: ClipRecord, fps: Fps) -> None:
        if fps.num_frames <= record.info.num_frames:
            self.notice.emit(Notice(text=self.tr("The clip is that smooth already.")))
            return
        job = Job(
            id=new_id(),
            request=replace(record.info.request, fps=fps),
            model=record.info.model,
            folder=record.name,
            eight_bit=record.info.eight_bit,
        )
        self._add([job])

    def _set_editing(self, job_id: str | None) -> None:
        if job_id != self._editing:
            self._editing = job_id
            self.editing_changed.emit(job_id)

    def _on_queue_changed(self) -> None:
        if self._editing is None:
            return
        job = self._queue.job(self._editing)
        if job is None or job.state is JobState.RUNNING:
            self._set_editing(None)
            text = self.tr(
                "The clip that you were changing has started or was removed. Its settings stay "
                "in the form, and Generate makes a new clip of them."
            )
            self.notice.emit(Notice(text=text))


def _only_fps_differs(one: GenerateRequest, other: GenerateRequest) -> bool:
    return replace(one, fps=other.fps) == other
