import threading

import pytest

from engine.memory.calibration import Calibration
from engine.memory.cards import CARDS, CPU, card_named
from engine.memory.device_kind import DeviceKind
from engine.memory.simulated_card import (
    GRANULARITY,
    SimulatedBrokenDevice,
    SimulatedCard,
    SimulatedOutOfMemory,
)

GB = 1 << 30


def card(**arguments) -> SimulatedCard:
    return SimulatedCard(card_named("RTX 3060", memory_bytes=10_240), **arguments)


def test_allocations_take_whole_granules_and_give_them_back():
    simulated = card()
    handle = simulated.reserve(GRANULARITY + 1)
    assert simulated.allocated_bytes == 2 * GRANULARITY
    simulated.free(handle)
    assert simulated.allocated_bytes == 0
    assert simulated.peak_bytes == 2 * GRANULARITY


def test_the_last_byte_can_be_had_and_no_more():
    simulated = card(other_bytes=240)
    simulated.reserve(9_728)
    with pytest.raises(SimulatedOutOfMemory, match="272 of 10240 bytes are free"):
        simulated.reserve(1)
    assert simulated.num_allocations == 2


def test_a_handle_is_freed_once():
    simulated = card()
    handle = simulated.reserve(1)
    simulated.free(handle)
    with pytest.raises(ValueError, match="nothing is held"):
        simulated.free(handle)


def test_other_programs_get_what_is_free_and_no_more():
    simulated = card()
    simulated.reserve(10_000)
    simulated.other_bytes = 5_000
    assert (simulated.other_bytes, simulated.free_bytes) == (0, 0)
    assert simulated.available_bytes == 10_240
    simulated.other_bytes = -1
    assert simulated.other_bytes == 0


def test_holes_hold_memory_until_they_are_given_back():
    simulated = card()
    simulated.lose(10_000)
    assert simulated.available_bytes == 10_240, "it still belongs to this program"
    with pytest.raises(SimulatedOutOfMemory):
        simulated.reserve(1_000)
    simulated.release_unused()
    simulated.reserve(1_000)


def test_an_allocation_fails_when_it_was_told_to():
    simulated = card()
    simulated.fail_allocations([1])
    simulated.reserve(1)
    with pytest.raises(SimulatedOutOfMemory, match="Allocation 1 "):
        simulated.reserve(1)
    simulated.reserve(1)


def test_a_broken_context_lets_nothing_but_cleaning_up_work():
    simulated = card()
    handle = simulated.reserve(1)
    simulated.break_context()
    for work in (
        lambda: simulated.reserve(1),
        lambda: simulated.compute(1, 1),
        lambda: simulated.copy(1),
        lambda: simulated.wait_for(1),
    ):
        with pytest.raises(SimulatedBrokenDevice):
            work()
    simulated.free(handle)


def test_clocks_run_beside_each_other_until_one_waits():
    simulated = card()
    assert simulated.copy(int(simulated.card.copy_bytes_per_second)) == pytest.approx(1)
    assert simulated.copy(int(simulated.card.copy_bytes_per_second), after=2.5) == (
        pytest.approx(3.5)
    )
    assert simulated.compute_seconds == 0
    simulated.wait_for(3.5)
    simulated.wait_for(1)
    done = simulated.compute(int(simulated.card.flops_per_second), 0)
    assert done == simulated.compute_seconds == pytest.approx(4.5)


def test_threads_share_a_card_without_losing_bytes():
    simulated = card()

    def work():
        for _ in range(500):
            simulated.free(simulated.reserve(512))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert simulated.allocated_bytes == 0
    assert simulated.num_allocations == 2_000


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NVIDIA GeForce RTX 3060", "RTX 3060"),
        ("NVIDIA GeForce RTX 3060 Ti", "RTX 3060 Ti"),
        ("NVIDIA GeForce RTX 4060 Laptop GPU", "RTX 4060"),
        ("nvidia geforce rtx 4070 ti super", "RTX 4070 Ti SUPER"),
        ("Tesla T4", "T4"),
        ("NVIDIA A100-SXM4-80GB", "A100"),
        ("RTX4090", "RTX 4090"),
        ("cpu", "CPU"),
    ],
)
def test_a_card_is_known_by_what_its_driver_calls_it(name, expected):
    assert card_named(name).name == expected


def test_a_processor_is_one_whatever_it_is_called():
    assert card_named("Some Processor RTX 4090", DeviceKind.CPU) == CPU


def test_real_memory_replaces_that_of_the_table():
    assert card_named("NVIDIA GeForce RTX 3060", memory_bytes=8 * GB).memory_bytes == 8 * GB


def test_an_unknown_card_is_taken_for_the_slowest_with_as_much_memory():
    found = card_named("Some Card 9000", memory_bytes=23 * GB)
    assert found.name == "Some Card 9000"
    assert found.flops_per_second == card_named("RTX 3090").flops_per_second
    assert card_named("RTX 30601").flops_per_second == min(c.flops_per_second for c in CARDS)


def test_calibration_replaces_what_it_knows():
    known = CPU.calibrated(Calibration(flops_per_second=5.0, source_bytes_per_second=7.0))
    assert (known.flops_per_second, known.source_bytes_per_second) == (5.0, 7.0)
    assert known.copy_bytes_per_second == CPU.copy_bytes_per_second
    assert CPU.calibrated(None) is CPU


def test_weights_come_as_fast_as_the_slower_of_reading_and_copying():
    assert CPU.feed_bytes_per_second == CPU.source_bytes_per_second < CPU.copy_bytes_per_second
