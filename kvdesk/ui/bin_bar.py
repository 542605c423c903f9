"""What stands above the clips in the bin: how much they take, and how to delete them for good."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLocale, Qt, Signal
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from kvdesk.ui.controls.rows import FlowRows
from kvdesk.ui.plain_text import PlainLabel
from kvdesk.ui.theme import GAP


class BinBar(QFrame):
    """Asks once more before the bin is emptied.

    Attributes:
        left: back to the library.
        emptied: the clips in the bin are to be deleted.
    """

    left = Signal()
    emptied = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "card")
        self._num_clips = 0
        self._num_bytes: int | None = None
        self._is_asking = False
        self._text = PlainLabel()
        self._text.setWordWrap(True)
        self._empty = QPushButton()
        self._empty.setProperty("kind", "danger")
        self._back = QPushButton()
        buttons = FlowRows(gap=GAP)
        buttons.addWidget(self._empty)
        buttons.addWidget(self._back)
        column = QVBoxLayout(self)
        column.setContentsMargins(GAP, GAP, GAP, GAP)
        column.setSpacing(GAP)
        column.addWidget(self._text)
        column.addLayout(buttons)
        self._empty.clicked.connect(self._on_empty)
        self._back.clicked.connect(self._on_back)
        self._retranslate()

    def show_clips(self, num_clips: int) -> None:
        """Show how many clips are in the bin; how much they take is not known yet."""
        self._num_clips = num_clips
        self._num_bytes = None
        self._is_asking = False
        self._retranslate()

    def show_bytes(self, num_bytes: int) -> None:
        """Show how much they take."""
        self._num_bytes = num_bytes
        self._retranslate()

    def _on_empty(self) -> None:
        if self._is_asking:
            self.emptied.emit()
            return
        self._is_asking = True
        self._retranslate()
        # Who presses a key twice does not mean it.
        self._back.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_back(self) -> None:
        if not self._is_asking:
            self.left.emit()
        self._is_asking = False
        self._retranslate()

    def _retranslate(self) -> None:
        self._empty.setVisible(self._num_clips > 0)
        if self._is_asking:
            self._text.setText(
                self.tr("Delete %n clip(s) for good? This cannot be undone.", "", self._num_clips)
            )
            self._empty.setText(self.tr("Delete for good"))
            self._back.setText(self.tr("Keep"))
            return
        self._text.setText(self.tr("This is the bin. A clip in it can be put back."))
        self._back.setText(self.tr("Back to the library"))
        if self._num_bytes is None:
            self._empty.setText(self.tr("Empty the bin"))
        else:
            size = QLocale().formattedDataSize(
                self._num_bytes, 0, QLocale.DataSizeFormat.DataSizeSIFormat
            )
            self._empty.setText(self.tr("Empty the bin ({size})").format(size=size))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)
