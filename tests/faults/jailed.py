"""A process that locks itself up and says which of many forbidden things it could still do.

`python jailed.py SECRET_FILE OWN_FOLDER PORT` prints one JSON object: the level, and for each
action "done" or the name of what it failed with.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from engine.jail import lock_up

SECRET = Path(sys.argv[1])
OWN = Path(sys.argv[2])
PORT = int(sys.argv[3])
PARENT = os.getppid()
OPEN_BEFORE = socket.socket()
LIBC = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> None:
    if getattr(LIBC, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def system_call(number: int, *arguments: object) -> None:
    if LIBC.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), str(number))


def other_architecture() -> None:
    system_call(0x40000000 + 41, socket.AF_INET, socket.SOCK_STREAM, 0)


def shared_memory() -> None:
    descriptor = os.open("/dev/shm/kvdesk-jail-test", os.O_CREAT | os.O_RDWR)
    os.close(descriptor)


def attach() -> None:
    call("ptrace", 16, PARENT, 0, 0)


def read_memory_of_parent() -> None:
    call("process_vm_readv", PARENT, None, 0, None, 0, 0)


FORBIDDEN = {
    "read a file of the person": SECRET.read_bytes,
    "read the list of users": Path("/etc/passwd").read_bytes,
    "read the own environment of the parent": Path(f"/proc/{PARENT}/environ").read_bytes,
    "read the own memory": Path("/proc/self/mem").read_bytes,
    "list the home folder": lambda: list(Path.home().iterdir()),
    "list the root folder": lambda: list(Path("/").iterdir()),
    "list processes": lambda: list(Path("/proc").iterdir()),
    "write into the file": lambda: SECRET.write_bytes(b"x"),
    "append to the file": lambda: os.open(SECRET, os.O_WRONLY | os.O_APPEND),
    "create a file beside it": lambda: SECRET.with_name("new").write_bytes(b"x"),
    "create a file in /tmp": lambda: Path("/tmp/kvdesk-jail-test").write_bytes(b"x"),
    "create shared memory": shared_memory,
    "delete the file": SECRET.unlink,
    "rename the file": lambda: SECRET.rename(SECRET.with_name("other")),
    "cut the file": lambda: os.truncate(SECRET, 0),
    "change its rights": lambda: SECRET.chmod(0o777),
    "change its owner": lambda: os.chown(SECRET, os.getuid(), os.getgid()),
    "change its times": lambda: os.utime(SECRET),
    "change its attributes": lambda: os.setxattr(SECRET, "user.x", b"x"),
    "make a folder": lambda: SECRET.with_name("folder").mkdir(),
    "remove the folder": SECRET.with_name("empty").rmdir,
    "make a link": lambda: SECRET.with_name("link").symlink_to(SECRET),
    "make a second name": lambda: SECRET.with_name("twin").hardlink_to(SECRET),
    "make a pipe with a name": lambda: os.mkfifo(SECRET.with_name("pipe")),
    "open a device": lambda: os.open("/dev/zero", os.O_RDONLY),
    "open the terminal": lambda: os.open("/dev/tty", os.O_RDWR),
    "connect over TCP": lambda: socket.create_connection(("127.0.0.1", PORT), 1),
    "connect a socket that was open": lambda: OPEN_BEFORE.connect(("127.0.0.1", PORT)),
    "listen on a port": lambda: OPEN_BEFORE.bind(("127.0.0.1", 0)),
    "send over UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "talk to the desktop": lambda: socket.socket(socket.AF_UNIX),
    "watch the network": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "call by the numbers of another machine": other_architecture,
    "start a program": lambda: subprocess.run([sys.executable, "-V"], check=True),
    "become a program": lambda: os.execv(sys.executable, [sys.executable, "-V"]),
    "fork": lambda: os.fork() or os._exit(0),
    "spawn": lambda: os.posix_spawn(sys.executable, [sys.executable, "-V"], {}),
    "end the parent": lambda: os.kill(PARENT, signal.SIGTERM),
    "look whether the parent is there": lambda: os.kill(PARENT, 0),
    "attach to the parent": attach,
    "read the memory of the parent": read_memory_of_parent,
    "leave for another namespace": lambda: call("unshare", 0x10000000),
    "change the root folder": lambda: os.chroot("/tmp"),
    "mount": lambda: call("mount", b"none", b"/mnt", b"tmpfs", 0, None),
    "program the kernel": lambda: system_call(321 if os.uname().machine == "x86_64" else 280),
    "make calls past the filter": lambda: system_call(425, 1, None),
    "take 100 GB": lambda: mmap.mmap(-1, 100 * 2**30),
    "take 2 GB": lambda: bytearray(2 * 2**30),
    "write a file of 2 MB": lambda: (OWN / "large").write_bytes(bytes(2 * 2**20)),
    "start a program of its own": lambda: os.execv(OWN / "program", ["program"]),
}
ALLOWED = {
    "read a file of its own": (OWN / "program").read_bytes,
    "write a file of its own": lambda: (OWN / "small").write_bytes(b"x"),
    "rename a file of its own": lambda: (OWN / "small").rename(OWN / "renamed"),
    "list its own folder": lambda: list(OWN.iterdir()),
    "start a thread": lambda: threading.Thread(target=lambda: None).start(),
    "take 100 MB": lambda: bytearray(100 * 2**20),
    "connect both ends of a pipe": os.pipe,
}


def tried(actions: dict[str, object]) -> dict[str, str]:
    results = {}
    for name, action in actions.items():
        try:
            action()
        except (OSError, MemoryError) as error:
            results[name] = type(error).__name__
        else:
            results[name] = "done"
    return results


if __name__ == "__main__":
    level = lock_up(writable=[OWN], memory_bytes=2**30, file_bytes=2**20)
    answer = {"level": level, "forbidden": tried(FORBIDDEN), "allowed": tried(ALLOWED)}
    print(json.dumps(answer))
