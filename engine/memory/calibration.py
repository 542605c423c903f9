"""What devices reached while they worked: it replaces what a table expects of them.

No torch here, so that a plan can be made before it is loaded.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from engine.api.files import make_folder, remove_leftovers, write_text_atomically
from engine.checkpoint.json_file import read_json_object
from engine.errors import MessageError, ModelFileError
from engine.json_codec import from_json, to_json

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

_FORMAT = 1
_KEPT_RUNS = 9
_KEPT_LABELS = 32
_SHORTEST_S = 0.05  # what takes less is as much the work of the clock as of the device


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What a device reaches.

    Attributes:
        flops_per_second: floating-point operations of a network's own arithmetic.
        source_bytes_per_second: of weights on their way from their file; None: never measured.
    """

    flops_per_second: float
    source_bytes_per_second: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Operations or bytes, and the seconds in which they were done or read."""

    amount: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runs:
    """The rates of the last runs under `label`, oldest first."""

    label: str
    flops: tuple[float, ...] = ()
    source: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """The whole file: the label that was written last is the first."""

    format: int = _FORMAT
    runs: tuple[_Runs, ...] = field(default=())


class CalibrationStore:
    """Keeps the rates of the last runs of every device in one small file.

    A label names a device, and the model too where that matters: small networks do not reach on a
    card what large ones do. The file can be lost without harm; a damaged one counts as none, one
    of a newer kvdesk too but is left as it is, and one that cannot be written is logged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, label: str) -> Calibration | None:
        """The medians of the last runs under `label`; None where no arithmetic was measured."""
        found = _with_label(self._read(), label)
        flops = _median(found.flops)
        if flops is None:
            return None
        return Calibration(
            flops_per_second=flops,
            source_bytes_per_second=_median(found.source),
        )

    def record(self, label: str, *, flops: Rate | None = None, read: Rate | None = None) -> None:
        """Add a run. What was too short to tell anything is left out.

        Args:
            label: the device's.
            flops: floating-point operations, in the time that they took without waiting.
            read: bytes from files.
        """
        rates = (_rate(flops), _rate(read))
        if not any(rates):
            return
        file = self._read()
        if file.format > _FORMAT:
            return
        before = _with_label(file, label)
        runs = _Runs(
            label=label,
            flops=(before.flops + rates[0])[-_KEPT_RUNS:],
            source=(before.source + rates[1])[-_KEPT_RUNS:],
        )
        others = tuple(known for known in file.runs if known.label != label)
        self._write(_File(runs=(runs, *others)[:_KEPT_LABELS]))

    def _read(self) -> _File:
        if not self._path.exists():
            return _File()
        try:
            data = read_json_object(self._path)
            version = data.get("format")
            if type(version) is int and version > _FORMAT:
                return _File(format=version)
            file = from_json(_File, data, where=self._path.name)
        except (ModelFileError, MessageError) as error:
            log.warning("The speeds in %s cannot be used: %s", self._path, error)
            return _File()
        return file if file.format == _FORMAT else _File()

    def _write(self, file: _File) -> None:
        try:
            make_folder(self._path.parent)
            remove_leftovers(self._path.parent)
            write_text_atomically(self._path, json.dumps(to_json(file), indent=1) + "\n")
        except OSError as error:
            log.warning("The speeds cannot be kept in %s: %s", self._path, error)


def _with_label(file: _File, label: str) -> _Runs:
    return next((runs for runs in file.runs if runs.label == label), _Runs(label=label))


def _rate(rate: Rate | None) -> tuple[float, ...]:
    """The rate as the one item; none where there is nothing to tell."""
    if rate is None or rate.amount <= 0:
        return ()
    if not math.isfinite(rate.seconds) or rate.seconds < _SHORTEST_S:
        return ()
    return (rate.amount / rate.seconds,)


def _median(rates: tuple[float, ...]) -> float | None:
    """The median of those that can be rates: anyone may have written the file."""
    usable = [rate for rate in rates if rate > 0]
    return median(usable) if usable else None
