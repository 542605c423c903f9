from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QWidget

import kvdesk.desktop
from kvdesk.desktop import Desktop, progress_message


class Tray(QObject):
    """Stands for the system tray, which the screen of tests does not have."""

    messageClicked = Signal()  # noqa: N815 - Qt's name
    activated = Signal(object)
    made: list[Tray] = []  # noqa: RUF012 - filled by the test

    def __init__(self, _icon, parent):
        super().__init__(parent)
        self.messages = []
        self.is_shown = False
        Tray.made.append(self)

    @staticmethod
    def isSystemTrayAvailable():  # noqa: N802 - Qt's name
        return True

    def setToolTip(self, _text):  # noqa: N802 - Qt's name
        pass

    def show(self):
        self.is_shown = True

    def hide(self):
        self.is_shown = False

    def showMessage(self, title, text, _icon):  # noqa: N802 - Qt's name
        self.messages.append((title, text))


class Bus:
    def __init__(self):
        self.sent = []

    def isConnected(self):  # noqa: N802 - Qt's name
        return True

    def send(self, message):
        self.sent.append(message.arguments()[1])


@pytest.fixture
def trays(monkeypatch):
    Tray.made.clear()
    monkeypatch.setattr(kvdesk.desktop, "QSystemTrayIcon", Tray)
    return Tray.made


@pytest.fixture
def window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    return window


@pytest.fixture
def other_window(qtbot, window):
    """A window in front of the first."""
    other = QWidget()
    qtbot.addWidget(other)
    window.show()
    other.show()
    other.activateWindow()
    qtbot.waitUntil(other.isActiveWindow)
    return other


@pytest.mark.usefixtures("other_window")
def test_a_long_job_that_ends_behind_another_window_is_told(window, trays):
    desktop = Desktop(window)
    desktop.tell("Your clip is ready", "a cat", seconds=21)
    desktop.tell("Your clip is ready", "a dog", seconds=90)
    (tray,) = trays
    assert tray.is_shown
    assert tray.messages == [("Your clip is ready", "a cat"), ("Your clip is ready", "a dog")]


@pytest.mark.fault(24)
@pytest.mark.usefixtures("other_window")
def test_a_message_has_no_markup(window, trays):
    Desktop(window).tell("Your clip is ready", '<img src="/etc/passwd">a & b', seconds=21)
    ((_, text),) = trays[0].messages
    assert text == '\u2039img src="/etc/passwd"\u203aa & b'


@pytest.mark.usefixtures("other_window")
def test_a_short_job_is_not_told(window, trays):
    Desktop(window).tell("Your clip is ready", "a cat", seconds=19)
    assert trays == []


@pytest.mark.usefixtures("other_window")
def test_nothing_is_told_to_who_does_not_want_it(window, trays):
    desktop = Desktop(window)
    desktop.notifies = False
    desktop.tell("Your clip is ready", "a cat", seconds=90)
    assert trays == []


def test_nothing_is_told_to_who_sees_it(qtbot, window, trays):
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    Desktop(window).tell("Your clip is ready", "a cat", seconds=90)
    assert trays == []


@pytest.mark.usefixtures("other_window")
@pytest.mark.parametrize("how", ["messageClicked", "activated"])
def test_a_click_on_the_message_brings_the_window_to_the_front(qtbot, window, trays, how):
    Desktop(window).tell("Your clip is ready", "a cat", seconds=90)
    window.showMinimized()
    signal = getattr(trays[0], how)
    signal.emit() if how == "messageClicked" else signal.emit(None)
    qtbot.waitUntil(window.isActiveWindow)
    assert not window.isMinimized()


@pytest.mark.usefixtures("other_window")
def test_the_icon_goes_when_somebody_is_back(qtbot, window, trays):
    Desktop(window).tell("Your clip is ready", "a cat", seconds=90)
    assert trays[0].is_shown
    window.activateWindow()
    qtbot.waitUntil(lambda: not trays[0].is_shown)


@pytest.mark.usefixtures("other_window")
def test_without_a_tray_nothing_happens(window):
    Desktop(window).tell("Your clip is ready", "a cat", seconds=90)
    QApplication.processEvents()


def test_the_dock_is_told_how_much_is_done_and_when_it_is_over():
    half, over = progress_message(0.5), progress_message(None)
    assert half.interface() == "com.canonical.Unity.LauncherEntry"
    assert half.member() == "Update"
    assert half.arguments() == [
        "application://kvdesk.desktop",
        {"progress": 0.5, "progress-visible": True},
    ]
    assert over.arguments()[1] == {"progress": 0.0, "progress-visible": False}


def test_the_dock_is_told_once_for_each_percent(window, monkeypatch):
    bus = Bus()
    monkeypatch.setattr(kvdesk.desktop.sys, "platform", "linux")
    monkeypatch.setattr(
        kvdesk.desktop, "QDBusConnection", type("C", (), {"sessionBus": lambda: bus})
    )
    desktop = Desktop(window)
    for part in (0.101, 0.102, 0.11, None, None):
        desktop.show_progress(part)
    assert bus.sent == [
        {"progress": 0.101, "progress-visible": True},
        {"progress": 0.11, "progress-visible": True},
        {"progress": 0.0, "progress-visible": False},
    ]


def test_without_a_bus_nothing_happens(window, monkeypatch):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
    Desktop(window).show_progress(0.5)
