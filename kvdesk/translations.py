"""The languages of the window, from files that Qt's own tools keep up to date.

`resources/translations` has a `kvdesk_<language>.ts` for each language; English is in the code and
its file holds plurals only. Qt reads a compiled form, made from the .ts file when it is first
needed and kept in the cache.
"""

from __future__ import annotations

import hashlib
import logging
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import PySide6
from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator

import kvdesk
from engine.api.files import make_folder, publish, temporary_beside

if TYPE_CHECKING:
    from PySide6.QtCore import QCoreApplication

log = logging.getLogger(__name__)

TRANSLATIONS_FOLDER = Path(kvdesk.__file__).parents[1] / "resources" / "translations"
LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
"""Every language by its code, under the name that its speakers look for."""
_COMPILE_SECONDS = 20


def system_language() -> str:
    """The first of the system's languages that there is, else English."""
    for wanted in QLocale.system().uiLanguages():
        if (language := known_language(wanted)) is not None:
            return language
    return "en"


def known_language(wanted: str) -> str | None:
    """The code of the language that fits `wanted`, such as "en-GB"; None where there is none."""
    locale = QLocale(wanted)
    if locale.script() is QLocale.Script.SimplifiedHanScript:
        return "zh_CN"
    short = locale.name().split("_")[0]
    return short if short in LANGUAGES else None


class Translations:
    """What is installed in the application for the language in use.

    Attributes:
        language: the code of the language in use.
        wanted: what `use` was last called with; None before.
    """

    def __init__(self, app: QCoreApplication, cache: Path) -> None:
        self._app = app
        self._cache = cache
        self._installed: list[QTranslator] = []
        self.language = "en"
        self.wanted: str | None = None

    def use(self, language: str) -> None:
        """Show the application in `language`, or in the system's where it is empty.

        All widgets get a `LanguageChange` event.
        """
        self.wanted = language
        self.language = language if language in LANGUAGES else system_language()
        for translator in self._installed:
            self._app.removeTranslator(translator)
        self._installed = []
        QLocale.setDefault(QLocale(self.language))
        self._install(self._compiled(self.language))
        if self.language != "en":  # the words of Qt's own dialogs
            folder = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
            self._install(folder / f"qtbase_{self.language}.qm")

    def _install(self, path: Path | None) -> None:
        translator = QTranslator()
        if path is not None and path.is_file() and translator.load(str(path)):
            self._app.installTranslator(translator)
            self._installed.append(translator)

    def _compiled(self, language: str) -> Path | None:
        source = TRANSLATIONS_FOLDER / f"kvdesk_{language}.ts"
        shipped = source.with_suffix(".qm")
        if shipped.is_file():  # an installed bundle has no tools to compile with
            return shipped
        if not source.is_file():
            return None
        digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
        compiled = self._cache / "translations" / f"kvdesk_{language}-{digest}.qm"
        if not compiled.is_file():
            try:
                compile_translation(source, compiled)
            except (OSError, subprocess.SubprocessError) as error:
                log.warning("%s could not be compiled: %s", source.name, error)
                return None
        return compiled


def compile_translation(source: Path, compiled: Path) -> None:
    """Compile the .ts file `source` into the .qm file `compiled`.

    Raises:
        OSError: the tool is missing, or the file cannot be written.
        subprocess.SubprocessError: the tool refuses.
    """
    make_folder(compiled.parent)
    suffix = ".exe" if sys.platform == "win32" else ""
    tool = Path(PySide6.__file__).parent / f"lrelease{suffix}"
    with temporary_beside(compiled) as temporary:
        subprocess.run(
            [str(tool), "-silent", str(source), "-qm", str(temporary)],
            check=True,
            timeout=_COMPILE_SECONDS,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
        publish(temporary, compiled, overwrite=True)
