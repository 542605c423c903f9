"""Takes out of a text what says who somebody is and what they have: paths, names, addresses.

For reports that a person may give away. Where it is not sure it takes out too much.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import socket
import sys
import sysconfig
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PATH = "<path>"
NAME = "<name>"
TEXT = "<text>"
ADDRESS = "<address>"
TOKEN = "<token>"

# What many people are called by their computers: it tells nothing, and is a word of many sentences.
_COMMON_NAMES = frozenset({"root", "user", "admin", "administrator", "localhost", "owner", "pc"})
_SHORTEST_NAME = 2
_SHORTEST_TEXT = 2
_TITLE_CHARACTERS = 60  # what the window cuts long titles to

# Names that this program gives: they say which file it was, and nothing of a person.
_OWN_FILES = re.compile(
    r"(?:\d{4}\.png|(?:key_frame|picture|preview|poster)\.png|strip\.jpg"
    r"|(?:clip|model|preparation|preview|configs?|settings|queue|form|prompts|batches|paces|index"
    r"|speeds|models_folder|tokenizer|tokenizer_config|text_encoder_config|special_tokens_map)\.json"
    r"|(?:t2v|interpolation|interpolation_[12]|movq|video_movq|t5_projections|text_encoder|text"
    r"|key_frame|base_frames|loop)(?:_8bit)?\.(?:safetensors|pt)|kvdesk\.log)(?![\w.-])"
)
_ENDINGS = (
    "png|jpe?g|jfif|webp|avif|heic|gif|bmp|tiff?|ppm|pgm|svg|mp4|m4v|mov|mkv|webm|avi|txt|md|csv"
    "|json|safetensors|pt|pth|ckpt|bin|gguf|zip|7z|log|pdf|docx?|py"
)
_FILE_IN_QUOTES = re.compile(r'["“«][^"“”«»\n]*\.\w{1,16}["”»]|(?<=file )"[^"\n]*"')
_FILE = re.compile(rf"(?<!>)[^\s\"“”«»<>]+\.(?:{_ENDINGS})(?!\w)", re.IGNORECASE)

_START = re.compile(
    r"""(?P<url>\b[a-z][a-z0-9+.-]*:/{2,}|\bfile:/)   # an address
    |(?<![\w.~<>/])~?/(?=[^\s/])                      # a path of Linux
    |(?<![^\W_])[a-z]:[\\/]                            # a path of Windows
    |(?<![\\\w])\\{2,}(?=[^\s\\])                      # a share of Windows
    """,
    re.IGNORECASE | re.VERBOSE,
)
_CLOSING = {'"': '"', "'": "'", "“": "”", "\u2018": "\u2019", "«": "»", "`": "`"}
_STOPS = re.compile(r": |, line ")
_MORE_OF_A_PATH = re.compile(r"[/\\]|\.\w")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBERED_ADDRESS = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\w)|(?<![\w:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?!\w)"
    r"|(?<![\w:])(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}(?!\w)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\b(?:hf_|sk-|ghp_|gho_|github_pat_|xox[bp]-)[\w-]{8,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whose computer it is: what of that a text must not say.

    Attributes:
        home: the home folder.
        names: the person's and the computer's names, in any writing.
    """

    home: str
    names: tuple[str, ...]

    @classmethod
    def current(cls) -> Person:
        """The person whose process this is, as far as the system knows."""
        home = Path.home()
        names = [home.name, socket.gethostname(), socket.gethostname().partition(".")[0]]
        names += [os.environ.get(name, "") for name in ("USER", "USERNAME", "COMPUTERNAME")]
        with suppress(OSError, KeyError, ImportError):  # a process without an entry of its own
            names.append(getpass.getuser())
        if sys.platform != "win32":
            import pwd  # Windows has none

            with suppress(KeyError):
                full = pwd.getpwuid(os.getuid()).pw_gecos.partition(",")[0]
                names += [full, *full.split()]
        return cls(home=str(home), names=tuple(dict.fromkeys(filter(None, names))))


class Redactor:
    """Cleans texts of what would say who made them.

    What stays is the program's own: the places of its source files below its folders, and the names
    that it gives to files itself.
    """

    def __init__(self, person: Person, *, texts: Iterable[str] = ()) -> None:
        """Prepare for one person.

        Args:
            person: whose names and home are taken out.
            texts: what else is taken out wherever it stands, such as prompts and names of files.
        """
        # A letter such as "ß" has no single capital, so that ignoring the case is not enough.
        names = {_normal(form) for name in person.names for form in (name, name.upper())}
        self._names = _any_of(
            name
            for name in names
            if len(name) >= _SHORTEST_NAME and name.casefold() not in _COMMON_NAMES
        )
        self._texts = _any_of(form for text in texts for form in _forms(_normal(text)))
        self._program = _program_sources()

    def clean(self, text: str) -> str:
        """`text` without names, paths, addresses and the texts that were named."""
        text = _normal(text)
        if self._texts is not None:
            text = self._texts.sub(TEXT, text)
        # The places of the program's own sources are every second part, and stay as they are.
        parts = self._program.split(text)
        parts[::2] = ["\n".join(map(_without_paths, part.split("\n"))) for part in parts[::2]]
        text = "".join(parts)
        text = _MAIL.sub(ADDRESS, text)
        text = _NUMBERED_ADDRESS.sub(ADDRESS, text)
        text = _TOKEN.sub(TOKEN, text)
        if self._names is not None:
            text = self._names.sub(NAME, text)
        return text


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _forms(text: str) -> list[str]:
    """How a text may stand in a log: as it is, in one line, cut short, or with escapes."""
    one_line = " ".join(text.split())
    forms = {text.strip(), one_line, one_line[:_TITLE_CHARACTERS].rstrip()}
    forms |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
    return [form for form in forms if len(form) >= _SHORTEST_TEXT]


def _any_of(words: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern of any of these as whole words, the longest first; None for none."""
    ordered = sorted(words, key=len, reverse=True)
    if not ordered:
        return None
    choices = "|".join(map(_as_whole, ordered))
    return re.compile(choices, re.IGNORECASE)


def _as_whole(words: str) -> str:
    begin = r"(?<![^\W_])" if words[0].isalnum() else ""
    end = r"(?![^\W_])" if words[-1].isalnum() else ""
    return begin + re.escape(words) + end


def _program_sources() -> re.Pattern[str]:
    """Matches a source file of this program or of a library; the group is below its folder."""
    root = Path(__file__).parents[2]
    paths = sysconfig.get_paths()
    libraries = {paths[name] for name in ("purelib", "platlib", "stdlib")}
    folders = [re.escape(folder) for folder in sorted(libraries, key=len, reverse=True)]
    folders.append(re.escape(str(root)) + r"(?=[/\\](?:engine|kvdesk)[/\\])")
    return re.compile(
        rf"(?:{'|'.join(folders)})[/\\]((?:[\w.-]+[/\\])*[\w.-]+\.(?:py|so|pyd))(?!\w)"
    )


def _without_paths(line: str) -> str:
    kept: list[str] = []
    position = 0
    while (start := _START.search(line, position)) is not None:
        kept.append(line[position : start.start()])
        position = _end_of_path(line, start.start())
        last = re.split(r"[/\\]", line[start.start() : position])[-1]
        own = _OWN_FILES.match(last)
        kept.append(f"{PATH}/{own[0]}" if own is not None else PATH)
    kept.append(line[position:])
    line = _FILE_IN_QUOTES.sub(_without_name, "".join(kept))
    return _FILE.sub(_without_name, line)


def _end_of_path(line: str, start: int) -> int:
    """Where the path ends that begins at `start`: a name may hold spaces and nearly all signs."""
    closing = _CLOSING.get(line[start - 1]) if start else None
    if closing is not None:
        end = line.find(closing, start)
        return len(line) if end < 0 else end
    for stop in re.finditer(_STOPS, line[start:]):
        if not _MORE_OF_A_PATH.search(line, start + stop.start()):
            return start + stop.start()
    return len(line)


def _without_name(file: re.Match[str]) -> str:
    """The name of a file, which may say as much as its path; our own names stay."""
    name = re.split(r"[/\\]", file[0].strip('"“”«»'))[-1]
    return file[0].replace(file[0].strip('"“”«»'), name if _OWN_FILES.fullmatch(name) else PATH)
