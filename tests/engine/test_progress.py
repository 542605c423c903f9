from __future__ import annotations

from dataclasses import replace

import pytest

from engine.api import (
    Fps,
    FrameSize,
    GenerateRequest,
    PictureRequest,
    SamplingSettings,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
)
from engine.errors import Cancelled
from engine.progress import Progress, planned_work

STEPS = 5


class FakeClock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def request(fps: Fps = Fps.LOW, *, with_picture: bool = False) -> GenerateRequest:
    return GenerateRequest(
        prompt="x",
        seed=1,
        size=FrameSize(width=64, height=64),
        fps=fps,
        picture=PictureRequest(path="cat.png") if with_picture else None,
        sampling=SamplingSettings(steps=STEPS, interpolation_steps=3),
    )


def run(request, clock, seconds_of, *, saves_file=True, is_cancelled=lambda: False):
    """Run through all stages; `seconds_of` gives the seconds of a step by its stage and cost.

    Returns:
        The events, and for every `StepDone` with an estimate also the seconds that were left.
    """
    events = []
    times = []
    progress = Progress(
        planned_work(request, saves_file=saves_file),
        on_event=lambda event: (events.append(event), times.append(clock.now)),
        is_cancelled=is_cancelled,
        clock=clock,
    )
    for work in planned_work(request, saves_file=saves_file):
        with progress.stage(work.stage) as step_done:
            for number, cost in enumerate(work.step_costs, start=1):
                clock.now += seconds_of(work.stage, cost)
                step_done(number)
    estimates = [
        (event, clock.now - time)
        for event, time in zip(events, times, strict=True)
        if isinstance(event, StepDone) and event.seconds_left is not None
    ]
    return events, estimates


def stages(request, **options) -> dict[Stage, int]:
    return {work.stage: work.num_steps for work in planned_work(request, **options)}


# The plan


@pytest.mark.parametrize(
    ("fps", "interpolation_steps", "frames"),
    [(Fps.LOW, None, 12), (Fps.MEDIUM, 3, 45), (Fps.HIGH, 6, 177)],
)
def test_the_plan_has_the_stages_of_the_frame_rate_in_their_order(fps, interpolation_steps, frames):
    planned = stages(request(fps), saves_file=True)
    assert list(planned) == [stage for stage in Stage if stage in planned]
    assert planned.get(Stage.INTERPOLATION) == interpolation_steps
    assert planned[Stage.DECODE] == frames
    assert planned[Stage.KEY_FRAME] == planned[Stage.BASE_FRAMES] == STEPS


def test_no_picture_is_drawn_where_one_is_given():
    assert Stage.KEY_FRAME not in stages(request(with_picture=True), saves_file=True)


def test_frames_that_are_only_returned_are_not_saved():
    assert Stage.SAVE not in stages(request(), saves_file=False)


def test_a_step_of_the_second_pass_counts_four_times_one_of_the_first():
    (work,) = (
        work
        for work in planned_work(request(Fps.HIGH), saves_file=True)
        if work.stage is Stage.INTERPOLATION
    )
    assert work.share_done(3, 6) == pytest.approx(0.2)
    assert work.share_done(6, 6) == 1


# Events


@pytest.mark.parametrize("fps", Fps)
def test_every_stage_starts_counts_its_steps_and_finishes_before_the_next(fps):
    events, _ = run(request(fps), FakeClock(), lambda _stage, _cost: 1.0)
    for work in planned_work(request(fps), saves_file=True):
        started, *steps, finished = events[: work.num_steps + 2]
        assert started == StageStarted(stage=work.stage, num_steps=work.num_steps)
        assert [(step.stage, step.step, step.num_steps) for step in steps] == [
            (work.stage, number, work.num_steps) for number in range(1, work.num_steps + 1)
        ]
        assert finished == StageFinished(stage=work.stage, seconds=work.num_steps)
        del events[: work.num_steps + 2]
    assert not events


def test_a_stage_may_turn_out_to_have_other_steps_than_planned():
    events = []
    progress = Progress(
        planned_work(request(), saves_file=True),
        on_event=events.append,
        is_cancelled=lambda: False,
    )
    with progress.stage(Stage.SAVE, 22) as step_done:
        step_done(22)
    assert events[0] == StageStarted(stage=Stage.SAVE, num_steps=22)
    assert events[1].num_steps == 22
    assert events[1].seconds_left is not None


# The estimate


@pytest.mark.parametrize("with_picture", [False, True])
@pytest.mark.parametrize("fps", Fps)
def test_the_estimate_is_right_where_the_computer_is_as_fast_as_planned(fps, with_picture):
    def seconds_of(stage, cost):
        return 30.0 if stage is Stage.TEXT else 0.01 * cost

    _, estimates = run(request(fps, with_picture=with_picture), FakeClock(), seconds_of)
    assert estimates
    for event, seconds_left in estimates:
        assert event.seconds_left == pytest.approx(seconds_left)
    assert estimates[-1][0].seconds_left == pytest.approx(0, abs=1e-6)


def test_loading_before_the_first_step_does_not_blow_up_the_estimate():
    def seconds_of(stage, cost):
        return 600.0 if stage is Stage.TEXT else 0.01 * cost

    events, _ = run(request(), FakeClock(), seconds_of)
    steps = [event for event in events if isinstance(event, StepDone)]
    assert steps[0].stage is Stage.TEXT
    assert steps[0].seconds_left is None
    assert steps[1].seconds_left < 10


def test_the_estimate_only_counts_down_where_no_stage_is_slower_than_those_before():
    paces = dict(zip(Stage, (1, 0.03, 0.03, 0.02, 0.004, 0.001), strict=True))
    _, estimates = run(request(Fps.HIGH), FakeClock(), lambda stage, cost: paces[stage] * cost)
    left = [event.seconds_left for event, _ in estimates]
    assert left == sorted(left, reverse=True)


@pytest.mark.parametrize("slow", Stage)
def test_the_estimate_ends_at_zero_whatever_stage_takes_long(slow):
    def seconds_of(stage, cost):
        return (5 if stage is slow else 0.01) * (cost + 0.1)

    _, estimates = run(request(Fps.MEDIUM), FakeClock(), seconds_of)
    left = [event.seconds_left for event, _ in estimates]
    assert min(left) >= 0
    assert left[-1] == pytest.approx(0, abs=1e-6)


def test_a_clip_four_times_as_large_costs_four_times_as_much():
    small = planned_work(request(Fps.HIGH), saves_file=True)
    size = FrameSize(width=128, height=128)
    large = planned_work(replace(request(Fps.HIGH), size=size), saves_file=True)
    for item, larger in zip(small, large, strict=True):
        assert larger.cost == pytest.approx(4 * item.cost)
        assert larger.num_steps == item.num_steps


# Stages that an earlier job did


@pytest.mark.parametrize("until", Stage)
def test_a_plan_can_end_behind_any_stage(until):
    whole = planned_work(request(Fps.HIGH), saves_file=True)
    planned = planned_work(request(Fps.HIGH), saves_file=True, until=until)
    assert planned == whole[: len(planned)]
    assert planned[-1].stage is until


def test_stages_that_are_not_begun_are_not_waited_for():
    clock, events, now = FakeClock(), [], []
    work = planned_work(request(Fps.MEDIUM), saves_file=False)
    progress = Progress(
        work,
        on_event=lambda event: (events.append(event), now.append(clock.now)),
        is_cancelled=lambda: False,
        clock=clock,
    )
    for item in work[-2:]:
        with progress.stage(item.stage) as step_done:
            for number, cost in enumerate(item.step_costs, start=1):
                clock.now += cost
                step_done(number)
    for event, time in zip(events, now, strict=True):
        if isinstance(event, StepDone):
            assert event.seconds_left == pytest.approx(clock.now - time)


def test_steps_that_an_earlier_job_did_are_told_and_say_nothing_of_the_pace():
    clock, events, now = FakeClock(), [], []
    work = planned_work(request(Fps.HIGH), saves_file=False)[-2:]
    progress = Progress(
        work,
        on_event=lambda event: (events.append(event), now.append(clock.now)),
        is_cancelled=lambda: False,
        clock=clock,
    )
    for item, before in zip(work, (2, 5), strict=True):
        with progress.stage(item.stage, steps_before=before) as step_done:
            clock.now += 1e-9
            for number, cost in list(enumerate(item.step_costs, start=1))[before:]:
                clock.now += cost
                step_done(number)
    steps = [
        (event, clock.now - time)
        for event, time in zip(events, now, strict=True)
        if isinstance(event, StepDone)
    ]
    assert [event.step for event, _ in steps[:4]] == [2, 3, 4, 5]
    assert steps[0][0].seconds_left is None
    # What the later stage still needs is not known to be less before it begins.
    already_done = sum(work[1].step_costs[:5])
    for event, seconds_left in steps[1:]:
        too_much = already_done if event.stage is Stage.INTERPOLATION else 0
        assert event.seconds_left == pytest.approx(seconds_left + too_much)
    assert steps[-1][0].seconds_left == pytest.approx(0, abs=1e-6)


def test_a_stage_of_which_all_steps_are_done_only_finishes():
    events = []
    progress = Progress(
        planned_work(request(), saves_file=False),
        on_event=events.append,
        is_cancelled=lambda: False,
    )
    with progress.stage(Stage.BASE_FRAMES, steps_before=STEPS):
        pass
    with progress.stage(Stage.DECODE) as step_done:
        step_done(4)
    assert [type(event) for event in events[:3]] == [StageStarted, StepDone, StageFinished]
    assert events[1] == StepDone(
        stage=Stage.BASE_FRAMES, step=STEPS, num_steps=STEPS, seconds_left=None
    )
    assert events[-2].seconds_left is not None


# Cancelling


def test_a_cancelled_job_ends_at_the_step_it_was_cancelled_in():
    events = []
    progress = Progress(
        planned_work(request(), saves_file=True),
        on_event=events.append,
        is_cancelled=lambda: len(events) >= 3,
    )

    def animate():
        with progress.stage(Stage.BASE_FRAMES) as step_done:
            for number in range(1, STEPS + 1):
                step_done(number)

    with pytest.raises(Cancelled):
        animate()
    assert [type(event) for event in events] == [StageStarted, StepDone, StepDone]
    assert events[-1].step == 2


def test_a_cancelled_job_begins_no_stage():
    events = []
    progress = Progress(
        planned_work(request(), saves_file=True),
        on_event=events.append,
        is_cancelled=lambda: True,
    )
    with pytest.raises(Cancelled), progress.stage(Stage.TEXT):
        pytest.fail("the stage ran")
    assert not events
