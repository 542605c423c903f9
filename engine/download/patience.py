"""How patient a download is with a server, and how much it puts at risk."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what, and how much is lost at most.

    Attributes:
        block_bytes: written at most until they are synced and noted: what may have to be fetched
            again after a crash.
        block_seconds: as `block_bytes`, for slow connections.
        connect_seconds: until a server answers.
        stall_seconds: with less than `stall_bytes` in them, the connection is given up and another
            one tried.
        stall_bytes: see `stall_seconds`.
        first_pause: seconds before a second try; each further pause is twice as long.
        longest_pause: seconds that a pause may grow to.
        give_up_seconds: without anything coming in, until the download ends with an error.
    """

    block_bytes: int = 64 * 2**20
    block_seconds: float = 10.0
    connect_seconds: float = 30.0
    stall_seconds: float = 30.0
    stall_bytes: int = 30 * 1024
    first_pause: float = 1.0
    longest_pause: float = 60.0
    give_up_seconds: float = 1800.0


WHILE_WATCHED = Patience(connect_seconds=10.0, give_up_seconds=8.0)
"""With a question whose answer a person waits for. A download itself may wait all night."""
