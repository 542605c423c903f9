"""Several threads that read one stretch of weights side by side.

A single thread copies a file that the system keeps in its memory more slowly than a graphics card
takes it, and asks a fast disk for less at once than it could give.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from engine.checkpoint.tensors import OpenFiles
from engine.memory.device_kind import DeviceKind
from engine.memory.plan import aligned

if TYPE_CHECKING:
    from torch import Tensor

    from engine.memory.weights import WeightSource

MOST_READERS = 4
"""Threads of one feeder that read, its own included. More of them only share the memory's bus."""

_PART_BYTES = 1 << 19  # less than this is read before another thread has woken up


def readers_for(kind: DeviceKind) -> int:
    """How many threads should read for a device: on a CPU one, since the cores compute there."""
    if kind is DeviceKind.CPU:
        return 1
    return max(2, min(MOST_READERS, (os.cpu_count() or 1) // 2))


class Readers:
    """Reads weights by several threads at once, out of files that stay open until `close`."""

    def __init__(self, source: WeightSource, num_threads: int, *, name: str) -> None:
        """The caller of `read` is one of the `num_threads`; the others are called `name`."""
        self._source = source
        # A part of a piece has its own files, and with them its own place in each.
        self._files = [OpenFiles() for _ in range(num_threads)]
        self._others = ThreadPoolExecutor(max(1, num_threads - 1), thread_name_prefix=name)

    def read(self, unit: str, begin: int, target: Tensor) -> None:
        """Read a part of a unit, as `WeightSource.read` does. For one thread at a time.

        Raises:
            ModelFileError: a file cannot be read or is cut off. Nothing is being read any more.
        """
        num_parts = min(len(self._files), -(-len(target) // _PART_BYTES))
        if self._source.is_read_in_order(unit):
            num_parts = 1
        part_bytes = aligned(-(-len(target) // max(1, num_parts)))
        first, *rest = [
            (unit, begin + offset, target[offset : offset + part_bytes], files)
            for offset, files in zip(range(0, len(target), part_bytes), self._files, strict=False)
        ]
        others = [self._others.submit(self._source.read, *part) for part in rest]
        try:
            self._source.read(*first)
        finally:
            wait(others)  # whatever happens, since who called has the memory back then
        for other in others:
            other.result()

    def close(self) -> None:
        """End the threads and close the files."""
        self._others.shutdown()
        for files in self._files:
            files.close()
