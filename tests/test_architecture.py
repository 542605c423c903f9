from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIGHT_MODULES = (
    "kvdesk.__main__",
    "engine",
    "engine.api",
    "engine.checkpoint.folder",
    "engine.video_io",
    "engine.questions",
    "engine.export_size",
    "engine.worker",
    "engine.cli",
)
HEAVY_PACKAGES = {"torch", "transformers", "diffusers", "bitsandbytes", "PySide6"}
NOT_FOR_THE_WINDOW = HEAVY_PACKAGES - {"PySide6"} | {"numpy", "PIL"}
HAVE_WIDGETS = ("kvdesk.ui", "kvdesk.app", "kvdesk.desktop", "kvdesk.wiring")
MAX_LINES = 400


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    module_name(file): file
    for package in ("engine", "kvdesk")
    for file in sorted((ROOT / package).rglob("*.py"))
}


def imports_of(name: str) -> set[str]:
    """The modules that a module names in its imports, wherever in the file these are."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            assert node.module is not None
            below = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {module if module in FILES else node.module for module in below}
    return found


def reached_from(name: str) -> set[str]:
    """The modules of this project that are imported by importing `name`, and by those."""
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in FILES and current not in reached:
            reached.add(current)
            waiting += imports_of(current)
    return reached


def belongs_to(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def modules_below(package: str) -> list[str]:
    return [name for name in FILES if belongs_to(name, package)]


def test_the_files_are_found():
    assert {"engine", "engine.models.unet", "kvdesk", "kvdesk.__main__"} <= set(FILES)


# Arrows


@pytest.mark.parametrize("name", modules_below("kvdesk"))
def test_the_application_knows_the_messages_and_errors_of_the_engine_and_no_more(name):
    engine_imports = {found for found in imports_of(name) if belongs_to(found, "engine")}
    assert all(belongs_to(found, "engine.api", "engine.errors") for found in engine_imports)


@pytest.mark.parametrize("name", modules_below("kvdesk"))
def test_state_is_kept_without_widgets(name):
    if not belongs_to(name, *HAVE_WIDGETS):
        widgets = ("PySide6.QtWidgets", "kvdesk.ui")
        assert not [found for found in imports_of(name) if belongs_to(found, *widgets)]


@pytest.mark.parametrize("name", modules_below("kvdesk.ui"))
def test_widgets_know_neither_processes_nor_who_decides(name):
    deciders = ("kvdesk.engine_client", "kvdesk.app", "kvdesk.wiring", "PySide6.QtNetwork")
    assert not [found for found in imports_of(name) if belongs_to(found, *deciders)]


@pytest.mark.parametrize("name", modules_below("engine"))
def test_the_engine_knows_neither_qt_nor_the_application(name):
    assert not [found for found in imports_of(name) if belongs_to(found, "PySide6", "kvdesk")]


@pytest.mark.parametrize("name", modules_below("engine.models") + modules_below("engine.diffusion"))
def test_networks_and_sampling_know_no_files_no_devices_and_not_each_other(name):
    other = "engine.diffusion" if belongs_to(name, "engine.models") else "engine.models"
    forbidden = ("engine.checkpoint", "engine.memory", "engine.pipeline", "engine.video_io", other)
    assert not [found for found in reached_from(name) if belongs_to(found, *forbidden)]


@pytest.mark.parametrize("name", [*modules_below("engine.api"), "engine.errors"])
def test_the_messages_need_the_standard_library_only(name):
    for found in reached_from(name):
        packages = {module.split(".")[0] for module in imports_of(found)}
        # That one is asked for the person's folders, inside a function.
        assert packages <= sys.stdlib_module_names | {"engine", "_typeshed", "platformdirs"}


def test_what_answers_at_once_loads_neither_torch_nor_qt():
    program = f"""
import importlib, sys
for name in {LIGHT_MODULES}:
    importlib.import_module(name)
    loaded = {HEAVY_PACKAGES} & set(sys.modules)
    if loaded:
        sys.exit(f"import {{name}} loads {{loaded}}")
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)


def test_the_window_loads_nothing_of_the_model():
    program = f"""
import sys
import kvdesk.app
loaded = {NOT_FOR_THE_WINDOW} & set(sys.modules)
sys.exit(f"the window loads {{loaded}}" if loaded else 0)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)


def test_the_contracts_of_import_linter_hold():
    pytest.importorskip("importlinter", reason="import-linter comes with the extra `lint`")
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    checked = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 broken" in checked.stdout


# Files


def test_torch_reads_pickles_in_one_place_and_never_runs_them():
    calls = []
    for file in FILES.values():
        for line in file.read_text(encoding="utf-8").splitlines():
            if "torch.load(" in line:
                calls.append((file.name, line))
    ((name, line),) = calls
    assert name == "torch_archive.py"
    assert "weights_only=True" in line


def test_nothing_else_unpickles():
    loaders = {"pickle", "_pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}
    for name in FILES:
        assert not {found.split(".")[0] for found in imports_of(name)} & loaders


@pytest.mark.parametrize("name", FILES)
def test_every_module_says_what_it_is_for(name):
    source = FILES[name].read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source))
    assert len(source.splitlines()) <= MAX_LINES
