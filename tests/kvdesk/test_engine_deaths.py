"""The client and workers that die, hang or belong to somebody else."""

from __future__ import annotations

import signal

import pytest
from engine_talk import PATIENCE, TOKENS, Log, deaths_of, make_clip, posix_only, worker_processes

from engine.api import DEVICE_LOST_EXIT_CODE, PROTOCOL_VERSION, Failed, Finished
from kvdesk.engine_client import EngineClient, EngineState
from kvdesk.worker_death import DeathReason, death_by_exit


@pytest.mark.parametrize(
    "moment",
    ["start", "greet", "make_clip", "text:0", "key_frame:2", "base_frames:6", "decode:12"],
)
def test_a_death_fails_the_open_jobs_and_the_next_worker_goes_on(
    fake_engine, run_to_end, tmp_path, moment
):
    once = str(tmp_path / "once")
    engine = fake_engine(die_at=moment, die_code=3, once=once, stderr=["last words"])
    deaths = deaths_of(engine)
    events = run_to_end(engine, make_clip(tmp_path / "clip"))
    assert (type(events[-1]), events[-1].code) == (Failed, "worker_died")
    assert "code 3" in events[-1].message
    assert events[-1].detail == "last words"
    assert [death.reason for death in deaths] == [DeathReason.ENDED]
    assert isinstance(run_to_end(engine, make_clip(tmp_path / "clip"))[-1], Finished)


@pytest.mark.fault(17)
def test_a_lost_device_fails_all_that_is_open_and_nothing_is_sent_to_its_worker(
    qtbot, fake_engine, run_to_end, tmp_path
):
    lost = {"code": "device_lost", "message": "An illegal memory access."}
    engine = fake_engine(refuse={"key_frame:2": lost}, once=str(tmp_path / "once"))
    deaths = deaths_of(engine)
    first, waiting, states = Log(), Log(), []

    def on_event(event):
        first.append(event)
        if first.is_over:
            states.append(engine.state)
            engine.run(make_clip(tmp_path / "first"), waiting.append)

    engine.run(make_clip(tmp_path / "first"), on_event)
    second = run_to_end(engine, make_clip(tmp_path / "second"))
    assert [log[-1].code for log in (first, second)] == ["device_lost", "device_lost"]
    assert [death.reason for death in deaths] == [DeathReason.DEVICE_LOST]
    assert first[-1].message == deaths[0].message
    assert first[-1].detail == "An illegal memory access."
    assert states == [EngineState.STARTING]
    qtbot.waitUntil(lambda: waiting.is_over, timeout=PATIENCE)
    assert isinstance(waiting[-1], Finished)
    assert len(deaths) == 1


def test_a_worker_that_could_not_say_so_before_it_ended_has_lost_its_device_too(
    fake_engine, run_to_end, tmp_path
):
    once = str(tmp_path / "once")
    engine = fake_engine(die_at="key_frame:2", die_code=DEVICE_LOST_EXIT_CODE, once=once)
    assert run_to_end(engine, make_clip(tmp_path / "clip"))[-1].code == "device_lost"
    assert isinstance(run_to_end(engine, make_clip(tmp_path / "clip"))[-1], Finished)


@pytest.mark.fault(11)
@posix_only
@pytest.mark.parametrize(
    ("number", "reason", "words"),
    [
        (signal.SIGKILL, DeathReason.KILLED, "ran out of memory"),
        (signal.SIGTERM, DeathReason.KILLED, "Another program"),
        (signal.SIGSEGV, DeathReason.CRASHED, "(SIGSEGV)"),
        (signal.SIGABRT, DeathReason.CRASHED, "(SIGABRT)"),
    ],
)
def test_a_signal_is_explained(fake_engine, run_to_end, tmp_path, number, reason, words):
    once = str(tmp_path / "once")
    engine = fake_engine(die_at="key_frame:1", die_signal=int(number), once=once)
    deaths = deaths_of(engine)
    events = run_to_end(engine, make_clip(tmp_path / "clip"))
    assert deaths[0].reason is reason
    assert words in deaths[0].message == events[-1].message


@pytest.mark.fault(11)
@pytest.mark.parametrize(
    ("code", "crashed", "reason", "words"),
    [
        (0, False, DeathReason.ENDED, "code 0"),
        (1, False, DeathReason.ENDED, "code 1"),
        (137, False, DeathReason.KILLED, "memory"),  # by ssh or a shell
        (-1073741819, True, DeathReason.CRASHED, "ACCESS_VIOLATION"),
        (-1073741801, True, DeathReason.KILLED, "memory"),
        (-1073740000, True, DeathReason.CRASHED, "0xC0000720"),
    ],
)
def test_exits_of_all_systems_are_explained(code, crashed, reason, words):
    death = death_by_exit(code, "tail", crashed=crashed)
    assert (death.reason, death.detail) == (reason, "tail")
    assert words in death.message


@pytest.mark.fault(19)
def test_three_deaths_in_five_minutes_are_enough_until_a_restart(qtbot, fake_engine, tmp_path):
    engine = fake_engine(die_at="start", die_code=3)
    deaths = deaths_of(engine)
    qtbot.waitUntil(lambda: engine.state is EngineState.FAILED, timeout=PATIENCE)
    assert len(deaths) == 3
    events = Log()
    engine.run(make_clip(tmp_path / "clip"), events.append)
    assert events == []
    qtbot.waitUntil(lambda: events.is_over, timeout=PATIENCE)
    assert (events[-1].code, events[-1].message) == ("worker_died", deaths[-1].message)
    assert worker_processes() == []
    engine.restart()
    assert engine.state is EngineState.STARTING
    qtbot.waitUntil(lambda: engine.state is EngineState.FAILED, timeout=PATIENCE)
    assert len(deaths) == 6


def test_deaths_of_long_ago_do_not_count(qtbot, fake_engine):
    times = iter(range(0, 100_000, 200))  # never three in five minutes
    engine = fake_engine(die_at="start", clock=lambda: next(times))
    deaths = deaths_of(engine)
    qtbot.waitUntil(lambda: len(deaths) == 5, timeout=PATIENCE)
    assert engine.state is EngineState.STARTING


def test_a_program_that_is_missing_is_named_and_not_tried_again(qtbot, qapp):
    engine = EngineClient(["/no/such/program"], {}, qapp)
    deaths = deaths_of(engine)
    answers = []
    engine.ask(TOKENS, answers.append)
    engine.start()
    qtbot.waitUntil(lambda: len(answers) == 1, timeout=PATIENCE)
    assert [death.reason for death in deaths] == [DeathReason.NOT_STARTED]
    assert "/no/such/program" in answers[0].message
    assert engine.state is EngineState.FAILED
    engine.shut_down()
    assert engine.wait_until_gone(0)


@pytest.mark.parametrize(
    "script",
    [
        {"protocol": PROTOCOL_VERSION + 1},
        {"hello": {"event": "hello", "protocol": 9, "version": "1", "new": True}},
    ],
)
def test_a_worker_of_another_version_is_refused_once(qtbot, fake_engine, script):
    engine = fake_engine(**script)
    deaths = deaths_of(engine)
    qtbot.waitUntil(lambda: engine.state is EngineState.FAILED, timeout=PATIENCE)
    assert [death.reason for death in deaths] == [DeathReason.PROTOCOL]
    assert "same installation" in deaths[0].message
    qtbot.waitUntil(lambda: worker_processes() == [], timeout=PATIENCE)


def test_a_silent_worker_leaves_the_window_waiting_but_ends_with_it(qtbot, fake_engine):
    engine = fake_engine(silent=True)
    answers = []
    engine.ask(TOKENS, answers.append)
    qtbot.wait(150)
    assert engine.state is EngineState.STARTING
    assert answers == []
