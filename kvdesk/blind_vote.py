"""A vote between two clips by somebody who does not know which is which."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import SystemRandom
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


class Choice(StrEnum):
    """What a person can vote for: the clip shown first, the one shown second, or neither."""

    FIRST = "first"
    SECOND = "second"
    NO_DIFFERENCE = "no_difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindVote:
    """Which clip stands where while their names are hidden, and what was voted.

    Attributes:
        is_swapped: whether the second clip is the one that is shown first.
        choice: None until the vote.
    """

    is_swapped: bool
    choice: Choice | None = None

    @classmethod
    def begin(cls, random: Random | None = None) -> BlindVote:
        """A vote with the clips shuffled."""
        return cls(is_swapped=(random or SystemRandom()).random() < 0.5)

    def voted(self, choice: Choice) -> BlindVote:
        """The vote after `choice`."""
        return BlindVote(is_swapped=self.is_swapped, choice=choice)

    @property
    def winner(self) -> int | None:
        """0 or 1, the clip as it was numbered before the shuffle; None without one."""
        if self.choice is None or self.choice is Choice.NO_DIFFERENCE:
            return None
        return int((self.choice is Choice.SECOND) != self.is_swapped)
