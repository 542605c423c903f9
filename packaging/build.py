"""Builds the bundle: a folder that holds everything, Python included, and one file to pass on.

    python packaging/build.py

On Linux that is a .tar.gz, on Windows an installer where Inno Setup is found. Needs Python 3.11 or
newer, the network (or what pip is told to use instead), and on Linux 6 GB of disk while it works.
What it makes, and what is known of it, is in packaging/README.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
IS_WINDOWS = sys.platform == "win32"
CPU_PACKAGES = "https://download.pytorch.org/whl/cpu"
TOOLS = ("pyinstaller==6.22.3", "uv==0.13.9")
NOT_NEEDED_OF_TORCH = ("include", "share", "test", "bin/protoc*", "lib/*.lib", "lib/*.a")
"""For who writes programs with it; it computes without."""
_ASK_TORCH = """
import json, sys, torch
print(json.dumps({"version": torch.__version__, "cuda": torch.version.cuda,
    "python": sys.implementation.cache_tag}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Where a build works, and with what.

    Attributes:
        work: what can be made again: the environment, PyInstaller's files.
        output: the bundle and the file to pass on.
        index: where packages for the processor alone are, besides what pip knows; may be empty.
    """

    work: Path
    output: Path
    index: str

    @property
    def python(self) -> Path:
        """The Python of the environment that the bundle is made of."""
        return self.work / "venv" / ("Scripts/python.exe" if IS_WINDOWS else "bin/python")

    @property
    def bundle(self) -> Path:
        """The folder that is built."""
        return self.output / "kvdesk"

    def pip(self, *arguments: str) -> None:
        """Install something, with `arguments`."""
        index = ["--extra-index-url", self.index] if self.index else []
        self.run("-m", "pip", "--quiet", "install", *index, *arguments)

    def run(self, *arguments: str | Path, **variables: str) -> None:
        """Run the environment's Python, with more environment `variables`."""
        environment = {**os.environ, **variables}
        subprocess.run([str(self.python), *map(str, arguments)], env=environment, check=True)


def make_environment(build: Build) -> None:
    """An environment with this project and nothing but what it needs; kept for the next build."""
    if not build.python.is_file():
        subprocess.run([sys.executable, "-m", "venv", str(build.work / "venv")], check=True)
    build.pip(str(ROOT), *TOOLS)
    # The same version again, with other contents.
    build.pip("--no-deps", "--force-reinstall", str(ROOT))


def freeze(build: Build) -> None:
    """Run PyInstaller."""
    stage = build.work / "stage"
    build.run(HERE / "bundle" / "stage.py", stage)
    uv = build.python.with_name("uv.exe" if IS_WINDOWS else "uv")
    folders = ["--distpath", build.output, "--workpath", build.work / "pyinstaller"]
    spec = HERE / "bundle" / "kvdesk.spec"
    build.run(
        *("-m", "PyInstaller", "--noconfirm", "--log-level", "WARN", *folders, spec),
        KVDESK_STAGE=str(stage),
        KVDESK_UV=str(uv),
    )


def add_torch(build: Build) -> None:
    """PyTorch for the processor, in a folder as `kvdesk get-torch` makes them."""
    requirement = torch_requirement()
    folder = build.bundle / "torch"
    build.pip("--target", str(folder), requirement)
    for pattern in NOT_NEEDED_OF_TORCH:
        for path in (folder / "torch").glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    asked = subprocess.run(
        [str(build.python), "-P", "-c", _ASK_TORCH],
        env={**os.environ, "PYTHONPATH": str(folder)},
        check=True,
        capture_output=True,
    )
    fields = json.loads(asked.stdout)
    if fields.pop("cuda") is not None:
        raise SystemExit(
            f"PyTorch {fields['version']} is for CUDA, and gigabytes larger than it need be. Name "
            "an index of packages for the processor with --index."
        )
    marker = json.dumps({**fields, "requirement": requirement}, indent=2) + "\n"
    (folder / "kvdesk_torch.json").write_text(marker, encoding="utf-8")


def torch_requirement() -> str:
    """Which versions of PyTorch the project takes, from its own declaration."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return next(each for each in project["dependencies"] if re.match(r"torch\b", each))


def add_papers(build: Build) -> None:
    """The licences of everything, and what the desktop wants to know."""
    table = build.work / "pyinstaller" / "kvdesk" / "COLLECT-00.toc"
    tables = [] if IS_WINDOWS else [table]
    build.run(HERE / "bundle" / "licences.py", build.bundle / "licences", *tables)
    shutil.copyfile(ROOT / "LICENSE", build.bundle / "LICENSE")
    if not IS_WINDOWS:
        shutil.copyfile(HERE / "linux" / "install.sh", build.bundle / "install.sh")
        (build.bundle / "install.sh").chmod(0o755)
        share = build.bundle / "share"
        shutil.copytree(build.work / "stage" / "icons", share / "icons")
        write_desktop_files(share)


def write_desktop_files(share: Path) -> None:
    """The entry of the menu, and the description for shops of software."""
    for folder, name in (("applications", "kvdesk.desktop"), ("metainfo", "kvdesk.metainfo.xml")):
        text = (HERE / "linux" / name).read_text(encoding="utf-8")
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        text = text.replace("@VERSION@", version()).replace("@DATE@", today)
        (share / folder).mkdir(parents=True)
        (share / folder / name).write_text(text, encoding="utf-8")


def version() -> str:
    """The version of the project."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]


def pack(build: Build) -> Path | None:
    """The one file to pass on; None where there is no tool to make it."""
    if not IS_WINDOWS:
        name = f"kvdesk-{version()}-linux-{os.uname().machine}"
        archive = build.output / f"{name}.tar.gz"
        with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
            tar.add(build.bundle, arcname=name, filter=_of_nobody)
        return archive
    compiler = shutil.which("iscc")
    if compiler is None:
        print("Inno Setup (iscc) was not found: there is no installer.")
        return None
    defined = [f"/DBundle={build.bundle}", f"/DVersion={version()}", f"/O{build.output}"]
    icon = f"/DIcon={build.work / 'stage' / 'kvdesk.ico'}"
    subprocess.run([compiler, *defined, icon, str(HERE / "windows" / "kvdesk.iss")], check=True)
    return build.output / f"kvdesk-{version()}-windows-x64.exe"


def _of_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the name of who built it."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def size_of(folder: Path) -> int:
    """Bytes of all files in `folder`; links count nothing."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)


def main() -> None:
    """Build it all, and say how large it is and how long each step took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "bundle")
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    words = f"where PyTorch for the processor is; default: {CPU_PACKAGES}; '' for pip's own"
    parser.add_argument("--index", default=CPU_PACKAGES, metavar="URL", help=words)
    options = parser.parse_args()
    build = Build(work=options.work.resolve(), output=options.output.resolve(), index=options.index)
    for step in (make_environment, freeze, add_torch, add_papers):
        started = time.monotonic()
        step(build)
        print(f"{step.__name__}: {time.monotonic() - started:.0f} s", flush=True)
    print(f"{build.bundle}: {size_of(build.bundle) / 1e6:.0f} MB")
    if (file := pack(build)) is not None:
        print(f"{file}: {file.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
