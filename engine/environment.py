"""What has to be settled in a process before it imports torch and the libraries around it."""

from __future__ import annotations

import os
import socket


def settle_environment() -> None:
    """Set what libraries read once, when they are loaded. What is set already stays as it is."""
    # OpenMP's threads wait for each other by spinning. As soon as anything else wants a core, the
    # one that spins holds up the one that works: on two busy cores a clip of the demo took 50 to
    # 70 seconds, and takes 4 with threads that sleep.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Everything is on the disk. A library that asks the Hub all the same must not get through.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    # A library of libraries opens a port for a moment when it is imported, to see whether there is
    # IPv6, and does without where it is told that there is none. Nothing here connects through it:
    # `engine.download` uses another one.
    socket.has_ipv6 = False
