"""A choice of a few, all of them in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QFrame, QPushButton, QSizePolicy, QWidget

from kvdesk.ui.controls.choice_group import ChoiceGroup
from kvdesk.ui.controls.look import set_look
from kvdesk.ui.controls.rows import EvenRows
from kvdesk.ui.theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Segment(QPushButton):
    """One choice, as wide as its text is when it is chosen and therefore bold."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setProperty("kind", "segment")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Room for the bold text."""
        hint = super().sizeHint()
        bold = QFontMetrics(theme().font(bold=True)).horizontalAdvance(self.text())
        plain = QFontMetrics(self.font()).horizontalAdvance(self.text())
        return QSize(hint.width() + max(0, bold - plain), hint.height())

    def minimumSizeHint(self) -> QSize:
        """No narrower than the text."""
        return self.sizeHint()


class Segments(QFrame):
    """A row of buttons of which at most one is chosen.

    Tab reaches the chosen one, arrow keys choose. Where the row is too narrow, it becomes two.

    Attributes:
        value_changed: a person chose another value; `set_value` does not emit it.
    """

    value_changed = Signal(object)

    def __init__(
        self, options: Sequence[tuple[object, str]] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._values: list[object] = []
        self._group = ChoiceGroup(self)
        self._rows = EvenRows(self, gap=2)
        self._rows.setContentsMargins(2, 2, 2, 2)
        self._value: object = None
        policy = self.sizePolicy()
        policy.setVerticalPolicy(QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        set_look(self, surface="card")
        self._group.idClicked.connect(self._on_clicked)
        self.set_options(options)

    @property
    def value(self) -> object:
        """The chosen value, or None."""
        return self._value

    def set_value(self, value: object) -> None:
        """Show `value` as the chosen one; none is where no option has it."""
        index = self._values.index(value) if value in self._values else -1
        self._value = self._values[index] if index >= 0 else None
        self._group.choose(index)

    # A focus proxy would be a stop of its own, out of order, on the way of Tab.
    def setFocus(  # noqa: N802
        self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason
    ) -> None:
        """Lead to the chosen one, or the first."""
        self.button(max(0, self._group.checkedId())).setFocus(reason)

    def set_options(self, options: Sequence[tuple[object, str]]) -> None:
        """Offer these values under these words; what was chosen stays so where it is offered."""
        while len(self._values) > len(options):
            button = self.button(len(self._values) - 1)
            self._group.remove(button)
            self._rows.removeWidget(button)
            button.hide()
            button.deleteLater()
            self._values.pop()
        for index, (value, text) in enumerate(options):
            if index == len(self._values):
                self._values.append(value)
                button = _Segment(self)
                self._group.add(button)
                self._rows.addWidget(button)
            self._values[index] = value
            button = self.button(index)
            button.setText(text)
            button.updateGeometry()
        self.set_value(self._value)

    def button(self, index: int) -> QPushButton:
        """The button of the option at `index`, for a tooltip of its own."""
        button = self._group.button(index)
        assert isinstance(button, QPushButton)
        return button

    def _on_clicked(self, index: int) -> None:
        self._group.choose(index)
        if self._values[index] != self._value:
            self._value = self._values[index]
            self.value_changed.emit(self._value)
