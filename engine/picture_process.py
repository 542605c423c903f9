"""The process that decodes strangers' pictures: it sees the bytes of a file and nothing else.

Started by `engine.picture_opening`. Once it has locked itself up it says how well, `{"level": …}`,
and answers requests until its input ends. A request is one line of JSON, followed by the bytes of
a file, and so is an answer, followed by pixels:

    {"task": "picture", "name": …, "background": [r, g, b], "bytes": …}
    → {"width": …, "height": …} and the rows of RGB

    {"task": "animation", "name": …, "bytes": …}
    → {"durations": [milliseconds, …]}, and as often {"width": …, "height": …} and the rows of RGB

    → {"message": …, "detail": …} instead of any of these: it cannot be read, and this is why
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.animations import animation_frames, damaged_video, frame_durations
from engine.errors import EngineError
from engine.jail import lock_up
from engine.picture_files import picture_file, supported_kinds
from engine.pictures import decode_upright
from engine.process_bonds import end_with_parent
from engine.unpickling_guard import forbid_unpickling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

MAX_MEMORY_BYTES = 4 * 2**30
"""The largest picture that may be read takes 2.5 GB, and half a GB of file."""
_MAX_FILE_BYTES = 1 << 20  # it writes no files; what a library prints goes into one
_BLOCK_BYTES = 4 << 20


def main(arguments: Sequence[str]) -> None:
    """Answer requests on stdin and stdout. `arguments`: the CPU seconds that all may take."""
    end_with_parent()
    forbid_unpickling()
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between the answers
    supported_kinds()  # loads decoders, which cannot be opened any more later
    level = lock_up(
        memory_bytes=MAX_MEMORY_BYTES,
        cpu_seconds=int(arguments[0]),
        file_bytes=_MAX_FILE_BYTES,
    )
    _send(output, {"level": level})
    while line := sys.stdin.buffer.readline():
        _answer(json.loads(line), sys.stdin.buffer, output)


def _answer(request: dict[str, Any], source: BinaryIO, output: BinaryIO) -> None:
    data = source.read(request["bytes"])
    try:
        if request["task"] == "animation":
            _send_animation(data, request["name"], output)
        else:
            red, green, blue = request["background"]
            file = picture_file(data, request["name"])
            _send_picture(decode_upright(file, background=(red, green, blue)), output)
    except EngineError as error:
        _send(output, {"message": error.message, "detail": error.detail})


def _send_animation(data: bytes, name: str, output: BinaryIO) -> None:
    try:
        durations = frame_durations(data)
        _send(output, {"durations": durations})
        for frame in animation_frames(data):
            _send_picture(frame, output)
    except EngineError:
        raise
    except Exception as error:  # decoders raise whatever the damage made them stumble over
        raise damaged_video(name, repr(error)) from error


def _send_picture(picture: Image.Image, output: BinaryIO) -> None:
    _send(output, {"width": picture.width, "height": picture.height})
    # In blocks of rows: all at once would need the picture's memory twice.
    num_rows = max(1, _BLOCK_BYTES // (3 * picture.width))
    for top in range(0, picture.height, num_rows):
        bottom = min(picture.height, top + num_rows)
        output.write(picture.crop((0, top, picture.width, bottom)).tobytes())
    output.flush()


def _send(output: BinaryIO, answer: dict[str, object]) -> None:
    output.write(json.dumps(answer).encode("ascii") + b"\n")
    output.flush()
