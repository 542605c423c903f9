"""`kvdesk doctor --torture MINUTES`: all drills, in turns, until the time is up."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.doctor.output import say, say_passing
from engine.errors import EngineError, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.doctor.drill import Drill

_HELD, _BROKEN, _STOPPED = 0, 1, 130
_MOST_MINUTES = 100_000


@dataclass(slots=True, kw_only=True)
class Count:
    """What a drill did.

    Attributes:
        drill: its name.
        rounds: how often it was done.
        seconds: how long that took.
        broken: what did not hold, a text for each time.
    """

    drill: str
    rounds: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


def run_torture(minutes: float, *, as_json: bool) -> int:
    """Do all drills for so long, and print how often each was done and what did not hold.

    Returns:
        The exit status: 0 where all held, 1 where something did not, 130 where all held until
        Ctrl-C ended it.

    Raises:
        InvalidRequest: that is no time.
    """
    if not 0 < minutes <= _MOST_MINUTES:
        raise InvalidRequest("--torture takes a number of minutes, such as 10.")
    with tempfile.TemporaryDirectory(prefix="kvdesk-torture-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")  # nothing is learnt from drills
        drills = all_drills(folder)
        if not as_json:
            say(f"For {minutes:g} minutes harm is done to copies, in {folder}. Ctrl-C ends it.")
        counts = [Count(drill=drill.name) for drill in drills]
        was_stopped = False
        try:
            _torture(drills, counts, folder, seconds=60 * minutes, is_quiet=as_json)
        except KeyboardInterrupt:
            was_stopped = True
    num_broken = sum(len(count.broken) for count in counts)
    if as_json:
        say(json.dumps({"ok": not num_broken, "drills": [asdict(count) for count in counts]}))
    else:
        say_counts(counts)
    if num_broken:
        return _BROKEN
    return _STOPPED if was_stopped else _HELD


def all_drills(folder: Path) -> list[Drill]:
    """Every drill that this system allows; what they share is kept in `folder`."""
    # These import all that makes clips, which the other half of the doctor does without.
    from engine.doctor.drill import Drill
    from engine.doctor.file_drills import full_disk_drill, open_damaged_picture
    from engine.doctor.model_drills import model_drills
    from engine.doctor.worker_drills import InterruptedClips

    clips = InterruptedClips(folder)

    def finished() -> Path:
        clips.make_in_one_go()
        return clips.clip

    drills = [
        *model_drills(),
        Drill(name="damaged picture", one_round=open_damaged_picture),
        *clips.drills(),
    ]
    if sys.platform != "win32":  # which has no limit to the size of a process's files
        drills.append(full_disk_drill(finished))
    return drills


def _torture(
    drills: Sequence[Drill],
    counts: Sequence[Count],
    folder: Path,
    *,
    seconds: float,
    is_quiet: bool,
) -> None:
    """Do always that drill which had the least time so far; each at least once."""
    rng = random.Random()
    limit = time.monotonic() + seconds
    while time.monotonic() < limit or not all(count.rounds for count in counts):
        number = min(range(len(drills)), key=lambda index: counts[index].seconds)
        count = counts[number]
        if not is_quiet:
            left = max(0, limit - time.monotonic()) / 60
            total = sum(each.rounds for each in counts)
            say_passing(f"{left:.1f} min left, {total} rounds: {count.drill}")
        began = time.monotonic()
        broken = do_round(drills[number], rng, folder / "round")
        count.seconds += time.monotonic() - began
        count.rounds += 1
        if broken:
            count.broken.append(broken)
            if not is_quiet:
                say(f"BROKEN   {count.drill}: {broken}")


def do_round(drill: Drill, rng: random.Random, folder: Path) -> str:
    """Do a drill once in `folder`, which is made and removed; why it did not hold, or nothing."""
    from engine.doctor.drill import PromiseBroken

    folder.mkdir()
    try:
        drill.one_round(rng, folder)
    except PromiseBroken as error:
        return str(error)
    except EngineError as error:
        return "\n".join(filter(None, (error.message, error.detail)))
    except Exception as error:  # a drill that stumbles has found something, too
        return f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return ""


def say_counts(counts: Sequence[Count]) -> None:
    """Print the table of rounds and of what did not hold."""
    width = max(len(count.drill) for count in counts)
    say(f"\n{'drill':{width}}  rounds  broken")
    for count in counts:
        say(f"{count.drill:{width}}  {count.rounds:6}  {len(count.broken):6}")
