"""Which PyTorch a bundle uses: the one inside, or one that was fetched for the graphics card.

Both are folders of the same shape, with a file that is written last and says what is in them. The
one inside is never touched, so there is always a way back; those that were fetched lie beside each
other in `<data>/torch/<version>`, apart from models and clips. Outside of a bundle PyTorch belongs
to the Python environment, and nothing here is used.

Nothing heavy is imported: every start of the bundle's program comes through here.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import platformdirs

from engine.api.files import write_text_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator

TORCH_VARIABLE = "KVDESK_TORCH"
"""The environment variable that names a folder to use as it is, while it is tried."""
_MARKER = "kvdesk_torch.json"
_CHOICE = "chosen.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchFolder:
    """A whole installation of PyTorch in a folder of its own.

    Attributes:
        path: the folder, which belongs on `sys.path`.
        version: of PyTorch, such as "2.13.0+cu128".
        python: which Python its compiled parts are for, such as "cpython-311".
        requirement: what the program that fetched it asked for, such as "torch<2.14,>=2.10".
    """

    path: Path
    version: str
    python: str
    requirement: str


def this_python() -> str:
    """Which Python the compiled parts have to be for, here."""
    return str(sys.implementation.cache_tag)


def torch_home() -> Path:
    """Where what is fetched lies. It need not exist."""
    return platformdirs.user_data_path("kvdesk", appauthor=False) / "torch"


def bundled_torch() -> TorchFolder | None:
    """The one that came with this bundle; None where this is no bundle."""
    return read_torch_folder(Path(sys.prefix).parent / "torch")


def fetched_torches() -> Iterator[TorchFolder]:
    """Those that were fetched and are whole, by their names."""
    with contextlib.suppress(OSError):
        for path in sorted(torch_home().iterdir()):
            if not path.name.startswith(".") and (found := read_torch_folder(path)):
                yield found


def read_torch_folder(path: Path) -> TorchFolder | None:
    """The installation in `path`; None where there is none, or one that is not whole."""
    match _read(path / _MARKER):
        case {"version": str(version), "python": str(python), "requirement": str(requirement)}:
            return TorchFolder(path=path, version=version, python=python, requirement=requirement)
        case _:
            return None


def mark_whole(folder: TorchFolder) -> None:
    """Say in the folder itself what it holds, once everything else is in it."""
    fields = {name: value for name, value in asdict(folder).items() if name != "path"}
    write_text_atomically(folder.path / _MARKER, json.dumps(fields, indent=2) + "\n")


def choose_torch(folder: TorchFolder | None) -> None:
    """Use `folder`, one of those that were fetched, from the next start on; None: the one inside.

    Raises:
        OSError: the choice cannot be written.
    """
    choice = torch_home() / _CHOICE
    if folder is None:
        choice.unlink(missing_ok=True)
    else:
        write_text_atomically(choice, json.dumps({"folder": folder.path.name}) + "\n")


def torch_in_use() -> TorchFolder | None:
    """The chosen one if it is whole and fits this program, else the one inside."""
    inside = bundled_torch()
    name = _read(torch_home() / _CHOICE).get("folder")
    if inside is None or not isinstance(name, str):
        return inside
    chosen = read_torch_folder(torch_home() / Path(name).name)
    return chosen if chosen is not None and fits(chosen, inside) else inside


def fits(folder: TorchFolder, inside: TorchFolder) -> bool:
    """Whether this program can use `folder` in place of the one inside.

    After an update of the program it may not: the next `kvdesk get-torch` fetches one that does,
    and an older program that comes back finds its own again.
    """
    return (folder.python, folder.requirement) == (this_python(), inside.requirement)


def put_torch_on_path() -> None:
    """Let `import torch` find the one in use.

    It goes last. The bundle itself has no PyTorch that could come first, and what else the folder
    holds must not take the place of what the bundle was tried with.
    """
    if tried := os.environ.get(TORCH_VARIABLE):
        sys.path.append(tried)
    elif (folder := torch_in_use()) is not None:
        sys.path.append(str(folder.path))


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        fields = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(fields, dict):
            return cast("dict[str, Any]", fields)
    return {}
