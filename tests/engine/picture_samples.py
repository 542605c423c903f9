"""Pictures that must open, with the pixels they should give: kinds, turns, profiles, ballast."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
from picture_makers import (
    LOSSY,
    Built,
    Sample,
    chunk,
    encode,
    exif,
    grey,
    mild,
    multi_picture_jpeg,
    profile,
    rgb_of,
    scene,
    turned,
    with_chunks,
)
from picture_modes import COLOURS, depths, indices, transparent
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable


def _plain_formats() -> list[Sample]:
    lossless = {
        "png": ("PNG", {}),
        "bmp": ("BMP", {}),
        "ppm": ("PPM", {}),
        "webp-lossless": ("WEBP", {"lossless": True}),
        "tiff": ("TIFF", {}),
        "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}),
        "tiff-zip": ("TIFF", {"compression": "tiff_adobe_deflate"}),
        "tiff-packbits": ("TIFF", {"compression": "packbits"}),
        "tiff-big": ("TIFF", {"big_tiff": True}),
    }
    lossy = {
        "jpeg": ("JPEG", {"quality": 100, "subsampling": 0}),
        "jpeg-progressive": ("JPEG", {"quality": 100, "subsampling": 0, "progressive": True}),
        "webp": ("WEBP", {"quality": 100}),
        "avif": ("AVIF", {"quality": 100, "subsampling": "4:4:4", "speed": 10}),
        "tiff-jpeg": ("TIFF", {"compression": "jpeg", "quality": 100}),
    }
    lossless_sizes = ((1, 1), (1, 9), (9, 1), (2, 3), (33, 17), (128, 96), (12000, 1), (12000, 3))
    lossy_sizes = ((1, 1), (1, 16), (16, 9), (33, 17), (128, 96), (12000, 1), (12000, 16))
    samples: list[Sample] = []
    for table, tolerance, draw, sizes in (
        (lossless, 0, scene, lossless_sizes),
        (lossy, LOSSY, mild, lossy_sizes),
    ):
        for name, (kind, options) in table.items():
            for size in sizes:

                def build(size=size, kind=kind, options=options, draw=draw):
                    pixels = draw(*size)
                    return encode(pixels, kind, **options), pixels

                # Lossy WebP halves its colours and keeps them in fewer steps.
                allowed = 6 if name == "webp" else tolerance
                label = f"{name}-{size[0]}x{size[1]}"
                samples.append(Sample(name=label, build=build, tolerance=allowed))
    return samples


def _orientations() -> list[Sample]:
    kinds = {
        "jpeg": ("JPEG", {"quality": 100, "subsampling": 0}, LOSSY),
        "png": ("PNG", {}, 0),
        "webp": ("WEBP", {"lossless": True}, 0),
        "tiff": ("TIFF", {}, 0),
        "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}, 0),
        "avif": ("AVIF", {"quality": 100, "subsampling": "4:4:4", "speed": 10}, LOSSY),
    }
    samples: list[Sample] = []
    for name, (kind, options, tolerance) in kinds.items():
        for orientation in range(1, 9):

            def build(kind=kind, options=options, orientation=orientation):
                upright = mild(40, 24)
                stored = turned(upright, orientation)
                return encode(stored, kind, exif=exif(orientation), **options), upright

            label = f"{name}-orientation-{orientation}"
            samples.append(Sample(name=label, build=build, tolerance=tolerance))
    for orientation in (0, 9, 255, 65535):

        def build_invalid(orientation=orientation):
            pixels = scene(40, 24)
            return encode(pixels, "PNG", exif=exif(orientation)), pixels

        samples.append(Sample(name=f"png-orientation-{orientation}", build=build_invalid))
    for number, block in enumerate(
        (b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0")
    ):

        def build_broken(block=block):
            pixels = mild(40, 24)
            return encode(pixels, "JPEG", quality=100, subsampling=0, exif=block), pixels

        label = f"jpeg-broken-exif-{number}"
        samples.append(Sample(name=label, build=build_broken, tolerance=LOSSY))
    return samples


def _orientation_by_xmp() -> Built:
    upright = scene(40, 24)
    text = b'<x:xmpmeta tiff:Orientation="6"/>'
    block = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + text)
    return with_chunks(encode(turned(upright, 6), "PNG"), block), upright


def _animated(kind: str, **options: object) -> Built:
    first = COLOURS[indices()]
    others = [Image.fromarray(np.roll(first, shift, axis=1)) for shift in (1, 2)]
    file = encode(first, kind, save_all=True, append_images=others, **options)
    return file, first


def _mpo() -> Built:
    pixels = mild(40, 24)
    return multi_picture_jpeg(pixels, scene(90, 50)), pixels


def _profiled(kind: str, block: bytes, *, swapped: bool = False, **options: object):
    pixels = mild(40, 24)
    file = encode(pixels, kind, icc_profile=block, **options)
    return file, pixels[..., ::-1] if swapped else pixels


def _almost_srgb() -> Built:
    pixels = scene(40, 24)  # strong colours, of which some would change by one level
    return encode(pixels, "PNG", icc_profile=profile(nudge=40)), pixels


def _grey_with_rgb_profile() -> Built:
    levels = grey(20, 10)
    return encode(levels, "PNG", icc_profile=profile(swapped=True)), rgb_of(levels)


def _ballast(before: bytes = b"", after: bytes = b"") -> Built:
    pixels = scene(20, 10)
    return with_chunks(encode(pixels, "PNG"), before, after), pixels


def _extras() -> list[Sample]:
    jpeg = {"quality": 100, "subsampling": 0}
    bomb = chunk(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(5_000_000)))
    fat_profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(5_000_000)))
    swapped, srgb = profile(swapped=True), profile()
    big = swapped + bytes(5_000_000)
    builds: dict[str, tuple[Callable[[], Built], int]] = {
        "animated-gif": (lambda: _animated("GIF"), 0),
        "animated-webp": (lambda: _animated("WEBP", lossless=True), 0),
        "animated-png": (lambda: _animated("PNG"), 0),
        "animated-png-with-default": (lambda: _animated("PNG", default_image=True), 0),
        "pages-tiff": (lambda: _animated("TIFF"), 0),
        "multi-picture-jpeg-cut": (_mpo, LOSSY),
        "profile-srgb-png": (lambda: _profiled("PNG", srgb), 0),
        "profile-srgb-tiff": (lambda: _profiled("TIFF", srgb), 0),
        "profile-almost-srgb-png": (_almost_srgb, 0),
        "profile-swapped-png": (lambda: _profiled("PNG", swapped, swapped=True), 2),
        "profile-swapped-tiff": (lambda: _profiled("TIFF", swapped, swapped=True), 2),
        "profile-swapped-jpeg": (lambda: _profiled("JPEG", swapped, swapped=True, **jpeg), 5),
        "profile-garbage-png": (lambda: _profiled("PNG", b"garbage" * 99), 0),
        "profile-garbage-jpeg": (lambda: _profiled("JPEG", b"garbage" * 99, **jpeg), LOSSY),
        "profile-cut-tiff": (lambda: _profiled("TIFF", swapped[:200]), 0),
        "profile-5-mb-jpeg": (lambda: _profiled("JPEG", big, **jpeg), LOSSY),
        "profile-5-mb-tiff": (lambda: _profiled("TIFF", big), 0),
        "profile-5-mb-png": (lambda: _ballast(fat_profile), 0),
        "profile-of-another-model": (_grey_with_rgb_profile, 0),
        "text-bomb-before-png": (lambda: _ballast(bomb), 0),
        "text-bomb-after-png": (lambda: _ballast(b"", bomb), 0),
        "unknown-chunk-png": (lambda: _ballast(chunk(b"abCd", b"x" * 99)), 0),
        "bytes-after-the-end-png": (lambda: _with_tail("PNG"), 0),
        "bytes-after-the-end-jpeg": (lambda: _with_tail("JPEG", **jpeg), LOSSY),
        "orientation-by-xmp": (_orientation_by_xmp, 0),
    }
    return [Sample(name=n, build=b, tolerance=t) for n, (b, t) in builds.items()]


def _with_tail(kind: str, **options: object) -> Built:
    pixels = mild(20, 10)
    return encode(pixels, kind, **options) + b"PK\3\4<html>" * 99, pixels


def good_pictures() -> list[Sample]:
    """Every picture that must open with the right pixels."""
    return [*_plain_formats(), *_orientations(), *transparent(), *depths(), *_extras()]
