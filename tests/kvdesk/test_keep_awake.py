"""No sleep while a job runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kvdesk
from kvdesk.keep_awake import KeepAwake

ROOT = Path(kvdesk.__file__).parents[1]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="D-Bus is of Linux")
needs_bus = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="no dbus-daemon")


class Recorder:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def hold(self, reason: str) -> None:
        self.calls.append(f"hold {reason}")

    def release(self) -> None:
        self.calls.append("release")


def test_it_is_held_once_however_often_it_is_asked(qapp):
    recorder = Recorder()
    awake = KeepAwake(qapp, inhibitor=recorder)
    assert not awake.is_held
    awake.release()
    awake.hold("a clip")
    awake.hold("another clip")
    assert awake.is_held
    awake.release()
    awake.release()
    assert not awake.is_held
    awake.hold("a third clip")
    assert recorder.calls == ["hold a clip", "release", "hold a third clip"]


# What a process of its own does: the addresses of the buses are read once in a process.
BEGIN = """
import logging, sys, time
from PySide6.QtCore import QCoreApplication, QtMsgType, qInstallMessageHandler
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="log %(message)s")
qInstallMessageHandler(lambda kind, _, text: print("Qt says", text, flush=True))
app = QCoreApplication([])
from kvdesk.keep_awake import KeepAwake

def wait(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        app.processEvents()
        time.sleep(0.005)

awake = KeepAwake(app)
"""

WITHOUT_SERVICES = """
for _ in range(3):
    began = time.monotonic()
    awake.hold("a clip")
    assert time.monotonic() - began < 1
    wait(0.15)
    assert awake.is_held
    awake.release()
"""

WITH_SERVICES = """
import os, stat
from PySide6.QtDBus import QDBusConnection, QDBusUnixFileDescriptor, QDBusVirtualObject

class Service(QDBusVirtualObject):
    def __init__(self, answers):
        super().__init__()
        self.calls, self.answers = [], answers
    def introspect(self, path):
        return ""
    def handleMessage(self, message, connection):
        self.calls.append([message.member(), *message.arguments()])
        if self.answers:
            self.read_end, write_end = os.pipe()
            os.set_blocking(self.read_end, False)
            given = QDBusUnixFileDescriptor(write_end)
            os.close(write_end)
            connection.send(message.createReply([given]))
            del given
        else:
            connection.send(message.createErrorReply("org.example.Denied", "not you"))
        return True

    def is_locked(self):
        try:
            return os.read(self.read_end, 1) != b""
        except BlockingIOError:
            return True

def serve(bus_type, name, path, answers):
    bus = QDBusConnection.connectToBus(bus_type, "service of " + name)
    service = Service(answers)
    assert bus.registerVirtualObject(path, service) and bus.registerService(name)
    return service

SYSTEM, SESSION = QDBusConnection.BusType.SystemBus, QDBusConnection.BusType.SessionBus
"""

LOGIND = """
logind = serve(SYSTEM, "org.freedesktop.login1", "/org/freedesktop/login1", True)
for number in (1, 2):
    awake.hold("a clip")
    assert len(logind.calls) < number  # nobody waited for the answer
    wait(0.2)
    assert logind.calls == [["Inhibit", "sleep:idle", "kvdesk", "a clip", "block"]] * number
    assert logind.is_locked()
    awake.release()
    wait(0.2)
    assert not logind.is_locked()
awake.hold("a short clip")
awake.release()
wait(0.2)
assert not logind.is_locked()
print("held")
"""

SCREEN_SAVER = """
from PySide6.QtDBus import QDBusServiceWatcher
logind = serve(SYSTEM, "org.freedesktop.login1", "/org/freedesktop/login1", False)
path = "/org/freedesktop/ScreenSaver"
saver = serve(SESSION, "org.freedesktop.ScreenSaver", path, True)
awake.hold("a clip")
wait(0.3)
assert logind.calls and saver.calls == [["Inhibit", "kvdesk", "a clip"]], saver.calls
me = QDBusConnection("kvdesk-keep-awake")
assert me.isConnected()
name = me.baseService()
names = QDBusConnection("service of org.freedesktop.ScreenSaver").interface()
assert names.isServiceRegistered(name).value()
del me
awake.release()
wait(0.2)
assert not names.isServiceRegistered(name).value()
print("held")
"""


def run(*parts: str, system: str, session: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", "".join((BEGIN, *parts))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DBUS_SYSTEM_BUS_ADDRESS": system,
            "DBUS_SESSION_BUS_ADDRESS": session,
        },
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture
def bus(tmp_path):
    """The address of a bus where nobody is yet."""
    daemon = subprocess.Popen(
        [
            "dbus-daemon",
            "--session",
            "--nofork",
            "--nopidfile",
            "--print-address",
            f"--address=unix:path={tmp_path}/bus",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    yield daemon.stdout.readline().strip()
    daemon.kill()
    daemon.communicate()


@linux_only
def test_without_a_bus_it_does_nothing_and_says_so_once(tmp_path):
    nowhere = f"unix:path={tmp_path}/nothing"
    said = run(WITHOUT_SERVICES, system=nowhere, session=nowhere)
    assert said == "log cannot keep this system awake: there is no session bus\n"


@linux_only
@needs_bus
def test_with_a_bus_but_nobody_there_it_does_nothing_and_says_so_once(bus):
    said = run(WITHOUT_SERVICES, system=bus, session=bus)
    assert said.count("cannot keep this system awake") == 1
    assert "Qt says" not in said


@linux_only
@needs_bus
def test_the_lock_of_logind_is_held_until_the_release(bus):
    assert run(WITH_SERVICES, LOGIND, system=bus, session=bus) == "held\n"


@linux_only
@needs_bus
def test_the_screen_saver_is_asked_where_logind_refuses(bus):
    said = run(WITH_SERVICES, SCREEN_SAVER, system=bus, session=bus)
    assert said.splitlines() == ["log logind: not you", "held"]
