"""Reads weights ahead of the work: a thread that goes through the files in the planned order.

It has others read along with it, piece by piece, and copies alone. Bytes go from the files to a
staging buffer in main memory, and from there to the device as soon as there is a place for them: to
a place of their own, where they stay, or round and round in the ring. Some units are read once and
kept in main memory. The thread may begin before it has any place on the device, and then fills the
buffer.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.machine import PROCESS_BYTES
from engine.memory.host_cache import PINNED_BLOCK_BYTES, HostCache
from engine.memory.readers import Readers, readers_for
from engine.memory.ring_space import RingSpace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from torch import Tensor

    from engine.memory.device import Device, Mark
    from engine.memory.weights import WeightSource

STAGING_BYTES = PINNED_BLOCK_BYTES
"""The most of a feeder's staging buffer. Two feeders work at once where stages change."""

MOST_STAGING_BYTES = 2 * STAGING_BYTES
"""The most that all feeders have of that together."""

_USABLE_PART = 0.95

_THREAD_NAME = "feeding weights"
_PIECE_BYTES = STAGING_BYTES // 8  # so that reading and copying go on side by side
_MOST_PENDING = 64
"""Pieces in main memory's cache that wait for their copies: nothing else would hold them back."""


def main_memory_budget(num_bytes: int) -> int:
    """What weights and values may have on a CPU, where the whole process is to have `num_bytes`."""
    # A part stays for what the system's allocator holds back: without it, a process with the
    # released networks came to 6.00 GB instead of 5.75.
    return int(_USABLE_PART * (num_bytes - PROCESS_BYTES - MOST_STAGING_BYTES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A unit that is to be brought.

    Attributes:
        unit: its name.
        place: where it is in the order of the pass.
        passes_left: how many passes were to be done when it was needed, its own included.
        stays: whether it has a place of its own.
    """

    unit: str
    place: int
    passes_left: int
    stays: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A unit that is on the device, or on its way: not to be used before `ready`."""

    wanted: Wanted
    memory: Tensor
    ready: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Memory on a device.

    Attributes:
        own: (bytes) uint8 of each unit that stays.
        ring: what all others pass through; None where there are none.
        free_from: when work has left all of it alone.
    """

    own: Mapping[str, Tensor]
    ring: Tensor | None
    free_from: Mark


class Feeder:
    """Brings units to a device, in an order that is known before.

    Attributes:
        bytes_read: from files, up to now.
        seconds_reading: how long that took.
    """

    def __init__(
        self,
        source: WeightSource,
        device: Device,
        wanted: Iterable[Wanted],
        *,
        staging_bytes: int,
        kept: Mapping[str, int],
    ) -> None:
        """Begin to read.

        Args:
            source: the weights.
            device: where they go.
            wanted: the units in the order of the work. Iterated over in the thread.
            staging_bytes: main memory that is worth having; never more than `STAGING_BYTES`.
            kept: units that are to be kept in main memory, and their bytes.
        """
        self.bytes_read = 0
        self.seconds_reading = 0.0
        self._source = source
        self._device = device
        self._wanted = wanted
        self._staging_bytes = min(staging_bytes, STAGING_BYTES)
        self._cache = HostCache(kept, device)
        self._pending: deque[_Piece] = deque()  # read, and not yet copied
        self._target: Tensor | None = None  # of the unit that is being copied
        self._ring_space = RingSpace(0)
        self._free_from: Mark | None = None
        self._last_copy: Mark | None = None
        self._exchange = _Exchange()
        self._thread = threading.Thread(target=self._run, name=_THREAD_NAME, daemon=True)
        self._thread.start()

    def begin_copying(self, places: Places) -> None:
        """Say where the units go. To be called once."""
        self._exchange.give_places(places)

    def take(self) -> Delivery | None:
        """The next unit, waited for; None behind the last one.

        Raises:
            ModelFileError: a file cannot be read or is cut off.
            RuntimeError: the device does not copy.
        """
        return self._exchange.take()

    def release(self, mark: Mark) -> None:
        """The oldest unit in the ring that was taken is not used any more after `mark`."""
        self._exchange.release(mark)

    def close(self) -> list[Delivery]:
        """End the thread. The device's work waits for its last copy.

        Returns:
            What nobody took.
        """
        self._exchange.close()
        self._thread.join()
        if self._last_copy is not None:
            self._device.wait_for(self._last_copy)
        self._pending.clear()
        self._target = None
        self._cache = HostCache({}, self._device)
        return self._exchange.taken_apart()

    def _run(self) -> None:
        try:
            self._feed()
        except _Closed:
            self._exchange.end(None)
        except Exception as error:  # whatever it is, it ends the work of who takes
            # Who holds the error would hold memory with it.
            traceback.clear_frames(error.__traceback__)
            self._exchange.end(error)
        else:
            self._exchange.end(None)

    def _feed(self) -> None:
        staging = _Staging(self._device.staging(self._staging_bytes))
        num_readers = readers_for(self._device.kind)
        with closing(Readers(self._source, num_readers, name=_THREAD_NAME)) as readers:
            for wanted in self._wanted:
                for piece in self._pieces(wanted):
                    self._read(piece, staging, readers)
                    while self._pending and self._copy_oldest(staging, wait=False):
                        pass
        while self._pending:
            self._copy_oldest(staging, wait=True)

    def _pieces(self, wanted: Wanted) -> Iterator[_Piece]:
        """A unit that would fill the staging buffer goes in several pieces."""
        cache, unit = self._cache, wanted.unit
        num_bytes = self._source.num_bytes(unit)
        # Before there are places, another feeder is at work with a cache of its own.
        if not wanted.stays and unit in cache and self._exchange.places(wait=False) is not None:
            is_read = cache.has(unit)
            for begin, memory in cache.parts(unit):
                end = begin + len(memory)
                yield _Piece(
                    wanted=wanted,
                    begin=begin,
                    end=end,
                    is_last=end == num_bytes,
                    is_staged=False,
                    is_read=is_read,
                    memory=memory,
                )
            cache.was_read(unit)
            return
        piece_bytes = min(_PIECE_BYTES, self._staging_bytes)
        for begin in range(0, num_bytes, piece_bytes):
            end = min(begin + piece_bytes, num_bytes)
            yield _Piece(wanted=wanted, begin=begin, end=end, is_last=end == num_bytes)

    def _read(self, piece: _Piece, staging: _Staging, readers: Readers) -> None:
        """Read a piece; what is in its way in the staging buffer is copied first."""
        self._exchange.check_open()
        while not piece.is_staged and len(self._pending) > _MOST_PENDING:
            self._copy_oldest(staging, wait=True)
        while piece.memory is None:
            piece.memory = staging.place(piece.end - piece.begin)
            if piece.memory is None:
                self._copy_oldest(staging, wait=True)
        if not piece.is_read:
            began = time.monotonic()
            readers.read(piece.wanted.unit, piece.begin, piece.memory)
            self.seconds_reading += time.monotonic() - began
            self.bytes_read += len(piece.memory)
        self._pending.append(piece)

    def _copy_oldest(self, staging: _Staging, *, wait: bool) -> bool:
        """Copy the oldest piece that was read. False if there is no place for it, unless `wait`."""
        piece = self._pending[0]
        if piece.begin == 0:
            self._target = self._place_of(piece.wanted, wait=wait)
        if self._target is None or piece.memory is None:
            return False
        target = self._target[piece.begin : piece.end]
        mark = self._device.copy(piece.memory, target, after=self._free_from)
        if piece.is_staged:
            staging.copied(mark)
        self._last_copy = mark
        self._pending.popleft()
        if piece.is_last:
            delivery = Delivery(wanted=piece.wanted, memory=self._target, ready=mark)
            self._exchange.deliver(delivery)
        return True

    def _place_of(self, wanted: Wanted, *, wait: bool) -> Tensor | None:
        """Where a unit goes on the device; None if there is no place yet, unless `wait`."""
        places = self._exchange.places(wait=wait)
        if places is None:
            return None
        if self._free_from is None:
            self._free_from = places.free_from
            self._ring_space = RingSpace(0 if places.ring is None else len(places.ring))
        if wanted.stays:
            return places.own[wanted.unit]
        num_bytes = self._source.num_bytes(wanted.unit)
        while (begin := self._ring_space.reserve(num_bytes)) is None:
            released = self._exchange.next_release(wait=wait)
            if released is None:
                return None
            self._ring_space.release_oldest()
            self._free_from = released
        assert places.ring is not None  # or nothing would have fitted
        return places.ring[begin : begin + num_bytes]


@dataclass(slots=True, kw_only=True)
class _Piece:
    """A part of a unit on its way.

    Attributes:
        wanted: the unit.
        begin: where in the unit it begins, in bytes.
        end: where it ends.
        is_last: whether the unit ends with it.
        is_staged: whether it goes through the staging buffer.
        is_read: whether its bytes are in `memory` from an earlier pass.
        memory: its place in main memory, once it has one.
    """

    wanted: Wanted
    begin: int
    end: int
    is_last: bool
    is_staged: bool = True
    is_read: bool = False
    memory: Tensor | None = None


class _Staging:
    """The buffer in main memory: pieces come and go in the same order."""

    def __init__(self, memory: Tensor) -> None:
        self._memory = memory
        self._space = RingSpace(len(memory))
        self._copies: deque[Mark] = deque()

    def place(self, num_bytes: int) -> Tensor | None:
        """Memory for the next piece; None while one that was not copied yet is in the way."""
        while self._copies and self._copies[0].is_done:
            self._forget_oldest()
        while (begin := self._space.reserve(num_bytes)) is None:
            if not self._copies:
                return None
            self._copies[0].synchronize()
            self._forget_oldest()
        return self._memory[begin : begin + num_bytes]

    def copied(self, mark: Mark) -> None:
        """The oldest piece that was not copied is so after `mark`."""
        self._copies.append(mark)

    def _forget_oldest(self) -> None:
        self._copies.popleft()
        self._space.release_oldest()


class _Closed(Exception):
    """Ends the thread."""


class _Exchange:
    """What the thread and who takes from it tell each other."""

    def __init__(self) -> None:
        self._delivered: deque[Delivery] = deque()
        self._changed = threading.Condition()
        self._places: Places | None = None
        self._released: deque[Mark] = deque()
        self._error: Exception | None = None
        self._is_closed = self._is_ended = False

    # Who takes

    def give_places(self, places: Places) -> None:
        with self._changed:
            self._places = places
            self._changed.notify_all()

    def take(self) -> Delivery | None:
        with self._changed:
            while not (self._delivered or self._is_ended):
                self._changed.wait()
            if self._error is not None:
                raise self._error
            return self._delivered.popleft() if self._delivered else None

    def release(self, mark: Mark) -> None:
        with self._changed:
            self._released.append(mark)
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def taken_apart(self) -> list[Delivery]:
        left = list(self._delivered)
        self._delivered.clear()
        self._places = None
        return left

    # The thread

    def check_open(self) -> None:
        if self._is_closed:
            raise _Closed

    def places(self, *, wait: bool) -> Places | None:
        with self._changed:
            while self._places is None and wait:
                self.check_open()
                self._changed.wait()
            return self._places

    def next_release(self, *, wait: bool) -> Mark | None:
        with self._changed:
            while not self._released and wait:
                self.check_open()
                self._changed.wait()
            return self._released.popleft() if self._released else None

    def deliver(self, delivery: Delivery) -> None:
        with self._changed:
            self._delivered.append(delivery)
            self._changed.notify_all()

    def end(self, error: Exception | None) -> None:
        with self._changed:
            self._error = error
            self._is_ended = True
            self._changed.notify_all()
