"""The `kvdesk` command: the window without arguments, the engine's command line with them."""

from __future__ import annotations

import runpy
import sys


def main() -> None:
    """Hand over to the command line of the engine, which says what is wrong with a bad one."""
    # The application knows `engine.api` and `engine.errors` only. The command line is a program
    # of the engine's own, so it is run as one and not imported.
    runpy.run_module("engine.cli", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    sys.exit(main())
