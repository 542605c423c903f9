"""A clip that somebody asked for and that is not made yet."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

# The fields are looked up by their types when a job is read from its file.
from engine.api import GenerateRequest, Stage  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_MAX_SLUG_CHARACTERS = 40


class JobState(StrEnum):
    """Where a job of the queue stands."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"


class WaitsFor(StrEnum):
    """What a waiting job cannot start without, beside its turn."""

    MODEL = "model"
    """Its model is not on this computer yet."""
    PREPARING = "preparing"
    """The worker is lent to the model that is being prepared or tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a job failed, in the words of the worker; `code` is that of a class in its errors."""

    code: str
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row of the queue.

    Attributes:
        id: different for every job that ever was.
        model: the name of the model.
        folder: the name of the clip's folder inside the folder of clips.
        until: the stage after which the job ends; None makes the whole clip.
        failure: why the state is `FAILED`, or `PAUSED` by a full disk; None in all other states.
        group: the id of the batch that the job belongs to, or "".
        eight_bit: whether weights in 8 bit were allowed for this job.
    """

    id: str
    request: GenerateRequest
    model: str
    folder: str
    state: JobState = JobState.WAITING
    until: Stage | None = None
    failure: Failure | None = None
    group: str = ""
    eight_bit: bool = False

    @property
    def title(self) -> str:
        """What a person calls the clip: its prompt, or else the name of its picture."""
        return clip_title(self.request)


def clip_title(request: GenerateRequest) -> str:
    """What a person calls the clip of `request`: its prompt in one line, or its picture's name."""
    if words := " ".join(request.prompt.split()):
        return words
    if request.picture is not None:
        return PurePath(request.picture.path.replace("\\", "/")).name
    return QCoreApplication.translate("Job", "Clip without words")


def new_id() -> str:
    """An id that nothing else has."""
    return secrets.token_hex(8)


def new_folder_name(prompt: str, now: datetime) -> str:
    """A name for a clip's folder that tells when it was begun and what is on it.

    It is safe on Windows, and different each time. `now` is the local time.
    """
    parts = [now.strftime("%Y%m%d-%H%M%S"), _slug(prompt), secrets.token_hex(2)]
    return "-".join(part for part in parts if part)


def free_folder_name(prompt: str, now: datetime, is_taken: Callable[[str], bool]) -> str:
    """A `new_folder_name` that `is_taken` does not know."""
    while is_taken(name := new_folder_name(prompt, now)):
        pass
    return name


def _slug(text: str) -> str:
    """The first words of `text` in lower-case ASCII letters and digits, or "" where it has none."""
    plain = unicodedata.normalize("NFKD", text[: 10 * _MAX_SLUG_CHARACTERS])
    plain = plain.encode("ascii", "ignore").decode("ascii").lower()
    words = "".join(character if character.isalnum() else " " for character in plain).split()
    slug = ""
    for word in words:
        longer = f"{slug}-{word}" if slug else word[:_MAX_SLUG_CHARACTERS]
        if len(longer) > _MAX_SLUG_CHARACTERS:
            break
        slug = longer
    return slug
