"""What a report of the window says: gathered here, cleaned of names and paths, read by a person."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.api.files import write_text_atomically
from engine.api.redaction import Person, Redactor
from engine.api.report import (
    Section,
    last_lines,
    machine,
    report_text,
    requests,
    texts_of,
    versions,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.api import MachineDescribed
    from kvdesk.job import Job
    from kvdesk.notice import Notice
    from kvdesk.settings import Settings

_TITLE = re.compile("“[^”]*”")
_SETTINGS = ("language", "theme", "text_percent", "device", "eight_bit")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """All that a report is made of; nothing of it changes, so that a thread may read it.

    Attributes:
        notice: what the report is about; None where it is about nothing in particular.
        machine: what the worker said of the computer; None before it did.
        jobs: those of the queue.
        log: the file of the window's log.
    """

    notice: Notice | None
    machine: MachineDescribed | None
    jobs: tuple[Job, ...]
    settings: Settings
    log: Path


def make_report(facts: ReportFacts, *, with_prompts: bool) -> str:
    """The text of the report. Reads the log: for a thread."""
    asked = [job.request for job in facts.jobs]
    texts = texts_of(asked, with_prompts=with_prompts)
    texts += [job.folder for job in facts.jobs]  # named by the prompt's first words
    sections = [
        *_failure(facts.notice, with_prompts=with_prompts),
        versions(),
        *([machine(facts.machine)] if facts.machine is not None else []),
        _settings(facts.settings),
        _queue(facts.jobs),
        requests(asked, with_prompts=with_prompts),
        Section(title="Log", text=last_lines(facts.log)),
    ]
    return report_text(sections, Redactor(Person.current(), texts=texts))


def save_report(path: Path, text: str) -> str:
    """Write the report; for a thread.

    Returns:
        Why it could not be written, empty where it was.
    """
    try:
        write_text_atomically(path, text)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _failure(notice: Notice | None, *, with_prompts: bool) -> list[Section]:
    if notice is None:
        return []
    # The title of a clip is its prompt, and its job may be gone from the queue.
    text = notice.text if with_prompts else _TITLE.sub("“…”", notice.text)
    return [Section(title="What happened", text=f"{text}\n\n{notice.detail}")]


def _settings(settings: Settings) -> Section:
    lines = [f"{name}: {getattr(settings, name)!r}" for name in _SETTINGS]
    return Section(title="Settings", text="\n".join(lines))


def _queue(jobs: Sequence[Job]) -> Section:
    lines: list[str] = []
    for job in jobs:
        until = f" until {job.until}" if job.until is not None else ""
        lines.append(f"{job.state}: model {job.model!r}{until}")
        if job.failure is not None:
            lines += [f"{job.failure.code}: {job.failure.message}", job.failure.detail]
    return Section(title="Queue", text="\n".join(lines))
