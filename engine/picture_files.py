"""Picture files, decoded as far as a stranger's file can be trusted.

Everything that can be checked is checked before a decoder sees the file, only the decoders of
common kinds are used, and whatever goes wrong is one `PictureError`.
"""

from __future__ import annotations

import math
import re
import struct
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    features,
)

from engine.errors import PictureError
from engine.strange_files import SpecialFile, open_regular_file

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import BinaryIO

MAX_FILE_BYTES = 512 * 2**20
MAX_PIXELS = 150_000_000
"""A picture of this size needs 1.2 GB of memory for a moment, and 2.5 GB if transparent."""
MAX_SIDE = 32_768
MAX_PIXELS_IN_PYTHON = 5_000_000
"""Limit of the few codecs that Pillow runs in Python, at about a microsecond a value."""

_PYTHON_CODECS = {"ppm", "bmp_rle"}
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureKind:
    """A kind of file that is read, told by how it begins and never by its name."""

    name: str
    signature: re.Pattern[bytes]
    plugin: type[ImageFile.ImageFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFile:
    """A file that begins like a picture; `name` is fit for messages."""

    name: str
    kind: PictureKind
    data: bytes


def _kind(name: str, signature: bytes, plugin: type[ImageFile.ImageFile]) -> PictureKind:
    return PictureKind(name=name, signature=re.compile(signature, re.DOTALL), plugin=plugin)


# The plugins are called directly and not through `Image.open`, which would warn of a bomb far
# below the limits here, could only be told otherwise for the whole process, and would look for
# the other pictures of a phone's JPEG (MPO), which are often damaged and not wanted.
_KINDS = (
    _kind("JPEG", rb"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    _kind("PNG", rb"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    _kind("WebP", rb"RIFF....WEBP", WebPImagePlugin.WebPImageFile),
    _kind(
        "AVIF",
        rb"....ftyp(?:avi[fs]|(?:mif1|msf1).{0,40}avi[fs])",
        AvifImagePlugin.AvifImageFile,
    ),
    _kind("GIF", rb"GIF8[79]a", GifImagePlugin.GifImageFile),
    _kind("BMP", rb"BM", BmpImagePlugin.BmpImageFile),
    _kind("TIFF", rb"II[*+]\0|MM\0[*+]", TiffImagePlugin.TiffImageFile),
    # P1 to P3, the kinds in plain text, take Pillow minutes where somebody means harm.
    _kind("PPM", rb"P[456f]\s", PpmImagePlugin.PpmImageFile),
)
_OPTIONAL = {"WebP": "webp", "AVIF": "avif"}  # parts that Pillow may have been built without

_one_at_a_time = threading.Lock()


def supported_kinds() -> tuple[str, ...]:
    """The names of the kinds of picture that can be opened, such as "JPEG"."""
    return tuple(kind.name for kind in _available_kinds())


def read_picture_file(path: Path) -> PictureFile:
    """The file at `path`, which must be a regular file of a kind that is read.

    All bytes are read at once so that no decoder maps the file into memory: a mapped file that is
    shortened meanwhile ends the process.

    Raises:
        PictureError: it is missing, closed to us, a folder, empty, too large or something else.
    """
    name = shown_name(path)
    with opened_picture(path) as file, _reading(name):
        return picture_file(file.read(MAX_FILE_BYTES + 1), name)


def picture_file(data: bytes, name: str) -> PictureFile:
    """The content of a file, which must be of a kind that is read; `name` is fit for messages.

    Raises:
        PictureError: it is empty, too large or something else.
    """
    _check_size(len(data), name)
    return PictureFile(name=name, kind=_recognise(data, name), data=data)


@contextmanager
def opened_picture(path: Path) -> Generator[BinaryIO, None, None]:
    """Lend the file at `path`, of which only the first bytes have been looked at.

    Never waits for a pipe or a device.

    Raises:
        PictureError: it is missing, closed to us, a folder, empty, too large or something else.
    """
    name = shown_name(path)
    with _reading(name):
        file = open_regular_file(path)
    with file:
        with _reading(name):
            _check_size(file.seek(0, 2), name)
            file.seek(0)
            head = file.read(_SIGNATURE_BYTES)
            file.seek(0)
        _recognise(head, name)
        yield file


def decode_picture(file: PictureFile) -> ImageFile.ImageFile:
    """The first picture in `file`, decoded. To be called under `decoding`.

    Raises:
        PictureError: it has too many pixels.
        Exception: whatever a decoder raises at what is damaged or cut short.
    """
    if file.kind.name == "PNG":
        return _decode_png(file)
    return _decode(file)


@contextmanager
def decoding(subject: str) -> Generator[None, None, None]:
    """Runs decoders, one thread at a time; whatever they raise becomes a `PictureError`.

    One at a time because the filter of warnings belongs to the whole process, and because two
    large pictures at once may be more than the memory holds.
    """
    try:
        with _one_at_a_time, warnings.catch_warnings():
            # Of odd metadata, which is ignored anyway, and of bombs, which `_check_pixels` judges.
            warnings.simplefilter("ignore")
            yield
    except PictureError:
        raise
    except MemoryError as error:
        raise PictureError(f"{subject} needs more memory than there is.") from error
    # Decoders raise whatever the damage made them stumble over: OSError, SyntaxError, ValueError,
    # struct.error, IndexError, zlib.error and more. No list of them would be complete.
    except Exception as error:
        detail = f"{type(error).__name__}: {error}"
        if "truncated" in detail.lower():
            fault = "is cut short: a part of it is missing. Copy or download it again."
        else:
            fault = (
                "is damaged or cut short, or of a rare variant that cannot be read. Open it "
                "in another program and save it as PNG."
            )
        raise PictureError(f"{subject} {fault}", detail=detail) from error


def size_text(size: tuple[int, int]) -> str:
    """`size` for a message: "1,200 x 800 pixels"."""
    return f"{size[0]:,} x {size[1]:,} pixels"


def shown_name(path: Path) -> str:
    """The file's name for a message: no line breaks, control or reordering characters."""
    name = path.name or str(path)
    return '"' + "".join(char if char.isprintable() else "\ufffd" for char in name) + '"'


@contextmanager
def _reading(name: str) -> Generator[None, None, None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PictureError(f"There is no file {name}. It may have been moved.") from error
    except IsADirectoryError as error:
        raise PictureError(f"{name} is a folder, not a picture.") from error
    except SpecialFile as error:
        raise PictureError(f"{name} is a device or a pipe, not a picture.") from error
    except PermissionError as error:
        raise PictureError(f"There is no permission to read {name}.") from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise PictureError(f"{name} cannot be read: {reason}.") from error


def _check_size(num_bytes: int, name: str) -> None:
    if num_bytes == 0:
        raise PictureError(f"{name} is empty.")
    if num_bytes > MAX_FILE_BYTES:
        raise PictureError(
            f"{name} is too large: it has {math.ceil(num_bytes / 2**20):,} MB, and a picture may "
            f"have {MAX_FILE_BYTES // 2**20} MB."
        )


def _available_kinds() -> tuple[PictureKind, ...]:
    return tuple(
        kind
        for kind in _KINDS
        if kind.name not in _OPTIONAL or features.check(_OPTIONAL[kind.name])
    )


def _recognise(data: bytes, name: str) -> PictureKind:
    kinds = _available_kinds()
    for kind in kinds:
        if kind.signature.match(data[:_SIGNATURE_BYTES]):
            return kind
    names = ", ".join(kind.name for kind in kinds)
    raise PictureError(
        f"{name} is not a picture, or of a kind that cannot be read. These can: {names}."
    )


def _decode(file: PictureFile) -> ImageFile.ImageFile:
    try:
        picture = file.kind.plugin(BytesIO(file.data))
        _check_pixels(picture, file.name)
        picture.load()
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"{file.name} is too large: a picture may have {MAX_PIXELS:,} pixels.",
            detail=str(error),
        ) from error
    return picture


def _check_pixels(picture: ImageFile.ImageFile, name: str) -> None:
    width, height = picture.size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise PictureError(
            f"{name} is too large: it has {size_text(picture.size)}, and a picture may have "
            f"{MAX_PIXELS:,} pixels and {MAX_SIDE:,} on a side."
        )
    codecs = {tile.codec_name for tile in picture.tile}
    if codecs & _PYTHON_CODECS and width * height > MAX_PIXELS_IN_PYTHON:
        raise PictureError(
            f"{name} is too large: it has {size_text(picture.size)}, and a picture of this "
            f"variant may have {MAX_PIXELS_IN_PYTHON:,}. Save it as PNG."
        )


def _decode_png(file: PictureFile) -> ImageFile.ImageFile:
    try:
        picture = _decode(file)
    except ValueError:
        # Pillow gives up the whole picture for a text or a colour profile above its limit, which
        # the workflows and histories that programs write into their pictures do reach.
        file = replace(file, data=_without_png_text(file.data))
        picture = _decode(file)
    # Loading looks at the check sums of the header only; these are the pixels'.
    file.kind.plugin(BytesIO(file.data)).verify()
    depth = file.data[24]
    key = picture.info.get("transparency")
    # The key colour counts in the file's samples, which Pillow has scaled to 8 bit by now.
    if picture.mode == "L" and isinstance(key, int):
        highest = 2**depth - 1
        picture.info["transparency"] = (key & highest) * 255 // highest
    elif picture.mode == "RGB" and isinstance(key, tuple):
        shift = depth - 8
        picture.info["transparency"] = tuple(value >> shift & 255 for value in key)
    return picture


def _without_png_text(data: bytes) -> bytes:
    kept = [data[:8]]
    start = 8
    while start + 12 <= len(data):
        length, chunk = struct.unpack_from(">I4s", data, start)
        end = start + 12 + length
        if chunk not in (b"tEXt", b"zTXt", b"iTXt", b"iCCP"):
            kept.append(data[start:end])
        start = end
    return b"".join(kept)
