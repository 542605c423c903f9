"""Tiny pictures with the standard library only: fast, and the same for the same numbers."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from engine.api import FrameSize


def frame_rows(seed: int, size: FrameSize, share: float) -> list[bytes]:
    """A square on a plain background, at `share` (0 to 1) of its way to the right; rows of RGB."""
    ground = bytes((20 + seed * 53 % 90, 20 + seed * 97 % 90, 20 + seed * 193 % 90))
    square = bytes((255 - seed * 31 % 120, 140 + seed * 71 % 110, 120))
    side = max(1, min(size.width, size.height) // 4)
    left = round(share * (size.width - side))
    top = (size.height - side) // 2
    plain = ground * size.width
    crossed = ground * left + square * side + ground * (size.width - side - left)
    return [crossed if top <= row < top + side else plain for row in range(size.height)]


def write_png(path: Path, rows: list[bytes]) -> None:
    """Write rows of RGB bytes as a PNG, under a temporary name first."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
    partial.replace(path)
