"""A tripwire: a process that starts to unpickle an object ends at once.

Nothing here unpickles: weights are read as bytes at offsets, and the one process that looks into
`.pt` files uses torch's own reader for tensors, which calls nothing that a file names. Should a
library find another way to a pickle all the same, no name in it is looked up any more.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from engine.api import UNPICKLING_EXIT_CODE

if TYPE_CHECKING:
    from typing import Final

_EVENT: Final = "pickle.find_class"
_STDERR: Final = 2


def forbid_unpickling() -> None:
    """End this process with `UNPICKLING_EXIT_CODE` when anything in it unpickles an object.

    That is when a pickle asks for a class or a function, in the interpreter's unpickler in C as in
    the one in Python, and before it gets it. It holds until the process ends, also in processes
    forked from it; those that it starts afresh have to call this themselves. Code objects of the
    standard library's `marshal` are left alone, since Python imports its own modules with them.
    """
    sys.addaudithook(_end_at_pickles)


def _end_at_pickles(event: str, arguments: tuple[object, ...]) -> None:
    if event != _EVENT:
        return
    name = ".".join(str(part) for part in arguments)
    # What runs now was chosen by whoever wrote the pickle: nothing may catch this.
    os.write(
        _STDERR,
        f"A file asked for {name!r} as a program would. Nothing of it was run, and this process "
        "ends. Please report which file it was.\n".encode(errors="backslashreplace"),
    )
    os._exit(UNPICKLING_EXIT_CODE)
