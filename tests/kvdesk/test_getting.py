"""Where the getting of the model stands, as it is kept, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.api import (
    DownloadDescribed,
    DownloadFile,
    PrepareProgress,
    SelfTested,
    Stage,
    StageStarted,
    StepDone,
)
from kvdesk.getting import (
    Getting,
    GettingProgress,
    Phase,
    Step,
    getting_from_json,
    getting_to_json,
    moved,
)
from kvdesk.getting_progress import Speedometer, advanced
from kvdesk.getting_texts import Part, file_groups, part_of_file, room_of, room_problem
from kvdesk.job import Failure

GB = 10**9
TESTED = SelfTested(
    seconds=9.5, num_frames=45, width=256, height=256, device="cpu", key_frame="/cache/key.png"
)
FAILURE = Failure(code="disk_full", message="The disk is full.")
BEGUN = Getting(models_folder="/models", phase=Phase.PAUSED, has_originals=True, also_in=("/usb",))


@pytest.mark.parametrize(
    "getting",
    [
        Getting(models_folder="/models"),
        BEGUN,
        replace(BEGUN, phase=Phase.FAILED, step=Step.PREPARE, failure=FAILURE),
        replace(BEGUN, phase=Phase.READY, step=Step.TEST, tested=TESTED, delete_originals=False),
    ],
)
def test_what_is_not_running_is_the_same_after_a_restart(getting):
    assert getting_from_json(getting_to_json(getting), "/models") == getting


@pytest.mark.parametrize(
    ("phase", "step"),
    [
        (Phase.DOWNLOADING, Step.DOWNLOAD),
        (Phase.PREPARING, Step.PREPARE),
        (Phase.TESTING, Step.TEST),
    ],
)
def test_what_was_running_is_paused_after_a_restart_at_its_step(phase, step):
    running = replace(BEGUN, phase=phase, step=step)
    after = getting_from_json(getting_to_json(running), "/models")
    assert (after.phase, after.step) == (Phase.PAUSED, step)


@pytest.mark.parametrize(
    "data", [None, {}, {"version": 99, "getting": {}}, {"version": 1, "getting": {"phase": "?"}}]
)
def test_a_file_that_is_not_understood_is_a_new_beginning(data):
    assert getting_from_json(data, "/models") == Getting(models_folder="/models")


def test_in_another_folder_it_begins_anew_and_takes_what_was_fetched_before():
    after = getting_from_json(getting_to_json(BEGUN), "/elsewhere")
    assert after == moved(BEGUN, "/elsewhere")
    assert after.phase is Phase.NOT_STARTED
    assert after.also_in == ("/usb", str(BEGUN.originals))
    assert moved(after, "/third").also_in == after.also_in  # nothing was fetched there


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("t2v.pt", Part.MOTION),
        ("t2v_8bit.safetensors", Part.MOTION),
        ("interpolation.pt", Part.SMOOTH),
        ("movq.pt", Part.PICTURES),
        ("video_movq.safetensors", Part.PICTURES),
        ("text_encoder/model-00001-of-00008.safetensors", Part.TEXT),
        ("t5_projections.pt", Part.TEXT),
        ("configs.json", Part.REST),
    ],
)
def test_every_file_is_for_something(name, part):
    assert part_of_file(name) is part


def test_files_are_shown_by_what_they_are_for():
    files = (
        DownloadFile(name="movq.pt", size=10, have_bytes=10, found_in="/usb/movq.pt"),
        DownloadFile(name="video_movq.pt", size=30, have_bytes=4),
        DownloadFile(name="t2v.pt", size=80, have_bytes=0),
    )
    motion, pictures = file_groups(files)
    assert (motion.part, motion.size, motion.have_bytes) == (Part.MOTION, 80, 0)
    assert (pictures.size, pictures.have_bytes, pictures.found_bytes) == (40, 14, 10)


def described(free, *, have=0, found=""):
    files = (
        DownloadFile(name="t2v.pt", size=30 * GB, have_bytes=0),
        DownloadFile(name="movq.pt", size=10 * GB, have_bytes=have, found_in=found),
    )
    return DownloadDescribed(
        files=files,
        total_bytes=40 * GB,
        missing_bytes=40 * GB - have,
        peak_bytes=70 * GB,
        peak_bytes_deleting=50 * GB,
        stays_bytes=30 * GB,
        free_bytes=free,
    )


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize(
    ("free", "deletes", "says"),
    [
        (None, True, ""),
        (50 * GB, True, ""),
        (49 * GB, True, "1.0 GB"),  # the peak does not fit
        (39 * GB, True, "1.0 GB"),  # nor do the files
        (50 * GB, False, "deleted as they are prepared"),
        (70 * GB, False, ""),
        (45 * GB, False, "25.0 GB"),
    ],
)
def test_too_little_room_is_said_with_numbers(free, deletes, says):
    room = room_of(described(free), delete_originals=deletes)
    fits_deleting = room_of(described(free), delete_originals=True).fits
    problem = room_problem(room, fits_deleting=fits_deleting)
    assert (says in problem) if says else problem == ""
    assert room.fits_download == (free is None or free >= 40 * GB)


def test_files_that_are_there_need_no_room_but_those_found_elsewhere_do():
    here = room_of(described(50 * GB, have=10 * GB), delete_originals=True)
    found = room_of(described(50 * GB, have=10 * GB, found="/usb/movq.pt"), delete_originals=True)
    assert (here.to_write, found.to_write) == (40 * GB, 50 * GB)
    assert here.to_fetch == found.to_fetch == 30 * GB


def test_the_speed_is_that_of_the_last_seconds():
    now = [0.0]
    speed = Speedometer(lambda: now[0])
    assert speed.per_second(0) is None
    for second in range(1, 61):
        now[0] = float(second)
        rate = speed.per_second(1000 * second if second <= 30 else 30_000 + 10 * (second - 30))
    assert rate == pytest.approx(10)


def test_preparing_says_how_long_it_still_takes():
    now = [0.0]
    speed = Speedometer(lambda: now[0])
    progress = GettingProgress(step=Step.PREPARE)
    for second, done in ((0.0, 0), (10.0, 100)):
        now[0] = second
        event = PrepareProgress(file="t2v.safetensors", done_bytes=done, total_bytes=300)
        progress = advanced(progress, event, speed)
    assert (progress.bytes_per_second, progress.seconds_left) == (10, 20)
    assert progress.share == pytest.approx(1 / 3)


def test_a_test_clip_comes_nearer_to_its_end_with_every_step():
    progress, speed = GettingProgress(step=Step.TEST), Speedometer()
    shares = []
    for stage in (Stage.TEXT, Stage.KEY_FRAME, Stage.BASE_FRAMES, Stage.DECODE):
        progress = advanced(progress, StageStarted(stage=stage, num_steps=2), speed)
        shares.append(progress.share)
        for step in (1, 2):
            done = StepDone(stage=stage, step=step, num_steps=2, seconds_left=3.0)
            progress = advanced(progress, done, speed)
            shares.append(progress.share)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert (progress.stage, progress.seconds_left) == (Stage.DECODE, 3.0)
