"""What a process that locked itself up can still do."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.jail import JailLevel, probe

if TYPE_CHECKING:
    from fault_rounds import Rounds

ROOT = Path(__file__).parents[2]
JAILED = Path(__file__).with_name("jailed.py")

needs_jail = pytest.mark.skipif(
    probe() is not JailLevel.FULL, reason="this kernel has no Landlock or no seccomp filters"
)


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.fault(1, 22)
@needs_jail
def test_a_locked_up_process_reaches_nothing_but_its_own_folder(tmp_path: Path, rounds: Rounds):
    home = tmp_path / "home"
    own = tmp_path / "own"
    (home / "empty").mkdir(parents=True)
    own.mkdir()
    secret = home / "secret"
    secret.write_bytes(b"a secret")
    (own / "program").write_text("#!/bin/sh\n", encoding="ascii")
    (own / "program").chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = str(server.getsockname()[1])
        run = subprocess.run(
            [sys.executable, str(JAILED), str(secret), str(own), port],
            env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(home)},
            stdout=subprocess.PIPE,
            timeout=60,
            check=True,
        )
        with pytest.raises(BlockingIOError):
            server.accept()
    answer = json.loads(run.stdout)
    assert answer["level"] == "full"
    assert len(answer["forbidden"]) >= 40
    for action, result in answer["forbidden"].items():
        assert result != "done", action
        rounds.done()
    assert set(answer["allowed"].values()) == {"done"}, answer["allowed"]
    assert secret.read_bytes() == b"a secret"
    assert sorted(path.name for path in home.iterdir()) == ["empty", "secret"]


@pytest.mark.fault(36)
@needs_jail
def test_what_is_readable_is_not_writable_and_what_is_executable_runs_as_locked_up(tmp_path: Path):
    (tmp_path / "file").write_text("content", encoding="ascii")
    code = f"""if True:
        import subprocess, sys
        from pathlib import Path
        from engine.jail import lock_up
        folder = Path(sys.argv[1])
        level = lock_up(readable=[folder], executable=[Path("/usr"), Path("/lib"), Path("/lib64"),
            Path("/bin"), Path({sys.base_prefix!r}), Path(sys.executable)])
        said = subprocess.run(["/bin/sh", "-c", 'read x < "$1/file"; echo "$x"; : > "$1/new"',
            "sh", folder], capture_output=True, text=True)
        try:
            folder.joinpath("file").write_text("other")
        except PermissionError:
            print(level, said.stdout.strip(), "Permission denied" in said.stderr)
    """
    run = run_python(code, str(tmp_path))
    assert run.stdout.split() == ["full", "content", "True"], run.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.fault(36)
@needs_jail
def test_what_is_deletable_can_be_read_and_deleted_and_not_written(tmp_path: Path):
    for name in ("deletable", "readable"):
        (tmp_path / name / "inside").mkdir(parents=True)
        (tmp_path / name / "file").write_text("content", encoding="ascii")
        (tmp_path / name / "kept").write_text("content", encoding="ascii")
    code = """if True:
        import sys
        from pathlib import Path
        from engine.jail import lock_up
        deletable, readable = (Path(sys.argv[1]) / name for name in ("deletable", "readable"))
        lock_up(readable=[readable], deletable=[deletable])
        for folder in (deletable, readable):
            file, kept = folder / "file", folder / "kept"
            for action in (file.read_text, file.unlink, (folder / "inside").rmdir,
                           lambda: kept.write_text("other"), (folder / "new").touch,
                           lambda: kept.rename(folder / "moved")):
                try:
                    action()
                    print("done", end=" ")
                except PermissionError:
                    print("refused", end=" ")
    """
    run = run_python(code, str(tmp_path))
    words = run.stdout.split()
    assert words[:5] == ["done", "done", "done", "refused", "refused"], run.stderr
    assert words[6:] == ["done", *["refused"] * 5]
    assert sorted(path.name for path in (tmp_path / "readable").iterdir()) == [
        "file", "inside", "kept"]  # fmt: skip


@pytest.mark.fault(36)
def test_a_process_that_computes_too_long_is_ended():
    run = run_python(
        "from engine.jail import lock_up; lock_up(cpu_seconds=1)\nwhile True: pass",
    )
    if probe() is JailLevel.NONE:
        pytest.skip("this system has no limits of a process")
    assert run.returncode < 0


@pytest.mark.fault(36)
def test_the_level_that_was_promised_is_reached():
    run = run_python("from engine.jail import lock_up, probe; print(probe(), lock_up())")
    promised, reached = run.stdout.split()
    assert promised == reached


@pytest.mark.fault(36)
@needs_jail
def test_files_are_not_called_locked_where_another_thread_is_free():
    code = """if True:
        import threading
        from engine.jail import lock_up
        end = threading.Event()
        threading.Thread(target=end.wait).start()
        print(lock_up())
        end.set()
    """
    assert run_python(code).stdout.strip() == "limits"
