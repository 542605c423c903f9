"""The ffmpeg program: started, fed with frames, listened to, and never left behind."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import threading
from typing import IO, TYPE_CHECKING

import imageio_ffmpeg

from engine.api.own_module import own_command
from engine.jail import JailLevel, probe
from engine.own_process import CREATION_FLAGS, own_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from pathlib import Path

_SECONDS_BETWEEN_CALLS = 0.2
_SECONDS_TO_READ = 60
_MAX_WORDS_BYTES = 8192


class FfmpegError(Exception):
    """ffmpeg did not start, or stopped before its work was done; `words` is what it said."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def file_argument(path: Path) -> str:
    """`path` so that ffmpeg takes it for a file, whatever it looks like: an option, an address."""
    return f"file:{path.absolute()}"


def encode(
    frames: Iterable[bytes], arguments: Sequence[str], *, on_frame: Callable[[int], None]
) -> None:
    """Run ffmpeg and write `frames` to its standard input.

    Whatever ends this call, ffmpeg has ended before it returns.

    Args:
        frames: the pixels of one frame each, as `arguments` describe them.
        arguments: without the program; the input is "pipe:0".
        on_frame: is told how many frames were handed over, after each. It is called again with
            the last number while ffmpeg finishes, so that it can stop that too. What it raises
            stops ffmpeg and is raised here.

    Raises:
        FfmpegError: ffmpeg is missing or reports an error.
    """
    words = _open_words()
    with words, _started(arguments, words) as process:
        num_frames = 0
        is_whole = True
        for frame in frames:
            if not _write(process, frame):
                is_whole = False
                break
            num_frames += 1
            on_frame(num_frames)
        is_whole = _close_input(process) and is_whole
        while not _has_ended(process):
            on_frame(num_frames)
        if process.returncode or not is_whole:
            raise FfmpegError(_read_words(words) or f"exit status {process.returncode}")


def read(arguments: Sequence[str], *, source: Path) -> bytes:
    """Run ffmpeg on the file `source` and return what it writes to its standard output.

    It can read no other file, where the system has the means (see `engine.jail`).

    Raises:
        FfmpegError: ffmpeg is missing, reports an error, or takes longer than a minute.
    """
    try:
        process = subprocess.run(
            _locked_command(arguments, source),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=_SECONDS_TO_READ,
            env=own_environment(),
            creationflags=CREATION_FLAGS,
        )
    except subprocess.CalledProcessError as error:
        raise FfmpegError(error.stderr.decode(errors="replace").strip()) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FfmpegError(str(error)) from error
    return process.stdout


@contextlib.contextmanager
def reading(arguments: Sequence[str], *, source: Path, most_seconds: float) -> Generator[IO[bytes]]:
    """Run ffmpeg on the file `source` and lend its standard output, to be read meanwhile.

    It can read no other file, where the system has the means (see `engine.jail`).

    A block that does not want the rest raises. ffmpeg has ended when the block is left, and is
    ended after `most_seconds` whatever it does.

    Raises:
        FfmpegError: ffmpeg is missing or reports an error.
    """
    words = _open_words()
    with words:
        try:
            process = subprocess.Popen(
                _locked_command(arguments, source),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=words,
                env=own_environment(),
                creationflags=CREATION_FLAGS,
            )
        except OSError as error:
            raise FfmpegError(str(error)) from error
        assert process.stdout is not None
        limit = threading.Timer(most_seconds, process.kill)
        limit.daemon = True
        limit.start()
        try:
            yield process.stdout
            if process.stdout.read(1) or process.wait():
                raise FfmpegError(_read_words(words) or f"exit status {process.returncode}")
        finally:
            limit.cancel()
            process.kill()
            process.stdout.close()
            process.wait()


def _command(arguments: Sequence[str]) -> list[str]:
    try:
        executable = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise FfmpegError(str(error)) from error
    return [executable, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", *arguments]


def _locked_command(arguments: Sequence[str], source: Path) -> list[str]:
    command = _command(arguments)
    if probe() is JailLevel.NONE:
        return command
    return [*own_command("engine.ffmpeg_process"), str(source.absolute()), *command]


def _open_words() -> IO[bytes]:
    # A file and not a pipe: nobody reads while frames are written, and a full pipe would stop both.
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise FfmpegError(str(error)) from error


@contextlib.contextmanager
def _started(arguments: Sequence[str], words: IO[bytes]) -> Generator[subprocess.Popen[bytes]]:
    try:
        process = subprocess.Popen(
            _command(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=words,
            creationflags=CREATION_FLAGS,
        )
    except OSError as error:
        raise FfmpegError(str(error)) from error
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        _close_input(process)
        process.wait()


def _write(process: subprocess.Popen[bytes], data: bytes) -> bool:
    assert process.stdin is not None
    try:
        process.stdin.write(data)
    except OSError:  # ffmpeg has gone; its own words say why
        return False
    return True


def _close_input(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdin is not None
    try:
        process.stdin.close()
    except OSError:
        return False
    return True


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_SECONDS_BETWEEN_CALLS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _read_words(words: IO[bytes]) -> str:
    size = words.seek(0, 2)
    words.seek(max(0, size - _MAX_WORDS_BYTES))
    return words.read().decode(errors="replace").strip()
