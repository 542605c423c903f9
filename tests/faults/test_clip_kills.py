"""A process that makes a clip is killed at any point, and the clip is the one made in one go."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from killed_clips import FINISHED, KILLED, Attempt, Kill
from same_clips import assert_same_clip, names_in, whole_clip

from engine.api import Fps, FrameSize, GenerateRequest, Sampler, SamplingSettings, Stage
from engine.clip import ClipFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fault_rounds import Rounds
    from killed_clips import ClipProcesses

SUITE = 3
STARTS = (None, None, Stage.TEXT, Stage.KEY_FRAME, Stage.BASE_FRAMES, Stage.INTERPOLATION)
"""Behind which stage a round begins: the later ones are as often killed as the first."""


def clip_request(sampler: Sampler, fps: Fps) -> GenerateRequest:
    return GenerateRequest(
        prompt="a red circle",
        seed=5,
        size=FrameSize(width=32, height=32),
        fps=fps,
        sampling=SamplingSettings(sampler=sampler, steps=6, interpolation_steps=5),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From the folder `begin`, where a clip is done up to a stage, to the whole clip in `end`.

    Attributes:
        begun: what the rest of the work begins, by kind, in one go.
        seconds: that it takes.
    """

    begin: Path | None
    end: Path
    begun: dict[str, int]
    seconds: float


@pytest.fixture(scope="module")
def way_of(
    clip_processes: ClipProcesses, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[GenerateRequest, Stage | None], Way]:
    """Makes the clip of a request from a stage on without a fault, once."""
    ways: dict[object, Way] = {}

    def way(request: GenerateRequest, start: Stage | None) -> Way:
        key = (request, start)
        if key not in ways:
            folder = tmp_path_factory.mktemp("way")
            attempt = Attempt(request=request, folder=str(folder / "end"))
            begin = None
            if start is not None:
                outcome = clip_processes.make(replace(attempt, until=start))
                assert outcome.end == FINISHED
                begin = shutil.copytree(folder / "end", folder / "begin")
            outcome = clip_processes.make(attempt)
            assert outcome.end == FINISHED
            ways[key] = Way(
                begin=begin,
                end=folder / "end",
                begun=outcome.begun,
                seconds=outcome.seconds,
            )
        return ways[key]

    return way


def point_of(kill: Kill, way: Way, chance: random.Random) -> int:
    """A point that the rest of the work goes past, counted as `kill` says."""
    if kill is Kill.SIZE:
        before = names_in(way.begin) if way.begin is not None else set()
        names = sorted(names_in(way.end) - before - {"clip.mp4"})  # which another process writes
        return chance.randrange(1, (way.end / chance.choice(names)).stat().st_size)
    if kill is Kill.MOMENT:
        return chance.randrange(1, int(way.seconds * 0.9e6))
    return chance.randrange(1, way.begun[kill] + 1)


# One after the other, and that twice which has the most points.
KILLS = [Kill.FILE, Kill.EVENT, Kill.MOMENT, Kill.SIZE, Kill.FILE]


@pytest.mark.fault(10)
@pytest.mark.timeout(0)
def test_a_process_that_is_killed_anywhere_leaves_what_the_same_clip_comes_of(
    clip_processes, way_of, tmp_path, rounds: Rounds
):
    chance = random.Random(10)
    stages = Counter()
    for number in range(rounds.wanted(SUITE, 1000)):
        is_of_suite = number < SUITE  # of one kind, which is made in one go but once
        request = clip_request(
            Sampler.UNIPC if is_of_suite else chance.choice(list(Sampler)),
            Fps.MEDIUM if number % 3 == 0 and not is_of_suite else Fps.LOW,
        )
        start = None if is_of_suite else chance.choice(STARTS[: 6 if number % 3 == 0 else 5])
        way = way_of(request, start)
        folder = tmp_path / str(number)
        kill = KILLS[number % len(KILLS)]
        attempt = Attempt(request=request, folder=str(folder), every_step=chance.random() < 0.5)
        for _ in range(20):
            if way.begin is not None:
                shutil.copytree(way.begin, folder)
            at = point_of(kill, way, chance)
            if start is None:
                clip_processes.forget_texts()
            killed = clip_processes.make(replace(attempt, kill=kill, at=at))
            if killed.end == KILLED:
                break
            assert killed.end == FINISHED  # it was faster than the time before
            way = replace(way, seconds=killed.seconds)
            shutil.rmtree(folder)
        else:
            pytest.fail(f"round {number} was never killed: {kill} {at}")
        resumed = clip_processes.make(attempt)
        told = f"round {number}: {start} {kill} {at} {killed} {resumed}"
        assert resumed.end == FINISHED, told
        assert_same_clip(folder, way.end)
        num_frames = request.fps.num_frames
        assert names_in(folder) == whole_clip(num_frames), told
        # One of each may have been under way; of a loop whose steps are quick, more of them.
        for kind, most in (("text", 1), ("chunks", 1), ("steps", 1 if attempt.every_step else 6)):
            done = killed.begun.get(kind, 0) + resumed.begun.get(kind, 0)
            assert done - way.begun.get(kind, 0) <= most, (kind, told)
        stages[killed.stage] += 1
        shutil.rmtree(folder)
        rounds.done()
    print(dict(stages))
    if sum(stages.values()) >= 1000:
        assert set(stages) >= {"begin", "finish", *(stage for stage in Stage if stage != "save")}
        assert min(stages.values()) >= 20


@pytest.mark.fault(10)
@pytest.mark.timeout(0)
def test_a_frame_that_was_cut_off_is_drawn_again_wherever_it_was_cut(
    way_of, tmp_path, rounds: Rounds
):
    request = clip_request(Sampler.UNIPC, Fps.LOW)
    whole = way_of(request, None).end
    frame = (whole / "frames_12" / "0003.png").read_bytes()
    # Every length at the end, where a decoder has all pixels, and others as many as are wanted.
    every = rounds.wanted(len(frame) // 2, 1)
    for length in sorted({*range(0, len(frame), every), *range(len(frame) - 20, len(frame))}):
        folder = tmp_path / str(length)
        (folder / "checkpoints").mkdir(parents=True)
        shutil.copy(whole / "clip.json", folder)
        decoded = folder / "checkpoints" / "frames_12"
        shutil.copytree(whole / "frames_12", decoded)
        (decoded / "0003.png").write_bytes(frame[:length])
        assert len(ClipFolder.open(folder).decoded(12)) == 2, length
        rounds.done()
