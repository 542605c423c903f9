"""Simulated sessions: clips on cards whose memory other programs take and give back meanwhile.

    python tests/rehearsal/sessions.py [--sessions 100000] [--seed 0] [--json FILE]

A session is a few stages with their steps on a simulated card of 4 to 24 GB. At random moments,
also in the middle of a step, another program takes up to 3 GB or gives them back, holes between
allocations hold memory back, or a single allocation fails. The product's own policy answers. A
session must end finished or with one of the typed errors that a person is shown, no step may be
repeated more often than something happened, and nothing may be held at its end.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from engine.checkpoint.folder import ModelPart
from engine.errors import EightBitWouldFit, OutOfMemory
from engine.memory.cards import CARDS, Card
from engine.memory.ladder import MemoryChange, StageMemory
from engine.memory.plan import PassPlan, PassTrace, UnitUse, Variant
from engine.memory.planner import plan_pass
from engine.memory.simulated_card import SimulatedCard

GB = 1 << 30
MB = 1 << 20
NUM_UNITS = 24
MOST_TAKEN = 3 * GB
COARSE = 64 * MB
"""Budgets are cut to a multiple of this, so that there are not too many questions."""


def trace(name: str, part: ModelPart, variant: Variant, weights: int, live: int, repeats: int):
    """A network in few units: most weights in the middle, where the least is computed."""
    shares = [1 + 6 * (NUM_UNITS // 3 <= place < 2 * NUM_UNITS // 3) for place in range(NUM_UNITS)]
    scale = 2 if variant.is_8bit else 1
    sizes = {f"unit {i}": weights * s // sum(shares) // scale for i, s in enumerate(shares)}
    uses = tuple(
        UnitUse(
            unit=unit, flops=int(2.4e13 / shares[i] / repeats), moved_bytes=live, live_bytes=live
        )
        for i, unit in enumerate(sizes)
    )
    return PassTrace(
        name=name,
        part=part,
        variant=variant,
        uses=uses,
        unit_bytes=sizes,
        fixed_bytes=40 * MB,
        repeats=repeats,
    )


def unet_stage(name: str, part: ModelPart, weights: int, live: int, branches: int):
    """A loop of ten steps, with branches together or one by one, and in 8 bit."""
    return tuple(
        trace(
            name,
            part,
            Variant(branches_together=together, is_8bit=is_8bit),
            weights,
            live if together else live // branches,
            10 if together else 10 * branches,
        )
        for is_8bit in (False, True)
        for together in (True, False)
    )


def decode_stage(weights: int, live: int):
    """Nine chunks, in strips of three heights."""
    return tuple(
        trace(
            "decode", ModelPart.VIDEO_MOVQ, Variant(strip_rows=rows), weights, live * rows // 256, 9
        )
        for rows in (256, 128, 64)
    )


STAGES = (
    unet_stage("key frame", ModelPart.T2V, 3900 * MB, 300 * MB, 2),
    unet_stage("base frames", ModelPart.T2V, 4900 * MB, 1300 * MB, 3),
    unet_stage("interpolation", ModelPart.INTERPOLATION, 5700 * MB, 1740 * MB, 2),
    decode_stage(1130 * MB, 3 * GB),
)
RATES = tuple(card for card in CARDS if card.name in ("RTX 3060", "RTX 4090"))


class RememberedPlans:
    """`plan_pass`, asked once for every question: sessions ask much the same again and again."""

    def __init__(self) -> None:
        self._plans: dict[object, PassPlan | None] = {}

    def __call__(
        self, variants, budget_bytes: int, card: Card, *, allow_8bit: bool, patience: float
    ) -> PassPlan | None:
        budget_bytes = budget_bytes // COARSE * COARSE
        key = (*map(id, variants), budget_bytes, card.name, allow_8bit, patience)
        if key not in self._plans:
            self._plans[key] = plan_pass(
                variants, budget_bytes, card, allow_8bit=allow_8bit, patience=patience
            )
        return self._plans[key]


class Session:
    """One clip on one card."""

    def __init__(self, seed: int, planner: RememberedPlans) -> None:
        self.random = random.Random(seed)
        rates = self.random.choice(RATES)
        memory = self.random.choice((4, 6, 8, 10, 12, 16, 24)) * GB
        self.card = SimulatedCard(
            replace(rates, memory_bytes=memory), other_bytes=self.random.randint(300, 1200) * MB
        )
        self.planner = planner
        self.counts: Counter[str] = Counter()
        self.changes: list[MemoryChange] = []
        self.held: list[int] = []
        self.held_for: PassPlan | None = None

    def run(self) -> str:
        """How it ends."""
        stages = self.random.sample(STAGES, 2)
        outcome = "finished"
        allow_8bit = self.random.random() < 0.2  # somebody agreed before
        for stage in stages:
            left = 10
            while left:
                try:
                    left = self._run_stage(stage, left, allow_8bit=allow_8bit)
                except EightBitWouldFit:
                    if allow_8bit:
                        raise
                    left = self._steps_left
                    self.counts["asked for 8 bit"] += 1
                    allow_8bit = True  # somebody agrees
                except OutOfMemory:
                    outcome = "told that memory is short"
                    left = 0
            self._let_go()
            if outcome != "finished":
                break
        assert self.card.allocated_bytes == 0
        return outcome

    def _run_stage(self, stage: tuple[PassTrace, ...], steps: int, *, allow_8bit: bool) -> int:
        memory = StageMemory(
            stage,
            card=self.card.card,
            free_bytes=lambda: self.card.available_bytes,
            on_change=self.changes.append,
            allow_8bit=allow_8bit,
            planner=self.planner,
        )
        self._steps_left = steps
        while self._steps_left:
            self._maybe_something_happens()
            memory.attempt(lambda plan: self._step(plan, memory.trace), self._release_after_failure)
            self._steps_left -= 1
            self.counts["steps"] += 1
        return 0

    def _step(self, plan: PassPlan, trace: PassTrace) -> None:
        """Hold what the plan says, and values on top for a while."""
        assert trace.variant == plan.variant
        values: list[int] = []
        try:
            self._hold(plan)
            for _ in range(2):
                self._maybe_something_happens()
                values.append(self.card.reserve(trace.values_bytes // 2))
        finally:
            for handle in values:
                self.card.free(handle)

    def _release_after_failure(self) -> None:
        self.card.release_unused()
        self.counts["failed steps"] += 1
        assert self.counts["failed steps"] <= self.counts["events"], "a step failed for no reason"

    def _hold(self, plan: PassPlan) -> None:
        if plan is self.held_for:
            return
        self._let_go()
        for num_bytes in (plan.resident_bytes, plan.ring_bytes):
            self.held.append(self.card.reserve(num_bytes))
        self.held_for = plan

    def _let_go(self) -> None:
        while self.held:
            self.card.free(self.held.pop())
        self.held_for = None

    def _maybe_something_happens(self) -> None:
        if self.random.random() > 0.1:
            return
        self.counts["events"] += 1
        match self.random.randrange(4):
            case 0:
                self.card.other_bytes += self.random.randint(0, MOST_TAKEN)
            case 1:
                self.card.other_bytes -= self.random.randint(0, MOST_TAKEN)
            case 2:
                self.card.lose(self.random.randint(0, 300 * MB))
            case _:
                self.card.fail_allocations([self.card.num_allocations + self.random.randrange(3)])


def rehearse(num_sessions: int, seed: int = 0) -> dict[str, int]:
    """Counts over all sessions. Whatever must not happen is raised."""
    planner = RememberedPlans()
    totals: Counter[str] = Counter()
    for number in range(num_sessions):
        session = Session(seed * 1_000_000_007 + number, planner)
        totals[session.run()] += 1
        totals.update(session.counts)
        totals.update(
            f"{'more' if change.is_growth else 'less'}: {change.kind.value} ({change.effect.value})"
            for change in session.changes
        )
    return dict(sorted(totals.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    begin = time.perf_counter()
    totals = rehearse(arguments.sessions, arguments.seed)
    seconds = time.perf_counter() - begin
    print(f"{arguments.sessions} sessions in {seconds:.0f} s, none with an unhandled error")
    for what, count in totals.items():
        print(f"{count:10}  {what}")
    if arguments.json:
        arguments.json.write_text(json.dumps(totals, indent=1), "utf-8")


if __name__ == "__main__":
    main()
