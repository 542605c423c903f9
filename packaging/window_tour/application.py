"""The application as somebody sees it who sits before the screen: words, places, and waiting."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

RUNNER = Path(__file__).with_name("runner.py")
_ANSWER_SECONDS = 30
_USUAL_SECONDS = 15
_LOOK_AGAIN_SECONDS = 0.1

T = TypeVar("T")


class TourFault(Exception):
    """Something is not as it has to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a control is on the screen, in pixels.

    Attributes:
        rect: left, top, width and height of all of it.
        seen: the same for the part that is not scrolled out of sight.
        value: what it shows beside its text, where it has such a thing.
    """

    kind: str
    text: str
    description: str
    value: str
    rect: tuple[int, int, int, int]
    seen: tuple[int, int, int, int]
    is_enabled: bool
    is_checked: bool
    has_focus: bool
    window: int

    @property
    def middle(self) -> tuple[int, int]:
        """Where to click."""
        left, top, width, height = self.seen
        return left + width // 2, top + height // 2

    @property
    def is_seen(self) -> bool:
        """Whether all of it is in sight, but for a few pixels."""
        return all(seen >= size - 4 for seen, size in self._sides())

    @property
    def can_be_clicked(self) -> bool:
        """Whether most of it is in sight."""
        return all(seen > size // 2 for seen, size in self._sides())

    def _sides(self) -> zip[tuple[int, int]]:
        return zip(self.seen[2:], self.rect[2:], strict=True)


def wait_until(
    look: Callable[[], T], what: str, *, seconds: float = _USUAL_SECONDS, busy: bool = False
) -> T:
    """Look again and again until it is so.

    Args:
        look: gives something true when it is so.
        what: what is waited for, in words for the fault.
        seconds: how long to wait.
        busy: look as often as possible, for what does not last.

    Returns:
        What `look` gave.

    Raises:
        TourFault: it did not become so in time.
    """
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            msg = f"{what}: not within {seconds:g} s"
            raise TourFault(msg)
        time.sleep(0.02 if busy else _LOOK_AGAIN_SECONDS)
    return found


class Application:
    """The running application.

    Attributes:
        process: the window's.
    """

    def __init__(self, environment: dict[str, str], errors: Path) -> None:
        with errors.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, str(RUNNER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                env=environment,
                text=True,
            )
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._answers.put(line)

    def _ask(self, ask: str, **question: str) -> Any:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"ask": ask, **question}) + "\n")
            self.process.stdin.flush()
            return json.loads(self._answers.get(timeout=_ANSWER_SECONDS))
        except (OSError, queue.Empty) as error:
            status = self.process.poll()
            words = "does not answer" if status is None else f"ended with status {status}"
            msg = f"the application {words}"
            raise TourFault(msg) from error

    def places(self, name: str, *, within: str = "") -> list[Place]:
        """All visible controls of a name, words or class, in a control called `within`."""
        return [
            Place(
                kind=found.pop("class"),
                rect=tuple(found.pop("rect")),
                seen=tuple(found.pop("seen")),
                **found,
            )
            for found in self._ask("widgets", name=name, within=within)
        ]

    def place(self, name: str, *, within: str = "", seconds: float = _USUAL_SECONDS) -> Place:
        """One visible control; waits for it."""
        what = f"“{name}” to be there"
        return wait_until(lambda: self.places(name, within=within), what, seconds=seconds)[0]

    def items(self, name: str) -> list[tuple[str, tuple[int, int, int, int]]]:
        """Words and places of the rows of a list or the entries of a menu."""
        return [(item["text"], tuple(item["rect"])) for item in self._ask("items", name=name)]

    def texts(self) -> list[str]:
        """All words that can be read now."""
        return self._ask("texts")

    def reads(self, words: str) -> bool:
        """Whether `words` can be read somewhere."""
        return any(words in text for text in self.texts())

    def children(self) -> list[psutil.Process]:
        """The processes that the application has started, such as the worker."""
        return psutil.Process(self.process.pid).children(recursive=True)
