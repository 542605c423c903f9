"""What the answers of a server mean for a download."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from engine.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Mapping

_OK, _PARTIAL, _NOT_SATISFIABLE = 200, 206, 416
_NO_ACCESS = (401, 403)
_NOT_THERE = (404, 410)
_TEMPORARY = (408, 425, 429)
_SERVER_FAULTS = 500
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_LONGEST_WAIT = 3600.0


class TryAgain(Exception):
    """What went wrong may be better in a moment.

    Attributes:
        reason: what went wrong, as the beginning of a sentence.
        seconds: how long the server asks to wait; None where it does not say.
        is_doubtful: whether it is likely to go wrong again: then it is tried a few times only.
        detail: for whoever looks into it.
    """

    def __init__(
        self,
        reason: str,
        *,
        seconds: float | None = None,
        is_doubtful: bool = False,
        detail: str = "",
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.seconds = seconds
        self.is_doubtful = is_doubtful
        self.detail = detail


class FileChanged(Exception):
    """The server has another file than the one that was begun; `reason` says how that shows."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The beginning of a server's answer: its status, headers by lower-case name, and its host.

    `is_hub` says whether it comes from the server that was asked, not from one that it sent us to.
    `linked_digest` is what the first server said of the file; "" where it did not.
    """

    status: int
    headers: Mapping[str, str]
    host: str
    is_hub: bool
    linked_digest: str = ""


def offset_of(answer: Answer, start: int, size: int, etag: str) -> int:
    """Where in the file the bytes begin that `answer` brings.

    Args:
        answer: to a request for everything from `start` on.
        start: what is there already, less than `size`.
        size: of the whole file.
        etag: what an earlier answer named the file's state; "" where that does not matter.

    Raises:
        FileChanged: it is not the file that was begun.
        TryAgain: there is nothing now, but there may be soon.
        DownloadError: there is nothing to be had.
    """
    headers = answer.headers
    if answer.status == _NOT_SATISFIABLE:
        raise FileChanged(f"{answer.host} says that the file ends before byte {start}")
    if answer.status not in {_OK, _PARTIAL}:
        raise refusal(answer.status, headers, answer.host, is_hub=answer.is_hub)
    if headers.get("content-encoding", "identity") != "identity":
        raise TryAgain(f"{answer.host} sends the file packed", is_doubtful=True)
    new_etag = headers.get("etag", "")
    if start and etag and new_etag and new_etag != etag:
        raise FileChanged(f"{answer.host} has another state of the file")
    if answer.status == _OK:
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) != size:
            raise FileChanged(f"{answer.host} has {length} bytes of it instead of {size}")
        return 0
    match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if match is None or int(match[1]) != start or int(match[2]) < start:
        raise TryAgain(f"{answer.host} sends another part than it was asked for", is_doubtful=True)
    if match[3] != "*" and int(match[3]) != size:
        raise FileChanged(f"{answer.host} has {match[3]} bytes of it instead of {size}")
    return start


def refusal(
    status: int, headers: Mapping[str, str], host: str, *, is_hub: bool, name: str = "this file"
) -> TryAgain | DownloadError:
    """What to do about an answer without a file.

    Args:
        status: of the answer.
        headers: of the answer.
        host: whose answer it is.
        is_hub: whether `host` was asked first; an address that it gave may have expired.
        name: what was asked for.
    """
    if status in _TEMPORARY or status >= _SERVER_FAULTS:
        return TryAgain(f"{host} is busy (it answered {status})", seconds=seconds_to_wait(headers))
    if not is_hub:
        return TryAgain(f"{host} does not give the file (it answered {status})", is_doubtful=True)
    if status in _NO_ACCESS:
        return DownloadError(
            f"{host} does not give {name} to everybody (it answered {status}). Sign in there in a "
            "browser, ask for access on the page of the model, make an access token in the "
            "settings of your account, and start kvdesk with it in the environment variable "
            "HF_TOKEN."
        )
    if status in _NOT_THERE:
        return DownloadError(
            f"{host} has no {name} (it answered {status}). It was moved or removed: try again "
            "later, or name another server."
        )
    return DownloadError(
        f"{host} answered {status} when it was asked for {name}. Try again later, or name another "
        "server."
    )


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """What `Retry-After` asks for, an hour at most; None where it does not say."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal():
        return min(float(text), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
        now = parsedate_to_datetime(headers.get("date", ""))
        return min(max(0.0, (until - now).total_seconds()), _LONGEST_WAIT)
    except (ValueError, TypeError):
        return None
