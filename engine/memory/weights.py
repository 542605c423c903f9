"""From records in files to the bytes that a unit's weights are on a device.

A unit is one stretch of bytes, its tensors one behind the other, each aligned. Any part of it can
be read, so that who reads needs less memory than a unit takes. A tensor whose type on the device
is not that of its file is converted on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.checkpoint.quantize import quantize_rows
from engine.checkpoint.tensors import CHUNK_BYTES, ITEM_BYTES, OpenFiles, TensorRecord, read_tensor
from engine.memory.plan import aligned
from engine.memory.units import PlacesOfWeights, units_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXED = ""
"""Stands in place of a unit's name for the weights that belong to none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTensor:
    """A tensor of a file, in the type that it is to have on the device."""

    record: TensorRecord
    dtype: torch.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape, in the file and on the device."""
        return self.record.shape

    def read(self, begin: int, target: Tensor, files: OpenFiles) -> None:
        """Read as many numbers as `target` (n) has, from number `begin` on.

        Raises:
            ModelFileError: the file cannot be read or is cut off.
        """
        stored = getattr(torch, self.record.dtype)
        item_bytes = ITEM_BYTES[self.record.dtype]
        if stored is self.dtype:
            memory = target.view(torch.uint8).numpy().data
            files.read_into(self.record, memory, start=begin * item_bytes)
            return
        for first in range(0, len(target), CHUNK_BYTES // item_bytes):
            chunk = target[first : first + CHUNK_BYTES // item_bytes]
            raw = torch.empty(len(chunk) * item_bytes, dtype=torch.uint8)
            files.read_into(self.record, raw.numpy().data, start=(begin + first) * item_bytes)
            chunk.copy_(raw.view(stored))


@dataclass(frozen=True, slots=True, kw_only=True)
class EightBitTensor:
    """A weight that is 8-bit numbers and scales on the device, and a product of them at work.

    Attributes:
        rows: the whole numbers, in the shape of the weight.
        scales: of as many dimensions, one for each output channel.
        dtype: of the weight at work.
    """

    rows: FileTensor
    scales: FileTensor
    dtype: torch.dtype


class QuantizedOnTheWay:
    """A matrix of a file that becomes 8-bit rows and their scales when it is read."""

    def __init__(self, record: TensorRecord) -> None:
        self._record = record
        self._kept: tuple[Tensor, Tensor] | None = None
        self.rows = _PartOfQuantized(self, 0, record.shape, torch.int8)
        self.scales = _PartOfQuantized(self, 1, record.shape[:1], torch.float32)

    def part(self, index: int, *, keep: bool) -> Tensor:
        """(n) the rows' numbers (index 0) or the scales (1).

        Parts are asked for many times in a row, so both are kept until `keep` is false.
        """
        kept = self._kept or quantize_rows(read_tensor(self._record))
        self._kept = kept if keep else None
        return kept[index].flatten()


@dataclass(frozen=True, slots=True)
class _PartOfQuantized:
    whole: QuantizedOnTheWay
    index: int
    shape: tuple[int, ...]
    dtype: torch.dtype

    def read(self, begin: int, target: Tensor, files: OpenFiles) -> None:
        del files  # a matrix is read once, and as a whole
        # The scales lie behind the rows, so they are the last that is read.
        part = self.whole.part(self.index, keep=self.index == 0)
        target.copy_(part[begin : begin + len(target)])


StoredTensor = FileTensor | _PartOfQuantized
Weight = StoredTensor | EightBitTensor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretch:
    """The bytes of one tensor in its unit."""

    stored: StoredTensor
    begin: int
    end: int

    def view(self, unit: Tensor) -> Tensor:
        """The tensor, in the bytes of the whole unit."""
        return unit[self.begin : self.end].view(self.stored.dtype).view(self.stored.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    stretches: tuple[_Stretch, ...]
    names: tuple[str, ...]
    num_bytes: int


class WeightSource:
    """The weights of one network, unit by unit, in its files."""

    def __init__(self, network: nn.Module, weights: Mapping[str, Weight]) -> None:
        """Find out where everything lies.

        Args:
            network: on the meta device. Its parameters get the types of `weights`.
            weights: where each tensor of the network's state dict comes from.

        Raises:
            KeyError: the network has a tensor that is not among them.
        """
        self._weights = {name: weights[name] for name in network.state_dict()}
        _give_types(network, self._weights)
        members = {
            unit: [f"{unit}.{name}" for name in module.state_dict()]
            for unit, module in units_of(network).items()
        }
        taken = {name for names in members.values() for name in names}
        members[FIXED] = [name for name in self._weights if name not in taken]
        self._units = {unit: self._laid_out(names) for unit, names in members.items()}
        self._quantized_on_the_way = frozenset(
            unit
            for unit, laid_out in self._units.items()
            if any(isinstance(stretch.stored, _PartOfQuantized) for stretch in laid_out.stretches)
        )
        self._rebuilt = frozenset(
            unit
            for unit, names in members.items()
            if any(isinstance(self._weights[name], EightBitTensor) for name in names)
        )

    @property
    def units(self) -> tuple[str, ...]:
        """All units, in the network's order."""
        return tuple(unit for unit in self._units if unit != FIXED)

    @property
    def unit_bytes(self) -> dict[str, int]:
        """The bytes of every unit on the device."""
        return {unit: self._units[unit].num_bytes for unit in self.units}

    @property
    def fixed_bytes(self) -> int:
        """The bytes of the weights that belong to no unit."""
        return self._units[FIXED].num_bytes

    def num_bytes(self, unit: str) -> int:
        """The bytes of a unit, or of `FIXED`, on the device."""
        return self._units[unit].num_bytes

    def names(self, unit: str) -> tuple[str, ...]:
        """The names of the unit's weights in the network's state dict."""
        return self._units[unit].names

    def is_rebuilt(self, unit: str) -> bool:
        """Whether weights of the unit have to be made anew for each use, out of 8 bit."""
        return unit in self._rebuilt

    def is_read_in_order(self, unit: str) -> bool:
        """Whether parts of the unit have to be read one after the other, by one thread."""
        return unit in self._quantized_on_the_way

    def rebuilt_bytes(self, unit: str) -> int:
        """Bytes of the weights that are made anew for each use, beside the unit's own."""
        weights = (self._weights[name] for name in self.names(unit))
        return sum(
            weight.rows.record.num_bytes * weight.dtype.itemsize
            for weight in weights
            if isinstance(weight, EightBitTensor)
        )

    def read(self, unit: str, begin: int, target: Tensor, files: OpenFiles | None = None) -> None:
        """Read a part of a unit.

        Args:
            unit: its name, or `FIXED`.
            begin: the part's first byte, a multiple of the `ALIGNMENT`.
            target: (n) uint8 in main memory. What lies between the tensors is left as it is.
            files: where files that this opens stay open; None: they are closed at its end.

        Raises:
            ModelFileError: a file cannot be read or is cut off.
        """
        if files is None:
            with OpenFiles() as files:
                self.read(unit, begin, target, files)
            return
        end = begin + len(target)
        for stretch in self._units[unit].stretches:
            first, last = max(begin, stretch.begin), min(end, stretch.end)
            if first < last:
                dtype = stretch.stored.dtype
                wanted = target[first - begin : last - begin].view(dtype)
                stretch.stored.read((first - stretch.begin) // dtype.itemsize, wanted, files)

    def tensors(self, unit: str, memory: Tensor) -> dict[str, Tensor]:
        """The weights of a unit by their names, as views of its bytes.

        Only what is rebuilt has memory of its own.
        """
        views = (stretch.view(memory) for stretch in self._units[unit].stretches)
        tensors: dict[str, Tensor] = {}
        for name in self.names(unit):
            weight = self._weights[name]
            tensors[name] = next(views)
            if isinstance(weight, EightBitTensor):
                whole = torch.empty_like(tensors[name], dtype=weight.dtype)
                tensors[name] = torch.mul(tensors[name], next(views), out=whole)
        return tensors

    def _laid_out(self, names: list[str]) -> _Unit:
        stretches: list[_Stretch] = []
        begin = 0
        for name in names:
            weight = self._weights[name]
            parts = (
                (weight.rows, weight.scales) if isinstance(weight, EightBitTensor) else (weight,)
            )
            for part in parts:
                num_items = torch.Size(part.shape).numel()
                end = begin + num_items * part.dtype.itemsize
                stretches.append(_Stretch(stored=part, begin=begin, end=end))
                begin = aligned(end)
        return _Unit(stretches=tuple(stretches), names=tuple(names), num_bytes=begin)


def _give_types(network: nn.Module, weights: Mapping[str, Weight]) -> None:
    retyped = {
        name: tensor.to(weights[name].dtype)
        for name, tensor in network.state_dict().items()
        if tensor.dtype is not weights[name].dtype
    }
    PlacesOfWeights(network, retyped).put(retyped)
