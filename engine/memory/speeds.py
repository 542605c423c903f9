"""What a device does in a second: figures of a table at first, then what it did in earlier runs."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from engine.cache_folder import user_cache
from engine.memory.calibration import CalibrationStore, Rate
from engine.memory.cards import card_named

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from engine.memory.cards import Card
    from engine.memory.device import Device
    from engine.memory.plan import PassTrace


_MANY_BYTES = 256 << 20


def speeds_file() -> Path:
    """Where this user's measured speeds are kept."""
    return user_cache() / "speeds.json"


class Speeds:
    """The speeds of one device with one model: networks of other sizes reach other ones."""

    def __init__(self, device: Device, fingerprint: str) -> None:
        """`fingerprint` is that of the model's folder."""
        self._device = device
        self._label = f"{device.label}, model {fingerprint[:16]}"
        self._store = CalibrationStore(speeds_file())
        self._table = card_named(device.label, device.kind)

    @property
    def card(self) -> Card:
        """The device as plans know it."""
        return self._table.calibrated(self._store.load(self._label))

    def has_read(self, num_bytes: int, seconds: float) -> None:
        """Keep how fast weights came from their files, where they were many."""
        if num_bytes > _MANY_BYTES:
            self._store.record(self._label, read=Rate(amount=num_bytes, seconds=seconds))

    @contextlib.contextmanager
    def measuring(self, trace: PassTrace) -> Generator[Callable[[], None]]:
        """Measure steps that are each one pass of `trace`.

        The function that it gives is called after every step. The first one does not count: it
        waits for weights. Nothing is kept of work that ends with an error.
        """
        num_steps = 0
        begin = time.monotonic()

        def step_done() -> None:
            nonlocal num_steps, begin
            num_steps += 1
            if num_steps == 1:
                self._device.mark().synchronize()
                begin = time.monotonic()

        yield step_done
        if num_steps > 1:
            self._device.mark().synchronize()
            seconds = time.monotonic() - begin
            table = self._table
            expected = sum(table.compute_seconds(use.flops, use.moved_bytes) for use in trace.uses)
            # Not the operations of the pass: some of it waits for memory, and a plan counts with
            # that again. So the rate is the table's, times how much faster the device was.
            flops = int(expected * table.flops_per_second) * (num_steps - 1)
            self._store.record(self._label, flops=Rate(amount=flops, seconds=seconds))
