"""Where a tensor lies in a file, and how it is read.

A model's weights are larger than memory, so they travel as records: file, offset, type and shape.
Bytes are read with ordinary reads and never mapped: a mapped file that is cut off kills the
process, a read can be refused.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from engine.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from io import FileIO
    from pathlib import Path
    from types import TracebackType
    from typing import BinaryIO, Self

    import torch

CHUNK_BYTES = 8 * 2**20
"""Bytes that are read, compared or written at a time."""

SAFETENSORS_CODES = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}
"""The names of types in torch, and in a safetensors header."""

ITEM_BYTES = {
    name: 1 if code == "BOOL" or code.startswith("F8") else int(code.lstrip("BFIU")) // 8
    for name, code in SAFETENSORS_CODES.items()
}
"""Bytes of one element, by the name of its type in torch."""

_TORCH_NAMES = {code: name for name, code in SAFETENSORS_CODES.items()}
_MAX_HEADER_BYTES = 100_000_000  # what the format's own reader allows


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorRecord:
    """A tensor that lies contiguously in `file`, `offset` bytes from its start.

    `dtype` is torch's name for the type, such as "float16".
    """

    file: Path
    offset: int
    dtype: str
    shape: tuple[int, ...]

    @property
    def num_bytes(self) -> int:
        """Bytes that the tensor takes in the file."""
        return math.prod(self.shape) * ITEM_BYTES[self.dtype]


def read_tensor(record: TensorRecord) -> torch.Tensor:
    """The tensor of `record`, in memory of its own on the CPU.

    Raises:
        ModelFileError: the file cannot be read, or ends before the tensor does.
    """
    import torch

    buffer = torch.empty(record.num_bytes, dtype=torch.uint8)
    read_into(record, buffer.numpy().data)
    return buffer.view(getattr(torch, record.dtype)).reshape(record.shape)


def read_into(record: TensorRecord, buffer: memoryview, *, start: int = 0) -> None:
    """Fill `buffer` with the bytes of `record` from its byte `start` on.

    Raises:
        ModelFileError: the file cannot be read, or ends before the buffer is full.
    """
    with OpenFiles() as files:
        files.read_into(record, buffer, start=start)


class OpenFiles:
    """Files that stay open from the first read to the end. For one thread at a time."""

    def __init__(self) -> None:
        self._files: dict[Path, FileIO] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def read_into(self, record: TensorRecord, buffer: memoryview, *, start: int = 0) -> None:
        """As the function `read_into`."""
        try:
            if record.file not in self._files:
                self._files[record.file] = record.file.open("rb", buffering=0)
            file = self._files[record.file]
            file.seek(record.offset + start)
            done = 0
            while done < len(buffer):
                count = file.readinto(buffer[done:])
                if not count:
                    raise ModelFileError(
                        f"{record.file} is cut off: a tensor should reach to byte "
                        f"{record.offset + record.num_bytes}, but the file ends at "
                        f"{record.offset + start + done}. Copy or download the file again."
                    )
                done += count
        except OSError as error:
            raise unreadable(record.file, error) from error

    def close(self) -> None:
        """Close all. What is read afterwards is opened again."""
        while self._files:
            self._files.popitem()[1].close()


def read_chunks(record: TensorRecord, chunk_bytes: int = CHUNK_BYTES) -> Iterator[memoryview]:
    """The bytes of `record`, in order; a chunk is valid until the next one is asked for.

    Raises:
        ModelFileError: the file cannot be read, or ends before the tensor does.
    """
    buffer = memoryview(bytearray(min(chunk_bytes, record.num_bytes)))
    for start in range(0, record.num_bytes, chunk_bytes):
        chunk = buffer[: min(chunk_bytes, record.num_bytes - start)]
        read_into(record, chunk, start=start)
        yield chunk


def unreadable(file: Path, error: OSError) -> ModelFileError:
    """What to raise when the operating system refuses `file`."""
    reason = error.strerror or str(error)
    return ModelFileError(f"{file} cannot be read: {reason}.", detail=repr(error))


def index_safetensors(path: Path) -> dict[str, TensorRecord]:
    """Every tensor of the safetensors file `path`, in the order of the file.

    Raises:
        ModelFileError: the file cannot be read, or is not a whole and valid safetensors file.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            header, data_start = _read_header(path, file, size)
    except OSError as error:
        raise unreadable(path, error) from error
    records = [
        (name, _parse_entry(path, name, entry, data_start))
        for name, entry in header.items()
        if name != "__metadata__"
    ]
    records.sort(key=lambda item: (item[1].offset, item[1].num_bytes))
    _check_extents(path, records, data_start, size)
    return dict(records)


def _read_header(path: Path, file: BinaryIO, size: int) -> tuple[dict[str, object], int]:
    """The header's entries, and the byte that the data begins at."""
    if size < 8:
        raise _invalid(path, f"it has {size} bytes, and the header alone takes more")
    length = int.from_bytes(file.read(8), "little")
    if length > _MAX_HEADER_BYTES:
        raise _invalid(path, f"its header would be {length} bytes long")
    if 8 + length > size:
        raise _invalid(path, f"its header should reach to byte {8 + length} of {size}")
    raw = file.read(length)
    try:
        header: object = json.loads(raw.decode("utf-8"), object_pairs_hook=_refuse_duplicates)
    except (ValueError, RecursionError) as error:
        raise _invalid(path, "its header is not valid JSON", detail=str(error)) from error
    if not raw.startswith(b"{") or not isinstance(header, dict):
        raise _invalid(path, "its header is not a JSON object")
    return cast("dict[str, object]", header), 8 + length


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("a name occurs twice")
    return entries


def _parse_entry(path: Path, name: str, entry: object, data_start: int) -> TensorRecord:
    fields = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
    code, shape, offsets = (fields.get(key) for key in ("dtype", "shape", "data_offsets"))
    if set(fields) != {"dtype", "shape", "data_offsets"} or not isinstance(code, str):
        raise _invalid(path, f"its header has no type, shape and place for {name!r}")
    if code not in _TORCH_NAMES:
        raise _invalid(path, f"{name!r} is of the unknown type {code!r}")
    dimensions, extent = _sizes(shape), _sizes(offsets)
    if dimensions is None or extent is None or len(extent) != 2:
        raise _invalid(path, f"its header gives {name!r} no valid shape and place")
    start, stop = extent
    record = TensorRecord(
        file=path, offset=data_start + start, dtype=_TORCH_NAMES[code], shape=dimensions
    )
    if record.num_bytes != stop - start:
        raise _invalid(path, f"{name!r} takes {record.num_bytes} bytes and is given {stop - start}")
    return record


def _sizes(value: object) -> tuple[int, ...] | None:
    """`value` as whole numbers of at least 0; None where it is anything else."""
    if not isinstance(value, list):
        return None
    items = cast("list[object]", value)
    numbers = tuple(item for item in items if type(item) is int and 0 <= item < 2**63)
    return numbers if len(numbers) == len(items) else None


def _check_extents(
    path: Path, records: Sequence[tuple[str, TensorRecord]], data_start: int, size: int
) -> None:
    """The tensors lie side by side, from the first byte of the data to the last of the file."""
    end = data_start
    for name, record in records:
        if record.offset != end:
            raise _invalid(
                path, f"{name!r} begins at byte {record.offset}, where {end} is expected"
            )
        end += record.num_bytes
    if end > size:
        raise ModelFileError(
            f"{path} is cut off: it has {size} bytes of {end}. Copy or download it again."
        )
    if end < size:
        raise _invalid(path, f"it has {size} bytes, {size - end} more than its header says")


def _invalid(path: Path, reason: str, *, detail: str = "") -> ModelFileError:
    return ModelFileError(
        f"{path} is not a valid safetensors file: {reason}. Copy or download it again.",
        detail=detail,
    )
