"""Pictures of latents by a linear map, and where the map comes from."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from engine.checkpoint.folder import ModelFolder, demo_folder
from engine.checkpoint.networks import NetworkLoader
from engine.errors import MessageError, ModelFileError
from engine.memory.device import Device
from engine.pipeline import Pipeline
from engine.preview import PREVIEW_BYTES, PreviewMap, fit_preview_map, sample_pictures

MAP = PreviewMap(
    matrix=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.25, 0.25, 0.25)),
    bias=(0.0, 0.0, 0.5),
)


def test_latents_become_pictures_side_by_side():
    latents = torch.zeros(3, 4, 2, 5)
    latents[1, 0] = 1  # red
    latents[2, 3, 0, 4] = 2  # half grey in one place, beyond white in blue
    row = MAP.row(latents)
    assert (row.mode, row.size) == ("RGB", (15, 2))
    assert row.getpixel((0, 0)) == (0, 0, 128)
    assert row.getpixel((5, 1)) == (255, 0, 128)
    assert row.getpixel((14, 0)) == (128, 128, 255)
    assert row.getpixel((14, 1)) == (0, 0, 128)


def test_latents_that_are_no_numbers_or_in_half_precision_are_shown_all_the_same():
    assert MAP.row(torch.full((1, 4, 1, 1), float("nan"))).getpixel((0, 0)) == (0, 0, 0)
    assert MAP.row(torch.full((1, 4, 1, 1), 9.0, dtype=torch.float16)).size == (1, 1)


def test_a_linear_world_is_fitted_exactly():
    latents = np.random.default_rng(1).uniform(0, 0.5, (6, 4, 3, 2)).astype(np.float32)
    colours = np.einsum("nchw,cd->ndhw", latents, np.array(MAP.matrix))
    colours += np.array(MAP.bias)[:, None, None]
    pictures = (colours * 2 - 1).repeat(8, axis=2).repeat(8, axis=3)
    assert fit_preview_map(latents, pictures) == MAP


def test_latents_that_are_no_numbers_fit_nothing():
    with pytest.raises(ValueError, match="not a number"):
        fit_preview_map(np.full((1, 4, 1, 1), np.inf), np.zeros((1, 3, 8, 8)))


def test_a_file_gives_back_its_map_and_has_one_size():
    data = MAP.to_bytes()
    assert len(data) == PREVIEW_BYTES
    assert PreviewMap.from_json(json.loads(data), where="x") == MAP


@pytest.mark.parametrize(
    "data", [{}, [], {"matrix": [[1, 2, 3]], "bias": [0, 0, 0]}, {"matrix": [], "bias": [0, 0]}]
)
def test_what_is_no_map_is_refused(data):
    with pytest.raises(MessageError, match=r"preview\.json"):
        PreviewMap.from_json(data, where="preview.json")


def test_sample_pictures_have_every_colour_and_are_always_the_same():
    pictures = sample_pictures(16, 128)
    assert np.array_equal(pictures, sample_pictures(16, 128))
    assert np.abs(pictures).max() <= 1
    assert (pictures.std(axis=(0, 2, 3)) > 0.4).all()
    correlation = np.corrcoef(pictures.transpose(1, 0, 2, 3).reshape(3, -1))
    assert np.abs(correlation - np.eye(3)).max() < 0.5


# In a model


def test_a_preparation_fits_a_map_and_lists_it(prepared_folder):
    model = ModelFolder.open(prepared_folder)
    entry = model.model.files[-1]
    assert (entry.name, entry.size) == ("preview.json", PREVIEW_BYTES)
    assert len(model.preview_map().matrix) == 4


def test_official_files_have_no_map(official_folder):
    assert ModelFolder.open(official_folder).preview_map() is None


def test_a_model_that_was_prepared_before_there_were_previews_opens(prepared_folder, tmp_path):
    folder = shutil.copytree(prepared_folder, tmp_path / "old")
    data = json.loads((folder / "model.json").read_text())
    data["files"] = data["files"][:-1]
    del data["sha256"]
    (folder / "model.json").write_text(json.dumps(data))
    assert ModelFolder.open(folder).preview_map() is None


def test_a_damaged_map_is_named(prepared_folder, tmp_path):
    folder = shutil.copytree(prepared_folder, tmp_path / "damaged")
    (folder / "preview.json").write_bytes(b"{}".ljust(PREVIEW_BYTES))
    with pytest.raises(ModelFileError, match=r"preview\.json is damaged"):
        ModelFolder.open(folder).preview_map()


def test_the_demos_map_shows_the_colours_of_its_pictures():
    model = ModelFolder.open(demo_folder())
    pipeline = Pipeline(NetworkLoader(model), Device.named("cpu"))
    shown = []
    for colour in ((200, 40, 40), (50, 160, 70), (20, 20, 90)):
        from PIL import Image

        latents = pipeline.encode_picture(Image.new("RGB", (64, 64), colour))
        shown.append(np.asarray(model.preview_map().row(latents)).mean(axis=(0, 1)))
    red, green, blue = shown
    assert red.argmax() == 0
    assert green.argmax() == 1
    assert blue.argmax() == 2
