"""What work gets that is better not done in the same process; see `engine.api.own_module` too."""

from __future__ import annotations

import os
import subprocess

from engine.process_bonds import PARENT_VARIABLE

CREATION_FLAGS: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""A program without a window of its own would otherwise open a console on Windows."""


def own_environment() -> dict[str, str]:
    """The environment of such a process: it has one thread, and can end with this one.

    With one thread a process can be locked up (see `engine.jail`).
    """
    single = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **single, PARENT_VARIABLE: str(os.getpid())}
