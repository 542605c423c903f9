"""Runs the application as it is, and says on stdout where its controls are when stdin asks.

A question is a JSON object on a line, such as {"ask": "widgets", "name": "Generate"}; so is its
answer. Nothing can be changed this way: whoever wants that has to use the mouse and the keys.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QModelIndex, QObject, QPoint, QRect, Signal  # noqa: E402
from PySide6.QtWidgets import QAbstractItemView, QApplication, QMenu, QWidget  # noqa: E402


class Questions(QObject):
    """Brings the lines of stdin, which a thread reads, into the thread of the window."""

    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._lines_out = sys.stdout
        # What the application prints must not come between the answers.
        sys.stdout = sys.stderr
        self.asked.connect(self._on_asked)
        threading.Thread(target=self._read, name="questions", daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self.asked.emit(line)

    def _on_asked(self, line: str) -> None:
        question = json.loads(line)
        answer = {"widgets": _widgets, "items": _items, "texts": _texts}[question.pop("ask")]
        print(json.dumps(answer(**question)), file=self._lines_out, flush=True)


def _widgets(name: str, within: str = "") -> list[dict[str, Any]]:
    """The visible widgets that are called `name`, in a widget called `within` where given."""
    return [
        _described(widget)
        for widget in QApplication.allWidgets()
        if name in _names(widget) and _is_within(widget, within) and widget.isVisible()
    ]


def _items(name: str) -> list[dict[str, Any]]:
    """The rows of the visible list, or the entries of the menu, that is called `name`."""
    found: list[dict[str, Any]] = []
    for widget in QApplication.allWidgets():
        if name not in _names(widget) or not widget.isVisible():
            continue
        if isinstance(widget, QMenu):
            for action in widget.actions():
                place = _on_screen(widget, widget.actionGeometry(action))
                found.append({"text": action.text().replace("&", ""), "rect": place})
        elif isinstance(widget, QAbstractItemView):
            model = widget.model()
            for row in range(model.rowCount(QModelIndex())):
                index = model.index(row, 0)
                seen = widget.visualRect(index) & widget.viewport().rect()
                place = _on_screen(widget.viewport(), seen)
                found.append({"text": str(index.data() or ""), "rect": place})
    return found


def _texts() -> list[str]:
    """All words that can be read now, or are there for a screen reader."""
    words: set[str] = set()
    for widget in QApplication.allWidgets():
        if widget.isVisible():
            words |= _names(widget) - {type(widget).__name__, widget.objectName()}
            words |= {widget.accessibleDescription(), _property(widget, "plainText")}
    return sorted(words - {""})


def _names(widget: QWidget) -> set[str]:
    texts = {_property(widget, "text").replace("&", ""), widget.windowTitle()}
    return texts | {widget.objectName(), widget.accessibleName(), type(widget).__name__}


def _property(widget: QWidget, name: str) -> str:
    value = widget.property(name)
    return value if isinstance(value, str) else ""


def _is_within(widget: QWidget, name: str) -> bool:
    above: QWidget | None = widget
    while name and above is not None and name not in _names(above):
        above = above.parentWidget()
    return above is not None


def _described(widget: QWidget) -> dict[str, Any]:
    return {
        "class": type(widget).__name__,
        "text": _property(widget, "text"),
        "description": widget.accessibleDescription(),
        "value": str(widget.property("value") or ""),
        "rect": _on_screen(widget, widget.rect()),
        "seen": _on_screen(widget, widget.visibleRegion().boundingRect()),
        "is_enabled": widget.isEnabled(),
        "is_checked": bool(widget.property("checked")),
        "has_focus": widget.hasFocus() or widget.focusProxy() is QApplication.focusWidget(),
        "window": int(widget.window().winId()),
    }


def _on_screen(widget: QWidget, area: QRect) -> list[int]:
    corner = widget.mapToGlobal(QPoint(area.x(), area.y()))
    return [corner.x(), corner.y(), area.width(), area.height()]


def main() -> int:
    """Run the application, and answer until it ends."""
    from kvdesk.app import main as show_window

    questions = Questions()
    status = show_window()
    questions.deleteLater()
    return status


if __name__ == "__main__":
    sys.exit(main())
