"""The ways to do a pass, each traced when somebody looks at it: many a dry run is never needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from engine.memory.plan import PassTrace

if TYPE_CHECKING:
    from collections.abc import Callable


class Ways(Sequence[PassTrace]):
    """Traces in order of preference. Two are equal only if they are the same object."""

    def __init__(self, tracers: Sequence[Callable[[], PassTrace]]) -> None:
        """Each of `tracers` makes one trace; it is asked once."""
        self._tracers = list(tracers)
        self._traces: dict[int, PassTrace] = {}

    def __len__(self) -> int:
        return len(self._tracers)

    @overload
    def __getitem__(self, index: int) -> PassTrace: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[PassTrace]: ...

    def __getitem__(self, index: int | slice) -> PassTrace | Sequence[PassTrace]:
        if isinstance(index, slice):
            places = range(len(self))[index]
            return Ways([lambda place=place: self[place] for place in places])
        if index not in range(len(self)):
            raise IndexError(index)
        if index not in self._traces:
            self._traces[index] = self._tracers[index]()
        return self._traces[index]
