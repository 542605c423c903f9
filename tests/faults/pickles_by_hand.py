"""Pickles put together by hand, and the archives of torch around them."""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    raw = value.to_bytes((value.bit_length() // 8) + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def constant(value: object) -> bytes:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool):
        return b"\x88" if value else b"\x89"
    if isinstance(value, int):
        return number(value)
    if value is None:
        return b"N"
    if isinstance(value, bytes):
        return b"B" + struct.pack("<I", len(value)) + value
    if isinstance(value, tuple):
        return b"(" + b"".join(map(constant, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(constant, value)) + b"e"
    if isinstance(value, dict):
        pairs = b"".join(constant(key) + constant(item) for key, item in value.items())
        return b"}(" + pairs + b"u"
    assert isinstance(value, Name)
    return value.global_()


@dataclass(frozen=True, slots=True)
class Name:
    """A function or a class, as a pickle asks for it."""

    module: str
    attribute: str

    def global_(self) -> bytes:
        return f"c{self.module}\n{self.attribute}\n".encode()

    def stack_global(self) -> bytes:
        return text(self.module) + text(self.attribute) + b"\x93"


def called(function: Name, *arguments: object) -> bytes:
    return function.global_() + constant(arguments) + b"R"


def in_a_dict(value: bytes) -> bytes:
    """As the value of a state dict's entry, beside nothing else."""
    return b"\x80\x02}" + text("w") + value + b"s."


STORAGE = Name("torch", "FloatStorage")
REBUILD = Name("torch._utils", "_rebuild_tensor_v2")
ORDERED = Name("collections", "OrderedDict")


def stored(
    kind: object = STORAGE, key: object = "0", place: object = "cpu", count: object = 4
) -> bytes:
    return constant(("storage", kind, key, place, count)) + b"Q"


def tensor(
    storage: bytes | None = None,
    offset: object = 0,
    shape: object = (4,),
    strides: object = (1,),
    hooks: bytes = ORDERED.global_() + b")R",
) -> bytes:
    parts = [storage or stored(), *map(constant, (offset, shape, strides)), b"\x89", hooks]
    return REBUILD.global_() + b"(" + b"".join(parts) + b"tR"


def archive(
    pickled: bytes,
    *,
    top: str = "archive",
    members: Mapping[str, bytes] | None = None,
    kind: int = zipfile.ZIP_STORED,
) -> bytes:
    """As torch writes it: uncompressed members in a folder."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as written:
        written.writestr(f"{top}/data.pkl", pickled)
        written.writestr(f"{top}/byteorder", b"little")
        for name, contents in (members or {"data/0": bytes(16), "version": b"3\n"}).items():
            written.writestr(f"{top}/{name}", contents)
    return file.getvalue()


GOOD = in_a_dict(tensor())
"""A pickle with nothing wrong."""
