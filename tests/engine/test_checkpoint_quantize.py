from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.checkpoint.quantize import (
    is_quantized,
    quantize_rows,
    quantized_tensors,
    scales_of,
)
from engine.checkpoint.safetensors_writer import write_safetensors
from engine.checkpoint.tensors import CHUNK_BYTES, index_safetensors
from engine.errors import ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

WEIGHT = "encoder.block.3.layer.0.SelfAttention.v.weight"
SCALES = "encoder.block.3.layer.0.SelfAttention.v.SCB"


def quantized(tmp_path: Path, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    save_file(tensors, tmp_path / "source.safetensors")
    streams = quantized_tensors(index_safetensors(tmp_path / "source.safetensors"))
    write_safetensors(tmp_path / "target.safetensors", streams, lambda _: None)
    return load_file(tmp_path / "target.safetensors")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_weight_moves_by_at_most_half_a_step_of_its_row(dtype: torch.dtype) -> None:
    weight = (torch.randn(64, 128, generator=torch.Generator().manual_seed(0)) * 0.05).to(dtype)
    rows, scales = quantize_rows(weight)
    # Rounding to float16 first, as bitsandbytes does, moves a float32 by up to 2**-11 of itself.
    bound = scales[:, None] * (1 / 254 + 2**-11) * 1.001
    assert rows.dtype == torch.int8
    assert scales.dtype == torch.float32
    assert rows.abs().amax(dim=1).eq(127).all()  # the whole range is used
    assert ((rows * scales[:, None] / 127 - weight.float()).abs() <= bound).all()


def test_rows_of_zeros_and_the_smallest_numbers_stay_what_they_are() -> None:
    weight = torch.zeros(3, 4, dtype=torch.float16)
    weight[1] = 2**-24  # the smallest of float16
    weight[2, 0] = 65504
    rows, scales = quantize_rows(weight)
    assert rows[0].eq(0).all()
    assert torch.equal(rows * scales[:, None] / 127, weight.float())


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e6])
def test_numbers_that_8_bits_cannot_stand_for_are_refused_by_name(
    tmp_path: Path, bad: float
) -> None:
    weight = torch.ones(4, 4)
    weight[2, 1] = bad
    with pytest.raises(ModelFileError, match=rf"source\.safetensors is damaged: {WEIGHT}"):
        quantized(tmp_path, {WEIGHT: weight})


def test_whole_numbers_are_not_quantised_again(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"holds encoder.* as int8"):
        quantized(tmp_path, {WEIGHT: torch.ones(4, 4, dtype=torch.int8)})


def test_only_linear_weights_of_blocks_become_8_bit(tmp_path: Path) -> None:
    kept = {
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight": torch.rand(32, 4),
        "encoder.block.0.layer.0.SelfAttention.q.weight": torch.rand(8, 8),
        "encoder.block.0.layer.0.SelfAttention.k.weight": torch.rand(8, 8),
        "encoder.block.0.layer.0.layer_norm.weight": torch.rand(8).half(),
        "encoder.embed_tokens.weight": torch.rand(10, 8).bfloat16(),
    }
    linear = {
        f"encoder.block.0.layer.{layer}.weight": torch.rand(8, 8)
        for layer in (
            *(f"0.SelfAttention.{name}" for name in "vo"),
            *(f"1.DenseReluDense.{name}" for name in ("wi_0", "wi_1", "wo")),
        )
    }
    written = quantized(tmp_path, kept | linear)
    for name, tensor in kept.items():
        assert not is_quantized(name)
        assert written.pop(name).dtype == tensor.dtype
    for name in linear:
        assert is_quantized(name)
        assert written.pop(name).dtype == torch.int8
        assert written.pop(scales_of(name)).dtype == torch.float32
    assert not written


def test_a_weight_quantised_slice_by_slice_is_that_quantised_at_once(tmp_path: Path) -> None:
    columns = 4096
    num_rows = CHUNK_BYTES // (2 * columns) * 2 + 3  # in float16: two slices and a rest
    weight = torch.randn(num_rows, columns, generator=torch.Generator().manual_seed(0)).half()
    written = quantized(tmp_path, {WEIGHT: weight})
    rows, scales = quantize_rows(weight)
    assert torch.equal(written[WEIGHT], rows)
    assert torch.equal(written[SCALES], scales)


def test_a_bitsandbytes_layer_computes_with_what_is_written(tmp_path: Path) -> None:
    from bitsandbytes.nn import Int8Params, Linear8bitLt

    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(32, 64, generator=generator)
    x = torch.randn(5, 64, generator=generator)
    written = quantized(tmp_path, {WEIGHT: weight})

    def layer() -> Linear8bitLt:
        return Linear8bitLt(64, 32, bias=False, has_fp16_weights=False)

    ours = layer()
    ours.weight = Int8Params(
        written[WEIGHT],
        requires_grad=False,
        has_fp16_weights=False,
        CB=written[WEIGHT],
        SCB=written[SCALES],
    )
    theirs = layer()
    theirs.load_state_dict({"weight": weight})
    theirs.to("cpu")
    assert torch.equal(theirs.weight.data, ours.weight.data)
    assert torch.equal(ours(x.half()), theirs(x.half()))
    assert torch.allclose(ours(x.half()).float(), x @ weight.T, atol=0.5)
