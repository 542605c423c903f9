"""Counts the bytes of values that are alive: of every storage once, however many views it has."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class LiveValues:
    """Bytes of the storages that were born since it exists and have not died.

    Attributes:
        num_bytes: alive now.
        peak_bytes: most that were alive at once since the last `restart_peak`.
    """

    def __init__(self, *, block_bytes: int) -> None:
        """An allocator of blocks of `block_bytes` is what every storage comes from."""
        self.num_bytes = 0
        self.peak_bytes = 0
        self._block_bytes = block_bytes
        # The address of a storage's implementation tells it apart while it lives; the weak
        # reference keeps the callback that takes its bytes off.
        self._alive: dict[int, weakref.ref[torch.UntypedStorage]] = {}

    def born(self, tensor: Tensor) -> None:
        """Count the storage of `tensor`, unless it is counted already or has no bytes."""
        storage = tensor.untyped_storage()
        address = storage._cdata  # pyright: ignore[reportPrivateUsage]
        if address in self._alive:
            return
        num_bytes = self.in_blocks(storage.nbytes())
        if not num_bytes:
            return

        def died(_reference: weakref.ref[torch.UntypedStorage]) -> None:
            self.num_bytes -= num_bytes
            del self._alive[address]

        self._alive[address] = weakref.ref(storage, died)
        self.num_bytes += num_bytes
        self.peak_bytes = max(self.peak_bytes, self.num_bytes)

    def taken_meanwhile(self, num_bytes: int) -> None:
        """What is alive was so beside `num_bytes` that a kernel had for itself for a moment."""
        self.peak_bytes = max(self.peak_bytes, self.num_bytes + self.in_blocks(num_bytes))

    def held(self, num_bytes: int) -> None:
        """Count bytes that have no storage here; negative ones are given back."""
        self.num_bytes += num_bytes
        self.peak_bytes = max(self.peak_bytes, self.num_bytes)

    def restart_peak(self) -> None:
        """From now on `peak_bytes` is of what comes, beginning with what is alive."""
        self.peak_bytes = self.num_bytes

    def in_blocks(self, num_bytes: int) -> int:
        """What the allocator takes for `num_bytes`."""
        return -(-num_bytes // self._block_bytes) * self._block_bytes
