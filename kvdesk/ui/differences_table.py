"""The settings in which two clips differ, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
)

from kvdesk.form_fields import field_label
from kvdesk.ui.plain_text import tip
from kvdesk.ui.theme import theme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from kvdesk.clip_differences import Difference

_HIGHEST = 168
_PADDING = 8  # at either side of a cell, as in the style sheet
_PADDING_ABOVE = 4
_ANY_HEIGHT = 10_000


class DifferencesTable(QTableWidget):
    """A row a setting: what it is called, and its value in clip A and in clip B."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 3, parent)
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        # The header tells of a width before it keeps it.
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._fit_rows)
        header.sectionResized.connect(self._on_column_resized)
        self._differences: tuple[Difference, ...] = ()
        self._retranslate()

    def show_differences(self, differences: Sequence[Difference]) -> None:
        """Show these settings."""
        self._differences = tuple(differences)
        self.setRowCount(len(self._differences))
        for row, difference in enumerate(self._differences):
            words = (field_label(difference.field), difference.mine, difference.theirs)
            for column, text in enumerate(words):
                item = QTableWidgetItem(text)
                item.setToolTip(tip(text))
                self.setItem(row, column, item)
        self._fit_rows()

    def sizeHint(self) -> QSize:
        """All rows, up to a height that leaves room for the clips."""
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        height = rows + self.horizontalHeader().sizeHint().height() + 2 * self.frameWidth()
        return QSize(480, min(height, theme().px(_HIGHEST)))

    def minimumSizeHint(self) -> QSize:
        """The header and a row."""
        height = self.horizontalHeader().sizeHint().height() + theme().px(28)
        return QSize(160, min(height, self.sizeHint().height()))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
            self.show_differences(self._differences)
        super().changeEvent(event)

    def _on_column_resized(self) -> None:
        self._timer.start()

    def _fit_rows(self) -> None:
        # Qt's own way knows nothing of the paddings, and hides the last line of long texts.
        for row in range(self.rowCount()):
            needed = max(self._text_height(row, column) for column in range(self.columnCount()))
            self.setRowHeight(row, needed + 2 * theme().px(_PADDING_ABOVE))
        self.updateGeometry()

    def _text_height(self, row: int, column: int) -> int:
        item = self.item(row, column)
        room = QRect(0, 0, self.columnWidth(column) - 2 * theme().px(_PADDING), _ANY_HEIGHT)
        wrap = Qt.TextFlag.TextWordWrap
        return self.fontMetrics().boundingRect(room, wrap, item.text()).height() if item else 0

    def _retranslate(self) -> None:
        self.setHorizontalHeaderLabels([self.tr("Setting"), self.tr("A"), self.tr("B")])
        self.setAccessibleName(self.tr("Settings that differ"))
