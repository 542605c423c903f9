"""How often a test of the faults repeats itself, and how often it did."""

from __future__ import annotations

import os

LARGE_RUN = "KVDESK_FAULTS"
"""The environment variable that asks for the large numbers of rounds where it says `large`."""


class Rounds:
    """The rounds of one test: few in the suite, many where somebody asks for the large run."""

    def __init__(self) -> None:
        self.count = 0

    def wanted(self, small: int, large: int) -> int:
        """Say how many rounds the test shall do: `large` where KVDESK_FAULTS=large is set."""
        return large if os.environ.get(LARGE_RUN) == "large" else small

    def done(self, rounds: int = 1) -> None:
        """Count rounds that held."""
        self.count += rounds
