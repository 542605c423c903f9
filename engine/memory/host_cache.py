"""Weights that main memory keeps while a pass is repeated, so that they need not be read again.

A card takes weights faster than most computers read files. Of what passes through the ring in every
repeat, as much as may be pinned is read once and copied from where it was read to. What is kept is
spread over the pass, so that there is always something to copy while the next unit is read. No
torch here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from torch import Tensor

    from engine.memory.device import Device

PINNED_BLOCK_BYTES = 128 * 2**20
"""All pinned memory comes in blocks of this size: PyTorch keeps what was given back, by size."""

HOST_CACHE_BYTES = 5 * PINNED_BLOCK_BYTES
"""The most that is kept. With two feeders' blocks it is 0.94 GB of pinned memory."""


def units_to_keep(
    order: Sequence[str], resident: Container[str], unit_bytes: Mapping[str, int], limit: int
) -> dict[str, int]:
    """The units that are kept in main memory, and their bytes, at most `limit` together.

    Args:
        order: the units of a pass, as they are used.
        resident: units that stay on the device.
        unit_bytes: of all units.
        limit: of all that is kept.
    """
    passing = {unit: unit_bytes[unit] for unit in order if unit not in resident}
    total = sum(passing.values())
    if total <= limit:
        return passing
    kept: dict[str, int] = {}
    left = limit
    due = 0.0  # bytes that would be kept by now if units could be cut
    for unit, num_bytes in passing.items():
        due += num_bytes * limit / total
        if due >= num_bytes / 2 and num_bytes <= left:
            kept[unit] = num_bytes
            left -= num_bytes
            due -= num_bytes
    return kept


def feeding_rate(copied: int, kept: int, *, copying: float, reading: float) -> float:
    """Bytes per second that a ring is filled with, once all that is kept has been read.

    Args:
        copied: bytes of all copies of one repeat.
        kept: of these, bytes that are not read for it.
        copying: bytes per second to the device.
        reading: bytes per second of files.
    """
    read = copied - kept
    return min(copying, reading * copied / read) if read > 0 else copying


class HostCache:
    """Main memory for some units of a network. It belongs to one thread."""

    def __init__(self, unit_bytes: Mapping[str, int], device: Device) -> None:
        """Nothing is allocated yet, for `unit_bytes` of these units."""
        self._places: dict[str, tuple[int, int]] = {}
        self._device = device
        self._blocks: dict[int, Tensor] = {}
        self._whole: set[str] = set()
        end = 0
        for unit, num_bytes in unit_bytes.items():
            self._places[unit] = (end, end + num_bytes)
            end += num_bytes

    def __contains__(self, unit: str) -> bool:
        """Whether there is a place for `unit`."""
        return unit in self._places

    def has(self, unit: str) -> bool:
        """Whether all of `unit` was read."""
        return unit in self._whole

    def was_read(self, unit: str) -> None:
        """All parts of `unit` hold their bytes from now on."""
        self._whole.add(unit)

    def parts(self, unit: str) -> Iterator[tuple[int, Tensor]]:
        """The memory of `unit`: where in the unit each part begins, and the part (uint8)."""
        begin, end = self._places[unit]
        at = begin
        while at < end:
            block, offset = divmod(at, PINNED_BLOCK_BYTES)
            if block not in self._blocks:
                self._blocks[block] = self._device.staging(PINNED_BLOCK_BYTES)
            part = self._blocks[block][offset : offset + end - at]
            yield at - begin, part
            at += len(part)
