"""Colours, sizes and the style sheet: the only place where they are chosen."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPalette

from kvdesk.ui.style_sheet import style_sheet
from kvdesk.ui.tokens import DARK, LIGHT

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from kvdesk.ui.tokens import Tokens

SPACE = 4
"""The grid, in pixels that do not depend on the screen. Gaps are 2 or 4 of it, panels 4."""
GAP = 2 * SPACE
PANEL = 4 * SPACE
RADIUS = 8
INNER_RADIUS = 6
BASE_FONT_PX = 13


class ThemeChoice(StrEnum):
    """What a person can choose."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """The theme of the running application; widgets that paint themselves read it.

    Attributes:
        changed: after the style sheet and the palette are in place.
    """

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._choice = ThemeChoice.SYSTEM
        self._scale = 1.0
        self.tokens = DARK
        app.styleHints().colorSchemeChanged.connect(self._apply)

    @property
    def is_dark(self) -> bool:
        """Whether the dark colours are in use."""
        return self.tokens is DARK

    @property
    def choice(self) -> ThemeChoice:
        """What was chosen; the system's colours may be either."""
        return self._choice

    @property
    def text_percent(self) -> int:
        """The size of text."""
        return round(100 * self._scale)

    def px(self, pixels: float) -> int:
        """`pixels` of the design at the chosen text size."""
        return round(pixels * self._scale)

    def color(self, name: str) -> QColor:
        """The token `name` as a colour."""
        return QColor(getattr(self.tokens, name))

    def font(self, *, px: float = BASE_FONT_PX, bold: bool = False) -> QFont:
        """The application's font in another size."""
        font = QFont(self._app.font())
        font.setPixelSize(self.px(px))
        if bold:
            font.setWeight(QFont.Weight.DemiBold)
        return font

    def use(self, choice: ThemeChoice, *, text_percent: int = 100) -> None:
        """Show the application in these colours and this size of text."""
        self._choice = choice
        self._scale = text_percent / 100
        self._apply()

    def _apply(self) -> None:
        scheme = self._app.styleHints().colorScheme()
        dark_system = scheme is not Qt.ColorScheme.Light
        is_dark = self._choice is ThemeChoice.DARK or (
            self._choice is ThemeChoice.SYSTEM and dark_system
        )
        self.tokens = DARK if is_dark else LIGHT
        font = QFont(self._app.font())
        font.setPixelSize(self.px(BASE_FONT_PX))
        self._app.setFont(font)
        self._app.setPalette(_palette(self.tokens))
        self._app.setStyleSheet(style_sheet(self.tokens, self.px))
        self.changed.emit()


_theme: Theme | None = None


def install_theme(app: QApplication) -> Theme:
    """Make the one theme of `app`; `theme` hands it out from then on."""
    global _theme
    app.setStyle("Fusion")
    _theme = Theme(app)
    _theme.use(ThemeChoice.SYSTEM)
    return _theme


def theme() -> Theme:
    """The theme of the running application."""
    assert _theme is not None, "install_theme comes first"
    return _theme


def _palette(tokens: Tokens) -> QPalette:
    roles = {
        QPalette.ColorRole.Window: tokens.window,
        QPalette.ColorRole.WindowText: tokens.text,
        QPalette.ColorRole.Base: tokens.card,
        QPalette.ColorRole.AlternateBase: tokens.panel,
        QPalette.ColorRole.Text: tokens.text,
        QPalette.ColorRole.PlaceholderText: tokens.muted,
        QPalette.ColorRole.Button: tokens.card,
        QPalette.ColorRole.ButtonText: tokens.text,
        QPalette.ColorRole.ToolTipBase: tokens.card,
        QPalette.ColorRole.ToolTipText: tokens.text,
        QPalette.ColorRole.Highlight: tokens.accent,
        QPalette.ColorRole.HighlightedText: tokens.on_accent,
        QPalette.ColorRole.Link: tokens.accent,
    }
    palette = QPalette()
    for role, colour in roles.items():
        palette.setColor(role, QColor(colour))
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
    ):
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.muted))
    return palette
