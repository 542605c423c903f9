"""A menu whose entries say in a line what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QPushButton, QStyle, QStyleOption, QVBoxLayout, QWidget

from kvdesk.ui.controls.keys import claims_escape
from kvdesk.ui.controls.look import set_look
from kvdesk.ui.controls.text_button import ChoiceButton
from kvdesk.ui.theme import theme

if TYPE_CHECKING:
    from PySide6.QtGui import QPaintEvent

_WIDTH_PX = 300


class ChoiceMenu(QFrame):
    """A few entries that pop up over a button.

    Attributes:
        chosen: an entry was clicked; its name.
    """

    chosen = Signal(str)

    def __init__(self, names: tuple[str, ...], parent: QWidget) -> None:
        """Make an entry for each of `names`; `set_entry` gives them words."""
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        # Without it the corners outside of the round frame would be filled.
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        set_look(self, surface="menu")
        self._buttons = {name: ChoiceButton(self) for name in names}
        self._column = QVBoxLayout(self)
        # The smallest size of lines that wrap is that of a narrower menu, and higher.
        self._column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        self._column.setContentsMargins(4, 4, 4, 4)
        self._column.setSpacing(2)
        for button in self._buttons.values():
            button.clicked.connect(self._on_clicked)
            self._column.addWidget(button)

    def set_entry(self, name: str, title: str, line: str) -> None:
        """Say what the entry `name` does."""
        self._buttons[name].set_texts(title, line)

    def button(self, name: str) -> QPushButton:
        """The button of the entry `name`."""
        return self._buttons[name]

    def open_above(self, widget: QWidget) -> None:
        """Show the menu over `widget`, their right ends together, inside the screen."""
        width = theme().px(_WIDTH_PX)
        self.resize(width, self._column.totalHeightForWidth(width))
        corner = widget.mapToGlobal(QPoint(widget.width() - width, -self.height() - 4))
        screen = widget.screen().availableGeometry()
        corner.setX(max(screen.left(), min(corner.x(), screen.right() - width)))
        corner.setY(max(screen.top(), corner.y()))
        self.move(corner)
        self.show()
        next(iter(self._buttons.values())).setFocus(Qt.FocusReason.PopupFocusReason)

    def event(self, event: QEvent) -> bool:
        """Have Escape come here."""
        return claims_escape(event) or super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the frame, which Qt leaves out in a window that is translucent."""
        option = QStyleOption()
        option.initFrom(self)
        painter = QPainter(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option, painter, self)

    def _on_clicked(self) -> None:
        pressed = self.sender()
        self.hide()
        for name, button in self._buttons.items():
            if button is pressed:
                self.chosen.emit(name)
