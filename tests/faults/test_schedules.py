"""However often and in whatever way a clip is interrupted, it is the one made in one go."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from killed_clips import CANCELLED, FINISHED, KILLED, Attempt, Kill
from PIL import Image
from same_clips import assert_same_pictures, names_in, whole_clip

from engine.api import (
    Fps,
    FrameSize,
    GenerateRequest,
    PictureRequest,
    Sampler,
    SamplingSettings,
    Stage,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fault_rounds import Rounds
    from killed_clips import ClipProcesses

MOST_POINTS = {Kill.EVENT: 35, Kill.FILE: 330, Kill.SIZE: 14_000, Kill.MOMENT: 1_000_000}
"""A little more than a clip of 45 frames has; in bytes and in microseconds for the last two."""
FIRST = 101
"""Of the schedules; the suite does this one, which needs all that is kept of a clip."""
LATER = {"checkpoints/interpolation_1.safetensors", "checkpoints/interpolation_2.safetensors"}
"""Kept though a clip has fewer frames again."""


class Schedule:
    """What happens to one clip between its beginning and its end, drawn by `chance`."""

    def __init__(self, chance: random.Random, processes: ClipProcesses, folder: Path) -> None:
        self._chance = chance
        self._processes = processes
        self._folder = folder
        self.happened: list[str] = []

    def interrupt(self, request: GenerateRequest, most: Fps) -> None:
        """Make the clip, perhaps with another number of frames than in the end, and not whole."""
        chance = self._chance
        request = replace(
            request, fps=chance.choice([fps for fps in Fps if fps.num_frames <= most.num_frames])
        )
        attempt = Attempt(
            request=request, folder=str(self._folder), every_step=chance.random() < 0.7
        )
        event = chance.randrange(1, MOST_POINTS[Kill.EVENT])
        kind = chance.choice(["kill", "kill", "kill", "cancel", "pause", "until", "whole"])
        if kind == "kill":
            kill = chance.choice(list(Kill))
            attempt = replace(attempt, kill=kill, at=chance.randrange(1, MOST_POINTS[kill]))
        elif kind == "cancel":
            attempt = replace(attempt, cancel_at=event)
        elif kind == "pause":
            attempt = replace(attempt, cancel_at=event, free_memory=True)
        elif kind == "until":
            attempt = replace(attempt, until=chance.choice(list(Stage)[:4]))
        outcome = self._processes.make(attempt)
        self.happened.append(f"{kind} {attempt.kill or ''}{attempt.at} {request.fps} {outcome}")
        assert outcome.end in {FINISHED, CANCELLED, KILLED}, self.happened

    def damage(self) -> None:
        """Do to a file what a bad disk or a person does, or leave all as it is."""
        chance = self._chance
        checkpoints = sorted(self._folder.glob("checkpoints/*.safetensors"))
        decoded = sorted(self._folder.glob("checkpoints/frames_*/*.png"))
        frames = sorted(self._folder.glob("frames_*/*.png"))
        kind = chance.choice(["flip", "cut", "remove", "cut frame", "remove frame", "", ""])
        if kind in ("flip", "cut", "remove") and checkpoints:
            file = chance.choice(checkpoints)
        elif kind == "cut frame" and decoded:
            file = chance.choice(decoded)
        elif kind == "remove frame" and (decoded or frames):
            file = chance.choice(decoded + frames)
        else:
            return
        data = bytearray(file.read_bytes())
        if kind == "flip" and data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            file.write_bytes(data)
        elif kind.startswith("cut"):
            file.write_bytes(data[: chance.randrange(len(data) + 1)])
        elif kind.startswith("remove"):
            file.unlink()
        self.happened.append(f"{kind} {file.relative_to(self._folder)}")


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> PictureRequest:
    path = tmp_path_factory.mktemp("picture") / "photo.png"
    pixels = bytes(number % 256 for number in range(40 * 30 * 3))
    Image.frombytes("RGB", (40, 30), pixels).save(path)
    return PictureRequest(path=str(path))


@pytest.mark.fault(10, 6)
@pytest.mark.timeout(0)
def test_any_schedule_of_interruptions_ends_in_the_clip_made_in_one_go(
    clip_processes: ClipProcesses, picture, tmp_path, rounds: Rounds
):
    in_one_go: dict[GenerateRequest, Path] = {}
    happened: Counter[str] = Counter()
    for number in range(rounds.wanted(1, 100)):
        chance = random.Random(FIRST + number)
        request = GenerateRequest(
            prompt="a red circle",
            seed=7,
            size=FrameSize(width=32, height=32),
            fps=chance.choice([*Fps, Fps.LOW, Fps.MEDIUM]),
            picture=picture if number % 5 == 4 else None,
            sampling=SamplingSettings(
                sampler=list(Sampler)[number % 4], steps=4, interpolation_steps=3
            ),
        )
        if request not in in_one_go:
            in_one_go[request] = tmp_path / f"one{len(in_one_go)}"
            attempt = Attempt(request=request, folder=str(in_one_go[request]))
            assert clip_processes.make(attempt).end == FINISHED
        folder = tmp_path / f"clip{number}"
        schedule = Schedule(chance, clip_processes, folder)
        for _ in range(chance.randint(1, 5)):
            schedule.interrupt(request, request.fps)
            schedule.damage()
        outcome = clip_processes.make(Attempt(request=request, folder=str(folder)))
        assert outcome.end == FINISHED, (number, outcome, schedule.happened)
        try:
            assert_same_pictures(folder, in_one_go[request])
            more = ["picture.png"] if request.picture else []
            whole = whole_clip(request.fps.num_frames, *more)
            # A checkpoint that somebody removed is made again only where the work needs it.
            needed = {name for name in whole if not name.startswith("checkpoints/")}
            assert needed <= names_in(folder) <= whole | LATER
        except AssertionError:
            print(number, *schedule.happened, sep="\n")
            raise
        happened.update(line.partition(" ")[0] for line in schedule.happened)
        rounds.done()
    print(dict(happened))
    assert happened
