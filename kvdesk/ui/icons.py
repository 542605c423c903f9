"""Icons: one-colour SVG files that take the colour of the text beside them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

import kvdesk
from kvdesk.ui.theme import theme

ICONS_FOLDER = Path(kvdesk.__file__).parents[1] / "resources" / "icons"
_SIZES = (16, 20, 24, 32, 48)


def icon(name: str, token: str = "text") -> QIcon:
    """The icon `resources/icons/<name>.svg` in the colour of the theme's `token`.

    It keeps that colour: who shows an icon asks again when the theme changes. Where it is
    disabled, it has the colour of muted text.
    """
    made = QIcon()
    colours = theme().tokens
    for mode, colour in (
        (QIcon.Mode.Normal, getattr(colours, token)),
        (QIcon.Mode.Disabled, colours.muted),
    ):
        for size in _SIZES:
            made.addPixmap(pixmap(name, colour, size), mode)
    return made


@lru_cache(maxsize=512)
def pixmap(name: str, colour: str, size: int) -> QPixmap:
    """The icon `name` in `colour` (#rrggbb), `size` pixels wide and high."""
    text = (ICONS_FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(text.replace("currentColor", colour).encode()))
    picture = QPixmap(size, size)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return picture
