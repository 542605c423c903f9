"""What devices reached is remembered by label, and survives everything but its own loss."""

import json

import pytest

from engine.memory.calibration import Calibration, CalibrationStore, Rate

CARD = "NVIDIA GeForce RTX 3060"
ONE_RUN = Rate(amount=100, seconds=1.0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "speeds.json"


@pytest.fixture
def store(path):
    return CalibrationStore(path)


def test_nothing_is_known_of_a_device_that_never_worked(store, path):
    assert store.load(CARD) is None
    assert not path.exists()


def test_one_run_tells_what_was_measured_in_it(store, path):
    store.record(CARD, flops=Rate(amount=30, seconds=2.0), read=Rate(amount=10, seconds=4.0))
    expected = Calibration(flops_per_second=15.0, source_bytes_per_second=2.5)
    assert store.load(CARD) == expected
    assert CalibrationStore(path).load(CARD) == expected
    assert store.load("cpu") is None


def test_one_slow_run_among_others_does_not_count(store):
    for flops in (100, 1, 110, 105):
        store.record(CARD, flops=Rate(amount=flops, seconds=1.0))
    assert store.load(CARD).flops_per_second == 102.5


def test_runs_of_long_ago_are_forgotten(store):
    for _ in range(9):
        store.record(CARD, flops=ONE_RUN)
    for _ in range(5):
        store.record(CARD, flops=Rate(amount=900, seconds=1.0))
    assert store.load(CARD).flops_per_second == 900.0


@pytest.mark.parametrize(
    ("flops", "seconds"),
    [(0, 1.0), (-1, 1.0), (100, 0.0), (100, -1.0), (100, 0.001), (100, float("nan"))],
)
def test_a_run_that_tells_nothing_is_left_out(store, path, flops, seconds):
    store.record(CARD, flops=Rate(amount=flops, seconds=seconds))
    assert store.load(CARD) is None
    assert not path.exists()


def test_reading_alone_are_no_calibration_but_are_kept_for_one(store):
    store.record(CARD, read=Rate(amount=50, seconds=1.0))
    assert store.load(CARD) is None
    store.record(CARD, flops=ONE_RUN)
    assert store.load(CARD) == Calibration(flops_per_second=100.0, source_bytes_per_second=50.0)


def test_devices_do_not_mix_and_those_of_long_ago_go(store, path):
    for number in range(40):
        store.record(f"card {number}", flops=Rate(amount=number + 1, seconds=1.0))
    assert store.load("card 39").flops_per_second == 40.0
    assert store.load("card 20").flops_per_second == 21.0
    assert store.load("card 0") is None
    assert len(json.loads(path.read_text())["runs"]) == 32


@pytest.mark.fault(26)
def test_the_file_of_a_newer_kvdesk_counts_as_none_and_stays(store, path):
    path.parent.mkdir()
    path.write_text('{"format": 2, "runs": [], "moods": 3}')
    assert store.load(CARD) is None
    store.record(CARD, flops=ONE_RUN)
    assert store.load(CARD) is None
    assert path.read_text() == '{"format": 2, "runs": [], "moods": 3}'


@pytest.mark.parametrize(
    "contents",
    [
        "",
        "nonsense",
        "[]",
        '{"format": 1}{',
        '{"format": 0, "runs": []}',
        '{"format": 1, "runs": [{"label": 3}]}',
        '{"format": 1, "runs": [{"label": "NVIDIA GeForce RTX 3060", "flops": [NaN]}]}',
        '{"format": 1, "runs": [{"label": "NVIDIA GeForce RTX 3060", "flops": [-5, 0]}]}',
        "[" * 100_000,
    ],
)
def test_a_damaged_file_counts_as_none_and_is_replaced(store, path, contents):
    path.parent.mkdir()
    path.write_text(contents)
    assert store.load(CARD) is None
    store.record(CARD, flops=ONE_RUN)
    assert store.load(CARD).flops_per_second == 100.0


def test_a_file_that_cannot_be_written_is_logged_and_stops_nothing(tmp_path, caplog):
    (tmp_path / "file").write_text("here is no folder")
    store = CalibrationStore(tmp_path / "file" / "speeds.json")
    store.record(CARD, flops=ONE_RUN)
    assert "cannot be kept" in caplog.text
    assert store.load(CARD) is None
