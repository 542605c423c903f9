"""One visit to the application: a new person's folders, the screen, and what hands can do."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import drop_source
import psutil
from application import Application, Place, TourFault, wait_until
from person import environment_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from screen import Screen

DROP_SOURCE = Path(drop_source.__file__)
_START_SECONDS = 60
CLIP_SECONDS = 240
"""How long a clip of the demo model may take on a machine that has other work too."""
_NOTCHES = 12
_QUIT_SECONDS = 30
_PAINT_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFolder:
    """A clip as the application keeps it."""

    path: Path
    info: dict[str, Any]

    @property
    def num_frames(self) -> int:
        """Of the finished clip, else 0."""
        return int(self.info.get("num_frames", 0))

    @property
    def frames(self) -> list[Path]:
        """The pictures of the finished clip."""
        return sorted((self.path / f"frames_{self.num_frames}").glob("*.png"))


@dataclass(slots=True, kw_only=True)
class Visit:
    """What the steps of the tour work with.

    Attributes:
        home: the folders of the person whose first visit it is.
        out: where pictures of the screen go.
        shown: the names of these pictures, in order.
        others: programs that were started beside the application.
    """

    screen: Screen
    home: Path
    out: Path
    shown: list[str] = field(default_factory=list)
    others: list[subprocess.Popen[bytes]] = field(default_factory=list)
    app: Application = field(init=False)
    window: int = field(init=False)

    # The application

    def start(self) -> None:
        """Start the application and wait for its window."""
        environment = environment_of(self.home, self.screen.environment)
        self.app = Application(environment, self.errors)
        self.window = self.app.place("MainWindow", seconds=_START_SECONDS).window
        self.screen.focus(self.window)

    def quit(self) -> None:
        """Close the application with the keys for it; it must leave nothing behind."""
        children = self.app.children()
        self.screen.focus(self.window)
        self.screen.key("ctrl+q")
        with suppress(subprocess.TimeoutExpired):
            self.app.process.wait(_QUIT_SECONDS)
        check(self.app.process.returncode == 0, f"it ended with {self.app.process.returncode}")
        wait_until(lambda: not any(_is_alive(child) for child in children), "its worker to end")
        check(not (said := self.errors.read_text().strip()), f"it complained: {said}")
        log = self.home / "cache" / "kvdesk" / "logs" / "kvdesk.log"
        bad = [line for line in log.read_text().splitlines() if " ERROR " in line]
        check(not bad, f"its log has errors: {bad}")

    def kill(self) -> None:
        """End the application whatever it does."""
        with suppress(psutil.NoSuchProcess):  # it has quit already
            for process in (*self.app.children(), self.app.process):
                process.kill()
        for other in self.others:
            other.kill()

    @property
    def errors(self) -> Path:
        """What the application wrote to stderr."""
        return self.home / "stderr.txt"

    @property
    def clips_folder(self) -> Path:
        """Where the application keeps clips."""
        return self.home / "Videos" / "kvdesk"

    def clips(self) -> list[ClipFolder]:
        """All clips that are finished, oldest first."""
        found: list[ClipFolder] = []
        for file in sorted(self.clips_folder.glob("*/clip.json")):
            with suppress(OSError, ValueError):  # it is being written
                found.append(ClipFolder(path=file.parent, info=json.loads(file.read_text())))
        found.sort(key=lambda clip: clip.info["created"])
        return [clip for clip in found if clip.num_frames]

    def wait_for_clips(self, count: int) -> list[ClipFolder]:
        """Wait until `count` clips are finished and nothing is left to do."""
        wait_until(
            lambda: len(self.clips()) >= count and self.is_idle(),
            f"{count} finished clips",
            seconds=CLIP_SECONDS,
        )
        clips = self.clips()
        for clip in clips:
            check(len(clip.frames) == clip.num_frames, f"{clip.path.name} lacks frames")
        return clips

    def is_idle(self) -> bool:
        """Whether the queue says that it is empty."""
        return self.app.reads("Your next clips wait here")

    # Hands

    def click(self, name: str, *, within: str = "", keys: str = "") -> Place:
        """Click a control, and give where it is."""
        place = self.reach(name, within=within)
        check(place.is_enabled, f"“{name}” cannot be used")
        self.screen.click(*place.middle, keys=keys)
        return place

    def reach(self, name: str, *, within: str = "") -> Place:
        """Turn the wheel over the form until a control is in sight."""
        place = self.app.place(name, within=within)
        for _ in range(_NOTCHES):
            if place.can_be_clicked:
                return place
            form = self.app.place("ComposePanel")
            is_below = place.rect[1] + place.rect[3] // 2 > form.middle[1]
            # At the edge: over a control the wheel could be the control's.
            self.screen.wheel(form.rect[0] + 6, form.middle[1], 2 if is_below else -2)
            place = self.app.place(name, within=within)
        msg = f"“{name}” cannot be brought into sight: {place}"
        raise TourFault(msg)

    def write_prompt(self, words: str) -> None:
        """Type a prompt in the place of the one that is there."""
        self.click("GrowingText", within="PromptBox")
        self.screen.key("ctrl+a")
        self.screen.type(words)
        wait_until(lambda: self.app.reads(words), "the prompt to be typed")

    def type_number(self, name: str, number: int) -> None:
        """Type a number into the box beside a slider."""
        self.click("_Box", within=name)
        self.screen.key("ctrl+a")
        self.screen.type(f"{number}\t")

    def click_item(self, view: str, row: int, *, keys: str = "") -> str:
        """Click a row of a list, and give its words."""
        items = self.app.items(view)
        check(row < len(items), f"{view} has {len(items)} rows, and none of number {row}")
        words, (left, top, width, height) = items[row]
        check(height > 0, f"row {row} of {view} is out of sight")
        self.screen.click(left + width // 2, top + height // 2, keys=keys)
        return words

    @contextmanager
    def dragged(self, file: Path, target: Place) -> Generator[None, None, None]:
        """Drag a file from another window onto the application, through the X server.

        It hangs over `target` when the block begins, and is dropped there when the block ends.
        """
        left = self.screen.width - drop_source.SIZE[0]
        top = self.screen.height - drop_source.SIZE[1]
        command = [sys.executable, str(DROP_SOURCE), str(file), str(left), str(top)]
        source = subprocess.Popen(
            command, env=self.screen.environment, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        assert source.stdout is not None
        try:
            check(source.stdout.readline() == b"ready\n", "there is nothing to drag from")
            grip = (left + drop_source.SIZE[0] // 2, top + drop_source.SIZE[1] // 2)
            self.screen.move(*grip)
            self.screen.press(is_down=True)
            self.screen.glide(grip, target.middle, steps=24)
            self.screen.glide(target.middle, (target.middle[0] + 4, target.middle[1]), steps=4)
            yield
            self.screen.press(is_down=False)
            said = source.stdout.readline().decode().strip()
            check(said == "taken", f"the drop of {file.name} was {said or 'lost'}")
        finally:
            # The application asks for the file's address after the button was let go.
            self.others.append(source)
        self.screen.focus(self.window)

    # Pictures

    def picture(self, name: str, *, width: int = 0, height: int = 0) -> None:
        """Keep what is on the screen as `name`.png: the top left part, where a size is given."""
        # What is under way when the application answers has been painted a moment later.
        self.app.texts()
        time.sleep(_PAINT_SECONDS)
        path = self.out / f"{len(self.shown) + 1:02d}_{name}.png"
        self.screen.picture(path, width=width, height=height)
        self.shown.append(path.name)

    def is_moving(self, rect: tuple[int, int, int, int]) -> bool:
        """Whether what is to be seen in left, top, width and height changes within seconds."""
        first = self.screen.pixels(rect)
        with suppress(TourFault):
            wait_until(lambda: self.screen.pixels(rect) != first, "a change", seconds=2)
            return True
        return False


def check(is_so: object, fault: str) -> None:
    """Raise a `TourFault` with the words `fault` unless it is so."""
    if not is_so:
        raise TourFault(fault)


def _is_alive(process: Any) -> bool:
    return process.is_running() and process.status() != "zombie"
