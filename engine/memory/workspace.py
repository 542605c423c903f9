"""Bytes that kernels take for themselves beside their results, by operation, shapes and device.

For the CPU they are as measured with `torch.profiler` in PyTorch 2.13 on a processor with AVX-512:
copies in the block layouts of oneDNN, columns of native convolutions, buffers of a thread. They
depend on the number of threads, which is asked for where it matters. For graphics cards they are
planned, not measured: on the safe side of what PyTorch and cuDNN are known to do there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from engine.memory.device_kind import DeviceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch._ops import OpOverload

_aten = torch.ops.aten
ATTENTION_KERNELS = frozenset(
    {
        _aten._scaled_dot_product_flash_attention_for_cpu.default,
        _aten._scaled_dot_product_efficient_attention.default,
    }
)
"""The operations that `fused_attention` takes."""

_FLOAT_BYTES = 4
# Below as many numbers, and with a single sample, PyTorch takes its own convolution on a CPU.
_ONEDNN_NUMBERS = 20480
_ONEDNN_SAMPLES = 16
# What it keeps beside tensors: for itself, and for every thread.
_ONEDNN_SCRATCH_BYTES = (4096, 4120)
_TRANSPOSED_SCRATCH_BYTES = (12416, 8216)
_TRANSPOSED_TILE = 4096  # numbers
# Columns of the flash attention's tiles on a CPU, and rows by the length of the queries.
_FLASH_COLUMNS = 512
_FLASH_ROWS = ((768, 256), (192, 64), (0, 32))
# Wider heads than this do not fit into the registers of the memory-efficient kernel: it adds up in
# a float32 copy of its result.
_EFFICIENT_HEAD = 128
_CARD_CHANNELS = 8  # what tensor cores want channels to be a multiple of


def workspace_bytes(
    func: OpOverload, args: Sequence[Any], result: object, *, kind: DeviceKind
) -> int:
    """What the kernel of `func` takes at most beside its result, in bytes.

    Args:
        func: the operation, as it reaches the device.
        args: its positional arguments.
        result: what it gave, on the meta device.
        kind: of the device that it is to run on.
    """
    rules = _CPU_RULES if kind is DeviceKind.CPU else _CARD_RULES
    rule = rules.get(func)
    return 0 if rule is None else rule(args, result)


def in_layout_of_kernels(func: OpOverload, args: Sequence[Any], result: object) -> object:
    """The `result` of `func` on the meta device, laid out as kernels lay it out.

    Convolutions of pictures with channels last, or with such weights, give pictures with channels
    last on all devices but the meta device.
    """
    if func is not _aten.convolution.default or not isinstance(result, Tensor) or result.ndim != 4:
        return result
    if any(map(_has_channels_last, args[:2])):
        return torch.empty_like(result, memory_format=torch.channels_last)
    return result


def library_bytes(kind: DeviceKind) -> int:
    """What libraries keep from the first use to the end: on a card the workspace of cuBLAS.

    It comes from PyTorch's allocator, 8 MiB on most cards and 32 MiB on the largest.
    """
    return 0 if kind is DeviceKind.CPU else 32 * 2**20


def fused_attention(
    kind: DeviceKind,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    **options: object,
) -> Tensor | None:
    """What `F.scaled_dot_product_attention` gives, by the kernel that `kind` has for it.

    Args:
        kind: of the device that is planned for.
        query: (B heads N D) on the meta device, like the next two.
        key: (B heads M D).
        value: (B heads M D).
        attn_mask: boolean or of the queries' type, as broad as the products or 1.
        options: the others of that function.

    Returns:
        (B heads N D); None where it is computed step by step, with all products in memory.
    """
    scale = options.pop("scale", None)
    if any(options.values()):  # dropout, a causal mask, grouped heads
        return None
    tensors = (query, key, value)
    if any(tensor.ndim != 4 or tensor.stride(-1) != 1 or not tensor.numel() for tensor in tensors):
        return None
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = query.new_empty(attn_mask.shape)  # zero and minus infinity
    if kind is DeviceKind.CPU:
        if query.shape[3] != value.shape[3]:
            return None
        return _aten._scaled_dot_product_flash_attention_for_cpu(
            *tensors, attn_mask=attn_mask, scale=scale
        )[0]
    # The alignment that the memory-efficient kernel wants, which has masks and heads of any width.
    if any(tensor.shape[3] * tensor.element_size() % 16 for tensor in tensors):
        return None
    return _aten._scaled_dot_product_efficient_attention(
        *tensors, attn_mask, compute_log_sumexp=False, scale=scale
    )[0]


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _up_to(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _copy_bytes(tensor: Tensor, memory_format: torch.memory_format) -> int:
    return 0 if tensor.is_contiguous(memory_format=memory_format) else _bytes(tensor)


def _has_channels_last(pictures: Tensor) -> bool:
    """Whether PyTorch takes (B C H W) for channels last; rows may lie apart, as in a strip."""
    least = 1
    for axis in (1, 3, 2, 0):
        stride = pictures.stride(axis)
        # With a single pixel a picture looks both ways, and is not taken for it.
        if stride < least or (axis == 0 and least == pictures.stride(1)):
            return False
        least = stride * pictures.shape[axis]
    return True


def _format_of(result: Tensor) -> torch.memory_format:
    """The layout that a convolution works in, which is the one of its result."""
    if result.ndim == 4 and not result.is_contiguous():
        return torch.channels_last
    return torch.contiguous_format


def _convolution_on_cpu(args: Sequence[Any], result: object) -> int:
    x, weight, bias, stride, padding, dilation, transposed, _, groups = args
    out = cast("Tensor", result)
    layout = _format_of(out)
    copies = _copy_bytes(x, layout) + _copy_bytes(weight, layout)
    kernel = weight.shape[2:]
    is_pointwise = kernel[-2:].numel() == 1
    single_thread = torch.get_num_threads() == 1
    onednn = (
        x.dtype == torch.float32
        and not (
            is_pointwise
            and single_thread
            and len(x) < _ONEDNN_SAMPLES
            and set(stride) == set(dilation) == {1}
        )
        and (
            groups > 1
            or min(kernel[-2:]) > 3
            or len(x) > 1
            or math.prod(x.shape[:4]) > _ONEDNN_NUMBERS
        )
    )
    if onednn:
        blocked = _transposed_in_onednn if transposed else _in_onednn
        return copies + blocked(x, weight, out, layout=layout, has_bias=bias is not None)
    if transposed:
        columns = weight[0].numel() * math.prod(x.shape[2:])
        return copies + columns * x.element_size()
    if kernel.numel() == 1 and set(stride) == {1} and not any(padding):
        return copies
    columns = weight[0].numel() * len(x) * math.prod(out.shape[2:])
    return copies + columns * x.element_size()


def _in_onednn(
    x: Tensor, weight: Tensor, out: Tensor, *, layout: torch.memory_format, has_bias: bool
) -> int:
    """Copies in blocks of channels: of the weight, and of input and result in the usual layout."""
    block = _channel_block()
    in_channels, out_channels = x.shape[1], out.shape[1]
    padded_out = _up_to(out_channels, block)
    # A few channels, as those of a picture, are taken as they are.
    padded_in = in_channels if in_channels < block else _up_to(in_channels, block)
    weight_copy = padded_out * padded_in * weight.shape[2:].numel() * _FLOAT_BYTES
    if layout == torch.channels_last:
        scratch, thread_scratch = _ONEDNN_SCRATCH_BYTES
        return weight_copy + scratch + torch.get_num_threads() * thread_scratch
    in_copy = 0 if in_channels < block else _bytes(x) // in_channels * padded_in
    out_copy = _bytes(out) // out_channels * padded_out
    bias_copy = padded_out * _FLOAT_BYTES if has_bias and padded_out != out_channels else 0
    # The result's own memory comes when the other copies have gone.
    return max(bias_copy + in_copy + weight_copy + out_copy - _bytes(out), out_copy)


def _transposed_in_onednn(
    x: Tensor, weight: Tensor, out: Tensor, *, layout: torch.memory_format, has_bias: bool
) -> int:
    del has_bias
    tile = _up_to(x[0].numel(), _TRANSPOSED_TILE) * _FLOAT_BYTES
    scratch, thread_scratch = _TRANSPOSED_SCRATCH_BYTES
    scratch += torch.get_num_threads() * (tile + thread_scratch)
    weight_copy = _bytes(weight) // out.shape[1] * _up_to(out.shape[1], _channel_block())
    if layout == torch.channels_last:
        return weight_copy + scratch
    return max(scratch + _bytes(x) + weight_copy, 2 * _bytes(out))


def _channel_block() -> int:
    return 16 if "AVX512" in torch.backends.cpu.get_cpu_capability() else 8


def _flash_on_cpu(args: Sequence[Any], result: object) -> int:
    """A tile of products, two numbers a row, and a tile of results, for every thread."""
    del result
    query, key = args[:2]
    rows = next(size for length, size in _FLASH_ROWS if query.shape[2] >= length)
    rows = min(rows, query.shape[2])
    columns = min(_FLASH_COLUMNS, key.shape[2])
    tile = rows * (columns + 2 + query.shape[3]) * _FLOAT_BYTES
    reduced = 0 if query.dtype == torch.float32 else rows * columns * query.element_size()
    return torch.get_num_threads() * (tile + reduced)


def _upsample_on_cpu(args: Sequence[Any], result: object) -> int:
    """Works with channels last, on copies."""
    x, out = args[0], cast("Tensor", result)
    is_channels_last = _format_of(out) == torch.channels_last
    return 0 if is_channels_last else _bytes(x) + _bytes(out)


def _contiguous_input(args: Sequence[Any], result: object) -> int:
    del result
    return _copy_bytes(args[0], torch.contiguous_format)


def _convolution_on_card(args: Sequence[Any], result: object) -> int:
    """Copies with channels last, in which the tensor cores work (planned)."""
    x, weight = args[:2]
    out = cast("Tensor", result)
    layout = _format_of(out)
    copies = _copy_bytes(x, layout) + _copy_bytes(weight, layout)
    if layout == torch.channels_last:
        return copies
    padded_in = _bytes(x) // x.shape[1] * _up_to(x.shape[1], _CARD_CHANNELS)
    padded_out = _bytes(out) // out.shape[1] * _up_to(out.shape[1], _CARD_CHANNELS)
    return copies + padded_in + _bytes(weight) + padded_out


def _efficient_on_card(args: Sequence[Any], result: object) -> int:
    """The float32 sums of wide heads (planned)."""
    out = cast("Tensor", cast("tuple[object, ...]", result)[0])
    is_wide = args[2].shape[-1] > _EFFICIENT_HEAD and out.dtype != torch.float32
    return out.numel() * _FLOAT_BYTES if is_wide else 0


def _group_norm_on_card(args: Sequence[Any], result: object) -> int:
    """A scale and a shift for every channel of every sample (planned)."""
    del result
    return 2 * _FLOAT_BYTES * args[3] * args[4]


def _operand_copies(args: Sequence[Any], result: object) -> int:
    """Of matrices that are neither rows nor columns in one piece."""
    del result
    return sum(
        _bytes(operand) for operand in args if isinstance(operand, Tensor) and _is_spread(operand)
    )


def _operand_copies_one_by_one(args: Sequence[Any], result: object) -> int:
    """The same for a batch that is multiplied one after the other."""
    del result
    return sum(
        _bytes(operand) // len(operand)
        for operand in args
        if isinstance(operand, Tensor) and _is_spread(operand)
    )


def _is_spread(operand: Tensor) -> bool:
    return operand.ndim > 1 and 1 not in operand.stride()[-2:]


_CPU_RULES: dict[object, Callable[[Sequence[Any], object], int]] = {
    _aten.convolution.default: _convolution_on_cpu,
    _aten._scaled_dot_product_flash_attention_for_cpu.default: _flash_on_cpu,
    _aten.upsample_nearest2d.default: _upsample_on_cpu,
    _aten._softmax.default: _contiguous_input,
    _aten.native_layer_norm.default: _contiguous_input,
    _aten.mm.default: _operand_copies,
    _aten.addmm.default: _operand_copies,
    _aten.bmm.default: _operand_copies_one_by_one,
    _aten.baddbmm.default: _operand_copies_one_by_one,
}
_CARD_RULES: dict[object, Callable[[Sequence[Any], object], int]] = {
    _aten.convolution.default: _convolution_on_card,
    _aten._scaled_dot_product_efficient_attention.default: _efficient_on_card,
    _aten.native_group_norm.default: _group_norm_on_card,
    _aten._softmax.default: _contiguous_input,
    _aten.native_layer_norm.default: _contiguous_input,
    _aten.mm.default: _operand_copies,
    _aten.addmm.default: _operand_copies,
    _aten.bmm.default: _operand_copies,
    _aten.baddbmm.default: _operand_copies,
}
