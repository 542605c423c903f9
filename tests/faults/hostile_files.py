"""All hostile files by their names: what they hold, given the path of the canary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hostile_archives import bombs, dishonest, evil_pickle, no_archives, shapes
from hostile_gadgets import firing, forms, named
from pickles_by_hand import archive

if TYPE_CHECKING:
    from pathlib import Path


def hostile_checkpoints(canary: Path) -> dict[str, bytes]:
    """Files that are given out as `.pt` files."""
    pickles = {
        **{f"calls {name}": value for name, value in firing(canary).items()},
        **{f"names {name}": value for name, value in named(canary).items()},
        **{f"asks {name}": value for name, value in forms(canary).items()},
        **{f"bomb: {name}": value for name, value in bombs(canary).items()},
        **{f"tensor: {name}": value for name, value in shapes(canary).items()},
    }
    return {
        **{name: archive(value) for name, value in pickles.items()},
        **{f"archive: {name}": value for name, value in dishonest(canary).items()},
        **{f"no archive: {name}": value for name, value in no_archives(canary).items()},
    }


def hostile_safetensors(canary: Path) -> dict[str, bytes]:
    """Files that are given out as `.safetensors`."""

    def headed(header: object, data: bytes = b"", *, length: int | None = None) -> bytes:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        return (len(text) if length is None else length).to_bytes(8, "little") + text + data

    def entry(**changes: object) -> dict[str, object]:
        plain: dict[str, object] = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
        return {"w": {**plain, **changes}}

    return {
        "a pickle": evil_pickle(canary),
        "an archive": archive(evil_pickle(canary)),
        "a header of 2^64": headed({}, length=2**64 - 1),
        "a header of 100 GB": headed({}, length=10**11),
        "a header that is cut off": headed(entry(), length=200),
        "a header of lists in lists": headed(b"[" * 200_000),
        "a header of dicts in dicts": headed(b'{"a":' * 200_000),
        "a header that is a list": headed([1, 2]),
        "a header that is no JSON": headed(b"{'w': 1}"),
        "a header that is no text": headed(b"\xff\xfe{}"),
        "a name twice": headed(b'{"w":' + json.dumps(entry()["w"]).encode() + b',"w":1}', bytes(4)),
        "an unknown type": headed(entry(dtype="F128"), bytes(4)),
        "a type that is a list": headed(entry(dtype=["F32"]), bytes(4)),
        "a side below zero": headed(entry(shape=[-1]), bytes(4)),
        "a side of 2^63": headed(entry(shape=[2**63]), bytes(4)),
        "sides whose product is 2^64": headed(entry(shape=[2**32, 2**32]), bytes(4)),
        "a side that is true": headed(entry(shape=[True]), bytes(4)),
        "a side that is no whole number": headed(entry(shape=[1.0]), bytes(4)),
        "a place below zero": headed(entry(data_offsets=[-4, 0]), bytes(4)),
        "a place beyond the end": headed(entry(data_offsets=[10**9, 10**9 + 4]), bytes(4)),
        "a place that ends before it begins": headed(entry(data_offsets=[4, 0]), bytes(4)),
        "a hole": headed(entry(data_offsets=[4, 8]), bytes(8)),
        "an overlap": headed({**entry(), "v": entry()["w"]}, bytes(4)),
        "more bytes than are named": headed(entry(), bytes(5)),
        "fewer bytes than are named": headed(entry(), bytes(3)),
        "a number of a million digits": headed(
            b'{"w":{"dtype":"F32","shape":[' + b"9" * 10**6 + b'],"data_offsets":[0,4]}}', bytes(4)
        ),
    }
