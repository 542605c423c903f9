"""A first look at files that a person chose. It can block, so it belongs in a thread.

Whatever is dropped on a window may be a folder, a device or a pipe that never ends.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QCoreApplication

MAX_TEXT_BYTES = 1 << 20
MAX_PROMPTS = 500
_MAX_KEPT_PREVIEWS = 200


class Trouble(StrEnum):
    """Why a file cannot be used."""

    MISSING = "missing"
    FOLDER = "folder"
    SPECIAL = "special"
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    NOT_TEXT = "not_text"
    NO_LINES = "no_lines"
    TOO_MANY_LINES = "too_many_lines"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """The prompts in a text file, or why there are none."""

    prompts: tuple[str, ...] = ()
    trouble: Trouble | None = None


def file_trouble(path: str) -> Trouble | None:
    """Why the file at `path` cannot be opened; None where nothing speaks against it."""
    try:
        mode = Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return Trouble.MISSING
    except (OSError, ValueError):  # ValueError: no name of a file has a zero byte
        return Trouble.UNREADABLE
    if stat.S_ISDIR(mode):
        return Trouble.FOLDER
    return None if stat.S_ISREG(mode) else Trouble.SPECIAL


def read_prompts(path: str) -> PromptFile:
    """The prompts in a text file, a line each; blank lines are none."""
    if trouble := file_trouble(path):
        return PromptFile(trouble=trouble)
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_TEXT_BYTES + 1)
    except OSError:
        return PromptFile(trouble=Trouble.UNREADABLE)
    if len(content) > MAX_TEXT_BYTES:
        return PromptFile(trouble=Trouble.TOO_LARGE)
    try:
        text = content.decode("utf-8-sig")  # Windows puts a mark at the beginning
    except UnicodeDecodeError:
        return PromptFile(trouble=Trouble.NOT_TEXT)
    if "\0" in text:
        return PromptFile(trouble=Trouble.NOT_TEXT)
    prompts = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not prompts:
        return PromptFile(trouble=Trouble.NO_LINES)
    if len(prompts) > MAX_PROMPTS:
        return PromptFile(trouble=Trouble.TOO_MANY_LINES)
    return PromptFile(prompts=prompts)


def trouble_text(trouble: Trouble, path: str) -> str:
    """What is wrong with the file at `path` and what to do, in the language of the moment."""
    translate = QCoreApplication.translate
    text = {
        Trouble.MISSING: translate("Files", "{name} is not there any more."),
        Trouble.FOLDER: translate("Files", "{name} is a folder. Choose a file in it."),
        Trouble.SPECIAL: translate("Files", "{name} is a device or a pipe. Choose a file."),
        Trouble.UNREADABLE: translate(
            "Files", "{name} cannot be read. Do you have the right to open it?"
        ),
        Trouble.TOO_LARGE: translate(
            "Files", "{name} is larger than 1 MiB. Choose a text file with a prompt in each line."
        ),
        Trouble.NOT_TEXT: translate(
            "Files",
            "{name} is not a text in UTF-8. Save it in this encoding, or choose another file.",
        ),
        Trouble.NO_LINES: translate("Files", "{name} has no words in it."),
        Trouble.TOO_MANY_LINES: translate(
            "Files", "{name} has more than {limit} prompts. Divide it into several files."
        ),
    }[trouble]
    return text.format(name=Path(path).name or path, limit=MAX_PROMPTS)


def prune_cache(previews: Path, videos: Path) -> None:
    """Delete what nothing shows any more: all but the latest `previews`, and all of `videos`.

    Only for the start, when nothing that was opened before is on screen.
    """
    # What cannot be deleted today is tried again at the next start.
    with contextlib.suppress(OSError):
        newest = sorted(previews.glob("*.png"), key=lambda path: path.stat().st_mtime)
        for path in newest[:-_MAX_KEPT_PREVIEWS]:
            path.unlink()
    if not videos.is_symlink():
        shutil.rmtree(videos, ignore_errors=True)
