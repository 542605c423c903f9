"""A library made by any earlier version opens: see `old_library/README.md`."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest
from engine_talk import PATIENCE

from engine.api import ClipInfo, Finished, Fps, Motion, Stage, StageStarted, StepDone, from_json
from engine.jobs import JobRunner
from kvdesk.job import JobState
from kvdesk.library_index import LibraryIndex
from kvdesk.settings import Settings
from kvdesk.ui.stage_view import Shown

ARCHIVE = Path(__file__).parent / "old_library" / "before_0.1.0.tar.xz"
STATES = (
    "1-clip-folders",
    "2-first-window",
    "3-videos-beside-frames",
    "4-eight-bit-killed",
    "5-checksums",
)
WITH_A_WINDOW = STATES[1:]
RED, GREEN, BLUE = (
    "a red circle moving to the right on a black background",
    "a green square that grows on a gray background",
    "a blue triangle moving down on a dark blue background",
)


@pytest.fixture
def unpacked(tmp_path):
    """Puts what a state left behind where the application of the test looks for it."""

    def unpack(state: str) -> Path:
        with tarfile.open(ARCHIVE) as archive:
            wanted = [member for member in archive if member.name.startswith(f"{state}/")]
            for member in wanted:
                member.name = member.name.removeprefix(f"{state}/")
            archive.extractall(tmp_path, wanted, filter="data")
        index = tmp_path / "cache" / "library.sqlite"
        if index.exists():  # it is one of the place where its clips were, and would be made again
            with closing(sqlite3.connect(index)) as connection, connection:
                connection.execute("UPDATE place SET path = ?", (str(tmp_path / "clips"),))
        return tmp_path

    return unpack


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def read_settings(file: Path) -> Settings:
    return from_json(Settings, {k: v for k, v in stored(file).items() if k != "version"})


def stored(file: Path) -> dict[str, object]:
    return json.loads(file.read_text())


@pytest.mark.parametrize("state", STATES)
def test_a_library_of_an_earlier_version_opens_with_all_that_was_there(
    desk_of, qtbot, unpacked, state
):
    home = unpacked(state)
    before = contents(home / "clips")
    jobs = stored(home / "data/queue.json")["jobs"] if state in WITH_A_WINDOW else []
    prompts = stored(home / "data/prompts.json")["prompts"]
    desk = desk_of(is_new=True)
    assert desk.window.page is desk.window.stage  # who has used it needs no first steps
    qtbot.waitUntil(
        lambda: desk.library.is_loaded and desk.form.model is not None, timeout=PATIENCE
    )
    check_clips(desk, qtbot, state)
    check_choices(desk, prompts)
    check_queue(desk, jobs)
    desk_of()  # the first has been closed, and has written all that it writes
    assert contents(home / "clips") == before
    assert read_settings(home / "config/settings.json") == desk.settings.values
    if jobs:
        written = stored(home / "data/queue.json")["jobs"]
        assert [job["id"] for job in written] == [job["id"] for job in jobs]


def check_clips(desk, qtbot, state):
    clips = {record.title: record for record in desk.library.records.values()}
    assert set(clips) == ({RED, GREEN, BLUE} if state in WITH_A_WINDOW else {RED, BLUE})
    assert not any(record.is_read_only for record in clips.values())
    assert (clips[RED].info.num_frames, clips[BLUE].info.num_frames) == (12, 0)
    assert clips[BLUE].info.has_key_frame
    if state in WITH_A_WINDOW:
        assert clips[RED].starred
        assert clips[GREEN].is_binned
        assert clips[GREEN].info.request.motion is Motion.EXTREME
    for title in {RED, GREEN} & set(clips):
        desk.actions.show(clips[title].name)
        qtbot.waitUntil(lambda: desk.player.num_loaded == 12, timeout=PATIENCE)
        assert desk.window.stage.shown is Shown.CLIP
        assert {desk.player.image(index).width() for index in range(12)} == {64}


def check_choices(desk, prompts):
    values = desk.settings.values
    assert (values.theme, values.notify, values.reduce_motion) == ("light", False, True)
    assert values.more_is_open
    assert desk.form.values.prompt == BLUE
    assert (desk.form.values.seed, desk.form.values.seed_is_locked) == (8, True)
    assert (desk.form.values.fps, desk.form.values.motion) == (Fps.LOW, Motion.LOW)
    assert desk.history.search("") == prompts


def check_queue(desk, jobs):
    assert [job.id for job in desk.queue.jobs] == [job["id"] for job in jobs]
    if jobs:
        assert desk.queue.is_held
        stopped, *others = desk.queue.jobs
        was_killed = jobs[0]["state"] == "running"
        assert stopped.state is (JobState.WAITING if was_killed else JobState.PAUSED)
        assert {job.state for job in others} == {JobState.WAITING}
        assert {job.until for job in others} == {Stage.KEY_FRAME}
        batch = desk.studio.batches.of(others[0].group)
        assert batch.folders == tuple(job.folder for job in others)


@pytest.mark.parametrize("state", WITH_A_WINDOW)
def test_the_index_of_an_earlier_version_is_used_as_it_is(unpacked, state):
    home = unpacked(state)
    with LibraryIndex(home / "cache" / "library.sqlite", home / "clips") as index:
        rows = index.rows()
    names = {folder.parent.name for folder in (home / "clips").rglob("clip.json")}
    # The window that was killed had not taken down the clip that it was making.
    assert {row.name for row in rows} | {rows[0].name} <= names
    assert {row.record(home / "clips").title for row in rows} >= {RED, GREEN}


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(state, marks=() if state == WITH_A_WINDOW[0] else pytest.mark.slow)
        for state in STATES
    ],
)
def test_a_clip_that_was_stopped_goes_on_with_what_its_model_made(unpacked, state):
    home = unpacked(state)
    folders = {
        info.request.prompt: (file.parent, info)
        for file in (home / "clips").glob("*/clip.json")
        for info in [from_json(ClipInfo, stored(file))]
    }
    folder, info = folders[BLUE]
    events = []
    runner = JobRunner()
    runner.make_clip(
        info.request,
        folder,
        model="demo",
        device_name="cpu",
        until=None,
        on_event=events.append,
        is_cancelled=lambda: False,
    )
    begun = [event.stage for event in events if isinstance(event, StageStarted)]
    assert Stage.TEXT not in begun
    assert Stage.KEY_FRAME not in begun
    first_step = next(event.step for event in events if isinstance(event, StepDone))
    assert first_step > 1
    assert isinstance(events[-1], Finished)
    assert events[-1].num_frames == 12
