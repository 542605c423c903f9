from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.checkpoint.tensors import read_tensor
from engine.checkpoint.text_encoder_source import (
    TABLE,
    encoder_tensors,
    find_text_encoder,
    weight_files,
)
from engine.checkpoint.torch_archive import index_archives
from engine.errors import ModelFileError

GOLDENS = Path(__file__).parents[1] / "goldens"
NORM = "encoder.final_layer_norm.weight"
ENCODER = {"shared.weight": torch.rand(9, 4), NORM: torch.rand(4)}
DECODER = {"decoder.final_layer_norm.weight": torch.rand(4), "lm_head.weight": torch.rand(9, 4)}


def configs(weights_path: str) -> dict[str, object]:
    return {"text_encoder": {"weights_path": weights_path}}


def write_small_files(folder: Path) -> Path:
    shutil.copytree(GOLDENS / "tokenizer", folder)
    shutil.copyfile(GOLDENS / "text_encoder_config.json", folder / "config.json")
    return folder


def write_shards(folder: Path, ending: str) -> None:
    """The table, the encoder's rest and the decoder, each in a file; the last one is damaged."""
    stem = "pytorch_model" if ending == "bin" else "model"
    weight_map = {}
    parts = [{"shared.weight": ENCODER["shared.weight"]}, {NORM: ENCODER[NORM]}, DECODER]
    for number, part in enumerate(parts):
        name = f"{stem}-{number + 1:05}-of-00003.{ending}"
        weight_map |= dict.fromkeys(part, name)
        if part is DECODER:
            (folder / name).write_bytes(b"never read")
        elif ending == "bin":
            torch.save(part, folder / name)
        else:
            save_file(part, folder / name)
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
    (folder / f"{stem}.{ending}.index.json").write_text(json.dumps(index))


def assert_is_encoder(folder: Path) -> None:
    files = weight_files(folder)
    archives = index_archives([file for file in files if file.suffix == ".bin"])
    tensors = encoder_tensors(folder, archives)
    assert set(tensors) == {TABLE, NORM}
    assert torch.equal(read_tensor(tensors[TABLE]), ENCODER["shared.weight"])
    assert torch.equal(read_tensor(tensors[NORM]), ENCODER[NORM])


def test_the_folder_that_configs_json_names_comes_before_text_encoder(tmp_path: Path) -> None:
    usual = write_small_files(tmp_path / "text_encoder")
    elsewhere = write_small_files(tmp_path / "elsewhere" / "t5")
    assert find_text_encoder(tmp_path, configs("google/flan-ul2")) == usual
    assert find_text_encoder(tmp_path, configs("elsewhere/t5")) == elsewhere
    assert find_text_encoder(tmp_path / "unused", configs(str(elsewhere))) == elsewhere


def test_what_a_text_encoder_lacks_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"no text encoder: put the files of google/flan-ul2"):
        find_text_encoder(tmp_path, configs("google/flan-ul2"))
    with pytest.raises(ModelFileError, match=r"lacks the object 'text_encoder'"):
        find_text_encoder(tmp_path, {})
    folder = write_small_files(tmp_path / "text_encoder")
    with pytest.raises(ModelFileError, match=r"has no weights: none of model\.safetensors, "):
        weight_files(folder)
    (folder / "tokenizer.json").unlink()
    assert find_text_encoder(tmp_path, configs("google/flan-ul2")) == folder
    (folder / "spiece.model").unlink()
    with pytest.raises(ModelFileError, match=r"lacks its tokenizer"):
        find_text_encoder(tmp_path, configs("google/flan-ul2"))
    (folder / "config.json").unlink()
    with pytest.raises(ModelFileError, match=r"lacks config\.json"):
        find_text_encoder(tmp_path, configs("google/flan-ul2"))


def test_one_safetensors_file_of_a_whole_t5_gives_the_encoder_alone(tmp_path: Path) -> None:
    save_file(ENCODER | DECODER, tmp_path / "model.safetensors")
    assert_is_encoder(tmp_path)


def test_a_table_that_is_stored_twice_is_taken_once(tmp_path: Path) -> None:
    twice = ENCODER | {TABLE: ENCODER["shared.weight"].clone()}
    save_file(twice, tmp_path / "model.safetensors")
    assert_is_encoder(tmp_path)


@pytest.mark.parametrize("ending", ["safetensors", "bin"])
def test_only_the_shards_that_hold_the_encoder_are_read(tmp_path: Path, ending: str) -> None:
    write_shards(tmp_path, ending)
    assert_is_encoder(tmp_path)


def test_a_table_under_the_encoder_s_own_name_is_taken(tmp_path: Path) -> None:
    save_file(
        {TABLE: ENCODER["shared.weight"], NORM: ENCODER[NORM]}, tmp_path / "model.safetensors"
    )
    assert_is_encoder(tmp_path)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    write_shards(tmp_path, "safetensors")
    (tmp_path / "model-00002-of-00003.safetensors").unlink()
    with pytest.raises(ModelFileError, match=r"lacks 1 of 2 files .* model-00002-of-00003"):
        weight_files(tmp_path)


@pytest.mark.parametrize("name", ["../outside.safetensors", "sub/a.safetensors", "..", "a\\b"])
def test_an_index_cannot_lead_out_of_its_folder(tmp_path: Path, name: str) -> None:
    index = {"weight_map": {NORM: name}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelFileError, match="is not a file beside it"):
        weight_files(tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "should hold JSON"),
        ("[]", "should hold a JSON object, not a list"),
        ('{"weight_map": []}', "lacks the object 'weight_map'"),
        ('{"weight_map": {"lm_head.weight": "a"}}', "names no file that holds a T5 encoder"),
        ('{"weight_map": {"shared.weight": 3}}', "names no file that holds a T5 encoder"),
        ("[" * 100_000, "should hold JSON"),
    ],
)
def test_a_damaged_index_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(ModelFileError, match=r"model\.safetensors\.index\.json") as caught:
        weight_files(tmp_path)
    assert complaint in caught.value.message
