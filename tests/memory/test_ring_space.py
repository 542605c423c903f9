import random

import pytest

from engine.memory.ring_space import RingSpace


def test_first_place_is_the_beginning():
    assert RingSpace(100).reserve(60) == 0


def test_next_place_is_behind_the_one_before():
    ring = RingSpace(100)
    ring.reserve(60)
    assert ring.reserve(40) == 60


def test_a_full_ring_has_no_place_until_the_oldest_goes():
    ring = RingSpace(100)
    ring.reserve(60)
    ring.reserve(40)
    assert ring.reserve(1) is None
    ring.release_oldest()
    assert ring.reserve(60) == 0


def test_what_does_not_fit_behind_goes_to_the_front_in_one_piece():
    ring = RingSpace(100)
    ring.reserve(50)
    ring.reserve(30)
    ring.release_oldest()
    assert ring.reserve(40) == 0
    assert ring.reserve(10) == 40
    assert ring.reserve(1) is None, "the rest behind the second is not used in this round"


def test_a_unit_larger_than_the_ring_is_refused_by_name():
    with pytest.raises(ValueError, match="101 bytes do not fit into a ring of 100"):
        RingSpace(100).reserve(101)


def test_an_empty_ring_always_has_room_for_one_as_large_as_itself():
    ring = RingSpace(100)
    for _ in range(3):
        assert ring.reserve(100) == 0
        assert ring.reserve(1) is None
        ring.release_oldest()
    assert ring.num_held == 0


@pytest.mark.parametrize("seed", range(20))
def test_no_two_units_ever_share_a_byte(seed):
    random_ = random.Random(seed)
    ring = RingSpace(random_.randint(50, 200))
    held: list[tuple[int, int]] = []
    for _ in range(500):
        size = random_.randint(1, ring.num_bytes)
        begin = ring.reserve(size) if random_.random() < 0.6 else None
        if begin is not None:
            assert 0 <= begin <= begin + size <= ring.num_bytes
            assert all(begin + size <= b or e <= begin for b, e in held)
            held.append((begin, begin + size))
        elif held:
            held.pop(0)
            ring.release_oldest()
        assert ring.num_held == len(held)
