"""How much room the files of a model take while it is prepared, and whether the disk has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.checkpoint.already_prepared import OF_ENCODER
from engine.checkpoint.eight_bit_report import EIGHT_BIT_PARTS
from engine.checkpoint.resumable_file import partial_of
from engine.disk_space import check_space

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from engine.checkpoint.prepared_layout import PlannedFile

_PREPARED_ENCODER_BYTES = 9_940_000_000
"""Of Flan-UL2's encoder: 32 blocks of 235 M weights in 8 bit and 34 M of 2 bytes, the table of 132
M of 2 bytes, and the scales of the rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """So many bytes are written, made from the official files of these names."""

    num_bytes: int
    sources: frozenset[str]


def most_added(writes: Sequence[Write], freed: Mapping[str, int]) -> int:
    """The most bytes that are on a disk at once beyond those that are there before `writes`.

    An official file goes with the last thing that is made of it.

    Args:
        writes: in the order in which they are done.
        freed: what it frees that an official file goes; those that stay are left out.
    """
    last = {name: number for number, write in enumerate(writes) for name in write.sources}
    most = added = 0
    for number, write in enumerate(writes):
        added += write.num_bytes
        most = max(most, added)
        added -= sum(freed.get(name, 0) for name in write.sources if last[name] == number)
    return most


def check_room(
    destination: Path, files: Sequence[PlannedFile], deleted: Mapping[str, Path] | None = None
) -> None:
    """The disk of `destination` has room for what is not there yet of `files`.

    Args:
        destination: where they are written.
        files: in the order in which they are.
        deleted: the official files that are deleted meanwhile, by their names.

    Raises:
        DiskFull: it has not.
    """
    writes: list[Write] = []
    for file in files:
        path = destination / file.name
        there = [name.stat().st_size for name in (path, partial_of(path)) if name.is_file()]
        left = max(0, file.size - max(there, default=0))
        writes.append(Write(num_bytes=left, sources=frozenset(file.sources)))
    freed = {name: _freed_by(path, destination) for name, path in (deleted or {}).items()}
    check_space(destination, most_added(writes, freed), "the prepared model")


def _freed_by(file: Path, destination: Path) -> int:
    """What the disk of `destination` has more when `file` is deleted."""
    existing = next(path for path in (destination, *destination.parents) if path.exists())
    state = file.lstat()
    is_link = file.is_symlink() or state.st_nlink > 1
    return 0 if is_link or state.st_dev != existing.stat().st_dev else state.st_size


def prepared_bytes(official: Mapping[str, int]) -> int:
    """About what is prepared from `official` files of these sizes: all is copied but the encoder.

    Of that most becomes 8 bit, and what its files have of a decoder is left aside.
    """
    return sum(write.num_bytes for write in _writes(official))


def peak_bytes_deleting(official: Mapping[str, int]) -> int:
    """About the most that is on a disk at once if `official` files go as they are prepared."""
    return sum(official.values()) + most_added(_writes(official), official)


def _writes(official: Mapping[str, int]) -> list[Write]:
    """About what `prepared_layout` plans, in its order."""
    encoder = {name for name in official if name.startswith(OF_ENCODER)}
    unets = {f"{part}.pt" for part in EIGHT_BIT_PARTS} & set(official)
    others = set(official) - encoder - unets
    size = min(_PREPARED_ENCODER_BYTES, _sum(official, encoder))
    return [
        Write(num_bytes=size, sources=frozenset(encoder)),
        # What is measured of both needs both.
        Write(num_bytes=_sum(official, unets), sources=frozenset(unets)),
        *(Write(num_bytes=official[name], sources=frozenset({name})) for name in sorted(others)),
    ]


def _sum(official: Mapping[str, int], names: Collection[str]) -> int:
    return sum(official[name] for name in names)
