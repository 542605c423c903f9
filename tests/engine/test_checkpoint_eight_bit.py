"""The U-Nets in 8 bit: the numbers, which layers, and the files of a prepared folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine import cli
from engine.api import EightBitReport, Prepared, event_from_json, event_to_json
from engine.checkpoint import eight_bit
from engine.checkpoint.eight_bit import (
    eight_bit_tensors,
    measure_layer,
    scale_shape,
    scales_of,
)
from engine.checkpoint.eight_bit_layers import weight_axes
from engine.checkpoint.eight_bit_report import (
    EIGHT_BIT_FILES,
    EIGHT_BIT_PARTS,
    EightBitErrors,
    LayerError,
    PartErrors,
    read_eight_bit_errors,
    read_eight_bit_report,
)
from engine.checkpoint.folder import ModelFolder, ModelPart
from engine.checkpoint.prepare import prepare_model
from engine.checkpoint.safetensors_writer import safetensors_bytes, write_safetensors
from engine.checkpoint.tensors import index_safetensors, read_tensor
from engine.errors import Cancelled, InvalidRequest, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from engine.api import PrepareProgress
    from engine.checkpoint.prepared import PreparedFolder

RELEASED = Path(__file__).parents[1] / "kandinsky_1_1"
AXES = {"linear": 0, "conv2d": 0, "conv3d": 0, "transposed": 1}
SHAPES = {
    "linear": (24, 40),
    "conv2d": (16, 12, 3, 3),
    "conv3d": (10, 6, 3, 1, 1),
    "transposed": (14, 9, 2, 2),
}


def weights(dtype: torch.dtype = torch.float16) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    made = {name: torch.randn(shape, generator=generator) for name, shape in SHAPES.items()}
    return {name: (weight * 0.05).to(dtype) for name, weight in made.items()}


def written(
    tmp_path: Path, tensors: dict[str, Tensor], exact: frozenset[str] = frozenset()
) -> dict[str, Tensor]:
    save_file(tensors, tmp_path / "source.safetensors")
    streams = eight_bit_tensors(index_safetensors(tmp_path / "source.safetensors"), AXES, exact)
    path = tmp_path / "target.safetensors"
    digest = write_safetensors(path, streams, lambda _: None)
    assert digest.size == safetensors_bytes(streams)
    return load_file(path)


def measured(tmp_path: Path, name: str, weight: Tensor) -> LayerError:
    save_file({name: weight}, tmp_path / "measured.safetensors")
    record = index_safetensors(tmp_path / "measured.safetensors")[name]
    return measure_layer(name, record, AXES[name])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_weight_is_whole_numbers_times_the_scale_of_its_output_channel(
    tmp_path: Path, dtype: torch.dtype
) -> None:
    tensors = written(tmp_path, weights(dtype))
    for name, weight in weights(dtype).items():
        numbers, scales = tensors.pop(name), tensors.pop(scales_of(name))
        assert numbers.dtype == torch.int8
        assert scales.dtype == torch.float32
        assert scales.shape == scale_shape(weight.shape, AXES[name])
        error = (numbers * scales - weight.float()).abs()
        assert (error <= scales * 0.50001).all()
        by_channel = numbers.transpose(0, AXES[name]).flatten(1)
        assert by_channel.abs().amax(dim=1).eq(127).all()  # the whole range is used
    assert not tensors


def test_slices_change_neither_the_numbers_nor_the_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = weights()
    whole = written(tmp_path, tensors)
    errors = {name: measured(tmp_path, name, weight) for name, weight in tensors.items()}
    monkeypatch.setattr(eight_bit, "CHUNK_BYTES", 400)  # some rows, or a part of one
    sliced = written(tmp_path, tensors)
    assert all(torch.equal(sliced[name], tensor) for name, tensor in whole.items())
    for name, weight in tensors.items():
        again = measured(tmp_path, name, weight)
        assert again.relative_error == pytest.approx(errors[name].relative_error, abs=1e-6)
        assert again.cosine == pytest.approx(errors[name].cosine, abs=1e-6)


def test_the_error_is_that_of_what_is_written(tmp_path: Path) -> None:
    tensors = written(tmp_path, weights())
    for name, weight in weights().items():
        before = weight.double().flatten()
        after = (tensors[name].double() * tensors[scales_of(name)]).flatten()
        error = measured(tmp_path, name, weight)
        assert error.relative_error == pytest.approx(
            float((after - before).norm() / before.norm()), abs=1e-6
        )
        assert error.cosine == pytest.approx(
            float(torch.cosine_similarity(after, before, dim=0)), abs=1e-6
        )
        assert not error.is_exact


def test_the_error_of_the_output_for_noise_is_that_of_the_weight(tmp_path: Path) -> None:
    weight = torch.randn(64, 256, generator=torch.Generator().manual_seed(1)) * 0.05
    x = torch.randn(256, 4000, generator=torch.Generator().manual_seed(2))
    tensors = written(tmp_path, {"linear": weight})
    before = weight @ x
    after = (tensors["linear"] * tensors["linear_scale"]) @ x
    error = measured(tmp_path, "linear", weight)
    assert float((after - before).norm() / before.norm()) == pytest.approx(
        error.relative_error, rel=0.02
    )


def test_a_layer_with_an_outlier_is_kept_bit_by_bit(tmp_path: Path) -> None:
    tensors = weights()
    tensors["conv2d"][:, 0, 0, 0] = 3  # sixty times the others, in every channel
    error = measured(tmp_path, "conv2d", tensors["conv2d"])
    assert error.is_exact
    assert error.cosine < 0.9999 < measured(tmp_path, "linear", tensors["linear"]).cosine
    result = written(tmp_path, tensors, frozenset({"conv2d"}))
    assert torch.equal(result["conv2d"], tensors["conv2d"])
    assert "conv2d_scale" not in result
    assert result["linear"].dtype == torch.int8


def test_channels_of_zeros_stay_zeros(tmp_path: Path) -> None:
    tensors = weights()
    tensors["linear"].zero_()
    tensors["transposed"][:, 3] = 0
    result = written(tmp_path, tensors)
    assert result["linear"].eq(0).all()
    assert result["linear_scale"].eq(0).all()
    assert result["transposed"][:, 3].eq(0).all()
    error = measured(tmp_path, "linear", tensors["linear"])
    assert (error.relative_error, error.cosine, error.is_exact) == (0.0, 1.0, False)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_numbers_are_refused_by_name(tmp_path: Path, bad: float) -> None:
    tensors = weights()
    tensors["conv3d"][2, 1] = bad
    with pytest.raises(ModelFileError, match=r"measured\.safetensors is damaged: conv3d has"):
        measured(tmp_path, "conv3d", tensors["conv3d"])
    with pytest.raises(ModelFileError, match=r"source\.safetensors is damaged: conv3d has"):
        written(tmp_path, tensors)


@pytest.mark.parametrize(
    ("part", "num_weights"),
    [(ModelPart.T2V, 2_418_979_968), (ModelPart.INTERPOLATION, 2_827_634_688)],
)
def test_of_the_released_networks_all_that_every_step_uses_can_be_in_8_bit(
    part: ModelPart, num_weights: int
) -> None:
    manifest = json.loads((RELEASED / "manifest.json").read_text())[f"{part}.pt"]["unet"]
    shapes = {f"unet.{name}": shape for name, (shape, _) in manifest.items()}
    axes = weight_axes(part, json.loads((RELEASED / "configs.json").read_text()))
    assert sum(torch.Size(shapes[name]).numel() for name in axes) == num_weights
    assert not any("context_mlp" in name or "feature_pooling" in name for name in axes)
    upsampling = {name for name in shapes if name.endswith("up_sample.weight")}
    assert {name for name, axis in axes.items() if axis == 1} == upsampling
    of_prompt = {name for name, shape in shapes.items() if shape[1:] == [4096]}
    assert of_prompt.isdisjoint(axes)


def prepare(
    source: Path,
    destination: Path,
    *,
    with_8bit: bool = True,
    on_progress: Callable[[PrepareProgress], None] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> PreparedFolder:
    return prepare_model(
        source,
        destination,
        expected=None,
        on_progress=on_progress,
        is_cancelled=is_cancelled,
        name="toy",
        eight_bit=with_8bit,
    )


@pytest.fixture(scope="module")
def eight_bit_folder(official_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy model, prepared with the U-Nets in 8 bit."""
    folder = tmp_path_factory.mktemp("eight_bit") / "toy"
    progress: list[PrepareProgress] = []
    prepare(official_folder, folder, on_progress=progress.append)
    done = [step.done_bytes for step in progress]
    assert done == sorted(done)
    assert done[-1] == progress[-1].total_bytes
    return folder


def test_the_8_bit_files_hold_the_network_in_8_bit_and_all_else_bit_by_bit(
    eight_bit_folder: Path,
) -> None:
    model = ModelFolder.open(eight_bit_folder)
    errors = read_eight_bit_errors(eight_bit_folder)
    model.verify(lambda _: None)
    total = 0
    for part in EIGHT_BIT_PARTS:
        axes = weight_axes(part, model.configs)
        exact = model.tensors(part)
        records = model.tensors_8bit(part)
        assert records is not None
        total += sum(record.num_bytes for record in records.values())
        quantized = {name for name in axes if name not in errors.exact_layers(part)}
        assert quantized
        assert set(records) == set(exact) | {scales_of(name) for name in quantized}
        for name, record in exact.items():
            weight = read_tensor(record)
            if name not in quantized:
                assert torch.equal(read_tensor(records[name]), weight), name
                continue
            result = read_tensor(records[name]) * read_tensor(records[scales_of(name)])
            assert records[name].dtype == "int8"
            cosine = torch.cosine_similarity(result.flatten(), weight.float().flatten(), dim=0)
            assert cosine > 0.99989 or not weight.any()
    assert total == errors.report.bytes_after
    assert model.info.unets_8bit
    assert model.tensors_8bit(ModelPart.IMAGE_MOVQ) is None


def test_errors_are_measured_whether_the_files_are_asked_for_or_not(
    eight_bit_folder: Path, prepared_folder: Path
) -> None:
    without = ModelFolder.open(prepared_folder)
    assert read_eight_bit_errors(prepared_folder) == read_eight_bit_errors(eight_bit_folder)
    report = read_eight_bit_errors(prepared_folder).report
    assert without.info.error_8bit == report.mean_relative_error
    assert 0 < report.mean_relative_error < 0.02
    assert report.bytes_after < 0.6 * report.bytes_before
    assert not without.info.unets_8bit
    assert all(without.tensors_8bit(part) is None for part in EIGHT_BIT_PARTS)


def test_a_model_is_the_same_model_with_its_8_bit_files(
    eight_bit_folder: Path, prepared_folder: Path
) -> None:
    assert (
        ModelFolder.open(eight_bit_folder).fingerprint
        == ModelFolder.open(prepared_folder).fingerprint
    )


def without_errors(prepared: Path, folder: Path) -> Path:
    """A copy as it was made before errors were measured."""
    shutil.copytree(prepared, folder)
    (folder / "eight_bit.json").unlink()
    model = json.loads((folder / "model.json").read_text())
    model["files"] = [entry for entry in model["files"] if entry["name"] != "eight_bit.json"]
    del model["sha256"]  # nor was there this
    (folder / "model.json").write_text(json.dumps(model, indent=1, ensure_ascii=False) + "\n")
    return folder


@pytest.mark.parametrize("source", ["the official files", "the folder itself"])
def test_8_bit_files_can_be_added_to_a_folder_that_was_prepared_without(
    official_folder: Path,
    prepared_folder: Path,
    eight_bit_folder: Path,
    tmp_path: Path,
    source: str,
) -> None:
    folder = without_errors(prepared_folder, tmp_path / "toy")
    before = ModelFolder.open(folder)
    assert before.info.error_8bit is None
    is_own = source == "the folder itself"
    model = prepare(folder if is_own else official_folder, folder)
    for name in EIGHT_BIT_FILES:
        assert (folder / name).read_bytes() == (eight_bit_folder / name).read_bytes()
    assert model.fingerprint == before.fingerprint
    assert model.info.unets_8bit
    model.verify(lambda _: None)
    times = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    prepare(folder, folder)  # they are there
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == times


def test_adding_that_is_cancelled_leaves_the_model_as_it_was_and_goes_on(
    prepared_folder: Path, eight_bit_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(prepared_folder, tmp_path / "toy")
    seen: list[str] = []
    with pytest.raises(Cancelled):
        prepare(
            folder,
            folder,
            on_progress=lambda step: seen.append(step.file),
            is_cancelled=lambda: "interpolation.8bit.safetensors" in seen,
        )
    assert not ModelFolder.open(folder).info.unets_8bit
    assert prepare(folder, folder).info.unets_8bit
    for name in EIGHT_BIT_FILES:
        assert (folder / name).read_bytes() == (eight_bit_folder / name).read_bytes()


def test_nothing_is_added_from_other_files_or_from_damaged_weights(
    official_folder: Path, prepared_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(prepared_folder, tmp_path / "toy")
    other = shutil.copytree(official_folder, tmp_path / "other")
    torch.save({"unet": {"w": torch.zeros(3)}}, other / "t2v.pt")
    for source, words in ((other, "was not prepared from"), (prepared_folder, "prepared already")):
        with pytest.raises(InvalidRequest, match=words):
            prepare(source, folder)
    damaged = bytearray((folder / "t2v.safetensors").read_bytes())
    damaged[-5] ^= 1
    (folder / "t2v.safetensors").write_bytes(damaged)
    with pytest.raises(ModelFileError, match=r"t2v\.safetensors is damaged: it holds"):
        prepare(folder, folder)
    assert not (folder / "t2v.8bit.safetensors").exists()


def test_damaged_errors_are_named(prepared_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(prepared_folder, tmp_path / "toy")
    size = (folder / "eight_bit.json").stat().st_size
    (folder / "eight_bit.json").write_bytes(b'{"report": 3}'.ljust(size))
    with pytest.raises(ModelFileError, match=r"eight_bit\.json is damaged: report must be"):
        read_eight_bit_report(folder)
    with pytest.raises(ModelFileError, match=r"eight_bit\.json is damaged"):
        read_eight_bit_errors(folder)


def test_only_the_layers_of_the_asked_part_are_exact() -> None:
    def layer(name: str, *, is_exact: bool) -> LayerError:
        return LayerError(name=name, relative_error=0.1, cosine=0.9, is_exact=is_exact)

    parts = tuple(
        PartErrors(
            part=part, layers=(layer(f"{part} a", is_exact=True), layer("b", is_exact=False))
        )
        for part in EIGHT_BIT_PARTS
    )
    errors = EightBitErrors(report=REPORT, parts=parts)
    assert errors.exact_layers(ModelPart.T2V) == {"t2v a"}


REPORT = EightBitReport(
    num_layers=3,
    num_exact=1,
    worst_cosine=0.99992,
    mean_relative_error=0.0071,
    bytes_before=100,
    bytes_after=60,
)


@pytest.mark.parametrize("report", [None, REPORT])
def test_the_report_goes_through_json(report: EightBitReport | None) -> None:
    event = Prepared(folder="x", eight_bit=report)
    assert event_from_json(json.loads(json.dumps(event_to_json(event)))) == event


def test_the_command_writes_8_bit_files_and_says_what_they_cost(
    prepared_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(prepared_folder, tmp_path / "toy")
    assert cli.main(["prepare", str(folder), str(folder), "--8bit"]) == 0
    out = capsys.readouterr().out
    report = read_eight_bit_errors(folder).report
    assert f"{report.num_exact} of {report.num_layers} layers would stay exact" in out
    assert f"loses {report.mean_relative_error:.2%} on average" in out
    assert (folder / "t2v.8bit.safetensors").is_file()
