"""Files that must be refused: cut, damaged, enormous, or no pictures at all."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from picture_makers import bmp, chunk, encode, png, scene, tiff
from picture_modes import bmp_rle, ppm
from PIL import Image

from engine.errors import PictureError
from engine.pictures import open_picture

if TYPE_CHECKING:
    from pathlib import Path


def one_of_each() -> dict[str, bytes]:
    """A small noisy file of every kind, to be cut and mutated."""
    noise = np.random.default_rng(7).integers(0, 40, (45, 55, 3), dtype=np.uint8)
    pixels = scene(55, 45) // 2 + noise
    half = Image.fromarray(pixels).convert("L").point(lambda v: 255 * (v > 90)).convert("1")
    return {
        "jpeg": encode(pixels, "JPEG"),
        "jpeg-progressive": encode(pixels, "JPEG", progressive=True),
        "png": encode(pixels, "PNG"),
        "png-animated": encode(pixels, "PNG", save_all=True, append_images=[half.convert("RGB")]),
        "gif": encode(pixels, "GIF"),
        "bmp": encode(pixels, "BMP"),
        "bmp-rle": bmp_rle()[0],
        "webp": encode(pixels, "WEBP"),
        "webp-lossless": encode(pixels, "WEBP", lossless=True),
        "avif": encode(pixels, "AVIF", speed=10),
        "tiff": encode(pixels, "TIFF"),
        "tiff-lzw": encode(pixels, "TIFF", compression="tiff_lzw"),
        "tiff-group4": encode(half, "TIFF", compression="group4"),
        "ppm": encode(pixels, "PPM"),
        "ppm-maxval-254": ppm(254)[0],
        "pfm": encode(pixels[..., 0].astype(np.float32), "PPM"),
    }


def bombs() -> dict[str, bytes]:
    """Small files that claim enormous pictures."""
    rows = [b"\0" * 16]
    webp = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xfe\x3f\0" * 2 + b"VP8 " + bytes(40)
    frame = struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x08\x01\0\0;"
    jpeg = bytearray(encode(scene(16, 16), "JPEG"))
    start = jpeg.index(b"\xff\xc0") + 5
    jpeg[start : start + 4] = struct.pack(">HH", 65500, 65500)
    tags = {258: ("H", (8,)), 259: ("H", (1,)), 262: ("H", (1,)), 277: ("H", (1,))}
    return {
        "png": png((60000, 60000), 8, 2, rows),
        "png-2-to-the-31": png((2**31 - 1, 2**31 - 1), 8, 2, rows),
        "png-just-above": png((12001, 12500), 1, 0, rows),
        "png-too-wide": png((32769, 1), 8, 2, rows),
        "png-too-high": png((1, 32769), 8, 2, rows),
        "gif": b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b"," + frame,
        "gif-frame": b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0) + b"," + frame,
        "bmp": bmp((60000, 60000), 24, b"\0" * 99),
        "webp": b"RIFF" + struct.pack("<I", len(webp) + 4) + b"WEBP" + webp,
        "jpeg": bytes(jpeg),
        "tiff": tiff((60000, 60000), b"\0" * 99, tags),
        "tiff-too-wide": tiff((100_000, 1), b"\0" * 100_000, tags),
        "ppm": b"P6 99999 99999 255\n" + b"\0" * 99,
        "ppm-slow": b"P6 2500 2001 254\n" + b"\0" * 99,
        "bmp-rle-slow": bmp((2500, 2001), 8, b"\0\1", compression=1, palette=bytes(1024)),
    }


def not_pictures() -> dict[str, bytes]:
    """Files that are something else, or kinds of picture that are not read."""
    rng = np.random.default_rng(3)
    return {
        "html": b"<!DOCTYPE html><html><body>404</body></html>",
        "zip": b"PK\3\4" + bytes(60),
        "text": "just a line of text: grüße\n".encode(),
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "pdf": b"%PDF-1.7\n" + bytes(60),
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60),
        "jxl": b"\xff\x0a" + bytes(60),
        "psd": b"8BPS\0\1" + bytes(60),
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n" + bytes(60),
        "fits": b"SIMPLE  =                    T" + bytes(60),
        "ico": b"\0\0\1\0\1\0" + bytes(60),
        "mp4": b"\0\0\0\x18ftypisom" + bytes(60),
        "plain-ppm": b"P3 1 1 255 1 2 3\n",
        "one-byte": b"\x89",
        "zeros": bytes(5000),
        **{f"random-{i}": bytes([0, *rng.integers(0, 256, 999, np.uint8)]) for i in range(5)},
    }


def damaged() -> dict[str, bytes]:
    """Pictures that begin well and are broken inside."""
    picture = encode(scene(20, 10), "PNG")
    flipped = bytearray(picture)
    flipped[picture.index(b"IDAT") + 30] ^= 1
    wrong_sum = bytearray(picture)
    wrong_sum[29] ^= 1
    head = b"\x89PNG\r\n\x1a\n"
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0))
    tags = {258: ("H", (8,)), 259: ("H", (1,)), 262: ("H", (1,)), 277: ("H", (1,))}
    return {
        "png-signature-only": head,
        "png-without-pixels": head + header + chunk(b"IEND", b""),
        "png-0x0": png((0, 0), 8, 2, [b""]),
        "png-flipped-bit": bytes(flipped),
        "png-wrong-header-sum": bytes(wrong_sum),
        "png-impossible-depth": png((9, 9), 7, 2, [bytes(27)] * 9),
        "jpeg-signature-only": b"\xff\xd8\xff",
        "jpeg-end-at-once": b"\xff\xd8\xff\xd9",
        "gif-signature-only": b"GIF89a",
        "gif-without-picture": b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + b";",
        "gif-0x0": b"GIF89a" + bytes(7) + b"," + bytes(9) + b"\2\0;",
        "webp-signature-only": b"RIFF\x20\0\0\0WEBPVP8 ",
        "webp-garbage": b"RIFF\x40\0\0\0WEBPVP8 " + bytes(range(60)),
        "avif-garbage": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + bytes(99),
        "bmp-signature-only": b"BM",
        "bmp-text": b"BMW drivers of the world\n" * 9,
        "bmp-depth-13": bmp((9, 9), 13, bytes(999)),
        "tiff-signature-only": b"II*\0",
        "tiff-loop": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
        "tiff-samples-of-5-bits": tiff((9, 9), bytes(99), tags | {258: ("H", (5,))}),
        "tiff-without-tags": tiff((9, 9), b"", {}),
        "ppm-no-numbers": b"P6 nine nine 255\n",
        "ppm-negative": b"P6 -9 -9 255\n",
        "pfm-scale-0": b"Pf 1 1 0\n\0\0\0\0",
    }


def write(folder: Path, data: bytes, name: str = "picture.png") -> Path:
    """A file of `data`."""
    path = folder / name
    path.write_bytes(data)
    return path


def refusal(path: Path) -> PictureError:
    """The error with which `path` is refused: one sentence or more that names the file only."""
    with pytest.raises(PictureError) as caught:
        open_picture(path)
    message = caught.value.message
    assert path.name in message
    assert str(path.parent) not in message
    assert message.endswith(".")
    assert "\n" not in message
    return caught.value
