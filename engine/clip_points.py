"""Where the work on a clip can be taken up again, and what a place for that offers."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL import Image
    from torch import Tensor

    from engine.diffusion.loop import DenoisingLoop, LoopState


class Point(StrEnum):
    """Where the work on a clip can be taken up again."""

    TEXT = "text"
    KEY_FRAME = "key_frame"
    BASE_FRAMES = "base_frames"
    FIRST_PASS = "interpolation_1"
    SECOND_PASS = "interpolation_2"


class Checkpoints(Protocol):
    """Keeps what is needed to go on with a clip."""

    def load(self, point: Point) -> Mapping[str, Tensor] | None:
        """The tensors that were saved at `point`; None where there are none."""
        ...

    def save(self, point: Point, tensors: Mapping[str, Tensor]) -> None:
        """Save the `tensors` of `point`. The loop that led there is over."""
        ...

    def load_loop(self, point: Point) -> LoopState | None:
        """Where the loop to `point` was interrupted; None where it has not begun."""
        ...

    def loop_stepped(self, point: Point, loop: DenoisingLoop) -> None:
        """The loop to `point` has done a step, and can be saved now."""
        ...

    def save_loop(self, point: Point, loop: DenoisingLoop) -> None:
        """Save where the loop to `point` is: it will not go on."""
        ...

    def decoded(self, num_frames: int) -> list[Image.Image]:
        """The first of `num_frames` that are decoded already."""
        ...

    def keep_decoded(self, num_frames: int, first: int, pictures: Sequence[Image.Image]) -> None:
        """Keep decoded frames, of `num_frames` those from index `first`."""
        ...


class NoCheckpoints:
    """Keeps nothing: the clip is made in one go."""

    def load(self, point: Point) -> None:
        """See `Checkpoints`, as for the methods below."""

    def save(self, point: Point, tensors: Mapping[str, Tensor]) -> None:
        """Nothing."""

    def load_loop(self, point: Point) -> None:
        """None."""

    def loop_stepped(self, point: Point, loop: DenoisingLoop) -> None:
        """Nothing."""

    def save_loop(self, point: Point, loop: DenoisingLoop) -> None:
        """Nothing."""

    def decoded(self, num_frames: int) -> list[Image.Image]:
        """None are."""
        del num_frames
        return []

    def keep_decoded(self, num_frames: int, first: int, pictures: Sequence[Image.Image]) -> None:
        """Nothing."""
