"""Collects the words of the window into the translation files, with Qt's own lupdate.

    python packaging/update_translations.py

New words are marked unfinished; a test fails until they are translated. Words that are gone are
dropped.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import PySide6

ROOT = Path(__file__).resolve().parents[1]
TRANSLATIONS = ROOT / "resources" / "translations"


def update(folder: Path = TRANSLATIONS) -> None:
    """Bring the .ts files in `folder` up to date with the source."""
    suffix = ".exe" if sys.platform == "win32" else ""
    tool = Path(PySide6.__file__).parent / f"lupdate{suffix}"
    sources = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "kvdesk").rglob("*.py"))
    common = [str(tool), "-silent", "-no-obsolete", "-locations", "none", *sources, "-ts"]
    folder.mkdir(parents=True, exist_ok=True)
    languages = (("en", ["-pluralonly"]), ("zh_CN", []))
    for language, options in languages:
        target = str(folder / f"kvdesk_{language}.ts")
        names = ["-source-language", "en", "-target-language", language]
        subprocess.run([*common, target, *names, *options], cwd=ROOT, check=True)


if __name__ == "__main__":
    update()
