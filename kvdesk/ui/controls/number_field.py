"""A number: a slider for the usual range, a box for every value that is allowed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLocale, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QWidget

from kvdesk.ui.controls.look import set_look
from kvdesk.ui.controls.wheel import leave_wheel_alone


class _Box(QDoubleSpinBox):
    def textFromValue(self, val: float) -> str:  # noqa: N802
        """The number without zeros at its end."""
        shortest = QLocale.FloatingPointPrecisionOption.FloatingPointShortest.value
        return self.locale().toString(val, "f", shortest)


class NumberField(QWidget):
    """A slider and a box that show the same number.

    Attributes:
        value_changed: a person changed the number (float); `set_value` does not emit it.
    """

    value_changed = Signal(float)

    def __init__(
        self,
        minimum: float,
        maximum: float,
        *,
        step: float = 1,
        decimals: int = 0,
        usual: tuple[float, float] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """Allow `minimum` to `maximum`; the slider has the range `usual`, or else all of it."""
        super().__init__(parent)
        low, high = usual or (minimum, maximum)
        self._step = step
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setRange(round(low / step), round(high / step))
        self._slider.setPageStep(max(1, round((high - low) / step / 10)))
        self._box = _Box(self)
        self._box.setDecimals(decimals)
        self._box.setRange(minimum, maximum)
        self._box.setSingleStep(step)
        self._box.setAlignment(Qt.AlignmentFlag.AlignRight)
        # A value that is half typed is not what a person wants.
        self._box.setKeyboardTracking(False)
        for part in (self._slider, self._box):
            leave_wheel_alone(part)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self._slider, stretch=1)
        row.addWidget(self._box)
        self._slider.valueChanged.connect(self._on_slider_changed)
        self._box.valueChanged.connect(self._on_box_changed)

    @property
    def value(self) -> float:
        """The number."""
        return self._box.value()

    def set_value(self, value: float) -> None:
        """Show `value`."""
        if value != self._box.value():
            self._box.blockSignals(True)
            self._box.setValue(value)
            self._box.blockSignals(False)
        self._show_on_slider(value)

    # A focus proxy would be a stop of its own, out of order, on the way of Tab.
    def setFocus(  # noqa: N802
        self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason
    ) -> None:
        """Lead to the box."""
        self._box.setFocus(reason)

    def set_caution(self, is_careful: bool) -> None:
        """Mark the box of a value that is unusual."""
        set_look(self._box, caution="true" if is_careful else "false")

    def changeEvent(self, event: QEvent) -> None:
        """Pass on the name for screen readers, which read the parts."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.ToolTipChange, QEvent.Type.LanguageChange}:
            self._name_parts()

    def setAccessibleName(self, name: str) -> None:  # noqa: N802
        """Name the field and its two parts."""
        super().setAccessibleName(name)
        self._name_parts()

    def setAccessibleDescription(self, description: str) -> None:  # noqa: N802
        """Describe the field and its two parts."""
        super().setAccessibleDescription(description)
        self._name_parts()

    def _name_parts(self) -> None:
        for part in (self._slider, self._box):
            part.setAccessibleName(self.accessibleName())
            part.setAccessibleDescription(self.accessibleDescription())
            part.setToolTip(self.toolTip())

    def _show_on_slider(self, value: float) -> None:
        self._slider.blockSignals(True)
        self._slider.setValue(round(value / self._step))
        self._slider.blockSignals(False)

    def _on_slider_changed(self, position: int) -> None:
        self._box.blockSignals(True)
        self._box.setValue(position * self._step)
        self._box.blockSignals(False)
        self.value_changed.emit(self._box.value())

    def _on_box_changed(self, value: float) -> None:
        self._show_on_slider(value)
        self.value_changed.emit(value)
