"""The queue of jobs, as a model that views show and let people rearrange."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from kvdesk.job import (
    Failure,
    Job,
    JobState,
    WaitsFor,
    clip_title,
    free_folder_name,
    new_folder_name,
    new_id,
)
from kvdesk.job_texts import spoken_job
from kvdesk.json_files import DelayedWriter, read_json
from kvdesk.queue_commands import AddJobs, ChangeJob, MoveJob, RemoveJobs
from kvdesk.queue_store import StoredQueue, queue_from_json, queue_to_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PySide6.QtCore import QObject
    from PySide6.QtGui import QUndoStack

    from engine.api import JsonObject
    from kvdesk.run_progress import RunProgress

__all__ = [
    "JOBS_MIME_TYPE",
    "JOB_ROLE",
    "PROGRESS_ROLE",
    "WAITS_ROLE",
    "Failure",
    "Job",
    "JobQueue",
    "JobState",
    "WaitsFor",
    "clip_title",
    "free_folder_name",
    "new_folder_name",
    "new_id",
]

JOB_ROLE = Qt.ItemDataRole.UserRole + 1
"""The row's `Job`."""
PROGRESS_ROLE = Qt.ItemDataRole.UserRole + 2
"""The row's `RunProgress`, or None where it does not run."""
WAITS_ROLE = Qt.ItemDataRole.UserRole + 3
"""What the row's job `WaitsFor`, or None."""
JOBS_MIME_TYPE = "application/x-kvdesk-jobs"

_SAVE_DELAY_MS = 100
Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class JobQueue(QAbstractListModel):
    """The jobs in the order they will run; the running one is the first.

    What a person does to the queue can be undone. A step back leaves alone what has run meanwhile.

    Attributes:
        changed: jobs came, went, moved, or are not what they were.
        held_changed: (is_held) whether the next job may start.
    """

    changed = Signal()
    held_changed = Signal(bool)

    def __init__(
        self, store_path: Path, undo_stack: QUndoStack, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._undo_stack = undo_stack
        self._progress: dict[str, RunProgress] = {}
        stored = queue_from_json(read_json(store_path))
        self._jobs = list(stored.jobs)
        self._is_held = stored.is_held
        self._missing_models = stored.missing_models
        self._is_lent = False
        self._writer = DelayedWriter(
            store_path, self._content, delay_ms=_SAVE_DELAY_MS, parent=self
        )

    # What is there

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All jobs, in the order of the rows."""
        return tuple(self._jobs)

    @property
    def is_held(self) -> bool:
        """Whether no further job starts."""
        return self._is_held

    @property
    def running(self) -> Job | None:
        """The job that runs."""
        first = self._jobs[0] if self._jobs else None
        return first if first is not None and first.state is JobState.RUNNING else None

    def job(self, job_id: str) -> Job | None:
        """The job of that id; None once it has left."""
        return next((job for job in self._jobs if job.id == job_id), None)

    def row_of(self, job_id: str) -> int | None:
        """The row of the job of that id; None once it has left."""
        return next((row for row, job in enumerate(self._jobs) if job.id == job_id), None)

    def next_waiting(self) -> Job | None:
        """The job whose turn is next; those whose model is not there yet are passed over."""
        waiting = (job for job in self._jobs if job.state is JobState.WAITING)
        return next((job for job in waiting if job.model not in self._missing_models), None)

    def waits_for(self, job: Job) -> WaitsFor | None:
        """What keeps `job` from starting when its turn comes."""
        if job.state is not JobState.WAITING:
            return None
        if job.model in self._missing_models:
            return WaitsFor.MODEL
        return WaitsFor.PREPARING if self._is_lent else None

    # What a person does, each an undo step

    def add(self, jobs: Sequence[Job], *, at: int | None = None) -> None:
        """Add `jobs`, together, before row `at` or at the end."""
        if jobs:
            row = len(self._jobs) if at is None else at
            self._undo_stack.push(AddJobs(self, tuple(jobs), row))

    def remove(self, ids: Sequence[str]) -> None:
        """Remove these jobs; those that have left already are passed over.

        Raises:
            ValueError: one of them runs. It has to be cancelled first.
        """
        running = self.running
        if running is not None and running.id in ids:
            raise ValueError(f"the job {running.id} is running and cannot be removed")
        if present := [job.id for job in self._jobs if job.id in ids]:
            self._undo_stack.push(RemoveJobs(self, present))

    def move(self, job_id: str, row: int) -> None:
        """Move a job so that it stands in `row`; the running one and the place before it stay."""
        now = self.row_of(job_id)
        row = self._allowed_row(row, len(self._jobs) - 1)
        if now is not None and now != row and self._jobs[now] != self.running:
            self._undo_stack.push(MoveJob(self, job_id, now, row))

    def change(self, job_id: str, what: str, **changes: Any) -> None:
        """Change fields of a job that does not run, as an undo step called `what`.

        Raises:
            KeyError: there is no such job.
            ValueError: the job runs.
        """
        job = self.job(job_id)
        if job is None:
            raise KeyError(job_id)
        if job.state is JobState.RUNNING:
            raise ValueError(f"the job {job_id} is running and cannot be changed")
        before = {field: getattr(job, field) for field in changes}
        if before != changes:
            self._undo_stack.push(ChangeJob(self, what, job_id, before, changes))

    # What happens

    def hold(self, held: bool) -> None:
        """Let no further job start, or let them again."""
        if held != self._is_held:
            self._is_held = held
            self._writer.schedule()
            self.held_changed.emit(held)

    def know_missing_models(self, names: frozenset[str]) -> None:
        """Let jobs of the models of these names wait, and those of all others start."""
        if names != self._missing_models:
            self._missing_models = names
            self._show_all_anew()

    def set_lent(self, is_lent: bool) -> None:
        """Say that no job can start for a while, since something else needs the worker."""
        if is_lent != self._is_lent:
            self._is_lent = is_lent
            self._show_all_anew()

    def set_state(self, job_id: str, state: JobState, failure: Failure | None = None) -> None:
        """Say where a job stands; a running one becomes the first. One that has left is not one."""
        row = self.row_of(job_id)
        if row is None:
            return
        job = replace(self._jobs[row], state=state, failure=failure)
        if state is not JobState.RUNNING:
            self._progress.pop(job_id, None)
        self.put(job)
        if state is JobState.RUNNING:
            self.place(job_id, 0)

    def put_first(self, job_id: str) -> None:
        """Make it this job's turn next."""
        self.place(job_id, 0)

    def take_finished(self, job_id: str) -> None:
        """Take out a job that has come to its end."""
        self.take_out([job_id])

    def set_progress(self, job_id: str, progress: RunProgress | None) -> None:
        """Show how far a job is, None where it does not run."""
        row = self.row_of(job_id)
        if row is None:
            return
        if progress is None:
            self._progress.pop(job_id, None)
        else:
            self._progress[job_id] = progress
        index = self.index(row)
        self.dataChanged.emit(index, index, [PROGRESS_ROLE])

    def flush(self) -> None:
        """Write now what is not written yet."""
        self._writer.flush()

    # Steps that the undo commands are made of; none of them can be undone by itself

    def insert(self, row: int, jobs: Sequence[Job]) -> None:
        """Insert `jobs` before `row`, or as near to it as can be."""
        row = self._allowed_row(row, len(self._jobs))
        self.beginInsertRows(QModelIndex(), row, row + len(jobs) - 1)
        self._jobs[row:row] = jobs
        self.endInsertRows()
        self._note_change()

    def take_out(self, ids: Sequence[str]) -> None:
        """Take out the jobs of these ids, wherever they stand."""
        for job_id in ids:
            row = self.row_of(job_id)
            if row is None:
                continue
            self.beginRemoveRows(QModelIndex(), row, row)
            del self._jobs[row]
            self._progress.pop(job_id, None)
            self.endRemoveRows()
        self._note_change()

    def place(self, job_id: str, row: int) -> None:
        """Let a job stand in `row`, or behind the one that runs."""
        now = self.row_of(job_id)
        if now is None:
            return
        if self._jobs[now].state is not JobState.RUNNING:
            row = self._allowed_row(row, len(self._jobs) - 1)
        if row == now:
            return
        # Qt counts the row to move before while the moved one still stands where it was.
        before = row + 1 if row > now else row
        self.beginMoveRows(QModelIndex(), now, now, QModelIndex(), before)
        self._jobs.insert(row, self._jobs.pop(now))
        self.endMoveRows()
        self._note_change()

    def put(self, job: Job) -> None:
        """Let `job` stand for the one of the same id."""
        row = self.row_of(job.id)
        if row is None:
            return
        self._jobs[row] = job
        index = self.index(row)
        self.dataChanged.emit(index, index)
        self._note_change()

    # What Qt's views ask for

    def rowCount(self, parent: Index = _ROOT) -> int:
        """How many jobs there are."""
        return 0 if parent.isValid() else len(self._jobs)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The job, its progress, or its title."""
        if not index.isValid():
            return None
        job = self._jobs[index.row()]
        if role == JOB_ROLE:
            return job
        if role == PROGRESS_ROLE:
            return self._progress.get(job.id)
        if role == WAITS_ROLE:
            return self.waits_for(job)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken_job(job, self._progress.get(job.id), self.waits_for(job))
        if role == Qt.ItemDataRole.DisplayRole:
            return job.title
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """All but the running job can be dragged, and dropped between the others."""
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled  # between rows
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        runs = self._jobs[index.row()].state is JobState.RUNNING
        return usual if runs else usual | Qt.ItemFlag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        """Jobs are moved, never copied."""
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        """What can be dropped here: jobs of this queue."""
        return [JOBS_MIME_TYPE]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The ids of the jobs that are dragged."""
        rows = sorted({index.row() for index in indexes if index.isValid()})
        data = QMimeData()
        ids = json.dumps([self._jobs[row].id for row in rows])
        data.setData(JOBS_MIME_TYPE, QByteArray(ids.encode("ascii")))
        return data

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        """Move the dragged jobs before `row`, or before the job that they are dropped on."""
        del column
        if action != Qt.DropAction.MoveAction or not data.hasFormat(JOBS_MIME_TYPE):
            return False
        ids = cast("list[str]", json.loads(data.data(JOBS_MIME_TYPE).toStdString()))
        if row < 0:
            row = parent.row() if parent.isValid() else len(self._jobs)
        self._move_before(ids, row)
        return True

    def moveRows(
        self,
        sourceParent: Index,  # noqa: N803
        sourceRow: int,  # noqa: N803
        count: int,
        destinationParent: Index,  # noqa: N803
        destinationChild: int,  # noqa: N803
    ) -> bool:
        """Move jobs before the row `destinationChild`, as a list view does that is dropped on."""
        last = sourceRow + count
        is_possible = 0 <= sourceRow < last <= len(self._jobs)
        if not is_possible or sourceParent.isValid() or destinationParent.isValid():
            return False
        self._move_before([job.id for job in self._jobs[sourceRow:last]], destinationChild)
        return True

    def _move_before(self, ids: Sequence[str], row: int) -> None:
        """Move the jobs of `ids`, kept in their order, before the one that is in `row`."""
        following = next((job.id for job in self._jobs[row:] if job.id not in ids), None)
        self._undo_stack.beginMacro(self.tr("Move in the queue"))
        for job_id in ids:
            now = self.row_of(job_id)
            if now is None:
                continue
            target = len(self._jobs) if following is None else self.row_of(following)
            assert target is not None
            self.move(job_id, target - 1 if now < target else target)
        self._undo_stack.endMacro()

    def _allowed_row(self, row: int, last: int) -> int:
        first = 0 if self.running is None else 1
        return max(first, min(row, last))

    def _show_all_anew(self) -> None:
        if self._jobs:
            self.dataChanged.emit(self.index(0), self.index(len(self._jobs) - 1))
        self._note_change()

    def _note_change(self) -> None:
        self._writer.schedule()
        self.changed.emit()

    def _content(self) -> JsonObject:
        stored = StoredQueue(
            jobs=self.jobs, is_held=self._is_held, missing_models=self._missing_models
        )
        return queue_to_json(stored)
