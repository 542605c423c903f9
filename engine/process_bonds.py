"""What binds a worker to the process that started it: it gives way to it, and ends with it."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from contextlib import suppress

log = logging.getLogger(__name__)

PARENT_VARIABLE = "KVDESK_PARENT_PID"
"""The environment variable in which a process that wants this names its own number."""

_NICENESS = 5
_PR_SET_PDEATHSIG = 1


def be_modest() -> None:
    """Let the window have the processor first, where the system has such a thing."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.nice(_NICENESS)


def end_with_parent() -> None:
    """End this process when the one that started it has ended, if that one has asked for it.

    The end of the input says so too, but not while another process has inherited the other end of
    it. Linux only. The signal comes when the thread that started this process ends, so that has to
    be one that lives as long as its process.
    """
    parent = os.environ.pop(PARENT_VARIABLE, "")
    if sys.platform != "linux" or not parent.isdecimal():
        return
    with suppress(OSError, AttributeError):  # a C library without it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):  # it ended before it could be watched
        log.info("the parent has ended")
        os._exit(0)
