"""How much of the memory is in use: of the graphics card, or of the computer without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from kvdesk.ui.controls.look import set_look
from kvdesk.ui.plain_text import PlainLabel, tip
from kvdesk.ui.theme import GAP, PANEL, theme

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

    from engine.api import MachineDescribed

_GIGABYTE = 1 << 30
_BAR_WIDTH = 96
_BAR_HEIGHT = 6
_CAREFUL_ABOVE = 0.9


class MemoryMeter(QFrame):
    """A bar and two numbers; hidden until there is something to show."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, surface="card")
        self._machine: MachineDescribed | None = None
        self._title = PlainLabel()
        self._bar = _Bar()
        self._numbers = PlainLabel()
        set_look(self._title, role="muted")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(PANEL - GAP // 2, GAP // 2, PANEL - GAP // 2, GAP // 2)
        self._row.setSpacing(GAP)
        for widget in self._parts():
            self._row.addWidget(widget)
        self.hide()

    def show_machine(self, machine: MachineDescribed) -> None:
        """Show the memory of the first device that is a graphics card, else the computer's."""
        self._machine = machine
        self._retranslate()

    def fit_in(self, width: int) -> None:
        """Show as much as there is room for in `width` pixels: all, the numbers, or nothing."""
        if self._machine is None:
            return
        title, bar, numbers = (part.sizeHint().width() + GAP for part in self._parts())
        room = width - self._edges() + GAP
        self._title.setVisible(title + bar + numbers <= room)
        self._bar.setVisible(bar + numbers <= room)
        self.setVisible(numbers <= room)

    def _parts(self) -> tuple[QWidget, QWidget, QWidget]:
        return self._title, self._bar, self._numbers

    def _edges(self) -> int:
        margins = self.contentsMargins() + self._row.contentsMargins()
        return margins.left() + margins.right()

    def _retranslate(self) -> None:
        machine = self._machine
        if machine is None:
            return
        cards = [device for device in machine.devices if device.name != "cpu"]
        total, free = machine.total_bytes, machine.free_bytes
        if cards:
            total, free = cards[0].total_bytes, cards[0].free_bytes
        used = max(0, total - free)
        numbers = self.tr("{used} of {total} GB").format(
            used=f"{used / _GIGABYTE:.1f}", total=f"{total / _GIGABYTE:.1f}"
        )
        title = self.tr("GPU") if cards else self.tr("Memory")
        device = cards[0].label if cards else self.tr("There is no graphics card to work on.")
        self._title.setText(title)
        self._numbers.setText(numbers)
        self._bar.show_part(used / total if total else 0)
        self.setAccessibleName(f"{title} {numbers}")
        self.setToolTip(tip(f"{title} {numbers}\n{device}"))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)


class _Bar(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._part = 0.0

    def show_part(self, part: float) -> None:
        self._part = min(1.0, max(0.0, part))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme().px(_BAR_WIDTH), theme().px(_BAR_HEIGHT))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        height = theme().px(_BAR_HEIGHT)
        area = QRectF(0, (self.height() - height) / 2, self.width(), height)
        painter.setBrush(theme().color("line"))
        painter.drawRoundedRect(area, height / 2, height / 2)
        tone = "careful" if self._part > _CAREFUL_ABOVE else "accent"
        painter.setBrush(theme().color(tone))
        area.setWidth(max(height, area.width() * self._part))
        painter.drawRoundedRect(area, height / 2, height / 2)
