"""`kvdesk prepare`: makes a model's folder of the official files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import JailLevel, Prepare
from engine.terminal import print_event, reporting

if TYPE_CHECKING:
    import argparse

    from engine.api import EightBitReport

_GB = 10**9
_JAIL_WORDS = {
    JailLevel.NONE: "It was read by a process of its own; this system cannot lock one up.",
    JailLevel.LIMITS: "It was read with limited memory; this system cannot lock files away.",
    JailLevel.FILES: "It was read by a process that could open its files and no others.",
    JailLevel.FULL: "It was read by a process without network that could open its files only.",
}


def add_prepare_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be said behind `kvdesk prepare`."""
    add = parser.add_argument
    add("source", metavar="SOURCE_FOLDER")
    add("destination", metavar="MODEL_FOLDER")
    words = "also write the two U-Nets in 8 bit, or add them to a prepared model"
    add("--8bit", dest="eight_bit", action="store_true", help=words)
    words = "delete every official file in SOURCE_FOLDER as soon as it is prepared"
    add("--delete-originals", action="store_true", help=words)
    add("--json", action="store_true", help="print events as lines of JSON")
    parser.set_defaults(run=run_prepare)


def run_prepare(options: argparse.Namespace) -> None:
    """Prepare a model.

    Raises:
        EngineError: what stopped it; the same command goes on.
    """
    if options.delete_originals and not options.json:
        from engine.checkpoint.originals import estimate_peak

        peak = estimate_peak(Path(options.source), Path(options.destination))
        print(
            f"On its way the model takes up to about {peak / _GB:.2f} GB in all, both folders "
            "together. Each official file is deleted as soon as it is not needed any more.",
            flush=True,
        )
    with reporting(as_json=options.json) as (on_event, is_cancelled):
        from engine.jobs import prepare  # torch takes seconds

        command = Prepare(
            job=0,
            source=options.source,
            destination=options.destination,
            eight_bit=options.eight_bit,
            delete_originals=options.delete_originals,
        )
        prepared = prepare(command, on_event=on_event, is_cancelled=is_cancelled)
    if options.json:
        print_event(prepared)
        return
    if prepared.eight_bit is not None:
        print(_eight_bit_words(prepared.eight_bit))
    print(_JAIL_WORDS[prepared.jail_level])
    folder = shlex.quote(options.destination)
    print(f'Ready: kvdesk generate "PROMPT" --model {folder} -o clip.mp4')
    print(f"Does it compute here? kvdesk self-test --model {folder}")


def _eight_bit_words(report: EightBitReport) -> str:
    return (
        f"The U-Nets take {report.bytes_before / _GB:.2f} GB, in 8 bit "
        f"{report.bytes_after / _GB:.2f} GB. {report.num_exact} of {report.num_layers} layers "
        f"would stay exact; of the others 8 bit loses {report.mean_relative_error:.2%} on average "
        f"(worst cosine {report.worst_cosine:.5f})."
    )
