"""What tests of the window share: a screen that is not there, the theme, and a worker that plays.

Every test fails on any message of Qt from a warning upwards, also while its widgets are deleted.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

os.environ["QT_QPA_PLATFORM"] = "offscreen"  # read when the application is made

import psutil
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QLocale, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine_talk import Log
    from pytestqt.qtbot import QtBot
    from studio_desk import StudioDesk

    from engine.api import Event, Question, Work
    from kvdesk.app import Desk
    from kvdesk.engine_client import EngineClient
    from kvdesk.ui.theme import Theme

SECONDS_TO_END = 10  # of the processes of a test; far more than they take

# These say what the offscreen platform cannot do, not what the window does wrong.
HARMLESS = {
    "This plugin does not support propagateSizeHints()",
    "This plugin does not support raise()",
    "This plugin does not support grabbing the keyboard",
    "This plugin does not support setting window opacity",
    "This plugin does not support setting window masks",
}
SERIOUS = {QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Turn pytest-qt's own capture off here: it ends before the widgets are deleted."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.no_qt_log)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Fail a test that leaves a thread of Python or a process running."""
    threads = set(threading.enumerate())
    children = set(psutil.Process().children(recursive=True))
    yield
    deadline = time.monotonic() + SECONDS_TO_END
    while time.monotonic() < deadline:
        left: list[object] = [thread for thread in threading.enumerate() if thread not in threads]
        left += [
            child
            for child in psutil.Process().children(recursive=True)
            if child not in children
            and child.is_running()
            and child.status() != psutil.STATUS_ZOMBIE
        ]
        if not left:
            return
        time.sleep(0.01)
    pytest.fail(f"left running: {left}")


@pytest.fixture(autouse=True)
def _locale_of_the_process() -> Iterator[None]:
    """Give back the locale that a test in another language has changed."""
    before = QLocale()
    yield
    QLocale.setDefault(before)


@pytest.fixture(autouse=True)
def qt_messages() -> Iterator[list[str]]:
    """Warnings of Qt during a test; there must be none left at its end.

    A test that provokes one on purpose looks at this list and clears it.
    """
    messages: list[str] = []

    def on_message(kind: QtMsgType, _context: object, text: str) -> None:
        if kind in SERIOUS and text not in HARMLESS:
            messages.append(text)

    previous = qInstallMessageHandler(on_message)
    yield messages
    delete_what_is_due()
    qInstallMessageHandler(previous)
    assert messages == [], "Qt warned"


def delete_what_is_due() -> None:
    """Delete the objects of which `deleteLater` was called."""
    if QCoreApplication.instance() is not None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()


@pytest.fixture(scope="session")
def _installed_theme(qapp: QCoreApplication) -> Theme:
    from kvdesk.ui.theme import install_theme

    return install_theme(qapp)


@pytest.fixture
def themed(_installed_theme: Theme) -> Iterator[Theme]:
    """The theme of the application: dark, with text of the usual size, whatever a test changes."""
    from kvdesk.ui.theme import ThemeChoice

    _installed_theme.use(ThemeChoice.DARK)
    yield _installed_theme
    delete_what_is_due()  # a widget that waits for its end need not be painted anew
    _installed_theme.use(ThemeChoice.DARK)


@pytest.fixture
def fake_engine(qapp: QCoreApplication) -> Iterator[Callable[..., EngineClient]]:
    """Makes a started `EngineClient` of a fake worker that follows a script (see `fake_worker`).

    The keywords are the fields of `fake_worker.Script`. Nothing of it is left after the test.
    """
    from fake_worker import COMMAND, environment_of

    from kvdesk.engine_client import EngineClient

    clients: list[EngineClient] = []

    def make(*, clock: Callable[[], float] | None = None, **script: object) -> EngineClient:
        clocks = {} if clock is None else {"clock": clock}
        client = EngineClient(COMMAND, environment_of(**script), qapp, **clocks)
        clients.append(client)
        client.start()
        return client

    yield make
    for client in clients:
        client.shut_down()
        assert client.wait_until_gone(SECONDS_TO_END * 1000), "the worker did not end"
        client.deleteLater()


@pytest.fixture
def run_to_end(qtbot: QtBot) -> Callable[[EngineClient, Work], Log]:
    """Runs one job to its end and gives its events."""
    from engine_talk import PATIENCE, Log

    def run(engine: EngineClient, work: Work) -> Log:
        events = Log()
        engine.run(work, events.append)
        qtbot.waitUntil(lambda: events.is_over, timeout=PATIENCE)
        return events

    return run


@pytest.fixture
def answer_of(qtbot: QtBot) -> Callable[[EngineClient, Question], Event]:
    """Asks a question and gives its answer."""
    from engine_talk import PATIENCE

    def ask(engine: EngineClient, question: Question) -> Event:
        answers: list[Event] = []
        engine.ask(question, answers.append)
        qtbot.waitUntil(lambda: len(answers) == 1, timeout=PATIENCE)
        return answers[0]

    return ask


@pytest.fixture
def desk_of(
    qtbot: QtBot, themed: Theme, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Desk]]:
    """Makes the whole application in folders of the test, shown and started, on a fake worker.

    The keywords are the fields of `fake_worker.Script`, or `real` for the worker as it is, or the
    Python `program` that runs it; `is_new` shows the first steps where there are no settings yet.
    A second call is a restart.
    """
    from fake_worker import COMMAND, environment_of

    from kvdesk.app import build
    from kvdesk.folders import Folders

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user_data"))  # of the folder of models
    open_desks: list[Desk] = []
    folders = Folders(
        config=tmp_path / "config",
        data=tmp_path / "data",
        cache=tmp_path / "cache",
        clips=tmp_path / "clips",
    )

    def close() -> None:
        while open_desks:
            desk = open_desks.pop()
            desk.window.close()
            desk.close()
            delete_what_is_due()

    def make(
        *, real: bool = False, program: str = "", is_new: bool = False, **script: object
    ) -> Desk:
        close()
        command = (sys.executable, "-c", program) if program else None if real else COMMAND
        if command is COMMAND:
            for name, value in environment_of(**script).items():
                monkeypatch.setenv(name, value)
        desk = build(qapp_of(qtbot), folders, engine_command=command)
        open_desks.append(desk)
        desk.settings.change(language="en")
        if not is_new:
            desk.settings.change(welcomed=True)
        assert desk.settings.values.text_percent == themed.text_percent
        desk.window.show()
        desk.start()
        return desk

    yield make
    close()


@pytest.fixture
def studio_of(
    fake_engine: Callable[..., EngineClient],
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., StudioDesk]]:
    """As `desk_of`, with a fake worker only, and without a window, which takes most of the time."""
    from studio_desk import StudioDesk

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user_data"))  # of the folder of models
    desks: list[StudioDesk] = []

    def close() -> None:
        while desks:
            desk = desks.pop()
            desk.engine.shut_down()
            assert desk.engine.wait_until_gone(SECONDS_TO_END * 1000)
            desk.close()

    def make(**script: object) -> StudioDesk:
        close()
        desks.append(StudioDesk(tmp_path / "desk", fake_engine(**script), qtbot))
        desks[0].start()
        return desks[0]

    yield make
    close()


def qapp_of(_qtbot: QtBot) -> QApplication:
    """The application that pytest-qt has made."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app
