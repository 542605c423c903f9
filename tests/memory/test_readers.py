"""Several threads that read side by side read what one would read."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from residency_cases import make_cases
from safetensors.torch import save_file
from torch import nn

from engine.checkpoint.tensors import OpenFiles, index_safetensors, read_into
from engine.errors import ModelFileError
from engine.memory import readers
from engine.memory.device_kind import DeviceKind
from engine.memory.readers import MOST_READERS, Readers, readers_for
from engine.memory.weights import FileTensor, QuantizedOnTheWay, WeightSource

NAME = "readers of a test"


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(readers, "_PART_BYTES", 1024)


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    yield
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(NAME)]


@pytest.fixture
def reading():
    """Makes readers of a source, which are closed at the end."""
    made = []

    def make(source, num_threads):
        made.append(Readers(source, num_threads, name=NAME))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    with torch.no_grad():
        return make_cases(tmp_path_factory.mktemp("weights"))["movq"].loadable.source


class Opened:
    """Counts how often files are opened."""

    def __init__(self, monkeypatch):
        self.files = []
        open_file = Path.open

        def watched(path, *args, **options):
            self.files.append(open_file(path, *args, **options))
            return self.files[-1]

        monkeypatch.setattr(Path, "open", watched)


@pytest.mark.parametrize("num_threads", [1, 2, 3, 4])
def test_any_number_of_threads_reads_the_same_bytes(source, reading, num_threads):
    one = reading(source, num_threads)
    for unit in source.units:
        expected = torch.zeros(source.num_bytes(unit), dtype=torch.uint8)
        source.read(unit, 0, expected)
        actual = torch.zeros_like(expected)
        for begin in range(0, len(actual), 10 * 256):
            one.read(unit, begin, actual[begin : begin + 10 * 256])
        assert torch.equal(actual, expected)


class Watched:
    """A source that says who reads what; `meeting` is where readers wait for each other."""

    def __init__(self, *, fails_at=None, in_order=False, meeting=None):
        self.parts, self.threads, self.ended = [], set(), []
        self._fails_at, self._in_order, self._meeting = fails_at, in_order, meeting

    def is_read_in_order(self, _unit):
        return self._in_order

    def read(self, _unit, begin, target, _files):
        self.parts.append((begin, len(target)))
        self.threads.add(threading.get_ident())
        if begin == self._fails_at:
            raise ModelFileError("cut off")
        if self._meeting is not None:
            self._meeting.wait(60)
        time.sleep(0.05)
        self.ended.append(begin)


def test_parts_are_disjoint_and_aligned_and_are_read_at_once(reading):
    source = Watched(meeting=threading.Barrier(3))
    reading(source, 3).read("unit", 512, torch.empty(7000, dtype=torch.uint8))
    assert sorted(source.parts) == [(512, 2560), (3072, 2560), (5632, 1880)]
    assert len(source.threads) == 3


def test_what_is_small_is_read_by_the_caller_alone(reading):
    source = Watched()
    reading(source, 4).read("unit", 0, torch.empty(1000, dtype=torch.uint8))
    assert source.parts == [(0, 1000)]
    assert source.threads == {threading.get_ident()}


def test_what_has_an_order_is_read_in_it(reading, tmp_path):
    source = Watched(in_order=True)
    reading(source, 4).read("unit", 0, torch.empty(9000, dtype=torch.uint8))
    assert source.parts == [(0, 9000)]
    save_file({"weight": torch.randn(8, 4)}, tmp_path / "file")
    record = index_safetensors(tmp_path / "file")["weight"]
    for weight, expected in (
        (QuantizedOnTheWay(record).rows, True),
        (FileTensor(record=record, dtype=torch.float16), False),
    ):
        with torch.device("meta"):
            network = nn.Sequential(nn.Linear(4, 8, bias=False))
        network.requires_grad_(requires_grad=False)
        found = WeightSource(network, {"0.weight": weight})
        assert found.is_read_in_order("0") == expected


@pytest.mark.parametrize("fails_at", [0, 2560])
def test_an_error_comes_when_nobody_writes_any_more(reading, fails_at):
    source = Watched(fails_at=fails_at)
    with pytest.raises(ModelFileError, match="cut off"):
        reading(source, 3).read("unit", 0, torch.empty(7000, dtype=torch.uint8))
    assert sorted([*source.ended, fails_at]) == [0, 2560, 5120]


def test_a_file_is_opened_once_by_each_reader_and_closed_with_them(source, monkeypatch):
    opened, num_threads = Opened(monkeypatch), 3
    many = Readers(source, num_threads, name=NAME)
    for unit in source.units:
        many.read(unit, 0, torch.empty(source.num_bytes(unit), dtype=torch.uint8))
    assert len(opened.files) == num_threads
    assert not any(file.closed for file in opened.files)
    many.close()
    assert all(file.closed for file in opened.files)


def test_files_stay_open_from_read_to_read(tmp_path, monkeypatch):
    save_file({"one": torch.arange(10), "two": torch.arange(100)}, tmp_path / "file")
    records = index_safetensors(tmp_path / "file")
    opened = Opened(monkeypatch)
    with OpenFiles() as files:
        for record in (*records.values(), *records.values()):
            buffer = torch.empty(record.shape[0] - 1, dtype=torch.int64)
            files.read_into(record, buffer.view(torch.uint8).numpy().data, start=8)
            assert buffer.tolist() == list(range(1, record.shape[0]))
        assert [file.closed for file in opened.files] == [False]
    assert [file.closed for file in opened.files] == [True]


def test_a_file_that_cannot_be_opened_is_reported(tmp_path):
    save_file({"one": torch.arange(10)}, tmp_path / "file")
    record = replace(index_safetensors(tmp_path / "file")["one"], file=tmp_path / "missing")
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_into(record, memoryview(bytearray(8)))


@pytest.mark.parametrize(("cores", "expected"), [(None, 2), (1, 2), (4, 2), (6, 3), (32, 4)])
def test_a_card_has_several_readers_and_a_processor_one(monkeypatch, cores, expected):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert readers_for(DeviceKind.GRAPHICS_CARD) == expected <= MOST_READERS
    assert readers_for(DeviceKind.CPU) == 1
