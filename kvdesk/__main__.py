"""The `kvdesk` command: the window without arguments, the engine's command line with them."""

from __future__ import annotations

import runpy
import sys


def main() -> int:
    """Show the window, or hand over to the engine's command line, which never returns here."""
    if len(sys.argv) == 1:
        from kvdesk.app import main as show_window  # Qt is not needed for the command line

        return show_window()
    # The application knows `engine.api` and `engine.errors` only. The command line is a program
    # of the engine's own, so it is run as one and not imported.
    runpy.run_module("engine.cli", run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
