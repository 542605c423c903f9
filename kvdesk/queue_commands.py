"""The steps of the queue that can be undone.

Between a step and its undoing, jobs may have started or left: a step back does what still makes
sense, and leaves a job alone that runs or is gone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QUndoCommand

from kvdesk.job import JobState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kvdesk.job import Job
    from kvdesk.jobs import JobQueue


class AddJobs(QUndoCommand):
    """Jobs were added before a row."""

    def __init__(self, queue: JobQueue, jobs: Sequence[Job], row: int) -> None:
        super().__init__(
            QCoreApplication.translate("JobQueue", "Add %n clip(s) to the queue", None, len(jobs))
        )
        self._queue = queue
        self._row = row
        self._jobs = tuple(jobs)

    def redo(self) -> None:
        """Add them, or those again that the step back took out."""
        if self._jobs:
            self._queue.insert(self._row, self._jobs)

    def undo(self) -> None:
        """Take out those that have neither started nor left."""
        ids = [job.id for job in self._jobs]
        # As they are now: one may have been edited or may have failed since.
        self._jobs = tuple(
            job for job in self._queue.jobs if job.id in ids and job.state is not JobState.RUNNING
        )
        self._queue.take_out([job.id for job in self._jobs])


class RemoveJobs(QUndoCommand):
    """Jobs were taken out by a person."""

    def __init__(self, queue: JobQueue, ids: Sequence[str]) -> None:
        super().__init__(
            QCoreApplication.translate(
                "JobQueue", "Remove %n clip(s) from the queue", None, len(ids)
            )
        )
        self._queue = queue
        self._ids = tuple(ids)
        self._removed: list[tuple[int, Job]] = []

    def redo(self) -> None:
        """Take them out, but for one that runs by now."""
        self._removed = [
            (row, job)
            for row, job in enumerate(self._queue.jobs)
            if job.id in self._ids and job.state is not JobState.RUNNING
        ]
        self._queue.take_out([job.id for _, job in self._removed])

    def undo(self) -> None:
        """Put them back where they were."""
        for row, job in self._removed:
            self._queue.insert(row, [job])


class MoveJob(QUndoCommand):
    """A job was moved from a row to another."""

    def __init__(self, queue: JobQueue, job_id: str, before: int, after: int) -> None:
        super().__init__(QCoreApplication.translate("JobQueue", "Move in the queue"))
        self._queue = queue
        self._job_id = job_id
        self._before = before
        self._after = after

    def redo(self) -> None:
        """Move it, unless it runs or is gone."""
        self._place(self._after)

    def undo(self) -> None:
        """Move it back, unless it runs or is gone."""
        self._place(self._before)

    def _place(self, row: int) -> None:
        job = self._queue.job(self._job_id)
        if job is not None and job.state is not JobState.RUNNING:
            self._queue.place(self._job_id, row)


class ChangeJob(QUndoCommand):
    """Fields of a job were changed."""

    def __init__(
        self,
        queue: JobQueue,
        what: str,
        job_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
    ) -> None:
        super().__init__(what)
        self._queue = queue
        self._job_id = job_id
        self._before = dict(before)
        self._after = dict(after)

    def redo(self) -> None:
        """Change them, unless the job runs or is gone."""
        self._put(self._after)

    def undo(self) -> None:
        """Change them back, unless the job runs or is gone."""
        self._put(self._before)

    def _put(self, fields: Mapping[str, Any]) -> None:
        job = self._queue.job(self._job_id)
        if job is not None and job.state is not JobState.RUNNING:
            self._queue.put(replace(job, **fields))
