"""What the program of a bundle runs first: it is window, command line, worker and helper in turn.

    kvdesk                            the window
    kvdesk COMMAND …                  the command line
    kvdesk run-module engine.X …      `main` of that module, as `engine.api.own_module` starts it
    kvdesk -I -B -c CODE              CODE, which is how `uv` asks a Python what it is

The last is for `kvdesk get-torch`: on a computer without Python, `uv` finds out here for which
Python and which system it is to fetch packages.
"""

from __future__ import annotations

import importlib
import os
import sys

from engine.api.own_module import RUN_MODULE
from engine.own_torch import put_torch_on_path
from kvdesk.__main__ import main as kvdesk_main

_LIBRARIES = "LD_LIBRARY_PATH"


def main() -> int:
    """Be what the arguments ask for."""
    _give_back_library_path()
    match sys.argv[1:]:
        case ["-I", "-B", "-c", code, *rest]:
            sys.argv = ["-c", *rest]
            exec(code, {"__name__": "__main__"})
            return 0
        case [name, module, *rest] if name == RUN_MODULE and module.startswith("engine."):
            put_torch_on_path()
            sys.argv = [sys.argv[0], *rest]
            return importlib.import_module(module).main(rest) or 0
        case _:
            put_torch_on_path()
            return kvdesk_main()


def _give_back_library_path() -> None:
    """Let programs of the system, such as a player of videos, find the system's own libraries.

    This process has read the variable already, and another one of its kind sets it again.
    """
    before = os.environ.pop(f"{_LIBRARIES}_ORIG", None)
    if before is not None:
        os.environ[_LIBRARIES] = before
    else:
        os.environ.pop(_LIBRARIES, None)


if __name__ == "__main__":
    sys.exit(main())
