"""Job after job: what the window and the worker hold does not grow with their number."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fault_rounds import Rounds

ROOT = Path(__file__).parents[2]
SOAK = ROOT / "tests" / "rehearsal" / "soak.py"


def soak(*arguments: str | int) -> None:
    """Fail with the figures where one of them grows."""
    command = [sys.executable, SOAK, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts what Linux tells")
@pytest.mark.fault(35)
@pytest.mark.timeout(0)
def test_a_window_holds_no_more_after_many_jobs(rounds: Rounds):
    jobs = rounds.wanted(16, 2000)
    soak("--jobs", jobs, "--at-once", rounds.wanted(4, 25), "--clips", 0)
    rounds.done(jobs)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts what Linux tells")
@pytest.mark.slow
@pytest.mark.fault(35)
@pytest.mark.timeout(0)
def test_a_worker_holds_no_more_after_many_clips(rounds: Rounds):
    clips = rounds.wanted(10, 50)
    soak("--jobs", 0, "--clips", clips)
    rounds.done(clips)
