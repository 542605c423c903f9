import pytest
from rehearsal.seconds import clip_stages
from rehearsal.sessions import RATES, RememberedPlans, Session, rehearse

from engine.memory.ladder import StageMemory
from engine.memory.simulated_card import SimulatedCard


@pytest.fixture(scope="module")
def planner():
    return RememberedPlans()


@pytest.mark.fault(17)
def test_no_session_ends_in_an_error_that_nobody_handles():
    totals = rehearse(200, seed=1)
    assert totals["finished"] + totals.get("told that memory is short", 0) == 200
    assert totals["finished"] > 170
    assert totals["events"] > totals["failed steps"] > 0
    for rung in ("residents (exact)", "branches (rounding)"):
        assert totals[f"less: {rung}"] > 0


def test_the_same_seed_is_the_same_session(planner):
    counts = []
    for _ in range(2):
        session = Session(7, planner)
        counts.append((session.run(), session.counts, session.changes))
    assert counts[0] == counts[1]


class QuietSession(Session):
    """Nothing happens but the one allocation that was told to fail."""

    def _maybe_something_happens(self):
        pass

    def _release_after_failure(self):
        self.card.release_unused()
        self.counts["failed steps"] += 1


@pytest.mark.fault(17)
def test_whichever_allocation_fails_only_its_step_is_done_again(planner):
    calm = QuietSession(3, planner)
    assert calm.run() == "finished"
    assert calm.counts["failed steps"] == 0
    for number in range(calm.card.num_allocations):
        session = QuietSession(3, planner)
        session.card.fail_allocations([number])
        assert session.run() == "finished"
        assert session.counts["failed steps"] == 1
        assert session.counts["steps"] == calm.counts["steps"]


@pytest.mark.parametrize(
    "name", ["key frame", "base frames", "interpolation 1", "interpolation 2", "decode"]
)
def test_two_gigabytes_less_cost_a_stage_little_time(name, planner):
    """Another program takes 2 GB of an 8 GB card in the middle of a stage, and gives them back."""
    card = SimulatedCard(RATES[0], other_bytes=RATES[0].memory_bytes - (6 << 30))
    stage = next(stage for stage in clip_stages() if stage.name == name)
    memory = StageMemory(
        stage.passes[-1],
        card=card.card,
        free_bytes=lambda: card.available_bytes,
        on_change=[].append,
        planner=planner,
    )
    before = memory.plan_for_next_step()
    card.other_bytes += 2 << 30
    less = memory.plan_for_next_step()
    assert less.peak_bytes <= card.available_bytes
    assert less.seconds <= 1.05 * before.seconds
    card.other_bytes -= 2 << 30
    after = [memory.plan_for_next_step() for _ in range(5)][-1]
    assert after.seconds <= 1.02 * before.seconds
