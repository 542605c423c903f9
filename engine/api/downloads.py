"""What is said of a download of a model: what it takes, how far it is, and its end."""

from __future__ import annotations

from dataclasses import dataclass

JOURNAL_FILE = "kvdesk-download.json"
"""Lies in the folder of a download, and says which of its files are whole."""
LOCK_FILE = ".kvdesk-download.lock"
"""Is held by who downloads into its folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadFile:
    """A file of a download by its name in the folder, "/" between folders.

    Of its `size`, `have_bytes` need not be fetched. `found_in` is the file elsewhere on this
    computer that has as many bytes; "" where there is none. Whether it has the right ones is found
    out by the download.
    """

    name: str
    size: int
    have_bytes: int
    found_in: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadDescribed:
    """What a download takes, in bytes.

    `missing_bytes` have to be fetched of the `total_bytes` of `files`. `stays_bytes` is about what
    the prepared model takes in the end, `peak_bytes` what is on the disk at once when it has been
    prepared with all that was downloaded beside it, `peak_bytes_deleting` the most that is there at
    once if the official files are deleted as they are prepared. `free_bytes` are free on the disk
    now; None where nobody can tell.
    """

    files: tuple[DownloadFile, ...]
    total_bytes: int
    missing_bytes: int
    peak_bytes: int
    peak_bytes_deleting: int
    stays_bytes: int
    free_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadProgress:
    """How far a download is; sent about four times a second.

    `done_bytes` of `total_bytes` are there, of all files; `file` is the one in work. `waiting` is a
    sentence where nothing comes in, with what it waits for. `seconds_left` is None where there is
    no speed to reckon with.
    """

    file: str
    done_bytes: int
    total_bytes: int
    bytes_per_second: float
    seconds_left: float | None
    waiting: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """All official files are in `folder`, and are what they should be.

    Of their bytes, `fetched_bytes` came over the network in this run; `copied_bytes` from elsewhere
    on this computer; and `linked_bytes` are files elsewhere too, and take no more room here.
    """

    folder: str
    fetched_bytes: int
    copied_bytes: int
    linked_bytes: int
