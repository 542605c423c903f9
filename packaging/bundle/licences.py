"""Collects the licences of everything in a bundle, with the environment that it was built in.

    python packaging/bundle/licences.py FOLDER [TOC]

writes them into FOLDER; TOC is PyInstaller's table of what it put in, from which the libraries of
the system are found.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import imageio_ffmpeg

TEXTS = Path(__file__).resolve().parents[1] / "licences"
_LICENCE_NAMES = ("licen", "copying", "notice", "authors")
_BUILD_TOOLS = {"pip", "pyinstaller-hooks-contrib", "altgraph"}  # PyInstaller's own start is in
_FFMPEG = """ffmpeg
======
This program starts ffmpeg to write and read videos. It is a program of its own, in the file
{file}, made by others and distributed under the GNU General Public License, version 3, which is
in this folder. Its authors and its sources: https://ffmpeg.org

Who passes this on has to offer the sources of exactly this build. It says of itself:

{says}
"""
_QT = """Qt and PySide6
==============
Used under the GNU Lesser General Public License, version 3, which is in this folder together with
the General Public License that it builds upon. Their files lie in `_internal` (`PySide6`,
`shiboken6`, libraries called libQt6*, on Windows Qt6*.dll), and can be replaced there by others.
Sources: https://download.qt.io and https://code.qt.io
"""


def collect(folder: Path, table: Path | None) -> None:
    """Write the licences into `folder`, in place of what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lines = sorted(_of_packages(folder), key=str.lower)
    _of_python(folder / "Python")
    _of_qt(folder / "Qt")
    _of_ffmpeg(folder / "ffmpeg")
    if table is not None:
        lines += ["", "Libraries of the system:", *sorted(_of_system(folder / "system", table))]
    text = "What this bundle consists of, and under which licences.\n\n" + "\n".join(lines) + "\n"
    (folder / "README.txt").write_text(text, encoding="utf-8")


def _of_packages(folder: Path) -> list[str]:
    lines: list[str] = []
    for package in metadata.distributions():
        name = package.metadata["Name"]
        if name.lower() in _BUILD_TOOLS:
            continue
        lines.append(f"{name} {package.version}: {_words_of(package)}")
        for file in package.files or []:
            in_metadata = any(part.endswith(".dist-info") for part in file.parts)
            if in_metadata and file.name.lower().startswith(_LICENCE_NAMES):
                _copy(Path(str(package.locate_file(file))), folder / name)
    return lines


def _words_of(package: metadata.Distribution) -> str:
    """What a package calls its licence, which it may do at three places."""
    fields = package.metadata
    kinds = [kind for kind in fields.get_all("Classifier", []) if kind.startswith("License ::")]
    words = (
        fields.get("License-Expression")
        or fields.get("License")
        or " AND ".join(kind.split(" :: ")[-1] for kind in kinds)
    )
    return words.splitlines()[0] if words else "see its folder"


def _of_python(folder: Path) -> None:
    text = Path(sysconfig.get_path("stdlib")) / "LICENSE.txt"
    if not text.is_file():  # where Windows has it
        text = Path(sys.base_prefix) / "LICENSE.txt"
    _copy(text, folder)


def _of_qt(folder: Path) -> None:
    folder.mkdir()
    (folder / "README.txt").write_text(_QT, encoding="utf-8")
    for name in ("LGPL-3.0.txt", "GPL-3.0.txt"):
        _copy(TEXTS / name, folder)


def _of_ffmpeg(folder: Path) -> None:
    program = imageio_ffmpeg.get_ffmpeg_exe()
    says = subprocess.run([program, "-version"], capture_output=True, check=True).stdout.decode()
    if "--enable-gpl" not in says:  # then another licence holds, and this file is wrong
        raise SystemExit(f"{program} is not under the GPL: look at it, and change this script")
    folder.mkdir()
    words = _FFMPEG.format(file=Path(program).name, says=says.strip())
    (folder / "README.txt").write_text(words, encoding="utf-8")
    _copy(TEXTS / "GPL-3.0.txt", folder)


def _of_system(folder: Path, table: Path) -> list[str]:
    """The libraries that are neither Python's nor of a package, and whose they are."""
    lines: set[str] = set()
    for _, source, kind in ast.literal_eval(table.read_text(encoding="utf-8"))[0]:
        if kind != "BINARY" or not source.startswith(("/usr/", "/lib")):
            continue
        owner = _package_of(Path(source))
        lines.add(f"{Path(source).name}: {owner or 'unknown package'}")
        if owner and (text := Path("/usr/share/doc") / owner / "copyright").is_file():
            folder.mkdir(exist_ok=True)
            shutil.copyfile(text, folder / f"{owner}.txt")
    return list(lines)


def _package_of(library: Path) -> str | None:
    """The Debian package that a library belongs to; None where nobody says."""
    if shutil.which("dpkg") is None:
        return None
    # Where /lib is a link to /usr/lib, packages know the one name or the other.
    names = {str(library), os.path.realpath(library)}
    names |= {name.removeprefix("/usr") for name in names}
    for name in sorted(names):
        said = subprocess.run(["dpkg", "-S", name], capture_output=True, check=False)
        if said.returncode == 0:
            return said.stdout.decode().split(":")[0]
    return None


def _copy(file: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    target = folder / file.name
    number = 2
    while target.exists():  # some packages have several of the same name
        target = folder / f"{file.stem}-{number}{file.suffix}"
        number += 1
    shutil.copyfile(file, target)


if __name__ == "__main__":
    collect(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
