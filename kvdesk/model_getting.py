"""Gets the released model: fetches its files, prepares them, makes a test clip.

Each of the three steps goes on where it was, however it ended: what is kept is which one it is.
"""

from __future__ import annotations

import secrets
import shutil
import time
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.api import (
    RELEASED_MODEL,
    Downloaded,
    DownloadModel,
    Failed,
    FreeMemory,
    Prepare,
    Prepared,
    SelfTest,
    SelfTested,
    Stopped,
)
from engine.errors import DeviceLost
from kvdesk.engine_state import EngineState
from kvdesk.getting import PHASE_OF, GettingProgress, Phase, Step, begun_anew
from kvdesk.getting_choices import GettingChoices
from kvdesk.getting_notices import getting_failed_notice
from kvdesk.getting_progress import Speedometer, advanced
from kvdesk.getting_store import GettingStore
from kvdesk.job import Failure
from kvdesk.worker_death import DIED_CODE, RESTARTED_CODE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.api import Event, ModelInfo
    from kvdesk.background import Background
    from kvdesk.engine_client import EngineClient
    from kvdesk.folders import Folders
    from kvdesk.runner import Runner
    from kvdesk.settings import Settings, SettingsStore

MAX_DEATHS = 2
"""A step during which the worker died this often does not go on by itself."""
_DEATHS = (DIED_CODE, RESTARTED_CODE, DeviceLost.code)
_TELL_SECONDS = 0.1
_MB = 1_000_000


@dataclass(slots=True, kw_only=True)
class _Run:
    """The step that is being done. `number` is None while a clip is made first."""

    progress: GettingProgress
    number: int | None = None
    is_pausing: bool = False
    begins_anew: bool = False
    told: float = 0.0
    speed: Speedometer = field(default_factory=Speedometer)


class ModelGetting(QObject):
    """Does one step after the other.

    Attributes:
        store: where it stands.
        choices: what is fetched, and where to.
        progress_changed: with a `GettingProgress`; None where nothing is being done.
        models_touched: there may be other models than before.
        ready: the model is among those that were found, and was tested just now.
        notice: with a `Notice`.
    """

    progress_changed = Signal(object)
    models_touched = Signal()
    ready = Signal()
    notice = Signal(object)

    def __init__(
        self,
        *,
        engine: EngineClient,
        runner: Runner,
        settings: SettingsStore,
        folders: Folders,
        background: Background,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._engine = engine
        self._runner = runner
        self._settings = settings
        self._tests = folders.cache / "self_tests"
        self._background = background
        self.store = GettingStore(folders.data / "getting.json", self)
        self.choices = GettingChoices(
            engine=engine, settings=settings, store=self.store, background=background, parent=self
        )
        self._run: _Run | None = None
        self._deaths = 0
        self._is_there = False
        self._is_new = False
        self._network = _network_settings(settings.values)
        self.choices.notice.connect(self.notice)
        self.choices.folder_changed.connect(self.models_touched)
        runner.progress_changed.connect(self._on_clip_progress)
        settings.changed.connect(self._on_settings_changed)

    @property
    def progress(self) -> GettingProgress | None:
        """How far the step is that is being done; None where none is."""
        return self._run.progress if self._run is not None else None

    def close(self) -> None:
        """Write what is not written yet, for the end of the application; it is a pause."""
        if self._run is not None:
            self._note_bytes(self._run)
        self.store.flush()

    # What a person does

    def go_on(self) -> None:
        """Begin, or go on with the step that was stopped or failed; a ready model is tested."""
        if self.store.state.is_running:
            return
        if self._engine.state is EngineState.FAILED:
            self._engine.restart()
        self._deaths = 0
        step = Step.TEST if self.store.state.phase is Phase.READY else self.store.state.step
        self._begin(step)

    def pause(self) -> None:
        """Stop; `go_on` goes on with the same step from there."""
        run = self._run
        if run is None or run.is_pausing:
            return
        run.is_pausing = True
        if run.number is None:
            self._stop()
            return
        self._tell(run, replace(run.progress, is_stopping=True))
        self._engine.cancel(run.number)

    def fetch_again(self) -> None:
        """Go back to the first step: a file is missing of which the model is prepared."""
        if self.store.state.is_stopped:
            self.store.change(
                phase=Phase.PAUSED, step=Step.DOWNLOAD, failure=None, done_bytes=0, total_bytes=0
            )

    # What is heard

    def know_models(self, models: Sequence[ModelInfo]) -> None:
        """See from the models that there are whether this one is: others can prepare it too."""
        self._is_there = any(each.name == RELEASED_MODEL and each.is_ready for each in models)
        state = self.store.state
        if state.is_running:
            return
        if not self._is_there:
            if state.phase is Phase.READY or state.step is Step.TEST:
                self.store.put(replace(begun_anew(state), has_originals=state.has_originals))
        elif state.phase is not Phase.READY and not self._has_failed_test:
            self.store.change(phase=Phase.READY, step=Step.TEST, failure=None)
        self._tell_ready()

    def _tell_ready(self) -> None:
        if self._is_new and self._is_there:
            self._is_new = False
            self.ready.emit()

    @property
    def _has_failed_test(self) -> bool:
        return self.store.state.phase is Phase.FAILED and self.store.state.step is Step.TEST

    def _on_settings_changed(self, settings: Settings) -> None:
        before, self._network = self._network, _network_settings(settings)
        run = self._run
        is_fetching = self.store.state.phase is Phase.DOWNLOADING
        if before == self._network or not is_fetching or run is None or run.number is None:
            return
        run.begins_anew = True  # what was fetched is kept
        self._engine.cancel(run.number)

    # One step from its beginning to its end

    def _begin(self, step: Step) -> None:
        done, total = self.store.state.done_bytes, self.store.state.total_bytes
        if step is not self.store.state.step:
            done = total = 0
        progress = GettingProgress(
            step=step, done_bytes=done, total_bytes=total, share=done / total if total else 0.0
        )
        self._run = run = _Run(progress=progress)
        self.store.change(
            phase=PHASE_OF[step],
            step=step,
            failure=None,
            has_originals=self.store.state.has_originals or step is Step.DOWNLOAD,
            done_bytes=done,
            total_bytes=total,
        )
        if step is Step.DOWNLOAD:
            self._hand_over(run)
            return
        self._runner.lend(True)
        if self._runner.is_running:
            self._tell(run, replace(progress, waits_for_clip=True))
        else:
            self._hand_over(run)

    def _on_clip_progress(self, progress: object) -> None:
        run = self._run
        if progress is None and run is not None and run.number is None:
            self._hand_over(run)

    def _hand_over(self, run: _Run) -> None:
        """Give the step to the worker."""
        if run.progress.step is Step.PREPARE:
            self._engine.run(FreeMemory(job=0), _heard)  # a model that is loaded takes the room
        heard = partial(self._on_event, run)
        run.number = self._engine.run(self._command(run.progress.step), heard)
        self._tell(run, replace(run.progress, waits_for_clip=False))

    def _command(self, step: Step) -> DownloadModel | Prepare | SelfTest:
        state, settings = self.store.state, self._settings.values
        match step:
            case Step.DOWNLOAD:
                return DownloadModel(
                    job=0,
                    folder=str(state.originals),
                    also_in=state.also_in,
                    endpoint=settings.mirror or None,
                    bytes_per_second=settings.download_limit * _MB or None,
                )
            case Step.PREPARE:
                return Prepare(
                    job=0,
                    source=str(state.originals),
                    destination=str(state.prepared),
                    delete_originals=state.delete_originals,
                )
            case Step.TEST:
                folder = self._tests / secrets.token_hex(4)
                self._background.run(partial(_remove_others, self._tests, folder.name))
                return SelfTest(
                    job=0,
                    model=RELEASED_MODEL,
                    folder=str(folder),
                    device=settings.device or None,
                    eight_bit=settings.eight_bit,
                )

    def _on_event(self, run: _Run, event: Event) -> None:
        if run is not self._run:
            return
        match event:
            case Downloaded():
                self._next(Step.PREPARE)
            case Prepared():
                self.store.change(has_originals=not self.store.state.delete_originals)
                self._next(Step.TEST)
            case SelfTested():
                self._end(phase=Phase.READY, tested=event)
                self._is_new = True
                self.models_touched.emit()
                self._tell_ready()  # where it was listed before, nothing will be heard of it
            case Stopped():
                self._stop()
            case Failed():
                self._fail(run, event)
            case _:
                after = advanced(run.progress, event, run.speed)
                is_due = time.monotonic() >= run.told + _TELL_SECONDS
                run.progress = after
                if is_due:
                    self._tell(run, after)

    def _next(self, step: Step) -> None:
        is_pausing = self._run is not None and self._run.is_pausing
        self._deaths = 0
        if is_pausing:  # told to stop too late to stop that step
            self._end(phase=Phase.PAUSED, step=step, done_bytes=0, total_bytes=0)
        else:
            self._begin(step)

    def _stop(self) -> None:
        run = self._run
        if run is not None and run.begins_anew and not run.is_pausing:
            self._note_bytes(run)
            self._begin(self.store.state.step)
            return
        was_ready = self.store.state.step is Step.TEST and self._is_there
        self._end(phase=Phase.READY if was_ready else Phase.PAUSED)

    def _fail(self, run: _Run, failed: Failed) -> None:
        if failed.code in _DEATHS:
            if run.is_pausing:
                self._stop()
                return
            # The end that a person asked for says nothing about the step.
            self._deaths += failed.code != RESTARTED_CODE
            if self._deaths < MAX_DEATHS and self._engine.state is not EngineState.FAILED:
                self._note_bytes(run)
                self._begin(self.store.state.step)
                return
        failure = _failure(failed)
        is_held = run.progress.step is Step.TEST and self._runner.hold_for(RELEASED_MODEL)
        self._end(phase=Phase.FAILED, failure=failure)
        self.notice.emit(getting_failed_notice(run.progress.step, failure, is_held=is_held))
        self.models_touched.emit()

    def _end(self, **changes: object) -> None:
        """Nothing is being done any more; the worker is the queue's again."""
        if self._run is not None:
            self._note_bytes(self._run)
        self._run = None
        self.store.change(**changes)
        self._runner.lend(False)
        self.progress_changed.emit(None)

    def _note_bytes(self, run: _Run) -> None:
        if run.progress.total_bytes:
            done, total = run.progress.done_bytes, run.progress.total_bytes
            self.store.change(done_bytes=done, total_bytes=total)

    def _tell(self, run: _Run, progress: GettingProgress) -> None:
        run.progress = progress
        run.told = time.monotonic()
        self.progress_changed.emit(progress)


def _failure(failed: Failed) -> Failure:
    return Failure(code=failed.code, message=failed.message, detail=failed.detail)


def _network_settings(settings: Settings) -> tuple[str, int]:
    return settings.mirror, settings.download_limit


def _heard(_: Event) -> None:
    """Memory is given back some time; what comes next waits for it in the worker."""


def _remove_others(folder: Path, kept: str) -> None:
    """Delete the clips of earlier tests."""
    if folder.is_dir():
        for other in folder.iterdir():
            if other.name != kept:
                shutil.rmtree(other, ignore_errors=True)
