"""Preparations that kill themselves in the middle; run as a program, it is their parent.

The parent imports everything once and forks for each: a line of JSON in, one out. They delete the
official files as they go.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
WHOLE, KILLED, REFUSED = "whole", "killed", "refused"
CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.truncate"}


class KilledPreparations:
    """Starts preparations that are killed at a point."""

    def __init__(self) -> None:
        path = os.pathsep.join(map(str, (TESTS.parent, TESTS)))
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        )

    def run(self, source: Path, destination: Path, kill_at: int | None = None) -> dict:
        """Prepare, and die right before the `kill_at`-th change on the disk.

        Returns:
            "end" (one of the words above), "points" that were passed, "message" of the error.
        """
        order = {"source": str(source), "destination": str(destination), "kill_at": kill_at}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


class Points:
    """Counts what is changed on the disk, and ends the process before one of the changes."""

    def __init__(self, kill_at: int | None) -> None:
        self.count = 0
        self._kill_at = kill_at

    def watch(self) -> None:
        fsync = os.fsync

        def told_fsync(descriptor):
            self._passed()
            fsync(descriptor)

        os.fsync = told_fsync
        sys.addaudithook(lambda event, _: self._passed() if event in CHANGES else None)

    def _passed(self) -> None:
        self.count += 1
        if self.count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def index_here(paths):
    """As `index_archives`, in this process: one of its own takes a second or two to start."""
    from engine.checkpoint import torch_archive
    from engine.checkpoint.tensors import TensorRecord

    return {
        path: {
            name: TensorRecord(file=path, offset=offset, dtype=dtype, shape=tuple(shape))
            for name, offset, dtype, shape in torch_archive._index(path)
        }
        for path in paths
    }


def parent() -> None:
    from small_official import DEMO

    from engine.checkpoint import official
    from engine.checkpoint.folder import ModelFolder
    from engine.checkpoint.preparation_process import _NEEDED_ON_THE_WAY
    from engine.checkpoint.prepare import prepare_model
    from engine.errors import EngineError

    for module in _NEEDED_ON_THE_WAY:
        importlib.import_module(module)
    official.index_archives = index_here
    preview_map = ModelFolder.open(DEMO).preview_map()
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            points = Points(order["kill_at"])
            points.watch()
            last = {"end": WHOLE}
            try:
                prepare_model(
                    Path(order["source"]),
                    Path(order["destination"]),
                    expected=None,
                    on_progress=lambda _: None,
                    is_cancelled=lambda: False,
                    name="small",
                    preview_map=preview_map,
                    delete_originals=True,
                )
            except EngineError as error:
                last = {"end": REFUSED, "code": error.code, "message": error.message}
            os.write(writing, json.dumps({**last, "points": points.count}).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as report:
            told = report.read()
        _, status = os.waitpid(child, 0)
        last = json.loads(told) if told else {"end": KILLED}
        assert (last["end"] == KILLED) == os.WIFSIGNALED(status), (last, status)
        print(json.dumps(last), flush=True)


if __name__ == "__main__":
    parent()
