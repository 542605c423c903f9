"""Goes through the real window with real mouse, keys and drops, and takes pictures of it.

python packaging/window_tour/tour.py --out FOLDER [--readme] [--only STEP ...]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import steps_looking
import steps_looks
import steps_making
from application import TourFault
from readme_pictures import choose
from screen import Screen, missing_programs
from visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURES = Path(__file__).resolve().parents[2] / "resources" / "pictures"
STEPS: tuple[Callable[[Visit], None], ...] = (
    steps_making.first_start,
    steps_making.first_view,
    steps_making.first_clip,
    steps_making.hover,
    steps_making.cousins,
    steps_making.motion_map,
    steps_making.more_settings,
    steps_making.running,
    steps_making.queue,
    steps_making.dropped_picture,
    steps_making.broken_picture,
    steps_looking.details,
    steps_looking.player,
    steps_looking.compare,
    steps_looking.export,
    steps_looking.help_page,
    steps_looking.model_page,
    steps_looks.dark,
    steps_looks.light,
    steps_looks.narrow,
    steps_looks.large_text,
    steps_looks.chinese,
    steps_looks.second_visit,
)
"""In an order in which each finds what the ones before it have made."""


def main() -> int:
    """See the module. Returns the exit status: 1 where a step failed, 2 where it cannot start."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="where the pictures go")
    parser.add_argument("--readme", action="store_true", help="make the README's pictures too")
    names = [step.__name__ for step in STEPS]
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="some of the steps")
    options = parser.parse_args()
    if missing := missing_programs():
        print("Install these first:", *missing, sep="\n  ", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, Screen() as screen:
        visit = Visit(screen=screen, home=Path(home), out=options.out.resolve())
        visit.start()
        try:
            faults = [step.__name__ for step in STEPS if not _is_well(step, visit, options.only)]
        finally:
            visit.kill()
    if options.readme:
        faults += [f"the picture {name}" for name in choose(visit.shown, visit.out, PICTURES)]
    print("failed: " + ", ".join(faults) if faults else f"all well, {len(visit.shown)} pictures")
    return 1 if faults else 0


def _is_well(step: Callable[[Visit], None], visit: Visit, wanted: list[str]) -> bool:
    """Take a step, and say how it went; one that fails does not keep the others from going on."""
    if step.__name__ not in wanted:
        return True
    began = time.monotonic()
    try:
        step(visit)
    except (TourFault, subprocess.SubprocessError) as fault:
        print(f"FAILED {step.__name__}: {fault}", flush=True)
        if visit.app.process.poll() is None:
            visit.picture(f"failed_{step.__name__}")
            # Menus and dialogs go away by the first key, and any page by the second.
            visit.screen.key("Escape")
            visit.screen.focus(visit.window)
            visit.screen.key("ctrl+p")
        return False
    print(f"{time.monotonic() - began:6.1f} s  {step.__name__}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
