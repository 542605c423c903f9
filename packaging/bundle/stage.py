"""Makes what the bundle needs besides code, with the libraries of the environment it is built in.

    python packaging/bundle/stage.py FOLDER

writes into FOLDER the `resources` with their translations compiled, the icon in the sizes of Linux
(`icons/hicolor`), and the one for Windows (`kvdesk.ico`).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from kvdesk.translations import compile_translation

ROOT = Path(__file__).resolve().parents[2]
ICON = ROOT / "resources" / "icons" / "kvdesk.svg"
SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
_LARGEST_ON_WINDOWS = 256


def stage(folder: Path) -> None:
    """Write everything into `folder`, in place of what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    copy_resources(folder / "resources")
    pictures = draw_icons(folder / "icons" / "hicolor")
    sizes = [(size, size) for size in SIZES if size <= _LARGEST_ON_WINDOWS]
    with Image.open(pictures[_LARGEST_ON_WINDOWS]) as largest:
        largest.save(folder / "kvdesk.ico", sizes=sizes)


def copy_resources(target: Path) -> None:
    """Copy what the program reads, with the translations as Qt reads them."""
    shutil.copytree(ROOT / "resources", target, ignore=shutil.ignore_patterns("pictures"))
    for source in (target / "translations").glob("*.ts"):
        compile_translation(source, source.with_suffix(".qm"))
        source.unlink()


def draw_icons(target: Path) -> dict[int, Path]:
    """Draw the icon in all sizes; the files by their sizes in pixels."""
    renderer = QSvgRenderer(str(ICON))
    files: dict[int, Path] = {}
    for size in SIZES:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        file = target / f"{size}x{size}" / "apps" / "kvdesk.png"
        file.parent.mkdir(parents=True)
        if not image.save(str(file)):
            raise OSError(f"{file} could not be written")
        files[size] = file
    scalable = target / "scalable" / "apps" / "kvdesk.svg"
    scalable.parent.mkdir(parents=True)
    shutil.copyfile(ICON, scalable)
    return files


if __name__ == "__main__":
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application = QGuiApplication(sys.argv[:1])
    stage(Path(sys.argv[1]))
