"""The networks of a model on the meta device: their sizes, and code to try without arithmetic."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch

from engine.checkpoint.folder import ModelPart
from engine.checkpoint.networks import build_text_encoder, without_weights
from engine.memory.device_kind import DeviceKind
from engine.memory.dry_run import weight_bytes
from engine.memory.units import units_of
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.movq import MoVQ

if TYPE_CHECKING:
    from torch import nn

    from engine.memory.model_sizes import ModelSizes
    from engine.memory.plan import PassTrace
    from engine.models.text_encoder import TextEncoder

_PARTS = (
    ModelPart.T2V,
    ModelPart.INTERPOLATION,
    ModelPart.IMAGE_MOVQ,
    ModelPart.VIDEO_MOVQ,
    ModelPart.TEXT_ENCODER,  # last: its library takes two seconds to import
)


class MetaNetworks:
    """The networks of one model, each built when it is asked for, in the types of a device."""

    def __init__(self, sizes: ModelSizes, kind: DeviceKind) -> None:
        self._sizes = sizes
        on_card = kind is DeviceKind.GRAPHICS_CARD
        self._dtype = torch.float16 if on_card else torch.float32
        self._networks: dict[ModelPart, nn.Module] = {}
        self._bytes: dict[ModelPart, int] = {}

    def network(self, part: ModelPart) -> nn.Module:
        """The network of `part`; that of the text projections is the text encoder."""
        if part not in self._networks:
            self._networks[part] = self._built(part).eval().requires_grad_(requires_grad=False)
        return self._networks[part]

    def are_within(self, num_bytes: int) -> bool:
        """Whether all networks together take no more. Looks at no more of them than it must."""
        total = 0
        for part in _PARTS:
            total += self._part_bytes(part)
            if total > num_bytes:
                return False
        return True

    @cached_property
    def all_bytes(self) -> int:
        """Bytes of the weights of all networks on the device."""
        return sum(map(self._part_bytes, _PARTS))

    def idle_bytes(self, trace: PassTrace) -> int:
        """Bytes of what a pass does not use, where all networks stay on the device together."""
        idle = sum(
            weight_bytes(unit)
            for name, unit in units_of(self.network(trace.part)).items()
            if name not in trace.unit_bytes
        )
        return self.all_bytes - self._part_bytes(trace.part) + idle

    def _part_bytes(self, part: ModelPart) -> int:
        if part not in self._bytes:
            self._bytes[part] = weight_bytes(self.network(part))
        return self._bytes[part]

    def _built(self, part: ModelPart) -> nn.Module:
        config = self._sizes.config
        match part:
            case ModelPart.T2V:
                return without_weights(KeyFrameUNet, config.t2v).to(self._dtype)
            case ModelPart.INTERPOLATION:
                return without_weights(InterpolationUNet, config.interpolation).to(self._dtype)
            case ModelPart.IMAGE_MOVQ:
                return without_weights(MoVQ, config.image_movq).to(self._dtype)
            case ModelPart.VIDEO_MOVQ:
                return without_weights(MoVQ, config.video_movq).to(self._dtype)
            case ModelPart.TEXT_ENCODER | ModelPart.TEXT_PROJECTIONS:
                return self._text_encoder()

    def _text_encoder(self) -> TextEncoder:
        sizes = self._sizes
        encoder = build_text_encoder(
            sizes.config, sizes.text_encoder_config, in_8bit=sizes.text_in_8bit
        )
        as_stored = encoder.weights_of_any_type()
        for name, weight in encoder.named_parameters():
            if name in as_stored:
                weight.data = weight.data.to(sizes.text_dtype)
        return encoder
