"""How this program starts another process of itself: from its sources, installed, or as a bundle.

A bundle (see packaging/README.md) has no Python of its own to start. There the one program is
window, command line, worker and helper in turn, as its first arguments say.
"""

from __future__ import annotations

import sys
from pathlib import Path

RUN_MODULE = "run-module"
"""The first argument with which the program of a bundle runs `main` of the module named next."""

# The folder of this package goes last, where it shadows nothing; -P keeps the current folder out.
_START = (
    "import sys, importlib; sys.path.append(sys.argv.pop(1)); "
    "importlib.import_module(sys.argv.pop(1)).main(sys.argv[1:])"
)


def is_bundle() -> bool:
    """Whether this runs in a bundle, without a Python that anybody else could use."""
    return bool(getattr(sys, "frozen", False))


def own_program() -> str:
    """The program that `own_command` starts."""
    program = Path(sys.executable)
    if is_bundle() and sys.platform == "win32":
        # The one of the window has no input and output there.
        return str(program.with_name("kvdesk-cli.exe"))
    return str(program)


def torch_advice() -> str:
    """The command that gets the PyTorch for the graphics card that is there."""
    if is_bundle():
        return "kvdesk get-torch"
    # Without the second option a build for the processor counts as what was asked for.
    return "uv pip install --torch-backend=auto --reinstall-package torch torch"


def own_command(module: str) -> list[str]:
    """The command line that runs `main` of `module` with what follows as its arguments."""
    if is_bundle():
        return [own_program(), RUN_MODULE, module]
    return [own_program(), "-P", "-c", _START, str(Path(__file__).parents[2]), module]
