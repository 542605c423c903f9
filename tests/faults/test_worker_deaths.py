"""A worker that dies: seen at once, in words, and not for ever."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest
import window_parts
from engine_talk import PATIENCE, TOKENS, Log, deaths_of, make_clip, posix_only, until_ready

from engine.api import Failed, Finished, FrameSize, GenerateRequest, SamplingSettings
from kvdesk.engine_client import EngineClient
from kvdesk.engine_state import EngineState
from kvdesk.jobs import Job, JobState
from kvdesk.run_notices import RESUME_JOB
from kvdesk.worker_death import DeathReason

if TYPE_CHECKING:
    from fault_rounds import Rounds

    from kvdesk.worker_death import WorkerDeath

answer_of = window_parts.answer_of
desk_of = window_parts.desk_of
fake_engine = window_parts.fake_engine
_installed_theme = window_parts._installed_theme
nothing_is_left = window_parts.nothing_is_left
run_to_end = window_parts.run_to_end
themed = window_parts.themed

pytestmark = posix_only

SECONDS_TO_SEE = 1.0
ENDS = {
    "SIGKILL": {"die_signal": signal.SIGKILL},
    "SIGSEGV": {"die_signal": signal.SIGSEGV},
    "SIGABRT": {"die_signal": signal.SIGABRT},
    "SIGBUS": {"die_signal": signal.SIGBUS},
    "code 0": {"die_code": 0},
    "code 9": {"die_code": 9},
}
MOMENTS = ("greet", "make_clip", "text:0", "key_frame:2", "base_frames:1", "decode:7")
LOST = {"refuse": {"key_frame:2": {"code": "device_lost", "message": "Gone."}}}
KINDS = {
    "killed": {"die_at": "key_frame:2", "die_signal": signal.SIGKILL},
    "hung": {"stuck_at": "key_frame:2", "stuck_how": "deadlock"},
    "lost": LOST,
    "at the start": {"die_at": "start"},
}
# Crashes as they really happen, in a thread that answers a question.
CRASHES = {
    "SIGSEGV": "import ctypes; ctypes.string_at(0)",
    "SIGABRT": "import os; os.abort()",
    "SIGBUS": """
    import mmap, tempfile
    with tempfile.TemporaryFile() as file:
        file.truncate(8192)
        view = mmap.mmap(file.fileno(), 8192)
        file.truncate(0)
        view[5000]
""",
}
CRASHING = """
import sys; sys.modules['torch'] = None
import engine.questions, engine.worker
def crash(*_, **__):
    {}
engine.questions.answer = crash
engine.worker.main()
"""


@pytest.fixture
def beat_seconds(monkeypatch) -> float:
    """How often a worker beats where the seconds of the watch are short, for those that hang."""
    window_parts.use_seconds(monkeypatch, window_parts.SHORT_SECOND)
    return window_parts.SHORT_SECOND


@pytest.mark.fault(10, 11)
def test_a_death_is_seen_within_a_second_and_the_job_goes_on(
    qtbot, fake_engine, run_to_end, tmp_path, rounds: Rounds
):
    deaths_to_die = list(itertools.product(ENDS, MOMENTS))
    longest = 0.0
    for number in range(rounds.wanted(small=2, large=200)):
        name, moment = deaths_to_die[7 * number % len(deaths_to_die)]
        once = tmp_path / f"once{number}"
        engine = fake_engine(die_at=moment, once=str(once), step_seconds=0.001, **ENDS[name])
        deaths = deaths_of(engine)
        events = Log()
        engine.run(make_clip(tmp_path / str(number)), events.append)
        qtbot.waitUntil(once.exists, timeout=PATIENCE)
        began = once.stat().st_mtime
        qtbot.waitUntil(lambda events=events: events.is_over, timeout=PATIENCE)
        longest = max(longest, time.time() - began)
        assert isinstance(events[-1], Failed)
        assert name in deaths[0].message or "ran out of memory" in deaths[0].message
        assert isinstance(run_to_end(engine, make_clip(tmp_path / str(number)))[-1], Finished)
        assert len(deaths) == 1
        engine.shut_down()
        rounds.done()
    print(f"a death was seen after {longest:.2f} s at most")
    assert longest < SECONDS_TO_SEE


@pytest.mark.fault(11)
def test_a_death_is_seen_although_a_program_of_the_worker_holds_its_streams(qtbot, qapp):
    program = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '20'])\n"
        "print(child.pid, file=sys.stderr, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    engine = EngineClient([sys.executable, "-c", program], {}, qapp)
    with qtbot.waitSignal(engine.died, timeout=PATIENCE) as died:
        engine.start()
    engine.shut_down()
    (death,) = died.args
    assert death.reason is DeathReason.KILLED
    os.kill(int(death.detail.split()[0]), signal.SIGKILL)
    assert engine.wait_until_gone(5000)


@pytest.mark.fault(11)
def test_a_real_crash_is_named_with_the_calls_that_led_to_it(qtbot, qapp, rounds: Rounds):
    for name in list(CRASHES)[: rounds.wanted(small=1, large=3)]:
        death = death_in_an_answer(qtbot, qapp, CRASHES[name])
        assert death.reason is DeathReason.CRASHED
        assert f"({name})" in death.message
        assert "in crash" in death.detail
        assert "in _answer_all" in death.detail
        rounds.done()


@pytest.mark.fault(11, 12)
def test_a_hung_worker_says_where_it_hung(qtbot, qapp, monkeypatch):
    window_parts.use_seconds(monkeypatch, 0.3)  # it beats once in a real one

    death = death_in_an_answer(qtbot, qapp, "import ctypes; ctypes.PyDLL(None).sleep(100)")
    assert death.reason is DeathReason.HUNG
    assert "in crash" in death.detail


@pytest.mark.fault(1, 11)
@pytest.mark.slow
def test_a_worker_that_something_made_unpickle_ends_and_says_so(qtbot, qapp):
    crash = "import pickle; pickle.loads(b'cos\\nsystem\\n.')"
    death = death_in_an_answer(qtbot, qapp, crash)
    assert death.reason is DeathReason.TRAPPED
    assert "os.system" in death.detail


def death_in_an_answer(qtbot, qapp, crash: str) -> WorkerDeath:
    """The death of a real worker that runs `crash` in place of answering a question."""
    engine = EngineClient([sys.executable, "-c", CRASHING.format(crash)], {}, qapp)
    engine.start()
    until_ready(qtbot, engine)
    with qtbot.waitSignal(engine.died, timeout=PATIENCE) as died:
        engine.ask(TOKENS, print)
    engine.shut_down()
    assert engine.wait_until_gone(5000)
    engine.deleteLater()
    return died.args[0]


@pytest.mark.fault(17, 19)
@pytest.mark.timeout(0)
def test_three_deaths_of_any_kinds_are_enough(
    qtbot, fake_engine, tmp_path, beat_seconds, rounds: Rounds
):
    combinations = list(itertools.product(KINDS, repeat=3))
    chosen = rounds.wanted(small=1, large=len(combinations))
    for number, kinds in enumerate(combinations[:: len(combinations) // chosen][:chosen]):
        count = tmp_path / f"count{number}"
        workers = [*(KINDS[kind] for kind in kinds), {}]
        engine = fake_engine(
            workers=workers, count=str(count), beat_seconds=beat_seconds, step_seconds=0.001
        )
        deaths = deaths_of(engine)

        def next_clip(event, engine=engine, folder=tmp_path / f"clip{number}") -> None:
            if isinstance(event, Failed) and engine.state is not EngineState.FAILED:
                engine.run(make_clip(folder), next_clip)

        engine.run(make_clip(tmp_path / f"clip{number}"), next_clip)
        qtbot.waitUntil(
            lambda engine=engine: engine.state is EngineState.FAILED, timeout=2 * PATIENCE
        )
        assert len(deaths) == 3
        qtbot.wait(50)
        assert count.stat().st_size == 3
        engine.shut_down()
        rounds.done()


# The whole application


def add_jobs(desk, count: int, *, folders: str = "folder") -> list[Job]:
    jobs = [
        Job(
            id=f"job{number}",
            request=GenerateRequest(
                prompt=f"circle {number}",
                seed=number,
                size=FrameSize(width=64, height=64),
                sampling=SamplingSettings(steps=4, interpolation_steps=2),
            ),
            model="demo",
            folder=f"{folders}{number}",
        )
        for number in range(count)
    ]
    desk.queue.add(jobs)
    return jobs


def states_of(desk) -> dict[str, JobState]:
    return {job.id: job.state for job in desk.queue.jobs}


@pytest.mark.fault(17, 19)
@pytest.mark.timeout(0)
def test_a_job_that_ends_the_worker_twice_in_any_way_is_put_aside_and_nothing_more_starts(
    qtbot, desk_of, tmp_path, beat_seconds, rounds: Rounds
):
    kinds = ("killed", "hung", "lost")
    combinations = list(itertools.product(kinds, repeat=2))
    chosen = combinations[: rounds.wanted(small=1, large=len(combinations))]
    for number, (first, second) in enumerate(chosen):
        desk = desk_of(
            workers=[KINDS[first], KINDS[second], {}],
            count=str(tmp_path / f"count{number}"),
            beat_seconds=beat_seconds,
            step_seconds=0.001,
        )
        add_jobs(desk, 2, folders=f"{first}-{second}-")
        qtbot.waitUntil(
            lambda desk=desk: states_of(desk).get("job0") is JobState.FAILED, timeout=2 * PATIENCE
        )
        assert desk.queue.is_held
        qtbot.waitUntil(lambda desk=desk: desk.engine.state is EngineState.READY, timeout=PATIENCE)
        qtbot.wait(50)
        assert states_of(desk) == {"job0": JobState.FAILED, "job1": JobState.WAITING}
        assert "twice" in desk.window.notices.notices[0].text
        desk.studio.retry("job0")
        desk.queue.hold(False)
        qtbot.waitUntil(lambda desk=desk: desk.queue.jobs == (), timeout=PATIENCE)
        rounds.done()


@pytest.mark.fault(19)
def test_the_end_that_a_person_asked_for_is_not_held_against_the_job(qtbot, desk_of):
    desk = desk_of(step_seconds=0.02)
    add_jobs(desk, 1)
    for _ in range(3):
        qtbot.waitUntil(
            lambda: (
                desk.engine.state is EngineState.READY
                and states_of(desk) == {"job0": JobState.RUNNING}
            ),
            timeout=PATIENCE,
        )
        desk.engine.restart()
    qtbot.waitUntil(lambda: desk.queue.jobs == (), timeout=PATIENCE)
    assert not desk.queue.is_held


@pytest.mark.fault(8)
def test_a_full_disk_pauses_the_job_and_holds_the_queue_until_there_is_room(
    qtbot, desk_of, tmp_path
):
    full = {"code": "disk_full", "message": "The disk has too little room: free 1.50 GB."}
    desk = desk_of(refuse={"base_frames:2": full}, once=str(tmp_path / "once"), step_seconds=0.001)
    add_jobs(desk, 2)
    qtbot.waitUntil(lambda: desk.queue.is_held, timeout=PATIENCE)
    qtbot.wait(50)
    assert states_of(desk) == {"job0": JobState.PAUSED, "job1": JobState.WAITING}
    assert "1.50 GB" in desk.queue.job("job0").failure.message
    (notice, *_) = desk.window.notices.notices
    assert "1.50 GB" in notice.text
    assert notice.action == f"{RESUME_JOB}job0"
    desk.window.notices.action_requested.emit(notice.action)
    qtbot.waitUntil(lambda: desk.queue.jobs == (), timeout=PATIENCE)
    assert not desk.queue.is_held
    assert set(desk.library.records) == {"folder0", "folder1"}
