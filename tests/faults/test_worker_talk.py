"""What arrives from a worker is taken for what it is, or for nothing."""

from __future__ import annotations

import json
import random
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
import window_parts
from engine_talk import PATIENCE, TOKENS, Log, make_clip
from fake_worker import environment_of

from engine.api import (
    PROTOCOL_VERSION,
    Alive,
    Failed,
    Finished,
    PreviewReady,
    Stage,
    StageStarted,
    StepDone,
    Stopped,
    TokensCounted,
    event_to_json,
)
from kvdesk.engine_client import EngineClient
from kvdesk.engine_state import EngineState
from kvdesk.worker_output import MAX_LINE_BYTES

if TYPE_CHECKING:
    from fault_rounds import Rounds

answer_of = window_parts.answer_of
fake_engine = window_parts.fake_engine
nothing_is_left = window_parts.nothing_is_left
run_to_end = window_parts.run_to_end

EVENTS = (
    Alive(mark=3),
    StageStarted(stage=Stage.TEXT, num_steps=1),
    StepDone(stage=Stage.DECODE, step=3, num_steps=12, seconds_left=1.5),
    PreviewReady(stage=Stage.KEY_FRAME, step=1, path="/tmp/a.png", num_frames=1),
    Finished(num_frames=12, seconds=3.0, output="x"),
    Stopped(),
    Failed(code="device_lost", message="Gone."),
    TokensCounted(count=4, limit=128),
)
STRANGE = ("", None, -1, 1e308, True, [], {}, [[]] * 9, "\0", "\ud800", "🦄" * 999, 10**400)


def mutated(line: bytes, chance: random.Random) -> bytes:
    """`line` with a few bytes changed, lost, doubled, or cut off."""
    data = bytearray(line)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del data[at : at + chance.randint(1, 9)]
            case 2:
                data[at:at] = data[: chance.randint(1, 30)]
            case _:
                del data[max(1, at) :]
    return bytes(data).replace(b"\n", b" ")


def strange(message: dict, chance: random.Random) -> dict:
    """`message` with a value of another kind, or a key too many or too few."""
    changed = dict(message)
    key = chance.choice([*message, "new"])
    if key != "new" and chance.random() < 0.2:
        del changed[key]
    else:
        changed[key] = chance.choice(STRANGE)
    return changed


def strange_lines(count: int, *, jobs: tuple[int, ...]) -> list[bytes]:
    """Lines as a broken worker might write them; those that end a job name none of `jobs`."""
    chance = random.Random(6)
    lines = []
    while len(lines) < count:
        event = chance.choice(EVENTS)
        message = {**event_to_json(event), "job": chance.choice((0, -1, 999, *jobs))}
        line = json.dumps(strange(message, chance)).encode()
        if chance.random() < 0.5:
            line = mutated(line, chance)
        if not means_something(line, jobs):
            lines.append(line)
    return lines


def means_something(line: bytes, jobs: tuple[int, ...]) -> bool:
    """Whether the line would be right to act on: what it says of a job is what a worker says."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(data, dict):
        return False
    return data.get("job") in jobs or data.get("code") == "device_lost"


@pytest.mark.fault(13)
def test_strange_lines_of_all_kinds_change_nothing(qtbot, qapp, tmp_path, rounds: Rounds):
    count = rounds.wanted(small=400, large=20_000)
    lines = strange_lines(count, jobs=(1, 2))
    noise = tmp_path / "noise"
    noise.write_bytes(b"\n".join(lines) + b"\n")
    # A worker of ours that first writes the noise, in pieces that end anywhere.
    program = f"""if True:
        import os, sys
        sys.path[:0] = {list(environment_of()["PYTHONPATH"].split(":"))!r}
        hello = b'{{"event": "hello", "protocol": {PROTOCOL_VERSION}, "version": "fake"}}'
        os.write(1, hello + b"\\n")
        noise = open({str(noise)!r}, "rb").read()
        for start in range(0, len(noise), 1013):
            piece = noise[start : start + 1013]
            while piece:
                piece = piece[os.write(1, piece):]
        import fake_worker
        fake_worker.main()
    """
    engine = EngineClient([sys.executable, "-c", program], environment_of(step_seconds=0), qapp)
    states = []
    engine.state_changed.connect(states.append)
    engine.start()
    events, answers = Log(), []
    engine.run(make_clip(tmp_path / "clip"), events.append)
    engine.ask(TOKENS, answers.append)
    qtbot.waitUntil(lambda: events.is_over and len(answers) == 1, timeout=PATIENCE)
    assert isinstance(events[-1], Finished)
    assert answers == [TokensCounted(count=4, limit=128)]
    assert states == [EngineState.STARTING, EngineState.READY]
    rounds.done(count)
    engine.shut_down()
    assert engine.wait_until_gone(5000)
    engine.deleteLater()


@pytest.mark.fault(13)
def test_giant_lines_and_one_without_an_end_cost_bounded_memory(qtbot, qapp, rounds: Rounds):
    count = rounds.wanted(small=3, large=40)
    program = f"""if True:
        import os
        hello = b'{{"event": "hello", "protocol": {PROTOCOL_VERSION}, "version": "fake"}}'
        os.write(1, hello + b"\\n")
        def write(data):
            while data:
                data = data[os.write(1, data):]
        for _ in range({count}):
            write(b"x" * {MAX_LINE_BYTES + 1000} + b"\\n")
        write(b'{{"event": "failed", "code": "' + b"y" * {3 * MAX_LINE_BYTES})
    """
    engine = EngineClient([sys.executable, "-c", program], {}, qapp)
    process = psutil.Process()
    before = process.memory_info().rss
    with qtbot.waitSignal(engine.died, timeout=PATIENCE):
        engine.start()
    engine.shut_down()
    assert process.memory_info().rss - before < 6 * MAX_LINE_BYTES
    rounds.done(count)
    assert engine.wait_until_gone(5000)
    engine.deleteLater()


@pytest.mark.fault(14)
def test_a_flood_on_stderr_hinders_nothing_and_only_its_end_is_kept(
    qtbot, fake_engine, tmp_path, rounds: Rounds
):
    megabytes = rounds.wanted(small=5, large=100)
    engine = fake_engine(stderr_bytes=megabytes << 20, step_seconds=0.01, die_at="free_memory")
    process = psutil.Process()
    before = process.memory_info().rss
    events = Log()
    clip = make_clip(tmp_path / "clip")
    engine.run(clip, events.append)
    qtbot.waitUntil(lambda: events.is_over, timeout=PATIENCE)
    assert isinstance(events[-1], Finished)
    from engine.api import FreeMemory

    with qtbot.waitSignal(engine.died, timeout=PATIENCE) as died:
        engine.run(FreeMemory(job=0), events.append)
    (death,) = died.args
    assert 0 < len(death.detail) < 1 << 20
    assert process.memory_info().rss - before < 100 << 20
    rounds.done(megabytes)


@pytest.mark.fault(13)
def test_late_lines_of_a_worker_that_was_let_go_are_nobodys(
    qtbot, fake_engine, tmp_path, rounds: Rounds
):
    """The numbers of jobs go on, and the old worker may still write about its own."""
    for number in range(rounds.wanted(small=2, large=100)):
        engine = fake_engine(step_seconds=0.001, ignore_cancel=True)
        first = Log()
        engine.run(make_clip(tmp_path / f"a{number}"), first.append)
        qtbot.waitUntil(lambda first=first: len(first.of(StepDone)) > 2, timeout=PATIENCE)
        engine.restart()
        second = Log()
        engine.run(make_clip(tmp_path / f"b{number}"), second.append)
        qtbot.waitUntil(
            lambda first=first, second=second: first.is_over and second.is_over, timeout=PATIENCE
        )
        assert [type(event) for event in first.of(Failed, Finished)] == [Failed]
        assert isinstance(second[-1], Finished)
        steps = [(event.stage, event.step) for event in second.of(StepDone)]
        assert len(steps) == len(set(steps))
        engine.shut_down()
        rounds.done()
