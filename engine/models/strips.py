"""A picture as strips of rows that are let go as soon as nothing needs them any more.

Convolutions work on a strip together with one row of its neighbours above and below, so that the
strips together are the convolution of the whole picture. What one layer gives replaces what it was
given strip by strip, so a picture is in memory about once however many layers it passes. The frames
of a chunk have strips of their own, so that a layer that sees one picture at a time needs memory
for the work on a single frame's strip, beside the chunk itself.

Shapes: F frames, C channels, H rows, W columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    RowFunction = Callable[[Tensor, int], Tensor]
    """Makes of rows (F C n W), and the number of the first of them, rows of the same shape."""

_NEIGHBOUR_ROWS = 2
"""As many rows of a strip as its neighbour may still need when the strip itself is done."""


def bands(height: int, rows: int | None) -> Iterator[tuple[int, int]]:
    """First row and end of every strip of a picture, from the top down; `rows` None: one strip."""
    step = rows or height
    for start in range(0, height, step):
        yield start, min(start + step, height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slab:
    """A strip with its neighbours' rows next to it, as a 3x3 convolution needs them.

    Attributes:
        rows: (F C n W), neighbours included.
        first: number of the first of them in the picture.
        above: 1 at the upper edge of the picture, where there is no row above, and else 0.
        below: 1 at the lower edge, and else 0.
    """

    rows: Tensor
    first: int
    above: int
    below: int

    @property
    def own(self) -> Tensor:
        """The strip alone, as a view."""
        return self.rows[:, :, 1 - self.above : self.rows.shape[2] - 1 + self.below]

    def mapped(self, function: RowFunction) -> Slab:
        """The slab that `function` makes of the rows."""
        return replace(self, rows=function(self.rows, self.first))

    def convolved(self, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Convolve with a 3x3 kernel, the picture's edges padded with zeros: (F C n W) of `own`."""
        if self.above and self.below:
            return F.conv2d(self.rows, weight, bias, padding=1)
        rows = self.rows
        if self.above or self.below:
            rows = F.pad(rows, (0, 0, self.above, self.below))
        return F.conv2d(rows, weight, bias, padding=(0, 1))


class Strips:
    """A picture (F C H W) as a row of strips, from the top down.

    Attributes:
        rows: rows of a strip, the last one excepted; None where the picture is one strip.
        height: rows of the picture, those that were let go included.
    """

    def __init__(self, strips: Iterable[Tensor] = (), *, rows: int | None) -> None:
        self.rows = rows
        self.height = 0
        self._first_kept = 0
        self._strips: list[Tensor] = []
        for strip in strips:
            self.append(strip)

    @classmethod
    def of(cls, picture: Tensor, rows: int | None) -> Strips:
        """Views of the rows of a whole picture (F C H W), which stays in memory as long as they."""
        height = picture.shape[2]
        return cls((picture[:, :, start:stop] for start, stop in bands(height, rows)), rows=rows)

    @property
    def device(self) -> torch.device:
        """Where the strips are."""
        return self._strips[0].device

    def append(self, strip: Tensor) -> None:
        """Add a strip (F C n W) below."""
        self._strips.append(strip)
        self.height += strip.shape[2]

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self._strips)

    def pop(self) -> Tensor:
        """Take out the uppermost strip."""
        strip = self._strips.pop(0)
        self._first_kept += strip.shape[2]
        return strip

    def joined(self) -> Tensor:
        """Take out the whole picture."""
        picture = self.window(0, self.height)
        self.let_go(self.height)
        return picture

    def window(self, start: int, stop: int) -> Tensor:
        """Rows from `start` to before `stop`, as far as the picture has them. May be a view."""
        pieces: list[Tensor] = []
        row = self._first_kept
        for strip in self._strips:
            if row >= stop:
                break
            if row + strip.shape[2] > start:
                pieces.append(strip[:, :, max(start - row, 0) : stop - row])
            row += strip.shape[2]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=2)

    def let_go(self, before: int) -> None:
        """Give back the memory of rows above `before`, which are not needed any more."""
        while self._strips and self._first_kept + self._strips[0].shape[2] <= before:
            self.pop()
        if not self._strips:
            return
        strip = self._strips[0]
        kept = self._first_kept + strip.shape[2] - before
        if kept < strip.shape[2] and kept <= _NEIGHBOUR_ROWS:
            # A copy of the few rows, since a view of them would keep the whole strip.
            self._strips[0] = strip[:, :, -kept:].clone()
            self._first_kept = before

    def slabs(self, *, keep: bool = False) -> Iterator[Slab]:
        """Every strip with its neighbours' rows; without `keep`, what is past is let go."""
        for start, stop in bands(self.height, self.rows):
            # Not through a local variable, which would hold the slab while the caller works.
            yield self.slab(start, stop, keep=keep)

    def slab(self, start: int, stop: int, *, keep: bool = False) -> Slab:
        """Rows from `start` to before `stop` with their neighbours; `keep` as for `slabs`."""
        rows = self.window(start - 1, stop + 1)
        if not keep:
            self.let_go(stop - 1 if stop < self.height else stop)
        return Slab(
            rows=rows,
            first=max(start - 1, 0),
            above=int(start == 0),
            below=int(stop == self.height),
        )

    def add(self, other: Strips) -> Strips:
        """Add, in place, a picture in strips of the same heights, which is let go; gives self."""
        for strip in self:
            strip.add_(other.pop())
        return self


Chunk = list[Strips]
"""Frames (1 C H W) of the same size, in strips of the same heights."""


def chunk_of(pictures: Tensor, rows: int | None) -> Chunk:
    """Views of pictures (F C H W), which stay in memory as long as they; see `Strips.of`."""
    return [Strips.of(picture, rows) for picture in pictures.split(1)]


def pictures_of(chunk: Chunk) -> Tensor:
    """Take out the whole pictures (F C H W)."""
    pictures = [frame.joined() for frame in chunk]
    return pictures[0] if len(pictures) == 1 else torch.cat(pictures)


class StripConv(nn.Conv2d):
    """A 3x3 convolution of pictures in strips."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size=3, padding=1)

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]: it is built of strips
        self, x: Chunk, before: Sequence[RowFunction | None] | None = None
    ) -> Chunk:
        """Convolve what each frame's own function of `before` makes of it; `x` is let go."""
        functions = before or [None] * len(x)
        return [self.convolved(*own) for own in zip(x, functions, strict=True)]

    def convolved(self, x: Strips, before: RowFunction | None, *, keep: bool = False) -> Strips:
        """Convolve what `before` makes of one picture; without `keep`, `x` is let go."""
        out = Strips(rows=x.rows)
        for slab in x.slabs(keep=keep):
            if before is not None:
                slab = slab.mapped(before)
            out.append(self.on(slab))
        return out

    def on(self, slab: Slab) -> Tensor:
        """Convolve one strip."""
        return slab.convolved(self.weight, self.bias)
