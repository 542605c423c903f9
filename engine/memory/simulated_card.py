"""A graphics card that exists as numbers: bytes counted exactly, two clocks, and faults to order.

It stands for the card where there is none: in tests, and in simulated sessions. No torch here.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.memory.cards import Card

GRANULARITY = 512
"""Every allocation takes a multiple of this many bytes, as with CUDA in PyTorch."""


class SimulatedOutOfMemory(RuntimeError):
    """The simulated card has too little free memory, or was told to say so."""


class SimulatedBrokenDevice(RuntimeError):
    """The simulated card's context is broken: nothing works on it any more."""


class SimulatedCard:
    """The memory and the clocks of a card. Threads may share it.

    Two clocks run beside each other, as streams do: one of computing and one of copying. A time is
    in seconds since the card was made; an operation says when it is done.

    Attributes:
        card: what it can do.
        peak_bytes: most that was allocated at once, other programs' memory not counted.
        num_allocations: how often memory was asked for, refusals included.
        compute_seconds: when the last work of the compute clock is done.
        copy_seconds: when the last copy is done.
    """

    def __init__(self, card: Card, *, other_bytes: int = 0) -> None:
        """An empty card.

        Args:
            card: what it can do, and how many bytes it has.
            other_bytes: what other programs have of it.
        """
        self.card = card
        self.peak_bytes = 0
        self.num_allocations = 0
        self.compute_seconds = 0.0
        self.copy_seconds = 0.0
        self._other_bytes = 0
        self._lost_bytes = 0
        self._held: dict[int, int] = {}
        self._allocated = 0
        self._refused: frozenset[int] = frozenset()
        self._is_broken = False
        # A tensor's end may free memory in the middle of a call of the same thread.
        self._lock = threading.RLock()
        self.other_bytes = other_bytes

    @property
    def allocated_bytes(self) -> int:
        """What is reserved now."""
        return self._allocated

    @property
    def free_bytes(self) -> int:
        """What nobody has."""
        with self._lock:
            used = self._allocated + self._lost_bytes + self._other_bytes
            return self.card.memory_bytes - used

    @property
    def available_bytes(self) -> int:
        """What this program could have in all: what is free, what it has, and what is lost."""
        return self.card.memory_bytes - self._other_bytes

    @property
    def other_bytes(self) -> int:
        """What other programs have. They get no more than is free, as on a real card."""
        return self._other_bytes

    @other_bytes.setter
    def other_bytes(self, num_bytes: int) -> None:
        with self._lock:
            own = self._allocated + self._lost_bytes
            self._other_bytes = min(max(0, num_bytes), self.card.memory_bytes - own)

    def lose(self, num_bytes: int) -> None:
        """Let holes between allocations hold so many bytes more, until `release_unused`."""
        with self._lock:
            self._lost_bytes += min(max(0, num_bytes), max(0, self.free_bytes))

    def release_unused(self) -> None:
        """Give back what holes hold."""
        with self._lock:
            self._lost_bytes = 0

    def reserve(self, num_bytes: int) -> int:
        """Allocate, in whole granules.

        Returns:
            A handle for `free`.

        Raises:
            SimulatedOutOfMemory: too little is free, or this allocation was to fail.
            SimulatedBrokenDevice: after `break_context`.
        """
        with self._lock:
            self._check()
            number = self.num_allocations
            self.num_allocations += 1
            granules = -(-num_bytes // GRANULARITY) * GRANULARITY
            if number in self._refused or granules > self.free_bytes:
                raise SimulatedOutOfMemory(
                    f"Allocation {number} of {granules} bytes failed: {self.free_bytes} of "
                    f"{self.card.memory_bytes} bytes are free on the simulated {self.card.name}."
                )
            self._held[number] = granules
            self._allocated += granules
            self.peak_bytes = max(self.peak_bytes, self._allocated)
            return number

    def free(self, handle: int) -> None:
        """Give an allocation back. It works on a broken device too, as cleaning up must.

        Raises:
            ValueError: nothing is held under this handle.
        """
        with self._lock:
            if handle not in self._held:
                raise ValueError(f"nothing is held under handle {handle}: it was freed, or never")
            self._allocated -= self._held.pop(handle)

    def fail_allocations(self, numbers: Iterable[int]) -> None:
        """Refuse the allocations with these numbers; the first that is made has number 0."""
        with self._lock:
            self._refused = frozenset(numbers)

    def break_context(self) -> None:
        """Let everything but `free` fail from now on."""
        self._is_broken = True

    def compute(self, flops: int, moved_bytes: int) -> float:
        """Work on the compute clock; when it is done."""
        with self._lock:
            self._check()
            self.compute_seconds += self.card.compute_seconds(flops, moved_bytes)
            return self.compute_seconds

    def copy(self, num_bytes: int, *, after: float = 0.0) -> float:
        """Copy to the card on the copy clock, not before the time `after`; when it is done."""
        with self._lock:
            self._check()
            begin = max(self.copy_seconds, after)
            self.copy_seconds = begin + num_bytes / self.card.copy_bytes_per_second
            return self.copy_seconds

    def wait_for(self, time: float) -> None:
        """Let the compute clock wait until `time`."""
        with self._lock:
            self._check()
            self.compute_seconds = max(self.compute_seconds, time)

    def _check(self) -> None:
        if self._is_broken:
            raise SimulatedBrokenDevice(
                f"The context of the simulated {self.card.name} is broken. Start a new process."
            )
