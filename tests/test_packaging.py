from __future__ import annotations

import argparse
import ast
import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import platformdirs
import pytest

from engine import own_torch
from engine.api import own_module
from engine.errors import EngineError, InvalidRequest
from engine.own_torch import TorchFolder, mark_whole, this_python, torch_in_use
from engine.torch_command import INSIDE, add_torch_options

ROOT = Path(__file__).parents[1]
LINUX = ROOT / "packaging" / "linux"
LAUNCHER = ROOT / "packaging" / "bundle" / "launcher.py"
PYTHON = sys.executable
REQUIREMENT = "torch<2.14,>=2.10"

FAKE_TORCH = """
from types import SimpleNamespace
__version__ = "{version}"
version = SimpleNamespace(cuda=None)
cuda = SimpleNamespace(is_available=lambda: False)
class ones:
    def __init__(self, *_sides, device): pass
    def __matmul__(self, _other): return self
    def sum(self): return {total}
"""
# Does what `uv pip install --target FOLDER` does, with a PyTorch of a few lines.
FAKE_UV = """#!{python}
import pathlib, sys
pathlib.Path({log!r}).write_text("\\n".join(sys.argv))
if {status}:
    sys.exit("no such package")
folder = pathlib.Path(sys.argv[sys.argv.index("--target") + 1]) / "torch"
folder.mkdir(parents=True)
(folder / "__init__.py").write_text({torch!r})
"""


# Starting itself.


def modules_named_in(file: Path) -> list[ast.expr]:
    """What is given to `own_command`, or to what calls it for others."""
    calls = [
        node
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    direct = [call.args[0] for call in calls if call.func.id == "own_command"]
    words = [call.keywords for call in calls if call.func.id == "TellingProcess"]
    passed_on = [word.value for each in words for word in each if word.arg == "module"]
    return [name for name in direct if ast.unparse(name) != "self.module"] + passed_on


def module_file(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")


SOURCES = sorted(file for top in ("engine", "kvdesk") for file in (ROOT / top).rglob("*.py"))


def test_only_one_helper_starts_this_program_again():
    users = {
        file.relative_to(ROOT).as_posix()
        for file in SOURCES
        if "sys.executable" in file.read_text(encoding="utf-8")
    }
    assert users == {"engine/api/own_module.py"}


def test_every_module_that_is_started_has_a_main_that_takes_arguments():
    started = set()
    for file in SOURCES:
        if not re.search("own_command|TellingProcess", file.read_text(encoding="utf-8")):
            continue
        for name in modules_named_in(file):
            is_literal = isinstance(name, ast.Constant)
            assert is_literal or ast.unparse(name) == "__name__", file
            started.add(module_file(name.value) if is_literal else file)
    assert len(started) >= 7
    for file in started:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        [main] = [
            node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"
        ]
        assert len(main.args.args) == 1, file


def test_outside_of_a_bundle_a_module_is_run_by_this_python_from_any_folder(tmp_path):
    command = [*own_module.own_command("engine.cli"), "--version"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert answer.stdout.startswith(b"kvdesk ")


def test_a_bundle_starts_its_own_program(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(Path("/opt/kvdesk/kvdesk")))
    monkeypatch.setattr(sys, "platform", "linux")
    assert own_module.own_command("engine.worker")[1:] == ["run-module", "engine.worker"]
    assert own_module.own_program() == str(Path("/opt/kvdesk/kvdesk"))
    monkeypatch.setattr(sys, "platform", "win32")
    assert own_module.own_program() == str(Path("/opt/kvdesk/kvdesk-cli.exe"))


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LD_LIBRARY_PATH_ORIG": "/before"}
    command = [sys.executable, str(LAUNCHER), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_launcher_runs_modules_of_the_engine_and_no_others():
    assert launch("run-module", "engine.cli", "--version").stdout.startswith("kvdesk ")
    refused = launch("run-module", "this")
    assert refused.returncode == 2
    assert "run-module" in refused.stderr


def test_the_launcher_answers_uv_as_a_python_would_and_gives_back_the_path_of_libraries():
    code = "import os, sys; print(sys.argv, os.environ['LD_LIBRARY_PATH'], len(os.environ))"
    said = launch("-I", "-B", "-c", code, "more").stdout
    assert said.startswith("['-c', 'more'] /before ")


# Which PyTorch a bundle uses.


@pytest.fixture
def bundle(tmp_path, monkeypatch) -> TorchFolder:
    """A bundle in which this process seems to run; the PyTorch that came with it."""
    program = tmp_path / "kvdesk" / "kvdesk"
    inside = tmp_path / "kvdesk" / "torch"
    inside.mkdir(parents=True)
    # Without its site-packages, where a real PyTorch lies.
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(PYTHON)} -S {LAUNCHER} "$@"\n')
    program.chmod(0o755)
    (tmp_path / "kvdesk" / "_internal").mkdir()
    library = tmp_path / "library"
    shutil.copytree(Path(platformdirs.__file__).parent, library / "platformdirs")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(library)]))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "kvdesk" / "_internal"))
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(own_torch, "torch_home", lambda: tmp_path / "data" / "torch")
    monkeypatch.setattr("engine.torch_command.torch_home", lambda: tmp_path / "data" / "torch")
    folder = TorchFolder(
        path=inside, version="2.13.0+cpu", python=this_python(), requirement=REQUIREMENT
    )
    mark_whole(folder)
    return folder


@pytest.fixture
def uv(bundle: TorchFolder, tmp_path: Path):
    """Puts a `uv` into the bundle that installs a PyTorch of this version."""

    def put(version: str = "2.13.0+cu128", *, status: int = 0, total: int = 64**3) -> Path:
        log = tmp_path / "asked.txt"
        torch = FAKE_TORCH.format(version=version, total=total)
        program = bundle.path.parent / "_internal" / "uv"
        text = FAKE_UV.format(python=PYTHON, log=str(log), status=status, torch=torch)
        program.write_text(text)
        program.chmod(0o755)
        return log

    return put


needs_scripts = pytest.mark.skipif(sys.platform == "win32", reason="starts scripts by their #!")


def get_torch(*arguments: str) -> None:
    parser = argparse.ArgumentParser()
    add_torch_options(parser)
    options = parser.parse_args(arguments)
    options.run(options)


def test_without_a_choice_the_one_inside_is_used(bundle):
    assert torch_in_use() == bundle


@needs_scripts
def test_a_fetched_one_is_used_after_it_was_tried_and_there_is_a_way_back(bundle, uv, capsys):
    log = uv()
    get_torch()
    used = torch_in_use()
    assert used is not None
    assert used.version == "2.13.0+cu128"
    assert used.path.parent == own_torch.torch_home()
    asked = log.read_text().splitlines()
    assert "--torch-backend=auto" in asked
    assert asked[-1] == REQUIREMENT
    assert [path.name for path in used.path.parent.iterdir() if path != used.path] == [
        "chosen.json"
    ]

    get_torch("--use", INSIDE)
    assert torch_in_use() == bundle
    get_torch("--use", used.path.name)
    assert torch_in_use() == used
    get_torch("--list")
    assert f"{used.path.name}: PyTorch 2.13.0+cu128 (used)" in capsys.readouterr().out
    get_torch("--remove", used.path.name)
    assert torch_in_use() == bundle
    assert not used.path.exists()


@needs_scripts
def test_packages_can_come_from_a_folder_instead_of_the_network(uv, tmp_path):
    log = uv()
    get_torch("--from", str(tmp_path))
    asked = log.read_text().splitlines()
    assert "--no-index" in asked
    assert f"--find-links={tmp_path}" in asked
    assert not any("backend" in each for each in asked)


@needs_scripts
@pytest.mark.parametrize("fault", [{"status": 1}, {"total": 5}])
def test_what_cannot_be_fetched_or_does_not_work_changes_nothing(bundle, uv, fault):
    uv(**fault)
    with pytest.raises(EngineError, match="still used"):
        get_torch()
    assert torch_in_use() == bundle
    assert [path for path in own_torch.torch_home().iterdir() if path.name != ".downloads"] == []


def kept(bundle: TorchFolder, **changes: str) -> TorchFolder:
    """A fetched one that is chosen."""
    fields = {"version": "2.12.0", "python": bundle.python, "requirement": REQUIREMENT, **changes}
    folder = TorchFolder(path=own_torch.torch_home() / "kept", **fields)
    folder.path.mkdir(parents=True)
    mark_whole(folder)
    own_torch.choose_torch(folder)
    return folder


@pytest.mark.parametrize("changes", [{"python": "cpython-399"}, {"requirement": "torch>=9"}])
def test_after_an_update_that_does_not_fit_it_the_one_inside_is_used(bundle, changes):
    folder = kept(bundle, **changes)
    assert torch_in_use() == bundle
    with pytest.raises(InvalidRequest, match="another kvdesk"):
        get_torch("--use", folder.path.name)
    get_torch("--use", INSIDE)


@pytest.mark.parametrize("damage", ["", "[]", '{"version": 3}', "\udcff", None])
def test_a_folder_that_is_not_whole_is_not_used(bundle, damage):
    folder = kept(bundle)
    assert torch_in_use() == folder
    marker = folder.path / "kvdesk_torch.json"
    if damage is None:
        shutil.rmtree(folder.path)
    else:
        marker.write_text(damage, encoding="utf-8", errors="surrogateescape")
    assert torch_in_use() == bundle


def test_a_choice_names_a_folder_beside_it_and_nothing_else(bundle, tmp_path):
    kept(bundle)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    mark_whole(TorchFolder(
        path=elsewhere, version="1", python=this_python(), requirement=REQUIREMENT
    ))  # fmt: skip
    (own_torch.torch_home() / "chosen.json").write_text('{"folder": "../../elsewhere"}')
    assert torch_in_use() == bundle


def test_it_goes_last_on_the_path_where_it_takes_the_place_of_nothing(bundle, monkeypatch):
    monkeypatch.setattr(sys, "path", ["first"])
    own_torch.put_torch_on_path()
    assert sys.path == ["first", str(bundle.path)]


def test_outside_of_a_bundle_the_way_is_said():
    with pytest.raises(InvalidRequest, match="uv pip install --torch-backend=auto"):
        get_torch()


# What the desktop is told.


def desktop_entry(file: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=True, delimiters="=", interpolation=None)
    parser.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    parser.read(file, encoding="utf-8")
    assert parser.sections() == ["Desktop Entry"]
    return parser["Desktop Entry"]


def test_the_entry_of_the_menu_is_the_one_that_the_window_names():
    entry = desktop_entry(LINUX / "kvdesk.desktop")
    application = (ROOT / "kvdesk" / "app.py").read_text(encoding="utf-8")
    assert f'setDesktopFileName("{entry["StartupWMClass"]}")' in application
    assert entry["Type"] == "Application"
    assert entry["Exec"] == entry["Icon"] == "kvdesk"
    assert {f"{key}[zh_CN]" for key in ("GenericName", "Comment", "Keywords")} <= set(entry)
    for key in ("Categories", "Keywords", "Keywords[zh_CN]"):
        assert entry[key].endswith(";")
    assert "AudioVideo" in entry["Categories"]


def test_the_description_for_shops_is_valid(tmp_path):
    text = (LINUX / "kvdesk.metainfo.xml").read_text(encoding="utf-8")
    file = tmp_path / "kvdesk.metainfo.xml"
    text = text.replace("@VERSION@", "1.0.0").replace("@DATE@", "2026-01-01")
    file.write_text(text, encoding="utf-8")
    component = ET.parse(file).getroot()
    assert component.findtext("launchable") == "kvdesk.desktop"
    assert component.findtext("project_license") == "Apache-2.0"
    tool = shutil.which("appstreamcli")
    if tool is None:
        pytest.skip("only parsed: appstreamcli is not installed")
    # There is no domain that the name could be made of.
    known = "--override=cid-desktopapp-is-not-rdns=info"
    checked = subprocess.run(
        [tool, "validate", "--no-net", known, str(file)], capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="Linux only")
@pytest.mark.parametrize("name", ["kvdesk", "a b", "100%s", 'say "$HOME" `ls` \\n'])
def test_the_menu_starts_the_program_wherever_its_folder_lies(tmp_path, name):
    here, home = tmp_path / name, tmp_path / "home"
    applications = here / "share" / "applications"
    applications.mkdir(parents=True)
    home.mkdir()
    shutil.copy(LINUX / "kvdesk.desktop", applications)
    shutil.copy(LINUX / "install.sh", here)
    (here / "kvdesk").write_text("#!/bin/sh\n")
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}

    def install(*arguments: str) -> None:
        command = ["sh", str(here / "install.sh"), *arguments]
        subprocess.run(command, env=environment, check=True, capture_output=True)

    install()
    install()  # again, as after a move
    installed = home / ".local" / "share" / "applications" / "kvdesk.desktop"
    line = desktop_entry(installed)["Exec"]
    # The file's own escapes first, then those of the quotes, then the codes.
    quoted = line.replace("\\\\", "\\")
    assert quoted[0] == quoted[-1] == '"'
    argument = re.sub(r'\\([\\"`$])', r"\1", quoted[1:-1]).replace("%%", "%")
    assert argument == str(here / "kvdesk")
    link = home / ".local" / "bin" / "kvdesk"
    assert link.readlink() == here / "kvdesk"
    install("--remove")
    assert not installed.exists()
    assert not link.is_symlink()
