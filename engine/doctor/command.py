"""`kvdesk doctor`: looks at the machine, the models and the folders, and says what to do."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api.files import write_text_atomically
from engine.doctor.finding import Finding, Health
from engine.doctor.output import say, say_finding, say_passing
from engine.errors import InvalidRequest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from engine.api import PrepareProgress

_ALL_WELL, _SOMETHING_WRONG = 0, 1


def add_doctor_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be said behind `kvdesk doctor`."""
    add = parser.add_argument
    add("--full", action="store_true", help="compare every byte of the models with its checksum")
    words = "do harm to workers, files and disks, in a temporary folder, and see what holds"
    add("--torture", type=float, metavar="MINUTES", help=words)
    words = "also write a report to give away: without names and paths, and never sent"
    add("--report", type=Path, metavar="FILE", help=words)
    add("--json", action="store_true", help="print one object of JSON")
    parser.set_defaults(run=run_doctor)


def run_doctor(options: argparse.Namespace) -> int:
    """Examine everything, or torture it, and print what was found.

    Returns:
        The exit status: 0 where nothing is wrong, 1 where something is, 130 where Ctrl-C ended it.

    Raises:
        InvalidRequest: the report's file is there already, or the minutes are none.
    """
    if options.report is not None and options.report.exists():
        raise InvalidRequest(f"There is a file {options.report} already. Name another one.")
    if options.torture is not None:
        from engine.doctor.torture import run_torture

        return run_torture(options.torture, as_json=options.json)
    findings: list[Finding] = []
    for finding in examine(is_full=options.full, on_progress=_show_progress):
        findings.append(finding)
        if not options.json:
            say_finding(finding)
    is_well = all(finding.health is not Health.WRONG for finding in findings)
    if options.json:
        say(json.dumps({"ok": is_well, "findings": [asdict(each) for each in findings]}))
    elif is_well:
        say("\nNothing is wrong.")
    if options.report is not None:
        _write_report(options.report, findings)
        if not options.json:
            say(f"The report is in {options.report}. Read it before you give it to anybody.")
    return _ALL_WELL if is_well else _SOMETHING_WRONG


def examine(*, is_full: bool, on_progress: Callable[[PrepareProgress], None]) -> Iterator[Finding]:
    """All checks, one finding after the other.

    Args:
        is_full: read all of the models.
        on_progress: told of that.
    """
    from engine.doctor import folder_checks, machine_checks, worker_checks

    for topic, check in (
        ("Python", machine_checks.check_python),
        ("PyTorch", machine_checks.check_torch),
        ("ffmpeg", machine_checks.check_ffmpeg),
        ("locks", machine_checks.check_locks),
        ("folders", folder_checks.check_folders),
        (
            "models",
            partial(folder_checks.check_models, is_full=is_full, on_progress=on_progress),
        ),
        ("worker", worker_checks.check_worker),
    ):
        try:
            yield from check()
        except Exception as error:  # one check that stumbles must not hide what the others find
            words = f"could not be examined: {type(error).__name__}: {error}"
            yield Finding(topic=topic, health=Health.WRONG, words=words)


def _show_progress(progress: PrepareProgress) -> None:
    say_passing(f"{progress.done_bytes / max(1, progress.total_bytes):4.0%} {progress.file}")


def _write_report(path: Path, findings: list[Finding]) -> None:
    from engine.api.redaction import Person, Redactor
    from engine.api.report import Section, last_lines, report_text, versions
    from engine.cache_folder import user_cache

    lines = [
        " ".join(filter(None, (f"{each.health}: {each.topic}: {each.words}", each.advice)))
        for each in findings
    ]
    log = last_lines(user_cache() / "logs" / "kvdesk.log")
    sections = [
        versions(),
        Section(title="What the doctor found", text="\n".join(lines)),
        Section(title="Log", text=log),
    ]
    try:
        write_text_atomically(path, report_text(sections, Redactor(Person.current())))
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be written: {error.strerror or error}. Name another file."
        ) from error
