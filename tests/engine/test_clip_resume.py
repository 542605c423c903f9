"""A clip's folder: however the work on it is interrupted, the clip is the one made in one go."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from same_clips import assert_same_clip, names_in, whole_clip

import engine.clip_checkpoints
import engine.clip_job
from engine.api import (
    CropBox,
    Finished,
    Fps,
    FrameSize,
    GenerateRequest,
    KeyFrameReady,
    PictureRequest,
    PreviewReady,
    Sampler,
    SamplingSettings,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
    frame_path,
)
from engine.clip import ClipFolder
from engine.clip_checkpoints import FolderCheckpoints
from engine.clip_points import Point
from engine.diffusion.loop import LoopState
from engine.errors import (
    Cancelled,
    DiskFull,
    InvalidRequest,
    ModelNotFound,
    PictureError,
)
from engine.jobs import JobRunner

SIZE = FrameSize(width=32, height=32)


@pytest.fixture(scope="module")
def runner():
    return JobRunner()


@pytest.fixture(scope="module")
def make(runner, prepared_folder):
    """Make a clip; the events. `stop` is asked after every event whether to cancel."""

    def make(request, folder, *, until=None, stop=lambda _event: False, on_event=lambda _event: 0):
        events = []

        def seen(event):
            events.append(event)
            on_event(event)

        runner.make_clip(
            request,
            folder,
            model=str(prepared_folder),
            device_name="cpu",
            until=until,
            on_event=seen,
            is_cancelled=lambda: bool(events) and stop(events[-1]),
        )
        return events

    return make


def request(sampler=Sampler.DDPM, fps=Fps.LOW, **changes) -> GenerateRequest:
    return GenerateRequest(
        prompt="a red circle",
        seed=5,
        size=SIZE,
        fps=fps,
        sampling=SamplingSettings(sampler=sampler, steps=3, interpolation_steps=2),
        **changes,
    )


def stages_of(events) -> list[Stage]:
    return [event.stage for event in events if isinstance(event, StageStarted)]


@pytest.fixture(scope="module")
def in_one_go(make, tmp_path_factory):
    """A folder with the clip of a request that was never interrupted."""
    folders: dict[GenerateRequest, Path] = {}

    def folder_of(request):
        if request not in folders:
            folders[request] = tmp_path_factory.mktemp("one") / "clip"
            make(request, folders[request])
        return folders[request]

    return folder_of


# In one go


def test_a_clip_leaves_its_files_and_no_others(make, tmp_path):
    events = make(request(fps=Fps.MEDIUM), tmp_path / "clip")
    assert names_in(tmp_path / "clip") == whole_clip(45)
    assert stages_of(events) == [
        Stage.TEXT,
        Stage.KEY_FRAME,
        Stage.BASE_FRAMES,
        Stage.INTERPOLATION,
        Stage.DECODE,
    ]
    finished = events[-1]
    assert (finished.num_frames, finished.output) == (45, str(tmp_path / "clip"))
    info = ClipFolder.open(tmp_path / "clip").info
    assert (info.num_frames, info.has_key_frame, info.device) == (45, True, "cpu")
    assert info.request == request(fps=Fps.MEDIUM)
    told = [(item.stage, item.seconds) for item in events if isinstance(item, StageFinished)]
    for kept, (stage, seconds) in zip(info.seconds, told, strict=True):
        assert kept.stage is stage
        assert kept.seconds == pytest.approx(seconds, abs=0.02)


def test_the_frames_are_those_of_the_python_call(in_one_go, prepared_folder):
    from engine import get_T2V_pipeline

    pipeline = get_T2V_pipeline("cpu", model=prepared_folder)
    frames = pipeline(
        "a red circle", width=32, height=32, fps="medium", seed=5, steps=3, interpolation_steps=2
    )
    folder = in_one_go(request(fps=Fps.MEDIUM))
    for index, frame in enumerate(frames):
        with Image.open(frame_path(folder, 45, index)) as saved:
            assert saved.tobytes() == frame.tobytes()


def test_previews_are_there_when_they_are_told_and_have_the_size_of_latents(make, tmp_path):
    seen = {}

    def look(event):
        if isinstance(event, PreviewReady):
            with Image.open(event.path) as picture:
                seen.setdefault(event.stage, (event.step, event.num_frames, picture.size))

    make(request(fps=Fps.MEDIUM), tmp_path / "clip", on_event=look)
    assert seen == {
        Stage.KEY_FRAME: (1, 1, (8, 8)),
        Stage.BASE_FRAMES: (1, 12, (12 * 4, 4)),
        Stage.INTERPOLATION: (1, 45, (45 * 4, 4)),
    }


def test_previews_come_five_times_a_second_and_at_every_stages_first_step(
    make, tmp_path, monkeypatch
):
    monkeypatch.setattr(engine.clip_job, "SECONDS_BETWEEN_PREVIEWS", 1000)
    rare = make(request(fps=Fps.MEDIUM), tmp_path / "rare")
    assert [event.step for event in rare if isinstance(event, PreviewReady)] == [1, 1, 1]
    monkeypatch.setattr(engine.clip_job, "SECONDS_BETWEEN_PREVIEWS", 0)
    each = make(request(fps=Fps.MEDIUM), tmp_path / "each")
    assert [event.step for event in each if isinstance(event, PreviewReady)] == [1, 2, 3] * 2 + [
        1,
        2,
    ]


# Interrupted


@pytest.mark.parametrize("sampler", Sampler)
def test_a_clip_that_is_cancelled_after_every_single_step_is_the_clip_made_in_one_go(
    sampler, make, in_one_go, tmp_path
):
    wanted = request(sampler, Fps.MEDIUM)
    attempts = 0
    while True:
        attempts += 1
        try:
            events = make(wanted, tmp_path, stop=lambda event: isinstance(event, StepDone))
        except Cancelled:
            continue
        break
    assert attempts == 1 + 1 + 3 + 3 + 2 + 9  # text, steps, chunks of frames; and the end
    assert stages_of(events) == [Stage.DECODE]
    assert_same_clip(tmp_path, in_one_go(wanted))
    assert names_in(tmp_path) == whole_clip(45)


def test_what_is_raised_in_between_leaves_what_is_done(make, in_one_go, tmp_path):
    class Broken(Exception):
        pass

    def fail_in_base_frames(event):
        if isinstance(event, StepDone) and event.stage is Stage.BASE_FRAMES:
            raise Broken

    with pytest.raises(Broken):
        make(request(), tmp_path, on_event=fail_in_base_frames)
    events = make(request(), tmp_path)
    assert stages_of(events) == [Stage.BASE_FRAMES, Stage.DECODE]
    assert_same_clip(tmp_path, in_one_go(request()))


def test_a_loop_goes_on_with_the_step_that_it_was_cancelled_in(make, tmp_path):
    def in_second_base_step(event):
        return isinstance(event, StepDone) and (event.stage, event.step) == (Stage.BASE_FRAMES, 2)

    with pytest.raises(Cancelled):
        make(request(), tmp_path, stop=in_second_base_step)
    assert "checkpoints/loop.safetensors" in names_in(tmp_path)
    before = {item.stage: item.seconds for item in ClipFolder.open(tmp_path).info.seconds}
    events = make(request(), tmp_path)
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [step.step for step in steps if step.stage is Stage.BASE_FRAMES] == [2, 3]
    assert steps[0].seconds_left is None
    after = {item.stage: item.seconds for item in ClipFolder.open(tmp_path).info.seconds}
    assert after[Stage.KEY_FRAME] == before[Stage.KEY_FRAME] > 0
    assert after[Stage.BASE_FRAMES] > before[Stage.BASE_FRAMES] > 0


class SlowLoop:
    """A loop whose state takes `seconds` to save, by a clock of its own."""

    def __init__(self, seconds):
        self.now = 0.0
        self.saved_at = []
        self._seconds = seconds

    def state(self):
        self.now += self._seconds
        self.saved_at.append(self.now)
        generator = torch.Generator().get_state()
        return LoopState(steps_done=1, latents=torch.zeros(1), generator=generator, history={})


@pytest.mark.fault(10)
@pytest.mark.parametrize(
    ("saving", "step", "between"), [(0.01, 0.1, 0.5), (0.1, 0.5, 5), (3, 1, 10), (0.1, 60, 60)]
)
def test_a_running_loop_is_saved_as_often_as_that_is_cheap_and_every_ten_seconds(
    saving, step, between, in_one_go, tmp_path
):
    folder = shutil.copytree(in_one_go(request()), tmp_path / "clip")
    loop = SlowLoop(saving)
    checkpoints = FolderCheckpoints(ClipFolder.open(folder), clock=lambda: loop.now)
    for _ in range(200):
        loop.now += step
        checkpoints.loop_stepped(Point.BASE_FRAMES, loop)
    assert loop.saved_at[0] <= max(1, step) + step + saving
    gaps = [later - before for before, later in itertools.pairwise(loop.saved_at)]
    assert len(gaps) > 10
    assert all(between <= gap <= between + step + saving + 1e-6 for gap in gaps)
    assert checkpoints.load_loop(Point.BASE_FRAMES) is not None


# More frames, and fewer


def test_a_draft_that_is_smoothed_later_is_the_smooth_clip_made_in_one_go(
    make, in_one_go, tmp_path
):
    make(request(), tmp_path)
    events = make(request(fps=Fps.MEDIUM), tmp_path)
    assert stages_of(events) == [Stage.INTERPOLATION, Stage.DECODE]
    assert_same_clip(tmp_path, in_one_go(request(fps=Fps.MEDIUM)))
    events = make(request(fps=Fps.HIGH), tmp_path)
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert steps[:3] == [2, 3, 4]
    assert_same_clip(tmp_path, in_one_go(request(fps=Fps.HIGH)))
    assert names_in(tmp_path) == whole_clip(177)


def test_the_finished_version_stays_while_a_smoother_one_is_made(make, in_one_go, tmp_path):
    make(request(), tmp_path)

    def in_decoding(event):
        return isinstance(event, StepDone) and (event.stage, event.step) == (Stage.DECODE, 20)

    with pytest.raises(Cancelled):
        make(request(fps=Fps.MEDIUM), tmp_path, stop=in_decoding)
    assert ClipFolder.open(tmp_path).info.num_frames == 12
    assert_same_clip(tmp_path, in_one_go(request()))
    events = make(request(), tmp_path)
    assert events == [Finished(num_frames=12, seconds=0.0, output=str(tmp_path))]
    assert ClipFolder.open(tmp_path).info.request == request()
    assert names_in(tmp_path) == whole_clip(12, "checkpoints/interpolation_1.safetensors")


def test_fewer_frames_come_from_what_is_kept(make, in_one_go, tmp_path):
    make(request(fps=Fps.MEDIUM), tmp_path)
    assert stages_of(make(request(), tmp_path)) == [Stage.DECODE]
    assert_same_clip(tmp_path, in_one_go(request()))
    assert not (tmp_path / "frames_45").exists()


def test_a_finished_clip_takes_no_model(prepared_folder, in_one_go, monkeypatch):
    wanted, folder = request(), in_one_go(request())
    monkeypatch.setattr(JobRunner, "_pipeline_of", lambda *_: pytest.fail("the model is loaded"))
    before = names_in(folder)
    events = []
    JobRunner().make_clip(
        wanted,
        folder,
        model=str(prepared_folder),
        device_name="cpu",
        until=None,
        on_event=events.append,
        is_cancelled=lambda: False,
    )
    assert events == [Finished(num_frames=12, seconds=0.0, output=str(folder))]
    assert names_in(folder) == before


def test_a_frame_that_is_gone_is_decoded_again(make, in_one_go, tmp_path):
    make(request(), tmp_path)
    (tmp_path / "frames_12" / "0007.png").unlink()
    events = make(request(), tmp_path)
    steps = [event.step for event in events if isinstance(event, StepDone)]
    assert steps == [4, 8, 12]
    assert_same_clip(tmp_path, in_one_go(request()))


# Only the key frame


def test_a_key_frame_becomes_the_clip_that_is_made_in_one_go(make, in_one_go, tmp_path):
    events = make(request(), tmp_path, until=Stage.KEY_FRAME)
    assert stages_of(events) == [Stage.TEXT, Stage.KEY_FRAME]
    assert events[-1].num_frames == 1
    told = [event for event in events if isinstance(event, KeyFrameReady)]
    assert told == [KeyFrameReady(path=str(tmp_path / "key_frame.png"))]
    with Image.open(tmp_path / "key_frame.png") as picture:
        assert (picture.mode, picture.size) == ("RGB", (32, 32))
    info = ClipFolder.open(tmp_path).info
    assert (info.num_frames, info.has_key_frame) == (0, True)
    assert stages_of(make(request(), tmp_path, until=Stage.KEY_FRAME)) == []

    events = make(request(), tmp_path)
    assert stages_of(events) == [Stage.BASE_FRAMES, Stage.DECODE]
    assert isinstance(events[0], KeyFrameReady)
    assert_same_clip(tmp_path, in_one_go(request()))


@pytest.mark.parametrize(
    ("until", "num_frames"), [(Stage.TEXT, 0), (Stage.BASE_FRAMES, 12), (Stage.INTERPOLATION, 45)]
)
def test_work_can_end_behind_any_stage(until, num_frames, make, in_one_go, tmp_path):
    wanted = request(fps=Fps.MEDIUM)
    events = make(wanted, tmp_path, until=until)
    assert stages_of(events)[-1] is until
    assert events[-1].num_frames == num_frames
    assert ClipFolder.open(tmp_path).info.num_frames == 0
    left = [event for event in events if isinstance(event, StepDone)]
    assert left[-1].seconds_left in (None, 0)
    make(wanted, tmp_path)
    assert_same_clip(tmp_path, in_one_go(wanted))


# A picture


@pytest.fixture
def picture(tmp_path) -> PictureRequest:
    """A turned photo of 40x30, in which each pixel differs."""
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = bytes(number % 256 for number in range(40 * 30 * 3))
    Image.frombytes("RGB", (40, 30), pixels).save(path, exif=exif)
    return PictureRequest(path=str(path), crop=CropBox(left=2, top=4, right=28, bottom=38))


def test_a_clip_of_a_picture_keeps_it_and_goes_on_without_the_original(make, picture, tmp_path):
    wanted = request(picture=picture)
    make(wanted, tmp_path / "one")
    with Image.open(tmp_path / "one" / "picture.png") as kept:
        assert (kept.mode, kept.size) == ("RGB", (30, 40))
    assert names_in(tmp_path / "one") == whole_clip(12, "picture.png")

    events = make(wanted, tmp_path / "two", until=Stage.KEY_FRAME)
    assert (stages_of(events), events[-1].num_frames) == ([], 1)
    assert (tmp_path / "two" / "key_frame.png").is_file()
    Path(picture.path).unlink()
    (tmp_path / "two" / "checkpoints" / "key_frame.safetensors").unlink()
    assert stages_of(make(wanted, tmp_path / "two")) == [
        Stage.TEXT,
        Stage.BASE_FRAMES,
        Stage.DECODE,
    ]
    assert_same_clip(tmp_path / "two", tmp_path / "one")


def test_a_picture_or_a_size_that_cannot_be_used_leaves_no_folder(make, picture, tmp_path):
    gone = request(picture=replace(picture, path=str(tmp_path / "gone.png")))
    with pytest.raises(PictureError):
        make(gone, tmp_path / "clip")
    with pytest.raises(InvalidRequest, match="multiples of 32"):
        make(replace(request(), size=FrameSize(width=40, height=32)), tmp_path / "clip")
    assert not (tmp_path / "clip").exists()


# Damaged, foreign, full


@pytest.mark.fault(26)
def test_a_damaged_checkpoint_is_made_again(make, in_one_go, tmp_path, caplog):
    wanted = request(fps=Fps.MEDIUM)
    shutil.copytree(in_one_go(wanted), tmp_path / "clip")
    shutil.rmtree(tmp_path / "clip" / "frames_45")
    checkpoints = tmp_path / "clip" / "checkpoints"

    def flip_bit(file):
        data = bytearray(file.read_bytes())
        data[-20] ^= 1
        file.write_bytes(data)

    damages = {
        "interpolation_1": flip_bit,
        "base_frames": lambda file: file.write_bytes(file.read_bytes()[:-1]),
        "key_frame": lambda file: file.write_bytes(bytes(1000)),
        "text": lambda file: file.write_bytes(b""),
    }
    for name, damage in damages.items():
        damage(checkpoints / f"{name}.safetensors")
    events = make(wanted, tmp_path / "clip")
    assert stages_of(events) == [
        Stage.TEXT,
        Stage.KEY_FRAME,
        Stage.BASE_FRAMES,
        Stage.INTERPOLATION,
        Stage.DECODE,
    ]
    assert_same_clip(tmp_path / "clip", in_one_go(wanted))
    assert len({record.args[0] for record in caplog.records}) == len(damages)


@pytest.mark.fault(26)
def test_a_damaged_loop_begins_anew(make, in_one_go, tmp_path):
    def in_base_frames(event):
        return isinstance(event, StepDone) and (event.stage, event.step) == (Stage.BASE_FRAMES, 2)

    with pytest.raises(Cancelled):
        make(request(), tmp_path, stop=in_base_frames)
    file = tmp_path / "checkpoints" / "loop.safetensors"
    file.write_bytes(file.read_bytes()[:-9])
    events = make(request(), tmp_path)
    steps = [event for event in events if isinstance(event, StepDone)]
    assert [step.step for step in steps if step.stage is Stage.BASE_FRAMES] == [1, 2, 3]
    assert_same_clip(tmp_path, in_one_go(request()))


def test_a_checkpoint_of_another_clip_is_not_used(make, in_one_go, tmp_path):
    other = replace(request(), seed=6)
    make(request(), tmp_path, until=Stage.KEY_FRAME)
    foreign = in_one_go(other) / "checkpoints"
    for name in ("key_frame", "base_frames"):
        shutil.copy(foreign / f"{name}.safetensors", tmp_path / "checkpoints")
    make(request(), tmp_path)
    assert_same_clip(tmp_path, in_one_go(request()))


def test_a_folder_of_another_clip_or_model_is_refused_and_left_as_it_is(make, runner, in_one_go):
    folder = in_one_go(request())
    before = {name: (folder / name).read_bytes() for name in names_in(folder)}
    with pytest.raises(InvalidRequest, match="made with other settings"):
        make(replace(request(), seed=6), folder)
    with pytest.raises(InvalidRequest, match=r'made with the model "toy"'):
        runner.make_clip(
            request(),
            folder,
            model="demo",
            device_name="cpu",
            until=None,
            on_event=pytest.fail,
            is_cancelled=lambda: False,
        )
    with pytest.raises(ModelNotFound):
        runner.make_clip(
            request(),
            folder,
            model="nothing of the kind",
            device_name="cpu",
            until=None,
            on_event=pytest.fail,
            is_cancelled=lambda: False,
        )
    assert {name: (folder / name).read_bytes() for name in names_in(folder)} == before


class FillingDisk:
    """A disk that is full after some syncs. The person's caches are not on it."""

    def __init__(self, root):
        self._root = root
        self.syncs = 0
        self.most_syncs = 10**9
        self._fsync = os.fsync

    def fsync(self, descriptor):
        is_here = Path(f"/proc/self/fd/{descriptor}").resolve().is_relative_to(self._root)
        self.syncs += is_here
        if is_here and self.syncs > self.most_syncs:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._fsync(descriptor)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux which file it is")
@pytest.mark.fault(8)
@pytest.mark.parametrize("share", [0, 0.05, 0.15, 0.5, 1])
def test_a_full_disk_leaves_what_was_there_and_the_work_goes_on_later(
    share, make, in_one_go, tmp_path, monkeypatch
):
    wanted = request(fps=Fps.MEDIUM)
    disk = FillingDisk(tmp_path)
    monkeypatch.setattr(os, "fsync", disk.fsync)
    # Each step, so that the clock makes no difference to how often something is synced.
    monkeypatch.setattr(engine.clip_checkpoints, "SECONDS_BETWEEN", 0)
    if not DISK_SYNCS:
        shutil.copytree(in_one_go(request()), tmp_path / "counted")
        disk.syncs = 0
        make(wanted, tmp_path / "counted")
        DISK_SYNCS.append(disk.syncs)
    folder = shutil.copytree(in_one_go(request()), tmp_path / "clip")
    # The last two are those of `clip.json`, of the file and of its name.
    disk.syncs, disk.most_syncs = 0, int(share * (DISK_SYNCS[0] - 2))
    with pytest.raises(DiskFull, match=r"The disk of .* has too little room"):
        make(wanted, folder)
    monkeypatch.undo()
    assert ClipFolder.open(folder).info.num_frames == 12
    assert whole_clip(12) <= names_in(folder)
    assert not [name for name in names_in(folder) if name.endswith(".tmp")]
    make(wanted, folder)
    assert_same_clip(folder, in_one_go(wanted))
    assert names_in(folder) == whole_clip(45)


DISK_SYNCS: list[int] = []
"""How often a clip of 12 frames that becomes one of 45 is synced: counted once."""


# Memory


def test_memory_that_was_given_back_is_loaded_again(make, runner, in_one_go, tmp_path):
    make(request(), tmp_path, until=Stage.KEY_FRAME)
    assert runner._pipeline is not None
    runner.free_memory()
    runner.free_memory()
    assert runner._pipeline is None
    make(request(), tmp_path)
    assert_same_clip(tmp_path, in_one_go(request()))
