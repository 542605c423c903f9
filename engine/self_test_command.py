"""`kvdesk self-test`: a small clip with all networks of a model, and what it says about plans."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import RELEASED_MODEL, SelfTest, StageFinished
from engine.terminal import print_event, reporting

if TYPE_CHECKING:
    import argparse

    from engine.api import Event

_SECONDS_IN_MINUTES = 120


def add_self_test_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be said behind `kvdesk self-test`."""
    add = parser.add_argument
    add("--model", default=RELEASED_MODEL, metavar="FOLDER|NAME", help=f"default: {RELEASED_MODEL}")
    add("--device", metavar="D", help="cpu, cuda or cuda:N; default: a graphics card if there is")
    add("--8bit", dest="eight_bit", action="store_true", help="allow 8-bit weights if need be")
    add("--json", action="store_true", help="print events as lines of JSON")
    parser.set_defaults(run=run_self_test_command)


def run_self_test_command(options: argparse.Namespace) -> None:
    """Make the clip in a temporary folder; say what its stages took, and what is planned now.

    Raises:
        DeviceError: the model or the device computes wrong numbers.
        EngineError: no clip can be made.
    """
    from engine.checkpoint.folder import ModelFolder, locate_model

    ModelFolder.open(locate_model(options.model))  # torch takes seconds; a wrong name need not wait
    finished: list[StageFinished] = []
    with (
        tempfile.TemporaryDirectory(prefix="kvdesk-self-test-", ignore_cleanup_errors=True) as name,
        reporting(as_json=options.json) as (on_event, is_cancelled),
    ):
        from engine.jobs import JobRunner
        from engine.self_test import run_self_test, usual_clip_plan

        def hear(event: Event) -> None:
            if isinstance(event, StageFinished):
                finished.append(event)
            on_event(event)

        command = SelfTest(
            job=0,
            model=options.model,
            folder=str(Path(name) / "clip"),
            device=options.device,
            eight_bit=options.eight_bit,
        )
        tested = run_self_test(JobRunner(), command, on_event=hear, is_cancelled=is_cancelled)
    if options.json:
        print_event(tested)
        return
    print(
        f"All networks compute on {tested.device}: {tested.num_frames} frames of "
        f"{tested.width}x{tested.height} in {tested.seconds:.1f} s."
    )
    for event in finished:
        print(f"  {event.stage.value.replace('_', ' '):14}{event.seconds:8.1f} s")
    plan = usual_clip_plan(options.model, options.device, eight_bit=options.eight_bit)
    if not plan.fits:
        print("A clip with the usual settings does not fit into the memory: see kvdesk plan.")
        return
    seconds = sum(stage.seconds for stage in plan.stages)
    print(f"A clip with the usual settings, 12 frames, is planned to take {_duration(seconds)}.")


def _duration(seconds: float) -> str:
    if seconds >= _SECONDS_IN_MINUTES:
        return f"about {seconds / 60:.0f} minutes"
    return f"about {seconds:.0f} seconds"
