"""Buttons that show an icon."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QToolButton, QWidget

from kvdesk.ui.icons import icon
from kvdesk.ui.plain_text import tip
from kvdesk.ui.theme import theme

ICON_PX = 16


class IconButton(QToolButton):
    """A button without text: its words are in the tooltip and for screen readers."""

    def __init__(
        self, name: str, *, kind: str = "flat", token: str = "text", parent: QWidget | None = None
    ) -> None:
        """Show `resources/icons/<name>.svg` in the colour `token`; `kind` is a look."""
        super().__init__(parent)
        self._icon_name = name
        self._token = token
        self.setProperty("kind", kind)
        theme().changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_words(self, words: str, *, shortcut: str = "") -> None:
        """Say what the button does, and by which keys."""
        self.setAccessibleName(words)
        self.setToolTip(tip(f"{words} ({shortcut})" if shortcut else words))

    def set_icon_name(self, name: str, *, token: str = "text") -> None:
        """Show another icon."""
        self._icon_name = name
        self._token = token
        self.setIcon(icon(name, token))

    def _on_theme_changed(self) -> None:
        self.setIcon(icon(self._icon_name, self._token))
        side = theme().px(ICON_PX)
        self.setIconSize(QSize(side, side))
