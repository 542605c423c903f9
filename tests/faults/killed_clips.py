"""Makes clips in processes that are killed, at a point that a test names.

A `ClipProcesses` is a process that has the model open and forks one for each attempt, so that a
kill costs no start. It is this file, run as a program.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import GenerateRequest, Stage, from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
PATIENCE = 120
CANCELLED = "cancelled"
FINISHED = "finished"
KILLED = "killed"


class Kill(StrEnum):
    """What the number of a point counts."""

    EVENT = "event"  # killed when so many events were sent
    FILE = "file"  # killed before that operation which changes something on the disk
    SIZE = "size"  # killed in the middle of a write, where a file becomes longer than so many bytes
    MOMENT = "moment"  # killed so many microseconds after its beginning


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One process that makes a clip, or goes on with it.

    Attributes:
        kill: what ends it; None lets it live.
        at: the point of that.
        cancel_at: it is cancelled after so many events; None never.
        until: the last stage that is wanted.
        free_memory: where it was cancelled, memory is given back and the clip made in the same
            process after all.
        every_step: each step of a loop is saved, as with a model that takes long for it.
    """

    request: GenerateRequest
    folder: str
    kill: Kill | None = None
    at: int = 0
    cancel_at: int | None = None
    until: Stage | None = None
    free_memory: bool = False
    every_step: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an attempt ended.

    Attributes:
        end: `FINISHED`, `CANCELLED`, `KILLED`, or what it failed of.
        begun: what was begun, by kind: "text", "steps" and "chunks" of the networks, "files" of
            the disk, "events".
        stage: the stage that it was in at its end; "begin" before the first, "finish" behind the
            last.
        seconds: that it took.
    """

    end: str
    begun: dict[str, int] = field(default_factory=dict)
    stage: str = "begin"
    seconds: float = 0.0


class ClipProcesses:
    """The process with the open model, for as long as it is entered."""

    def __init__(self, folder: Path) -> None:
        """Its caches are kept in `folder`."""
        self._texts = folder / "cache" / "kvdesk" / "contexts"
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
            "XDG_CACHE_HOME": str(folder / "cache"),
        }
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def make(self, attempt: Attempt) -> Outcome:
        """Let a process make the clip, and say how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        data = {**asdict(attempt), "request": to_json(attempt.request)}
        self._process.stdin.write(json.dumps(data) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process with the model has ended"
        return Outcome(**json.loads(line))

    def forget_texts(self) -> None:
        """Let the next clip encode its prompt, whatever was encoded before."""
        shutil.rmtree(self._texts, ignore_errors=True)

    def close(self) -> None:
        """End it."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


# The process with the model.


class Report:
    """What a forked process has begun, told to the one that forked it while it lives."""

    def __init__(self, descriptor: int, attempt: Attempt) -> None:
        self._descriptor = descriptor
        self._attempt = attempt
        self.counts: dict[str, int] = {}

    def begin(self, kind: str) -> None:
        """Count one more of `kind`; that may be the end."""
        self.counts[kind] = count = self.counts.get(kind, 0) + 1
        if kind == self._attempt.kill and count == self._attempt.at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.say(f"+{kind}")

    def say(self, word: str) -> None:
        os.write(self._descriptor, f"{word}\n".encode())


_CHANGES = {
    *("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate"),
    "subprocess.Popen",
}


def _count_files(report: Report) -> None:
    """Count every operation that changes something on the disk, before it is done."""
    fsync = os.fsync

    def on_audit(event: str, arguments: tuple[object, ...]) -> None:
        opens = event == "open" and int(arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if opens or event in _CHANGES:
            report.begin("file")

    def counted_fsync(descriptor: int) -> None:
        report.begin("file")
        fsync(descriptor)

    sys.addaudithook(on_audit)
    os.fsync = counted_fsync


def _count_work(report: Report) -> None:
    """Count what the networks are asked for, before they do it."""
    from engine.diffusion.loop import DenoisingLoop
    from engine.pipeline import Pipeline

    for owner, name, kind in (
        (Pipeline, "encode_prompts", "text"),
        (DenoisingLoop, "step", "steps"),
        (Pipeline, "decode_chunk", "chunks"),
    ):
        setattr(owner, name, _counted(getattr(owner, name), kind, report))


def _counted(do: Callable[..., object], kind: str, report: Report) -> Callable[..., object]:
    def counted(*arguments: object, **options: object) -> object:
        report.begin(kind)
        return do(*arguments, **options)

    return counted


def _make(runner, attempt: Attempt, report: Report) -> str:
    """Make the clip in a forked process; how it ended."""
    import engine.clip_checkpoints
    from engine.api import StageFinished, StageStarted
    from engine.errors import Cancelled, EngineError

    if attempt.every_step:
        engine.clip_checkpoints.SECONDS_BETWEEN = 0.0
    if attempt.kill is Kill.SIZE:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (attempt.at, attempt.at))
    _count_files(report)
    _count_work(report)

    def on_event(event: object) -> None:
        if isinstance(event, StageStarted):
            report.say(event.stage)
        elif isinstance(event, StageFinished):
            report.say(f"after {event.stage}")
        report.begin("event")

    def make(cancel_at: int | None) -> None:
        runner.make_clip(
            attempt.request,
            Path(attempt.folder),
            model="demo",
            device_name="cpu",
            until=attempt.until,
            on_event=on_event,
            is_cancelled=lambda: (
                cancel_at is not None and report.counts.get("event", 0) >= cancel_at
            ),
        )

    try:
        try:
            make(attempt.cancel_at)
        except Cancelled:
            if not attempt.free_memory:
                return CANCELLED
            runner.free_memory()
            make(None)
    except EngineError as error:
        return f"{error.code}: {error.message}"
    return FINISHED


def _forked(runner, attempt: Attempt) -> Outcome:
    """Make the clip in a process of its own, and kill that where it is to be killed now."""
    began = time.monotonic()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        report = Report(writing, attempt)
        try:
            report.say(f"={_make(runner, attempt, report)}")
        except BaseException as error:  # it must not go on as a second server
            import traceback

            traceback.print_exc()
            report.say(f"={error!r}")
        os._exit(0)
    os.close(writing)
    seconds = attempt.at / 1e6 if attempt.kill is Kill.MOMENT else PATIENCE
    said = bytearray()
    while True:
        left = max(0.0, began + seconds - time.monotonic())
        if not select.select([reading], [], [], left)[0]:
            os.kill(child, signal.SIGKILL)
            if seconds == PATIENCE:
                said += b"=hung\n"
            seconds = PATIENCE
        elif data := os.read(reading, 1 << 16):
            said += data
        else:
            break
    os.close(reading)
    _, status = os.waitpid(child, 0)
    return _outcome(said.decode(), status, time.monotonic() - began)


def _outcome(said: str, status: int, seconds: float) -> Outcome:
    begun: dict[str, int] = {}
    end, stage = f"ended with status {status}", "begin"
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGKILL, signal.SIGXFSZ):
        end = KILLED
    for line in said.splitlines():
        if line.startswith("+"):
            begun[line[1:]] = begun.get(line[1:], 0) + 1
        elif line.startswith("="):
            end = line[1:]
        else:
            stage = line
    if stage == f"after {Stage.DECODE}":
        stage = "finish"
    return Outcome(end=end, begun=begun, stage=stage.removeprefix("after "), seconds=seconds)


def _warmed_runner(folder: Path):
    """A runner that has the model open and its plans made, in a process with one thread."""
    import torch

    from engine.api import Fps, FrameSize, SamplingSettings
    from engine.jobs import JobRunner

    torch.set_num_threads(1)
    request = GenerateRequest(
        prompt="a red circle",
        seed=1,
        size=FrameSize(width=32, height=32),
        fps=Fps.MEDIUM,
        sampling=SamplingSettings(steps=1, interpolation_steps=1),
    )
    runner = JobRunner()
    runner.make_clip(
        request,
        folder,
        model="demo",
        device_name="cpu",
        until=None,
        on_event=lambda _: None,
        is_cancelled=lambda: False,
    )
    return runner


def main() -> None:
    """Make a clip for each line that is read, and write how it went."""
    events = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with tempfile.TemporaryDirectory() as folder:
        runner = _warmed_runner(Path(folder) / "clip")
    for line in sys.stdin:
        data = json.loads(line)
        data["request"] = from_json(GenerateRequest, data["request"])
        for name, kind in (("kill", Kill), ("until", Stage)):
            data[name] = kind(data[name]) if data[name] is not None else None
        outcome = _forked(runner, Attempt(**data))
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(asdict(outcome)), file=events, flush=True)


if __name__ == "__main__":
    main()
