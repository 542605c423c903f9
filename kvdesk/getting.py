"""How far the released model is on its way onto this computer: values, kept over restarts."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import RELEASED_MODEL, SelfTested, Stage, from_json, to_json
from engine.errors import MessageError
from kvdesk.job import Failure  # noqa: TC001 - looked up by name when the file is read

if TYPE_CHECKING:
    from engine.api import JsonObject

log = logging.getLogger(__name__)

VERSION = 1
"""Raised when the file changes in a way that an older kvdesk would not understand."""
ORIGINALS = f"{RELEASED_MODEL}-originals"
"""The folder of the official files in the folder of models; nothing of it is anybody else's."""


class Step(StrEnum):
    """What has to be done, one after the other."""

    DOWNLOAD = "download"
    PREPARE = "prepare"
    TEST = "test"


class Phase(StrEnum):
    """What is going on. Of the last two and of a pause, `Getting.step` says where."""

    NOT_STARTED = "not_started"
    DOWNLOADING = "downloading"
    PREPARING = "preparing"
    TESTING = "testing"
    READY = "ready"
    PAUSED = "paused"
    FAILED = "failed"


PHASE_OF = {
    Step.DOWNLOAD: Phase.DOWNLOADING,
    Step.PREPARE: Phase.PREPARING,
    Step.TEST: Phase.TESTING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Getting:
    """Where the getting of the model stands, and what a person chose for it.

    Attributes:
        phase: what is going on.
        step: what is done now, or next.
        models_folder: the folder of models that all of it is for.
        also_in: folders that are looked through before anything is fetched.
        delete_originals: each official file goes as soon as it is prepared.
        has_originals: there may be official files in `originals`.
        done_bytes: of the step, when it was last stopped; `total_bytes` is 0 where nobody knows.
        failure: why the phase is `FAILED`; None in all others.
        tested: what the test clip said of the model that is ready.
    """

    models_folder: str
    phase: Phase = Phase.NOT_STARTED
    step: Step = Step.DOWNLOAD
    also_in: tuple[str, ...] = ()
    delete_originals: bool = True
    has_originals: bool = False
    done_bytes: int = 0
    total_bytes: int = 0
    failure: Failure | None = None
    tested: SelfTested | None = None

    @property
    def is_running(self) -> bool:
        """Whether something is being done."""
        return self.phase in PHASE_OF.values()

    @property
    def is_stopped(self) -> bool:
        """Whether something was begun that can go on."""
        return self.phase in {Phase.PAUSED, Phase.FAILED}

    @property
    def may_choose(self) -> bool:
        """Whether what is fetched, and where to, can still be chosen."""
        return self.phase is Phase.NOT_STARTED or (self.is_stopped and self.step is Step.DOWNLOAD)

    @property
    def originals(self) -> Path:
        """Where official files are fetched to."""
        return Path(self.models_folder) / ORIGINALS

    @property
    def prepared(self) -> Path:
        """The folder of the model."""
        return Path(self.models_folder) / RELEASED_MODEL


@dataclass(frozen=True, slots=True, kw_only=True)
class GettingProgress:
    """How far the step is that is being done.

    Attributes:
        step: which.
        file: the one in work; "" where there is none.
        done_bytes: of `total_bytes`, which is 0 where steps are counted in another way.
        share: of the step, from 0 to 1.
        bytes_per_second: None where it is not known.
        seconds_left: None where it is not known.
        waiting: what the worker waits for, in its words; "" where it does not.
        waits_for_clip: a clip is made first.
        is_stopping: it was told to stop and has not stopped yet.
        stage: of the test clip.
    """

    step: Step
    file: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    share: float = 0.0
    bytes_per_second: float | None = None
    seconds_left: float | None = None
    waiting: str = ""
    waits_for_clip: bool = False
    is_stopping: bool = False
    stage: Stage | None = None


def getting_to_json(getting: Getting) -> JsonObject:
    """The content of the file for `getting`."""
    return {"version": VERSION, "getting": to_json(getting)}


def getting_from_json(data: JsonObject | None, models_folder: str) -> Getting:
    """Where it stood in the file, None where there is none; what ran then is paused.

    In another folder of models than `models_folder`, all of it begins anew there, and whole files
    are taken from the former one.
    """
    if data is None:
        return Getting(models_folder=models_folder)
    version = data.get("version")
    if not isinstance(version, int) or version > VERSION:
        log.warning("the getting of the model is of version %r, not known here", version)
        return Getting(models_folder=models_folder)
    try:
        stored = from_json(Getting, data.get("getting"))
    except MessageError as error:
        log.warning("The getting of the model begins anew: %s", error.message)
        return Getting(models_folder=models_folder)
    if stored.models_folder != models_folder:
        return moved(stored, models_folder)
    return replace(stored, phase=Phase.PAUSED) if stored.is_running else stored


def moved(getting: Getting, models_folder: str) -> Getting:
    """A new beginning in `models_folder`, with the choices of `getting` and the files it has."""
    also_in = getting.also_in
    if getting.has_originals and str(getting.originals) not in also_in:
        also_in = (*also_in, str(getting.originals))
    return begun_anew(replace(getting, models_folder=models_folder, also_in=also_in))


def begun_anew(getting: Getting) -> Getting:
    """A new beginning with the choices of `getting`."""
    return Getting(
        models_folder=getting.models_folder,
        also_in=getting.also_in,
        delete_originals=getting.delete_originals,
    )
