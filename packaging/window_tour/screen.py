"""A virtual screen with a mouse and a keyboard of its own."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

PROGRAMS = {
    "Xvfb": "the virtual screen (Debian: xvfb)",
    "xdotool": "mouse and keys (Debian: xdotool)",
    "import": "pictures of the screen (Debian: imagemagick)",
}
USEFUL = {"dbus-daemon": "a message bus for notifications (Debian: dbus)"}
_START_SECONDS = 20
_ENOUGH_SECONDS = 60
_TYPE_MS = "12"  # between two keys; faster than that some are lost on a busy machine


def missing_programs() -> list[str]:
    """What has to be installed first, in words."""
    return [words for name, words in PROGRAMS.items() if shutil.which(name) is None]


class Screen:
    """Starts with `with`; ends what it started.

    Attributes:
        environment: what a program needs to show itself here.
    """

    def __init__(self, *, width: int = 1440, height: int = 900) -> None:
        self.width, self.height = width, height
        self.environment: dict[str, str] = {}
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Screen:
        size = f"{self.width}x{self.height}x24"
        # Xvfb itself finds a number that is free.
        number = self._start("Xvfb", "-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp")
        outside = ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DBUS_SESSION_BUS_ADDRESS")
        self.environment = {key: value for key, value in os.environ.items() if key not in outside}
        self.environment |= {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb"}
        # A bus that is not there is looked for a long time.
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
        if shutil.which("dbus-daemon"):
            address = self._start("dbus-daemon", "--session", "--nofork", "--print-address=1")
            self.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in reversed(self._processes):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_START_SECONDS)

    def _start(self, *command: str) -> str:
        """Start a program that says on its first line where it can be reached."""
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        self._processes.append(process)
        assert process.stdout is not None
        said, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        line = process.stdout.readline().decode().strip() if said else ""
        if not line:
            msg = f"{command[0]} did not start"
            raise RuntimeError(msg)
        return line

    # Mouse

    def move(self, x: int, y: int) -> None:
        """Put the pointer there, by way of a place beside it, as programs notice moves only."""
        self._xdotool("mousemove", x - 2, y - 2, "mousemove", x, y)

    def click(self, x: int, y: int, *, button: int = 1, keys: str = "") -> None:
        """Press and let go, with `keys` such as "ctrl" held."""
        self.move(x, y)
        held = (["keydown", keys], ["keyup", keys]) if keys else ([], [])
        self._xdotool(*held[0], "click", button, *held[1])

    def press(self, *, is_down: bool) -> None:
        """Press the left button, or let it go."""
        self._xdotool("mousedown" if is_down else "mouseup", 1)

    def drag(self, start: tuple[int, int], end: tuple[int, int], *, steps: int = 12) -> None:
        """Go from `start` to `end` with the button down, and let go there."""
        self.move(*start)
        self.press(is_down=True)
        self.glide(start, end, steps=steps)
        self.press(is_down=False)

    def glide(self, start: tuple[int, int], end: tuple[int, int], *, steps: int = 12) -> None:
        """Move in small steps, slowly enough for programs to follow."""
        for step in range(1, steps + 1):
            x, y = (a + (b - a) * step // steps for a, b in zip(start, end, strict=True))
            self._xdotool("mousemove", x, y)
            time.sleep(0.03)

    def wheel(self, x: int, y: int, notches: int) -> None:
        """Turn the wheel there: down where `notches` is positive."""
        self.move(x, y)
        self._xdotool("click", "--repeat", abs(notches), "--delay", 40, 5 if notches > 0 else 4)

    # Keys

    def focus(self, window: int) -> None:
        """Give the keys to a window; there is no window manager that would."""
        self._xdotool("windowfocus", window)

    def type(self, text: str) -> None:
        """Type `text`."""
        self._xdotool("type", "--delay", _TYPE_MS, text)

    def key(self, *names: str) -> None:
        """Press keys one after another, such as "ctrl+Return"."""
        self._xdotool("key", "--delay", 40, *names)

    def resize(self, window: int, width: int, height: int) -> None:
        """Give a window another size."""
        self._xdotool("windowmove", window, 0, 0, "windowsize", window, width, height)

    # Pictures

    def picture(self, path: Path, *, width: int = 0, height: int = 0) -> None:
        """Write what is to be seen as PNG: the top left part of that size, or all."""
        area = f"{width or self.width}x{height or self.height}+0+0"
        self._run(["import", "-silent", "-window", "root", "-crop", area, "+repage", str(path)])

    def pixels(self, rect: tuple[int, int, int, int]) -> bytes:
        """What is to be seen in left, top, width and height: 3 bytes a pixel, row by row."""
        left, top, width, height = rect
        area = f"{width}x{height}+{left}+{top}"
        command = ["import", "-silent", "-window", "root", "-crop", area, "-depth", "8", "rgb:-"]
        done = subprocess.run(
            command,
            env=self.environment,
            check=True,
            timeout=_ENOUGH_SECONDS,
            stdout=subprocess.PIPE,
        )
        return done.stdout

    def _xdotool(self, *words: object) -> None:
        self._run(["xdotool", *(str(word) for word in words)])

    def _run(self, command: Sequence[str]) -> None:
        subprocess.run(command, env=self.environment, check=True, timeout=_ENOUGH_SECONDS)
