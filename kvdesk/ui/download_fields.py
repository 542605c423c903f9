"""How models are fetched: how fast at most, and from which server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QSpinBox, QVBoxLayout, QWidget

from kvdesk.settings import MAX_DOWNLOAD_LIMIT
from kvdesk.ui.controls.labelled_field import LabelledField
from kvdesk.ui.controls.wheel import leave_wheel_alone
from kvdesk.ui.theme import PANEL

if TYPE_CHECKING:
    from kvdesk.settings import Settings

_USUAL_SERVER = "https://huggingface.co"


class DownloadFields(QWidget):
    """Shows two of the `Settings` and says what they shall be.

    Attributes:
        setting_changed: (name of the field of `Settings`, value)
    """

    setting_changed = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._limit = QSpinBox()
        self._limit.setRange(0, MAX_DOWNLOAD_LIMIT)
        self._limit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._limit.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._limit.setKeyboardTracking(False)  # what is half typed is not what a person wants
        leave_wheel_alone(self._limit)
        self._mirror = QLineEdit()
        self._mirror.setPlaceholderText(_USUAL_SERVER)
        self._fields = {
            "download_limit": LabelledField("", self._limit, shows_help=True),
            "mirror": LabelledField("", self._mirror, shows_help=True),
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(PANEL)
        for field in self._fields.values():
            column.addWidget(field)
        self._limit.valueChanged.connect(self._on_limit_changed)
        self._mirror.editingFinished.connect(self._on_mirror_edited)
        self._retranslate()

    def show_settings(self, settings: Settings) -> None:
        """Show what is set."""
        self._limit.blockSignals(True)
        self._limit.setValue(settings.download_limit)
        self._limit.blockSignals(False)
        if settings.mirror != self._mirror.text().strip():
            self._mirror.setText(settings.mirror)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self._limit.setSpecialValueText(self.tr("No limit"))
        self._limit.setSuffix(" MB/s")
        self._fields["download_limit"].set_texts(
            self.tr("Fetch no faster than"), self.tr("Leaves some of the connection to others.")
        )
        self._fields["mirror"].set_texts(
            self.tr("Fetch from another server"),
            self.tr("The address of a mirror of Hugging Face; empty for Hugging Face itself."),
        )

    def _on_limit_changed(self, value: int) -> None:
        self.setting_changed.emit("download_limit", value)

    def _on_mirror_edited(self) -> None:
        self.setting_changed.emit("mirror", self._mirror.text().strip())
