from __future__ import annotations

import json
import random
import sys
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from engine.checkpoint.safetensors_writer import (
    copied_tensors,
    safetensors_bytes,
    write_safetensors,
)
from engine.checkpoint.tensors import (
    CHUNK_BYTES,
    SAFETENSORS_CODES,
    TensorRecord,
    index_safetensors,
    read_chunks,
    read_tensor,
)
from engine.errors import Cancelled, ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


def no_progress(_: int) -> None:
    pass


def tensors_of_every_type() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for name in SAFETENSORS_CODES:
        bits = torch.randint(0, 256, (3, 5, 8), dtype=torch.uint8, generator=generator)
        if name == "bool":
            bits = bits % 2
        tensors[name] = bits.view(getattr(torch, name))
    return {
        **tensors,
        "scalar": torch.tensor(1.5),
        "empty": torch.empty(0, 7, dtype=torch.float16),
        "имя": torch.ones(1),
    }


def same_bits(one: Tensor, other: Tensor) -> bool:
    """Also where the numbers are not numbers, and so not equal to themselves."""
    return (one.dtype, one.shape) == (other.dtype, other.shape) and one.contiguous().reshape(
        -1
    ).view(torch.uint8).tolist() == other.contiguous().reshape(-1).view(torch.uint8).tolist()


def test_index_and_read_give_every_type_bit_by_bit(tmp_path: Path) -> None:
    tensors = tensors_of_every_type()
    save_file(tensors, tmp_path / "a.safetensors")

    records = index_safetensors(tmp_path / "a.safetensors")

    assert set(records) == set(tensors)
    for name, tensor in tensors.items():
        assert same_bits(read_tensor(records[name]), tensor), name


def test_writing_changes_no_bit_of_any_type_and_the_library_reads_it(tmp_path: Path) -> None:
    tensors = tensors_of_every_type()
    save_file(tensors, tmp_path / "a.safetensors")
    streams = copied_tensors(index_safetensors(tmp_path / "a.safetensors"))

    digest = write_safetensors(tmp_path / "b.safetensors", streams, no_progress)

    assert digest.size == (tmp_path / "b.safetensors").stat().st_size == safetensors_bytes(streams)
    loaded = load_file(tmp_path / "b.safetensors")
    assert set(loaded) == set(tensors)
    for name, tensor in tensors.items():
        assert same_bits(loaded[name], tensor), name
    with safe_open(tmp_path / "b.safetensors", framework="pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_every_tensor_that_is_written_is_aligned_to_its_elements(tmp_path: Path) -> None:
    save_file(
        {
            "a": torch.ones(3, dtype=torch.int8),
            "b": torch.ones(3, dtype=torch.float16),
            "c": torch.ones(3, dtype=torch.float64),
        },
        tmp_path / "a.safetensors",
    )
    streams = copied_tensors(dict(reversed(index_safetensors(tmp_path / "a.safetensors").items())))
    write_safetensors(tmp_path / "b.safetensors", streams, no_progress)
    for record in index_safetensors(tmp_path / "b.safetensors").values():
        assert record.offset % read_tensor(record).element_size() == 0


def test_a_tensor_larger_than_a_chunk_is_read_in_chunks(tmp_path: Path) -> None:
    contents = random.Random(0).randbytes(CHUNK_BYTES * 2 + 17)
    (tmp_path / "a").write_bytes(b"xyz" + contents)
    record = TensorRecord(file=tmp_path / "a", offset=3, dtype="uint8", shape=(len(contents),))
    chunks = [bytes(chunk) for chunk in read_chunks(record)]
    assert [len(chunk) for chunk in chunks] == [CHUNK_BYTES, CHUNK_BYTES, 17]
    assert b"".join(chunks) == contents == read_tensor(record).numpy().tobytes()


@pytest.mark.fault(7)
def test_reading_beyond_the_end_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(bytes(10))
    record = TensorRecord(file=tmp_path / "short", offset=4, dtype="float32", shape=(2,))
    with pytest.raises(ModelFileError, match=r"short is cut off: .* byte 12, .* at 10"):
        read_tensor(record)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"gone\.safetensors cannot be read: No such file"):
        index_safetensors(tmp_path / "gone.safetensors")


@pytest.mark.fault(6)
def test_safetensors_cut_off_anywhere_are_refused_by_name(tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    save_file(tensors_of_every_type(), whole)
    contents = whole.read_bytes()
    cut = tmp_path / "cut.safetensors"
    for offset in [*range(12), *range(12, len(contents), 37), len(contents) - 1]:
        cut.write_bytes(contents[:offset])
        with pytest.raises(ModelFileError, match=r"cut\.safetensors"):
            index_safetensors(cut)
    cut.write_bytes(contents + b"\0")
    with pytest.raises(ModelFileError, match="1 more than its header says"):
        index_safetensors(cut)


def test_a_flipped_bit_in_a_header_is_refused_or_moves_no_tensor(tmp_path: Path) -> None:
    whole = tmp_path / "whole.safetensors"
    save_file(tensors_of_every_type(), whole)
    contents = whole.read_bytes()
    header_bytes = 8 + int.from_bytes(contents[:8], "little")
    before = sorted(record.offset for record in index_safetensors(whole).values())
    flipped = tmp_path / "flipped.safetensors"
    for bit in random.Random(0).sample(range(header_bytes * 8), 400):
        damaged = bytearray(contents)
        damaged[bit // 8] ^= 1 << bit % 8
        flipped.write_bytes(damaged)
        try:
            records = index_safetensors(flipped)
        except ModelFileError as error:
            complaint = error.message
        else:
            complaint = None
            assert sorted(record.offset for record in records.values()) == before
        assert complaint is None or "flipped.safetensors" in complaint


@pytest.mark.fault(3)
@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [1, 5]}}, "begins at byte"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}, "takes 8 bytes"),
        ({"a": {"dtype": "F32", "shape": [-1, -1], "data_offsets": [0, 4]}}, "valid shape"),
        ({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, "valid shape"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 8]}}, "valid shape"),
        ({"a": {"dtype": "X9", "shape": [1], "data_offsets": [0, 4]}}, "unknown type 'X9'"),
        ({"a": {"dtype": "F32", "shape": [1]}}, "no type, shape and place for 'a'"),
        ({"a": 3}, "no type, shape and place for 'a'"),
        ([], "not a JSON object"),
        (
            {
                "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
                "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            },
            "'b' begins at byte",
        ),
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, header: object, complaint: str) -> None:
    text = json.dumps(header).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    with pytest.raises(ModelFileError, match=complaint):
        index_safetensors(path)


def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    entry = b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    text = b"{" + entry + b"," + entry + b"}"
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    with pytest.raises(ModelFileError, match="not valid JSON") as caught:
        index_safetensors(path)
    assert "twice" in caught.value.detail


@pytest.mark.parametrize("left_bytes", [0, 1, 1000, 20_000, 10**6])
def test_what_an_interrupted_write_left_is_not_trusted(tmp_path: Path, left_bytes: int) -> None:
    save_file({"a": torch.rand(100, 100), "b": torch.rand(50, 3)}, tmp_path / "a.safetensors")
    streams = copied_tensors(index_safetensors(tmp_path / "a.safetensors"))
    whole = write_safetensors(tmp_path / "whole.safetensors", streams, no_progress)
    contents = (tmp_path / "whole.safetensors").read_bytes()

    left = bytearray(contents[:left_bytes]) + bytes(max(0, left_bytes - len(contents)))
    for position in range(0, len(left), 777):
        left[position] ^= 0xFF
    (tmp_path / "b.safetensors.partial").write_bytes(left)
    digest = write_safetensors(tmp_path / "b.safetensors", streams, no_progress)

    assert digest == whole
    assert (tmp_path / "b.safetensors").read_bytes() == contents
    assert not (tmp_path / "b.safetensors.partial").exists()


def test_a_cancelled_write_leaves_only_the_partial_file(tmp_path: Path) -> None:
    save_file({f"{i}": torch.rand(100) for i in range(10)}, tmp_path / "a.safetensors")
    streams = copied_tensors(index_safetensors(tmp_path / "a.safetensors"))
    done = 0

    def cancel_in_the_middle(count: int) -> None:
        nonlocal done
        done += count
        if done > 2000:
            raise Cancelled

    with pytest.raises(Cancelled):
        write_safetensors(tmp_path / "b.safetensors", streams, cancel_in_the_middle)
    assert not (tmp_path / "b.safetensors").exists()
    partial = (tmp_path / "b.safetensors.partial").read_bytes()

    write_safetensors(tmp_path / "b.safetensors", streams, no_progress)
    assert len(partial) > 2000
    assert (tmp_path / "b.safetensors").read_bytes().startswith(partial)


def test_a_folder_that_does_not_exist_is_named_when_writing(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"nowhere.*cannot be written: No such file"):
        write_safetensors(tmp_path / "nowhere" / "a.safetensors", [], no_progress)


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of files there")
def test_a_disk_that_refuses_is_told_and_gone_on_from(tmp_path: Path) -> None:
    import resource

    save_file({"a": torch.rand(100, 100)}, tmp_path / "a.safetensors")
    streams = copied_tensors(index_safetensors(tmp_path / "a.safetensors"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(ModelFileError, match=r"b\.safetensors cannot be written: File too lar"):
            write_safetensors(tmp_path / "b.safetensors", streams, no_progress)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "b.safetensors").exists()
    write_safetensors(tmp_path / "b.safetensors", streams, no_progress)
    assert torch.equal(*(load_file(tmp_path / f"{name}.safetensors")["a"] for name in "ab"))
