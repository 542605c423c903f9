"""A small window to drag a file out of, as out of a file manager.

python drop_source.py FILE LEFT TOP; says "ready", then "taken" or "refused". It has to be ended
from outside, as only the one who takes the file knows when it has been handed over.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QDrag, QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel

SIZE = (110, 40)


class DropSource(QLabel):
    """Drags its file as soon as the mouse moves with the button down."""

    def __init__(self, path: str) -> None:
        super().__init__("drag me")
        self._path = path
        self.setWindowFlags(
            Qt.WindowType.FramelessWindowHint | Qt.WindowType.BypassWindowManagerHint
        )
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setFixedSize(*SIZE)

    def mouseMoveEvent(self, _event: QMouseEvent) -> None:
        """Drag, and say what came of it."""
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(self._path)])
        drag = QDrag(self)
        drag.setMimeData(mime)
        taken = drag.exec(Qt.DropAction.CopyAction)
        # It has to stay there until the file's address was asked for, but not in sight.
        self.hide()
        print("taken" if taken is Qt.DropAction.CopyAction else "refused", flush=True)


def main() -> int:
    """See the module."""
    path, left, top = sys.argv[1:]
    app = QApplication(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    source = DropSource(path)
    source.move(int(left), int(top))
    source.show()
    source.raise_()
    print("ready", flush=True)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
