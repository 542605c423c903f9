"""The order in which Tab goes through controls that come and go."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QLayout


def order_tabs(first: QWidget, *following: QWidget) -> None:
    """Let Tab go from `first` through the controls in `following`, as their layouts have them.

    By itself, Qt puts every new control at the end of the whole window.
    """
    controls = [first, *itertools.chain.from_iterable(map(_controls, following))]
    for one, next_one in itertools.pairwise(controls):
        QWidget.setTabOrder(one, next_one)


def _controls(widget: QWidget) -> Iterator[QWidget]:
    if widget.focusPolicy() is not Qt.FocusPolicy.NoFocus:
        yield widget  # what is inside, such as the line of a spin box, has its focus from it
    elif (layout := widget.layout()) is not None:
        yield from _controls_of(layout)


def _controls_of(layout: QLayout) -> Iterator[QWidget]:
    for index in range(layout.count()):
        item = layout.itemAt(index)
        if item is None:
            continue
        if (inner := item.layout()) is not None:
            yield from _controls_of(inner)
        elif (widget := item.widget()) is not None:
            yield from _controls(widget)
