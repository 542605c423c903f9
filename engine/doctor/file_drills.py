"""Drills with pictures that were damaged, and with a disk that takes no more."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from engine.api import Playback, SaveRequest
from engine.api.own_module import own_command
from engine.clip import ClipFolder
from engine.doctor.drill import Drill, PromiseBroken
from engine.errors import EngineError, InternalError, PictureError
from engine.export import export_clip
from engine.failures import in_words
from engine.own_process import CREATION_FLAGS, own_environment
from engine.picture_opening import open_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_SECONDS_FOR_EXPORT = 120
_VIDEO = "clip.mp4"


def open_damaged_picture(rng: Random, folder: Path) -> None:
    """Damage a picture at random places: it is read, or refused in words.

    Raises:
        PromiseBroken: something else was raised.
    """
    size = (rng.randint(1, 80), rng.randint(1, 80))
    stream = io.BytesIO()
    kind = rng.choice(_FORMATS)
    Image.frombytes("RGB", size, rng.randbytes(3 * size[0] * size[1])).save(stream, kind)
    data = bytearray(stream.getvalue())
    for _ in range(rng.randint(0, 12)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    if rng.random() < 0.4:
        del data[rng.randrange(len(data)) :]
    path = folder / f"picture.{kind.lower()}"
    path.write_bytes(data)
    try:
        open_picture(path)
    except PictureError:
        return
    except Exception as error:
        raise PromiseBroken(f"A damaged {kind} picture led to {error!r}.") from error


def full_disk_drill(finished: Callable[[], Path]) -> Drill:
    """The drill with a disk that takes no more.

    Args:
        finished: gives the folder of a finished clip, which is only read.
    """

    def one_round(rng: Random, folder: Path) -> None:
        write_to_full_disk(rng, folder, finished=finished())

    return Drill(name="disk that takes no more while a clip and a video are written",
                 one_round=one_round)  # fmt: skip


def write_to_full_disk(rng: Random, folder: Path, *, finished: Path) -> None:
    """Have a clip's `clip.json` and a video replaced by a process whose files may not grow.

    The system refuses it every byte beyond a random number of them.

    Raises:
        PromiseBroken: an old file is gone or half a new one is there, or the error had no words.
    """
    clip = folder / "clip"
    shutil.copytree(finished, clip)
    video = folder / _VIDEO
    export_clip(clip, _save(video), on_event=lambda _: None, is_cancelled=lambda: False)
    before = _digests(folder)
    limit = rng.randrange(2 * video.stat().st_size)
    answer = _write_with_limit(clip, video, limit)
    left = [path.name for path in folder.rglob(".kvdesk-*")]
    if left:
        raise PromiseBroken(f"With {limit} bytes a file, {left[0]} was left behind.")
    after = _digests(folder)
    for name, outcome in answer.items():
        if outcome not in {"written", "disk_full", "clip", "video_file"}:
            raise PromiseBroken(f"With {limit} bytes a file, {name} led to: {outcome}")
        if outcome != "written" and after.get(name) != before[name]:
            raise PromiseBroken(f"With {limit} bytes a file, the old {name} was lost.")
    if after.keys() != before.keys():
        raise PromiseBroken(f"With {limit} bytes a file, names differ: {after.keys()}")
    ClipFolder.open(clip)


def _write_with_limit(clip: Path, video: Path, limit: int) -> dict[str, str]:
    """What the process below says became of each file, by its name."""
    done = subprocess.run(
        [*own_command("engine.doctor.file_drills"), str(clip), str(video), str(limit)],
        env=own_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=_SECONDS_FOR_EXPORT,
        creationflags=CREATION_FLAGS,
    )
    if done.returncode:
        words = done.stderr.decode(errors="replace")[-500:]
        raise PromiseBroken(f"With {limit} bytes a file, the process died: {words}")
    return {str(name): str(outcome) for name, outcome in json.loads(done.stdout).items()}


def main(arguments: Sequence[str]) -> None:
    """Write a clip and a video with no file beyond a number of bytes, and say what became of them.

    Args:
        arguments: the clip's folder, the video's file, and the number.
    """
    clip, video, limit = Path(arguments[0]), Path(arguments[1]), int(arguments[2])
    if sys.platform == "win32":
        raise NotImplementedError("Windows has no such limit")
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    opened = ClipFolder.open(clip)
    outcomes = {
        "clip/clip.json": _outcome(lambda: opened.save(opened.info)),
        _VIDEO: _outcome(
            lambda: export_clip(
                clip, _save(video), on_event=lambda _: None, is_cancelled=lambda: False
            )
        ),
    }
    sys.stdout.write(json.dumps(outcomes))


def _outcome(write: Callable[[], object]) -> str:
    """The error's code, or all of one that has no words of its own."""
    try:
        write()
    except EngineError as error:
        return error.code
    except Exception as error:  # that is what the drill is to find
        found = in_words(error)
        return found.detail if isinstance(found, InternalError) else found.code
    return "written"


def _save(video: Path) -> SaveRequest:
    return SaveRequest(path=str(video), playback=Playback.LOOP, overwrite=True)


def _digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by its name in `folder`."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
