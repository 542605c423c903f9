"""Collects the words of the window into the translation files, with Qt's own lupdate.

    python packaging/update_translations.py

New words are marked unfinished; a test fails until they are translated. Words that are gone are
dropped. The file of English holds plurals only.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import PySide6

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
TRANSLATIONS = ROOT / "resources" / "translations"
LANGUAGES = {"en": ("-pluralonly",), "zh_CN": ()}
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A text to translate: the class that shows it, itself, and whether it counts something."""

    context: str
    text: str
    comment: str
    has_plural: bool


def update(folder: Path = TRANSLATIONS) -> None:
    """Bring the .ts files in `folder` up to date with the source.

    Raises:
        SyntaxError: a text to translate is not written out where it is asked for.
        subprocess.CalledProcessError: lupdate refuses.
    """
    found = [words for path in sorted((ROOT / "kvdesk").rglob("*.py")) for words in collect(path)]
    suffix = ".exe" if sys.platform == "win32" else ""
    tool = Path(PySide6.__file__).parent / f"lupdate{suffix}"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kvdesk-") as scratch:
        # lupdate's reader of Python passes over plurals of `QCoreApplication.translate`, and over
        # calls in which the number is more than a name. Its reader of C++ understands them all.
        source = Path(scratch) / "words.cpp"
        source.write_text("\n".join(as_cpp(words) for words in found), encoding="utf-8")
        for language, options in LANGUAGES.items():
            target = folder / f"kvdesk_{language}.ts"
            names = ["-source-language", "en", "-target-language", language]
            command = [str(tool), "-silent", "-no-obsolete", "-locations", "none", *options]
            subprocess.run([*command, str(source), "-ts", str(target), *names], check=True)


def collect(path: Path) -> Iterator[Words]:
    """The texts to translate of a source file, in their order.

    Raises:
        SyntaxError: a text is not written out where it is asked for, or nobody can tell whose it
            is; the message says where.
    """
    yield from _collect(ast.parse(path.read_text(encoding="utf-8")), path, "")


def _collect(node: ast.AST, path: Path, context: str) -> Iterator[Words]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and (words := _words(child, path, context)):
            yield words
        yield from _collect(child, path, child.name if isinstance(child, ast.ClassDef) else context)


def _words(call: ast.Call, path: Path, context: str) -> Words | None:
    """What `self.tr(text, comment, number)` or `translate(context, text, ...)` asks for."""
    match call.func:
        case ast.Name("translate") | ast.Attribute(ast.Name("QCoreApplication"), "translate"):
            arguments = call.args
        case ast.Attribute(ast.Name("self"), "tr") if context:
            arguments = [ast.Constant(context), *call.args]
        case ast.Attribute(_, "tr"):
            arguments = []
        case _:
            return None
    texts = [_literal(each) for each in arguments[:3]]
    if len(texts) < 2 or not all(texts[:2]) or None in texts:
        raise SyntaxError(f"{path.name}:{call.lineno}: lupdate cannot tell whose text that is")
    owner, text, comment = (*texts, "")[:3]
    return Words(
        context=str(owner),
        text=str(text),
        comment=str(comment),
        has_plural=len(arguments) > 3,
    )


def _literal(node: ast.expr | None) -> str | None:
    """The string that is written there, "" for no comment; None where there is none to read."""
    if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str)):
        return node.value or ""
    return None


def as_cpp(words: Words) -> str:
    """The same request in C++."""
    texts = (words.context, words.text, words.comment)
    quoted = ", ".join(f'"{text.translate(_ESCAPES)}"' for text in texts)
    return f"QCoreApplication::translate({quoted}{', n' if words.has_plural else ''});"


if __name__ == "__main__":
    update()
