"""The application: builds everything, wires it, and runs until the window is closed."""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
import socket
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QSocketNotifier, QTimer
from PySide6.QtGui import QIcon, QUndoStack
from PySide6.QtWidgets import QApplication

from kvdesk.desktop import Desktop
from kvdesk.engine_client import EngineClient
from kvdesk.estimates import Paces
from kvdesk.folders import Folders
from kvdesk.form import Form
from kvdesk.jobs import JobQueue
from kvdesk.keep_awake import KeepAwake
from kvdesk.library import Library
from kvdesk.library_model import LibraryModel
from kvdesk.notice import Notice, Tone
from kvdesk.player import Player
from kvdesk.prompt_history import PromptHistory
from kvdesk.settings import SettingsStore
from kvdesk.single_instance import SingleInstance
from kvdesk.studio import Studio
from kvdesk.translations import Translations
from kvdesk.ui.clip_actions import ClipActions
from kvdesk.ui.icons import ICONS_FOLDER
from kvdesk.ui.main_window import MainWindow
from kvdesk.ui.theme import ThemeChoice, install_theme, theme
from kvdesk.wiring import connect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType, TracebackType

log = logging.getLogger(__name__)

_MAX_LOG_BYTES = 1 << 20
_MS_TO_END = 5000
_UNDO_STEPS = 200
"""More than anybody takes back, and few enough for a window that is open for weeks."""
_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
_NO_SCREEN = """kvdesk: there is no screen here to show the window on. Without one:
  kvdesk generate "a red circle moving to the right on a black background" -o clip.mp4
"""
_NO_ANSWER = """kvdesk: there is a window already, which does not answer yet. If it does not come to
the front, end it and start kvdesk again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything that lives as long as the window."""

    root: QObject
    folders: Folders
    settings: SettingsStore
    translations: Translations
    undo_stack: QUndoStack
    form: Form
    history: PromptHistory
    queue: JobQueue
    library: Library
    library_model: LibraryModel
    player: Player
    engine: EngineClient
    studio: Studio
    window: MainWindow
    actions: ClipActions
    desktop: Desktop
    keep_awake: KeepAwake

    def start(self) -> None:
        """Start the worker, and read what there is."""
        self.window.compose.setFocus()
        if not self.settings.values.welcomed:
            self.window.show_first_start()
        self.engine.start()
        self.library.open()
        self.studio.start()

    def close(self) -> None:
        """Write what is not written yet, and end the worker."""
        geometry, sizes = self.window.shape()
        self.settings.change(window_geometry=geometry, splitter_sizes=sizes)
        if self.window.page is self.window.first_start:
            self.settings.change(welcomed=True)
        for store in (self.settings, self.form, self.history, self.queue):
            store.flush()
        self.keep_awake.release()
        self.player.close()
        self.engine.shut_down()
        self.engine.wait_until_gone(_MS_TO_END)
        self.studio.close()
        self.library.close()
        # While it is destroyed, the stack would tell the form, which may be gone by then.
        self.undo_stack.clear()
        self.window.deleteLater()
        self.root.deleteLater()
        # The window must not outlive the application: its timers would find no event loop.
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def build(
    app: QApplication, folders: Folders, *, engine_command: Sequence[str] | None = None
) -> Desk:
    """Make everything and wire it; nothing is shown or started yet, see `Desk.start`.

    Args:
        app: the application; its theme is installed.
        folders: where files are kept.
        engine_command: starts another worker than the own one.
    """
    root = QObject(app)
    settings = SettingsStore(folders.config / "settings.json", root)
    clips = Path(settings.values.clips_folder) if settings.values.clips_folder else folders.clips
    theme().use(ThemeChoice(settings.values.theme), text_percent=settings.values.text_percent)
    translations = Translations(app, folders.cache)
    translations.use(settings.values.language)
    undo_stack = QUndoStack(root)
    undo_stack.setUndoLimit(_UNDO_STEPS)
    form = Form(folders.data / "form.json", undo_stack, root)
    history = PromptHistory(folders.data / "prompts.json", root)
    queue = JobQueue(folders.data / "queue.json", undo_stack, root)
    library = Library(clips, folders.cache / "library.sqlite", undo_stack, root)
    library_model = LibraryModel(library, root)
    player = Player(root)
    engine = EngineClient(engine_command, parent=root)
    studio = Studio(
        engine=engine,
        queue=queue,
        form=form,
        history=history,
        paces=Paces(folders.data / "paces.json"),
        folders=folders,
        library=library,
        settings=settings,
        parent=root,
    )
    window = MainWindow(
        form=form,
        history=history,
        queue=queue,
        library=library,
        library_model=library_model,
        player=player,
        undo_stack=undo_stack,
    )
    window.restore_shape(settings.values.window_geometry, settings.values.splitter_sizes)
    desk = Desk(
        root=root,
        folders=folders,
        settings=settings,
        translations=translations,
        undo_stack=undo_stack,
        form=form,
        history=history,
        queue=queue,
        library=library,
        library_model=library_model,
        player=player,
        engine=engine,
        studio=studio,
        window=window,
        actions=ClipActions(
            window=window,
            studio=studio,
            library=library,
            player=player,
            form=form,
            settings=settings,
            folders=folders,
        ),
        desktop=Desktop(window),
        keep_awake=KeepAwake(root),
    )
    connect(desk)
    return desk


def main() -> int:
    """Show the window, or bring the one to the front that is there already.

    Returns:
        The exit status: 1 where there is no screen.
    """
    if sys.platform.startswith("linux") and not any(map(os.environ.get, _SCREENS)):
        # Qt would end the process with a dump of its memory.
        sys.stderr.write(_NO_SCREEN)
        return 1
    app = QApplication(sys.argv[:1])
    app.setApplicationName("kvdesk")
    app.setApplicationDisplayName("kvdesk")
    app.setDesktopFileName("kvdesk")
    app.setWindowIcon(QIcon(str(ICONS_FOLDER / "kvdesk.svg")))
    instance = SingleInstance("kvdesk", app)
    if not instance.is_first:
        # Never a second window: both would write the same queue. One that is still starting comes
        # to the front as soon as it can.
        if not instance.ask_first_to_raise():
            sys.stderr.write(_NO_ANSWER)
        return 0
    folders = Folders.usual()
    _log_to(folders.log)
    install_theme(app)
    desk = build(app, folders)
    _report_faults(desk.window)
    _close_on_signals(desk.window)
    instance.raised.connect(lambda: _bring_to_front(desk.window))
    desk.window.show()
    # The window is there before anything reads folders or starts a process.
    QTimer.singleShot(0, desk.start)
    status = app.exec()
    desk.close()
    return status


def _close_on_signals(window: MainWindow) -> None:
    """End as by the close button when the system ends the session, or a terminal Ctrl-C."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        """Leave it to the event loop: this may interrupt anything, such as painting."""

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    # What Python writes here when there is a signal wakes the event loop up.
    reading, writing = socket.socketpair()
    reading.setblocking(False)
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.fileno())
    notifier = QSocketNotifier(reading.fileno(), QSocketNotifier.Type.Read, window)

    def on_wake_up() -> None:
        reading.recv(64)
        window.close()

    notifier.activated.connect(on_wake_up)

    def on_closing() -> None:
        signal.set_wakeup_fd(-1)
        writing.close()

    window.closing.connect(on_closing)


def _bring_to_front(window: MainWindow) -> None:
    if window.isMinimized():
        window.showNormal()
    window.raise_()
    window.activateWindow()


def _log_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=_MAX_LOG_BYTES, backupCount=2, encoding="utf-8"
    )
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[handler],
    )


def _report_faults(window: MainWindow) -> None:
    """Show what went wrong in the window itself, and go on: the work is in another process."""

    def report(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        detail = "".join(traceback.format_exception(kind, error, trace))
        log.error("a fault of the window\n%s", detail)
        text = QCoreApplication.translate(
            "MainWindow",
            "Something went wrong that should not have. What you made is kept. If the window "
            "behaves oddly, close it and start it again.",
        )
        window.notices.show_notice(Notice(text=text, tone=Tone.FAILED, detail=detail))

    sys.excepthook = report
