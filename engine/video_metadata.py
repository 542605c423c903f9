"""The request that a clip was made from, inside its file or beside it.

It travels as one line of JSON in ASCII, which every container keeps as it is: the "comment" of an
MP4 or GIF, the EXIF image description of a WebP, the "Comment" text of a PNG. Where a file does
not give it back, it is in the file `sidecar_path` names.

What is read here may come from anyone: it is never more than a JSON object of limited size.
"""

from __future__ import annotations

import contextlib
import json
import re
import struct
import warnings
from typing import TYPE_CHECKING, cast

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from engine import ffmpeg
from engine.errors import VideoFileError
from engine.strange_files import open_regular_file
from engine.video_format import HEAD_BYTES, VideoFormat

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from engine.json_codec import JsonObject

MAX_REQUEST_BYTES = 1 << 20

_PNG_KEYWORD = "Comment"
_EXIF_IMAGE_DESCRIPTION = 0x010E
_NETSCAPE_LOOP = b"\x21\xff\x0bNETSCAPE2.0"
_NETSCAPE_LOOP_BYTES = 19
_VP8X_HAS_EXIF = 0x08
_MAX_CHUNKS = 10_000
# What Pillow's readers raise at damaged files, besides OSError.
DAMAGED = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    SyntaxError,
    ValueError,
    LookupError,
    EOFError,
    TypeError,
    struct.error,
)


def sidecar_path(path: Path) -> Path:
    """Where the request is kept that the file `path` does not hold itself."""
    return path.with_name(f"{path.name}.json")


def request_text(request: JsonObject) -> str:
    """`request` as the line that is embedded.

    Raises:
        VideoFileError: it is longer than `read_request` would read again.
    """
    text = json.dumps(request, allow_nan=False)
    if len(text) > MAX_REQUEST_BYTES:
        raise VideoFileError(
            f"The request is too long to be kept with the video: {len(text)} characters, and "
            f"{MAX_REQUEST_BYTES} is the most. Shorten the prompt."
        )
    return text


def read_request(path: Path) -> JsonObject:
    """The request that the video or picture `path` was saved with.

    A sidecar counts first: it is only written for a file whose own copy cannot be trusted.

    Raises:
        VideoFileError: there is no such file, it is not MP4, GIF, WebP or PNG, or neither the
            file nor a sidecar holds a request.
    """
    try:
        video_format = _sniff(path)
        beside = sidecar_path(path)
        text = _read_sidecar(beside) if beside.is_file() else ""
    except FileNotFoundError as error:
        raise VideoFileError(f"There is no file {path}.", detail=str(error)) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        raise VideoFileError(f"{path} cannot be read.", detail=str(error)) from error
    if video_format is None:
        raise VideoFileError(
            f"{path.name} is not an MP4, GIF, WebP or PNG file. "
            "Choose a clip that this program has saved."
        )
    request = _as_request(text)
    if request is None:
        request = embedded_request(path, video_format)
    if request is None:
        raise VideoFileError(
            f"{path.name} does not say what it was made from: it was not saved by this program, "
            "or another program has removed that when it saved the file again."
        )
    return request


def embedded_request(path: Path, video_format: VideoFormat) -> JsonObject | None:
    """The request inside the file `path`; None where it holds none, or is damaged."""
    try:
        match video_format:
            case VideoFormat.MP4:
                text = _mp4_comment(path)
            case VideoFormat.GIF:
                text = _pillow_info(path, video_format).get("comment", b"")
            case VideoFormat.WEBP:
                text = _webp_description(path)
            case VideoFormat.PNG:
                text = _pillow_info(path, video_format).get(_PNG_KEYWORD, "")
    except (OSError, ffmpeg.FfmpegError, *DAMAGED):
        return None
    return _as_request(text) if isinstance(text, (str, bytes)) else None


def mp4_tags(text: str) -> str:
    """A file of ffmpeg's own format that makes `text` the comment of an MP4.

    A file, since a command line is limited to 32 kB on Windows and is there for all to see.
    """
    return ";FFMETADATA1\ncomment=" + re.sub(r"([=;#\\])", r"\\\1", text) + "\n"


def png_text(text: str | None) -> PngInfo:
    """The chunk with `text` that Pillow writes into a PNG; None for no chunk."""
    chunks = PngInfo()
    if text is not None:
        chunks.add_itxt(_PNG_KEYWORD, text)
    return chunks


def with_gif_comment(gif: bytes, text: str) -> bytes:
    """The file `gif` with `text` as its comment, before the first frame. No pixel changes."""
    data = text.encode("ascii")
    blocks = b"".join(
        bytes([len(part)]) + part
        for part in (data[start : start + 255] for start in range(0, len(data), 255))
    )
    flags = gif[10]
    start = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)  # after the table of colours
    if gif.startswith(_NETSCAPE_LOOP, start):
        start += _NETSCAPE_LOOP_BYTES  # some players look for it in the first place only
    return gif[:start] + b"\x21\xfe" + blocks + b"\0" + gif[start:]


def with_webp_description(webp: bytes, text: str, *, width: int, height: int) -> bytes:
    """The file `webp` with `text` as its EXIF image description. No pixel changes.

    Args:
        webp: a file without EXIF.
        text: in ASCII.
        width: of the picture, in pixels; a file of one plain picture does not name it apart.
        height: of the picture, in pixels.
    """
    exif = Image.Exif()
    exif[_EXIF_IMAGE_DESCRIPTION] = text
    chunks = bytearray(webp[12:])
    if webp[12:16] != b"VP8X":  # frames that all look alike become one plain picture
        sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks[:0] = _riff_chunk(b"VP8X", bytes(4) + sizes)
    chunks[8] |= _VP8X_HAS_EXIF
    chunks += _riff_chunk(b"EXIF", exif.tobytes().removeprefix(b"Exif\0\0"))
    return _riff_chunk(b"RIFF", b"WEBP" + bytes(chunks))


def _riff_chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _sniff(path: Path) -> VideoFormat | None:
    with open_regular_file(path) as file:
        return VideoFormat.of_content(file.read(HEAD_BYTES))


def _read_sidecar(path: Path) -> bytes:
    with open_regular_file(path) as file:
        return file.read(MAX_REQUEST_BYTES + 1)


def _as_request(text: str | bytes) -> JsonObject | None:
    if len(text) > MAX_REQUEST_BYTES:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("JsonObject", value) if isinstance(value, dict) else None


def _mp4_comment(path: Path) -> str:
    # The kind of file and the protocols are fixed: a playlist in disguise must not make ffmpeg
    # open other files or addresses.
    source = ["-protocol_whitelist", "file,pipe", "-f", "mov", "-i", ffmpeg.file_argument(path)]
    arguments = [*source, "-f", "ffmetadata", "pipe:1"]
    tags = ffmpeg.read(arguments, source=path).decode(errors="replace")
    for line in tags.split("\n"):
        name, _, value = line.partition("=")
        if name == "comment":
            return re.sub(r"\\(.)", r"\1", value)
    return ""


def _pillow_info(path: Path, video_format: VideoFormat) -> dict[str | tuple[int, int], object]:
    with _opened(path, video_format) as picture:
        return dict(picture.info)


def _webp_description(path: Path) -> object:
    exif = Image.Exif()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damage: what it leaves is not a request
        exif.load(_webp_chunk(path, b"EXIF"))
        return exif.get(_EXIF_IMAGE_DESCRIPTION, "")


def _webp_chunk(path: Path, wanted: bytes) -> bytes:
    """The content of a chunk, empty where there is none.

    Not by Pillow, which hands the whole file to a decoder before it says what is in it.
    """
    with open_regular_file(path) as file:
        file.seek(12)
        for _ in range(_MAX_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                break
            name, num_bytes = struct.unpack("<4sI", head)
            if name == wanted:
                return file.read(min(num_bytes, 2 * MAX_REQUEST_BYTES))
            file.seek(num_bytes + num_bytes % 2, 1)
    return b""


@contextlib.contextmanager
def _opened(path: Path, video_format: VideoFormat) -> Generator[Image.Image]:
    # Pillow warns of damage and of large pictures, but no pixel is decoded here, and a text that
    # is damaged is not a request.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=[video_format.value.upper()]) as picture:
            yield picture
