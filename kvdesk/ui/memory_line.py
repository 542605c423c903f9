"""Under the stages: that memory has become scarce, and what it means for the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.api import MemoryEffect
from kvdesk.ui.controls.look import announce, set_look
from kvdesk.ui.plain_text import PlainLabel

if TYPE_CHECKING:
    from kvdesk.run_progress import RunProgress


class MemoryLine(PlainLabel):
    """One calm sentence; hidden while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        set_look(self, role="muted")
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._effect: MemoryEffect | None = None
        self.hide()

    def show_progress(self, progress: RunProgress | None) -> None:
        """Say what `progress` knows of it, aloud when it is news; None where no job runs."""
        effect = None if progress is None else progress.memory_effect
        if effect is self._effect:
            return
        self._effect = effect
        self._retranslate()
        self.setVisible(effect is not None)
        if effect is not None:
            announce(self, self.text())

    def changeEvent(self, event: QEvent) -> None:
        """Follow the language."""
        if event.type() is QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        match self._effect:
            case None:
                text = ""
            case MemoryEffect.EXACT:
                text = self.tr("Memory is scarce: a little slower, and the pixels stay the same.")
            case MemoryEffect.ROUNDING:
                text = self.tr(
                    "Memory is scarce: a little slower, and pixels may differ in the last digits."
                )
            case MemoryEffect.LOSSY:
                text = self.tr(
                    "Memory is scarce: 8-bit weights, as you allowed. The pixels differ a little."
                )
        self.setText(text)
        self.setToolTip(self.tr("Another program may have taken memory that the clip was using."))
