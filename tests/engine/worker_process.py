"""A worker in a process of its own, as tests talk to it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

from engine.api import (
    PROTOCOL_VERSION,
    ClipPlanned,
    DownloadDescribed,
    Downloaded,
    ExportPredicted,
    Failed,
    Finished,
    FrameSize,
    GenerateRequest,
    Greet,
    Hello,
    MachineDescribed,
    MakeClip,
    MemoryFreed,
    ModelsListed,
    PictureOpened,
    Prepared,
    SamplingSettings,
    Stopped,
    TokensCounted,
    VideoOpened,
    command_to_json,
    event_from_json,
    frame_path,
)

ROOT = Path(__file__).parents[2]
LAST_EVENTS = (
    *(Finished, Stopped, Failed, Prepared, MemoryFreed, ModelsListed, MachineDescribed),
    *(ClipPlanned, TokensCounted, PictureOpened, VideoOpened, ExportPredicted),
    *(DownloadDescribed, Downloaded),
)
PATIENCE = 120  # seconds to import torch on a busy machine; nothing here waits on purpose

NO_TORCH = "import sys; sys.modules['torch'] = None; import engine.worker; engine.worker.main()"
SHORT = SamplingSettings(steps=1, interpolation_steps=1)
LONG = SamplingSettings(steps=999)


def make_clip(
    job: int, folder: Path, *, width=32, sampling=SHORT, model="toy", picture=None, until=None
) -> MakeClip:
    request = GenerateRequest(
        prompt="a red circle",
        seed=job,
        size=FrameSize(width=width, height=32),
        picture=picture,
        sampling=sampling,
    )
    return MakeClip(
        job=job, model=str(model), request=request, folder=str(folder), device="cpu", until=until
    )


def frames_in(folder: Path) -> list[Path]:
    """The frames of the finished clip in `folder`."""
    return [path for path in (frame_path(folder, 12, n) for n in range(12)) if path.is_file()]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class WorkerProcess:
    """A worker and its two streams, with a limit of time on all that is waited for."""

    def __init__(
        self,
        *,
        program: str | None = None,
        data_home: Path | None = None,
        max_events: int | None = None,  # after these nobody reads any more
        **environment: str,
    ):
        arguments = ["-m", "engine.worker"] if program is None else ["-c", program]
        if data_home is not None:
            environment["XDG_DATA_HOME"] = str(data_home)
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._max_events = max_events
        self.marks: list[int] = []  # of its heartbeat, which is no event of anybody's job
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        for line in itertools.islice(self.process.stdout, self._max_events):
            if line.startswith(b'{"event": "alive"'):
                self.marks.append(event_from_json(json.loads(line)).mark)
            else:
                self._lines.put(line)
        self.process.stdout.close()
        self._lines.put(b"")

    def greeted(self) -> WorkerProcess:
        assert isinstance(self.next()[1], Hello)
        self.send(Greet(protocol=PROTOCOL_VERSION))
        return self

    def send(self, command) -> None:
        self.send_line(json.dumps(command_to_json(command)).encode())

    def send_line(self, line: bytes) -> None:
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def next(self):
        """The next event and the job that it belongs to; every line must be one."""
        line = self._lines.get(timeout=PATIENCE)
        assert line, "the worker has ended"
        data = json.loads(line)
        job = data.pop("job", None)
        return job, event_from_json(data)

    def until(self, *kinds):
        """The next event of one of these kinds, whichever job it belongs to, and those before."""
        events = [self.next()]
        while not isinstance(events[-1][1], kinds):
            events.append(self.next())
        return events

    def result(self, job: int):
        """The last event of a job, which must come before that of any other."""
        ((last_job, event), *_) = reversed(self.until(*LAST_EVENTS))
        assert last_job == job
        return event

    def ask(self, question):
        """The answer to a question, and the seconds that it took."""
        began = time.monotonic()
        self.send(question)
        answer = self.result(question.job)
        return answer, time.monotonic() - began

    def seconds_to_end(self) -> float:
        began = time.monotonic()
        self.process.wait(PATIENCE)
        return time.monotonic() - began

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
