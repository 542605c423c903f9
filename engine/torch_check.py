"""Whether a PyTorch that was just fetched works here: tried in a process of its own.

It prints one line of JSON, `{"version": …, "cuda": …, "card": …}`. A PyTorch that does not work
ends the process in whatever way it ends processes.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIDE = 64


def main(_arguments: Sequence[str] = ()) -> None:
    """Compute a little on the processor, and on the graphics card where PyTorch finds one."""
    import torch

    devices = ["cuda"] if torch.cuda.is_available() else []
    for device in ["cpu", *devices]:
        ones = torch.ones(_SIDE, _SIDE, device=device)
        if float((ones @ ones).sum()) != _SIDE**3:
            sys.exit(f"PyTorch computes wrong numbers on {device}.")
    card = torch.cuda.get_device_name() if devices else None
    report = {"version": torch.__version__, "cuda": torch.version.cuda, "card": card}
    sys.stdout.write(json.dumps(report) + "\n")
