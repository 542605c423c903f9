from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file

from engine.checkpoint.tensors import SAFETENSORS_CODES, read_tensor
from engine.checkpoint.torch_archive import index_archives, read_archives
from engine.checkpoint.zip_archive import check_contents, read_directory
from engine.errors import Cancelled, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

ROOT = Path(__file__).parents[2]


def no_progress(_: int) -> None:
    pass


def answers(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """What the reading process says of each file."""
    command = [sys.executable, "-m", "engine.checkpoint.torch_archive", *map(str, paths)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return [json.loads(line) for line in result.stdout.splitlines()]


def every_type() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    bits = torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8, generator=generator)
    tensors = {
        name: bits.view(getattr(torch, name)).clone()
        for name in SAFETENSORS_CODES
        if name != "bool"
    }
    return {**tensors, "bool": bits < 100, "scalar": torch.tensor(2.5), "empty": torch.empty(0, 3)}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "whole.pt"
    network = {"a.weight": torch.rand(30, 20), "b": torch.rand(7).half()}
    torch.save({"unet": network, "null_embedding": torch.rand(64)}, path)
    return path


def test_reading_gives_every_type_bit_by_bit_under_its_nested_name(tmp_path: Path) -> None:
    tied = torch.rand(6, 5)
    contents = {
        "unet": every_type(),
        "deep": {"er": {"x": torch.nn.Parameter(torch.ones(2))}},
        "tied": tied,
        "part": tied[2:4],
        "module": torch.nn.Linear(3, 2).state_dict(),  # an OrderedDict with metadata
    }
    torch.save(contents, tmp_path / "a.pt")
    torch.save({"other": torch.arange(3)}, tmp_path / "b.pt")
    checked = 0

    def count(num_bytes: int) -> None:
        nonlocal checked
        checked += num_bytes

    archives = read_archives([tmp_path / "a.pt", tmp_path / "b.pt"], count)

    assert checked == sum((tmp_path / name).stat().st_size for name in ("a.pt", "b.pt"))
    assert list(archives[tmp_path / "b.pt"]) == ["other"]
    found = archives[tmp_path / "a.pt"]
    expected = {f"unet.{name}": tensor for name, tensor in contents["unet"].items()}
    expected |= {f"module.{name}": tensor for name, tensor in contents["module"].items()}
    expected |= {"deep.er.x": torch.ones(2), "tied": tied, "part": tied[2:4]}
    assert set(found) == set(expected)
    for name, tensor in expected.items():
        read = read_tensor(found[name])
        assert (read.dtype, read.shape) == (tensor.dtype, tensor.shape), name
        as_bytes = [t.contiguous().reshape(-1).view(torch.uint8) for t in (read, tensor)]
        assert torch.equal(*as_bytes), name


def test_an_archive_as_large_as_the_released_ones_is_indexed(tmp_path: Path) -> None:
    """The file has holes where its numbers would be, so that it takes no room."""
    path = tmp_path / "t2v.pt"
    shape = (1 << 15, 1 << 15)
    with torch.serialization.skip_data():  # nobody touches the tensors' memory, either
        torch.save({name: torch.empty(shape, dtype=torch.float16) for name in "abcde"}, path)
    assert path.stat().st_size > 10e9
    assert 512 * path.stat().st_blocks < 1e6
    records = index_archives([path])[path]
    assert {name: record.shape for name, record in records.items()} == dict.fromkeys("abcde", shape)


def test_archives_are_read_by_a_process_that_the_current_folder_cannot_mislead(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = tmp_path / "trap"
    trap.mkdir()
    for name in ("torch", "zipfile", "json", "engine"):
        (trap / f"{name}.py").write_text("raise SystemExit('misled')")
    monkeypatch.chdir(trap)
    assert len(index_archives([archive])[archive]) == 3


class Gadget:
    """Runs a program when it is unpickled."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self.command,)


@pytest.mark.fault(1)
def test_a_pickle_that_asks_for_a_program_is_refused_by_name_and_nothing_runs(
    tmp_path: Path,
) -> None:
    gadget = Gadget(f'mkdir "{tmp_path / "executed"}"')
    torch.save({"unet": {"w": torch.ones(2)}, "null_embedding": gadget}, tmp_path / "evil.pt")
    with pytest.raises(ModelFileError) as caught:
        index_archives([tmp_path / "evil.pt"])
    assert "evil.pt is not a model file" in caught.value.message
    assert f"asks for {os.system.__module__}.system" in caught.value.message

    assert not (tmp_path / "executed").exists()
    pickle.loads(pickle.dumps(gadget))  # it does work where it is let
    assert (tmp_path / "executed").exists()


@pytest.mark.fault(5)
def test_files_that_are_something_else_are_told_apart(tmp_path: Path) -> None:
    transposed = torch.rand(4, 5).T
    with zipfile.ZipFile(tmp_path / "compressed.pt", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", bytes(1000))
    with zipfile.ZipFile(tmp_path / "photos.pt", "w") as file:
        file.writestr("photo.jpg", b"...")
    with zipfile.ZipFile(tmp_path / "protocol_4.pt", "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps({"w": Gadget("exit")}, protocol=4))
    contents: dict[str, object] = {
        "transposed": {"w": transposed},
        "list": [torch.ones(1)],
        "tensor": torch.ones(1),
        "text": {"epoch": "three"},
        "number": {"unet": {"step": 3}},
        "keyed": {0: torch.ones(1)},
        "nothing": {},
        "twice": {"a.b": torch.ones(1), "a": {"b": torch.ones(1)}},
        "complex": {"w": torch.ones(2, dtype=torch.complex64)},
        "sparse": {"w": torch.eye(3).to_sparse()},
    }
    for name, value in contents.items():
        torch.save(value, tmp_path / f"{name}.pt")
    endless: dict[str, object] = {}
    endless["again"] = endless
    torch.save(endless, tmp_path / "endless.pt")
    save_file({"a": torch.ones(2)}, tmp_path / "renamed.pt")
    torch.save({"a": torch.ones(2)}, tmp_path / "legacy.pt", _use_new_zipfile_serialization=False)
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "zeros.pt").write_bytes(bytes(4096))
    (tmp_path / "page.pt").write_bytes(b"\n<!DOCTYPE html><html><body>Sign in</body></html>")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 8300000000\n"
    (tmp_path / "pointer.pt").write_bytes(pointer)
    (tmp_path / "noise.pt").write_bytes(random.Random(0).randbytes(5000))
    complaints = {
        "compressed": "its member archive/data.pkl is compressed",
        "photos": "without the data.pkl",
        "protocol_4": "torch cannot read it",
        "transposed": "'w' do not lie side by side",
        "list": "it holds a list instead of named tensors",
        "tensor": "it holds a Tensor instead of named tensors",
        "text": "'epoch' is a str instead of a tensor",
        "number": "'unet.step' is a int instead of a tensor",
        "keyed": "a name in it is a int instead of a text",
        "nothing": "it holds no tensors",
        "twice": "the name 'a.b' occurs twice",
        "complex": "'w' is of an unsupported kind (torch.strided, complex64)",
        "sparse": "'w' is of an unsupported kind (torch.sparse_coo, float32)",
        "endless": "nested more than 8 deep",
        "renamed": "a safetensors file with another name",
        "legacy": "a bare pickle",
        "empty": "it is empty",
        "zeros": "begins with zeros",
        "page": "it is a web page",
        "pointer": "a git-lfs pointer",
        "noise": "an archive was expected, and it begins with",
        "missing": "cannot be read: No such file",
    }
    paths = [tmp_path / f"{name}.pt" for name in complaints]
    for path, answer, complaint in zip(paths, answers(paths), complaints.values(), strict=True):
        assert answer["error"].startswith(str(path))
        assert complaint in answer["error"]


@pytest.mark.fault(6)
def test_an_archive_cut_off_anywhere_is_refused_by_name(archive: Path, tmp_path: Path) -> None:
    contents = archive.read_bytes()
    cut = tmp_path / "cut.pt"
    for step in range(20):
        cut.write_bytes(contents[: len(contents) * step // 20])
        with pytest.raises(ModelFileError, match=r"cut\.pt is "):
            index_archives([cut])
    cut.write_bytes(contents[:-1])
    with pytest.raises(ModelFileError, match=r"cut\.pt is damaged or cut off"):
        index_archives([cut])


def test_a_damaged_member_is_named(archive: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.pt"
    for member in read_directory(archive):
        if not member.size:
            continue
        contents = bytearray(archive.read_bytes())
        contents[member.offset + member.size // 2] ^= 0x10
        damaged.write_bytes(contents)
        with pytest.raises(ModelFileError, match=rf"damaged\.pt is damaged.* {member.name} is"):
            check_contents(damaged, no_progress)


@pytest.mark.fault(6)
def test_a_flipped_bit_is_found_or_changes_nothing_that_is_read(
    archive: Path, tmp_path: Path
) -> None:
    contents = archive.read_bytes()
    (pickled,) = [member for member in read_directory(archive) if member.name.endswith("data.pkl")]
    harmful = tmp_path / "harmful.pt"
    harmful.write_bytes(contents[: pickled.offset + 40] + b"?" + contents[pickled.offset + 41 :])
    survivors = [archive, harmful]
    for bit in random.Random(0).sample(range(len(contents) * 8), 1500):
        damaged = bytearray(contents)
        damaged[bit // 8] ^= 1 << bit % 8
        path = tmp_path / f"flipped_{bit}.pt"
        path.write_bytes(damaged)
        try:
            check_contents(path, no_progress)
        except ModelFileError as error:
            complaint = error.message
        else:
            complaint = str(path)
            survivors.append(path)
        assert complaint.startswith(str(path))
    assert len(survivors) > 100  # bits of padding, names and times that nothing depends on
    whole, refused, *others = answers(survivors)
    assert "the CRC-32 of whole/data.pkl does not match" in refused["error"]  # before torch saw it
    for answer in others:
        assert answer.get("tensors") == whole["tensors"] or "error" in answer


def test_the_sha_256_of_an_archive_is_that_of_the_file(archive: Path) -> None:
    import hashlib

    assert check_contents(archive, no_progress) == hashlib.sha256(archive.read_bytes()).hexdigest()


def test_cancelling_ends_the_check_of_an_archive(archive: Path) -> None:
    def cancel(_: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read_archives([archive], cancel)


def test_a_reading_process_that_dies_is_reported_with_the_file(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", "import sys; sys.stderr.write('last words'); sys.exit(3)"]
    monkeypatch.setattr("engine.checkpoint.torch_archive.own_command", lambda _: command)
    with pytest.raises(ModelFileError, match=r"whole\.pt cannot be read.* code 3") as caught:
        index_archives([archive])
    assert caught.value.detail == "last words"
