"""`kvdesk get-torch`: PyTorch for the graphics card that is there, for an installed bundle."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api.files import make_folder, remove_leftovers, temporary_beside
from engine.api.own_module import is_bundle, own_command, own_program, torch_advice
from engine.errors import EngineError, InvalidRequest
from engine.own_torch import (
    TORCH_VARIABLE,
    TorchFolder,
    bundled_torch,
    choose_torch,
    fetched_torches,
    fits,
    mark_whole,
    this_python,
    torch_home,
    torch_in_use,
)

if TYPE_CHECKING:
    import argparse

INSIDE = "inside"
"""Names the PyTorch that came with the bundle."""
_SECONDS_TO_TRY = 300
_CACHE = ".downloads"


def add_torch_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be said behind `kvdesk get-torch`."""
    parser.set_defaults(run=run_get_torch)
    add = parser.add_argument
    words = "for which card: cpu, cu128 and the like; default: auto, the one that is there"
    add("--backend", default="auto", metavar="B", help=words)
    words = "take the packages from this folder and nothing from the network"
    add("--from", dest="wheels", type=Path, metavar="FOLDER", help=words)
    choice = parser.add_mutually_exclusive_group().add_argument
    choice("--list", action="store_true", help="say which there are, and which is used")
    words = f"go back to this one; {INSIDE}: the one that came with kvdesk"
    choice("--use", metavar="VERSION", help=words)
    choice("--remove", metavar="VERSION", help="delete one that was fetched")


def run_get_torch(options: argparse.Namespace) -> None:
    """Fetch a PyTorch, or say and choose which is used.

    Raises:
        EngineError: this is no bundle, there is no such version, or it cannot be fetched.
    """
    inside = bundled_torch() if is_bundle() else None
    if inside is None:
        raise InvalidRequest(
            "This kvdesk was installed into a Python environment, which PyTorch is a part of. "
            f"Exchange it there:\n  {torch_advice()}"
        )
    if options.list:
        _list(inside)
    elif options.use is not None:
        chosen = None if options.use == INSIDE else _fetched(options.use)
        if chosen is not None and not fits(chosen, inside):
            raise InvalidRequest(
                f"PyTorch {chosen.version} was fetched for another kvdesk. Fetch it anew: "
                "kvdesk get-torch"
            )
        choose_torch(chosen)
        print(f"From the next start on: PyTorch {(chosen or inside).version}.")
    elif options.remove is not None:
        _remove(_fetched(options.remove))
    else:
        _fetch(inside, options.backend, options.wheels)


def _list(inside: TorchFolder) -> None:
    used = torch_in_use()
    for folder in (inside, *fetched_torches()):
        name = INSIDE if folder == inside else folder.path.name
        state = " (used)" if folder == used else "" if fits(folder, inside) else " (does not fit)"
        print(f"{name}: PyTorch {folder.version}{state}\n  {folder.path}")


def _fetched(name: str) -> TorchFolder:
    for folder in fetched_torches():
        if folder.path.name == name:
            return folder
    raise InvalidRequest(f"There is no PyTorch {name!r}. kvdesk get-torch --list says which are.")


def _remove(folder: TorchFolder) -> None:
    if folder == torch_in_use():
        choose_torch(None)
    try:
        shutil.rmtree(folder.path)
    except OSError as error:  # on Windows, while a process uses it
        raise EngineError(
            f"{folder.path} could not be deleted: {error.strerror}. Close kvdesk and try again.",
            detail=repr(error),
        ) from error
    print(f"PyTorch {folder.version} is gone.")


def _fetch(inside: TorchFolder, backend: str, wheels: Path | None) -> None:
    """Fetch, try, and only then use: whatever goes wrong, what was used is used."""
    home = torch_home()
    try:
        make_folder(home)
        remove_leftovers(home)
        with temporary_beside(home / "torch") as temporary:
            _install(temporary, inside.requirement, backend, wheels)
            report = _tried(temporary)
            version = str(report["version"])
            folder = TorchFolder(
                path=home / f"{version}-{this_python()}",
                version=version,
                python=this_python(),
                requirement=inside.requirement,
            )
            mark_whole(replace(folder, path=temporary))
            _put_in_place(temporary, folder.path)
            choose_torch(folder)
    except OSError as error:
        raise EngineError(
            f"PyTorch could not be written to {home}: {error.strerror}. What was used before is "
            "still used.",
            detail=repr(error),
        ) from error
    print(f"From the next start on: PyTorch {version} in {folder.path}.")
    if report["card"] is None:
        print("It finds no graphics card here. If there is one, update its driver.")
    else:
        print(f"It computes on {report['card']}.")
    print(f"The way back: kvdesk get-torch --use {INSIDE}")


def _install(target: Path, requirement: str, backend: str, wheels: Path | None) -> None:
    cache = torch_home() / _CACHE
    source = (
        [f"--torch-backend={backend}"]
        if wheels is None
        else ["--no-index", f"--find-links={wheels.absolute()}"]
    )
    command = [
        str(Path(sys.prefix) / ("uv.exe" if sys.platform == "win32" else "uv")),
        *("pip", "install", "--no-config", "--no-python-downloads", "--python", own_program()),
        *("--target", str(target), "--cache-dir", str(cache), *source, requirement),
    ]
    status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    if status:  # it has said why
        raise EngineError(
            "PyTorch could not be fetched; the reason is above. What was used before is still used."
        )
    # Its files are the same ones, under a second name, or copies that nobody needs any more.
    shutil.rmtree(cache, ignore_errors=True)
    print("Getting it ready ...", flush=True)
    compileall.compile_dir(target, quiet=2)  # a bundle would compile it anew at every start


def _tried(folder: Path) -> dict[str, object]:
    """What `engine.torch_check` says of it."""
    tried = subprocess.run(
        own_command("engine.torch_check"),
        env={**os.environ, TORCH_VARIABLE: str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS_TO_TRY,
        check=False,
    )
    if tried.returncode:
        raise EngineError(
            "PyTorch was fetched, but does not work here. What was used before is still used.",
            detail=tried.stderr.decode(errors="replace")[-4000:],
        )
    return json.loads(tried.stdout)


def _put_in_place(temporary: Path, path: Path) -> None:
    """Give a whole folder its name, in place of an older one of the same version."""
    if hasattr(os, "sync"):
        os.sync()
    with temporary_beside(path) as old:
        if path.exists():
            path.rename(old)
        temporary.rename(path)
