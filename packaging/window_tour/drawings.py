"""Pictures to drop on the window: one that is drawn here, and one that is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from pathlib import Path

_SIZE = (640, 400)
_BACKGROUND = (15, 20, 85)
_COLOUR = (240, 220, 50)
_CORNERS = ((420, 130), (350, 251), (490, 251))
_FINER = 4
_BYTES_LEFT = 300


def draw_picture(path: Path) -> None:
    """Write a wide picture of a yellow triangle, which the demo model can go on from."""
    size = (_SIZE[0] * _FINER, _SIZE[1] * _FINER)
    large = Image.new("RGB", size, _BACKGROUND)
    corners = [(x * _FINER, y * _FINER) for x, y in _CORNERS]
    ImageDraw.Draw(large).polygon(corners, fill=_COLOUR)
    large.resize(_SIZE, Image.Resampling.LANCZOS).save(path)


def break_picture(path: Path, *, source: Path) -> None:
    """Write the first bytes of `source`, as a download leaves them that was cut off."""
    path.write_bytes(source.read_bytes()[:_BYTES_LEFT])
