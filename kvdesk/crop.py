"""Crops of a picture in the shape of the clip, in pixels of the upright picture."""

from __future__ import annotations

import math

from engine.api import CropBox

MIN_SIDE = 16.0
"""Pixels that the shorter side of a crop has at least, where the picture has as many."""


def largest_crop(width: int, height: int, aspect: float) -> CropBox:
    """The largest crop in the middle of a picture; `aspect` is its width by its height."""
    return _crop(width / 2, height / 2, math.inf, width, height, aspect)


def reshaped(crop: CropBox, width: int, height: int, aspect: float) -> CropBox:
    """A crop of another shape about the same centre that shows as much as `crop` does."""
    area = (crop.right - crop.left) * (crop.bottom - crop.top)
    centre_x, centre_y = _centre(crop)
    return _crop(centre_x, centre_y, math.sqrt(area * aspect), width, height, aspect)


def inner_crop(crop: CropBox, aspect: float) -> CropBox:
    """The middle of `crop` in the shape of the clip: what the engine takes of it."""
    crop_width, crop_height = crop.right - crop.left, crop.bottom - crop.top
    width = min(crop_width, crop_height * aspect)
    centre_x, centre_y = _centre(crop)
    return CropBox(
        left=centre_x - width / 2,
        top=centre_y - width / aspect / 2,
        right=centre_x + width / 2,
        bottom=centre_y + width / aspect / 2,
    )


def moved(crop: CropBox, dx: float, dy: float, width: int, height: int) -> CropBox:
    """`crop` moved by `dx` and `dy`, as far as the picture goes."""
    dx = min(max(dx, -crop.left), width - crop.right)
    dy = min(max(dy, -crop.top), height - crop.bottom)
    return _tidy(crop.left + dx, crop.top + dy, crop.right + dx, crop.bottom + dy, width, height)


def resized(crop: CropBox, crop_width: float, width: int, height: int) -> CropBox:
    """`crop` about the same centre, `crop_width` wide, as far as the picture goes."""
    aspect = (crop.right - crop.left) / (crop.bottom - crop.top)
    return _crop(*_centre(crop), crop_width, width, height, aspect)


def dragged_corner(
    crop: CropBox, *, right: bool, bottom: bool, to: tuple[float, float], width: int, height: int
) -> CropBox:
    """`crop` with one corner dragged towards the point `to`; the opposite corner stays.

    Args:
        crop: what it is now.
        right: whether it is one of the two corners at the right.
        bottom: whether it is one of the two corners at the bottom.
        to: where the corner should go.
        width: of the picture.
        height: of the picture.
    """
    aspect = (crop.right - crop.left) / (crop.bottom - crop.top)
    fixed_x = crop.left if right else crop.right
    fixed_y = crop.top if bottom else crop.bottom
    room_x = width - fixed_x if right else fixed_x
    room_y = height - fixed_y if bottom else fixed_y
    wanted_x = to[0] - fixed_x if right else fixed_x - to[0]
    wanted_y = to[1] - fixed_y if bottom else fixed_y - to[1]
    most = min(room_x, room_y * aspect)
    new_width = min(max(wanted_x, wanted_y * aspect, _least_width(aspect)), most)
    new_height = new_width / aspect
    left = fixed_x if right else fixed_x - new_width
    top = fixed_y if bottom else fixed_y - new_height
    return _tidy(left, top, left + new_width, top + new_height, width, height)


def _crop(
    centre_x: float, centre_y: float, crop_width: float, width: int, height: int, aspect: float
) -> CropBox:
    most = min(width, height * aspect)
    crop_width = min(max(crop_width, _least_width(aspect)), most)
    crop_height = crop_width / aspect
    left = min(max(centre_x - crop_width / 2, 0.0), width - crop_width)
    top = min(max(centre_y - crop_height / 2, 0.0), height - crop_height)
    return _tidy(left, top, left + crop_width, top + crop_height, width, height)


def _least_width(aspect: float) -> float:
    return MIN_SIDE * max(aspect, 1.0)


def _tidy(left: float, top: float, right: float, bottom: float, width: int, height: int) -> CropBox:
    # A hundredth of a pixel keeps the shape; more digits are noise of the arithmetic, which could
    # also reach beyond the picture.
    return CropBox(
        left=max(0.0, round(left, 2)),
        top=max(0.0, round(top, 2)),
        right=min(float(width), round(right, 2)),
        bottom=min(float(height), round(bottom, 2)),
    )


def _centre(crop: CropBox) -> tuple[float, float]:
    return (crop.left + crop.right) / 2, (crop.top + crop.bottom) / 2
