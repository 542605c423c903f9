"""Archives that say something else than they hold, and files that are no archives at all."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zipfile
from typing import TYPE_CHECKING

from hostile_gadgets import firing
from pickles_by_hand import (
    GOOD,
    ORDERED,
    REBUILD,
    Name,
    archive,
    called,
    constant,
    in_a_dict,
    number,
    stored,
    tensor,
    text,
)

if TYPE_CHECKING:
    from pathlib import Path

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_HUGE = 2**62
_DEPTH = 200_000


def evil_pickle(canary: Path) -> bytes:
    """A pickle that runs a program."""
    return firing(canary)["os.system"]


def _replaced(data: bytes, before: bytes, at: int, after: bytes, *, which: int = 0) -> bytes:
    """`data` with `after` put `at` bytes behind the beginning of a header `before`."""
    place = -1
    for _ in range(which + 1):
        place = data.index(before, place + 1)
    return data[: place + at] + after + data[place + at + len(after) :]


def dishonest(canary: Path) -> dict[str, bytes]:
    """Zip files with one lie each. The pickle in them is evil, where it is used at all."""
    evil = evil_pickle(canary)
    plain = archive(evil)
    good = archive(GOOD)
    short = struct.pack("<H", 0)
    twice, beside, above = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(twice, "w") as file:
        file.writestr("archive/data.pkl", GOOD)
        file.writestr("archive/data.pkX", evil)
        file.writestr("archive/data/0", bytes(16))
    with zipfile.ZipFile(beside, "w") as file:
        file.writestr("a/data.pkl", GOOD)
        file.writestr("b/data.pkl", evil)
        file.writestr("b/data/0", bytes(16))
    with zipfile.ZipFile(above, "w") as file:
        file.writestr("data.pkl", evil)
    return {
        "compressed": archive(evil, kind=zipfile.ZIP_DEFLATED),
        "compressed by bzip2": archive(evil, kind=zipfile.ZIP_BZIP2),
        "compressed by lzma": archive(evil, kind=zipfile.ZIP_LZMA),
        "a bomb": archive(evil, members={"data/0": bytes(50_000_000)}, kind=zipfile.ZIP_DEFLATED),
        "the same name twice": twice.getvalue().replace(b"data.pkX", b"data.pkl"),
        "two pickles": beside.getvalue(),
        "no folder": above.getvalue(),
        "another name in the header": _replaced(plain, _LOCAL, 30, b"archive/data.pkX"),
        "a longer name in the header": _replaced(plain, _LOCAL, 26, struct.pack("<H", 40)),
        "a huge name in the header": _replaced(plain, _LOCAL, 26, b"\xff\xff"),
        "a huge extra field": _replaced(plain, _LOCAL, 28, b"\xff\xff"),
        "no header where one should be": _replaced(plain, _LOCAL, 0, b"PK\x03\x05"),
        "said to be encrypted": _replaced(plain, _CENTRAL, 8, struct.pack("<H", 0x1)),
        "said to be strongly encrypted": _replaced(plain, _CENTRAL, 8, struct.pack("<H", 0x41)),
        "said to be a patch": _replaced(plain, _CENTRAL, 8, struct.pack("<H", 0x20)),
        "said to be compressed": _replaced(plain, _CENTRAL, 10, struct.pack("<H", 8)),
        "of an unknown compression": _replaced(plain, _CENTRAL, 10, struct.pack("<H", 99)),
        "a larger size": _replaced(plain, _CENTRAL, 20, struct.pack("<II", 10**6, 10**6)),
        "two sizes": _replaced(plain, _CENTRAL, 24, struct.pack("<I", 10**6)),
        "a size of 4 GiB": _replaced(plain, _CENTRAL, 20, b"\xff" * 8),
        "a smaller size": _replaced(good, _CENTRAL, 20, struct.pack("<II", 9, 9)),
        "no size": _replaced(good, _CENTRAL, 20, bytes(8)),
        "another checksum": _replaced(good, _CENTRAL, 16, b"\1\2\3\4"),
        "a place beyond the end": _replaced(plain, _CENTRAL, 42, struct.pack("<I", 10**8)),
        "the place of another": _replaced(
            plain,
            _CENTRAL,
            42,
            struct.pack("<I", plain.index(_LOCAL, 9)),
        ),
        "another disk": _replaced(plain, _END, 4, struct.pack("<HH", 1, 1)),
        "more members than there are": _replaced(plain, _END, 12, struct.pack("<I", 10**6)),
        "a directory elsewhere": _replaced(plain, _END, 16, struct.pack("<I", 10**8)),
        "no directory": plain[: plain.index(_CENTRAL)],
        "cut in the directory": plain[: plain.index(_CENTRAL) + 60],
        "no end": plain[: plain.index(_END)],
        "a comment that is not there": _replaced(plain, _END, 20, struct.pack("<H", 500)),
        "a script before it": b"#!/bin/sh\ntouch x\n" + plain,
        "a program before it": b"\x7fELF" + bytes(100) + plain,
        "a program of Windows before it": b"MZ" + bytes(100) + plain,
        "a picture before it": b"\x89PNG\r\n\x1a\n" + bytes(100) + plain,
        "another archive behind it": good + plain,
        "a name with a NUL": plain.replace(b"archive/data.pkl", b"archive\0data.pkl"),
        "a name with a backslash": plain.replace(b"archive/data.pkl", b"archive\\data.pkl"),
        "a name in capitals": plain.replace(b"archive/data.pkl", b"archive/DATA.PKL"),
        "a name above": plain.replace(b"archive/data.pkl", b"../arch/data.pkl"),
        "no pickle": archive(evil).replace(b"data.pkl", b"data.txt"),
        "no numbers": archive(GOOD, members={"version": b"3\n"}),
        "too few numbers": archive(GOOD, members={"data/0": bytes(4), "version": b"3\n"}),
        "another order of bytes": archive(evil).replace(b"little", b"bigger"),
        "as a program of torch": archive(
            evil, members={"constants.pkl": evil, "code/__torch__.py": b"import os\n"}
        ),
        "of the old layout": archive(evil, members={"model.json": b"{}", "attributes.pkl": evil}),
        "empty, with a directory": _END + bytes(18) + short[:0],
    }


def no_archives(canary: Path) -> dict[str, bytes]:
    """Files of other kinds under the name of a model."""
    evil = evil_pickle(canary)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as file:
        entry = tarfile.TarInfo("pickle")
        entry.size = len(evil)
        file.addfile(entry, io.BytesIO(evil))
    header = str({"descr": "|O", "fortran_order": False, "shape": (1,)}).ljust(117).encode() + b"\n"
    return {
        "nothing": b"",
        "one byte": b"P",
        "zeros": bytes(4096),
        "a bare pickle": evil,
        "a bare pickle of protocol 0": pickle.dumps({"w": [1.0]}, protocol=0),
        "a bare pickle of protocol 5": pickle.dumps({"w": [1.0]}, protocol=5),
        "a pickle of torch before 1.6": pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2) + evil,
        "a tar of torch before 0.1": tar.getvalue(),
        "a web page": b"<!DOCTYPE html><html><body>Sign in to download</body></html>",
        "an error in XML": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        "an error in JSON": b'{"error": "gated model"}',
        "a git-lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
        "a 7z archive": b"7z\xbc\xaf\x27\x1c\x00\x04" + evil,
        "a RAR archive": b"Rar!\x1a\x07\x01\x00" + evil,
        "gzip": gzip.compress(evil),
        "bzip2": bz2.compress(evil),
        "xz": lzma.compress(evil),
        "a numpy array of objects": b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header + evil,
        "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "GGUF": b"GGUF" + struct.pack("<IQQ", 3, 0, 0),
        "a program": b"\x7fELF\x02\x01\x01" + bytes(200),
        "a shell script": b"#!/bin/sh\ntouch canary\n",
        "Python": b"import os\nos.system('touch canary')\n",
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    }


def bombs(_: Path) -> dict[str, bytes]:
    """Pickles that ask for memory or for time."""
    start = b"\x80\x04"
    laugh = b"}" + text("x") + tensor() + b"s"
    for _level in range(7):
        laugh = b"}(" + text("0") + laugh + b"q\x01" + b"".join(
            text(str(index)) + b"h\x01" for index in range(1, 200)
        ) + b"u"  # fmt: skip
    doubled = b"]" + b"".join(b"q" + bytes([level]) + b"](h" + bytes([level]) + b"h"
                              + bytes([level]) + b"e" for level in range(30))  # fmt: skip
    return {
        "a text of 4 GiB": start + b"X\xff\xff\xff\xff" + b"x" * 100 + b".",
        "a text of 2^63": start + b"\x8d" + b"\xff" * 7 + b"\x7f" + b".",
        "a text of 2^64": start + b"\x8d" + b"\xff" * 8 + b".",
        "bytes of 4 GiB": start + b"B\xff\xff\xff\xff" + b"x" * 100 + b".",
        "bytes of 2^63": start + b"\x8e" + b"\xff" * 7 + b"\x7f" + b".",
        "an array of bytes of 2^63": b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f" + b".",
        "a number of 2 GiB": start + b"\x8b\xff\xff\xff\x7f" + b"1" * 100 + b".",
        "a number of less than no bytes": start + b"\x8b\xff\xff\xff\xff" + b".",
        "a number of a million digits": in_a_dict(b"L" + b"9" * 10**6 + b"L\n"),
        "a frame of 2^63": start + b"\x95" + b"\xff" * 7 + b"\x7f" + GOOD[2:],
        "lists in lists": in_a_dict(b"]" * _DEPTH + b"a" * (_DEPTH - 1)),
        "tuples in tuples": in_a_dict(b")" + b"\x85" * _DEPTH),
        "dicts in dicts": b"\x80\x02" + (b"}" + text("w")) * _DEPTH + b"N" + b"s" * _DEPTH + b".",
        "a tuple in tuples as a name": b"\x80\x02}" + b")" + b"\x85" * _DEPTH + b"Ns.",
        "marks in marks": start + b"(" * _DEPTH + b".",
        "lists that double": in_a_dict(doubled),
        "dicts that multiply": b"\x80\x02" + laugh + b".",
        "a dict that holds itself": b"\x80\x02}q\x00" + text("w") + b"h\x00s.",
        "a tuple that holds itself": in_a_dict(b"(]q\x00h\x00ah\x00t"),
        "a memo at 2^32": in_a_dict(b"Nr\xff\xff\xff\xff"),
        "a memo that is not there": in_a_dict(b"h\x63"),
        "four thousand million bytes": in_a_dict(called(Name("builtins", "bytearray"), 4 * 10**9)),
        "more bytes than there can be": in_a_dict(called(Name("builtins", "bytearray"), _HUGE)),
        "an unpaired half of a letter": b"\x80\x02}X\x03\x00\x00\x00\xed\xa0\x80"
        + tensor()
        + b"s.",
        "a name of a million letters": b"\x80\x02}" + text("w" * 10**6) + tensor() + b"s.",
        "nothing": b"",
        "an end and no more": b".",
        "no end": GOOD[:-1],
        "an unknown opcode": start + b"\xf0.",
        "two values": start + b"NN.",
        "an empty stack": start + b"0.",
    }


def shapes(_: Path) -> dict[str, bytes]:
    """Tensors that cannot be."""
    sparse = Name("torch._utils", "_rebuild_sparse_tensor")
    parameter = Name("torch._utils", "_rebuild_parameter")
    tensors: dict[str, bytes] = {
        "a side below zero": tensor(shape=(-4,)),
        "two sides below zero": tensor(shape=(-2, -2), strides=(2, 1)),
        "2^62 numbers": tensor(shape=(_HUGE,)),
        "more numbers than 2^63": tensor(shape=(2**32, 2**32), strides=(2**32, 1)),
        "more numbers than 2^64": tensor(shape=(2**60,) * 3, strides=(1, 1, 1)),
        "a side of 2^70": tensor(shape=(2**70,)),
        "more numbers than are stored": tensor(shape=(5,)),
        "an offset beyond the end": tensor(offset=1),
        "an offset of 2^62": tensor(offset=_HUGE),
        "an offset below zero": tensor(offset=-1),
        "a stride beyond the end": tensor(shape=(2, 2), strides=(4, 1)),
        "a stride of 2^62": tensor(shape=(2, 2), strides=(_HUGE, 1)),
        "a stride of zero": tensor(shape=(4, 4), strides=(0, 1)),
        "fewer strides than sides": tensor(shape=(2, 2), strides=(1,)),
        "a thousand sides": tensor(shape=(1,) * 1000, strides=(1,) * 1000),
        "a side that is a text": tensor(shape=("4",)),
        "no sides": tensor(shape=None),
        "fewer numbers stored than said": tensor(stored(count=8), shape=(8,)),
        "more numbers stored than said": tensor(stored(count=2), shape=(2,)),
        "2^62 numbers stored": tensor(stored(count=_HUGE)),
        "a number of numbers that is a text": tensor(stored(count="4")),
        "a file that is not there": tensor(stored(key="1")),
        "a file above": tensor(stored(key="../../../etc/passwd")),
        "a file that is the pickle": tensor(stored(key="../data.pkl")),
        "a kind that is a function": tensor(stored(kind=REBUILD)),
        "a kind that is a class": tensor(stored(kind=ORDERED)),
        "nothing persistent": in_a_dict(b"NQ"),
        "an empty persistent name": in_a_dict(b")Q"),
        "a sparse one of 2^62": called(sparse, Name("torch", "sparse_coo"), (1, 2, (_HUGE,))),
        "a parameter of a text": called(parameter, "w", True, {}),
        "items set in a tensor": tensor() + b"(" + number(0) + b"K\x01u",
        "items added to a tensor": tensor() + b"(K\x01e",
        "a state set in a tensor": tensor() + constant((1, 2, 3)) + b"b",
        "a state set in a dict": ORDERED.global_() + b")R}" + text("__class__") + b"Nsb",
        "a list for numbers": constant([1.0 > 0, 2]),
    }
    return {
        name: value if value.startswith(b"\x80") else in_a_dict(value)
        for name, value in tensors.items()
    }


def oddities() -> dict[str, bytes]:
    """Pickles of the tensor "w" with lies that nobody who reads by place is misled by."""
    tensors = {
        "a stride below zero": tensor(strides=(-1,)),
        "numbers stored below zero": tensor(stored(count=-4)),
        "a key that is a number": tensor(stored(key=0)),
        "a device that is not there": tensor(stored(place="cuda:99")),
        "a device of no name": tensor(stored(place="\0")),
    }
    return {name: in_a_dict(value) for name, value in tensors.items()}
