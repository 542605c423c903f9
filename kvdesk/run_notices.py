"""What a person is told when a job does not go well, in the language of the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from engine.errors import EightBitWouldFit, OutOfMemory
from kvdesk.error_texts import error_text
from kvdesk.notice import Notice, Tone

if TYPE_CHECKING:
    from kvdesk.jobs import Failure, Job

SMALLER = "smaller"
RESUME_QUEUE = "resume_queue"
RESUME_JOB = "resume_job:"
"""Followed by the id of the job that goes on, and the queue with it."""
RESTART_ENGINE = "restart_engine"
EIGHT_BIT = "eight_bit:"
"""Followed by the id of the job that 8-bit weights are allowed for."""

_MAX_TITLE_CHARACTERS = 60


def failure_notice(job: Job, failure: Failure) -> Notice:
    """A job failed, and the queue goes on with the next one."""
    if failure.code == EightBitWouldFit.code:
        return _consent_notice(job, failure)
    is_too_large = failure.code == OutOfMemory.code
    return Notice(
        text=QCoreApplication.translate("Runner", "“{title}” was not made. {reason}").format(
            title=short_title(job), reason=error_text(failure.code, failure.message)
        ),
        tone=Tone.FAILED,
        detail=failure.detail,
        action=SMALLER if is_too_large else "",
        action_text=QCoreApplication.translate("Runner", "Make it smaller") if is_too_large else "",
    )


def _consent_notice(job: Job, failure: Failure) -> Notice:
    """The clip needs weights that change its pixels: a person has to allow them."""
    return Notice(
        text=QCoreApplication.translate(
            "Runner",
            "“{title}” needs more memory than is free, but would fit with 8-bit weights. These "
            "are a little less exact than the model's own, and what is done of the clip is kept.",
        ).format(title=short_title(job)),
        tone=Tone.CAREFUL,
        detail="\n".join(filter(None, (failure.message, failure.detail))),
        action=EIGHT_BIT + job.id,
        action_text=QCoreApplication.translate("Runner", "Go on with 8-bit weights"),
    )


def death_notice(job: Job, failure: Failure) -> Notice:
    """The worker died for the first time with this job."""
    return Notice(
        text=QCoreApplication.translate(
            "Runner",
            "“{title}” was interrupted. {reason} It goes on from where it was as soon as the "
            "engine has started again.",
        ).format(title=short_title(job), reason=error_text(failure.code, failure.message)),
        tone=Tone.CAREFUL,
        detail=failure.detail,
    )


def held_notice(job: Job, failure: Failure) -> Notice:
    """The worker died again with this job, so that nothing more is started."""
    return Notice(
        text=QCoreApplication.translate(
            "Runner",
            "“{title}” was interrupted twice. {reason} The queue is held, so that you can look "
            "into it: try the clip again, make it smaller, or remove it.",
        ).format(title=short_title(job), reason=error_text(failure.code, failure.message)),
        tone=Tone.FAILED,
        detail=failure.detail,
        action=RESUME_QUEUE,
        action_text=resume_text(),
    )


def disk_notice(job: Job, failure: Failure) -> Notice:
    """There is no room on the disk; the worker's sentence says how much is missing."""
    return Notice(
        text=QCoreApplication.translate(
            "Runner", "“{title}” is paused, and the queue is held. {reason}"
        ).format(title=short_title(job), reason=error_text(failure.code, failure.message)),
        tone=Tone.CAREFUL,
        detail=failure.detail,
        action=RESUME_JOB + job.id,
        action_text=resume_text(),
    )


def engine_failed_notice(message: str, detail: str) -> Notice:
    """The worker died so often that it is not started again by itself."""
    return Notice(
        text=QCoreApplication.translate(
            "Runner", "The engine does not stay alive, so no clips can be made. {reason}"
        ).format(reason=message),
        tone=Tone.FAILED,
        detail=detail,
        action=RESTART_ENGINE,
        action_text=QCoreApplication.translate("Runner", "Start it again"),
    )


def waiting_notice(count: int) -> Notice:
    """Jobs from the last time wait, and the queue is held."""
    return Notice(
        text=QCoreApplication.translate(
            "Runner", "%n clip(s) from last time wait in the queue.", None, count
        ),
        action=RESUME_QUEUE,
        action_text=resume_text(),
    )


def resume_text() -> str:
    """The words on the button that lets a held queue go on."""
    return QCoreApplication.translate("Runner", "Go on with the queue")


def short_title(job: Job) -> str:
    """What a person calls the clip, short enough for a sentence."""
    title = job.title
    if len(title) <= _MAX_TITLE_CHARACTERS:
        return title
    return title[:_MAX_TITLE_CHARACTERS].rstrip() + "…"
