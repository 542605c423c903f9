"""A worker that hangs is found and ended, one that only takes its time is not."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
import window_parts
from engine_talk import PATIENCE, TOKENS, Log, deaths_of, make_clip, posix_only, until_ready

from engine.api import Failed, Finished, StepDone
from kvdesk.engine_client import EngineClient
from kvdesk.engine_state import EngineState
from kvdesk.worker_death import DeathReason
from kvdesk.worker_watch import (
    BUSY_PATIENCE,
    HUNG_PATIENCE,
    REMOTE_PATIENCE,
    Signs,
    WorkerWatch,
    look_at_process,
)

if TYPE_CHECKING:
    from fault_rounds import Rounds

fake_engine = window_parts.fake_engine
run_to_end = window_parts.run_to_end
answer_of = window_parts.answer_of
nothing_is_left = window_parts.nothing_is_left

pytestmark = [pytest.mark.fault(12), posix_only]

# "deadlock": it says that it lives. "frozen": in C, with Python's lock. "silent": says nothing.
FEW_HANGS = (
    ("start", "stopped"),
    ("key_frame:2", "deadlock"),
    ("decode:5", "frozen"),
)
HANGS = (
    *FEW_HANGS,
    *((moment, how) for moment in ("start", "greet") for how in ("silent", "frozen")),
    *(
        (moment, how)
        for moment in ("count_tokens", "text:0", "key_frame:2", "base_frames:1", "decode:12")
        for how in ("deadlock", "silent", "frozen", "stopped")
    ),
)
STILL = Signs(cpu_seconds=5.0, io_bytes=100, waits_for_disk=False)


@pytest.fixture
def seconds(monkeypatch, rounds: Rounds) -> float:
    """How long a second of the watch is: short in the suite, a real one in the large run."""
    length = float(rounds.wanted(small=0, large=1)) or window_parts.SHORT_SECOND
    window_parts.use_seconds(monkeypatch, length)
    return length


@pytest.mark.timeout(0)
def test_a_hang_is_found_within_ten_seconds_and_the_job_goes_on(
    qtbot, fake_engine, run_to_end, tmp_path, seconds, rounds
):
    hangs = HANGS if rounds.wanted(small=0, large=1) else FEW_HANGS
    for number, (moment, how) in enumerate(hangs):
        stuck = {"hang_at": moment} if how == "silent" else {"stuck_at": moment, "stuck_how": how}
        once = tmp_path / f"once{number}"
        engine = fake_engine(**stuck, once=str(once), beat_seconds=seconds, step_seconds=0.001)
        deaths = deaths_of(engine)
        events, answers = Log(), []
        engine.run(make_clip(tmp_path / str(number)), events.append)
        engine.ask(TOKENS, answers.append)
        qtbot.waitUntil(once.exists, timeout=PATIENCE)
        began = time.monotonic()
        qtbot.waitUntil(lambda deaths=deaths: len(deaths) == 1, timeout=PATIENCE)
        took = time.monotonic() - began
        assert deaths[0].reason is DeathReason.HUNG
        assert "did not react" in deaths[0].message
        # The steps of ending it do not get shorter with the seconds of the suite.
        assert took < (10 if seconds == 1 else 10 * seconds + 2), (moment, how)
        assert isinstance(run_to_end(engine, make_clip(tmp_path / str(number)))[-1], Finished)
        assert isinstance(events[-1], Failed | Finished)
        assert len(deaths) == 1
        engine.shut_down()
        rounds.done()
        print(f"{moment} {how}: {took:.1f} s")


@pytest.mark.timeout(0)
def test_one_that_is_busy_and_silent_is_left_alone(qtbot, fake_engine, tmp_path, seconds, rounds):
    for number in range(rounds.wanted(small=1, large=3)):
        engine = fake_engine(
            stuck_at="key_frame:2",
            stuck_how="busy",
            stuck_seconds=20 * seconds,
            once=str(tmp_path / f"once{number}"),
            beat_seconds=seconds,
        )
        deaths = deaths_of(engine)
        events = Log()
        engine.run(make_clip(tmp_path / str(number)), events.append)
        qtbot.waitUntil(lambda events=events: events.is_over, timeout=3 * PATIENCE)
        assert isinstance(events[-1], Finished)
        assert deaths == []
        engine.shut_down()
        rounds.done()


@pytest.mark.timeout(0)
def test_nobody_is_blamed_who_has_nothing_to_do(qtbot, fake_engine, answer_of, seconds):
    engine = fake_engine(beat_seconds=seconds)
    until_ready(qtbot, engine)
    deaths = deaths_of(engine)
    qtbot.wait(round(1000 * 3 * HUNG_PATIENCE * seconds))
    assert answer_of(engine, TOKENS).count == 4
    assert deaths == []


@pytest.mark.timeout(0)
def test_a_window_that_stood_still_blames_nobody(qtbot, fake_engine, tmp_path, seconds):
    engine = fake_engine(beat_seconds=seconds, step_seconds=0.02)
    deaths = deaths_of(engine)
    events = Log()
    engine.run(make_clip(tmp_path / "clip"), events.append)
    qtbot.waitUntil(lambda: len(events.of(StepDone)) > 0, timeout=PATIENCE)
    time.sleep(3 * HUNG_PATIENCE * seconds)
    qtbot.waitUntil(lambda: events.is_over, timeout=PATIENCE)
    assert isinstance(events[-1], Finished)
    assert deaths == []


def test_three_hangs_are_enough(qtbot, fake_engine, seconds):
    engine = fake_engine(stuck_at="greet", stuck_how="frozen", beat_seconds=seconds)
    deaths = deaths_of(engine)
    qtbot.waitUntil(lambda: engine.state is EngineState.FAILED, timeout=2 * PATIENCE)
    assert [death.reason for death in deaths] == [DeathReason.HUNG] * 3


def test_what_a_hung_worker_still_says_is_not_heard(qtbot, qapp, tmp_path, seconds):
    """Asked to end, a worker cancels its job; the job was not stopped by anybody."""
    program = """if True:
        import json, sys, threading, time
        def say(**event): print(json.dumps(event), flush=True)
        say(event="hello", protocol=int(sys.argv[1]), version="fake")
        def beat():
            while True:
                say(event="alive", mark=1)
                time.sleep(float(sys.argv[2]))
        threading.Thread(target=beat, daemon=True).start()
        for line in sys.stdin:
            if "quit" in line:
                say(event="stopped", job=1)
                time.sleep(0.1)
                sys.exit(0)
    """
    from engine.api import PROTOCOL_VERSION

    command = (sys.executable, "-c", program, str(PROTOCOL_VERSION), str(seconds))
    engine = EngineClient(command, {}, qapp)
    engine.start()
    events = Log()
    engine.run(make_clip(tmp_path / "clip"), events.append)
    qtbot.waitUntil(lambda: events.is_over, timeout=PATIENCE)
    assert [type(event) for event in events] == [Failed]
    engine.shut_down()
    assert engine.wait_until_gone(5000)
    engine.deleteLater()


# The watch itself


def ticks_until_hung(look, most=2000) -> int | None:
    watch = WorkerWatch(look)
    watch.hear_line()
    return next((tick for tick in range(most) if watch.tick()), None)


def test_a_worker_that_does_nothing_is_given_eight_seconds():
    assert ticks_until_hung(lambda: STILL) == HUNG_PATIENCE
    assert ticks_until_hung(lambda: None) == HUNG_PATIENCE


def test_a_worker_on_another_computer_is_given_a_minute():
    assert ticks_until_hung(None) == REMOTE_PATIENCE


@pytest.mark.parametrize("sign", ["cpu_seconds", "io_bytes"])
def test_a_worker_that_loads_is_given_a_quarter_of_an_hour_and_no_more(sign):
    values = iter(range(1, 10_000))

    def look() -> Signs:
        return Signs(**{"cpu_seconds": 1.0, "io_bytes": 1, "waits_for_disk": False,
                        sign: next(values)})  # fmt: skip

    assert ticks_until_hung(look) == BUSY_PATIENCE


def test_a_worker_that_waits_for_a_disk_is_not_ended_before_the_busy_ones():
    waiting = Signs(cpu_seconds=1.0, io_bytes=1, waits_for_disk=True)
    assert ticks_until_hung(lambda: waiting) == BUSY_PATIENCE


def test_threads_that_only_wait_for_each_other_are_no_work():
    cpu = iter(range(10_000))

    def look() -> Signs:
        return Signs(cpu_seconds=0.012 * next(cpu), io_bytes=1, waits_for_disk=False)

    assert ticks_until_hung(look) == HUNG_PATIENCE


def test_a_hang_after_loading_is_found_as_soon_as_any_other():
    seen = [Signs(cpu_seconds=float(n), io_bytes=n, waits_for_disk=False) for n in range(100)]
    states = iter(seen)
    tick = ticks_until_hung(lambda: next(states, seen[-1]))
    assert 100 < tick <= 102 + HUNG_PATIENCE


def test_marks_count_only_while_there_is_work():
    watch = WorkerWatch(lambda: STILL)

    def second(mark, *, has_work):
        watch.hear_line()
        return watch.tick() or watch.hear_mark(mark, has_work=has_work)

    said = [second(7, has_work=False) for _ in range(100)]
    said += [second(7, has_work=True) for _ in range(HUNG_PATIENCE - 1)]
    assert not any(said)
    assert not second(8, has_work=True)
    said = [second(8, has_work=True) for _ in range(HUNG_PATIENCE)]
    assert said == [False] * (HUNG_PATIENCE - 1) + [True]


@pytest.mark.fault(12)
def test_marks_that_a_window_hears_all_at_once_because_it_stood_still_blame_nobody():
    watch = WorkerWatch(lambda: STILL)
    assert not any(watch.hear_mark(7, has_work=True) for _ in range(10 * HUNG_PATIENCE))
    assert not watch.tick()
    assert not watch.hear_mark(7, has_work=True)


def test_the_system_is_asked_about_a_real_process():
    process = psutil.Popen([sys.executable, "-c", "while True: pass"])
    try:
        before = look_at_process(process.pid)
        time.sleep(0.3)
        after = look_at_process(process.pid)
        assert after.show_work_since(before)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.05)
        before = look_at_process(process.pid)
        time.sleep(0.2)
        assert not look_at_process(process.pid).show_work_since(before)
    finally:
        process.kill()
        process.wait()
    assert look_at_process(process.pid) is None
