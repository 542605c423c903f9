"""Peaks of memory per stage of the released model, planned, beside what the official code holds.

    python tests/rehearsal/peaks.py [--budget 3.0] [--card "RTX 3060"] [--json FILE]

Ends with 1 where a stage needs more than the budget.

All figures are computed; none was measured on a card. `peak` is what a plan within the budget
holds: plans use what they are given, so it is near the budget wherever weights are worth keeping.
`least` is what remains when nothing stays and every saving is made; `values` is the part of the
peak that is no weight. They come from dry runs of the code of the stages, workspaces of kernels
included as far as these are known without a card.

`official` is what the official code holds at the same moment: the weights of all five networks, in
the types of their files, for it loads all before it begins, and the values of the stage as that
code computes them, counted on tensors without memory at 512 x 512. For other sizes they are taken
to grow with the area. Its text encoder is in float32, or in 8 bit when it is asked to; both are
printed. Of the picture's encoding only the weights are known.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from rehearsal.seconds import released_tracer

from engine.api import ClipDefaults, Fps, FrameSize, GenerateRequest
from engine.memory.cards import CARDS, card_named
from engine.memory.clip_plan import ClipPlan, StagePlan, plan_clip

if TYPE_CHECKING:
    from engine.memory.cards import Card

BUDGET_BYTES = 3_000_000_000
SIZES = (FrameSize(width=512, height=512), FrameSize(width=640, height=384))
MANIFEST = Path(__file__).parents[1] / "kandinsky_1_1" / "manifest.json"

_ITEM_BYTES = {"float16": 2, "float32": 4}
_TEXT_PARAMETERS = 32 * (4 * 4096**2 + 3 * 4096 * 16384) + 32128 * 4096
"""The text encoder's: 32 layers, and the table of tokens."""

_OFFICIAL_AREA = 512 * 512
_OFFICIAL_VALUES = {
    "text": 0,  # small
    "key frame": 2_060_000_000,
    "key frame decode": 10_750_000_000,
    "picture encode": 0,  # not known
    "base frames": 2_490_000_000,
    "interpolation 1": 1_520_000_000,
    "interpolation 2": 6_090_000_000,
    "decode": 10_740_000_000,  # of 5 frames
}
_LARGE_CHUNK, _SMALL_CHUNK = 5, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stage of a clip, in bytes.

    Attributes:
        size: of the clip.
        num_frames: of the clip.
        name: of the stage.
        peak: planned.
        least: of the smallest plan of all.
        values: of the peak, what is no weight.
        official: what the official code holds.
        official_8bit: the same with its text encoder in 8 bit.
    """

    size: str
    num_frames: int
    name: str
    peak: int
    least: int
    values: int
    official: int
    official_8bit: int


def request_for(size: FrameSize, fps: Fps) -> GenerateRequest:
    """A clip with the steps that are the default."""
    sampling = ClipDefaults().sampling
    return GenerateRequest(prompt="", seed=0, size=size, fps=fps, sampling=sampling)


def planned(size: FrameSize, fps: Fps, budget: int, card: Card) -> ClipPlan:
    """The plan of a clip of the released model."""
    return plan_clip(released_tracer(), request_for(size, fps), budget_bytes=budget, card=card)


def least_budget(size: FrameSize, fps: Fps) -> dict[str, int]:
    """Bytes that every stage needs at the very least: a plan for nothing says so."""
    plan = planned(size, fps, 0, CARDS[0])
    return {stage.name: stage.peak_bytes for stage in plan.stages}


@cache
def official_weights(*, text_in_8bit: bool) -> int:
    """Bytes of all that the official code loads."""
    text = _TEXT_PARAMETERS * (1 if text_in_8bit else 4)
    return text + _weights_in(json.loads(MANIFEST.read_text("utf-8")))


def _weights_in(tensors: object) -> int:
    """Bytes of the tensors in a part of the manifest; each is a list of its shape and its type."""
    if isinstance(tensors, Mapping):
        return sum(map(_weights_in, tensors.values()))
    if not isinstance(tensors, list):
        return 0
    shape, dtype = tensors
    return math.prod(shape) * _ITEM_BYTES[dtype]


def official_values(stage: StagePlan, size: FrameSize, fps: Fps) -> int:
    """Bytes of what the official code computes with in a stage."""
    at_512 = _OFFICIAL_VALUES[stage.name]
    if stage.name == "decode" and fps is Fps.LOW:
        at_512 = at_512 * _SMALL_CHUNK // _LARGE_CHUNK
    return at_512 * size.width * size.height // _OFFICIAL_AREA


def rows_of(size: FrameSize, fps: Fps, budget: int, card: Card) -> list[Row]:
    """The stages of a clip."""
    least = least_budget(size, fps)
    found: list[Row] = []
    for stage in planned(size, fps, budget, card).stages:
        values = official_values(stage, size, fps)
        largest = max(stage.passes, key=lambda plan: plan.peak_bytes, default=None)
        weights = largest.resident_bytes + largest.ring_bytes if largest else 0
        found.append(
            Row(
                size=str(size),
                num_frames=fps.num_frames,
                name=stage.name,
                peak=stage.peak_bytes,
                least=least[stage.name],
                values=stage.peak_bytes - weights,
                official=official_weights(text_in_8bit=False) + values,
                official_8bit=official_weights(text_in_8bit=True) + values,
            )
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=BUDGET_BYTES / 1e9, help="GB")
    parser.add_argument("--card", default="RTX 3060", help="for which plans are made")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    budget, card = int(arguments.budget * 1e9), card_named(arguments.card)
    rows = [row for size in SIZES for fps in Fps for row in rows_of(size, fps, budget, card)]
    print(f"GB, computed, for {budget / 1e9:.2f} GB on {card.name}")
    print(
        f"{'size':8} {'frames':>6} {'stage':17} {'peak':>6} {'least':>6} {'values':>6} "
        f"{'official':>9} {'8-bit text':>10}"
    )
    for row in rows:
        is_above = "  above the budget" if row.peak > budget else ""
        print(
            f"{row.size:8} {row.num_frames:6} {row.name:17} {row.peak / 1e9:6.2f} "
            f"{row.least / 1e9:6.2f} {row.values / 1e9:6.2f} {row.official / 1e9:9.1f} "
            f"{row.official_8bit / 1e9:10.1f}{is_above}"
        )
    peak, least = max(row.peak for row in rows), max(row.least for row in rows)
    official = max(row.official for row in rows)
    print(
        f"at most {peak / 1e9:.2f} GB; {least / 1e9:.2f} GB would do; the official code: "
        f"{official / 1e9:.1f} GB"
    )
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")
    return 0 if peak <= budget else 1


if __name__ == "__main__":
    sys.exit(main())
