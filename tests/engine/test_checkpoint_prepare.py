from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.api import ClipDefaults, FrameSize
from engine.checkpoint.folder import ModelFolder, ModelPart
from engine.checkpoint.model_json import read_model_file
from engine.checkpoint.networks import expected_shapes
from engine.checkpoint.prepare import prepare_model
from engine.errors import Cancelled, DiskFull, InvalidRequest, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.api import PrepareProgress

ROOT = Path(__file__).parents[2]
DiskUsage = namedtuple("DiskUsage", "total used free")


def prepare(
    source: Path,
    destination: Path,
    on_progress: Callable[[PrepareProgress], None] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> ModelFolder:
    return prepare_model(
        source,
        destination,
        expected=None,
        on_progress=on_progress,
        is_cancelled=is_cancelled,
        name="toy",
    )


def contents(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in `folder`."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def flattened(value: dict[str, object], prefix: str = "") -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    for name, entry in value.items():
        if isinstance(entry, torch.Tensor):
            tensors[f"{prefix}{name}"] = entry
        else:
            tensors |= flattened(entry, f"{prefix}{name}.")
    return tensors


def test_preparing_changes_no_bit_outside_the_8_bit_weights(
    official_folder: Path, prepared_folder: Path
) -> None:
    for part in ModelPart:
        written = load_file(prepared_folder / f"{part}.safetensors")
        if part is ModelPart.TEXT_ENCODER:
            source = load_file(official_folder / "text_encoder" / "model.safetensors")
            for name in [name for name in written if name.endswith(".SCB")]:
                weight = name.removesuffix("SCB") + "weight"
                step = written.pop(name)[:, None] / 127
                error = (written.pop(weight) * step - source.pop(weight)).abs()
                assert (error <= step * 0.6).all()
        else:
            source = flattened(torch.load(official_folder / f"{part}.pt", weights_only=True))
        assert set(written) == set(source)
        for name, tensor in source.items():
            assert torch.equal(written[name], tensor), name
            assert written[name].dtype == tensor.dtype, name


def test_model_json_has_the_checksum_of_every_file_and_of_every_source(
    official_folder: Path, prepared_folder: Path
) -> None:
    model = read_model_file(prepared_folder)
    files = contents(prepared_folder)
    del files["model.json"]
    assert {entry.name: entry.sha256 for entry in model.files} == files
    sources = contents(official_folder)
    assert {entry.name: entry.sha256 for entry in model.sources} == sources
    for entry in model.sources:
        assert entry.size == (official_folder / entry.name).stat().st_size


# Takes the source, the destination, and how many thousandths of the work to do before it is killed.
KILLED = """
import os, signal, sys
from pathlib import Path
from engine.checkpoint.prepare import prepare_model

def kill_at_some_point(progress):
    if progress.done_bytes >= progress.total_bytes * int(sys.argv[3]) / 1000:
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

prepare_model(
    Path(sys.argv[1]), Path(sys.argv[2]), expected=None, on_progress=kill_at_some_point,
    is_cancelled=lambda: False, name="toy",
)
"""


@pytest.mark.fault(10)
@pytest.mark.slow
def test_a_preparation_that_is_killed_again_and_again_ends_with_the_same_model(
    official_folder: Path, prepared_folder: Path, tmp_path: Path
) -> None:
    destination = tmp_path / "toy"
    before = contents(official_folder)
    for thousandths in (1, 500, 998):
        command = [sys.executable, "-c", KILLED, str(official_folder), str(destination)]
        killed = subprocess.run([*command, str(thousandths)], cwd=ROOT, check=False)
        assert killed.returncode != 0
        assert not (destination / "model.json").exists()
        with pytest.raises(ModelFileError, match="not finished"):
            ModelFolder.open(destination)
        for partial in destination.rglob("*.partial"):  # what a power cut does beside
            left = bytearray(partial.read_bytes())
            left[len(left) // 3 : len(left) // 2] = bytes(len(left) // 2 - len(left) // 3)
            partial.write_bytes(left)
    (destination / ".kvdesk-0123456789abcdef.tmp").write_text("left behind")

    prepare(official_folder, destination)

    assert contents(destination) == contents(prepared_folder)
    assert contents(official_folder) == before


def test_a_cancelled_preparation_goes_on_with_what_is_whole_and_unchanged(
    official_folder: Path, prepared_folder: Path, tmp_path: Path
) -> None:
    source = shutil.copytree(official_folder, tmp_path / "source")
    destination = tmp_path / "модель"
    last: list[PrepareProgress] = []

    def is_in_projections() -> bool:
        return bool(last) and last[-1].file == "t5_projections.safetensors"

    with pytest.raises(Cancelled):
        prepare(source, destination, last.append, is_in_projections)
    assert (destination / "t5_projections.safetensors.partial").is_file()
    assert not (destination / "t5_projections.safetensors").exists()
    times = {path.name: path.stat().st_mtime_ns for path in destination.glob("*.safetensors")}
    assert len(times) == 5

    damaged = destination / "movq.safetensors"
    damaged.write_bytes(bytes(damaged.stat().st_size))
    not_wanted_any_more = destination / "t2v.8bit.safetensors"
    not_wanted_any_more.write_bytes(b"of an attempt that wanted 8 bit")
    touched = source / "video_movq.pt"
    os.utime(touched, ns=(touched.stat().st_mtime_ns + 10**9,) * 2)
    progress: list[PrepareProgress] = []
    defaults = ClipDefaults(size=FrameSize(width=64, height=96), examples=("A red circle",))
    model = prepare_model(
        source,
        destination,
        expected=None,
        on_progress=progress.append,
        is_cancelled=lambda: False,
        description="Пример.",
        defaults=defaults,
    )

    assert model.info == ModelFolder.open(destination).info
    assert (model.info.name, model.info.description) == ("модель", "Пример.")
    assert model.info.defaults == defaults
    written, whole = contents(destination), contents(prepared_folder)
    assert written.pop("model.json") != whole.pop("model.json")
    assert written == whole
    again = {
        name for name, time in times.items() if (destination / name).stat().st_mtime_ns != time
    }
    assert again == {"movq.safetensors", "video_movq.safetensors"}
    done = [step.done_bytes for step in progress]
    assert done == sorted(done)
    assert done[-1] == progress[-1].total_bytes


@pytest.mark.fault(7)
def test_a_source_that_changes_while_it_is_read_is_named(
    official_folder: Path, tmp_path: Path
) -> None:
    source = shutil.copytree(official_folder, tmp_path / "source")

    def touch_when_writing(progress: PrepareProgress) -> None:
        if progress.file == "t2v.safetensors":
            os.utime(source / "t2v.pt", ns=(0, 0))

    with pytest.raises(ModelFileError, match=r"t2v\.pt changed while it was read"):
        prepare(source, tmp_path / "toy", touch_when_writing)


@pytest.mark.fault(6)
def test_a_damaged_source_is_named_and_leaves_no_model(
    official_folder: Path, tmp_path: Path
) -> None:
    source = shutil.copytree(official_folder, tmp_path / "source")
    damaged = bytearray((source / "interpolation.pt").read_bytes())
    damaged[5_000_000] ^= 1
    (source / "interpolation.pt").write_bytes(damaged)
    with pytest.raises(ModelFileError, match=r"interpolation\.pt is damaged .* CRC-32 of .*data/"):
        prepare(source, tmp_path / "toy")
    assert not (tmp_path / "toy" / "model.json").exists()
    assert not (tmp_path / "toy" / "interpolation.safetensors").exists()


def test_parts_that_do_not_fit_are_refused_before_anything_is_written(
    official_folder: Path, tmp_path: Path
) -> None:
    def expected(part: ModelPart, folder: ModelFolder) -> dict[str, tuple[int, ...]]:
        shapes = expected_shapes(part, folder)
        if part is ModelPart.VIDEO_MOVQ:
            shapes["decoder.new.weight"] = (3, 3)
        return shapes

    with pytest.raises(ModelFileError, match=r"video_movq\.pt does not fit .* decoder\.new\.weig"):
        prepare_model(
            official_folder,
            tmp_path / "toy",
            expected=expected,
            on_progress=lambda _: None,
            is_cancelled=lambda: False,
        )
    assert not (tmp_path / "toy").exists()


def test_a_full_disk_is_told_in_numbers_before_anything_is_written(
    official_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: DiskUsage(10**9, 0, 10_000_000))
    with pytest.raises(DiskFull, match=r"needs [0-9.]+ MB more there, and 10\.0 MB are free"):
        prepare(official_folder, tmp_path / "deep" / "er" / "toy")
    assert not (tmp_path / "deep").exists()


def test_folders_that_hold_something_else_are_left_alone(
    official_folder: Path, prepared_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"")
    refused = {
        official_folder: "is inside the official files",
        official_folder / "toy": "is inside the official files",
        official_folder / "text_encoder" / "toy": "is inside the official files",
        tmp_path / "file": "is a file",
        tmp_path / "photos": r"is not empty: it holds cat\.jpg",
        official_folder.parent: "is not empty",
    }
    for destination, complaint in refused.items():
        with pytest.raises(InvalidRequest, match=complaint):
            prepare(official_folder, destination)
    with pytest.raises(InvalidRequest, match="is prepared already"):
        prepare(prepared_folder, tmp_path / "toy")
    assert sorted(path.name for path in (tmp_path / "photos").iterdir()) == ["cat.jpg"]


# Takes sources and destinations, and prints the peak of its memory after each.
MEASURED = """
import sys
from pathlib import Path
import psutil
from engine.checkpoint.prepare import prepare_model

for source, destination in zip(sys.argv[1::2], sys.argv[2::2]):
    prepare_model(
        Path(source), Path(destination), expected=None, on_progress=lambda _: None,
        is_cancelled=lambda: False,
    )
    status = Path("/proc/self/status")
    if status.exists():
        print(int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024)
    else:
        print(psutil.Process().memory_info().peak_wset)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "darwin", reason="the peak of memory is not told there")
def test_memory_does_not_grow_with_the_model(official_folder: Path, tmp_path: Path) -> None:
    large = shutil.copytree(official_folder, tmp_path / "large")
    torch.save({"unet": {"w": torch.zeros(150_000_000)}}, large / "t2v.pt")
    weights = load_file(large / "text_encoder" / "model.safetensors")
    weights["encoder.block.0.layer.0.SelfAttention.q.weight"] = torch.zeros(8192, 4096)
    save_file(weights, large / "text_encoder" / "model.safetensors")
    folders = [official_folder, tmp_path / "a", large, tmp_path / "b"]
    command = [sys.executable, "-c", MEASURED, *map(str, folders)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    small_peak, large_peak = map(int, result.stdout.split()[-2:])
    assert large_peak - small_peak < 150 * 2**20
    assert large_peak < 1.5 * 2**30
