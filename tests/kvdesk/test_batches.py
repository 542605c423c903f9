from __future__ import annotations

import json

import pytest

from engine.api import Motion
from engine.errors import MessageError
from kvdesk.batches import MAX_BATCHES, Batch, Batches, BatchKind, BatchLabel

pytestmark = pytest.mark.usefixtures("qapp")


def label(seed):
    return BatchLabel(seed=seed, motion=Motion.HIGH, noise_augmentation=20)


def batch(name, kind=BatchKind.COUSINS):
    return Batch(id=name, kind=kind, folders=("f", "g"), labels=(label(1), label(2)))


@pytest.fixture
def batches(tmp_path):
    return Batches(tmp_path / "batches.json")


def test_a_batch_is_found_by_its_id_and_the_latest_by_its_kind(batches, qtbot):
    with qtbot.waitSignal(batches.changed):
        batches.add(batch("a"))
    batches.add(batch("b", BatchKind.MOTION_MAP))
    assert batches.of("a") == batch("a")
    assert batches.of("nobody") is None
    assert batches.latest().id == "b"
    assert batches.latest(BatchKind.COUSINS).id == "a"
    assert batches.latest(BatchKind.KEY_FRAMES) is None


def test_batches_are_there_again_in_their_order(batches, tmp_path):
    batches.add(batch("a", BatchKind.MOTION_MAP))
    batches.add(batch("b"))
    batches.flush()
    again = Batches(tmp_path / "batches.json")
    assert again.of("a") == batch("a", BatchKind.MOTION_MAP)
    assert again.latest().id == "b"


def test_the_oldest_batches_are_forgotten(batches):
    for number in range(MAX_BATCHES + 3):
        batches.add(batch(str(number)))
    assert batches.of("2") is None
    assert batches.of("3") is not None


def test_a_damaged_batch_is_left_out(batches, tmp_path):
    batches.add(batch("a"))
    batches.add(batch("b"))
    batches.flush()
    path = tmp_path / "batches.json"
    data = json.loads(path.read_text())
    data["batches"][0]["folders"] = ["f"]  # fewer than labels
    path.write_text(json.dumps(data))
    again = Batches(path)
    assert again.of("a") is None
    assert again.of("b") is not None


def test_every_folder_of_a_batch_has_a_label():
    assert batch("a").label("g").seed == 2
    with pytest.raises(MessageError):
        Batch(id="x", kind=BatchKind.COUSINS, folders=("f",), labels=())
