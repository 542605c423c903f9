"""How weights come from files: whole, in their types, from every part of a model."""

from __future__ import annotations

import contextlib
import json
import random
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from residency_cases import (
    CPU,
    MOVQ,
    UNET,
    all_on_meta,
    image_path,
    loadable_of,
    make_cases,
    order_of,
    random_network,
    random_plan,
    simulated,
)
from safetensors.torch import save_file
from torch import nn

from engine.checkpoint.eight_bit import scales_of
from engine.checkpoint.folder import ModelFolder, ModelPart
from engine.checkpoint.networks import LoadableNetwork, NetworkLoader, without_weights
from engine.checkpoint.tensors import index_safetensors, read_tensor
from engine.config import ModelConfig
from engine.errors import ModelFileError
from engine.memory import feeder
from engine.memory.residency import Residency, whole
from engine.memory.units import units_of
from engine.memory.weights import EightBitTensor, FileTensor, WeightSource
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.movq import MoVQ


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.no_grad():
        yield


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return make_cases(tmp_path_factory.mktemp("weights"))


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    assert not [it for it in threading.enumerate() if it.name.startswith("feeding weights")]


@pytest.mark.parametrize("num_resident", [0, 200])
def test_a_file_that_is_cut_off_is_reported_where_the_work_is(cases, tmp_path, num_resident):
    case = cases["movq"]
    file = tmp_path / "cut.safetensors"
    original = next(iter(case.records.values())).file
    file.write_bytes(original.read_bytes())
    records = {name: replace(record, file=file) for name, record in case.records.items()}
    network = without_weights(MoVQ, MOVQ)
    cut = replace(case, loadable=loadable_of(network, records))
    device = simulated()
    network, residency = cut.residency(device, resident=cut.order[:num_resident])
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2)
    with pytest.raises(ModelFileError, match="is cut off"), residency:
        case.work(network, "cpu")
    assert device.card.allocated_bytes == 0
    assert all_on_meta(network)


def test_weights_take_another_type_on_the_way(cases):
    case = cases["video"]
    network = without_weights(KeyFrameUNet, UNET)
    weights = {
        name: FileTensor(record=record, dtype=torch.float16)
        for name, record in case.records.items()
    }
    source = WeightSource(network, weights)
    assert network.in_layer.weight.dtype is torch.float16
    for unit in source.units:
        memory = torch.empty(source.num_bytes(unit), dtype=torch.uint8)
        for begin in range(0, len(memory), 2048):
            source.read(unit, begin, memory[begin : begin + 2048])
        for name, tensor in source.tensors(unit, memory).items():
            assert torch.equal(tensor, read_tensor(case.records[name]).half())


@pytest.mark.parametrize("block", range(2))
def test_8_bit_weights_are_products_at_work_and_bytes_at_rest(tmp_path, block):
    network = random_network(KeyFrameUNet(UNET), 4)
    stored = network.state_dict()
    quantized = [name for name, tensor in stored.items() if tensor.ndim > 1][::2]
    for name in quantized:
        weight = network.get_parameter(name)
        axis = int(isinstance(network.get_submodule(name.rpartition(".")[0]), nn.ConvTranspose2d))
        others = [index for index in range(weight.ndim) if index != axis]
        scales = weight.abs().amax(others, keepdim=True) / 127
        rows = (weight / scales).round().to(torch.int8)
        weight.copy_(rows * scales)
        stored[name], stored[scales_of(name)] = rows, scales
    file = tmp_path / "8bit.safetensors"
    save_file(stored, file)
    records = index_safetensors(file)
    weights = {
        name: EightBitTensor(
            rows=FileTensor(record=record, dtype=torch.int8),
            scales=FileTensor(record=records[scales_of(name)], dtype=torch.float32),
            dtype=torch.float32,
        )
        if name in quantized
        else FileTensor(record=record, dtype=torch.float32)
        for name, record in records.items()
        if not name.endswith("_scale")
    }
    empty = without_weights(KeyFrameUNet, UNET)
    source = WeightSource(empty, weights)
    loadable = LoadableNetwork(part=ModelPart.T2V, network=empty, source=source)
    order, expected = order_of(network, image_path), image_path(network, "cpu")
    rng = random.Random(block)
    for _ in range(3):
        plan = random_plan(source, order, rng)
        with Residency(loadable, CPU, plan, order, 2):
            for _ in range(2):
                assert torch.equal(image_path(empty, "cpu"), expected)
            assert all(empty.get_parameter(name).is_meta for name in quantized)
    unit = next(unit for unit in source.units if source.is_rebuilt(unit))
    at_work = sum(stored[name].numel() * 4 for name in quantized if name.startswith(f"{unit}."))
    assert source.rebuilt_bytes(unit) == at_work


def weights_of(loadable):
    """All weights, as they are on the device."""
    with Residency(loadable, CPU, whole(loadable.source), loadable.source.units, 1):
        for module in units_of(loadable.network).values():
            with contextlib.suppress(TypeError, AttributeError):  # it is called with nothing
                module()
        return dict(loadable.network.state_dict())


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("key_frame_unet", ModelPart.T2V),
        ("interpolation_unet", ModelPart.INTERPOLATION),
        ("image_movq", ModelPart.IMAGE_MOVQ),
        ("video_movq", ModelPart.VIDEO_MOVQ),
        ("text_encoder", ModelPart.TEXT_ENCODER),
    ],
)
def test_every_network_of_a_folder_gets_what_its_file_has(prepared_folder, name, part):
    folder = ModelFolder.open(prepared_folder)
    weights = weights_of(getattr(NetworkLoader(folder), name)(torch.float32))
    records = folder.tensors(part)
    stored = {name.removeprefix("unet."): record for name, record in records.items()}
    if part is ModelPart.TEXT_ENCODER:
        projections = folder.tensors(ModelPart.TEXT_PROJECTIONS).items()
        stored |= {
            name.replace("projection_base", "projection"): record for name, record in projections
        }
    assert all(torch.equal(weights[name], read_tensor(stored[name])) for name in weights)
    unused = {name.split(".")[0] for name in stored.keys() - weights.keys()}
    assert unused <= {"null_embedding", "encoder", "projection_interpolation"}


def test_a_text_encoder_made_8_bit_on_the_way_is_the_prepared_one(
    official_folder, prepared_folder, monkeypatch
):
    # Pieces that do not end where rows do.
    monkeypatch.setattr(feeder, "STAGING_BYTES", 10 * 256)
    monkeypatch.setattr(feeder, "_PIECE_BYTES", 3 * 256)
    official = NetworkLoader(ModelFolder.open(official_folder), text_encoder_8bit=True)
    prepared = NetworkLoader(ModelFolder.open(prepared_folder))
    found, expected = (
        weights_of(loader.text_encoder(torch.float32)) for loader in (official, prepared)
    )
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert any(tensor.dtype is torch.int8 for tensor in found.values())


def test_a_folder_without_8_bit_weights_says_so(prepared_folder):
    loader = NetworkLoader(ModelFolder.open(prepared_folder))
    with pytest.raises(ModelFileError, match="no 8-bit weights of the key-frame network"):
        loader.key_frame_unet(torch.float32, in_8bit=True)


RELEASED = ModelConfig.from_json(
    json.loads((Path(__file__).parents[1] / "kandinsky_1_1" / "configs.json").read_text())
)


@pytest.mark.parametrize(
    ("network", "config"),
    [
        (KeyFrameUNet, RELEASED.t2v),
        (InterpolationUNet, RELEASED.interpolation),
        (MoVQ, RELEASED.video_movq),
    ],
)
def test_of_the_released_networks_next_to_nothing_lies_outside_of_units(network, config):
    empty = without_weights(network, config)
    sizes = {name: tensor.numel() for name, tensor in empty.state_dict().items()}
    units = units_of(empty)
    members = [f"{unit}.{name}" for unit, module in units.items() for name in module.state_dict()]
    assert len(set(members)) == len(members)
    outside = sum(size for name, size in sizes.items() if name not in set(members))
    assert outside < 0.001 * sum(sizes.values())
