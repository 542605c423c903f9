"""Places in a buffer that is used round and round: the first that came is the first that goes."""

from __future__ import annotations

from collections import deque


class RingSpace:
    """Says where the next unit of weights goes. Knows bytes, not devices.

    A unit lies in one piece, so what is left at the end of the buffer may stay unused for a round.
    """

    def __init__(self, num_bytes: int) -> None:
        self.num_bytes = num_bytes
        self._held: deque[tuple[int, int]] = deque()  # begin and end, oldest first

    @property
    def num_held(self) -> int:
        """Units that have a place."""
        return len(self._held)

    def reserve(self, num_bytes: int) -> int | None:
        """Where the next unit begins; None while units before it are in the way.

        Raises:
            ValueError: the unit is larger than the whole buffer.
        """
        if num_bytes > self.num_bytes:
            raise ValueError(f"{num_bytes} bytes do not fit into a ring of {self.num_bytes}")
        begin = self._free_place(num_bytes)
        if begin is not None:
            self._held.append((begin, begin + num_bytes))
        return begin

    def release_oldest(self) -> None:
        """Give the place of the unit that came first back."""
        self._held.popleft()

    def _free_place(self, num_bytes: int) -> int | None:
        if not self._held:
            return 0
        oldest_begin, newest_end = self._held[0][0], self._held[-1][1]
        if newest_end > oldest_begin:  # what is held is one stretch: behind it, or in front of it
            if newest_end + num_bytes <= self.num_bytes:
                return newest_end
            return 0 if num_bytes <= oldest_begin else None
        return newest_end if newest_end + num_bytes <= oldest_begin else None
