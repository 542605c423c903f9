"""Pauses between tries, longer each time, with an end to all patience."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from engine.download.answers import TryAgain
from engine.errors import Cancelled, DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.download.patience import Patience

ResultT = TypeVar("ResultT")

_MOST_DOUBTFUL_TRIES = 3
_SECONDS_BETWEEN_LOOKS = 0.1


class Waiting:
    """Counts the tries of one download since something last came in."""

    def __init__(
        self, patience: Patience, tell: Callable[[str], None], is_cancelled: Callable[[], bool]
    ) -> None:
        """Args: `tell` is given a sentence many times a second while there is a pause."""
        self._patience = patience
        self._tell = tell
        self._is_cancelled = is_cancelled
        self._tries = 0
        self._doubtful_tries = 0
        self._since = time.monotonic()

    def check(self) -> None:
        """End the work where it was cancelled.

        Raises:
            Cancelled: it was.
        """
        if self._is_cancelled():
            raise Cancelled

    def succeeded(self) -> None:
        """Something came in: begin to count anew."""
        self._tries = self._doubtful_tries = 0
        self._since = time.monotonic()

    def repeated(self, do: Callable[[], ResultT]) -> ResultT:
        """Call `do` until it does not raise `TryAgain`.

        Raises:
            DownloadError: patience has come to its end.
            Cancelled: meanwhile.
        """
        while True:
            self.check()
            try:
                result = do()
            except TryAgain as trouble:
                self.pause(trouble)
            else:
                self.succeeded()
                return result

    def pause(self, trouble: TryAgain) -> None:
        """Wait as long as the server asks, or longer each time.

        Raises:
            DownloadError: patience has come to its end.
            Cancelled: meanwhile.
        """
        self._tries += 1
        self._doubtful_tries += trouble.is_doubtful
        waited = time.monotonic() - self._since
        if self._doubtful_tries > _MOST_DOUBTFUL_TRIES or waited > self._patience.give_up_seconds:
            raise DownloadError(
                f"{trouble.reason}, after {self._tries} tries. What was fetched is kept. Look at "
                "the connection and start the download again: it goes on.",
                detail=trouble.detail,
            ) from trouble
        end = time.monotonic() + self._seconds(trouble)
        while (left := end - time.monotonic()) > 0:
            self.check()
            self._tell(f"{trouble.reason}; next try in {left:.0f} s")
            time.sleep(min(left, _SECONDS_BETWEEN_LOOKS))

    def _seconds(self, trouble: TryAgain) -> float:
        if trouble.seconds is not None:
            return trouble.seconds
        patience = self._patience
        doubled = patience.first_pause * 2.0 ** min(self._tries - 1, 20)
        longest = min(doubled, patience.longest_pause)
        # Many programs that lost the same server must not all come back in the same moment.
        return longest * random.uniform(0.5, 1.0)
