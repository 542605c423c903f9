"""What the doctor says in a terminal."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.doctor.finding import Finding

_HEALTH_WIDTH = 9
_TOPIC_WIDTH = 20
_LINE_WIDTH = 96
_MOST_WORDS = 2000


def say(line: str) -> None:
    """Print a line at once: what follows may take a while."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_finding(finding: Finding) -> None:
    """Print a line of the table, and what to do below it."""
    indent = " " * (_HEALTH_WIDTH + _TOPIC_WIDTH)
    words = finding.words[:_MOST_WORDS].replace("\n", f"\n{indent}")
    say(f"{finding.health.value:{_HEALTH_WIDTH}}{finding.topic:{_TOPIC_WIDTH}}{words}")
    if finding.advice:
        width = _LINE_WIDTH - len(indent)
        say(textwrap.indent(textwrap.fill(finding.advice, width=width), indent))


def say_passing(line: str) -> None:
    """Show how far something is, on a terminal only, in a line that the next one replaces."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{line[: _LINE_WIDTH - 1]:{_LINE_WIDTH}}\r")
        sys.stderr.flush()
