"""Layouts that go on in the next row where a row is full."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING

from PySide6.QtCore import QMargins, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Rows(QLayout):
    """What both kinds of rows share: their items, and a height that depends on the width."""

    def __init__(self, parent: QWidget | None = None, *, gap: int) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._gap = gap
        self.setContentsMargins(QMargins(0, 0, 0, 0))
        if parent is not None:
            parent.setLayout(self)

    @abstractmethod
    def _places(self, items: Sequence[QLayoutItem], width: int) -> list[QRect]:
        """Where the items go in `width` pixels, from (0, 0) on."""

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802
        """Take `item` as the last."""
        self._items.append(item)

    def count(self) -> int:
        """How many items there are."""
        return len(self._items)

    # The binding expects None for an index past the end; its stubs do not know that.
    def itemAt(  # pyright: ignore[reportIncompatibleMethodOverride]  # noqa: N802
        self, index: int
    ) -> QLayoutItem | None:
        """The item at `index`, or None."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(  # pyright: ignore[reportIncompatibleMethodOverride]  # noqa: N802
        self, index: int
    ) -> QLayoutItem | None:
        """Give the item at `index` back, or None."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802
        """Rows take the width that there is, and no more height than they need."""
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:
        """Fewer items fit in a narrower row."""
        return True

    def heightForWidth(self, width: int) -> int:
        """The height of all rows."""
        margins = self.contentsMargins()
        places = self._places(self._shown(), width - margins.left() - margins.right())
        lowest = max((place.y() + place.height() for place in places), default=0)
        return lowest + margins.top() + margins.bottom()

    def setGeometry(self, rect: QRect) -> None:  # noqa: N802
        """Put the items in their places."""
        super().setGeometry(rect)
        inner = rect.marginsRemoved(self.contentsMargins())
        shown = self._shown()
        for item, place in zip(shown, self._places(shown, inner.width()), strict=True):
            item.setGeometry(place.translated(inner.topLeft()))

    def sizeHint(self) -> QSize:
        """All items in one row."""
        hints = [item.sizeHint() for item in self._shown()]
        width = sum(hint.width() for hint in hints) + self._gap * max(0, len(hints) - 1)
        return self._with_margins(width, max((hint.height() for hint in hints), default=0))

    def minimumSize(self) -> QSize:  # noqa: N802
        """The widest item alone."""
        hints = [item.minimumSize() for item in self._shown()]
        return self._with_margins(
            max((hint.width() for hint in hints), default=0),
            max((hint.height() for hint in hints), default=0),
        )

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _with_margins(self, width: int, height: int) -> QSize:
        margins = self.contentsMargins()
        return QSize(
            width + margins.left() + margins.right(), height + margins.top() + margins.bottom()
        )


class EvenRows(_Rows):
    """Items of the same width that fill every row; as many in a row as fit, evenly shared out."""

    def _places(self, items: Sequence[QLayoutItem], width: int) -> list[QRect]:
        if not items:
            return []
        widest = max(item.sizeHint().width() for item in items)
        height = max(item.sizeHint().height() for item in items)
        fitting = max(1, (width + self._gap) // (widest + self._gap))
        num_rows = math.ceil(len(items) / fitting)
        num_columns = math.ceil(len(items) / num_rows)
        places: list[QRect] = []
        for first in range(0, len(items), num_columns):
            num_here = min(num_columns, len(items) - first)
            top = first // num_columns * (height + self._gap)
            for column in range(num_here):
                # From edge to edge, so that rounding leaves no rest at the end of a row.
                left = column * (width + self._gap) // num_here
                right = (column + 1) * (width + self._gap) // num_here - self._gap
                places.append(QRect(left, top, right - left, height))
        return places


class FlowRows(_Rows):
    """Items of their own width, one after the other, like words of a text."""

    def __init__(
        self, parent: QWidget | None = None, *, gap: int, ends_apart: bool = False
    ) -> None:
        """With `ends_apart`, the last item of several lies at the right end of the last row."""
        super().__init__(parent, gap=gap)
        self._ends_apart = ends_apart

    def _places(self, items: Sequence[QLayoutItem], width: int) -> list[QRect]:
        places: list[QRect] = []
        left = top = row_height = 0
        for item in items:
            hint = item.sizeHint()
            taken = min(hint.width(), width)
            height = item.heightForWidth(taken) if item.hasHeightForWidth() else hint.height()
            if left and left + taken > width:
                left, top, row_height = 0, top + row_height + self._gap, 0
            places.append(QRect(left, top, taken, height))
            left += taken + self._gap
            row_height = max(row_height, height)
        if self._ends_apart and len(places) > 1:
            places[-1].moveLeft(width - places[-1].width())
        return places
