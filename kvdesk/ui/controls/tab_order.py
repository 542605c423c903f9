"""The order in which Tab walks: that of reading, whatever was made first."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QWidget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QLayout


def follow_layout(widget: QWidget) -> None:
    """Have Tab walk through what lies in `widget` in the order of its layouts."""
    walked = list(_stops(widget))
    for first, second in pairwise(walked):
        QWidget.setTabOrder(first, second)


def _stops(widget: QWidget) -> Iterator[QWidget]:
    """The widgets in `widget` that take the focus, without the parts that those are made of."""
    if widget.focusPolicy() is not Qt.FocusPolicy.NoFocus:
        yield widget
    elif isinstance(widget, QScrollArea):
        content = widget.widget()
        if content is not None:
            yield from _stops(content)
    else:
        layout = widget.layout()
        if layout is not None:
            yield from _stops_of_layout(layout)


def _stops_of_layout(layout: QLayout) -> Iterator[QWidget]:
    for index in range(layout.count()):
        item = layout.itemAt(index)
        assert item is not None
        inner, widget = item.layout(), item.widget()
        if inner is not None:
            yield from _stops_of_layout(inner)
        elif widget is not None:
            yield from _stops(widget)
