"""Runs the code of a stage on the meta device and writes down what it does with its network."""

from __future__ import annotations

import contextlib
import gc
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, sdpa_flop_count

from engine.memory.device_kind import DeviceKind
from engine.memory.live_values import LiveValues
from engine.memory.plan import PassTrace, UnitUse, aligned
from engine.memory.units import units_of
from engine.memory.workspace import (
    ATTENTION_KERNELS,
    fused_attention,
    in_layout_of_kernels,
    library_bytes,
    workspace_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from torch._ops import OpOverload

    from engine.checkpoint.folder import ModelPart
    from engine.memory.plan import Variant

_CARD_BLOCK_BYTES = 512  # what PyTorch's allocator rounds up to on a card
_aten = torch.ops.aten


def dry_run(
    work: Callable[[], object],
    network: nn.Module,
    *,
    kind: DeviceKind,
    name: str,
    part: ModelPart,
    variant: Variant,
    repeats: int,
    held_bytes: int = 0,
    stored_bytes: Mapping[str, int] | None = None,
) -> PassTrace:
    """Do `work` once without arithmetic, and say what it takes.

    Args:
        work: one pass through the network. All its tensors are on the meta device, and what is
            alive from before it is not counted.
        network: on the meta device, with weights of the types that they have when it works.
        kind: of the device that is planned for.
        name: see `PassTrace`.
        part: see `PassTrace`.
        variant: how `work` computes.
        repeats: how often the pass is going to be done.
        held_bytes: of values that the stage holds throughout, inputs of `work` among them.
        stored_bytes: of units whose weights wait on the device in another form, such as 8-bit rows,
            and are unpacked for as long as the unit works.

    Returns:
        The trace. Its `fixed_bytes` are `held_bytes` and the weights that belong to no unit.
    """
    weights = _weights_of(network)
    own_bytes = weights.unit_bytes
    stored = stored_bytes or {}
    recorder = _Recorder(kind)
    unpacked = {unit: own_bytes[unit] for unit in stored}
    with (
        torch.no_grad(),
        _telling(recorder, weights.units, unpacked),
        _FusedAttention(kind),
        recorder,
    ):
        work()
    uses = recorder.uses()
    return PassTrace(
        name=name,
        part=part,
        variant=variant,
        uses=uses,
        unit_bytes={
            use.unit: stored.get(use.unit, own_bytes[use.unit]) for use in uses if use.unit
        },
        fixed_bytes=held_bytes + weights.fixed_bytes + library_bytes(kind),
        repeats=repeats,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weights:
    """The units of a network, the bytes of each, and the bytes of what belongs to none."""

    units: dict[str, nn.Module]
    unit_bytes: dict[str, int]
    fixed_bytes: int


# Looking through a network takes as long as a tenth of a dry run. Its types stay as they are.
_known_weights: WeakKeyDictionary[nn.Module, _Weights] = WeakKeyDictionary()


def _weights_of(network: nn.Module) -> _Weights:
    if network not in _known_weights:
        units = units_of(network)
        unit_bytes = {unit: weight_bytes(module) for unit, module in units.items()}
        _known_weights[network] = _Weights(
            units=units,
            unit_bytes=unit_bytes,
            fixed_bytes=weight_bytes(network) - sum(unit_bytes.values()),
        )
    return _known_weights[network]


def weight_bytes(module: nn.Module) -> int:
    """Bytes of all weights of a module, each `aligned`."""
    return sum(
        aligned(weight.numel() * weight.element_size())
        for weight in (*module.parameters(), *module.buffers())
    )


@contextlib.contextmanager
def _without_collecting() -> Generator[None]:
    """No search for garbage: a dry run makes tens of thousands of objects, and none in cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextlib.contextmanager
def _telling(
    recorder: _Recorder, units: Mapping[str, nn.Module], unpacked: Mapping[str, int]
) -> Generator[None]:
    """Tell `recorder` when a unit begins; bytes in `unpacked` are alive until it ends."""
    with contextlib.ExitStack() as hooks:
        for unit, module in units.items():
            num_bytes = unpacked.get(unit, 0)

            def begin(
                _module: nn.Module, _args: object, unit: str = unit, num_bytes: int = num_bytes
            ) -> None:
                recorder.begin(unit)
                recorder.values.held(num_bytes)

            hooks.callback(module.register_forward_pre_hook(begin).remove)
            if num_bytes:

                def end(
                    _module: nn.Module, _args: object, _out: object, num_bytes: int = num_bytes
                ) -> None:
                    recorder.values.held(-num_bytes)

                hooks.callback(module.register_forward_hook(end).remove)
        yield


@dataclass(slots=True, kw_only=True)
class _Stretch:
    """A `UnitUse` that is being written."""

    unit: str
    flops: int = 0
    moved_bytes: int = 0
    live_bytes: int = 0


class _Recorder(TorchDispatchMode):
    """Sees every operation: its work goes to the unit that began last."""

    def __init__(self, kind: DeviceKind) -> None:
        super().__init__()
        self.values = LiveValues(
            block_bytes=1 if kind is DeviceKind.CPU else _CARD_BLOCK_BYTES,
        )
        self._kind = kind
        self._stretches = [_Stretch(unit="")]
        # The meta device computes shapes in Python, and a network has the same ones many times.
        self._known: dict[object, _Known] = {}

    def begin(self, unit: str) -> None:
        """From here on operations belong to `unit`."""
        self._close()
        self._stretches.append(_Stretch(unit=unit))

    def uses(self) -> tuple[UnitUse, ...]:
        """What was seen; without a stretch in front of the first unit where nothing is done."""
        self._close()
        return tuple(
            UnitUse(
                unit=stretch.unit,
                flops=stretch.flops,
                moved_bytes=stretch.moved_bytes,
                live_bytes=stretch.live_bytes,
            )
            for stretch in self._stretches
            if stretch.unit or stretch.moved_bytes
        )

    def _close(self) -> None:
        self._stretches[-1].live_bytes = self.values.peak_bytes
        self.values.restart_peak()

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        facts = _facts(func)
        if facts.only_looks:
            return func(*args, **(kwargs or {}))
        key = (func, *map(_seen, args), *((name, _seen(v)) for name, v in (kwargs or {}).items()))
        known = self._known.get(key)
        if known is None:
            result = in_layout_of_kernels(func, args, func(*args, **(kwargs or {})))
            known = self._look_at(func, args, result)
            self._known[key] = known
        elif known.results is None:
            result = func(*args, **(kwargs or {}))
        else:
            tensors = tuple(layout.made() for layout in known.results)
            result = tensors if known.is_tuple else tensors[0]
        if facts.is_fresh:
            for output in _tensors_in((result,)):
                if output.is_meta:  # the rest are values of the host
                    self.values.born(output)
        if known.workspace_bytes:
            self.values.taken_meanwhile(known.workspace_bytes)
        stretch = self._stretches[-1]
        stretch.moved_bytes += known.moved_bytes
        stretch.flops += known.flops
        return result

    def _look_at(self, func: OpOverload, args: Sequence[Any], result: object) -> _Known:
        """What is the same whenever `func` has arguments of these shapes."""
        facts = _facts(func)
        outputs = list(_tensors_in((result,)))
        is_plain = facts.is_fresh and all(output.is_meta for output in outputs)
        if isinstance(result, tuple | list):
            is_plain = is_plain and len(outputs) == len(result)
        return _Known(
            results=tuple(map(_Layout.of, outputs)) if is_plain and outputs else None,
            is_tuple=isinstance(result, tuple | list),
            moved_bytes=sum(
                tensor.numel() * tensor.element_size() for tensor in (*outputs, *_tensors_in(args))
            ),
            workspace_bytes=workspace_bytes(func, args, result, kind=self._kind),
            flops=0 if facts.flops is None else facts.flops(*args, out_val=result),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """A tensor without its values."""

    shape: torch.Size
    stride: tuple[int, ...]
    dtype: torch.dtype

    @classmethod
    def of(cls, tensor: Tensor) -> _Layout:
        return cls(shape=tensor.shape, stride=tensor.stride(), dtype=tensor.dtype)

    def made(self) -> Tensor:
        return torch.empty_strided(self.shape, self.stride, dtype=self.dtype, device="meta")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What an operation does with arguments of certain shapes.

    Attributes:
        results: tensors of its own that it gives; None where it has to be done to know.
        is_tuple: whether it gives them in a tuple.
        moved_bytes: see `UnitUse`.
        workspace_bytes: see `workspace_bytes`.
        flops: see `UnitUse`.
    """

    results: tuple[_Layout, ...] | None
    is_tuple: bool
    moved_bytes: int
    workspace_bytes: int
    flops: int


def _seen(value: object) -> object:
    """All of an argument that a result on the meta device can depend on."""
    if isinstance(value, Tensor):
        return (value.shape, value.stride(), value.dtype, value.is_meta)
    if isinstance(value, tuple | list):
        return tuple(map(_seen, value))
    return (type(value), value)  # 1 and 1.0 are equal and give other types


def _tensors_in(values: Sequence[object]) -> Generator[Tensor]:
    for value in values:
        for item in value if isinstance(value, tuple | list) else (value,):
            if isinstance(item, Tensor):
                yield item


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What is the same for every call of an operation.

    Attributes:
        only_looks: its result is a view.
        is_fresh: its result has memory of its own.
        flops: counts floating-point operations; None for operations that wait for memory.
    """

    only_looks: bool
    is_fresh: bool
    flops: Callable[..., int] | None


@cache
def _facts(func: OpOverload) -> _Facts:
    if func in ATTENTION_KERNELS:
        flops = _attention_flops
    else:
        flops = flop_registry.get(func.overloadpacket)
    return _Facts(
        # This one gives a view and keeps it from autograd, so its schema does not say so.
        only_looks=func.is_view or func is _aten._unsafe_view.default,
        is_fresh=not func._schema.is_mutable,  # pyright: ignore[reportPrivateUsage]
        flops=flops,
    )


def _attention_flops(
    query: Tensor, key: Tensor, value: Tensor, *_args: object, out_val: object
) -> int:
    del out_val
    return sdpa_flop_count(query.shape, key.shape, value.shape)


class _FusedAttention(TorchFunctionMode):
    """Gives attention the kernel that it has on the device.

    The meta device itself would write out the products of all queries with all keys.
    """

    def __init__(self, kind: DeviceKind) -> None:
        super().__init__()
        self._kind = kind

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            fused = fused_attention(self._kind, *args, **kwargs)
            if fused is not None:
                return fused
        return func(*args, **kwargs)
