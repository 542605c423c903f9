"""Simulated seconds per stage and card: planned within a budget, against everything resident.

    python tests/rehearsal/seconds.py [--budget 3.0] [--source GB_PER_SECOND] [--json FILE]

The stages are those of a clip of 512 x 512 and 177 frames of the released model, with the steps
that are the default, as dry runs of the code that does them find them.

No figure here was measured on a card: all come from the table of cards and two simulated clocks.
`slower` compares all seconds of a stage, loading included; `a step` leaves the loading of what
stays out on both sides, and what is computed before the first step. `bound` is the part by which
the plans exceed a lower bound that knows nothing of planning. Without `--source`, files come as
fast as the bus can copy; with it, not faster than so many GB/s.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.api import ClipDefaults, Fps, FrameSize
from engine.denoisers import decoding_chunk_sizes
from engine.memory.cards import CARDS, Card
from engine.memory.clip_traces import ClipTracer
from engine.memory.device_kind import DeviceKind
from engine.memory.model_sizes import released_sizes
from engine.memory.planner import plan_pass
from engine.memory.timeline import lower_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.memory.loop_traces import LoopTraces
    from engine.memory.plan import PassPlan, PassTrace

NAMES = ("RTX 2060", "RTX 3060", "RTX 4060", "RTX 3090", "RTX 4090")
SIZE = FrameSize(width=512, height=512)
PICTURE = FrameSize(width=1024, height=1024)
PLENTY_BYTES = 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTraces:
    """The passes of a stage, each with the ways to do it; the last is what is done most."""

    name: str
    passes: tuple[Sequence[PassTrace], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stage on a card; bytes and ways are those of its last pass."""

    name: str
    card: str
    way: str
    peak_bytes: int
    resident_bytes: int
    ring_bytes: int
    streamed_bytes: int
    seconds: float
    everything_resident: float
    slower: float
    step_slower: float
    bound: float
    planned_in: float


@cache
def released_tracer() -> ClipTracer:
    """One for all who ask: its traces take seconds, and are kept."""
    return ClipTracer(released_sizes(), DeviceKind.GRAPHICS_CARD)


@cache
def clip_stages() -> tuple[StageTraces, ...]:
    """The stages of a clip with everything that a clip can have."""
    tracer, sampling = released_tracer(), ClipDefaults().sampling
    steps, few_steps = sampling.steps, sampling.interpolation_steps
    base, medium, high = (fps.num_frames for fps in (Fps.LOW, Fps.MEDIUM, Fps.HIGH))
    chunks = decoding_chunk_sizes(high)
    return (
        StageTraces(name="text", passes=(tracer.text(),)),
        _of_loop("key frame", tracer.key_frame(SIZE, steps)),
        StageTraces(name="key frame decode", passes=(tracer.decode_picture(PICTURE),)),
        StageTraces(name="picture encode", passes=(tracer.encode(SIZE),)),
        _of_loop("base frames", tracer.base_frames(SIZE, steps)),
        _of_loop("interpolation 1", tracer.interpolation(SIZE, few_steps, base)),
        _of_loop("interpolation 2", tracer.interpolation(SIZE, few_steps, medium)),
        StageTraces(name="decode", passes=(tracer.decode(SIZE, max(chunks), len(chunks)),)),
    )


def _of_loop(name: str, loop: LoopTraces) -> StageTraces:
    return StageTraces(name=name, passes=(loop.conditions, loop.steps))


def row(stage: StageTraces, card: Card, budget: int) -> Row:
    """Plan a stage, and hold the plans against the two others."""
    begin = time.perf_counter()
    plans = [planned(variants, budget, card) for variants in stage.passes]
    planned_in = time.perf_counter() - begin
    whole = [planned(variants, PLENTY_BYTES, card) for variants in stage.passes]
    bound = sum(
        min(lower_bound(trace, budget, card) for trace in variants) for variants in stage.passes
    )
    seconds, all_there = (sum(plan.seconds for plan in them) for them in (plans, whole))
    plan = plans[-1]
    return Row(
        name=stage.name,
        card=card.name,
        way=_way(plan),
        peak_bytes=max(plan.peak_bytes for plan in plans),
        resident_bytes=plan.resident_bytes,
        ring_bytes=plan.ring_bytes,
        streamed_bytes=sum(plan.streamed_bytes for plan in plans),
        seconds=seconds,
        everything_resident=all_there,
        slower=seconds / all_there - 1,
        step_slower=stepping(plan) / stepping(whole[-1]) - 1,
        bound=seconds / bound - 1,
        planned_in=planned_in,
    )


def planned(variants: Sequence[PassTrace], budget: int, card: Card) -> PassPlan:
    """The plan of a pass, which must fit."""
    plan = plan_pass(variants, budget, card)
    if plan is None:
        raise SystemExit(f"{variants[0].name} does not fit into {budget} bytes")
    return plan


def stepping(plan: PassPlan) -> float:
    """Seconds of a plan without those of loading."""
    return plan.seconds - plan.loading_seconds


def cards_to_compare(source: float | None) -> list[Card]:
    """The five cards, with files that come as fast as was said."""
    rate = math.inf if source is None else source * 1e9
    return [replace(c, source_bytes_per_second=rate) for c in CARDS if c.name in NAMES]


def _way(plan: PassPlan) -> str:
    if plan.variant.strip_rows is not None:
        return f"{plan.variant.strip_rows} rows"
    return "together" if plan.variant.branches_together else "one by one"


def _print_table(rows: list[Row]) -> None:
    print(
        f"{'planned':17} {'card':9} {'way':10} {'peak':>5} {'kept':>5} {'ring':>5} {'copied':>7} "
        f"{'seconds':>8} {'whole':>8} {'slower':>8} {'a step':>8} {'bound':>8} {'search':>8}"
    )
    for r in rows:
        gigabytes = [f"{n / 1e9:5.2f}" for n in (r.peak_bytes, r.resident_bytes, r.ring_bytes)]
        print(
            f"{r.name:17} {r.card:9} {r.way:10} {' '.join(gigabytes)} "
            f"{r.streamed_bytes / 1e9:7.1f} {r.seconds:8.2f} {r.everything_resident:8.2f} "
            f"{r.slower:+8.2%} {r.step_slower:+8.2%} {r.bound:+8.2%} {1000 * r.planned_in:5.0f} ms"
        )
    print()
    for card in dict.fromkeys(r.card for r in rows):
        own = [r for r in rows if r.card == card]
        seconds, whole = sum(r.seconds for r in own), sum(r.everything_resident for r in own)
        print(f"{'the whole clip':17} {card:9} {seconds:8.1f} s {seconds / whole - 1:+8.2%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=3.0, help="GB on the device")
    parser.add_argument("--source", type=float, help="GB/s that files are read with")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    budget, cards = int(arguments.budget * 1e9), cards_to_compare(arguments.source)
    rows = [row(stage, card, budget) for stage in clip_stages() for card in cards]
    _print_table(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(r) for r in rows], indent=1), "utf-8")


if __name__ == "__main__":
    main()
