"""What a dry run writes down, on networks small enough to reckon by hand."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from golden_networks import CONFIG
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from engine.checkpoint.folder import ModelPart
from engine.config import ModelConfig
from engine.denoisers import BaseFrameDenoiser, GuidedText
from engine.memory.device_kind import DeviceKind
from engine.memory.dry_run import dry_run
from engine.memory.plan import ALIGNMENT, Variant
from engine.memory.workspace import library_bytes
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.layers import TextContext
from engine.models.movq import MoVQ

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.memory.plan import PassTrace

KILO = 1000 * 4  # bytes of a thousand numbers in float32


def trace_of(
    work: Callable[[], object],
    network: nn.Module | None = None,
    *,
    kind: DeviceKind = DeviceKind.CPU,
    held_bytes: int = 0,
    stored_bytes: dict[str, int] | None = None,
) -> PassTrace:
    return dry_run(
        work,
        network if network is not None else nn.Module(),
        kind=kind,
        name="a pass",
        part=ModelPart.T2V,
        variant=Variant(),
        repeats=1,
        held_bytes=held_bytes,
        stored_bytes=stored_bytes,
    )


def numbers(count: int = 1000) -> Tensor:
    return torch.empty(count, device="meta")


def linear(num_in: int, num_out: int) -> nn.Linear:
    return nn.Linear(num_in, num_out, bias=False, device="meta")


def test_values_count_while_they_are_alive():
    x = numbers()

    def work():
        one = x + 1
        two = one + 1
        del one
        three = two + 1
        del two
        return three + 1

    assert trace_of(work).values_bytes == 2 * KILO


def test_a_view_keeps_its_values_alive_and_takes_none_itself():
    x = numbers()

    def work():
        row = (x + 1).view(10, 100)[0]
        x + 1
        return row

    assert trace_of(work).values_bytes == 2 * KILO


def test_a_change_in_place_takes_nothing():
    x = numbers()
    assert trace_of(lambda: (x + 1).mul_(2).add_(x).relu_()).values_bytes == KILO


def test_what_was_alive_before_is_not_counted():
    x = numbers()
    assert trace_of(lambda: x.mul_(2)).values_bytes == 0


def test_values_of_the_host_are_not_counted():
    assert trace_of(lambda: torch.zeros(1000) + 1).values_bytes == 0


def test_the_same_operation_is_counted_every_time():
    x = numbers()
    trace = trace_of(lambda: [x + 1 for _ in range(5)])
    assert trace.values_bytes == 5 * KILO
    assert trace.uses[0].moved_bytes == 5 * 2 * KILO


def test_equal_numbers_of_other_types_give_other_types():
    whole = torch.empty(1000, dtype=torch.int64, device="meta")
    work = [lambda: whole * 1, lambda: whole * 1.0]
    results: list[Tensor] = []
    trace_of(lambda: results.extend(step() for step in work))
    assert [result.dtype for result in results] == [torch.int64, torch.float32]


def test_work_belongs_to_the_unit_that_began_last():
    network = nn.Sequential(linear(10, 20), nn.SiLU(), linear(20, 5))
    x = torch.empty(7, 10, device="meta")
    trace = trace_of(lambda: network(x + 1), network)
    front, first, second = trace.uses
    assert (front.unit, first.unit, second.unit) == ("", "0", "2")
    assert (front.flops, first.flops, second.flops) == (0, 2 * 7 * 10 * 20, 2 * 7 * 20 * 5)
    assert trace.order == ("0", "2")
    # Its input, its weight, its result; the activation reads that and writes another one.
    assert first.moved_bytes == 4 * (7 * 10 + 10 * 20 + 7 * 20 + 2 * 7 * 20)


def test_a_use_counts_what_is_alive_when_it_begins():
    network = nn.Sequential(linear(10, 20), linear(20, 5))
    x = torch.empty(7, 10, device="meta")
    kept: list[Tensor] = []

    def work():
        kept.append(network[0](x))
        return network[1](kept[0])

    first, second = trace_of(work, network).uses
    assert first.live_bytes == 4 * 7 * 20
    assert second.live_bytes == 4 * (7 * 20 + 7 * 5)


def test_bytes_of_units_are_aligned_and_those_of_unused_ones_left_out():
    network = nn.ModuleDict(
        {"used": nn.Linear(10, 3, device="meta"), "unused": linear(5, 5)},
    )
    trace = trace_of(lambda: network["used"](torch.empty(1, 10, device="meta")), network)
    assert trace.unit_bytes == {"used": 2 * ALIGNMENT}


def test_fixed_bytes_are_what_the_stage_holds_and_weights_of_no_unit():
    network = nn.Sequential(nn.GroupNorm(2, 4, device="meta"), linear(4, 4))
    trace = trace_of(lambda: network[1](torch.empty(1, 4, device="meta")), network, held_bytes=1000)
    assert trace.fixed_bytes == 1000 + 2 * ALIGNMENT


def test_a_card_also_holds_what_its_libraries_take():
    trace = trace_of(lambda: None, kind=DeviceKind.GRAPHICS_CARD)
    assert trace.fixed_bytes == library_bytes(DeviceKind.GRAPHICS_CARD) > 0


def test_weights_in_another_form_are_alive_unpacked_while_their_unit_works():
    network = nn.Sequential(linear(100, 100), linear(100, 1))
    x = torch.empty(1, 100, device="meta")
    plain = trace_of(lambda: network(x), network)
    packed = trace_of(lambda: network(x), network, stored_bytes={"0": 10_496})
    assert packed.unit_bytes == {**plain.unit_bytes, "0": 10_496}
    weight_bytes = plain.unit_bytes["0"]
    assert packed.uses[0].live_bytes == plain.uses[0].live_bytes + weight_bytes
    assert packed.uses[1].live_bytes == plain.uses[1].live_bytes


def test_hooks_go_when_the_run_is_over_even_with_an_error():
    network = nn.Sequential(linear(4, 4))
    with pytest.raises(RuntimeError, match="dim"):
        trace_of(lambda: network(torch.empty(1, 5, device="meta")), network)
    assert not network[0]._forward_pre_hooks


def test_a_card_gives_memory_in_blocks():
    x = numbers(1)
    assert trace_of(lambda: x + 1, kind=DeviceKind.GRAPHICS_CARD).values_bytes == 512


@pytest.mark.parametrize("kind", DeviceKind)
@pytest.mark.parametrize("mask_dtype", [None, torch.bool, torch.float16])
def test_attention_does_not_hold_the_products_of_all_pixels(
    kind: DeviceKind, mask_dtype: torch.dtype | None
):
    queries = torch.empty(1, 4, 4096, 64, dtype=torch.float16, device="meta")
    mask = None
    if mask_dtype is not None:
        mask = torch.empty(1, 1, 1, 4096, dtype=mask_dtype, device="meta")
    trace = trace_of(
        lambda: F.scaled_dot_product_attention(queries, queries, queries, attn_mask=mask),
        kind=kind,
    )
    assert queries.nbytes < trace.values_bytes < 2 * queries.nbytes
    assert trace.flops == 2 * 2 * 4 * 4096 * 4096 * 64


@pytest.mark.parametrize("kind", DeviceKind)
def test_attention_holds_all_products_where_no_kernel_takes_the_layout(kind: DeviceKind):
    channels_first = torch.empty(1, 1, 64, 2048, dtype=torch.float16, device="meta")
    queries = channels_first.transpose(2, 3)
    trace = trace_of(lambda: F.scaled_dot_product_attention(queries, queries, queries), kind=kind)
    assert trace.values_bytes > 2048 * 2048 * 2


def test_wide_heads_are_added_up_in_float32_on_a_card():
    def attention(head_dim: int) -> int:
        queries = torch.empty(1, 1, 1024, head_dim, dtype=torch.float16, device="meta")
        work = lambda: F.scaled_dot_product_attention(queries, queries, queries)  # noqa: E731
        return trace_of(work, kind=DeviceKind.GRAPHICS_CARD).values_bytes

    seeds = 2 * 512  # two numbers, in blocks of their own
    assert attention(128) == seeds + 1024 * 128 * 2
    assert attention(512) == seeds + 1024 * 512 * (2 + 4)


def test_a_card_copies_into_the_layout_of_its_tensor_cores():
    x = torch.empty(2, 64, 32, 32, dtype=torch.float16, device="meta")
    weight = torch.empty(96, 64, 3, 3, dtype=torch.float16, device="meta")
    work = lambda: F.conv2d(x, weight, padding=1)  # noqa: E731
    out_bytes = 2 * 96 * 32 * 32 * 2
    trace = trace_of(work, kind=DeviceKind.GRAPHICS_CARD)
    assert trace.values_bytes == out_bytes + x.nbytes + weight.nbytes + out_bytes


def test_operations_are_those_that_the_counter_of_torch_counts():
    with torch.device("meta"):
        network = MoVQ(CONFIG.video_movq)
        latents = torch.empty(3, 4, 4, 6)
    trace = trace_of(lambda: network.decode(latents), network)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.decode(latents)
    assert trace.flops == counter.get_total_flops()


def test_a_step_of_the_released_network_takes_a_second_at_most():
    sizes = Path(__file__).parents[1] / "kandinsky_1_1" / "configs.json"
    config = ModelConfig.from_json(json.loads(sizes.read_text()))
    with torch.device("meta"), torch.no_grad():
        network = KeyFrameUNet(config.t2v).half()
        prompt = TextContext(
            tokens=torch.empty(1, 77, config.text.context_dim),
            mask=torch.empty(1, 77, dtype=torch.bool),
            length=torch.empty(1),
        )
        denoiser = BaseFrameDenoiser(
            network,
            GuidedText(prompt=prompt, without_prompt=prompt),
            torch.empty(1, 4, 64, 64),
            [0],
            num_frames=12,
            motion_score=1,
            noise_augmentation=1,
        )
        denoiser.prepare()
        latents = torch.empty(12, 4, 64, 64)
        seconds: list[float] = []
        for _ in range(2):
            began = time.process_time()
            trace = trace_of(lambda: denoiser(latents, 0), network, kind=DeviceKind.GRAPHICS_CARD)
            seconds.append(time.process_time() - began)
    assert min(seconds) < 1, seconds
    assert 500 < len(trace.uses) < 2000
