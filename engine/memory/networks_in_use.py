"""Which networks are in memory: the one in use, and others as long as they are small."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

import torch

from engine.checkpoint.folder import ModelPart
from engine.memory.estimate import KEEP_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from engine.checkpoint.networks import NetworkLoader
    from engine.memory.device import Device
    from engine.models.interpolation_unet import InterpolationUNet
    from engine.models.key_frame_unet import KeyFrameUNet
    from engine.models.movq import MoVQ
    from engine.models.text_encoder import TextEncoder

NetworkT = TypeVar("NetworkT", bound="nn.Module")


class NetworksInUse:
    """Hands out networks on the device, loading them when they are asked for."""

    def __init__(self, loader: NetworkLoader, device: Device) -> None:
        self._loader = loader
        self._device = device
        self._loaded: dict[ModelPart, nn.Module] = {}

    def text_encoder(self) -> TextEncoder:
        """The text encoder, in float32 but for what is in 8 bit."""
        return self._get(ModelPart.TEXT_ENCODER, self._loader.text_encoder, torch.float32)

    def key_frame_unet(self) -> KeyFrameUNet:
        """The key-frame network, in the device's type for U-Nets."""
        return self._get(ModelPart.T2V, self._loader.key_frame_unet, self._device.unet_dtype)

    def interpolation_unet(self) -> InterpolationUNet:
        """The interpolation network, in the device's type for U-Nets."""
        load = self._loader.interpolation_unet
        return self._get(ModelPart.INTERPOLATION, load, self._device.unet_dtype)

    def image_movq(self) -> MoVQ:
        """The image autoencoder, in float32."""
        return self._get(ModelPart.IMAGE_MOVQ, self._loader.image_movq, torch.float32)

    def video_movq(self) -> MoVQ:
        """The video autoencoder, in float32."""
        return self._get(ModelPart.VIDEO_MOVQ, self._loader.video_movq, torch.float32)

    def _get(
        self,
        part: ModelPart,
        load: Callable[[torch.dtype, torch.device], NetworkT],
        dtype: torch.dtype,
    ) -> NetworkT:
        if part not in self._loaded:
            if self._stored_bytes(part) + sum(map(self._stored_bytes, self._loaded)) > KEEP_BYTES:
                self._loaded.clear()
                self._device.release_unused()
            self._loaded[part] = load(dtype, self._device.torch_device)
        return cast("NetworkT", self._loaded[part])

    def _stored_bytes(self, part: ModelPart) -> int:
        return sum(record.num_bytes for record in self._loader.folder.tensors(part).values())
