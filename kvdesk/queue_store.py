"""The queue's file: what was waiting is there again after a restart or a crash."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from engine.api import from_json, to_json
from engine.errors import MessageError
from kvdesk.job import Job, JobState

if TYPE_CHECKING:
    from engine.api import JsonObject

log = logging.getLogger(__name__)

VERSION = 1
"""Raised when the file changes in a way that an older kvdesk would not understand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredQueue:
    """What a queue's file holds; `missing_models` names those that jobs have to wait for."""

    jobs: tuple[Job, ...] = ()
    is_held: bool = False
    missing_models: frozenset[str] = frozenset()


def queue_to_json(stored: StoredQueue) -> JsonObject:
    """The content of the file for `stored`."""
    return {
        "version": VERSION,
        "is_held": stored.is_held,
        "missing_models": sorted(stored.missing_models),
        "jobs": [to_json(job) for job in stored.jobs],
    }


def queue_from_json(data: JsonObject | None) -> StoredQueue:
    """What the file holds, None where there is none.

    Jobs that cannot be are left out, each with a line in the log. The one that was running waits,
    before all others. Where anything waits, the queue is held: a computer that has just been
    started, perhaps after this very job brought it down, is not put to work unasked. That does not
    hold for jobs that wait for a model: getting it is asked for.
    """
    if data is None:
        return StoredQueue()
    version = data.get("version")
    if not isinstance(version, int) or version > VERSION:
        log.warning("the queue is of version %r, which is not known here", version)
        return StoredQueue()
    listed: object = data.get("jobs")
    jobs = _jobs(cast("list[object]", listed)) if isinstance(listed, list) else []
    was_running = [job for job in jobs if job.state is JobState.RUNNING]
    others = [job for job in jobs if job.state is not JobState.RUNNING]
    jobs = [replace(job, state=JobState.WAITING) for job in was_running] + others
    missing = _names(data.get("missing_models"))
    anything_waits = bool(was_running) or any(
        job.state is JobState.WAITING and job.model not in missing for job in jobs
    )
    return StoredQueue(
        jobs=tuple(jobs),
        is_held=data.get("is_held") is True or anything_waits,
        missing_models=missing,
    )


def _names(listed: object) -> frozenset[str]:
    names = cast("list[object]", listed) if isinstance(listed, list) else []
    return frozenset(name for name in names if isinstance(name, str))


def _jobs(listed: list[object]) -> list[Job]:
    jobs: dict[str, Job] = {}
    for item in listed:
        try:
            job = from_json(Job, item)
        except MessageError as error:
            log.warning("A job of the queue is left out: %s", error.message)
            continue
        if not is_plain_name(job.folder):
            log.warning("A job of the queue is left out: its folder is %r", job.folder)
            continue
        jobs.setdefault(job.id, job)
    return list(jobs.values())


def is_plain_name(name: str) -> bool:
    """Whether `name` stays inside the folder that it is looked up in, on every system."""
    return name.strip(". ") != "" and not any(character in '/\\:\0"<>|?*' for character in name)
