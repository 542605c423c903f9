"""A worker that plays: the protocol of the real one, without a model, as a script says.

It writes real clip folders with pictures that depend on the seed and the frame only, keeps what is
needed to go on after a stop, and misbehaves where it is told to. Run as a program, it reads its
`Script` as JSON from the environment variable KVDESK_FAKE_WORKER.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import sys
import threading
import time
from dataclasses import dataclass, fields
from pathlib import Path

import fake_getting
from fake_answers import Answers
from fake_clip import ClipMaker, read_info

import engine
from engine.api import (
    DEVICE_LOST_EXIT_CODE,
    PROTOCOL_VERSION,
    Alive,
    Cancel,
    DownloadModel,
    ExportClip,
    Failed,
    Finished,
    FreeMemory,
    Greet,
    Hello,
    MakeClip,
    MemoryAdapted,
    MemoryChangeKind,
    MemoryEffect,
    MemoryFreed,
    Prepare,
    Quit,
    SelfTest,
    Stage,
    StageFinished,
    StageStarted,
    StepDone,
    Stopped,
    command_from_json,
    event_to_json,
)
from engine.errors import Cancelled, DeviceLost, EightBitWouldFit, EngineError, OutputExists
from engine.process_bonds import end_with_parent

ENVIRONMENT_VARIABLE = "KVDESK_FAKE_WORKER"
LIFETIME_SECONDS = 120  # a test that is killed leaves nothing that runs for ever
COMMAND = (sys.executable, str(Path(__file__).absolute()))


def environment_of(**script: object) -> dict[str, str]:
    """What a fake worker must find in its environment to follow this script."""
    folders = (Path(__file__).parent, Path(engine.__file__).parents[1])
    return {
        ENVIRONMENT_VARIABLE: json.dumps(script),
        "PYTHONPATH": os.pathsep.join(map(str, folders)),
    }


@dataclass(frozen=True, kw_only=True)
class Script:
    """What the worker does. A moment is "start" (before the hello), "greet", the name of a command
    ("make_clip"), or a step of a stage ("base_frames:3"; "base_frames:0" is its beginning).

    `once` names a file: misbehaviour happens only while it is not there, and makes it, so that the
    next worker of the same script behaves. In place of `Script` there may be `workers`, a list of
    what the first worker, the second and so on add to it, the last one again and again, with a file
    `count` that says which is next.
    """

    step_seconds: float = 0.005
    answer_seconds: float = 0.0
    start_seconds: float = 0.0
    previews: bool = True

    models: tuple = ()  # beside the demo: fields of ModelInfo that differ from its own
    released: bool = False  # the released model is listed, ready once it was prepared
    free_disk_bytes: int | None = 250 * 10**9
    download_parts: int = 2  # in which a file is fetched, or made of another
    download_waiting: str = ""  # what it says that it waits for
    card_without_torch: str = ""
    big_model: int = 0  # one more, whose description repeats three characters so often
    device: str = "cpu"
    device_label: str = "Processor"
    total_bytes: int = 16 << 30
    free_bytes: int = 8 << 30
    needed_bytes: int | None = None  # None: in proportion to the size and the frames
    planned_seconds: float | None = None  # of every stage
    video: dict | None = None  # the request that a video file says it was made from

    adapt: dict | None = None  # {step of a stage: what it then does to the pixels}
    eight_bit_at: str = ""  # a step of a stage that only 8-bit weights get past

    once: str = ""
    refuse: dict | None = None  # {command or moment: {"code", "message", "detail"}}
    die_at: str = ""
    die_code: int = 1
    die_signal: int = 0  # instead of the code
    hang_at: str = ""  # from then on only SIGKILL helps
    stuck_at: str = ""
    stuck_how: str = "deadlock"  # while it says that it lives; or "busy", "frozen" or "stopped"
    stuck_seconds: float = LIFETIME_SECONDS
    beat_seconds: float = 1.0
    ignore_cancel: bool = False
    ignore_quit: bool = False  # and the end of the input; SIGTERM still helps
    silent: bool = False  # never says hello
    protocol: int = PROTOCOL_VERSION
    hello: dict | None = None  # the hello as it is sent, instead
    garbage: tuple = ()  # lines that are written after the hello and after every step
    long_line_bytes: int = 0  # a line of that length after the hello
    stderr: tuple = ()  # lines at the start
    stderr_bytes: int = 0  # a flood of them beside the work
    wrong_answer: dict | None = None  # an event that is sent for a question before its answer
    write_bytes: int = 0  # stdout is written in pieces of this size
    lifetime_seconds: float = LIFETIME_SECONDS


class FakeWorker:
    """Reads commands from stdin in a thread, answers questions there, and runs jobs in `run`."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._writing = threading.Lock()
        self._work: queue.SimpleQueue = queue.SimpleQueue()
        self._cancelled: dict[int, threading.Event] = {}
        self._num_lines = 0
        self._ending = threading.Event()

    def run(self) -> None:
        script = self._script
        threading.Timer(script.lifetime_seconds, os._exit, [1]).start()
        if script.hang_at:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for line in script.stderr:
            print(line, file=sys.stderr, flush=True)
        self.misbehave("start")
        time.sleep(script.start_seconds)
        if not script.silent:
            hello = Hello(protocol=script.protocol, version="fake")
            self._write_line(json.dumps(script.hello or event_to_json(hello)))
            self._write_noise()
            if script.long_line_bytes:
                self._write_line("x" * script.long_line_bytes)
            threading.Thread(target=self._beat, daemon=True).start()
        threading.Thread(target=self._read_commands, daemon=True).start()
        threading.Thread(target=self._flood_stderr, daemon=True).start()
        while not isinstance(command := self._work.get(), Quit):
            self._run_job(command)
        sys.stderr.flush()
        os._exit(0)  # the reading thread may wait for input that never comes

    # Reading and writing.

    def _read_commands(self) -> None:
        for line in sys.stdin.buffer:
            data = json.loads(line)
            command = command_from_json(data)
            self.misbehave(data["command"])
            if isinstance(command, Quit):
                if not self._script.ignore_quit:
                    break
            elif isinstance(command, Greet):
                assert command.protocol == PROTOCOL_VERSION
            elif isinstance(command, Cancel):
                if command.job in self._cancelled and not self._script.ignore_cancel:
                    self._cancelled[command.job].set()
            elif isinstance(command, (MakeClip, ExportClip, Prepare, SelfTest, FreeMemory)):
                self._cancelled[command.job] = threading.Event()
                self._work.put(command)
            elif isinstance(command, DownloadModel):
                self._cancelled[command.job] = threading.Event()
                threading.Thread(target=self._run_job, args=[command], daemon=True).start()
            else:
                self._answer(command)
        if self._script.ignore_quit:
            return
        self._ending.set()
        self._work.put(Quit())

    def _answer(self, question) -> None:
        time.sleep(self._script.answer_seconds)
        try:
            self.refuse(_command_name(question))
            if self._script.wrong_answer:
                self._write_line(json.dumps({**self._script.wrong_answer, "job": question.job}))
            event = Answers(self._script).answer(question)
        except EngineError as error:
            event = _failed(error)
        self.send(question.job, event)

    def _run_job(self, command) -> None:
        job = command.job
        try:
            self.stop_if_cancelled(job)
            self.refuse(_command_name(command))
            if isinstance(command, MakeClip):
                ClipMaker(self, self._script, command).make()
            elif isinstance(command, ExportClip):
                self._export(command)
            elif getting := _GETTING.get(type(command)):
                self.send(job, getting(self, self._script, command))
            else:
                self.send(job, MemoryFreed())
        except Cancelled:
            self.send(job, Stopped())
        except EngineError as error:
            self.send(job, _failed(error))
            if error.code == DeviceLost.code:
                os._exit(DEVICE_LOST_EXIT_CODE)

    def _beat(self) -> None:
        while True:
            self._write_line(json.dumps(event_to_json(Alive(mark=self._num_lines))))
            time.sleep(self._script.beat_seconds)

    def send(self, job: int, event) -> None:
        self._num_lines += 1
        self._write_line(json.dumps({**event_to_json(event), "job": job}))

    def _write_line(self, line: str) -> None:
        data = line.encode() + b"\n"
        size = self._script.write_bytes or len(data)
        with self._writing:
            for start in range(0, len(data), size):
                sys.stdout.buffer.write(data[start : start + size])
                sys.stdout.buffer.flush()

    def _write_noise(self) -> None:
        for line in self._script.garbage:
            self._write_line(line)

    def _flood_stderr(self) -> None:
        line = b"z" * 999 + b"\n"
        for _ in range(self._script.stderr_bytes // len(line)):
            os.write(2, line)

    # Misbehaving.

    def misbehave(self, moment: str) -> None:
        script = self._script
        moments = (script.die_at, script.hang_at, script.stuck_at)
        if moment not in moments or not self._may_misbehave():
            return
        if moment == script.stuck_at:
            self._be_stuck()
            return
        if moment == script.hang_at:
            with self._writing:  # the other thread says nothing either
                time.sleep(LIFETIME_SECONDS)
        sys.stderr.flush()
        if script.die_signal:
            os.kill(os.getpid(), script.die_signal)
            time.sleep(LIFETIME_SECONDS)
        os._exit(script.die_code)

    def _be_stuck(self) -> None:
        match self._script.stuck_how:
            case "deadlock":
                time.sleep(self._script.stuck_seconds)
            case "busy":  # as long as anything is imported or read that holds Python's lock
                end = time.monotonic() + self._script.stuck_seconds
                with self._writing:
                    while time.monotonic() < end:
                        sum(range(10_000))
            case "frozen":  # in a library that does not give Python's lock back
                ctypes.PyDLL(None).usleep(round(1e6 * self._script.stuck_seconds))
            case "stopped":
                os.kill(os.getpid(), signal.SIGSTOP)
            case other:
                raise ValueError(other)

    def refuse(self, moment: str) -> None:
        failure = (self._script.refuse or {}).get(moment)
        if failure and self._may_misbehave():
            error = EngineError(
                failure.get("message", "Refused."), detail=failure.get("detail", "")
            )
            error.code = failure.get("code", "internal")
            raise error

    def _may_misbehave(self) -> bool:
        if not self._script.once:
            return True
        try:
            Path(self._script.once).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    # Work that is no clip.

    def stop_if_cancelled(self, job: int) -> None:
        if self._cancelled[job].is_set() or self._ending.is_set():
            raise Cancelled

    def step(self, job: int, stage: Stage, step: int, *, eight_bit: bool = True) -> None:
        """What happens in a step of any stage beside its result."""
        moment = f"{stage}:{step}"
        if moment == self._script.eight_bit_at and not eight_bit:
            raise EightBitWouldFit("There is too little memory, and 8-bit weights would fit.")
        if effect := (self._script.adapt or {}).get(moment):
            change = MemoryChangeKind.RESIDENTS
            effect = MemoryEffect(effect)
            self.send(job, MemoryAdapted(stage=stage, change=change, effect=effect))
        if step:
            time.sleep(self._script.step_seconds)
            self._write_noise()
        self.misbehave(moment)
        self.refuse(moment)
        self.stop_if_cancelled(job)

    def _export(self, command: ExportClip) -> None:
        info = read_info(Path(command.folder))
        path = Path(command.save.path)
        if path.exists() and not command.save.overwrite:
            raise OutputExists(f"{path} exists already. Choose another name.")
        began = time.monotonic()
        count = info.num_frames
        self.send(command.job, StageStarted(stage=Stage.SAVE, num_steps=count))
        for step in range(1, count + 1):
            self.step(command.job, Stage.SAVE, step)
            left = (count - step) * self._script.step_seconds
            done = StepDone(stage=Stage.SAVE, step=step, num_steps=count, seconds_left=left)
            self.send(command.job, done)
        path.write_bytes(b"fake video\n" * count)
        seconds = time.monotonic() - began
        self.send(command.job, StageFinished(stage=Stage.SAVE, seconds=seconds))
        self.send(command.job, Finished(num_frames=count, seconds=seconds, output=str(path)))


_GETTING = {
    DownloadModel: fake_getting.download,
    Prepare: fake_getting.prepare,
    SelfTest: fake_getting.self_test,
}


def _command_name(command) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in type(command).__name__).strip("_")


def _failed(error: EngineError) -> Failed:
    return Failed(code=error.code, message=error.message, detail=error.detail)


def _count_worker(path: str) -> int:
    """How many workers of this script were started before, by a file with a byte for each."""
    with Path(path).open("ab") as file:
        file.write(b".")
        return file.tell() - 1


def main() -> None:
    end_with_parent()
    given = json.loads(os.environ.get(ENVIRONMENT_VARIABLE, "{}"))
    if scripts := given.pop("workers", None):
        given |= scripts[min(_count_worker(given.pop("count")), len(scripts) - 1)]
    known = {field.name for field in fields(Script)}
    assert known >= set(given), f"no such things in a script: {set(given) - known}"
    FakeWorker(Script(**given)).run()


if __name__ == "__main__":
    main()
