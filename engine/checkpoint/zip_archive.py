"""The zip archive that a `.pt` file is, read strictly and without unpickling anything.

torch writes its archives with plain, uncompressed members, and does not check their CRC-32 when
it reads them. Here only such archives are accepted, and the CRC-32 is checked.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from engine.checkpoint.tensors import CHUNK_BYTES, unreadable
from engine.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import BinaryIO

_LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, ..., length of name, length of extra field
_LOCAL_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED = 0x1


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMember:
    """A member whose bytes lie uncompressed in the archive, from byte `offset` on."""

    name: str
    offset: int
    size: int
    crc: int


def read_directory(path: Path) -> list[ArchiveMember]:
    """The members of the archive `path`, by their place in the file.

    Raises:
        ModelFileError: the file cannot be read, is something else than a whole archive, or holds
            members that torch does not write. The message says what was found.
    """
    try:
        with path.open("rb") as file:
            _check_start(path, file)
            members = _read_members(path, file)
    except OSError as error:
        raise unreadable(path, error) from error
    members.sort(key=lambda member: member.offset)
    for before, after in pairwise(members):
        if before.offset + before.size > after.offset:
            raise _damaged(path, f"{before.name} and {after.name} overlap in it")
    return members


def check_contents(path: Path, on_bytes: Callable[[int], None]) -> str:
    """Read all of the archive `path` once and compare every member with its CRC-32.

    Args:
        path: the archive.
        on_bytes: told how many more bytes were read; what it raises ends the check.

    Returns:
        The file's SHA-256 in hexadecimal.

    Raises:
        ModelFileError: a member is damaged; the message names it.
    """
    members = read_directory(path)
    checksums = [0] * len(members)
    sha256 = hashlib.sha256()
    try:
        with path.open("rb") as file:
            position = 0
            while chunk := file.read(CHUNK_BYTES):
                sha256.update(chunk)
                _update_checksums(checksums, members, position, chunk)
                position += len(chunk)
                on_bytes(len(chunk))
    except OSError as error:
        raise unreadable(path, error) from error
    for member, checksum in zip(members, checksums, strict=True):
        if checksum != member.crc:
            raise _damaged(
                path,
                f"the CRC-32 of {member.name} is {checksum:08x}, and the file says that it "
                f"should be {member.crc:08x}",
            )
    return sha256.hexdigest()


def read_member(path: Path, member: ArchiveMember) -> bytes:
    """The bytes of `member`, compared with its CRC-32.

    Raises:
        ModelFileError: the file cannot be read, or the member is damaged.
    """
    try:
        with path.open("rb") as file:
            file.seek(member.offset)
            contents = file.read(member.size)
    except OSError as error:
        raise unreadable(path, error) from error
    if len(contents) != member.size or zlib.crc32(contents) != member.crc:
        raise _damaged(path, f"the CRC-32 of {member.name} does not match")
    return contents


def _update_checksums(
    checksums: list[int], members: Sequence[ArchiveMember], position: int, chunk: bytes
) -> None:
    """Go on with the CRC-32 of every member that has bytes in `chunk`, which is at `position`."""
    view = memoryview(chunk)
    for index, member in enumerate(members):
        start = max(member.offset, position) - position
        stop = min(member.offset + member.size, position + len(chunk)) - position
        if start < stop:
            checksums[index] = zlib.crc32(view[start:stop], checksums[index])


def _check_start(path: Path, file: BinaryIO) -> None:
    start = file.read(512)
    if not start.startswith(_LOCAL_SIGNATURE):
        raise ModelFileError(
            f"{path} is not a model file that torch saved: {describe_contents(start)}"
        )


def describe_contents(start: bytes) -> str:
    """What a file is that begins with `start` and should be a torch archive, as a sentence."""
    text = start.lstrip().lower()
    if not start:
        return "it is empty. Download it again."
    if not start.strip(b"\0"):
        return "it begins with zeros, as a download does that was not finished. Download it again."
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "it is a web page. Download the file itself instead of the page that describes it."
    if start.startswith(b"version https://git-lfs"):
        return "it is a git-lfs pointer. Run `git lfs pull` in its folder to get the file itself."
    if len(start) > 9 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 2**30:
        return "it is a safetensors file with another name. The official .pt file is needed."
    if start.startswith(b"\x80"):
        return (
            "it is a bare pickle, as torch before 1.6 wrote and as anything can be hidden in. "
            "Only the archives of newer versions are read; get the official file."
        )
    return f"an archive was expected, and it begins with {start[:8]!r}. Download it again."


def _read_members(path: Path, file: BinaryIO) -> list[ArchiveMember]:
    size = file.seek(0, 2)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    # What zipfile raises for the damage that a bit can do to a directory.
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        EOFError,
        OverflowError,
        struct.error,
    ) as error:
        raise _damaged(
            path,
            f"it has {size} bytes and no valid directory at its end, as after a download that was "
            "not finished",
            detail=repr(error),
        ) from error
    if len({entry.filename for entry in entries}) != len(entries):
        raise _damaged(path, "two of its members have the same name")
    return [_locate(path, file, entry, size) for entry in entries]


def _locate(path: Path, file: BinaryIO, entry: zipfile.ZipInfo, size: int) -> ArchiveMember:
    """The member of `entry`, whose own header must agree with the directory."""
    stored = entry.compress_type == zipfile.ZIP_STORED and entry.compress_size == entry.file_size
    if not stored or entry.flag_bits & _ENCRYPTED:
        raise ModelFileError(
            f"{path} is not a model file that torch saved: its member {entry.filename} is "
            "compressed or encrypted, and torch does neither. Get the official file."
        )
    if not 0 <= entry.header_offset <= size - _LOCAL_HEADER.size:
        raise _damaged(path, f"its member {entry.filename} lies outside the file")
    file.seek(entry.header_offset)
    signature, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
    name = file.read(name_bytes)
    offset = entry.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
    if signature != _LOCAL_SIGNATURE or name != entry.filename.encode():
        raise _damaged(path, f"the header of its member {entry.filename} is not where it should be")
    if offset + entry.file_size > size:
        raise _damaged(path, f"its member {entry.filename} reaches beyond the end of the file")
    return ArchiveMember(name=entry.filename, offset=offset, size=entry.file_size, crc=entry.CRC)


def _damaged(path: Path, reason: str, *, detail: str = "") -> ModelFileError:
    return ModelFileError(
        f"{path} is damaged or cut off: {reason}. Copy or download it again.", detail=detail
    )
