"""On a disk that really is full: a small one in memory, mounted for the test."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from engine.api import (
    CLIP_FILE,
    Event,
    Fps,
    FrameSize,
    GenerateRequest,
    SamplingSettings,
    SaveRequest,
    frame_path,
)
from engine.api.files import TEMPORARY_NAMES
from engine.clip_space import missing_bytes
from engine.disk_space import free_bytes
from engine.errors import DiskFull

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fault_rounds import Rounds

    from engine.jobs import JobRunner

DISK_BYTES = 24 * 2**20
REQUEST = GenerateRequest(
    prompt="a red circle",
    seed=5,
    size=FrameSize(width=32, height=32),
    fps=Fps.MEDIUM,
    sampling=SamplingSettings(steps=2, interpolation_steps=2),
)


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of `DISK_BYTES`."""
    folder = tmp_path_factory.mktemp("disk")
    options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    mount = shutil.which("mount")
    tried = None if mount is None else subprocess.run([mount, *options], capture_output=True)
    if tried is None or tried.returncode:
        pytest.skip("no small disk can be mounted here: that takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def disk(small_disk: Path) -> Iterator[Path]:
    """The small disk, empty."""
    yield small_disk
    for entry in small_disk.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


class Ballast:
    """A file of somebody else that takes room on the disk."""

    def __init__(self, disk: Path) -> None:
        self._file = disk / "ballast"

    def leave(self, num_bytes: int) -> None:
        """Take all room but `num_bytes`."""
        free = free_bytes(self._file.parent)
        assert free is not None
        if free > num_bytes:
            with self._file.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, free - num_bytes)

    def remove(self) -> None:
        """Give it back."""
        self._file.unlink()


@pytest.fixture(scope="module")
def make(prepared_folder: Path) -> Callable[..., None]:
    """Makes the clip of `REQUEST` in a folder, or goes on with it."""
    from engine.jobs import JobRunner  # torch

    runner: JobRunner = JobRunner()

    def make(folder: Path, on_event: Callable[[Event], None] = lambda _: None) -> None:
        runner.make_clip(
            REQUEST,
            folder,
            model=str(prepared_folder),
            device_name="cpu",
            until=None,
            on_event=on_event,
            is_cancelled=lambda: False,
        )

    return make


@pytest.fixture(scope="module")
def reference(make: Callable[..., None], tmp_path_factory: pytest.TempPathFactory):
    """A clip that had room, and how many events it sent."""
    folder = tmp_path_factory.mktemp("reference") / "clip"
    events: list[Event] = []
    make(folder, events.append)
    return folder, len(events)


def frames_in(folder: Path) -> list[bytes]:
    paths = (frame_path(folder, 45, index) for index in range(45))
    return [path.read_bytes() for path in paths]


@pytest.mark.fault(8)
@pytest.mark.timeout(0)
def test_a_clip_whose_disk_fills_up_stops_in_numbers_and_goes_on_to_the_same_frames(
    make: Callable[..., None], reference: tuple[Path, int], disk: Path, rounds: Rounds
):
    whole, num_events = reference
    points = list(range(num_events - 1))
    wanted = rounds.wanted(3, len(points))
    if wanted < len(points):
        points = sorted(random.Random(3).sample(points, wanted))
    for point in points:
        folder, ballast = disk / f"clip-{point}", Ballast(disk)
        seen: list[Event] = []

        def fill(event: Event, seen=seen, ballast=ballast, point=point) -> None:
            seen.append(event)
            if len(seen) == point + 1:
                ballast.leave(random.Random(point).choice([0, 4096, 16384]))

        with pytest.raises(DiskFull) as stopped:
            make(folder, fill)
        said = stopped.value.message
        assert str(folder) in said
        assert re.search(r"[\d.]+ MB are free", said)
        assert "what was done so far is kept" in said
        assert not list(folder.rglob(TEMPORARY_NAMES))
        assert not list(folder.glob("frames_*"))  # not declared finished
        ballast.remove()
        make(folder)
        assert frames_in(folder) == frames_in(whole)
        shutil.rmtree(folder)
        rounds.done()


@pytest.mark.fault(8)
def test_a_clip_that_has_no_room_is_not_begun(make: Callable[..., None], disk: Path):
    events: list[Event] = []
    Ballast(disk).leave(500_000)
    with pytest.raises(DiskFull, match=r"needs \d\.\d MB more there, and 0\.5 MB are free\. Free"):
        make(disk / "clip", events.append)
    assert events == []
    assert [path.name for path in (disk / "clip").iterdir()] == [CLIP_FILE]


@pytest.mark.fault(8)
def test_what_a_clip_has_already_needs_no_room_again(tmp_path: Path, reference: tuple[Path, int]):
    whole, _ = reference
    nothing_yet = missing_bytes(tmp_path / "clip", REQUEST)
    folder = shutil.copytree(whole, tmp_path / "half")
    (folder / "frames_45").rename(folder / "checkpoints" / "frames_45")
    assert 0 <= missing_bytes(folder, REQUEST) < nothing_yet / 2 + 2**20
    large = GenerateRequest(prompt="", seed=1, size=FrameSize(width=512, height=512), fps=Fps.HIGH)
    assert 100e6 < missing_bytes(tmp_path / "clip", large) < 400e6


@pytest.mark.fault(8, 31)
@pytest.mark.timeout(0)
@pytest.mark.parametrize("ending", ["mp4", "gif", "webp", "png"])
def test_an_export_without_room_leaves_what_was_there_and_nothing_half(
    reference: tuple[Path, int], disk: Path, ending: str, rounds: Rounds
):
    from engine.export import export_clip, finished_clip

    assert finished_clip(reference[0]).num_frames == 45

    def export(path: Path) -> list[Path]:
        save = SaveRequest(path=str(path), overwrite=True, width=48)
        return export_clip(reference[0], save, on_event=lambda _: None, is_cancelled=lambda: False)

    size = sum(path.stat().st_size for path in export(disk / "first" / f"cat.{ending}"))
    old = {path.name: path.read_bytes() for path in (disk / "first").iterdir()}
    for step in range(rounds.wanted(1, 12)):
        ballast = Ballast(disk)
        ballast.leave(int(size * (0.6 if step == 0 else step / 13)))
        with pytest.raises(DiskFull, match=rf"cat\.{ending}.* needs"):
            export(disk / "first" / f"cat.{ending}")
        with pytest.raises(DiskFull):
            export(disk / "new" / f"cat.{ending}")
        assert {path.name: path.read_bytes() for path in (disk / "first").iterdir()} == old
        assert list((disk / "new").iterdir()) == []
        ballast.remove()
        rounds.done(2)
    export(disk / "new" / f"cat.{ending}")
    assert {path.name: path.read_bytes() for path in (disk / "new").iterdir()} == old


@pytest.mark.fault(8)
def test_settings_on_a_full_disk_stay_and_are_written_when_there_is_room(disk: Path):
    from kvdesk.json_files import read_json, write_json

    path = disk / "config" / "settings.json"
    write_json(path, {"version": 1, "language": "en"})
    ballast = Ballast(disk)
    ballast.leave(0)
    changed = {"version": 1, "language": "zh_CN", "long": "x" * 10_000}
    with pytest.raises(OSError, match="No space left"):
        write_json(path, changed)
    assert read_json(path) == {"version": 1, "language": "en"}
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    ballast.remove()
    write_json(path, changed)
    assert read_json(path) == changed
