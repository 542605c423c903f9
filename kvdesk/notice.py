"""What the window tells a person beside the cause, without stopping them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How serious a notice is; it decides the colour and nothing else."""

    PLAIN = "plain"
    FITS = "fits"
    CAREFUL = "careful"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell, in the words of the person's language.

    Attributes:
        text: what happened, why, and what to do.
        detail: for whoever looks into it; can be copied.
        action: the name of what the notice offers to do, or "".
        action_text: the words on its button.
    """

    text: str
    tone: Tone = Tone.PLAIN
    detail: str = ""
    action: str = ""
    action_text: str = ""

    @property
    def can_be_reported(self) -> bool:
        """Whether something failed that whoever made this program may want to look into."""
        is_setback = self.tone is Tone.CAREFUL and bool(self.detail) and not self.action
        return self.tone is Tone.FAILED or is_setback
