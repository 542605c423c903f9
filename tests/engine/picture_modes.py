"""Pictures of every mode: transparency, depths and colour models."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
from picture_makers import (
    LOSSY,
    WHITE,
    Built,
    Pixels,
    Sample,
    blend,
    bmp,
    chunk,
    encode,
    grey,
    png,
    rgb_of,
    scene,
    tiff,
)
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

# Transparency.

_ALPHA = grey(20, 10)


def _rgba(kind: str, **options: object) -> Built:
    colours = scene(20, 10)
    return encode(np.dstack([colours, _ALPHA]), kind, **options), blend(colours, _ALPHA)


def _la(kind: str, **options: object) -> Built:
    levels = scene(20, 10)[..., 2]
    picture = Image.merge("LA", (Image.fromarray(levels), Image.fromarray(_ALPHA)))
    return encode(picture, kind, **options), blend(rgb_of(levels), _ALPHA)


COLOURS = np.array([[255, 0, 0], [0, 200, 0], [10, 20, 250], [90, 90, 10]], np.uint8)


def indices() -> Pixels:
    return (np.arange(200, dtype=np.uint8) % 4).reshape(10, 20)


def _palette(kind: str, alphas: list[int] | int | None = None) -> Built:
    picture = Image.fromarray(indices(), "L")
    picture = picture.copy()
    picture.putpalette(COLOURS.tobytes())
    opacity = np.full(4, 255, np.uint8)
    options: dict[str, object] = {}
    if isinstance(alphas, list):
        opacity[:] = alphas
        options["transparency"] = bytes(alphas)
    elif isinstance(alphas, int):
        opacity[alphas] = 0
        options["transparency"] = alphas
    expected = blend(COLOURS[indices()], opacity[indices()])
    return encode(picture, kind, **options), expected


def _palette_alpha_tiff() -> Built:
    picture = Image.new("PA", (20, 10))
    picture.putpalette(COLOURS.tobytes())
    data = np.dstack([indices(), _ALPHA])
    picture.frombytes(data.tobytes())
    return encode(picture, "TIFF"), blend(COLOURS[indices()], _ALPHA)


def _key_rgb() -> Built:
    colours = COLOURS[indices()]
    key = struct.pack(">HHH", 10, 20, 250)
    data = png((20, 10), 8, 2, [row.tobytes() for row in colours], before=chunk(b"tRNS", key))
    return data, blend(colours, np.where(indices() == 2, 0, 255))


def _key_rgb_16() -> Built:
    colours = COLOURS[indices()].astype(np.uint16) * 256 + 7
    rows = [row.astype(">u2").tobytes() for row in colours]
    key = struct.pack(">HHH", 10 * 256 + 7, 20 * 256 + 7, 250 * 256 + 7)
    data = png((20, 10), 16, 2, rows, before=chunk(b"tRNS", key))
    return data, blend(COLOURS[indices()], np.where(indices() == 2, 0, 255))


def _key_grey(depth: int) -> Built:
    """Levels that count up, of which one is transparent, packed with `depth` bits."""
    highest = 2**depth - 1
    levels = (np.arange(16 * 8) % (highest + 1)).reshape(8, 16)
    if depth == 16:
        levels = levels * 500
    key = int(levels[0, 1])
    if depth == 16:
        rows = [row.astype(">u2").tobytes() for row in levels]
    else:
        bits = (levels[..., None] >> np.arange(depth)[::-1]) & 1
        rows = [np.packbits(row).tobytes() for row in bits.reshape(8, -1)]
    data = png((16, 8), depth, 0, rows, before=chunk(b"tRNS", struct.pack(">H", key)))
    colours = rgb_of((levels * 255 / highest).round().astype(np.uint8))
    return data, blend(colours, np.where(levels == key, 0, 255))


def _premultiplied_tiff() -> Built:
    colours, alpha = scene(20, 10), np.maximum(_ALPHA, 128)
    stored = (colours * (alpha[..., None] / 255)).round().astype(np.uint8)
    tags = {258: ("H", (8, 8, 8, 8)), 259: ("H", (1,)), 262: ("H", (2,)), 277: ("H", (4,))}
    data = tiff((20, 10), np.dstack([stored, alpha]).tobytes(), {**tags, 338: ("H", (1,))})
    return data, blend(colours, alpha)


def _bmp_32_alpha() -> Built:
    colours = scene(20, 10)
    stored = np.dstack([colours[..., ::-1], _ALPHA])[::-1]
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    data = bmp((20, 10), 32, stored.tobytes(), compression=3, masks=masks)
    return data, blend(colours, _ALPHA)


def transparent() -> list[Sample]:
    builds: dict[str, tuple[Callable[[], Built], int]] = {
        "rgba-png": (lambda: _rgba("PNG"), 1),
        "rgba-webp": (lambda: _rgba("WEBP", lossless=True, exact=True), 1),
        "rgba-tiff": (lambda: _rgba("TIFF"), 1),
        "rgba-tiff-lzw": (lambda: _rgba("TIFF", compression="tiff_lzw"), 1),
        "rgba-avif": (lambda: _rgba("AVIF", quality=100, subsampling="4:4:4", speed=10), LOSSY),
        "rgba-bmp": (_bmp_32_alpha, 1),
        "la-png": (lambda: _la("PNG"), 1),
        "la-tiff": (lambda: _la("TIFF"), 1),
        "premultiplied-tiff": (_premultiplied_tiff, 2),
        "palette-png": (lambda: _palette("PNG"), 0),
        "palette-gif": (lambda: _palette("GIF"), 0),
        "palette-bmp": (lambda: _palette("BMP"), 0),
        "palette-tiff": (lambda: _palette("TIFF"), 0),
        "palette-alphas-png": (lambda: _palette("PNG", [0, 50, 255, 128]), 1),
        "palette-one-clear-png": (lambda: _palette("PNG", 2), 0),
        "palette-one-clear-gif": (lambda: _palette("GIF", 1), 0),
        "palette-alpha-tiff": (_palette_alpha_tiff, 1),
        "key-rgb-png": (_key_rgb, 0),
        "key-rgb-16-png": (_key_rgb_16, 0),
        **{f"key-grey-{d}-png": (lambda d=d: _key_grey(d), 0) for d in (1, 2, 4, 8, 16)},
    }
    return [Sample(name=n, build=b, tolerance=t) for n, (b, t) in builds.items()]


# Depths and colour models.


def _bilevel(kind: str, **options: object) -> Built:
    dots = (np.indices((11, 21)).sum(axis=0) % 3 == 0) | (np.arange(21) > 15)
    return encode(Image.fromarray(dots), kind, **options), rgb_of(dots.astype(np.uint8) * 255)


def _grey(kind: str, **options: object) -> Built:
    levels = grey(31, 17)
    return encode(levels, kind, **options), rgb_of(levels)


def _levels_16() -> Pixels:
    return np.linspace(0, 65535, 300).round().astype(np.uint16).reshape(15, 20)


def _from_16(levels: Pixels) -> Pixels:
    return rgb_of((levels.astype(np.float64) / 257).round().astype(np.uint8))


def _grey_16(kind: str, **options: object) -> Built:
    return encode(_levels_16(), kind, **options), _from_16(_levels_16())


def _grey_16_big_endian() -> Built:
    picture = Image.frombytes("I;16B", (20, 15), _levels_16().astype(">u2").tobytes())
    return encode(picture, "TIFF"), _from_16(_levels_16())


def _png_16(colour_type: int) -> Built:
    """Types 2 (RGB), 4 (grey and alpha) and 6 (RGBA)."""
    colours = scene(20, 10).astype(np.uint32) * 257
    alpha = _ALPHA.astype(np.uint32)[..., None] * 257
    flat = scene(20, 10)
    if colour_type == 2:
        stored, expected = colours, flat
    elif colour_type == 4:
        stored = np.concatenate([colours[..., :1], alpha], axis=-1)
        expected = blend(rgb_of(flat[..., 0]), _ALPHA)
    else:
        stored, expected = np.concatenate([colours, alpha], axis=-1), blend(flat, _ALPHA)
    rows = [row.astype(">u2").tobytes() for row in stored]
    return png((20, 10), 16, colour_type, rows), expected


def ppm(maxval: int) -> Built:
    values = (scene(20, 10).astype(np.float64) / 255 * maxval).round()
    data = values.astype(">u2" if maxval > 255 else np.uint8).tobytes()
    expected = (values * 255 / maxval).round().astype(np.uint8)
    return b"P6\n# made in code\n20 10\n%d\n" % maxval + data, expected


def _pgm(maxval: int) -> Built:
    values = (_levels_16().astype(np.float64) / 65535 * maxval).round()
    expected = rgb_of((values * 255 / maxval).round().astype(np.uint8))
    return b"P5 20 15 %d\n" % maxval + values.astype(">u2").tobytes(), expected


def _float(values: Pixels, kind: str, **options: object) -> Built:
    """Floats from the lowest to the highest of `values`, expected from black to white."""
    file = encode(values.astype(np.float32), kind, **options)
    span = (values - values.min()) / (values.max() - values.min())
    return file, rgb_of((span * 255).round().astype(np.uint8))


def _float_with_holes() -> Built:
    values = np.linspace(0, 1, 200).reshape(10, 20)
    expected = (values * 255).round().astype(np.uint8)
    values[0, :3] = np.nan, np.inf, -np.inf
    expected[0, :3] = 0, 255, 0
    return encode(values.astype(np.float32), "TIFF"), rgb_of(expected)


def _whole_32(lowest: int, highest: int) -> Built:
    values = np.linspace(lowest, highest, 200).round().astype(np.int32).reshape(10, 20)
    span = (values.astype(np.float64) - lowest) / (highest - lowest)
    return encode(values, "TIFF"), rgb_of((span * 255).round().astype(np.uint8))


def _cmyk(kind: str, **options: object) -> Built:
    inks = np.dstack([scene(24, 16) // 2, grey(24, 16) // 3]).astype(np.uint8)
    picture = Image.frombytes("CMYK", (24, 16), inks.tobytes())
    light = (255.0 - inks[..., :3]) * (255.0 - inks[..., 3:]) / 255
    return encode(picture, kind, **options), light.round().astype(np.uint8)


def _rgbx_tiff() -> Built:
    colours = scene(20, 10)
    picture = Image.fromarray(colours).convert("RGBX")
    return encode(picture, "TIFF"), colours


def _lab_tiff() -> Built:
    # Three colours of which the L*a*b* values are known: white, mid grey and sRGB red.
    lab = np.array([[[255, 0, 0], [137, 0, 0], [138, 81, 70]]], np.uint8)
    picture = Image.frombytes("LAB", (3, 1), lab.tobytes())
    return encode(picture, "TIFF"), np.array([[WHITE, (128,) * 3, (255, 0, 0)]], np.uint8)


def _ycbcr_tiff() -> Built:
    levels = grey(20, 10)
    neutral = np.full_like(levels, 128)
    picture = Image.merge("YCbCr", [Image.fromarray(band) for band in (levels, neutral, neutral)])
    return encode(picture, "TIFF"), rgb_of(levels)


def _white_is_zero_tiff() -> Built:
    levels = grey(20, 10)
    tags = {258: ("H", (8,)), 259: ("H", (1,)), 262: ("H", (0,)), 277: ("H", (1,))}
    return tiff((20, 10), (255 - levels).tobytes(), tags), rgb_of(levels)


def _bmp_565() -> Built:
    red, green, blue = (scene(20, 10).astype(np.uint16) >> [3, 2, 3]).transpose(2, 0, 1)
    stored = (red << 11 | green << 5 | blue).astype("<u2")[::-1]
    levels = [red * 255 / 31, green * 255 / 63, blue * 255 / 31]
    data = bmp((20, 10), 16, stored.tobytes(), compression=3, masks=(0xF800, 0x7E0, 0x1F))
    return data, np.stack(levels, axis=-1).round().astype(np.uint8)


def _bmp_top_down() -> Built:
    colours = scene(20, 10)
    return bmp((20, -10), 24, colours[..., ::-1].tobytes()), colours


def bmp_rle() -> Built:
    cells = np.repeat(indices()[:, ::5], 5, axis=1)
    rows = [b"".join(bytes([5, v]) for v in row[::5]) + b"\0\0" for row in cells[::-1]]
    palette = np.pad(COLOURS[:, ::-1], ((0, 0), (0, 1))).tobytes()
    data = bmp((20, 10), 8, b"".join(rows) + b"\0\1", compression=1, palette=palette)
    return data, COLOURS[cells]


def _packed_palette(depth: int) -> Built:
    cells = indices()[:, :16] % 2**depth
    bits = (cells[..., None] >> np.arange(depth)[::-1]) & 1
    rows = [np.packbits(row).tobytes() for row in bits.reshape(10, -1)]
    palette = chunk(b"PLTE", COLOURS[: 2**depth].tobytes())
    return png((16, 10), depth, 3, rows, before=palette), COLOURS[cells]


def _interlaced() -> Built:
    colours = scene(19, 13)
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4))
    passes += ((1, 0, 2, 2), (0, 1, 1, 2))
    rows = [row.tobytes() for x, y, dx, dy in passes for row in colours[y::dy, x::dx] if row.size]
    return png((19, 13), 8, 2, rows, interlace=True), colours


def depths() -> list[Sample]:
    ramp = np.arange(200, dtype=np.float64).reshape(10, 20)
    jpeg = {"quality": 100, "subsampling": 0}
    builds: dict[str, tuple[Callable[[], Built], int]] = {
        "1-png": (lambda: _bilevel("PNG"), 0),
        "1-bmp": (lambda: _bilevel("BMP"), 0),
        "1-gif": (lambda: _bilevel("GIF"), 0),
        "1-tiff": (lambda: _bilevel("TIFF"), 0),
        "1-tiff-group4": (lambda: _bilevel("TIFF", compression="group4"), 0),
        "1-pbm": (lambda: _bilevel("PPM"), 0),
        "grey-png": (lambda: _grey("PNG"), 0),
        "grey-bmp": (lambda: _grey("BMP"), 0),
        "grey-gif": (lambda: _grey("GIF"), 0),
        "grey-tiff": (lambda: _grey("TIFF"), 0),
        "grey-pgm": (lambda: _grey("PPM"), 0),
        "grey-webp": (lambda: _grey("WEBP", lossless=True), 0),
        "grey-jpeg": (lambda: _grey("JPEG", quality=100), LOSSY),
        "grey-avif": (lambda: _grey("AVIF", quality=100, speed=10), LOSSY),
        "grey-16-png": (lambda: _grey_16("PNG"), 0),
        "grey-16-tiff": (lambda: _grey_16("TIFF"), 0),
        "grey-16-tiff-lzw": (lambda: _grey_16("TIFF", compression="tiff_lzw"), 0),
        "grey-16-tiff-big-endian": (_grey_16_big_endian, 0),
        "grey-16-pgm": (lambda: _grey_16("PPM"), 0),
        "pgm-maxval-1000": (lambda: _pgm(1000), 1),
        "pgm-maxval-65535": (lambda: _pgm(65535), 0),
        "rgb-16-png": (lambda: _png_16(2), 1),
        "la-16-png": (lambda: _png_16(4), 1),
        "rgba-16-png": (lambda: _png_16(6), 1),
        "ppm-maxval-254": (lambda: ppm(254), 0),
        "ppm-maxval-15": (lambda: ppm(15), 0),
        "ppm-maxval-65535": (lambda: ppm(65535), 1),
        "float-unit-tiff": (lambda: _float(ramp / 199, "TIFF"), 0),
        "float-unit-pfm": (lambda: _float(ramp / 199, "PPM"), 0),
        "float-255-tiff": (lambda: _float(ramp / 199 * 255, "TIFF"), 1),
        "float-lzw-tiff": (lambda: _float(ramp / 199, "TIFF", compression="tiff_lzw"), 0),
        "float-large-tiff": (lambda: _float(ramp * 1e6, "TIFF"), 1),
        "float-negative-tiff": (lambda: _float(ramp - 100, "TIFF"), 1),
        "float-holes-tiff": (_float_with_holes, 0),
        "whole-32-tiff": (lambda: _whole_32(0, 65535), 1),
        "whole-32-negative-tiff": (lambda: _whole_32(-2000, 2000), 1),
        "whole-32-large-tiff": (lambda: _whole_32(0, 2**31 - 1), 1),
        "cmyk-jpeg": (lambda: _cmyk("JPEG", **jpeg), LOSSY),
        "cmyk-tiff": (lambda: _cmyk("TIFF"), 1),
        "cmyk-tiff-lzw": (lambda: _cmyk("TIFF", compression="tiff_lzw"), 1),
        "rgbx-tiff": (_rgbx_tiff, 0),
        "lab-tiff": (_lab_tiff, 5),
        "ycbcr-tiff": (_ycbcr_tiff, 1),
        "white-is-zero-tiff": (_white_is_zero_tiff, 0),
        "bmp-565": (_bmp_565, 1),
        "bmp-top-down": (_bmp_top_down, 0),
        "bmp-rle": (bmp_rle, 0),
        **{f"packed-palette-{d}-png": (lambda d=d: _packed_palette(d), 0) for d in (1, 2, 4)},
        "interlaced-png": (_interlaced, 0),
    }
    return [Sample(name=n, build=b, tolerance=t) for n, (b, t) in builds.items()]
