"""What is said of a job of the queue, to those who see it and to those who hear it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from engine.api import Stage
from kvdesk.error_texts import error_text
from kvdesk.estimates import spoken_seconds
from kvdesk.job import JobState, WaitsFor

if TYPE_CHECKING:
    from kvdesk.job import Job
    from kvdesk.run_progress import RunProgress


def stage_name(stage: Stage) -> str:
    """A stage in a word or two, for people."""
    translate = QCoreApplication.translate
    return {
        Stage.TEXT: translate("Stages", "Text"),
        Stage.KEY_FRAME: translate("Stages", "Key frame"),
        Stage.BASE_FRAMES: translate("Stages", "Motion"),
        Stage.INTERPOLATION: translate("Stages", "Smooth"),
        Stage.DECODE: translate("Stages", "Decode"),
        Stage.SAVE: translate("Stages", "Save"),
    }[stage]


def job_state_text(
    job: Job, progress: RunProgress | None, waits_for: WaitsFor | None = None
) -> str:
    """What a job waits for, does, or was stopped by; `progress` is None where it does not run."""
    if job.state is JobState.RUNNING:
        return _running_text(progress)
    if job.failure is not None:
        return error_text(job.failure.code, job.failure.message)
    details = _details(job)
    if waits_for is not None:
        details.insert(0, _waiting_text(waits_for))
    return " · ".join(details)


def spoken_job(job: Job, progress: RunProgress | None, waits_for: WaitsFor | None = None) -> str:
    """The whole row in words: what is made, and where it stands."""
    translate = QCoreApplication.translate
    words = [job.title, job_state_text(job, progress, waits_for)]
    if job.state is JobState.RUNNING:
        words.insert(1, translate("JobTile", "Being made"))
    elif job.state is JobState.WAITING:
        if waits_for is None:  # else the text says so
            words.insert(1, translate("JobTile", "Waits"))
    elif job.state is JobState.FAILED:
        words.insert(1, translate("JobTile", "Failed"))
    elif job.failure is not None:
        words.insert(1, translate("JobTile", "Paused"))
    return ", ".join(words)


def checking_text(progress: RunProgress) -> str:
    """That the model is checked before its first use, and how much of it; empty where it is not."""
    if progress.checked_share is None:
        return ""
    words = QCoreApplication.translate("JobTile", "Checking the model’s files, {percent} %")
    return words.format(percent=int(100 * progress.checked_share))


def _running_text(progress: RunProgress | None) -> str:
    translate = QCoreApplication.translate
    if progress is not None and progress.is_cancelling:
        return translate("JobTile", "Stopping after this step …")
    running = progress.running_stage if progress is not None else None
    words = [stage_name(running.stage)] if running is not None else []
    if progress is not None and (checking := checking_text(progress)):
        words = [checking]
    if progress is not None and progress.seconds_left is not None:
        words.append(spoken_seconds(progress.seconds_left))
    return " · ".join(words) or translate("JobTile", "Starting …")


def _waiting_text(waits_for: WaitsFor) -> str:
    translate = QCoreApplication.translate
    return {
        WaitsFor.MODEL: translate("JobTile", "Waits for the model"),
        WaitsFor.PREPARING: translate("JobTile", "Waits until the model is prepared"),
    }[waits_for]


def _details(job: Job) -> list[str]:
    translate = QCoreApplication.translate
    details = [f"{job.request.size.width} × {job.request.size.height}"]
    if job.until is Stage.KEY_FRAME:
        details.append(translate("JobTile", "key frame only"))
    else:
        rate = job.request.fps.frames_per_second
        details.append(translate("JobTile", "{rate} fps").format(rate=rate))
    if job.request.picture is not None:
        details.insert(0, translate("JobTile", "from a picture"))
    if job.state is JobState.PAUSED:
        details.insert(0, translate("JobTile", "Paused"))
    return details
