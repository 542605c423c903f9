"""Drills with files of models: damaged ones, and such that would run code if anybody let them."""

from __future__ import annotations

import shutil
import zipfile
from typing import TYPE_CHECKING

from engine.api import Fps, FrameSize, GenerateRequest
from engine.checkpoint.folder import ModelFolder, demo_folder
from engine.checkpoint.model_json import MODEL_FILE
from engine.checkpoint.torch_archive import index_archives
from engine.doctor.drill import Drill, PromiseBroken
from engine.errors import EngineError, ModelFileError
from engine.model_check import check_model

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def model_drills() -> list[Drill]:
    """All that need no worker."""
    return [
        Drill(name="bit flipped or file cut short in a copy of the demo", one_round=damage_model),
        Drill(name=".pt file with a program in it", one_round=open_hostile_file),
    ]


def damage_model(rng: Random, folder: Path) -> None:
    """Damage a copy of the demo at a random place: it must not be used.

    Raises:
        PromiseBroken: nobody noticed.
    """
    copy = folder / "demo"
    shutil.copytree(demo_folder(), copy)
    files = sorted(path for path in copy.rglob("*") if path.is_file())
    file = rng.choice(files)
    data = bytearray(file.read_bytes())
    position = rng.randrange(len(data))
    # Of the list of all checksums there is no checksum: a letter of the model's name may differ.
    if rng.random() < 0.2 or file.name == MODEL_FILE:
        done = f"{file.relative_to(copy)} was cut to {position} of {len(data)} bytes"
        del data[position:]
    else:
        bit = rng.randrange(8)
        done = f"bit {bit} of byte {position} of {file.relative_to(copy)} was flipped"
        data[position] ^= 1 << bit
    file.write_bytes(data)
    request = GenerateRequest(prompt="", seed=0, size=FrameSize(width=64, height=64), fps=Fps.HIGH)
    try:
        check_model(ModelFolder.open(copy), request)
    except EngineError:
        return
    raise PromiseBroken(f"{done}, and nobody noticed before the first step.")


def open_hostile_file(rng: Random, folder: Path) -> None:
    """Have a `.pt` file read that would leave a mark if it were obeyed.

    Raises:
        PromiseBroken: the mark is there, or the file was taken for a model.
    """
    mark = folder / "mark"
    name, pickle = rng.choice(sorted(_hostile_pickles(mark).items()))
    path = folder / "t2v.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("t2v/data.pkl", pickle)
        archive.writestr("t2v/version", b"3\n")
        archive.writestr("t2v/byteorder", b"little")
    try:
        index_archives([path])
    except ModelFileError:
        pass
    else:
        raise PromiseBroken(f"A file that calls {name} was taken for a model.")
    finally:
        if mark.exists():
            raise PromiseBroken(f"A file that calls {name} was obeyed.")


def _hostile_pickles(mark: Path) -> dict[str, bytes]:
    """Programs as a pickle writes them, by what they call. Each would make the file `mark`.

    Written out by hand, in the oldest form of the format: nothing here imports what reads them.
    """
    touch = f"open({str(mark)!r}, 'w').close()"
    command = f"echo > {mark}"

    def call(module: str, name: str, argument: str) -> bytes:
        return f"c{module}\n{name}\n(V{_escaped(argument)}\ntR.".encode("ascii")

    return {
        "os.system": call("os", "system", command),
        "posix.system": call("posix", "system", command),
        "subprocess.getoutput": call("subprocess", "getoutput", command),
        "builtins.exec": call("builtins", "exec", touch),
        "builtins.eval": call("builtins", "eval", touch),
        "pydoc.pipepager": f"cpydoc\npipepager\n(V\nV{_escaped(command)}\ntR.".encode("ascii"),
        "io.open, left in the stack": (
            f"cio\nopen\n(V{_escaped(str(mark))}\nVw\ntR0}}.".encode("ascii")
        ),
        "os.system as an old instance": (f"(V{_escaped(command)}\nios\nsystem\n.".encode("ascii")),
        "os.system, then a broken end": (
            f"cos\nsystem\n(V{_escaped(command)}\ntRzzz".encode("ascii")
        ),
    }


def _escaped(text: str) -> str:
    """`text` as the format writes a string in a line of ASCII."""
    return text.replace("\\", "\\u005c").encode("raw_unicode_escape").decode("ascii")
