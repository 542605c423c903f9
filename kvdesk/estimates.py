"""How long a clip will take, learnt from the clips that were made before."""

from __future__ import annotations

import logging
import math
from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QCoreApplication

from engine.api import Stage, StageFinished, StageStarted, StepDone
from kvdesk.json_files import read_json, write_json

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import ClipPlanned, Event, JsonObject

log = logging.getLogger(__name__)

_VERSION = 1
_MAX_PACES = 5  # kept of a stage: the computer of today counts, not that of last year
_MAX_KEYS = 500
_MAX_SECONDS_PER_COST = 1e9
_FIRST_STEPS = {Stage.DECODE: 5}  # frames are decoded a few at a time

_Key = tuple[str, str, Stage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How long a clip will take, in seconds; None where no such clip was made here before."""

    stage_seconds: dict[Stage, float] | None = None
    total_seconds: float | None = None


UNKNOWN = Estimate()


class StageTimes:
    """The seconds of the stages that a job ran from their first step to their last.

    A stage that went on in the middle, from what an earlier job had left, says nothing about how
    long it takes.
    """

    def __init__(self) -> None:
        self.seconds: dict[Stage, float] = {}
        self._whole: set[Stage] = set()

    def note(self, event: Event) -> None:
        """Take down what `event` says about time."""
        match event:
            case StageStarted(stage=stage):
                self._whole.add(stage)
            case StepDone(stage=stage, step=step) if stage not in self.seconds:
                # The first step that is heard of tells whether others were done before.
                if step > _FIRST_STEPS.get(stage, 1):
                    self._whole.discard(stage)
                self.seconds[stage] = 0.0
            case StageFinished(stage=stage, seconds=seconds) if stage in self._whole:
                self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds
            case StageFinished(stage=stage):
                self.seconds.pop(stage, None)
            case _:
                pass


class Paces:
    """Seconds for a unit of cost, by model, device and stage: the median of the last five."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._paces = _stored_paces(read_json(path) or {})

    def learn(self, times: StageTimes, plan: ClipPlanned, model: str) -> None:
        """Take down how long the stages of a finished clip took that were planned as `plan`."""
        learnt = False
        for planned in plan.stages:
            seconds = times.seconds.get(planned.stage, 0.0)
            if seconds > 0:
                key = (model, plan.device, planned.stage)
                # Taken out and put in again: the first keys are those not used for longest.
                paces = self._paces.pop(key, deque[float](maxlen=_MAX_PACES))
                paces.append(seconds / _unit(planned.cost))
                self._paces[key] = paces
                learnt = True
        while len(self._paces) > _MAX_KEYS:
            del self._paces[next(iter(self._paces))]
        if learnt:
            self._write()

    def estimate(self, plan: ClipPlanned, model: str) -> Estimate:
        """How long the clip of `plan` will take; unknown while any of its stages is."""
        seconds: dict[Stage, float] = {}
        for planned in plan.stages:
            paces = self._paces.get((model, plan.device, planned.stage))
            if paces is None:
                return UNKNOWN
            seconds[planned.stage] = median(paces) * _unit(planned.cost)
        return Estimate(stage_seconds=seconds, total_seconds=sum(seconds.values()))

    def _write(self) -> None:
        entries: list[JsonObject] = [
            {"model": model, "device": device, "stage": stage.value, "paces": list(paces)}
            for (model, device, stage), paces in self._paces.items()
        ]
        try:
            write_json(self._path, {"version": _VERSION, "stages": entries})
        except OSError as error:
            log.warning("%s", error)


def spoken_seconds(seconds: float) -> str:
    """`seconds` as a person says it, no more exact than an estimate is."""
    if seconds < 1:
        return QCoreApplication.translate("Duration", "less than a second")
    if seconds < 59.5:
        step = 1 if seconds < 10 else 5
        return QCoreApplication.translate("Duration", "about {seconds} s").format(
            seconds=min(55, round(seconds / step) * step)
        )
    if seconds < 595:
        minutes, rest = divmod(round(seconds / 10) * 10, 60)
        if not rest:
            return QCoreApplication.translate("Duration", "about {minutes} min").format(
                minutes=minutes
            )
        return QCoreApplication.translate("Duration", "about {minutes} min {seconds} s").format(
            minutes=minutes, seconds=rest
        )
    if seconds < 59.5 * 60:
        return QCoreApplication.translate("Duration", "about {minutes} min").format(
            minutes=round(seconds / 60)
        )
    hours, minutes = divmod(round(seconds / 300) * 5, 60)
    if not minutes or hours >= 10:
        return QCoreApplication.translate("Duration", "about {hours} h").format(
            hours=round(seconds / 3600)
        )
    return QCoreApplication.translate("Duration", "about {hours} h {minutes} min").format(
        hours=hours, minutes=minutes
    )


def _unit(cost: float) -> float:
    """What seconds are counted by: a stage whose cost is 0 takes as long whatever is made."""
    return cost if cost > 0 else 1.0


def _stored_paces(data: JsonObject) -> dict[_Key, deque[float]]:
    listed: object = data.get("stages") if data.get("version") == _VERSION else None
    paces: dict[_Key, deque[float]] = {}
    for item in cast("list[object]", listed) if isinstance(listed, list) else []:
        entry = cast("JsonObject", item) if isinstance(item, dict) else {}
        model, device, stage = entry.get("model"), entry.get("device"), entry.get("stage")
        numbers: object = entry.get("paces")
        if not isinstance(model, str) or not isinstance(device, str) or stage not in list(Stage):
            continue
        usable = [
            float(number)
            for number in (cast("list[object]", numbers) if isinstance(numbers, list) else [])
            if isinstance(number, int | float) and _is_possible(number)
        ]
        if usable:
            paces[model, device, Stage(stage)] = deque(usable, maxlen=_MAX_PACES)
    return paces


def _is_possible(pace: float) -> bool:
    return math.isfinite(pace) and 0 < pace < _MAX_SECONDS_PER_COST
