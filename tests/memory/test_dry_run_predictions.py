"""Dry runs against the memory events of PyTorch's profiler, when the same code really runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
import torch.nn.functional as F
from rehearsal.predicted_bytes import compared, most_alive, random_shape
from torch import Tensor, nn

from engine.checkpoint.folder import ModelPart
from engine.memory.device_kind import DeviceKind
from engine.memory.dry_run import dry_run
from engine.memory.plan import Variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRANTED_BYTES = 256
"""For scalars that kernels put down."""


@pytest.mark.parametrize("seed", range(1001, 1015))
def test_predicted_bytes_are_those_that_are_really_alive(seed: int):
    comparison = compared(random_shape(seed))
    assert comparison.live > 0
    assert comparison.holds, f"{comparison.error:+.2%} of {comparison.live} in {comparison.name}"


def empty(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.zeros(shape, dtype=dtype)


def convolution(x: tuple[int, ...], weight: tuple[int, ...], **options: object):
    def make() -> Callable[[], object]:
        inputs = empty(*x), empty(*weight), empty(weight[0])
        run = F.conv3d if len(x) == 5 else F.conv2d
        return lambda: run(*inputs, **options)  # pyright: ignore[reportArgumentType]

    return make


def permuted_convolution(x: tuple[int, ...], order: str, weight: tuple[int, ...]):
    def make() -> Callable[[], object]:
        pixels = empty(*x)
        if order == "channels last":
            pixels = pixels.to(memory_format=torch.channels_last)
        else:
            pixels = pixels.transpose(2, 3)
        inputs = pixels, empty(*weight), empty(weight[0])
        return lambda: F.conv2d(*inputs, padding=weight[-1] // 2)

    return make


def frame_of_a_kernel():
    x, weight = empty(4, 32, 16, 16), empty(32, 32, 3, 3, 3)
    return lambda: F.conv2d(x, weight[:, :, 1], padding=1)


def transposed(x: tuple[int, ...], weight: tuple[int, ...]):
    def make() -> Callable[[], object]:
        inputs = empty(*x), empty(*weight), empty(weight[1])
        return lambda: F.conv_transpose2d(*inputs, stride=2)

    return make


def attention(queries: tuple[int, ...], num_keys: int, *, mask: bool = False, dtype=torch.float32):
    def make() -> Callable[[], object]:
        batch, heads, _, head_dim = queries
        keys = empty(batch, heads, num_keys, head_dim, dtype=dtype)
        q = empty(*queries, dtype=dtype)
        attn_mask = torch.ones(batch, 1, 1, num_keys, dtype=torch.bool) if mask else None
        return lambda: F.scaled_dot_product_attention(q, keys, keys, attn_mask=attn_mask)

    return make


def doubled():
    x = empty(2, 32, 9, 7)
    return lambda: F.interpolate(x, scale_factor=2.0, mode="nearest")


def norm_of_columns():
    x = empty(3, 32, 16).transpose(1, 2)
    return lambda: F.layer_norm(x, (32,))


def softmax_of_columns():
    x = empty(3, 32, 16).transpose(1, 2)
    return lambda: torch.softmax(x, dim=-1)


def products_of_spread_matrices():
    x = empty(9, 50, 6, 40)[:, :, :, ::2].transpose(1, 2)
    return lambda: torch.bmm(x[:, 0], x[:, 0].transpose(1, 2))


KERNELS = {
    "3x3 of one small picture": convolution((1, 32, 8, 8), (32, 32, 3, 3), padding=1),
    "3x3 of one picture": convolution((1, 32, 40, 40), (32, 32, 3, 3), padding=1),
    "3x3 of several": convolution((4, 32, 16, 16), (48, 32, 3, 3), padding=1),
    "3x3 of few channels": convolution((4, 9, 16, 16), (32, 9, 3, 3), padding=1),
    "3x3 to few channels": convolution((4, 40, 16, 16), (3, 40, 3, 3), padding=1),
    "pointwise": convolution((4, 32, 16, 16), (64, 32, 1, 1)),
    "pointwise of many": convolution((20, 32, 8, 8), (64, 32, 1, 1)),
    "halving": convolution((3, 32, 16, 16), (32, 32, 2, 2), stride=2),
    "3x3x3": convolution((2, 32, 5, 8, 8), (32, 32, 3, 3, 3), padding=1),
    "3x3x3 of one clip": convolution((1, 32, 5, 8, 8), (32, 32, 3, 3, 3), padding=1),
    "3x1x1": convolution((2, 32, 5, 8, 8), (32, 32, 3, 1, 1), padding=(1, 0, 0)),
    "a frame of a kernel": frame_of_a_kernel,
    "channels last": permuted_convolution((4, 32, 16, 16), "channels last", (48, 32, 3, 3)),
    "channels last, pointwise": permuted_convolution(
        (4, 32, 9, 9), "channels last", (32, 32, 1, 1)
    ),
    "channels last, many": permuted_convolution((18, 32, 9, 9), "channels last", (32, 32, 1, 1)),
    "turned picture": permuted_convolution((4, 32, 16, 12), "turned", (48, 32, 3, 3)),
    "doubling": transposed((4, 32, 16, 16), (32, 32, 2, 2)),
    "doubling few pixels": transposed((5, 96, 2, 2), (96, 96, 2, 2)),
    "doubling one picture": transposed((1, 32, 8, 8), (32, 24, 2, 2)),
    "long attention": attention((1, 2, 900, 32), 900),
    "middling attention": attention((2, 2, 200, 16), 77),
    "short attention": attention((64, 1, 12, 64), 12),
    "masked attention": attention((2, 2, 100, 16), 30, mask=True),
    "attention in float16": attention((2, 2, 256, 16), 256, dtype=torch.float16),
    "nearest neighbours": doubled,
    "norm of columns": norm_of_columns,
    "softmax of columns": softmax_of_columns,
    "spread matrices": products_of_spread_matrices,
}


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def num_threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.usefixtures("num_threads")
@pytest.mark.parametrize("make", KERNELS.values(), ids=KERNELS.keys())
def test_kernels_take_what_their_rules_say(make: Callable[[], Callable[[], object]]):
    with torch.device("meta"):
        trace = dry_run(
            make(),
            nn.Module(),
            kind=DeviceKind.CPU,
            name="a kernel",
            part=ModelPart.T2V,
            variant=Variant(),
            repeats=1,
        )
    assert trace.values_bytes == pytest.approx(most_alive(make()), abs=GRANTED_BYTES)
