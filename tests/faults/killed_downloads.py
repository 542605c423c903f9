"""Downloads in processes that kill themselves in the middle; run as a program, it is their parent.

The parent imports everything once and forks for each download: a line of JSON in, one out.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
WHOLE, KILLED, REFUSED = "whole", "killed", "refused"


class KilledDownloads:
    """Starts downloads that are killed at a point."""

    def __init__(self, cache: Path) -> None:
        path = os.pathsep.join(map(str, (TESTS.parent, TESTS)))
        unset = {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN", "HF_ENDPOINT"}
        environment = {name: text for name, text in os.environ.items() if name not in unset}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment, "PYTHONPATH": path, "HF_HUB_CACHE": str(cache)},
        )

    def run(self, endpoint: str, folder: Path, kill_at: int | None) -> dict:
        """Download, and die at the `kill_at`-th thing that happens to a file.

        Returns:
            "end" (one of the words above), "sizes" that the files had grown to, "points" that were
            passed, and "message" of the error.
        """
        order = {"endpoint": endpoint, "folder": str(folder), "kill_at": kill_at}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


class Points:
    """Counts what happens to files in a child, tells its parent, and ends it at one of them."""

    def __init__(self, kill_at: int | None, report: int) -> None:
        self.count = 0
        self._kill_at = kill_at
        self._report = report

    def passed(self, name: str = "", size: int = 0) -> None:
        self.count += 1
        if name:
            os.write(self._report, json.dumps([name, size]).encode() + b"\n")
        if self.count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, part_file: type) -> None:
        """Be told of every piece that is appended, and before and after files are published."""
        append, replace = part_file.append, os.replace

        def told_append(part, data):
            append(part, data)
            self.passed(part._wanted.name, part.size)

        def told_sync(_descriptor):  # a kill loses nothing that was written
            self.passed()

        def told_replace(*names, **options):
            self.passed()
            replace(*names, **options)
            self.passed()

        part_file.append = told_append
        os.fsync = told_sync
        os.replace = told_replace


def parent() -> None:
    from huggingface_hub.utils import get_session
    from small_hub import Downloads

    from engine.download.part_file import PartFile
    from engine.errors import EngineError

    get_session()  # its certificates are read once for all children
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            points = Points(order["kill_at"], writing)
            points.watch(PartFile)
            last = {"end": WHOLE}
            try:
                Downloads(order["endpoint"], Path(order["folder"])).run()
            except EngineError as error:
                last = {"end": REFUSED, "code": error.code, "message": error.message}
            os.write(writing, json.dumps({**last, "points": points.count}).encode() + b"\n")
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as report:
            told = [json.loads(said) for said in report]
        _, status = os.waitpid(child, 0)
        sizes = dict(said for said in told if isinstance(said, list))
        last = told[-1] if told and isinstance(told[-1], dict) else {"end": KILLED}
        assert (last["end"] == KILLED) == os.WIFSIGNALED(status), (last, status)
        print(json.dumps({**last, "sizes": sizes}), flush=True)


if __name__ == "__main__":
    parent()
