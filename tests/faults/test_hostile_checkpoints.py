"""No file that is given out as a model's runs anything, and each is refused in words."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_archives import oddities
from hostile_files import hostile_checkpoints, hostile_safetensors
from hostile_gadgets import firing, forms
from pickles_by_hand import GOOD, archive

from engine.api import UNPICKLING_EXIT_CODE
from engine.checkpoint.tensors import TensorRecord, index_safetensors, read_tensor
from engine.checkpoint.zip_archive import read_directory
from engine.errors import ModelFileError
from engine.jail import JailLevel, probe

ROOT = Path(__file__).parents[2]
SECONDS_FOR_ONE = 20
MEGABYTES_FOR_ONE = 3000

# The reading process as it is but for the jail, which would hide that something tries to run.
UNLOCKED = """
import resource, sys
from pathlib import Path
from engine.checkpoint import torch_archive

def limit_memory(**_):
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + 2**30
    resource.setrlimit(resource.RLIMIT_AS, (most, most))

torch_archive.lock_up = limit_memory
torch_archive.main(sys.argv[1:])
"""

ONE_BY_ONE = """
import json, resource, sys, time
from pathlib import Path
from engine.checkpoint.torch_archive import index_archives
from engine.errors import ModelFileError

for argument in sys.argv[1:]:
    begin = time.monotonic()
    try:
        sys.exit(str(index_archives([Path(argument)])))
    except ModelFileError as error:
        print(json.dumps([error.message, time.monotonic() - begin]))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""

PLAIN = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"


def run(program, *arguments, timeout=300):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True, env=environment, timeout=timeout, check=False,
    )  # fmt: skip


def written(folder, contents):
    """The files `contents` in `folder`, by their names."""
    files = {}
    for number, (name, data) in enumerate(contents.items()):
        files[name] = folder / f"{number:03}.pt"
        files[name].write_bytes(data)
    return files


def survivors_of_a_look(files):
    """Those files that are not refused before a process is started for them."""
    left = {}
    for name, path in files.items():
        try:
            read_directory(path)
        except ModelFileError:
            continue
        left[name] = path
    return left


def answers(program, files):
    """What a reading process says of each of `files`; None where it ended with that one."""
    waiting = dict(files)
    found = {}
    while waiting:
        result = run(program, *waiting.values())
        lines = result.stdout.splitlines()
        for name, line in zip(list(waiting), lines, strict=False):
            found[name] = json.loads(line)
            del waiting[name]
        if waiting:
            name = next(iter(waiting))
            found[name] = None
            del waiting[name]
    return found


def chosen(contents, count):
    """`count` of `contents`, of all kinds, the same every time."""
    names = random.Random(0).sample(sorted(contents), min(count, len(contents)))
    return {name: contents[name] for name in names}


@pytest.mark.fault(1, 2, 3, 4, 5)
@pytest.mark.timeout(0)
def test_nothing_runs_and_everything_is_refused_even_without_a_jail(tmp_path, rounds):
    canary = tmp_path / "canary"
    every = hostile_checkpoints(canary)
    contents = chosen(every, rounds.wanted(small=60, large=len(every)))
    assert len(every) >= 300
    members = {"data/0": struct.pack("<4f", 1, 2, 3, 4), "version": b"3\n"}
    read = {"good": GOOD, **oddities()}
    contents |= {name: archive(data, members=members) for name, data in read.items()}
    files = written(tmp_path, contents)

    found = answers(UNLOCKED, survivors_of_a_look(files))

    accepted = {name: answer for name, answer in found.items() if answer and "tensors" in answer}
    assert set(accepted) == set(read)
    for name, answer in accepted.items():  # and it is read where the archive has it
        ((_, offset, dtype, shape),) = answer["tensors"]
        record = TensorRecord(file=files[name], offset=offset, dtype=dtype, shape=tuple(shape))
        assert read_tensor(record).tolist() == [1, 2, 3, 4]
    assert not canary.exists()
    rounds.done(len(contents) - len(read))


@pytest.mark.fault(1, 2, 3, 4)
@pytest.mark.timeout(0)
def test_each_is_refused_by_name_in_seconds_and_in_bounded_memory(tmp_path, rounds):
    canary = tmp_path / "canary"
    every = hostile_checkpoints(canary)
    worst = {
        name: every[f"bomb: {name}"]
        for name in ("dicts that multiply", "four thousand million bytes", "dicts in dicts")
    }
    contents = chosen(worst, 1) | chosen(every, rounds.wanted(small=0, large=40))
    files = written(tmp_path, contents)
    result = run(ONE_BY_ONE, *files.values(), timeout=3600)
    assert result.returncode == 0, result.stderr.decode()
    *refusals, peak = map(json.loads, result.stdout.splitlines())
    for path, (message, seconds) in zip(files.values(), refusals, strict=True):
        assert message.startswith(str(path))
        assert seconds < SECONDS_FOR_ONE
        rounds.done()
    assert peak < MEGABYTES_FOR_ONE
    assert not canary.exists()


@pytest.mark.slow
@pytest.mark.fault(1)
def test_the_gadgets_are_real_python_s_own_unpickler_obeys_them(tmp_path, rounds):
    canary = tmp_path / "canary"
    real = {name[2:]: data for name, data in forms(canary).items() if name.startswith("!")}
    del real["by way of torch"], real["by way of collections"], real["as a name"]
    for data in (firing(canary) | real).values():
        (tmp_path / "evil.pkl").write_bytes(data.replace(b"Q", b"0N"))
        run(PLAIN, tmp_path / "evil.pkl")
        assert canary.exists() or canary.is_symlink(), data
        canary.rmdir() if canary.is_dir() else canary.unlink()
        rounds.done()


@pytest.mark.fault(5)
def test_hostile_safetensors_are_refused_by_name(tmp_path, rounds):
    path = tmp_path / "weights.safetensors"
    for name, data in hostile_safetensors(tmp_path / "canary").items():
        path.write_bytes(data)
        with pytest.raises(ModelFileError, match=r"weights\.safetensors"):
            print(name, index_safetensors(path))
        rounds.done()
    assert not (tmp_path / "canary").exists()


@pytest.mark.fault(1)
@pytest.mark.skipif(
    probe() is not JailLevel.FULL, reason="this kernel has no Landlock or no seccomp filters"
)
def test_the_reading_process_can_open_its_files_and_do_no_more(tmp_path):
    secret, own = tmp_path / "secret", tmp_path / "own.pt"
    secret.write_text("secret")
    good = archive(GOOD)
    own.write_bytes(good)
    program = f"""
import json, os, socket, subprocess, sys
from pathlib import Path
from engine.checkpoint import torch_archive

def tried(action):
    try:
        action()
    except Exception as error:
        return type(error).__name__
    return "done"

def index(path):
    raise torch_archive.ModelFileError(json.dumps([
        tried(lambda: path.read_bytes()),
        tried(lambda: Path({str(secret)!r}).read_text()),
        tried(lambda: Path({str(tmp_path / "new")!r}).write_text("")),
        tried(lambda: path.write_bytes(b"")),
        tried(lambda: os.listdir("/")),
        tried(lambda: socket.socket()),
        tried(lambda: subprocess.run(["true"])),
        tried(os.fork),
        tried(lambda: bytearray(3 * 2**30)),
    ]))

torch_archive._index = index
torch_archive._import_all = lambda: None
torch_archive.main(sys.argv[1:])
"""
    result = run(program, own)
    denied = "PermissionError"
    assert json.loads(json.loads(result.stdout)["error"]) == [
        "done", denied, denied, denied, denied, denied, denied, denied, "MemoryError",
    ]  # fmt: skip
    assert own.read_bytes() == good


@pytest.mark.fault(1)
@pytest.mark.parametrize("unpickler", ["_pickle", "pickle"])
def test_a_guarded_process_ends_before_anything_of_a_pickle_runs(tmp_path, unpickler):
    (tmp_path / "evil.pkl").write_bytes(firing(tmp_path / "canary")["os.system"])
    program = f"""
import pickle, sys
import {unpickler}
from engine.unpickling_guard import forbid_unpickling
forbid_unpickling()
load = pickle._load if {unpickler!r} == "pickle" else _pickle.load
try:
    load(open(sys.argv[1], "rb"))
except BaseException:
    print("went on")
"""
    result = run(program, tmp_path / "evil.pkl")
    assert result.returncode == UNPICKLING_EXIT_CODE
    assert result.stdout == b""
    assert b"asked for 'os.system'" in result.stderr
    assert not (tmp_path / "canary").exists()
