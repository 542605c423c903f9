from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import engine
from engine.api import models_folder, set_models_folder
from engine.checkpoint import folder as folder_module
from engine.checkpoint.folder import (
    ModelFolder,
    ModelPart,
    demo_folder,
    find_models,
    list_models,
    locate_model,
)
from engine.errors import ModelFileError, ModelNotFound, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.api import PrepareProgress

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def opened(official_folder: Path) -> ModelFolder:
    """The official files, indexed once."""
    return ModelFolder.open(official_folder)


@pytest.fixture
def prepared(prepared_folder: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return shutil.copytree(prepared_folder, tmp_path / "prepared")


@pytest.fixture
def official(official_folder: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return shutil.copytree(official_folder, tmp_path / "official")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of prepared models, and no demo."""
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_args, **_kwargs: tmp_path / "data")
    monkeypatch.setattr(folder_module, "demo_folder", lambda: tmp_path / "demo_model")
    (tmp_path / "data" / "models").mkdir(parents=True)
    return tmp_path / "data" / "models"


def edit_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    change(data)
    data.pop("sha256", None)  # of a model.json that was written with care
    path.write_text(json.dumps(data), encoding="utf-8")


def flip_bit(path: Path, position: int) -> None:
    contents = bytearray(path.read_bytes())
    contents[position] ^= 1
    path.write_bytes(contents)


def test_an_official_folder_tells_what_it_is(opened: ModelFolder) -> None:
    assert not opened.is_prepared
    assert not opened.info.text_encoder_8bit
    assert opened.info.size_multiple == 32
    assert opened.info.folder == str(opened.path)
    assert opened.tokenizer_folder == opened.path / "text_encoder"
    assert opened.text_encoder_config["d_model"] == 64
    assert "image_movq" in opened.configs


def test_a_prepared_folder_tells_what_it_is(prepared_folder: Path) -> None:
    model = ModelFolder.open(prepared_folder)
    assert model.is_prepared
    assert model.info.text_encoder_8bit
    assert model.info.name == "toy"
    assert model.info.size_multiple == 32
    assert (model.tokenizer_folder / "spiece.model").is_file()
    assert model.text_encoder_config["d_model"] == 64


def test_the_released_configs_ask_for_multiples_of_64(official: Path) -> None:
    shutil.copyfile(ROOT / "tests" / "kandinsky_1_1" / "configs.json", official / "configs.json")
    assert ModelFolder.open(official).info.size_multiple == 64


def test_both_layouts_have_the_same_tensors(opened: ModelFolder, prepared_folder: Path) -> None:
    prepared = ModelFolder.open(prepared_folder)
    for part in ModelPart:
        ours = {name for name in prepared.tensors(part) if not name.endswith(".SCB")}
        assert ours == set(opened.tensors(part))
    assert opened.tensors(ModelPart.T2V)["null_embedding"].shape == (64,)
    assert "unet.in_layer.weight" in opened.tensors(ModelPart.T2V)
    assert "projection_base.0.weight" in opened.tensors(ModelPart.TEXT_PROJECTIONS)


def test_verifying_whole_folders_reads_all_of_them(
    opened: ModelFolder, prepared_folder: Path
) -> None:
    for model in (opened, ModelFolder.open(prepared_folder)):
        progress: list[PrepareProgress] = []
        model.verify(progress.append)
        assert progress[-1].done_bytes == progress[-1].total_bytes > 39_000_000


def test_a_flipped_bit_of_a_prepared_file_is_found_by_its_sha_256(prepared: Path) -> None:
    flip_bit(prepared / "movq.safetensors", 2_000_000)
    model = ModelFolder.open(prepared)
    with pytest.raises(
        ModelFileError, match=r"movq\.safetensors is damaged: it holds .* made of movq\.pt"
    ):
        model.verify(lambda _: None)


def test_a_flipped_bit_of_an_official_file_is_found_when_its_part_is_used(official: Path) -> None:
    flip_bit(official / "movq.pt", 2_000_000)
    model = ModelFolder.open(official)
    assert model.tensors(ModelPart.T2V)
    with pytest.raises(ModelFileError, match=r"movq\.pt is damaged or cut off: the CRC-32 of"):
        model.tensors(ModelPart.IMAGE_MOVQ)


def test_a_missing_or_cut_file_of_a_prepared_model_is_named(prepared: Path) -> None:
    for file in sorted(path for path in prepared.rglob("*") if path.is_file()):
        if file.name == "model.json":
            continue
        contents = file.read_bytes()
        file.write_bytes(contents[:-1])
        with pytest.raises(ModelFileError, match=f"{file.name} is damaged: it has"):
            ModelFolder.open(prepared)
        file.unlink()
        with pytest.raises(ModelFileError, match=f"The prepared model lacks .*{file.name}"):
            ModelFolder.open(prepared)
        file.write_bytes(contents)
    assert ModelFolder.open(prepared).is_prepared


def test_a_missing_official_file_is_named(official: Path) -> None:
    (official / "movq.pt").unlink()
    (official / "configs.json").unlink()
    with pytest.raises(ModelFileError, match=r"not complete: configs\.json, movq\.pt are missing"):
        ModelFolder.open(official)


def test_where_there_is_no_model_it_is_said_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"neither the model\.json .*configs\.json, t2v\.pt"):
        ModelFolder.open(tmp_path)
    with pytest.raises(ModelNotFound, match=r"nowhere: it is not a folder"):
        ModelFolder.open(tmp_path / "nowhere")


def test_a_preparation_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    (tmp_path / "preparation.json").write_text("{}")
    with pytest.raises(ModelFileError, match=r"preparation of the model .* is not finished"):
        ModelFolder.open(tmp_path)


def test_a_network_that_is_not_built_is_refused(official: Path) -> None:
    edit_json(official / "configs.json", lambda data: data["t2v"]["configs"].update(dropout=1))
    with pytest.raises(UnsupportedModel, match="dropout"):
        ModelFolder.open(official)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda data: data.update(format_version=2), "prepared by a newer kvdesk"),
        (lambda data: data.update(format_version="one"), r"model\.json is damaged"),
        (lambda data: data.pop("files"), r"lacks 'files'"),
        (lambda data: data["files"][0].update(name="../configs.json"), "not inside its folder"),
        (lambda data: data["files"][0].update(name="/etc/passwd"), "not inside its folder"),
        (lambda data: data["files"].pop(-2), r"does not name text_encoder\.safetensors"),
        (lambda data: data["defaults"]["size"].update(width=7), "width must be a multiple"),
    ],
)
def test_a_model_json_that_is_not_ours_is_refused(
    prepared: Path, change: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    edit_json(prepared / "model.json", change)
    with pytest.raises(ModelFileError, match=complaint):
        ModelFolder.open(prepared)


def test_the_fingerprint_changes_with_the_model_and_not_without(
    prepared: Path, prepared_folder: Path, official: Path
) -> None:
    assert ModelFolder.open(prepared).fingerprint == ModelFolder.open(prepared_folder).fingerprint
    edit_json(prepared / "model.json", lambda data: data.update(description="Another."))
    assert ModelFolder.open(prepared).fingerprint != ModelFolder.open(prepared_folder).fingerprint

    before = ModelFolder.open(official).fingerprint
    assert ModelFolder.open(official).fingerprint == before
    os.utime(official / "text_encoder" / "model.safetensors", ns=(0, 0))
    assert ModelFolder.open(official).fingerprint != before


def test_models_are_the_demo_and_then_the_prepared_ones_by_name(
    models: Path, prepared_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert find_models() == []
    for name in ("b", "a", "broken"):
        shutil.copytree(prepared_folder, models / name)
        edit_json(models / name / "model.json", lambda data, name=name: data.update(name=name))
    (models / "broken" / "t2v.safetensors").unlink()
    (models / "unfinished").mkdir()
    (models / "unfinished" / "preparation.json").write_text("{}")
    shutil.copytree(prepared_folder, folder_module.demo_folder())

    assert [info.name for info in find_models()] == ["toy", "a", "b"]
    assert "broken" in caplog.text


def test_a_model_is_located_by_its_name_or_its_path(models: Path, prepared_folder: Path) -> None:
    with pytest.raises(ModelNotFound, match="demo model is missing"):
        locate_model(None)
    shutil.copytree(prepared_folder, folder_module.demo_folder())
    shutil.copytree(prepared_folder, models / "mine")
    assert locate_model(None) == locate_model("demo") == folder_module.demo_folder()
    assert locate_model("mine") == models / "mine"
    assert locate_model(str(prepared_folder)) == prepared_folder
    for name in ("other", "", "../models/mine"):
        with pytest.raises(ModelNotFound):
            locate_model(name)


def test_the_demo_lies_beside_the_engine_and_models_in_the_user_s_data() -> None:
    assert demo_folder() == Path(engine.__file__).parents[1] / "resources" / "demo_model"
    assert models_folder().parts[-2:] == ("kvdesk", "models")


def test_opening_and_listing_models_does_not_import_torch(
    official_folder: Path, prepared_folder: Path
) -> None:
    program = (
        "import sys; from pathlib import Path;"
        "from engine.checkpoint.folder import ModelFolder, ModelPart, find_models;"
        "find_models();"
        "[ModelFolder.open(Path(path)) for path in sys.argv[1:]];"
        "ModelFolder.open(Path(sys.argv[2])).tensors(ModelPart.T2V);"
        "print([name for name in ('torch', 'transformers', 'numpy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", program, str(official_folder), str(prepared_folder)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


# The folder of models, and the released model before it is there


@pytest.fixture
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of a user of their own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "kvdesk"


@pytest.mark.skipif(sys.platform != "linux", reason="the folder of data is another one elsewhere")
def test_a_chosen_folder_of_models_counts_at_once_and_can_be_given_up(
    data_home: Path, tmp_path: Path
) -> None:
    usual = data_home / "models"
    assert models_folder() == usual
    set_models_folder(tmp_path / "drive")
    assert models_folder() == tmp_path / "drive"
    said = subprocess.run(
        [sys.executable, "-c", "from engine.api import models_folder; print(models_folder())"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    assert said.stdout.strip() == str(tmp_path / "drive")
    set_models_folder(None)
    set_models_folder(None)
    assert models_folder() == usual


@pytest.mark.skipif(sys.platform != "linux", reason="the folder of data is another one elsewhere")
@pytest.mark.parametrize(
    "damaged", [b"", b"\xff", b"[1]", b'{"folder": 3}', b'{"folder": "here"}', b"[" * 99999]
)
def test_a_damaged_choice_of_the_folder_of_models_counts_as_none(
    data_home: Path, damaged: bytes
) -> None:
    data_home.mkdir(parents=True)
    (data_home / "models_folder.json").write_bytes(damaged)
    assert models_folder() == data_home / "models"


def test_the_released_model_is_listed_last_until_it_is_prepared(
    models: Path, prepared_folder: Path
) -> None:
    (released,) = list_models()
    assert (released.name, released.is_ready) == ("kandinsky-1.1", False)
    assert (released.folder, released.size_multiple) == (str(models / "kandinsky-1.1"), 64)
    with pytest.raises(ModelNotFound, match="kvdesk download"):
        locate_model("kandinsky-1.1")
    shutil.copytree(prepared_folder, models / "kandinsky-1.1")
    edit_json(models / "kandinsky-1.1" / "model.json", lambda data: data.update(name=released.name))
    (ready,) = list_models()
    assert (ready.name, ready.is_ready) == ("kandinsky-1.1", True)
