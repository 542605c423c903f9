"""Pixels, and files of pictures that Pillow cannot be told to write.

What a file should give is computed from its pixels with numpy, never by the decoder under test.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Callable

Pixels = np.ndarray
Built = tuple[bytes, Pixels]
LOSSY = 3
WHITE = (255, 255, 255)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A picture file and the RGB pixels that it should give over white, to `tolerance`."""

    name: str
    build: Callable[[], Built]
    tolerance: int = 0


def scene(width: int, height: int) -> Pixels:
    """A smooth picture without any symmetry: (height, width, 3) uint8."""
    y, x = np.mgrid[0:height, 0:width]
    across, down = x / max(width - 1, 1), y / max(height - 1, 1)
    channels = (20 + 200 * across, 30 + 190 * down, 240 - 150 * across * down)
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def mild(width: int, height: int) -> Pixels:
    """`scene` with little contrast, which lossy kinds keep to `LOSSY`."""
    return scene(width, height) // 8 + np.array([60, 90, 120], np.uint8)


def grey(width: int, height: int) -> Pixels:
    """A smooth grey picture: (height, width) uint8."""
    return scene(width, height)[..., 0] // 2 + scene(width, height)[..., 1] // 2


def blend(colours: Pixels, alpha: Pixels, background: tuple[int, int, int] = WHITE) -> Pixels:
    """Straight alpha over a background."""
    weight = alpha.astype(np.float64)[..., None] / 255
    return (colours * weight + np.array(background) * (1 - weight)).round().astype(np.uint8)


def rgb_of(grey_pixels: Pixels) -> Pixels:
    """Grey pixels three times."""
    return np.repeat(grey_pixels[..., None], 3, axis=-1)


def turned(upright: Pixels, orientation: int) -> Pixels:
    """How a camera stores `upright` when it notes this EXIF orientation."""
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.swapaxes(0, 1),
        6: upright.swapaxes(0, 1)[::-1],
        7: upright.swapaxes(0, 1)[::-1, ::-1],
        8: upright.swapaxes(0, 1)[:, ::-1],
    }[orientation]
    return np.ascontiguousarray(stored)


# Files.


def encode(pixels: Pixels | Image.Image, kind: str, **options: object) -> bytes:
    """Pixels as a file of Pillow's format `kind`."""
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def exif(orientation: int) -> bytes:
    """An EXIF block with nothing but an orientation."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    size: tuple[int, int],
    depth: int,
    colour_type: int,
    rows: list[bytes],
    *,
    before: bytes = b"",
    after: bytes = b"",
    interlace: bool = False,
) -> bytes:
    """A PNG with these packed rows, and chunks before and after its pixels."""
    header = struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, interlace)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    body = chunk(b"IHDR", header) + before + chunk(b"IDAT", pixels) + after
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def with_chunks(file: bytes, before: bytes = b"", after: bytes = b"") -> bytes:
    """A PNG with more chunks right behind its header and before its end."""
    return file[:33] + before + file[33:-12] + after + file[-12:]


def tiff(size: tuple[int, int], data: bytes, tags: dict[int, tuple[str, tuple[int, ...]]]) -> bytes:
    """An uncompressed little-endian TIFF of one strip; `tags`: number to (struct code, values)."""
    tags = {256: ("I", (size[0],)), 257: ("I", (size[1],)), **tags}
    tags |= {273: ("I", (0,)), 279: ("I", (len(data),)), 278: ("I", (size[1],))}
    types = {"B": 1, "H": 3, "I": 4}
    extra_at = 8 + 2 + 12 * len(tags) + 4
    values = {n: struct.pack(f"<{len(v)}{code}", *v) for n, (code, v) in tags.items()}
    strip_at = extra_at + sum(len(v) for v in values.values() if len(v) > 4)
    values[273] = struct.pack("<I", strip_at)
    entries, extra = b"", b""
    for number, (code, items) in sorted(tags.items()):
        value = values[number]
        if len(value) > 4:
            value, extra = struct.pack("<I", extra_at + len(extra)), extra + value
        entries += struct.pack("<HHI", number, types[code], len(items)) + value.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)
    return head + extra + data


def bmp(
    size: tuple[int, int],
    bits: int,
    data: bytes,
    *,
    compression: int = 0,
    masks: tuple[int, ...] = (),
    palette: bytes = b"",
) -> bytes:
    """A BMP with a header of 40 bytes, or of 56 where there are four masks."""
    header_size = 56 if len(masks) == 4 else 40
    extra = struct.pack(f"<{len(masks)}I", *masks) + palette
    offset = 14 + 40 + len(extra)
    width, height = size
    colours = len(palette) // 4
    header = struct.pack(
        "<IiiHHIIiiII",
        header_size,
        width,
        height,
        1,
        bits,
        compression,
        len(data),
        0,
        0,
        colours,
        0,
    )
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + extra + data


def multi_picture_jpeg(first: Pixels, second: Pixels) -> bytes:
    """A JPEG with a directory of two pictures, as phones write them, whose second is cut short."""
    file = io.BytesIO()
    others = [Image.fromarray(second)]
    options = {"quality": 100, "subsampling": 0}
    Image.fromarray(first).save(file, "MPO", save_all=True, append_images=others, **options)
    return file.getvalue()[:-50]


def profile(*, swapped: bool = False, nudge: int = 0) -> bytes:
    """The ICC profile of sRGB; `swapped` has its red and blue primaries exchanged.

    `nudge` moves the red primary by 65536ths, which changes colours by less than they are rounded.
    """
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if swapped:
        data = data.replace(b"rXYZ", b"????", 1).replace(b"bXYZ", b"rXYZ", 1)
        data = data.replace(b"????", b"bXYZ", 1)
    changed = bytearray(data)
    (at,) = struct.unpack_from(">I", data, data.index(b"rXYZ") + 4)
    (value,) = struct.unpack_from(">i", data, at + 8)
    struct.pack_into(">i", changed, at + 8, value + nudge)
    return bytes(changed)
