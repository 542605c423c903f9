"""Traces on the disk: found again by the next process, and only where nothing has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from clip_cases import DEMO, SIZE, loader_of

import engine.memory.kept_traces
import engine.memory.pass_tracer
from engine.memory.clip_traces import ClipTracer
from engine.memory.device_kind import DeviceKind
from engine.memory.dry_run import dry_run
from engine.memory.kept_traces import KeptTraces, trace_from_json, trace_to_json
from engine.memory.model_sizes import sizes_of

STEPS = 3


@pytest.fixture(scope="module")
def sizes():
    return sizes_of(loader_of(DEMO))


@pytest.fixture
def traced(monkeypatch):
    """The names of the passes that dry runs were done of."""
    names = []

    def noting(*arguments, **options):
        names.append(options["name"])
        return dry_run(*arguments, **options)

    monkeypatch.setattr(engine.memory.pass_tracer, "dry_run", noting)
    return names


def all_traces(tracer):
    loop = tracer.base_frames(SIZE, STEPS)
    passes = [tracer.text(), tracer.encode(SIZE), loop.conditions, loop.steps]
    return [trace for ways in passes for trace in ways], loop.table_bytes


@pytest.mark.parametrize("kind", DeviceKind)
def test_another_process_finds_what_was_traced_and_traces_nothing(tmp_path, sizes, traced, kind):
    first = all_traces(ClipTracer(sizes, kind, KeptTraces(tmp_path, sizes, kind)))
    assert traced
    assert first == all_traces(ClipTracer(sizes, kind))
    traced.clear()
    tracer = ClipTracer(sizes, kind, KeptTraces(tmp_path, sizes, kind))
    assert tracer.has_text
    assert all_traces(tracer) == first
    assert traced == []


def test_a_step_is_the_same_whether_its_conditions_were_kept_or_traced(tmp_path, sizes, traced):
    def tracer():
        return ClipTracer(sizes, DeviceKind.CPU, KeptTraces(tmp_path, sizes, DeviceKind.CPU))

    assert tracer().base_frames(SIZE, STEPS).conditions[0]
    traced.clear()
    step = tracer().base_frames(SIZE, STEPS).steps[0]
    assert traced == ["base frames"]
    assert step == ClipTracer(sizes, DeviceKind.CPU).base_frames(SIZE, STEPS).steps[0]


def test_other_sizes_devices_steps_and_programs_are_other_traces(tmp_path, sizes, monkeypatch):
    kept = KeptTraces(tmp_path, sizes, DeviceKind.CPU)
    kept.keep("a pass", {"found": True})
    assert KeptTraces(tmp_path, sizes, DeviceKind.CPU).find("a pass") == {"found": True}
    assert kept.find("another pass") is None
    assert KeptTraces(tmp_path, sizes, DeviceKind.GRAPHICS_CARD).find("a pass") is None
    other = replace(sizes, text_in_8bit=not sizes.text_in_8bit)
    assert KeptTraces(tmp_path, other, DeviceKind.CPU).find("a pass") is None
    monkeypatch.setattr(engine.memory.kept_traces, "_program", lambda: "changed")
    assert KeptTraces(tmp_path, sizes, DeviceKind.CPU).find("a pass") is None


def test_a_damaged_trace_counts_as_none(tmp_path, sizes):
    kept = KeptTraces(tmp_path, sizes, DeviceKind.CPU)
    kept.keep("a pass", {"number": 1})
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for damaged in (b"", whole[:-1], whole.replace(b"1}", b"2}"), b"\xff" * 80, b"{}"):
        file.write_bytes(damaged)
        assert kept.find("a pass") is None
    kept.keep("a pass", {"number": 1})
    assert kept.find("a pass") == {"number": 1}


def test_a_trace_survives_its_file(sizes):
    trace = ClipTracer(sizes, DeviceKind.CPU).base_frames(SIZE, STEPS).conditions[0]
    assert trace_from_json(trace_to_json(trace)) == trace


def test_a_model_that_may_not_be_small_is_traced_as_a_large_one(tmp_path, sizes, monkeypatch):
    kept = KeptTraces(tmp_path, sizes, DeviceKind.CPU)
    small = ClipTracer(sizes, DeviceKind.CPU, kept)
    assert small.is_small
    own = small.decode(SIZE, 4, 3)[0]
    monkeypatch.setattr(engine.memory.pass_tracer, "SMALL_MODEL_BYTES", 0)
    large = ClipTracer(sizes, DeviceKind.CPU, kept)
    assert not large.is_small
    assert large.decode(SIZE, 4, 3)[0].fixed_bytes < own.fixed_bytes
