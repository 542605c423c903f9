"""A server on this computer that speaks the Hub's language, and misbehaves when it is told to.

Large files are sent from another host name, as the Hub does, so that tests see what is said there.
Run as a program it serves the files of a folder until it is killed; see `main`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote, urlsplit

COMMIT = "c0ffee" * 6 + "c0ff"
LARGE = 4096  # bytes from which on a file is sent as large ones are
_PIECE = 16 * 1024


class Fault(Enum):
    """What can go wrong with one request for a file."""

    CUT = auto()  # the connection ends in the middle
    RESET = auto()  # before there is any answer
    NO_RANGES = auto()  # 200 with everything instead of 206
    WRONG_RANGE = auto()  # 206 with another part
    SHORT_LENGTH = auto()  # says that the file is shorter, and sends that much
    CHANGED = auto()  # other bytes under another ETag
    WRONG_BYTES = auto()  # as CHANGED, and nothing says so
    NOT_SATISFIABLE = auto()
    EXPIRED = auto()  # 403 where the large files come from
    FORBIDDEN = auto()
    GATED = auto()
    MISSING = auto()
    BUSY = auto()  # 429 with Retry-After
    BROKEN = auto()  # 503
    LOOP = auto()
    TRICKLE = auto()  # a byte, and another one after a while
    SILENT = auto()
    PACKED = auto()  # says that it is compressed


HEALS = frozenset(
    (Fault.CUT, Fault.RESET, Fault.NO_RANGES, Fault.WRONG_RANGE, Fault.SHORT_LENGTH, Fault.CHANGED)
) | {Fault.NOT_SATISFIABLE, Fault.EXPIRED, Fault.BUSY, Fault.BROKEN, Fault.TRICKLE, Fault.SILENT}
"""What one of does not keep a file from arriving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request for a file's bytes."""

    path: str
    start: int
    fault: Fault | None


@dataclass(slots=True)
class HubServer:
    """Serves `repositories`: for each name, the contents of files by their paths.

    Attributes:
        faults: by the path of a file, what goes wrong with the next requests for it.
        asked: for the bytes of files, in order.
        tokens: for each request, the host name that was asked and the "Authorization" sent along.
        sent: bytes of each file that went out.
        cut_at: how many bytes `CUT` lets through.
        retry_after: of `BUSY`, in seconds.
        busy_listings: how many of the next questions for a listing are refused with 503.
    """

    repositories: dict[str, dict[str, bytes]]
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    cut_at: int = 1000
    retry_after: str = "0"
    busy_listings: int = 0
    is_gated: bool = False
    _server: ThreadingHTTPServer | None = None
    _gone: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        hub = self

        class Handler(_Handler):
            owner = hub

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._gone.set()
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.server_address[1]

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def will(self, path: str, *faults: Fault) -> None:
        """The next requests for `path` go wrong like this, one after the other."""
        self.faults.setdefault(path, deque()).extend(faults)

    def starts(self, path: str) -> list[int]:
        """Where the requests for `path` began."""
        return [asked.start for asked in self.asked if asked.path == path]

    def next_fault(self, path: str) -> Fault | None:
        waiting = self.faults.get(path)
        return waiting.popleft() if waiting else None

    def wait(self, seconds: float) -> None:
        """As `time.sleep`, but not beyond the end of the server."""
        self._gone.wait(seconds)

    def listing(self, repository: str) -> dict[str, object]:
        siblings = []
        for path, data in self.repositories[repository].items():
            sibling: dict[str, object] = {
                "rfilename": path,
                "size": len(data),
                "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(),
            }
            if len(data) >= LARGE:
                digest = hashlib.sha256(data).hexdigest()
                sibling["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 134}
            siblings.append(sibling)
        return {"id": repository, "sha": COMMIT, "siblings": siblings}


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        del request, client_address  # clients that leave in the middle are what this is for


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: HubServer

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").partition(":")[0]
        self.owner.tokens.append((host, self.headers.get("Authorization", "")))
        address = unquote(urlsplit(self.path).path)
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/\w+)?", address):
            self._list(match[1])
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/\w+/(.+)", address):
            self._resolve(match[1], match[2])
        elif match := re.fullmatch(r"/cdn/([^/]+/[^/]+)/(.+)", address):
            self._send_file(match[2], self.owner.repositories[match[1]][match[2]])
        else:
            self._say(404)

    def _list(self, repository: str) -> None:
        if self.owner.busy_listings:
            self.owner.busy_listings -= 1
            self._say(503)
        elif self.owner.is_gated:
            self._say(401, {"X-Error-Code": "GatedRepo"})
        elif repository not in self.owner.repositories:
            self._say(404, {"X-Error-Code": "RepoNotFound"})
        else:
            self._say(200, {}, json.dumps(self.owner.listing(repository)).encode())

    def _resolve(self, repository: str, path: str) -> None:
        data = self.owner.repositories.get(repository, {}).get(path)
        if data is None:
            self._say(404, {"X-Error-Code": "EntryNotFound"})
        elif len(data) < LARGE:
            self._send_file(path, data)
        else:
            # Another name of this computer: another host, which must not see a token.
            place = f"http://localhost:{self.owner.port}/cdn/{repository}/{quote(path)}?secret=1"
            digest = hashlib.sha256(data).hexdigest()
            linked = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(data))}
            self._say(302, {"Location": place, **linked})

    def _send_file(self, path: str, data: bytes) -> None:
        range_asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(range_asked[1]) if range_asked else 0
        fault = self.owner.next_fault(path)
        self.owner.asked.append(Asked(path=path, start=start, fault=fault))
        if (refusal := _REFUSALS.get(fault)) is not None:
            status, headers = refusal
            if fault is Fault.BUSY:
                headers = {"Retry-After": self.owner.retry_after}
            if fault is Fault.LOOP:
                headers = {"Location": self.path}
            self._say(status, headers)
        elif fault is Fault.RESET:
            self.close_connection = True
        elif fault is Fault.SILENT:
            self.owner.wait(30)
            self.close_connection = True
        else:
            self._send_part(path, data, start if range_asked else None, fault)

    def _send_part(self, path: str, data: bytes, start: int | None, fault: Fault | None) -> None:
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if fault in {Fault.CHANGED, Fault.WRONG_BYTES}:
            data = bytes(byte ^ 1 for byte in data)
            etag = "another" if fault is Fault.CHANGED else etag
        if fault is Fault.NO_RANGES:
            start = None
        if fault is Fault.WRONG_RANGE and start is not None:
            start = start // 2 if start else 1
        whole = len(data)
        if fault is Fault.SHORT_LENGTH:
            whole = max(1, whole - 7)
            data = data[:whole]
        part = data[start or 0 :]
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        if fault is Fault.PACKED or "gzip" in self.headers.get("Accept-Encoding", ""):
            self.send_header("Content-Encoding", "gzip")
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self._send_bytes(path, part, fault)

    def _send_bytes(self, path: str, part: bytes, fault: Fault | None) -> None:
        if fault is Fault.TRICKLE:
            for index in range(len(part)):
                self._write(path, part[index : index + 1])
                self.owner.wait(0.05)
            return
        if fault is Fault.CUT:
            part = part[: self.owner.cut_at]
        for begin in range(0, len(part), _PIECE):
            self._write(path, part[begin : begin + _PIECE])
        self.close_connection = self.close_connection or fault is Fault.CUT

    def _write(self, path: str, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()
        self.owner.sent[path] = self.owner.sent.get(path, 0) + len(data)

    def _say(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_REFUSALS: dict[Fault | None, tuple[int, dict[str, str]]] = {
    Fault.NOT_SATISFIABLE: (416, {"Content-Range": "bytes */10"}),
    Fault.EXPIRED: (403, {}),
    Fault.FORBIDDEN: (403, {}),
    Fault.GATED: (401, {"X-Error-Code": "GatedRepo"}),
    Fault.MISSING: (404, {"X-Error-Code": "EntryNotFound"}),
    Fault.BUSY: (429, {}),
    Fault.BROKEN: (503, {}),
    Fault.LOOP: (302, {}),
}


def repositories_of(folder: Path) -> dict[str, dict[str, bytes]]:
    """The repositories that hold the official files in `folder`, and more that nobody needs."""
    model = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    encoder = {path.name: path.read_bytes() for path in sorted((folder / "text_encoder").iterdir())}
    return {
        "ai-forever/KandinskyVideo_1_1": {**model, "README.md": b"# A model"},
        "google/flan-ul2": {**encoder, "flax_model.msgpack": bytes(9000)},
    }


def main(folder: str) -> None:
    """Serve the official files in `folder`, and print the address."""
    with HubServer(repositories_of(Path(folder))) as server:
        print(server.endpoint, flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
