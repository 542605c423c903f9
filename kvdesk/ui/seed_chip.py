"""The seed: to read, to type, to keep, to draw anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QRegularExpression, Qt, Signal
from PySide6.QtGui import QKeyEvent, QRegularExpressionValidator
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QPushButton, QWidget

from engine.api import MAX_SEED
from kvdesk.form_fields import seed_text
from kvdesk.ui.controls import IconButton, claims_escape, set_look
from kvdesk.ui.theme import theme

if TYPE_CHECKING:
    from PySide6.QtGui import QShowEvent

_DIGITS = QRegularExpression(r"[\d\s]{1,27}")


class SeedChip(QFrame):
    """The seed in groups of three digits; a click makes it a field.

    Attributes:
        seed_changed: a person typed another seed (object: larger than a C int).
        lock_changed: clips are to keep this seed, or not.
        roll_requested: a person wants another seed.
    """

    seed_changed = Signal(object)
    lock_changed = Signal(bool)
    roll_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seed = 0
        self._words = QPushButton(self)
        self._field = QLineEdit(self)
        self._lock = IconButton("unlock", kind="small", parent=self)
        self._dice = IconButton("dice", kind="small", parent=self)
        self._build_ui()
        self._connect()
        self._retranslate()

    def _build_ui(self) -> None:
        set_look(self, surface="card")
        set_look(self._words, kind="small")
        self._lock.setCheckable(True)
        self._field.setValidator(QRegularExpressionValidator(_DIGITS, self._field))
        self._field.hide()
        self._field.installEventFilter(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(2, 1, 2, 1)
        row.setSpacing(0)
        for part in (self._words, self._field, self._lock, self._dice):
            row.addWidget(part)

    def _connect(self) -> None:
        self._words.clicked.connect(self._on_words_clicked)
        self._field.editingFinished.connect(self._on_typed)
        self._lock.clicked.connect(self._on_lock_clicked)
        self._dice.clicked.connect(self.roll_requested)

    def show_seed(self, seed: int, *, is_locked: bool) -> None:
        """Show `seed`, and whether clips keep it."""
        self._seed = seed
        self._lock.setChecked(is_locked)
        self._lock.set_icon_name("lock" if is_locked else "unlock")
        self._retranslate()

    def changeEvent(self, event: QEvent) -> None:
        """Speak another language."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Escape leaves the seed as it was."""
        if watched is self._field and claims_escape(event):
            return True
        is_escape = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if watched is self._field and event.type() is QEvent.Type.KeyPress and is_escape:
            self._field.setText(str(self._seed))
            self._close_field()
            return True
        return super().eventFilter(watched, event)

    def showEvent(self, event: QShowEvent) -> None:
        """Leave room for a long seed while it is typed."""
        super().showEvent(event)
        self._field.setMinimumWidth(theme().px(120))

    def _retranslate(self) -> None:
        number = seed_text(self._seed)
        self._words.setText(self.tr("seed {number}").format(number=number))
        self._words.setToolTip(
            self.tr("Where chance begins: the same seed gives the same clip. Click to type one.")
        )
        self._field.setAccessibleName(self.tr("Seed"))
        if self._lock.isChecked():
            self._lock.set_words(self.tr("Take a new seed for every clip"))
        else:
            self._lock.set_words(self.tr("Keep this seed for the next clips"))
        self._dice.set_words(self.tr("Take another seed"))

    def _on_words_clicked(self) -> None:
        self._field.setText(str(self._seed))
        self._words.hide()
        self._field.show()
        self._field.setFocus()
        self._field.selectAll()

    def _on_typed(self) -> None:
        if not self._field.isVisible():
            return
        digits = "".join(self._field.text().split())
        seed = min(int(digits), MAX_SEED) if digits else self._seed
        self._close_field()
        if seed != self._seed:
            self.seed_changed.emit(seed)

    def _close_field(self) -> None:
        had_focus = self._field.hasFocus()
        self._words.show()
        self._field.hide()
        if had_focus:
            self._words.setFocus()

    def _on_lock_clicked(self, is_locked: bool) -> None:
        self.lock_changed.emit(is_locked)
