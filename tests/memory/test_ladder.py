from dataclasses import replace

import pytest

from engine.api import MemoryChangeKind
from engine.checkpoint.folder import ModelPart
from engine.errors import EightBitWouldFit, OutOfMemory
from engine.memory.cards import card_named
from engine.memory.ladder import StageMemory, free_needed, usable_bytes
from engine.memory.plan import Effect, PassTrace, UnitUse, Variant
from engine.memory.planner import plan_pass

MB = 1 << 20
CARD = card_named("RTX 3060")
TOGETHER = Variant()
ONE_BY_ONE = Variant(branches_together=False)


def trace_of(variant=TOGETHER, *, live, weights=100, units=20, repeats=50, seconds=0.05):
    """A pass through equal units of `weights` MB, in the middle of plenty of work."""
    use_flops = int(seconds * CARD.flops_per_second)
    return PassTrace(
        name="pass",
        part=ModelPart.T2V,
        variant=variant,
        uses=tuple(
            UnitUse(unit=f"u{i}", flops=use_flops, moved_bytes=0, live_bytes=live * MB)
            for i in range(units)
        ),
        unit_bytes={f"u{i}": weights * MB for i in range(units)},
        fixed_bytes=0,
        repeats=repeats,
    )


BOTH = (
    trace_of(live=900),
    trace_of(ONE_BY_ONE, live=300, repeats=150, seconds=0.05 / 3),
)
STRIPS = tuple(trace_of(Variant(strip_rows=rows), live=4 * rows) for rows in (256, 128, 64))


def free_for(plan_mb):
    """Free bytes of which a plan of so many MB, and not much more, may use."""
    free = plan_mb * MB
    while usable_bytes(free) < plan_mb * MB:
        free += MB
    return free


class Stage:
    """A stage's memory under a hand that turns what is free."""

    def __init__(self, variants=BOTH, *, plan_mb, **arguments):
        self.free = free_for(plan_mb)
        self.changes = []
        self.memory = StageMemory(
            variants,
            card=CARD,
            free_bytes=lambda: self.free,
            on_change=self.changes.append,
            **arguments,
        )

    def steps(self, count):
        return [self.memory.plan_for_next_step() for _ in range(count)]


def test_nothing_changes_while_nothing_happens():
    stage = Stage(plan_mb=2_000)
    first, *others = stage.steps(20)
    assert all(plan is first for plan in others)
    assert first.variant == TOGETHER
    assert first.peak_bytes <= usable_bytes(stage.free)
    assert stage.memory.trace is BOTH[0]
    assert stage.changes == []


def test_a_margin_stays_free():
    assert usable_bytes(3_000 * MB) < 2_800 * MB
    assert usable_bytes(10 * MB) < 0


@pytest.mark.parametrize("needed", [1, 16 * MB, 16 * MB + 1, 411 * MB, 2_999_999_999])
def test_what_is_said_to_be_needed_is_enough_and_no_more(needed):
    assert usable_bytes(free_needed(needed)) >= needed
    assert usable_bytes(free_needed(needed) - 2) < needed


def test_a_limit_holds_however_much_is_free():
    stage = Stage(plan_mb=20_000, limit_bytes=1_500 * MB)
    assert stage.steps(1)[0].peak_bytes <= 1_500 * MB


def test_the_plan_shrinks_before_the_very_next_step():
    stage = Stage(plan_mb=2_400)
    before = stage.steps(3)[-1]
    stage.free = free_for(1_600)
    after = stage.memory.plan_for_next_step()
    assert after.peak_bytes <= 1_600 * MB < before.peak_bytes
    assert after.variant == before.variant
    (change,) = stage.changes
    assert (change.kind, change.effect) == (MemoryChangeKind.RESIDENTS, Effect.EXACT)
    assert (change.bytes_before, change.bytes_after) == (before.peak_bytes, after.peak_bytes)
    assert not change.is_growth


def test_a_little_less_that_still_holds_the_plan_changes_nothing():
    stage = Stage(plan_mb=4_000)  # more than everything needs
    before = stage.memory.plan_for_next_step()
    stage.free = free_for(3_000)
    assert stage.memory.plan_for_next_step() is before


def test_residents_go_before_the_ring_gets_smaller_before_branches_are_split():
    stage = Stage(plan_mb=2_800)
    stage.memory.plan_for_next_step()
    kinds = []
    for plan_mb in range(2_700, 450, -50):
        stage.free = free_for(plan_mb)
        stage.memory.plan_for_next_step()
    kinds = [change.kind for change in stage.changes]
    first_split = kinds.index(MemoryChangeKind.BRANCHES)
    assert kinds[0] is MemoryChangeKind.RESIDENTS
    assert set(kinds[:first_split]) <= {MemoryChangeKind.RESIDENTS, MemoryChangeKind.RING}
    assert MemoryChangeKind.BRANCHES not in kinds[first_split + 1 :]
    assert stage.memory.trace is BOTH[1]
    split = stage.changes[first_split]
    assert split.effect is Effect.ROUNDING


def test_a_smaller_ring_is_told_as_such():
    def ring_only(variants, budget_bytes, card, *, allow_8bit, patience):
        plan = plan_pass(variants, 1_000 * MB, card, allow_8bit=allow_8bit, patience=patience)
        assert plan is not None
        return replace(plan, ring_bytes=budget_bytes, peak_bytes=budget_bytes)

    stage = Stage(plan_mb=1_000, planner=ring_only)
    stage.memory.plan_for_next_step()
    stage.free = free_for(800)
    stage.memory.plan_for_next_step()
    (change,) = stage.changes
    assert (change.kind, change.effect) == (MemoryChangeKind.RING, Effect.EXACT)


def test_strips_become_smaller_when_nothing_else_helps():
    stage = Stage(STRIPS, plan_mb=1_300)
    assert stage.memory.plan_for_next_step().variant.strip_rows == 256
    stage.free = free_for(760)
    assert stage.memory.plan_for_next_step().variant.strip_rows == 128
    assert stage.changes[-1].kind is MemoryChangeKind.STRIPS
    assert stage.changes[-1].effect is Effect.ROUNDING


def test_the_way_is_kept_although_another_is_a_little_faster():
    """Together there is room for one unit, and every copy is waited for: 7 % more seconds."""
    together = trace_of(live=1_250, seconds=0.1)
    one_by_one = trace_of(ONE_BY_ONE, live=300, repeats=150, seconds=0.1 / 3)
    ways = (together, one_by_one)
    slow, fast = (plan_pass([way], 1_400 * MB, CARD).seconds for way in ways)
    assert 1.05 * fast < slow < 1.2 * fast
    stage = Stage(ways, plan_mb=3_400)
    assert stage.memory.plan_for_next_step().variant == TOGETHER
    stage.free = free_for(1_400)
    assert stage.memory.plan_for_next_step().variant == TOGETHER
    assert [change.effect for change in stage.changes] == [Effect.EXACT]
    # Who begins with so little takes the faster way.
    assert Stage(ways, plan_mb=1_400).memory.plan_for_next_step().variant == ONE_BY_ONE


def test_the_way_changes_where_another_is_much_faster():
    together = trace_of(live=1_250, seconds=0.02)
    one_by_one = trace_of(ONE_BY_ONE, live=300, repeats=150, seconds=0.02 / 3, weights=20)
    stage = Stage((together, one_by_one), plan_mb=3_400)
    assert stage.memory.plan_for_next_step().variant == TOGETHER
    stage.free = free_for(1_400)
    assert stage.memory.plan_for_next_step().variant == ONE_BY_ONE
    assert [change.kind for change in stage.changes] == [MemoryChangeKind.BRANCHES]


def test_memory_that_came_back_is_taken_after_some_calm_steps_only():
    trace = trace_of(live=300, seconds=1e-3)  # copies are what takes the time
    stage = Stage((trace,), plan_mb=1_000)
    small = stage.memory.plan_for_next_step()
    stage.free = free_for(2_000)
    waiting = stage.steps(2)
    assert waiting == [small, small]
    larger = stage.memory.plan_for_next_step()
    assert larger.peak_bytes > small.peak_bytes
    assert stage.changes[-1].is_growth


def test_memory_that_comes_and_goes_is_not_taken():
    stage = Stage((trace_of(live=300, seconds=1e-3),), plan_mb=1_000)
    small = stage.memory.plan_for_next_step()
    for step in range(20):
        stage.free = free_for(2_000 if step % 3 else 1_000)
        assert stage.memory.plan_for_next_step() is small


def test_only_what_was_free_in_all_calm_steps_is_taken():
    stage = Stage((trace_of(live=300, seconds=1e-3),), plan_mb=1_000)
    stage.memory.plan_for_next_step()
    for plan_mb in (2_000, 1_400, 2_000):
        stage.free = free_for(plan_mb)
        plan = stage.memory.plan_for_next_step()
    assert 1_300 * MB <= plan.peak_bytes <= 1_416 * MB


def test_growth_that_is_no_faster_is_left():
    stage = Stage((trace_of(live=300, seconds=1.0),), plan_mb=1_000)
    small = stage.memory.plan_for_next_step()
    stage.free = free_for(3_000)
    assert stage.steps(10) == [small] * 10
    assert stage.changes == []


@pytest.mark.fault(17)
def test_a_step_that_ran_out_of_memory_is_done_again_with_a_smaller_plan():
    stage = Stage(plan_mb=2_400)
    plans = []
    released = []

    def step(plan):
        plans.append(plan)
        if len(plans) == 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return "done"

    assert stage.memory.attempt(step, lambda: released.append(1)) == "done"
    assert plans[1].peak_bytes <= 0.9 * plans[0].peak_bytes
    assert released == [1]
    assert len(stage.changes) == 1
    assert stage.memory.plan_for_next_step() is plans[1]


def test_after_a_failure_the_plan_grows_again_but_later_every_time():
    stage = Stage((trace_of(live=300, seconds=1e-3),), plan_mb=1_000)

    def steps_until_growth():
        stage.memory.after_failure("out of memory")
        count = 0
        num_changes = len(stage.changes)
        while len(stage.changes) == num_changes:
            stage.memory.plan_for_next_step()
            count += 1
        return count

    stage.memory.plan_for_next_step()
    first, second = steps_until_growth(), steps_until_growth()
    assert second == 2 * first > 3


def test_what_is_no_lack_of_memory_is_not_tried_again():
    stage = Stage(plan_mb=2_400)
    attempts = []

    def step(plan):
        attempts.append(plan)
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(RuntimeError, match="illegal"):
        stage.memory.attempt(step, lambda: None)
    assert len(attempts) == 1


def test_the_failed_step_holds_nothing_when_the_next_plan_is_made():
    """A traceback keeps the values of all its frames alive."""
    import gc
    import weakref

    class Values:
        pass

    stage = Stage(plan_mb=2_400)
    seen = []

    def step(_plan):
        values = Values()
        seen.append(weakref.ref(values))
        if len(seen) == 1:
            raise MemoryError
        return values

    gc.disable()
    try:
        stage.memory.attempt(step, lambda: seen.append(seen[0]()))
    finally:
        gc.enable()
    assert seen[1] is None


def test_the_smallest_plan_is_tried_once_more_and_then_given_up():
    trace = trace_of(live=300)
    stage = Stage((trace,), plan_mb=401)
    plan = stage.memory.plan_for_next_step()
    assert stage.memory.after_failure("in pieces") is plan
    with pytest.raises(OutOfMemory) as caught:
        stage.memory.after_failure("in pieces again")
    assert caught.value.detail == "in pieces again"


def test_a_failure_that_passed_by_is_forgotten_with_the_next_step():
    stage = Stage((trace_of(live=300),), plan_mb=401)
    plan = stage.memory.plan_for_next_step()
    for _ in range(3):
        assert stage.memory.after_failure("in pieces") is plan
        assert stage.memory.plan_for_next_step() is plan


def test_a_failure_while_others_took_the_memory_goes_by_what_is_free_now():
    stage = Stage(plan_mb=2_400)
    stage.memory.plan_for_next_step()
    stage.free = free_for(1_100)
    assert stage.memory.after_failure("taken").peak_bytes <= 1_100 * MB


@pytest.mark.fault(17, 18)
def test_when_nothing_fits_the_words_say_how_much_is_needed():
    stage = Stage((trace_of(live=300),), plan_mb=384)
    with pytest.raises(OutOfMemory, match=r"0\.5 GB are free, and 0\.5 GB are needed at least"):
        stage.memory.plan_for_next_step()
    stage.free = 0
    with pytest.raises(OutOfMemory, match="Close other programs") as caught:
        stage.memory.plan_for_next_step()
    assert "are needed" in caught.value.detail
    assert not isinstance(caught.value, EightBitWouldFit)


def test_a_limit_that_is_too_low_is_named_and_not_other_programs():
    stage = Stage((trace_of(live=300),), plan_mb=5_000, limit_bytes=200 * MB)
    with pytest.raises(OutOfMemory, match=r"At most 0\.2 GB .* may be used, and 0\.4 GB"):
        stage.memory.plan_for_next_step()


EXACT_OR_8BIT = (trace_of(live=300), trace_of(Variant(is_8bit=True), live=300, weights=50))


def test_8bit_weights_are_offered_and_not_taken():
    stage = Stage(EXACT_OR_8BIT, plan_mb=380)
    with pytest.raises(EightBitWouldFit, match="8-bit weights it would fit"):
        stage.memory.plan_for_next_step()
    stage = Stage(EXACT_OR_8BIT, plan_mb=336)
    with pytest.raises(OutOfMemory) as caught:
        stage.memory.plan_for_next_step()
    assert not isinstance(caught.value, EightBitWouldFit)


def test_8bit_weights_are_the_last_rung_where_they_are_allowed_and_stay():
    stage = Stage(EXACT_OR_8BIT, plan_mb=1_000, allow_8bit=True)
    assert not stage.memory.plan_for_next_step().variant.is_8bit
    stage.free = free_for(380)
    assert stage.memory.plan_for_next_step().variant.is_8bit
    assert stage.changes[-1].kind is MemoryChangeKind.EIGHT_BIT
    assert stage.changes[-1].effect is Effect.LOSSY
    stage.free = free_for(3_000)
    assert all(plan.variant.is_8bit for plan in stage.steps(20))


def test_before_the_first_plan_there_is_no_trace():
    with pytest.raises(RuntimeError, match="plan_for_next_step"):
        _ = Stage(plan_mb=1_000).memory.trace


def test_a_failure_before_the_first_plan_is_one_of_a_plan_that_is_made_now():
    stage = Stage(plan_mb=2_400)
    assert stage.memory.after_failure("early").peak_bytes <= 0.9 * 2_416 * MB
