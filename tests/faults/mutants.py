"""Small files of all kinds, and what damage and malice make of them."""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "engine"))

from picture_wrecks import bombs, damaged, not_pictures, one_of_each

__all__ = ["bombs", "damaged", "mutant", "not_pictures", "one_of_each"]

_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def mutant(seed: int, files: list[bytes]) -> bytes:
    """One of `files` with one to six changes that `seed` decides; never empty."""
    draw = random.Random(seed)
    data = bytearray(files[seed % len(files)])
    for _ in range(draw.choice((1, 1, 1, 2, 3, 6))):
        _change(data, draw, files)
    return bytes(data) or b"\0"


def _change(data: bytearray, draw: random.Random, files: list[bytes]) -> None:
    if not data:
        return
    # The heads say how the rest is read: they are hit as often as all the rest.
    place = draw.randrange(min(len(data), draw.choice((64, len(data)))))
    match draw.randrange(7):
        case 0:
            data[place] ^= 1 << draw.randrange(8)
        case 1:
            data[place] = draw.randrange(256)
        case 2:
            order = draw.choice(("little", "big"))
            size = draw.choice((2, 4))
            value = draw.choice(_EXTREMES) & (1 << 8 * size) - 1
            data[place : place + size] = value.to_bytes(size, order)
        case 3:
            del data[place:]
        case 4:
            del data[place : place + draw.randrange(1, 40)]
        case 5:
            part = data[place : place + draw.randrange(1, 200)]
            data[place:place] = part * draw.choice((1, 2, 50))
        case 6:
            other = draw.choice(files)
            start = draw.randrange(len(other))
            data[place : place + draw.randrange(1, 99)] = other[start : start + draw.randrange(99)]
