"""The rehearsal at full size, in small: what it writes is what torch writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from engine.checkpoint.tensors import index_safetensors
from engine.checkpoint.torch_archive import read_archives

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[2]
REHEARSAL = ROOT / "tests" / "rehearsal"
CONTENTS = {
    "unet": {
        "norm.weight": ([40], "float16"),
        "conv.weight": ([40, 30, 3, 3], "float16"),
        "gate": ([1], "float32"),
    },
    "null_embedding": ([5], "float16"),
}


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(REHEARSAL)
    import official_files

    return official_files


def test_an_archive_is_whole_and_holds_what_torch_reads(files: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "t2v.pt"
    files.write_archive(path, CONTENTS)
    records = read_archives([path], lambda _: None)[path]  # compares checksums
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    loaded = torch.load(path, weights_only=True)
    torch.save(loaded, tmp_path / "again.pt")
    with zipfile.ZipFile(tmp_path / "again.pt") as again, zipfile.ZipFile(path) as archive:
        for entry, other in zip(archive.infolist(), again.infolist(), strict=True):
            names = [info.filename.partition("/")[2] for info in (entry, other)]
            assert names[0] == names[1]
            if "serialization_id" not in names[0]:
                assert archive.read(entry) == again.read(other), names
    weight = loaded["unet"]["conv.weight"]
    assert list(records) == [*(f"unet.{name}" for name in CONTENTS["unet"]), "null_embedding"]
    assert loaded["unet"]["norm.weight"].eq(1).all()
    assert float(weight.float().std()) == pytest.approx(0.5 / 270**0.5, rel=0.05)


def test_shards_name_every_tensor_once(
    files: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SHARD_BYTES", 100_000)
    config = json.loads((ROOT / "tests/goldens/text_encoder_config.json").read_text())
    tensors = files.t5_tensors(config)
    files.write_text_encoder(tmp_path, tensors)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert list(index["weight_map"]) == list(tensors)
    assert len(set(index["weight_map"].values())) > 2
    for name, file in index["weight_map"].items():
        record = index_safetensors(tmp_path / file)[name]
        assert (list(record.shape), record.dtype) == tensors[name]


def test_the_true_sizes_are_those_of_the_released_files(files: ModuleType) -> None:
    layout = files.full_layout()
    sizes = {
        name: sum(files.num_bytes(*tensor) for tensor in files.flattened(contents).values())
        for name, contents in layout.archives.items()
    }
    assert 8.29e9 < sizes["t2v"] < 8.31e9
    assert 7.95e9 < sizes["interpolation"] < 7.97e9
    encoder = sum(files.num_bytes(*tensor) for tensor in layout.text_encoder.values())
    assert 17.4e9 < encoder < 17.5e9  # 8.72 billion parameters of two bytes


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("option", ["--8bit", "--keep"])
@pytest.mark.slow
def test_the_rehearsal_goes_all_the_way_in_small(tmp_path: Path, option: str) -> None:
    command = [sys.executable, str(REHEARSAL / "full_size.py"), str(tmp_path)]
    command += ["--scale", "toy", option, "--fps", "medium", "--json", str(tmp_path / "r.json")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((tmp_path / "r.json").read_text())
    assert result["prepare"]["exit_code"] == 0
    assert result["prepare"]["most_on_disk"] > result["official_bytes"]
    clip = result["clips"]["medium"]
    names = [stage["name"] for stage in clip["stages"]]
    assert names[0] == "start"
    assert {"text", "key_frame", "base_frames", "interpolation", "decode"} <= set(names)
    assert all(stage["peak_rss"] > 50e6 for stage in clip["stages"])
    assert sum(stage["asked_bytes"] for stage in clip["stages"]) > 40e6  # the weights, at least
    assert (tmp_path / "medium.mp4").stat().st_size > 0
    assert (tmp_path / "official").exists() == (option == "--keep")
