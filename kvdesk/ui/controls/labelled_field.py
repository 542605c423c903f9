"""A control with its title above, its value at the right, and what there is to say below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from kvdesk.ui.controls.look import announce, set_look
from kvdesk.ui.controls.remark import Remark, RemarkTone
from kvdesk.ui.plain_text import PlainLabel, tip

_ROW_GAP = 6


class LabelledField(QWidget):
    """A control and everything that is said about it.

    The title is the control's buddy and its accessible name; the help is one line, below the
    control or in its tooltip, and its accessible description.
    """

    def __init__(
        self,
        title: str,
        control: QWidget,
        help_text: str = "",
        *,
        shows_help: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.control = control
        self._title = PlainLabel(parent=self)
        self._value = PlainLabel(parent=self)
        self._help = PlainLabel(parent=self)
        self._caution = Remark(RemarkTone.CAREFUL, self)
        self._problem = Remark(RemarkTone.FAILED, self)
        self._shows_help = shows_help
        self._build_ui()
        self.set_texts(title, help_text)

    def _build_ui(self) -> None:
        set_look(self._title, role="label")
        set_look(self._value, role="value")
        set_look(self._help, role="muted")
        self._value.hide()
        self._title.setBuddy(self.control)
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for label in (self._title, self._value, self._help):
            label.setWordWrap(True)
        self._title.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        self._row.addWidget(self._title)
        self._row.addWidget(self._value, stretch=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_ROW_GAP)
        column.addLayout(self._row)
        column.addWidget(self.control)
        for below in (self._help, self._problem, self._caution):
            column.addWidget(below)

    def set_texts(self, title: str, help_text: str) -> None:
        """Say what the control is and, in one line, what it does."""
        self._title.setText(title)
        self._help.setText(help_text)
        self._help.setVisible(self._shows_help and bool(help_text))
        self.control.setAccessibleName(title)
        self.control.setAccessibleDescription(help_text)
        self.control.setToolTip("" if self._shows_help else tip(help_text))

    def set_value_text(self, text: str, *, role: str = "value") -> None:
        """Show the value in words at the right end of the title."""
        self._value.setText(text)
        self._value.setVisible(bool(text))
        # Beside a value, the title would be broken into lines although there is room.
        self._title.setWordWrap(not text)
        set_look(self._value, role=role)

    def add_to_title(self, widget: QWidget) -> None:
        """Put a small button or the like at the right end of the title's row."""
        self._row.addWidget(widget)

    @property
    def caution(self) -> str:
        """What is unusual about the value, or ""."""
        return self._caution.text

    def set_caution(self, text: str) -> None:
        """Say why the value is unusual; "" where it is not."""
        self._caution.set_text(text)

    @property
    def problem(self) -> str:
        """What is wrong with the value, or ""."""
        return self._problem.text

    def set_problem(self, text: str) -> None:
        """Say what has to be put right before going on; "" where nothing has."""
        if text and text != self._problem.text:
            announce(self.control, text)
        self._problem.set_text(text)
