"""Tries a bundle as a person gets it: unpacked in an empty folder, on a computer without Python.

    python packaging/try_bundle.py dist/kvdesk-0.1.0-linux-x86_64.tar.gz [--pictures FOLDER]

Nothing of this environment reaches it but a folder of its own as home and, with Xvfb, a screen. It
makes two clips by the command line, looks at one, runs the doctor, and opens the window. Every step
has to work, and says how long it took.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

PROMPT = "a red circle moving to the right on a black background"
_SECONDS = 300
_SECONDS_TO_SHOW = 60
_SCREEN = "1400x900x24"
_LEAST_BYTES = 20_000
"""Of a picture of the screen that shows more than one colour."""


class Person:
    """Has a folder, the bundle, and nothing else."""

    def __init__(self, program: Path, home: Path) -> None:
        self.program = program
        self.home = home
        self.environment = {"HOME": str(home), "PATH": str(home / "no-programs"), "LANG": "C.UTF-8"}

    def does(self, *arguments: str, name: str) -> str:
        """Run a command, say how long it took, and return what it printed."""
        started = time.monotonic()
        done = subprocess.run(
            [str(self.program), *arguments],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{name} failed with status {done.returncode}:\n{done.stdout}{done.stderr}")
        print(f"{name}: {time.monotonic() - started:.1f} s", flush=True)
        return done.stdout


def try_commands(person: Person) -> None:
    """Clips from a prompt and from a picture, what is in a file, the doctor."""
    person.does("--version", name="first answer")
    person.does("--version", name="second answer")
    common = ("--seed", "1", "-o")
    person.does("generate", PROMPT, *common, "clip.mp4", name="demo clip")
    person.does("generate", PROMPT, *common, "again.mp4", name="demo clip again")
    picture = person.program.parent / "share/icons/hicolor/512x512/apps/kvdesk.png"
    more = ("--image", str(picture), "--fps", "medium")
    person.does("generate", PROMPT, *more, *common, "picture.gif", name="clip from a picture")
    request = json.loads(person.does("inspect", "clip.mp4", name="what is in it"))
    if "red circle" not in json.dumps(request):
        sys.exit(f"The clip does not hold what it was made from: {request}")
    print(person.does("doctor", name="doctor"))
    print(person.does("get-torch", "--list", name="PyTorch"))


def try_preparation(person: Person, official: Path) -> None:
    """Prepare a model, which a process without other files does, and use it."""
    person.does("prepare", str(official.resolve()), "prepared", name="preparation")
    made = ("--model", "prepared", "--steps", "2", "-o", "prepared.mp4")
    person.does("generate", PROMPT, *made, name="clip of the prepared model")


@contextmanager
def screen() -> Generator[dict[str, str]]:
    """A virtual screen, or none to be seen; the environment that leads to it."""
    if shutil.which("Xvfb") is None:
        print("Xvfb is not installed: the window is drawn where nobody sees it.")
        yield {"QT_QPA_PLATFORM": "offscreen"}
        return
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", _SCREEN, "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as answer:
            yield {"DISPLAY": f":{answer.readline().strip()}"}
    finally:
        process.terminate()
        process.wait()


def try_window(person: Person, pictures: Path) -> None:
    """Open the window, see it, and close it as the end of a session does."""
    with screen() as environment:
        started = time.monotonic()
        window = subprocess.Popen(
            [str(person.program)], env={**person.environment, **environment}, cwd=person.home
        )
        try:
            if "DISPLAY" in environment:
                _wait_for(lambda: _has_shown(environment, pictures / "window.png"), window)
                print(f"window to be seen: {time.monotonic() - started:.1f} s")
            _wait_for(lambda: bool(workers_of(window.pid)), window)
            print(f"worker started: {time.monotonic() - started:.1f} s")
            time.sleep(5)  # it is ready, and the window has asked what it wants to know
            if "DISPLAY" in environment:
                _has_shown(environment, pictures / "window.png")
            workers = workers_of(window.pid)
            window.send_signal(signal.SIGTERM)
            if window.wait(20) != 0:
                sys.exit(f"The window ended with status {window.returncode}.")
            _wait_for(lambda: not any(Path(f"/proc/{each}").exists() for each in workers), None)
            print("window closed, worker gone")
        finally:
            window.kill()


def workers_of(parent: int) -> list[int]:
    """The worker processes that `parent` has started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    lines = {int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [child for child, line in lines.items() if b"engine.worker" in line]


def _has_shown(environment: dict[str, str], picture: Path) -> bool:
    command = ["import", "-window", "root", str(picture)]
    subprocess.run(command, env={**os.environ, **environment}, check=True)
    return picture.stat().st_size >= _LEAST_BYTES


def _wait_for(condition: Callable[[], bool], window: subprocess.Popen[bytes] | None) -> None:
    end = time.monotonic() + _SECONDS_TO_SHOW
    while not condition():
        if window is not None and window.poll() is not None:
            sys.exit(f"The window ended with status {window.returncode}.")
        if time.monotonic() > end:
            sys.exit("The window did not come to where it should be.")
        time.sleep(0.05)


def main() -> None:
    """Unpack the bundle and try it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("--pictures", type=Path, help="keep a picture of the window here")
    words = "also prepare the official files of a (small) model, and make a clip with it"
    parser.add_argument("--official", type=Path, metavar="FOLDER", help=words)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kvdesk-") as scratch:
        folder, home = Path(scratch) / "somewhere else", Path(scratch) / "home"
        home.mkdir()
        with tarfile.open(options.archive) as archive:
            archive.extractall(folder, filter="data")
        [bundle] = folder.iterdir()
        size = sum(path.lstat().st_size for path in bundle.rglob("*") if not path.is_dir())
        print(f"{options.archive.stat().st_size / 1e6:.0f} MB, unpacked {size / 1e6:.0f} MB")
        person = Person(bundle / "kvdesk", home)
        try_commands(person)
        if options.official is not None:
            try_preparation(person, options.official)
        pictures = options.pictures or Path(scratch)
        pictures.mkdir(parents=True, exist_ok=True)
        try_window(person, pictures)


if __name__ == "__main__":
    main()
