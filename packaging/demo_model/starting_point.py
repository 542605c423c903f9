"""The weights that the U-Nets start from.

Late in the schedule the predicted noise must equal the input almost exactly, while everything on
the way passes a group normalisation. So some channels carry +x and -x untouched from the first
layer to the last: constants in the same group keep what the group is divided by nearly constant,
and since silu(a) - silu(-a) = a, the last convolution can take x out again. Training starts from
"noise = input" and adds to it.
"""

from __future__ import annotations

import torch
from torch import nn

from engine.models.layers import AttentionBlock
from engine.models.resnet import ResNetBlock
from engine.models.temporal import FrameAttentionBlock

_CONSTANT = 4.0
_QUIET = 0.2
"""By how much less the branches that end in the residual stream say at the start."""


@torch.no_grad()
def carry_input_to_output(network: nn.Module, *, first: int, num_carried: int, groups: int) -> None:
    """Make `network` return its input's channels `first` to `first + num_carried - 1`.

    Args:
        network: a `KeyFrameUNet` or an `InterpolationUNet` of one level.
        first: the first of the input's channels to carry.
        num_carried: how many; two fit in a group of eight.
        groups: of the network's normalisations.
    """
    layers = [network.in_layer]
    if hasattr(network, "image_in_layer"):
        layers.append(network.image_in_layer)
    last = network.out_layer[2]
    channels = last.in_channels
    group_size = channels // groups
    start = channels - (num_carried // 2) * group_size
    for module in network.modules():
        _quieten(module, start)
    centre = 1
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    spread = ((1 + _CONSTANT**2) / 2) ** 0.5
    for index in range(num_carried):
        group_start = start + (index // 2) * group_size
        plus = group_start + index % 2
        minus = plus + 2
        for layer in layers:
            for channel, sign in ((plus, 1.0), (minus, -1.0)):
                layer.weight[channel] = 0
                layer.bias[channel] = 0
                layer.weight[channel, first + index, centre, centre] = sign
            for offset in range(4, group_size):
                layer.weight[group_start + offset] = 0
                layer.bias[group_start + offset] = _CONSTANT * (1 if offset % 2 else -1)
        last.weight[index, plus, centre, centre] = spread
        last.weight[index, minus, centre, centre] = -spread


def _quieten(module: nn.Module, start: int) -> None:
    """Let no branch write to the channels from `start` on, nor loudly to the others."""
    endings: list[nn.Module] = []
    if isinstance(module, ResNetBlock):
        endings = [module.resnet_blocks[-1].projection]
    elif isinstance(module, AttentionBlock):
        endings = [module.attention.output_layer, module.feed_forward[2]]
    elif isinstance(module, FrameAttentionBlock):
        endings = [module.feed_forward[2]]
    for layer in endings:
        layer.weight.mul_(_QUIET)
        layer.weight[start:] = 0
        if layer.bias is not None:
            layer.bias.zero_()
