"""Indexes `.pt` files in a process of its own, which is the only place where torch reads pickles.

`python -m engine.checkpoint.torch_archive FILE...` answers one JSON object a line, a file each: the
place, type and shape of every tensor, or what is wrong with the file. Tensors are read by their
place, so nothing else of the project ever unpickles. The process can open these files and nothing
else (see `engine.jail`), and a file that crashes torch crashes that process only.
"""

from __future__ import annotations

import codecs
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from engine.api.own_module import own_command
from engine.checkpoint.tensors import ITEM_BYTES, TensorRecord
from engine.checkpoint.zip_archive import check_contents, read_directory, read_member
from engine.errors import ModelFileError
from engine.jail import lock_up
from engine.own_process import CREATION_FLAGS, own_environment
from engine.process_bonds import end_with_parent
from engine.unpickling_guard import forbid_unpickling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import torch

    from engine.checkpoint.zip_archive import ArchiveMember

_MEMORY_BYTES = 2 * 2**30
"""Beyond what torch itself takes, and a file that is mapped; an index of ten thousand tensors takes
some megabytes."""
_CPU_SECONDS = 120
_FILE_BYTES = 1 << 20  # it writes no files; what a library prints goes into one
_MAX_PICKLE_BYTES = 64 * 2**20
_MAX_DEPTH = 8
_MAX_SIDES = 16
_MAX_NAMES = 100_000
_MAX_NAME_CHARACTERS = 1000
_Entry = tuple[str, int, str, list[int]]


def read_archives(
    paths: Sequence[Path], on_progress: Callable[[int], None]
) -> dict[Path, dict[str, TensorRecord]]:
    """Index the `.pt` files `paths` and compare all of their contents with their checksums.

    Args:
        paths: the files.
        on_progress: told how many more bytes were checked; what it raises ends the reading.

    Returns:
        For every file the tensors by their nested names, joined with ".".

    Raises:
        ModelFileError: a file is not what it should be; the message names it and says why.
    """
    records = index_archives(paths)
    for path in paths:
        check_contents(path, on_progress)
    return records


def index_archives(paths: Sequence[Path]) -> dict[Path, dict[str, TensorRecord]]:
    """Index the `.pt` files `paths`, without a look at the numbers in them.

    Raises:
        ModelFileError: a file is not what it should be; the message names it and says why.
    """
    for path in paths:
        read_directory(path)  # what can be told without starting a process
    if not paths:
        return {}
    command = [*own_command(__name__), *(str(path) for path in paths)]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=own_environment(),
            creationflags=CREATION_FLAGS,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            lines = [line for _, line in zip(paths, process.stdout, strict=False)]
            process.wait()
        finally:
            process.kill()
        errors.seek(0)
        complaint = errors.read()[-4000:].decode(errors="replace")
    if len(lines) != len(paths):
        path = paths[len(lines)]
        raise ModelFileError(
            f"{path} cannot be read: the process that reads it ended with code "
            f"{process.returncode}. The file may be damaged; download it again.",
            detail=complaint,
        )
    return {path: _parse_answer(path, line) for path, line in zip(paths, lines, strict=True)}


def _parse_answer(path: Path, line: bytes) -> dict[str, TensorRecord]:
    answer = cast("dict[str, Any]", json.loads(line))
    if "error" in answer:
        raise ModelFileError(answer["error"], detail=answer["detail"])
    entries = cast("list[_Entry]", answer["tensors"])
    return {
        name: TensorRecord(file=path, offset=offset, dtype=dtype, shape=tuple(shape))
        for name, offset, dtype, shape in entries
    }


def main(arguments: Sequence[str]) -> None:
    """Answer a line of JSON for every file of `arguments`: its tensors, or why it is refused."""
    end_with_parent()
    forbid_unpickling()
    _import_all()
    paths = [Path(argument) for argument in arguments]
    sizes = [path.stat().st_size for path in paths if path.is_file()]
    lock_up(
        readable=paths,
        # A mapped file takes as much of the address space, and none of the memory.
        memory_bytes=_MEMORY_BYTES + max(sizes, default=0),
        cpu_seconds=_CPU_SECONDS,
        file_bytes=_FILE_BYTES,
    )
    for path in paths:
        answer: dict[str, object]
        try:
            answer = {"tensors": _index(path)}
        except ModelFileError as error:
            answer = {"error": error.message, "detail": error.detail}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _import_all() -> None:
    """Read an archive once, since some parts of torch and Python are imported when first needed."""
    import torch

    codecs.lookup("cp437")  # of the names in archives
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.pt"
        torch.save({"small": torch.zeros(1)}, path)
        _index(path)


def _index(path: Path) -> list[_Entry]:
    members = read_directory(path)
    _check_pickle(path, members)
    places = {member.offset: member for member in members}
    contents = _load(path)
    if not isinstance(contents, dict):
        raise _foreign(path, f"it holds a {type(contents).__name__} instead of named tensors")
    entries: dict[str, _Entry] = {}
    named = cast("dict[object, object]", contents)
    _check_extent(path, named)
    for name, tensor in _flatten(path, named, ""):
        if name in entries:
            raise _foreign(path, f"the name {name!r} occurs twice in it")
        entries[name] = _locate(path, name, tensor, places)
    if not entries:
        raise _foreign(path, "it holds no tensors")
    return list(entries.values())


def _check_pickle(path: Path, members: Iterable[ArchiveMember]) -> None:
    """Check what torch reads before any tensor; it does not look at the CRC-32 itself."""
    names = {member.name.partition("/")[2]: member for member in members}
    if "data.pkl" not in names:
        raise _foreign(path, "it is an archive without the data.pkl that torch puts into one")
    if names["data.pkl"].size > _MAX_PICKLE_BYTES:
        raise _foreign(path, f"its data.pkl has {names['data.pkl'].size} bytes")
    read_member(path, names["data.pkl"])
    if "byteorder" in names and read_member(path, names["byteorder"]) != b"little":
        raise _foreign(path, "it was not written with the least significant byte first")


def _load(path: Path) -> object:
    """Unpickle with tensors that have a place and no contents. In the reading process only."""
    import torch
    from torch.serialization import get_unsafe_globals_in_checkpoint

    try:
        forbidden = sorted(get_unsafe_globals_in_checkpoint(str(path)))
        if not forbidden:
            return torch.load(path, map_location="meta", weights_only=True, mmap=True)
    # Whatever a damaged pickle makes torch stumble over, the file is the reason.
    except Exception as error:
        raise _foreign(path, "torch cannot read it", detail=repr(error)) from error
    raise _foreign(
        path,
        f"it asks for {', '.join(forbidden)}, which tensors do not need and which could run "
        "a program. Nothing of it was run",
    )


def _check_extent(path: Path, contents: dict[object, object]) -> None:
    """The names that `contents` would be given are not too many, nor too long.

    A few bytes can say that a dict holds another one a thousand times, which does so again.
    """
    left = _MAX_NAMES
    waiting: list[tuple[dict[object, object], int, int]] = [(contents, 0, 0)]
    while waiting:
        inner, length, depth = waiting.pop()
        left -= len(inner)
        lengths = (len(key) for key in inner if isinstance(key, str))
        longest = length + max(lengths, default=0) + 1
        if left < 0 or longest > _MAX_NAME_CHARACTERS or depth > _MAX_DEPTH:
            raise _foreign(
                path,
                f"it holds more than {_MAX_NAMES} names, names of more than "
                f"{_MAX_NAME_CHARACTERS} characters, or names nested more than {_MAX_DEPTH} deep",
            )
        waiting += [
            (cast("dict[object, object]", value), longest, depth + 1)
            for value in inner.values()
            if isinstance(value, dict)
        ]


def _flatten(
    path: Path, contents: dict[object, object], prefix: str
) -> Iterator[tuple[str, torch.Tensor]]:
    import torch

    for key, value in contents.items():
        if not isinstance(key, str):
            raise _foreign(path, f"a name in it is a {type(key).__name__} instead of a text")
        if not key.isprintable():
            raise _foreign(path, "a name in it has letters that cannot be printed")
        name = f"{prefix}{key}"
        if isinstance(value, torch.Tensor):
            yield name, value
        elif isinstance(value, dict):
            inner = cast("dict[object, object]", value)
            yield from _flatten(path, inner, f"{name}.")
        else:
            raise _foreign(path, f"{name!r} is a {type(value).__name__} instead of a tensor")


def _locate(
    path: Path, name: str, tensor: torch.Tensor, places: dict[int, ArchiveMember]
) -> _Entry:
    """Where `tensor` lies in the file, which must be inside the member that it is stored in."""
    import torch

    dtype = str(tensor.dtype).removeprefix("torch.")
    if tensor.layout is not torch.strided or tensor.is_quantized or dtype not in ITEM_BYTES:
        raise _foreign(path, f"{name!r} is of an unsupported kind ({tensor.layout}, {dtype})")
    if not tensor.is_contiguous() or tensor.dim() > _MAX_SIDES:
        raise _foreign(path, f"the numbers of {name!r} do not lie side by side in it")
    storage = tensor.untyped_storage()
    # torch sets this for tensors without contents; that it is right is checked against the archive.
    member = places.get(cast("int", getattr(storage, "_checkpoint_offset", -1)))
    if member is None or member.size != storage.nbytes():
        raise _foreign(path, f"the numbers of {name!r} are not where its archive says")
    start = int(tensor.storage_offset()) * ITEM_BYTES[dtype]
    if start + tensor.numel() * ITEM_BYTES[dtype] > member.size:
        raise _foreign(path, f"{name!r} reaches beyond the numbers that are stored for it")
    return name, member.offset + start, dtype, list(tensor.shape)


def _foreign(path: Path, reason: str, *, detail: str = "") -> ModelFileError:
    return ModelFileError(
        f"{path} is not a model file that can be used: {reason}. Get the official file.",
        detail=detail,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
