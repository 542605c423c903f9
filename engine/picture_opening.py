"""Strangers' pictures, decoded by a process of their own (`engine.picture_process`).

What arrives here is pixels of a size that was announced and is allowed. A decoder that crashes,
hangs or is taken over by a file costs that process and no more.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import threading
from typing import IO, TYPE_CHECKING, cast

from PIL import Image

from engine.animations import MAX_FRAMES
from engine.api.own_module import own_command
from engine.errors import PictureError
from engine.jail import JailLevel
from engine.own_process import CREATION_FLAGS, own_environment
from engine.picture_files import MAX_PIXELS, MAX_SIDE, opened_picture, shown_name

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import Any

_MOST_SECONDS = 60
_MOST_CPU_SECONDS = 30
_MOST_SECONDS_OF_ANIMATIONS = 300
_MAX_LINE_BYTES = 1 << 16
_MAX_WORDS = 2000
_BLOCK_BYTES = 4 << 20
_LONGEST_FRAME = 1 << 32  # milliseconds


class PictureDecoder:
    """A process that decodes pictures, as long as the `with` block lasts.

    Attributes:
        level: how well it has locked itself up.
    """

    def __init__(self, process: subprocess.Popen[bytes], words: IO[bytes]) -> None:
        self._process = process
        self._words = words
        try:
            self.level = JailLevel(str(self._line("The decoder of pictures").get("level")))
        except ValueError as error:
            raise self._garbage("The decoder of pictures") from error

    def picture(self, path: Path, *, background: tuple[int, int, int]) -> Image.Image:
        """The picture in the file at `path`: see `open_picture` below.

        Raises:
            PictureError: it cannot be read. After a fault of the decoder it answers no more.
        """
        name = shown_name(path)
        request: dict[str, object] = {"task": "picture", "background": background}
        self._ask(request, path, name)
        return self._picture(name)

    def animation(self, path: Path) -> tuple[list[int], Generator[Image.Image]]:
        """How long the frames of the GIF or WebP at `path` are shown, in ms, and the frames.

        Raises:
            PictureError: it cannot be read, or later a frame cannot.
        """
        name = shown_name(path)
        self._ask({"task": "animation"}, path, name)
        durations = self._line(name).get("durations")
        if not isinstance(durations, list):
            raise self._garbage(name)
        found = cast("list[object]", durations)
        milliseconds = [
            each for each in found if isinstance(each, int) and 0 <= each < _LONGEST_FRAME
        ]
        if len(milliseconds) != len(found) or not 0 < len(found) <= MAX_FRAMES:
            raise self._garbage(name)
        return milliseconds, (self._picture(name) for _ in milliseconds)

    def _ask(self, request: dict[str, object], path: Path, name: str) -> None:
        with opened_picture(path) as file:
            num_bytes = file.seek(0, 2)
            file.seek(0)
            line = json.dumps({**request, "name": name, "bytes": num_bytes})
            assert self._process.stdin is not None
            try:
                self._process.stdin.write(line.encode("ascii") + b"\n")
                shutil.copyfileobj(file, self._process.stdin, _BLOCK_BYTES)
                has_changed = file.tell() != num_bytes
                self._process.stdin.flush()
            except OSError as error:
                raise self._ended(name) from error
        if has_changed:
            self._process.kill()  # it waits for the rest
            raise PictureError(f"{name} was changed while it was read. Open it again.")

    def _picture(self, name: str) -> Image.Image:
        answer = self._line(name)
        width, height = answer.get("width"), answer.get("height")
        if type(width) is not int or type(height) is not int:
            raise self._garbage(name)
        if min(width, height) < 1 or max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
            raise self._garbage(name)
        picture = Image.new("RGB", (width, height))
        num_rows = max(1, _BLOCK_BYTES // (3 * width))
        assert self._process.stdout is not None
        for top in range(0, height, num_rows):
            size = (width, min(num_rows, height - top))
            pixels = self._process.stdout.read(size[0] * size[1] * 3)
            if len(pixels) < size[0] * size[1] * 3:
                raise self._ended(name)
            picture.paste(Image.frombytes("RGB", size, pixels), (0, top))
        return picture

    def _line(self, name: str) -> dict[str, Any]:
        """The next answer, which says that nothing is wrong."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline(_MAX_LINE_BYTES)
        if not line:
            raise self._ended(name)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self._garbage(name) from error
        if not isinstance(answer, dict):
            raise self._garbage(name)
        values = cast("dict[str, Any]", answer)
        if "message" in values:
            message, detail = str(values["message"]), str(values.get("detail", ""))
            raise PictureError(message[:_MAX_WORDS], detail=detail[:_MAX_WORDS])
        return values

    def _ended(self, name: str) -> PictureError:
        with contextlib.suppress(subprocess.TimeoutExpired):  # its pipe may close before it ends
            self._process.wait(1)
        return PictureError(
            f"{name} could not be read: the program that decodes pictures broke down over it, or "
            "took too long. Open it in another program and save it anew.",
            detail=f"exit status {self._process.poll()}\n{self._last_words()}",
        )

    def _garbage(self, name: str) -> PictureError:
        self._process.kill()
        return PictureError(
            f"{name} could not be read: the program that decodes pictures answered nonsense. The "
            "file may have been made to do harm; do not open it again.",
            detail=self._last_words(),
        )

    def _last_words(self) -> str:
        size = self._words.seek(0, 2)
        self._words.seek(max(0, size - _MAX_WORDS))
        return self._words.read().decode(errors="replace").strip()


def open_picture(path: Path, *, background: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """The picture in anybody's file: upright, RGB of 8 bit, in sRGB; of an animation the first.

    See `engine.pictures.open_picture`, which does the same in this process.

    Raises:
        PictureError: whatever is wrong with the file or the picture in it.
    """
    with opened_picture(path):  # says what is wrong before a process is started
        pass
    with picture_decoder() as decoder:
        return decoder.picture(path, background=background)


@contextlib.contextmanager
def picture_decoder(
    *, most_seconds: float = _MOST_SECONDS, most_cpu_seconds: int = _MOST_CPU_SECONDS
) -> Generator[PictureDecoder]:
    """Start a decoder; it has ended when the block is left.

    Args:
        most_seconds: after which it is ended, whatever it does.
        most_cpu_seconds: which it may compute in all.

    Raises:
        PictureError: it cannot be started.
    """
    with _open_words() as words:
        try:
            process = subprocess.Popen(
                [*own_command("engine.picture_process"), str(most_cpu_seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                env=own_environment(),
                creationflags=CREATION_FLAGS,
            )
        except OSError as error:
            raise _not_started(error) from error
        limit = threading.Timer(most_seconds, process.kill)
        limit.daemon = True
        limit.start()
        try:
            yield PictureDecoder(process, words)
        finally:
            limit.cancel()
            process.kill()
            for stream in (process.stdin, process.stdout):
                assert stream is not None
                with contextlib.suppress(OSError):  # it has gone before it read all
                    stream.close()
            process.wait()


@contextlib.contextmanager
def opened_animation(path: Path) -> Generator[tuple[list[int], Generator[Image.Image]]]:
    """Lend the durations of the frames of a GIF or WebP, in ms, and the frames.

    Raises:
        PictureError: it cannot be read.
    """
    with picture_decoder(
        most_seconds=_MOST_SECONDS_OF_ANIMATIONS, most_cpu_seconds=_MOST_SECONDS_OF_ANIMATIONS
    ) as decoder:
        yield decoder.animation(path)


def decoder_level() -> JailLevel:
    """How well the process that decodes pictures locks itself up on this computer.

    Raises:
        PictureError: it cannot be started.
    """
    with picture_decoder() as decoder:
        return decoder.level


def _open_words() -> IO[bytes]:
    # A file and not a pipe: nobody reads while pixels come, and a full pipe would stop both.
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise _not_started(error) from error


def _not_started(error: OSError) -> PictureError:
    return PictureError(
        f"The program that decodes pictures cannot be started: {error.strerror}. Close other "
        "programs, or start kvdesk again.",
        detail=repr(error),
    )
