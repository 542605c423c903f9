"""Units: the modules of a network whose weights come and go together."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from torch import Tensor, nn

from engine.models import layers
from engine.models.movq_layers import Downsample, MoVQAttentionBlock, MoVQResNetBlock, Upsample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_KINDS: tuple[type[nn.Module], ...] = (
    MoVQResNetBlock,
    MoVQAttentionBlock,
    Upsample,
    Downsample,
    layers.ContextMLP,
    layers.TimeEmbedding,
    layers.AttentionPooling,
    nn.Linear,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose2d,
)


def units_of(network: nn.Module) -> dict[str, nn.Module]:
    """The units of `network` by their dotted paths, in the network's order.

    A unit has no units in it. Weights outside of all units are few and small.
    """
    return dict(_units_below(network, ""))


def _units_below(module: nn.Module, path: str) -> Iterator[tuple[str, nn.Module]]:
    if isinstance(module, _KINDS) or _is_t5_block(module):
        yield path, module
        return
    for name, child in module.named_children():
        yield from _units_below(child, f"{path}.{name}" if path else name)


def _is_t5_block(module: nn.Module) -> bool:
    # The library takes two seconds to import: who has one of its blocks has imported it.
    library = sys.modules.get("transformers.models.t5.modeling_t5")
    return library is not None and isinstance(module, library.T5Block)


class PlacesOfWeights:
    """Where some weights of a network have their places in it.

    A place without its weight holds a tensor on the meta device of the same shape and type.
    """

    def __init__(self, network: nn.Module, names: Iterable[str]) -> None:
        """`names` are keys of the network's state dict; the network is on the meta device."""
        self._places: list[tuple[str, nn.Module, str, Tensor]] = []
        for name in names:
            path, _, attribute = name.rpartition(".")
            owner = network.get_submodule(path)
            self._places.append((name, owner, attribute, getattr(owner, attribute)))

    def put(self, weights: Mapping[str, Tensor]) -> None:
        """Put the weights, by their names, into their places."""
        for name, owner, attribute, empty in self._places:
            weight = weights[name]
            if isinstance(empty, nn.Parameter):
                weight = nn.Parameter(weight, requires_grad=False)
            setattr(owner, attribute, weight)

    def take_out(self) -> None:
        """Leave the places without their weights."""
        for _, owner, attribute, empty in self._places:
            setattr(owner, attribute, empty)
