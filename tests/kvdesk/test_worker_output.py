"""The client and workers that write garbage, and how lines are cut."""

from __future__ import annotations

from dataclasses import replace

import pytest
from engine_talk import REQUEST, SHORT, TOKENS, make_clip

from engine.api import CountTokens, Failed, Finished, ListModels, StepDone
from kvdesk.worker_output import MAX_LINE_BYTES, LineSplitter, Tail


def test_failures_of_the_worker_arrive_as_they_are(fake_engine, run_to_end, answer_of, tmp_path):
    failure = {"code": "out_of_memory", "message": "Too little memory.", "detail": "why"}
    engine = fake_engine(refuse={"base_frames:3": failure, "count_tokens": failure})
    expected = Failed(code="out_of_memory", message="Too little memory.", detail="why")
    assert run_to_end(engine, make_clip(tmp_path / "clip"))[-1] == expected
    assert answer_of(engine, TOKENS) == expected


@pytest.mark.fault(13)
def test_garbage_between_events_is_ignored(fake_engine, run_to_end, tmp_path, caplog):
    garbage = [
        "Loading weights: 100%",
        "",
        "{",
        "[1, 2]",
        '"text"',
        "[" * 100_000,
        '{"event": "hello"}',
        '{"event": "no_such_event", "job": 1}',
        '{"event": "finished", "job": 1}',
        '{"event": "stopped", "job": 999}',
        '{"event": "stopped", "job": true}',
        '{"event": "stopped", "job": "1"}',
        '{"event": "stopped"}',
        '{"event": ["stopped"], "job": 1}',
        '{"event": "failed", "code": "message", "message": "no job"}',
        '{"event": "hello", "protocol": 2, "version": "twice"}',
        "\ud83e\udd84 \x00\x7f",
    ]
    garbage = [line.encode("utf-8", "surrogatepass").decode("utf-8", "replace") for line in garbage]
    engine = fake_engine(garbage=garbage, step_seconds=0)
    events = run_to_end(engine, make_clip(tmp_path / "clip", replace(REQUEST, sampling=SHORT)))
    assert isinstance(events[-1], Finished)
    assert len(events.of(StepDone)) == 1 + 2 + 2 + 12
    assert "no_such_event" in caplog.text
    assert "Loading weights" in caplog.text


@pytest.mark.fault(13)
def test_lines_longer_than_8_mib_are_dropped_with_a_log(fake_engine, answer_of, caplog):
    engine = fake_engine(long_line_bytes=MAX_LINE_BYTES + 1)
    assert answer_of(engine, TOKENS).count == 4
    assert "longer than" in caplog.text


def test_an_answer_of_a_megabyte_arrives_whole(fake_engine, answer_of):
    models = answer_of(fake_engine(big_model=100_000), ListModels(job=0)).models
    assert models[1].description == "ü\u2028🦄" * 100_000


def test_output_in_single_bytes_makes_the_same_events(fake_engine, answer_of):
    engine = fake_engine(write_bytes=1, models=[{"name": "größer 🦄"}])
    assert answer_of(engine, ListModels(job=0)).models[1].name == "größer 🦄"


def test_a_command_that_is_too_long_fails_by_itself(fake_engine, answer_of):
    engine = fake_engine()
    answer = answer_of(engine, CountTokens(job=0, model="demo", text="x" * (1 << 20)))
    assert (type(answer), answer.code) == (Failed, "invalid_request")
    assert answer_of(engine, TOKENS).count == 4


def test_an_event_that_does_not_answer_a_question_is_ignored(fake_engine, answer_of, caplog):
    engine = fake_engine(wrong_answer={"event": "memory_freed"})
    assert answer_of(engine, TOKENS).count == 4
    assert "does not answer" in caplog.text


@pytest.mark.fault(13)
def test_lines_come_out_the_same_wherever_they_are_cut():
    text = 'ä🦄\r\n\n{"a": 1}\nlast'.encode()
    lines = ["ä🦄".encode(), b'{"a": 1}']
    for first in range(len(text) + 1):
        for second in range(first, len(text) + 1):
            splitter = LineSplitter()
            pieces = (text[:first], text[first:second], text[second:], b" one\n")
            found = [line for piece in pieces for line in splitter.feed(piece)]
            assert found == [*lines, b"last one"]


def test_a_long_line_is_dropped_however_it_arrives_and_the_next_one_is_whole():
    for size in (1, 2, 3, 7, 100):
        splitter = LineSplitter(max_bytes=10)
        text = b"0123456789\n0123456789a\nshort\n" + b"x" * 50 + b"\nend\n"
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        found = [line for piece in pieces for line in splitter.feed(piece)]
        assert found == [b"0123456789", b"short", b"end"]


@pytest.mark.fault(14)
def test_the_tail_is_bounded_and_reads_progress_bars():
    tail = Tail()
    tail.feed(b"".join(b"line %d\n" % number for number in range(1000)))
    tail.feed(b" 10%\r 20%\rbroken \xff")
    lines = tail.text.split("\n")
    assert len(lines) <= 201
    assert lines[-4:] == ["line 999", " 10%", " 20%", "broken \ufffd"]
    tail.feed(b"z" * 1_000_000 + b"\n")
    assert len(tail.text) < 10_000
