"""Bugs that are planted on purpose, to see whether the tests of the faults find them.

    python tests/faults/planted_bugs.py [NAME...]

Works on a copy of the sources. Each bug is one change of one file; the tests that are named with it
must be green without it and have to fail with it. Ends with 1 if one of the bugs was not found.
"""

from __future__ import annotations

import os
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


BUGS: tuple[Bug, ...] = (
    Bug(
        name="no-file-sync",
        what="a finished file is renamed without a sync of its bytes",
        file="engine/api/files.py",
        before="    _fsync_file(temporary)\n    if overwrite:",
        after="    if overwrite:",
        tests=("tests/faults/test_whole_files.py",),
    ),
    Bug(
        name="no-folder-sync",
        what="the new name is not synced",
        file="engine/api/files.py",
        before="    try:\n        fsync_folder(path.parent)\n    except",
        after="    try:\n        pass\n    except",
        tests=("tests/faults/test_whole_files.py",),
    ),
    Bug(
        name="swapped-rename",
        what="the bytes are synced behind the rename instead of before it",
        file="engine/api/files.py",
        before=(
            "    _fsync_file(temporary)\n    if overwrite:\n        _replace(temporary, path)\n"
        ),
        after="    if overwrite:\n        _replace(temporary, path)\n        _fsync_file(path)\n",
        tests=("tests/faults/test_whole_files.py",),
    ),
    Bug(
        name="newer-overwritten",
        what="a file of a newer kvdesk is written over",
        file="kvdesk/json_files.py",
        before='if _version_of(path) > data.get("version", 0):',
        after="if False:",
        tests=("tests/kvdesk/test_newer_formats.py",),
    ),
    Bug(
        name="no-hash-check",
        what="the files of a model count as compared without a look",
        file="engine/checkpoint/checked_files.py",
        before="return [file for file in files if not self._holds(file)]",
        after="return []",
        tests=("tests/faults/test_model_files.py",),
    ),
    Bug(
        name="no-checkpoint-hash",
        what="the tensors of a checkpoint are not compared with their digest",
        file="engine/tensor_files.py",
        before="if metadata.pop(_DIGEST, None) != _digest(tensors):",
        after="if metadata.pop(_DIGEST, None) is None:",
        tests=("tests/engine/test_tensor_files.py", "tests/faults/test_schedules.py"),
    ),
    Bug(
        name="no-generator",
        what="a checkpoint forgets the state of the random numbers",
        file="engine/clip_run.py",
        before='if tensors is not None and "generator" in tensors:',
        after="if False and tensors is not None:",
        tests=("tests/faults/test_clip_kills.py", "tests/faults/test_schedules.py"),
    ),
    Bug(
        name="deaf-to-hangs",
        what="a worker whose mark stands still is not taken for a hung one",
        file="kvdesk/worker_watch.py",
        before="return self._same_marks >= HUNG_PATIENCE",
        after="return False",
        tests=("tests/faults/test_worker_hangs.py",),
    ),
    Bug(
        name="endless-restarts",
        what="a job that ends the worker is tried again and again",
        file="kvdesk/runner.py",
        before="if self._deaths[job.id] < MAX_DEATHS:",
        after="if True:",
        tests=("tests/faults/test_worker_deaths.py",),
    ),
    Bug(
        name="children-outlive",
        what="ffmpeg goes on when the worker is killed",
        file="engine/worker.py",
        before="    take_children_along()\n",
        after="",
        tests=("tests/faults/test_window_deaths.py",),
    ),
    Bug(
        name="unlocked-decoder",
        what="the process that decodes pictures is not locked up",
        file="engine/picture_process.py",
        before="    level = lock_up(\n",
        after="    level = dict(\n",
        tests=("tests/faults/test_hostile_pictures.py",),
    ),
    Bug(
        name="no-tripwire",
        what="a process that unpickles goes on",
        file="engine/unpickling_guard.py",
        before="    os._exit(UNPICKLING_EXIT_CODE)\n",
        after="",
        tests=("tests/faults/test_hostile_checkpoints.py",),
    ),
    Bug(
        name="markup",
        what="a tool tip takes a prompt for markup",
        file="kvdesk/ui/plain_text.py",
        before='if "<" not in text:',
        after="if True:",
        tests=("tests/kvdesk/test_plain_text.py",),
    ),
    Bug(
        name="full-disk-goes-on",
        what="a full disk fails the job, and the next one is begun",
        file="kvdesk/runner.py",
        before="if failed.code == DiskFull.code:",
        after="if False:",
        tests=("tests/faults/test_worker_deaths.py",),
    ),
)


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
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", *bug.tests]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, check=False)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
