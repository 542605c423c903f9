"""What binds a worker to the process that started it, and to those that it starts itself."""

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
_STDIN, _STDOUT, _STDERR = 0, 1, 2
# It waits for the end of its input, which comes with the end of the process that started it,
# however that ends, and then ends all of that process's group.
_GUARD = "trap '' HUP INT TERM; read _; kill -9 -$1"


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


def take_children_along() -> None:
    """Have all that this process starts from now on end with it, however it ends.

    Programs such as ffmpeg do not know that they belong to somebody. So this process becomes the
    head of a group that they belong to, and a tiny program outside of it waits to end the group. At
    a terminal nothing is done, since such a group could not read from it; nor on Windows.
    """
    if sys.platform == "win32" or os.isatty(_STDIN):
        return
    try:
        if os.getpgrp() != os.getpid():
            os.setpgid(0, 0)
        reading, writing = os.pipe()  # programs that are started do not inherit these
    except OSError as error:
        log.warning("what this process starts may outlive it: %s", error)
        return
    try:
        os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", _GUARD, "sh", str(os.getpid())],
            {},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, reading, _STDIN),
                (os.POSIX_SPAWN_OPEN, _STDOUT, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_DUP2, _STDOUT, _STDERR),
            ],
            setpgroup=0,
        )
    except OSError as error:
        log.warning("what this process starts may outlive it: %s", error)
        os.close(writing)
    os.close(reading)
