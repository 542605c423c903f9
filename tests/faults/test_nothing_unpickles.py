"""What runs the code of strangers is named nowhere, and every process has its tripwire."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.fault(1)

ROOT = Path(__file__).parents[2]
FILES = sorted(file for package in ("engine", "kvdesk") for file in (ROOT / package).rglob("*.py"))
MODULES = {
    "pickle", "_pickle", "pickletools", "copyreg", "marshal", "shelve", "dbm", "dill", "joblib",
    "cloudpickle", "multiprocessing", "yaml", "code", "codeop", "xmlrpc",
}  # fmt: skip
"""They unpickle or run what they read; `multiprocessing` unpickles what comes through its pipes."""

NAMES = {"ProcessPoolExecutor", "eval", "exec", "compile", "__import__", "breakpoint", "input"}
LOADERS = {
    ("torch", "load"), ("serialization", "load"), ("jit", "load"), ("export", "load"),
    ("hub", "load"), ("package", "PackageImporter"), ("np", "load"), ("numpy", "load"),
    ("np", "fromfile"), ("cpp_extension", "load"), ("pandas", "read_pickle"), ("os", "system"),
    ("os", "popen"), ("subprocess", "getoutput"),
}  # fmt: skip
FLAGS = {"allow_pickle": False, "trust_remote_code": False, "weights_only": True, "shell": False}

GUARDED = {
    "engine/cli.py": None,  # where it is run as a program
    "engine/worker.py": "main",
    "engine/picture_process.py": "main",
    "engine/checkpoint/torch_archive.py": "main",
    "engine/checkpoint/preparation_process.py": "main",
}


def parsed(file):
    return ast.parse(file.read_text(encoding="utf-8"))


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def loader(call):
    """The last two parts of the name that is called, such as ("torch", "load")."""
    function = call.func
    if not isinstance(function, ast.Attribute):
        return None
    owner = function.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return name, function.attr


def offences(file):
    tree = parsed(file)
    yield from set(imported(tree)) & MODULES
    for call in calls(tree):
        is_the_one = file.name == "torch_archive.py" and loader(call) == ("torch", "load")
        if getattr(call.func, "id", None) in NAMES or (loader(call) in LOADERS and not is_the_one):
            yield ast.unparse(call)
        for keyword in call.keywords:
            value = getattr(keyword.value, "value", None)
            if keyword.arg in FLAGS and value is not FLAGS[keyword.arg]:
                yield ast.unparse(call)


def test_no_module_names_what_unpickles_or_runs_what_it_reads():
    assert len(FILES) > 200
    found = {str(file.relative_to(ROOT)): list(offences(file)) for file in FILES}
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle", "from multiprocessing import Queue", "torch.load(path)",
        "torch.jit.load(path)", "np.load(path, allow_pickle=flag)", "eval(text)",
        "AutoModel.from_pretrained(path, trust_remote_code=True)",
        "subprocess.run(line, shell=True)",
    ],
)  # fmt: skip
def test_what_is_looked_for_is_found(line, tmp_path):
    (tmp_path / "module.py").write_text(f"def f():\n    {line}\n")
    assert list(offences(tmp_path / "module.py"))


def test_what_torch_reads_is_read_with_weights_only_and_tokenizers_without_code():
    archive = parsed(ROOT / "engine" / "checkpoint" / "torch_archive.py")
    (load,) = [call for call in calls(archive) if loader(call) == ("torch", "load")]
    assert {"weights_only"} <= {keyword.arg for keyword in load.keywords}
    for file in FILES:
        for call in calls(parsed(file)):
            name = loader(call)
            if name is not None and name[0].startswith("Auto") and name[1] == "from_pretrained":
                assert {keyword.arg for keyword in call.keywords} >= {
                    "local_files_only", "trust_remote_code",
                }  # fmt: skip


@pytest.mark.parametrize("name", GUARDED)
def test_every_process_that_reads_files_of_strangers_has_the_tripwire(name):
    tree = parsed(ROOT / name)
    bodies = [
        node.body
        for node in tree.body
        if (isinstance(node, ast.FunctionDef) and node.name == GUARDED[name])
        or (GUARDED[name] is None and isinstance(node, ast.If))
    ]
    armed = [
        node for body in bodies for node in body
        if isinstance(node, ast.Expr) and ast.unparse(node) == "forbid_unpickling()"
    ]  # fmt: skip
    assert len(armed) == 1
