"""What graphics cards do in a second, for plans that are made before a card has shown it.

The table's numbers are planned: the makers' figures, of which a good implementation reaches 55 %
of the arithmetic (tensor cores, float16 with sums in float32) and 80 % of the memory's bandwidth,
and what others measured of copies. A `Calibration` of the very card replaces them. No torch here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.memory.device_kind import DeviceKind
from engine.memory.host_cache import HOST_CACHE_BYTES

if TYPE_CHECKING:
    from engine.memory.calibration import Calibration

_GB = 1 << 30
_REACHED_ARITHMETIC = 0.55
_REACHED_BANDWIDTH = 0.80

SOURCE_BYTES_PER_SECOND = 14e9
"""What the two to four threads of a feeder for a card read of a file that the system keeps in its
memory: an assumption. On a busy server two threads reached 13.0e9 and one 9.8e9, and on the same
server with more of its time 20.9e9 and 14.2e9. A desktop's were not measured."""

# Copies from pinned memory, as measured by others, in GB/s.
_PCIE_3 = 12.2
_PCIE_4_X8 = 12.8
_PCIE_4 = 24.5
_PCIE_5_X8 = 28.0
_PCIE_5 = 56.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A device, as far as plans need to know it.

    Attributes:
        name: what people call it, such as "RTX 3060".
        memory_bytes: all that it has.
        flops_per_second: floating-point operations of large products in the networks' type.
        bandwidth: bytes per second to and from its own memory.
        copy_bytes_per_second: from the host's pinned memory to the device.
        source_bytes_per_second: from the model's files to the host's memory.
        cache_bytes: of weights that the host's memory keeps for it.
    """

    name: str
    memory_bytes: int
    flops_per_second: float
    bandwidth: float
    copy_bytes_per_second: float
    source_bytes_per_second: float = SOURCE_BYTES_PER_SECOND
    cache_bytes: int = HOST_CACHE_BYTES

    @property
    def feed_bytes_per_second(self) -> float:
        """What weights come with: reading and copying overlap, so the slower of both."""
        return min(self.copy_bytes_per_second, self.source_bytes_per_second)

    def compute_seconds(self, flops: int, moved_bytes: int) -> float:
        """Seconds of operations that wait either for arithmetic or for the device's memory."""
        return max(flops / self.flops_per_second, moved_bytes / self.bandwidth)

    def calibrated(self, calibration: Calibration | None) -> Card:
        """The card with what it really did, where that is known."""
        if calibration is None:
            return self
        ratio = calibration.flops_per_second / self.flops_per_second
        return replace(
            self,
            flops_per_second=calibration.flops_per_second,
            bandwidth=ratio * self.bandwidth,  # nobody measured which of the two was waited for
            source_bytes_per_second=(
                calibration.source_bytes_per_second or self.source_bytes_per_second
            ),
        )


def _card(name: str, gigabytes: float, tflops: float, bandwidth: float, pcie: float) -> Card:
    """A row of the table: the makers' figures in GiB, TFLOP/s and GB/s, and the bus in GB/s."""
    return Card(
        name=name,
        memory_bytes=int(gigabytes * _GB),
        flops_per_second=tflops * 1e12 * _REACHED_ARITHMETIC,
        bandwidth=bandwidth * 1e9 * _REACHED_BANDWIDTH,
        copy_bytes_per_second=pcie * 1e9,
    )


CARDS = (
    _card("RTX 2060", 6, 25.8, 336, _PCIE_3),
    _card("RTX 2060 SUPER", 8, 28.7, 448, _PCIE_3),
    _card("RTX 2070", 8, 29.9, 448, _PCIE_3),
    _card("RTX 2070 SUPER", 8, 36.3, 448, _PCIE_3),
    _card("RTX 2080", 8, 40.3, 448, _PCIE_3),
    _card("RTX 2080 SUPER", 8, 44.6, 496, _PCIE_3),
    _card("RTX 2080 Ti", 11, 53.8, 616, _PCIE_3),
    _card("RTX 3050", 8, 18.2, 224, _PCIE_4_X8),
    _card("RTX 3060", 12, 25.5, 360, _PCIE_4),
    _card("RTX 3060 Ti", 8, 32.4, 448, _PCIE_4),
    _card("RTX 3070", 8, 40.6, 448, _PCIE_4),
    _card("RTX 3070 Ti", 8, 43.5, 608, _PCIE_4),
    _card("RTX 3080", 10, 59.5, 760, _PCIE_4),
    _card("RTX 3080 Ti", 12, 68.2, 912, _PCIE_4),
    _card("RTX 3090", 24, 71.0, 936, _PCIE_4),
    _card("RTX 3090 Ti", 24, 80.0, 1008, _PCIE_4),
    _card("RTX 4060", 8, 30.2, 272, _PCIE_4_X8),
    _card("RTX 4060 Ti", 8, 44.1, 288, _PCIE_4_X8),
    _card("RTX 4070", 12, 58.3, 504, _PCIE_4),
    _card("RTX 4070 SUPER", 12, 71.0, 504, _PCIE_4),
    _card("RTX 4070 Ti", 12, 80.2, 504, _PCIE_4),
    _card("RTX 4070 Ti SUPER", 16, 88.2, 672, _PCIE_4),
    _card("RTX 4080", 16, 97.5, 717, _PCIE_4),
    _card("RTX 4080 SUPER", 16, 104.4, 736, _PCIE_4),
    _card("RTX 4090", 24, 165.2, 1008, 25.0),
    _card("RTX 5060", 8, 38.4, 448, _PCIE_5_X8),
    _card("RTX 5060 Ti", 16, 47.4, 448, _PCIE_5_X8),
    _card("RTX 5070", 12, 61.7, 672, _PCIE_5),
    _card("RTX 5070 Ti", 16, 87.9, 896, _PCIE_5),
    _card("RTX 5080", 16, 112.6, 960, _PCIE_5),
    _card("RTX 5090", 32, 209.5, 1792, _PCIE_5),
    _card("T4", 16, 65.0, 320, _PCIE_3),
    _card("L4", 24, 121.0, 300, _PCIE_4),
    _card("A100", 40, 312.0, 1555, _PCIE_4),
    _card("H100", 80, 989.0, 3350, _PCIE_5),
    _card("H200", 141, 989.0, 4800, _PCIE_5),
)

CPU = Card(
    name="CPU",
    memory_bytes=16 * _GB,
    flops_per_second=2e11,
    bandwidth=2e10,
    copy_bytes_per_second=8e9,
    source_bytes_per_second=SOURCE_BYTES_PER_SECOND / 2,  # read by one thread
    cache_bytes=0,  # nothing is gained by another copy in the same memory
)
"""A desktop's processor, in float32; its files are copied once more, into the ring."""


def card_named(
    name: str,
    kind: DeviceKind = DeviceKind.GRAPHICS_CARD,
    *,
    memory_bytes: int | None = None,
) -> Card:
    """The card of the table that a device's name means, such as "NVIDIA GeForce RTX 3060".

    A laptop's card is taken for the desktop's of the same name. An unknown one is taken for the
    slowest of the table whose memory is nearest to `memory_bytes`, or for the slowest of all.

    Args:
        name: what the driver calls the device, or "cpu".
        kind: of the device, whatever a processor is called.
        memory_bytes: what it really has, which replaces the table's figure.
    """
    if kind is DeviceKind.CPU or name.strip().lower() == "cpu":
        known: Card | None = CPU
    else:
        known = max(
            (card for card in CARDS if _is_in(card.name, name)),
            key=lambda card: len(card.name),
            default=None,
        )
    card = known or _nearest(memory_bytes)
    if memory_bytes is not None:
        card = replace(card, memory_bytes=memory_bytes)
    return card if known else replace(card, name=name)


def _is_in(card_name: str, name: str) -> bool:
    """Whether the words of a card's name are in another one, as words."""
    pattern = r"\s*".join(re.escape(word) for word in card_name.split())
    return re.search(rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])", name, re.IGNORECASE) is not None


def _nearest(memory_bytes: int | None) -> Card:
    """The slowest card whose memory is nearest."""
    if memory_bytes is None:
        return min(CARDS, key=lambda card: card.flops_per_second)
    return min(
        CARDS, key=lambda card: (abs(card.memory_bytes - memory_bytes), card.flops_per_second)
    )
