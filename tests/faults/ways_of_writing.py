"""Finds the places in the code that write to the disk, in whatever way."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = {
    *("write_text", "write_bytes", "touch", "rename", "symlink_to", "hardlink_to"),
    *("copy", "copy2", "copyfile", "copytree", "move", "link", "truncate"),
    *("NamedTemporaryFile", "mkstemp", "mkdtemp"),
    *("QSaveFile", "QFile", "QSettings", "QTemporaryFile"),
    *("RotatingFileHandler", "FileHandler", "save_file", "savez", "tofile"),
}
_OF_SHUTIL_AND_OS = {"copy", "move", "link", "rename", "truncate"}  # others have such methods


def ways_of_writing(source: str) -> Iterator[str]:
    """The calls in `source` by which files come to be or change, such as "Path.open"."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name, owner = _name(node.func)
        if name in _NAMES and (name not in _OF_SHUTIL_AND_OS or owner in ("shutil", "os", "path")):
            yield name
        elif name == "open" and _may_write(node):
            yield "open"
        elif name == "replace" and len(node.args) == 1 and not node.keywords:
            yield "replace"  # of a path: that of a text takes two
        elif name == "connect" and owner == "sqlite3":
            yield "sqlite3"
        elif name == "save" and _is_picture(node):
            yield "save"


def _name(function: ast.expr) -> tuple[str, str]:
    if isinstance(function, ast.Attribute):
        owner = function.value.id if isinstance(function.value, ast.Name) else ""
        return function.attr, owner
    return (function.id, "") if isinstance(function, ast.Name) else ("", "")


def _may_write(call: ast.Call) -> bool:
    """Whether the mode, among the first two values, is anything but reading."""
    given = [*call.args[:2], *(word.value for word in call.keywords if word.arg == "mode")]
    texts = [value.value for value in given if isinstance(value, ast.Constant)]
    modes = [text for text in texts if isinstance(text, str) and set(text) <= set("rwxabt+U")]
    if any(set(mode) & set("wxa+") for mode in modes):
        return True
    return "O_WRONLY" in ast.unparse(call) or "O_RDWR" in ast.unparse(call)


def _is_picture(call: ast.Call) -> bool:
    """Whether what is saved goes to a path: `save(path, "PNG")`, `save(folder / name)`."""
    if not call.args:
        return False
    names_format = len(call.args) > 1 and isinstance(call.args[1], ast.Constant)
    is_new_path = isinstance(call.args[0], ast.BinOp)
    return names_format or is_new_path or ast.unparse(call.args[0]).startswith("str(")
