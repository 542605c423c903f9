"""Bugs that are planted on purpose, to see whether the tests of the faults find them.

    python tests/faults/planted_bugs.py [NAME...]

Works on a copy of the sources. Each bug is one change of one file; the tests that are named with it
must be green without it and have to fail with it. Ends with 1 if one of the bugs was not found.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("engine", "kvdesk", "resources", "tests", "packaging", "pyproject.toml", "README.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A change that must not go unnoticed.

    Attributes:
        name: for the command line.
        what: what somebody might have done, in words.
        file: where, from the root.
        before: the text that is there once.
        after: what the bug makes of it.
        tests: which of them ought to fail.
    """

    name: str
    what: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


BUGS: tuple[Bug, ...] = ()


def main(names: list[str]) -> int:
    """Plant the bugs of these names, or all, one by one; 1 if one was not found."""
    unknown = set(names) - {bug.name for bug in BUGS}
    if unknown:
        print(f"There is no bug {', '.join(sorted(unknown))}.")
        return 2
    bugs = [bug for bug in BUGS if not names or bug.name in names]
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        _copy_sources(copy)
        for bug in bugs:
            begin = time.monotonic()
            verdict = _verdict(copy, bug)
            missed += verdict != "found"
            print(f"{bug.name:24} {verdict:20} {time.monotonic() - begin:5.0f} s  {bug.what}")
    print(f"{len(bugs) - missed} of {len(bugs)} were found.")
    return 1 if missed else 0


def _copy_sources(copy: Path) -> None:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            skipped = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, copy / name, ignore=skipped)
        else:
            shutil.copy2(source, copy / name)


def _verdict(copy: Path, bug: Bug) -> str:
    """Whether the bug's tests are green without it and fail with it."""
    file = copy / bug.file
    whole = file.read_text("utf-8")
    if whole.count(bug.before) != 1:
        return "cannot be planted"
    if not _are_green(copy, bug):
        return "red without it"
    file.write_text(whole.replace(bug.before, bug.after), "utf-8")
    try:
        return "not found" if _are_green(copy, bug) else "found"
    finally:
        file.write_text(whole, "utf-8")


def _are_green(copy: Path, bug: Bug) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *bug.tests]
    done = subprocess.run(command, cwd=copy, capture_output=True, check=False)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
