"""What the keyboard does anywhere in the window; the help page lists the same table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QKeySequence


class Command(StrEnum):
    """Something that a key asks for, whatever has the focus."""

    GENERATE = "generate"
    UNDO = "undo"
    REDO = "redo"
    PROMPT = "prompt"
    PICTURE = "picture"
    SEARCH = "search"
    QUEUE = "queue"
    CLIP = "clip"
    PAUSE = "pause"
    CANCEL = "cancel"
    EXPORT = "export"
    COMPARE = "compare"
    HELP = "help"
    SETTINGS = "settings"
    BACK = "back"
    QUIT = "quit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcut:
    """Keys in Qt's portable notation, and what they do in the person's language."""

    command: Command
    keys: str
    text: str

    @property
    def sequence(self) -> QKeySequence:
        """The keys as Qt has them."""
        return QKeySequence(self.keys, QKeySequence.SequenceFormat.PortableText)

    @property
    def shown_keys(self) -> str:
        """The keys as this system writes them."""
        return self.sequence.toString(QKeySequence.SequenceFormat.NativeText)


def shortcuts() -> list[Shortcut]:
    """All commands, in the order in which the help page lists them."""
    translate = QCoreApplication.translate
    table = (
        (Command.GENERATE, "Ctrl+Return", translate("Shortcuts", "Generate")),
        (Command.PROMPT, "Ctrl+L", translate("Shortcuts", "Go to the prompt")),
        (Command.PICTURE, "Ctrl+O", translate("Shortcuts", "Choose a picture to start from")),
        (Command.QUEUE, "Ctrl+J", translate("Shortcuts", "Go to the queue")),
        (Command.SEARCH, "Ctrl+F", translate("Shortcuts", "Search the library")),
        (Command.CLIP, "Ctrl+P", translate("Shortcuts", "Go to the clip")),
        (Command.PAUSE, "Ctrl+Shift+P", translate("Shortcuts", "Pause the clip that is made")),
        (Command.CANCEL, "Ctrl+.", translate("Shortcuts", "Cancel the clip that is made")),
        (Command.EXPORT, "Ctrl+E", translate("Shortcuts", "Export the clip that is shown")),
        (Command.COMPARE, "Ctrl+D", translate("Shortcuts", "Compare two clips")),
        (Command.UNDO, "Ctrl+Z", translate("Shortcuts", "Undo")),
        (Command.REDO, "Ctrl+Shift+Z", translate("Shortcuts", "Redo")),
        (Command.HELP, "F1", translate("Shortcuts", "Help and shortcuts")),
        (Command.SETTINGS, "Ctrl+,", translate("Shortcuts", "Settings")),
        (Command.BACK, "Esc", translate("Shortcuts", "Back to the clip")),
        (Command.QUIT, "Ctrl+Q", translate("Shortcuts", "Quit")),
    )
    return [Shortcut(command=command, keys=keys, text=text) for command, keys, text in table]


def clip_keys() -> list[tuple[str, str]]:
    """Keys and what they do while the clip has the focus."""
    translate = QCoreApplication.translate
    return [
        (translate("Shortcuts", "Space"), translate("Shortcuts", "Play or pause")),
        ("← →", translate("Shortcuts", "One frame back or on")),
        (translate("Shortcuts", "Home, End"), translate("Shortcuts", "First or last frame")),
        ("L", translate("Shortcuts", "Once, loop or boomerang")),
        ("F", translate("Shortcuts", "Full screen")),
        ("S", translate("Shortcuts", "Save the frame")),
    ]


def list_keys() -> list[tuple[str, str]]:
    """Keys and what they do while the queue or the library has the focus."""
    translate = QCoreApplication.translate
    return [
        (translate("Shortcuts", "Enter"), translate("Shortcuts", "Show the clip")),
        (translate("Shortcuts", "Delete"), translate("Shortcuts", "Remove, with undo")),
        ("Alt+↑ ↓", translate("Shortcuts", "Move a job of the queue up or down")),
        ("S", translate("Shortcuts", "Star a clip")),
        (translate("Shortcuts", "Menu key"), translate("Shortcuts", "Everything else")),
    ]
