"""Classifier-free guidance (Ho and Salimans, 2022), as small objects.

A network is asked several times with more or less of its conditions, a *branch* each; guidance
says how many branches there are and makes one prediction of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Guidance(Protocol):
    """How the predictions of the branches become one."""

    num_branches: ClassVar[int]

    def combine(self, branches: Tensor) -> Tensor:
        """(num_branches B C H W), branches in the order of the class, to (B C H W)."""
        ...


@dataclass(frozen=True, slots=True)
class PromptGuidance:
    """Away from the prediction without the prompt: for the key frame and for interpolation.

    Branches: with the prompt, without it.
    """

    scale: float
    num_branches: ClassVar[int] = 2

    def combine(self, branches: Tensor) -> Tensor:
        """(2 B C H W) to (B C H W)."""
        with_prompt, without = branches.unbind()
        # PARITY: a scale of 0 is no guidance here, while it is 1 for the base frames.
        return (self.scale + 1.0) * with_prompt - self.scale * without


@dataclass(frozen=True, slots=True)
class PromptAndImageGuidance:
    """Towards the picture and from there towards the prompt: for the base frames.

    Branches: with prompt and picture, with the picture alone, with neither.
    """

    prompt_scale: float
    image_scale: float
    num_branches: ClassVar[int] = 3

    def combine(self, branches: Tensor) -> Tensor:
        """(3 B C H W) to (B C H W)."""
        with_both, with_image, with_none = branches.unbind()
        # PARITY: the terms of the official code, in its order.
        return (
            (1 - self.image_scale) * with_none
            + (self.image_scale - self.prompt_scale) * with_image
            + self.prompt_scale * with_both
        )
