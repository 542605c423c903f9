"""Makes the pictures of the help page with the demo model.

    python packaging/help_pictures.py [NAME ...]

Each is a strip of frames of one clip, from left to right, in `resources/help`. Strips of one group
differ in one setting, and in nothing else: the same prompt, the same seed. It takes a few minutes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from engine import get_T2V_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "help"
NUM_SHOWN = 6
SHOWN_FROM, SHOWN_TO = 2.5, 4.5
"""The seconds of the clip in the strips of smoothness, which show what is seen at each moment."""
NUM_TICKS = 12
CLIP_SECONDS = 5.5
SHOWN_SIDE = 32
"""Of the frames of those strips, which are many."""
_NUM_COLOURS = 96
_PROMPT = "a yellow triangle growing on a black background"
_ALWAYS = {"seed": 7, "motion": "extreme"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """A picture of the help page.

    Attributes:
        settings: of the clip, beside the prompt; as `engine.python_api` takes them.
        is_timed: show what is seen at each moment instead of frames of the whole clip.
    """

    settings: Mapping[str, object]
    prompt: str
    is_timed: bool


def _of(
    name: str, key: str, values: Sequence[object], *, prompt: str = _PROMPT, is_timed: bool = False
) -> dict[str, Strip]:
    return {
        f"{name}-{number}": Strip(
            settings={**_ALWAYS, key: value}, prompt=prompt, is_timed=is_timed
        )
        for number, value in enumerate(values, start=1)
    }


STRIPS = {
    **_of("motion", "motion", ["low", "medium", "high", "extreme"]),
    **_of("noise", "noise_augmentation", [0, 900]),
    **_of("guidance", "guidance_weight_prompt", [0.0, 3.0, 15.0]),
    **_of("seed", "seed", [1, 2, 3], prompt="a triangle"),
    **_of("steps", "steps", [2, 4, 20]),
    **_of("fps", "fps", ["low", "medium"], is_timed=True),
}


def frames_of(strip: Strip) -> list[Image.Image]:
    """The frames of the clip that are shown, left to right."""
    frames = get_T2V_pipeline("cpu")(strip.prompt, **strip.settings)  # pyright: ignore[reportArgumentType]
    if strip.is_timed:
        rate = (len(frames) - 1) / CLIP_SECONDS
        ticks = [
            SHOWN_FROM + tick * (SHOWN_TO - SHOWN_FROM) / NUM_TICKS for tick in range(NUM_TICKS)
        ]
        return [frames[int(seconds * rate)] for seconds in ticks]
    gaps = NUM_SHOWN - 1
    return [frames[round(number * (len(frames) - 1) / gaps)] for number in range(NUM_SHOWN)]


def joined(frames: Sequence[Image.Image], side: int) -> Image.Image:
    """The frames beside one another, each `side` pixels wide, a pixel apart."""
    strip = Image.new("RGB", ((side + 1) * len(frames) - 1, side), "white")
    for number, frame in enumerate(frames):
        strip.paste(frame.resize((side, side), Image.Resampling.LANCZOS), ((side + 1) * number, 0))
    return strip


def main() -> None:
    """Make the named pictures, or all."""
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or STRIPS:
        strip = STRIPS[name]
        picture = joined(frames_of(strip), SHOWN_SIDE if strip.is_timed else 64)
        few = picture.quantize(_NUM_COLOURS, dither=Image.Dither.NONE)
        few.save(FOLDER / f"{name}.png", optimize=True)
        print(name, (FOLDER / f"{name}.png").stat().st_size)


if __name__ == "__main__":
    main()
