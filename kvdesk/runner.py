"""Runs the jobs of the queue, one after the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from engine.api import (
    ClipPlanned,
    Event,
    Failed,
    Finished,
    FreeMemory,
    KeyFrameReady,
    MakeClip,
    MemoryAdapted,
    PlanClip,
    Stage,
    StageFinished,
    StageStarted,
    Stopped,
)
from engine.errors import DeviceLost, DiskFull
from kvdesk.clip_leftovers import remove_leftover
from kvdesk.engine_state import EngineState
from kvdesk.estimates import StageTimes
from kvdesk.jobs import Failure, Job, JobState
from kvdesk.run_notices import (
    death_notice,
    disk_notice,
    failure_notice,
    held_notice,
)
from kvdesk.run_progress import begun_progress
from kvdesk.worker_death import DIED_CODE, RESTARTED_CODE

if TYPE_CHECKING:
    from kvdesk.background import Background
    from kvdesk.engine_client import EngineClient
    from kvdesk.estimates import Paces
    from kvdesk.jobs import JobQueue
    from kvdesk.library import Library
    from kvdesk.run_progress import RunProgress
    from kvdesk.settings import SettingsStore

PROGRESS_MS = 50
"""Progress is told at most this often: a fast model does hundreds of steps in a second."""
MAX_DEATHS = 2
"""A job with which the worker died this often is not tried again by itself."""
_DEATHS = (DIED_CODE, RESTARTED_CODE, DeviceLost.code)


class _Intent(StrEnum):
    """What is to become of the running job when it stops."""

    FINISH = "finish"
    PAUSE = "pause"
    CANCEL = "cancel"


@dataclass(slots=True, kw_only=True)
class _Run:
    """The job that runs, and all that is known of it."""

    job: Job
    progress: RunProgress
    number: int = 0
    plan: ClipPlanned | None = None
    intent: _Intent = _Intent.FINISH
    times: StageTimes = field(default_factory=StageTimes)


class Runner(QObject):
    """Gives the next waiting job to the worker when it is ready, and sees it to its end.

    Attributes:
        progress_changed: with the `RunProgress` of the running job, None when none runs.
        clip_finished: with the name of the clip's folder.
        notice: with a `Notice`.
    """

    progress_changed = Signal(object)
    clip_finished = Signal(str)
    notice = Signal(object)

    def __init__(
        self,
        *,
        engine: EngineClient,
        queue: JobQueue,
        paces: Paces,
        library: Library,
        settings: SettingsStore,
        background: Background,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._queue = queue
        self._paces = paces
        self._library = library
        self._settings = settings
        self._background = background
        self._run: _Run | None = None
        self._deaths: Counter[str] = Counter()
        # Not started from inside a change of the queue, which may be a step of undo.
        self._start_timer = QTimer(self, singleShot=True, interval=0)
        self._start_timer.timeout.connect(self._start_next)
        self._progress_timer = QTimer(self, singleShot=True, interval=PROGRESS_MS)
        self._progress_timer.timeout.connect(self._on_progress_due)
        self._is_progress_due = False
        self._is_lent = False
        engine.state_changed.connect(self._on_may_start)
        queue.changed.connect(self._on_may_start)
        queue.held_changed.connect(self._on_may_start)
        library.loaded.connect(self._on_library_loaded)

    @property
    def is_running(self) -> bool:
        """Whether a job runs."""
        return self._run is not None

    @property
    def is_lent(self) -> bool:
        """Whether no clip starts, since something else needs the worker."""
        return self._is_lent

    def lend(self, is_lent: bool) -> None:
        """Start no further clip from now on, or go on with the queue; one that runs goes on.

        The worker does one thing after the other, and would not look at a clip behind a long one
        until then, not even to stop it.
        """
        self._is_lent = is_lent
        self._queue.set_lent(is_lent)
        self._on_may_start()

    def hold_for(self, model: str) -> bool:
        """Hold the queue if clips of `model` wait, which is in doubt; whether they do."""
        jobs = self._queue.jobs
        if not any(job.model == model and job.state is JobState.WAITING for job in jobs):
            return False
        self._queue.hold(True)
        return True

    # What a person does

    def cancel(self, job_id: str) -> None:
        """Stop the running job; at the second press at once. One that waits is taken out."""
        run = self._run
        if run is None or run.job.id != job_id:
            self._queue.remove([job_id])
        elif run.intent is _Intent.CANCEL:
            self._engine.restart()
        else:
            run.intent = _Intent.CANCEL
            run.progress = replace(run.progress, is_cancelling=True)
            self._tell_progress()
            self._engine.cancel(run.number)

    def pause(self, job_id: str) -> None:
        """Stop a job until `resume`; the memory of a running one is given back."""
        run = self._run
        if run is not None and run.job.id == job_id:
            if run.intent is _Intent.FINISH:
                run.intent = _Intent.PAUSE
                self._engine.cancel(run.number)
        elif (job := self._queue.job(job_id)) and job.state is JobState.WAITING:
            self._queue.set_state(job_id, JobState.PAUSED)

    def resume(self, job_id: str) -> None:
        """Make it a paused job's turn next."""
        job = self._queue.job(job_id)
        if job is not None and job.state is JobState.PAUSED:
            self._queue.set_state(job_id, JobState.WAITING)
            self._queue.put_first(job_id)

    def resume_queue(self, job_id: str) -> None:
        """Make it a paused job's turn next, and let the queue go on."""
        self.resume(job_id)
        self._queue.hold(False)

    def retry(self, job_id: str) -> None:
        """Let a job that failed wait again, in its place; what it has made so far is used."""
        job = self._queue.job(job_id)
        if job is not None and job.state is JobState.FAILED:
            del self._deaths[job_id]
            self._queue.set_state(job_id, JobState.WAITING)

    def allow_eight_bit(self, job_id: str) -> None:
        """Let a job that does not run go on with weights in 8 bit, also after it failed."""
        job = self._queue.job(job_id)
        if job is not None and job.state is not JobState.RUNNING:
            self._queue.put(replace(job, eight_bit=True))
            self.retry(job_id)

    # One job from its start to its end

    def _on_may_start(self, *_: object) -> None:
        self._start_timer.start()

    def _start_next(self) -> None:
        is_ready = self._engine.state is EngineState.READY
        if self._run is not None or self._is_lent or self._queue.is_held or not is_ready:
            return
        job = self._queue.next_waiting()
        if job is None:
            return
        folder = self._library.clips / job.folder
        done = self._stages_done(job)
        progress = begun_progress(job.id, folder, job.request, until=job.until, done=done)
        run = self._run = _Run(job=job, progress=progress)
        self._queue.set_state(job.id, JobState.RUNNING)
        device = self._settings.values.device or None
        eight_bit = job.eight_bit or self._settings.values.eight_bit
        plan = PlanClip(
            job=0, model=job.model, request=job.request, device=device, eight_bit=eight_bit
        )
        self._engine.ask(plan, partial(self._on_planned, run))
        clip = MakeClip(
            job=0,
            model=job.model,
            request=job.request,
            folder=str(folder),
            device=device,
            until=job.until,
            eight_bit=eight_bit,
        )
        run.number = self._engine.run(clip, partial(self._on_event, run))
        self._tell_progress()

    def _on_planned(self, run: _Run, event: Event) -> None:
        if run is self._run and isinstance(event, ClipPlanned):
            run.plan = event
            estimate = self._paces.estimate(event, run.job.model)
            run.progress = run.progress.with_plan(event.stages, estimate)
            self._tell_progress()

    def _on_event(self, run: _Run, event: Event) -> None:
        if run is not self._run:
            return
        match event:
            case Finished():
                self._finish(run)
            case Stopped():
                self._stop(run)
            case Failed():
                self._fail(run, event)
            case _:
                run.times.note(event)
                run.progress = run.progress.advanced(event)
                if isinstance(event, StageStarted | StageFinished | KeyFrameReady | MemoryAdapted):
                    self._tell_progress()
                else:
                    self._tell_progress_soon()

    def _finish(self, run: _Run) -> None:
        if run.plan is not None:
            self._paces.learn(run.times, run.plan, run.job.model)
        del self._deaths[run.job.id]
        self._end(run)
        self._queue.take_finished(run.job.id)
        self._library.refresh(run.job.folder)
        self.clip_finished.emit(run.job.folder)

    def _stop(self, run: _Run) -> None:
        self._end(run)
        if run.intent is _Intent.CANCEL:
            self._forget(run.job)
            return
        self._queue.set_state(run.job.id, JobState.PAUSED)
        self._library.refresh(run.job.folder)
        self._engine.run(FreeMemory(job=0), _heard)

    def _fail(self, run: _Run, failed: Failed) -> None:
        job = run.job
        self._end(run)
        if run.intent is _Intent.CANCEL:  # its end is what was wanted, however it came
            self._forget(job)
            return
        self._library.refresh(job.folder)
        is_death = failed.code in _DEATHS
        if is_death and run.intent is _Intent.PAUSE:
            self._queue.set_state(job.id, JobState.PAUSED)
            return
        failure = Failure(code=failed.code, message=failed.message, detail=failed.detail)
        if failed.code == DiskFull.code:  # so would every other job be
            self._queue.hold(True)
            self._queue.set_state(job.id, JobState.PAUSED, failure)
            self.notice.emit(disk_notice(job, failure))
            return
        if is_death:
            # The end that a person asked for says nothing about the job.
            self._deaths[job.id] += failed.code != RESTARTED_CODE
            if self._deaths[job.id] < MAX_DEATHS:
                self._queue.set_state(job.id, JobState.WAITING)
                self._queue.put_first(job.id)
                self.notice.emit(death_notice(job, failure))
                return
            self._queue.hold(True)
        self._queue.set_state(job.id, JobState.FAILED, failure)
        self.notice.emit(held_notice(job, failure) if is_death else failure_notice(job, failure))

    def _end(self, run: _Run) -> None:
        assert run is self._run
        self._run = None
        self._progress_timer.stop()
        self._is_progress_due = False
        self._queue.set_progress(run.job.id, None)
        self.progress_changed.emit(None)

    def _forget(self, job: Job) -> None:
        """Take a cancelled job out, and what nobody wants of its folder away."""
        del self._deaths[job.id]
        self._queue.take_finished(job.id)
        if any(other.folder == job.folder for other in self._queue.jobs):
            return
        self._background.run(
            partial(remove_leftover, self._library.clips, job.folder),
            lambda _: self._library.refresh(job.folder),
        )

    def _stages_done(self, job: Job) -> set[Stage]:
        """The stages that the job's folder has, as far as is known here."""
        record = self._library.record(job.folder)
        if record is None:
            return set()
        if record.info.num_frames:
            return {Stage.TEXT, Stage.KEY_FRAME, Stage.BASE_FRAMES}
        return {Stage.TEXT, Stage.KEY_FRAME} if record.info.has_key_frame else set()

    def _on_library_loaded(self) -> None:
        """Drop jobs whose clips are there: the window had ended before it heard of it."""
        for job in self._queue.jobs:
            record = self._library.record(job.folder)
            if record is None or record.is_binned or job.state is JobState.RUNNING:
                continue
            info = record.info
            is_whole = info.num_frames >= job.request.fps.num_frames
            if is_whole or (job.until is Stage.KEY_FRAME and info.has_key_frame):
                self._queue.take_finished(job.id)

    # Progress, not too often

    def _tell_progress(self) -> None:
        self._is_progress_due = False
        if self._run is not None:
            self._progress_timer.start()
            self._queue.set_progress(self._run.job.id, self._run.progress)
            self.progress_changed.emit(self._run.progress)

    def _tell_progress_soon(self) -> None:
        if self._progress_timer.isActive():
            self._is_progress_due = True
        else:
            self._tell_progress()

    def _on_progress_due(self) -> None:
        if self._is_progress_due:
            self._tell_progress()


def _heard(_: Event) -> None:
    """Memory is given back some time; nothing waits for it."""
