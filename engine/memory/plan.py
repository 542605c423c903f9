"""What a plan is made of: what a stage does with its network, and where the weights are meanwhile.

No torch here. Sizes are bytes on the device where the network works.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.checkpoint.folder import ModelPart

ALIGNMENT = 256
"""Every tensor of a unit begins at a multiple of this many bytes, in the ring and elsewhere."""


def aligned(num_bytes: int) -> int:
    """`num_bytes`, rounded up to the `ALIGNMENT`."""
    return -(-num_bytes // ALIGNMENT) * ALIGNMENT


class Effect(Enum):
    """What a way to save memory does to the result."""

    EXACT = "exact"
    """The same bits."""
    ROUNDING = "rounding"
    """The same computation in another order: differences of the last digits."""
    LOSSY = "lossy"
    """Another computation, close to the first. Never taken without asking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """How a stage is computed.

    Attributes:
        branches_together: whether all guidance branches go through the network at once.
        strip_rows: rows of pixels that an autoencoder's convolutions work on at once; None: all.
        is_8bit: whether the network's large weights are 8-bit rows.
    """

    branches_together: bool = True
    strip_rows: int | None = None
    is_8bit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitUse:
    """A stretch of a pass: one unit of the network at work, with what follows it without weights.

    Attributes:
        unit: dotted path of a module in its network, whose weights come and go together; empty for
            work in front of the first unit.
        flops: floating-point operations.
        moved_bytes: bytes of values that its operations read and write, for those that wait for
            memory and not for arithmetic.
        live_bytes: most bytes of values that are alive at once in it, workspaces of kernels
            included, weights not.
    """

    unit: str
    flops: int
    moved_bytes: int
    live_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTrace:
    """One way through a network, as a dry run of the stage's code found it.

    Attributes:
        name: of the stage, and of the pass where a stage has several, such as "base frames".
        part: the network.
        variant: how it was computed.
        uses: in the order of the work. A unit may come more than once.
        unit_bytes: of every unit in `uses`: its tensors, each `aligned`.
        fixed_bytes: of weights that belong to no unit and of values that the stage holds
            throughout, such as the text's keys and values.
        repeats: how often the pass is done: denoising steps (times branches, where these go one by
            one), or chunks.
        table_bytes: of what it leaves behind for all steps of a loop, in main memory.
    """

    name: str
    part: ModelPart
    variant: Variant
    uses: tuple[UnitUse, ...]
    unit_bytes: Mapping[str, int]
    fixed_bytes: int
    repeats: int
    table_bytes: int = 0

    @property
    def order(self) -> tuple[str, ...]:
        """The units as their weights are needed; neighbours that are equal are one."""
        return tuple(unit for unit, _ in groupby(use.unit for use in self.uses if use.unit))

    @property
    def weights_bytes(self) -> int:
        """Bytes of all units together."""
        return sum(self.unit_bytes.values())

    @property
    def largest_unit_bytes(self) -> int:
        """Bytes of the largest unit: the least that a ring must have."""
        return max(self.unit_bytes.values(), default=0)

    @property
    def least_bytes(self) -> int:
        """Bytes on the device with nothing resident and the smallest ring."""
        return self.fixed_bytes + self.values_bytes + self.largest_unit_bytes

    @property
    def values_bytes(self) -> int:
        """Most bytes of values that are alive at once."""
        return max((use.live_bytes for use in self.uses), default=0)

    @property
    def flops(self) -> int:
        """Floating-point operations of one pass."""
        return sum(use.flops for use in self.uses)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassPlan:
    """Where the weights are while a pass is done again and again.

    Attributes:
        name: of the pass.
        variant: how it is computed.
        resident: units that stay on the device.
        ring_bytes: size of the buffer that all other units pass through; 0 where there are none.
        resident_bytes: of the resident units and of `fixed_bytes`.
        peak_bytes: most bytes on the device at once: resident, ring and values.
        streamed_bytes: bytes of units that go to the device in all repeats together, the first
            loading of those that stay included.
        flops: floating-point operations of all repeats together.
        seconds: expected for all repeats together.
        loading_seconds: of `seconds`, for what is read once: what stays on the device, and what
            main memory keeps.
    """

    name: str
    variant: Variant
    resident: frozenset[str]
    ring_bytes: int
    resident_bytes: int
    peak_bytes: int
    streamed_bytes: int
    flops: int
    seconds: float
    loading_seconds: float
