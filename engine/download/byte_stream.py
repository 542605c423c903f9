"""One request for the rest of a file, read by a thread of its own.

So nobody has to wait for a server that is silent: whoever takes the bytes can look at the clock,
and leave.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import httpx2

from engine import __version__
from engine.download.answers import Answer, TryAgain

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.download.hub import Hub
    from engine.download.wanted_files import HubFile

_MOST_REDIRECTS = 8
_MOST_WAITING = 16
"""Pieces that are read ahead of who takes them; each is 64 KiB at most."""
_SECONDS_BETWEEN_LOOKS = 0.25


class StreamEnded:
    """The last thing in a stream: the server has said all that it had."""


Piece = Answer | bytes | StreamEnded | TryAgain


class ByteStream:
    """The answer to a request for the bytes of `file` from `start` on: first an `Answer`.

    Use it in a `with` statement, at the end of which the connection is closed.
    """

    def __init__(self, hub: Hub, file: HubFile, start: int, connect_seconds: float) -> None:
        self._hub = hub
        self._url = hub.url(file)
        self._start = start
        self._timeout = httpx2.Timeout(connect_seconds)
        self._pieces: queue.Queue[Piece] = queue.Queue(_MOST_WAITING)
        self._is_left = threading.Event()
        self._close: Callable[[], None] = lambda: None
        threading.Thread(target=self._run, name="download", daemon=True).start()

    def __enter__(self) -> ByteStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_left.set()
        self._close()

    def next(self, seconds: float) -> Piece | None:
        """What comes next; None where nothing has come in `seconds`."""
        try:
            return self._pieces.get(timeout=seconds)
        except queue.Empty:
            return None

    # The thread's side.

    def _run(self) -> None:
        host = urlsplit(self._url).hostname or self._url
        try:
            self._read()
            self._put(StreamEnded())
        except TryAgain as trouble:
            self._put(trouble)
        except httpx2.TimeoutException as error:
            self._put(TryAgain(f"{host} does not answer", detail=repr(error)))
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            self._put(TryAgain(f"The connection to {host} broke off", detail=repr(error)))
        except Exception as error:  # the edge of the thread: nobody else would hear of it
            self._put(TryAgain("The download stumbled", is_doubtful=True, detail=repr(error)))

    def _read(self) -> None:
        url, linked_digest = self._url, ""
        for _ in range(_MOST_REDIRECTS):
            request = self._hub.client.build_request(
                "GET",
                url,
                headers={
                    "User-Agent": f"kvdesk/{__version__}",
                    "Accept-Encoding": "identity",  # the bytes of the file, not packed ones
                    "Range": f"bytes={self._start}-",
                    **self._hub.headers(url),
                },
                timeout=self._timeout,
            )
            response = self._hub.client.send(request, stream=True, follow_redirects=False)
            with contextlib.closing(response):
                self._close = lambda response=response: _shut_down(response)
                linked_digest = linked_digest or response.headers.get("x-linked-etag", "")
                if not response.has_redirect_location:
                    self._pass_on(url, response, linked_digest)
                    return
                url = _next_url(url, response.headers["location"])
        raise TryAgain(
            f"{urlsplit(self._url).hostname} sends us round in circles", is_doubtful=True
        )

    def _pass_on(self, url: str, response: httpx2.Response, linked_digest: str) -> None:
        asked, answering = urlsplit(self._url), urlsplit(url)
        self._put(
            Answer(
                status=response.status_code,
                headers=response.headers,
                host=answering.hostname or url,
                is_hub=asked.netloc == answering.netloc,
                linked_digest=linked_digest.strip('"'),
            )
        )
        for data in response.iter_raw():
            if not self._put(data):
                return

    def _put(self, piece: Piece) -> bool:
        """Whether somebody is still there to take it."""
        while not self._is_left.is_set():
            with contextlib.suppress(queue.Full):
                self._pieces.put(piece, timeout=_SECONDS_BETWEEN_LOOKS)
                return True
        return False


def _next_url(url: str, location: str) -> str:
    following = urljoin(url, location)
    if urlsplit(url).scheme == "https" and urlsplit(following).scheme != "https":
        raise TryAgain(
            f"{urlsplit(url).hostname} sends us to an address that is not encrypted",
            is_doubtful=True,
        )
    return following


def _shut_down(response: httpx2.Response) -> None:
    """Wake the thread that reads `response`: to close it would wait for what never comes."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    if connection is not None:
        with contextlib.suppress(OSError, ValueError):
            connection.shutdown(socket.SHUT_RDWR)
