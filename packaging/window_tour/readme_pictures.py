"""Makes the README's pictures of what the tour has seen, in small files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_BYTES = 350_000
CHOSEN = {
    "window_dark": "window_dark",
    "window_light": "window_light",
    "window_running": "running_motion",
    "window_zh": "chinese",
    "compare": "compare_wipe",
    "motion_map": "motion_map",
}
"""The names of pictures that the README shows, and which step's picture each is."""


def choose(shown: Iterable[str], out: Path, pictures: Path) -> list[str]:
    """Write those of the pictures `shown` in `out` that the README has to `pictures`.

    Returns:
        The names of the README's pictures that the tour did not make.

    Raises:
        ValueError: a picture is too large even with few colours.
    """
    by_step = {name.split("_", 1)[1].removesuffix(".png"): name for name in shown}
    for name, step in CHOSEN.items():
        if step in by_step:
            shrink(out / by_step[step], pictures / f"{name}.png")
    return [name for name, step in CHOSEN.items() if step not in by_step]


def shrink(source: Path, target: Path) -> None:
    """Write `source` as it is, or in fewer colours where it would be larger than `MAX_BYTES`.

    Raises:
        ValueError: it is larger even with 64 colours.
    """
    with Image.open(source) as opened:
        picture = opened.convert("RGB")
    picture.save(target, optimize=True)
    # Few colours make bands of the clips' shading, and take the small green words for grey.
    for colours in (256, 128, 64):
        if target.stat().st_size <= MAX_BYTES:
            return
        picture.quantize(colours, dither=Image.Dither.NONE).save(target, optimize=True)
    if target.stat().st_size > MAX_BYTES:
        msg = f"{target.name} has {target.stat().st_size} bytes, more than {MAX_BYTES}"
        raise ValueError(msg)
