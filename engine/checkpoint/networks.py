"""The networks of a model, built from its configuration and filled from its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, nn
from transformers import T5Config

from engine.checkpoint.folder import ModelFolder, ModelPart
from engine.checkpoint.manifest import check_tensors
from engine.checkpoint.quantize import is_quantized, quantize_rows, scales_of
from engine.checkpoint.tensors import read_tensor
from engine.config import ModelConfig
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.movq import MoVQ
from engine.models.text_encoder import TextEncoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.checkpoint.tensors import TensorRecord

NetworkT = TypeVar("NetworkT", bound=nn.Module)
ConfigT = TypeVar("ConfigT")

_UNET_PREFIX = "unet."
_NULL_EMBEDDING = "null_embedding"
_PROJECTIONS = ("projection_base", "projection_interpolation")


def without_weights(network: Callable[[ConfigT], NetworkT], config: ConfigT) -> NetworkT:
    """The network on the meta device, where it takes no memory."""
    with torch.device("meta"):
        return network(config)


def build_text_encoder(
    config: ModelConfig, text_encoder_config: Mapping[str, object], *, in_8bit: bool
) -> TextEncoder:
    """The text encoder with its projection, without weights, on the meta device."""
    t5_config = T5Config.from_dict(dict(text_encoder_config))
    with torch.device("meta"):
        return TextEncoder(t5_config, config.text.context_dim, in_8bit=in_8bit)


def expected_shapes(part: ModelPart, folder: ModelFolder) -> dict[str, tuple[int, ...]]:
    """The tensors that the official file of `part` must hold: name to shape.

    Raises:
        UnsupportedModel: the folder's configuration asks for what is not built.
    """
    config = ModelConfig.from_json(folder.configs)
    if part in (ModelPart.T2V, ModelPart.INTERPOLATION):
        if part is ModelPart.T2V:
            sizes, unet = config.t2v, without_weights(KeyFrameUNet, config.t2v)
        else:
            sizes = config.interpolation
            unet = without_weights(InterpolationUNet, config.interpolation)
        return {
            **{_UNET_PREFIX + name: shape for name, shape in _shapes(unet).items()},
            _NULL_EMBEDDING: (sizes.context_dim,),
        }
    if part is ModelPart.IMAGE_MOVQ:
        return _shapes(without_weights(MoVQ, config.image_movq))
    if part is ModelPart.VIDEO_MOVQ:
        return _shapes(without_weights(MoVQ, config.video_movq))
    text_encoder = build_text_encoder(config, folder.text_encoder_config, in_8bit=False)
    if part is ModelPart.TEXT_ENCODER:
        return {f"encoder.{name}": shape for name, shape in _shapes(text_encoder.encoder).items()}
    projection = _shapes(text_encoder.projection)
    return {
        f"{label}.{name}": shape for label in _PROJECTIONS for name, shape in projection.items()
    }


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


class NetworkLoader:
    """Loads the networks of one model folder, each when it is asked for."""

    def __init__(self, folder: ModelFolder, *, text_encoder_8bit: bool = False) -> None:
        """`text_encoder_8bit` is for official folders; a prepared one is in 8 bit already.

        Raises:
            UnsupportedModel: the model's configuration asks for what is not built.
        """
        self.folder = folder
        self.config = ModelConfig.from_json(folder.configs)
        self._text_encoder_8bit = text_encoder_8bit or folder.is_prepared
        self._parts_checked: set[ModelPart] = set()

    def key_frame_unet(self, dtype: torch.dtype, device: torch.device) -> KeyFrameUNet:
        """The key-frame network in `dtype` on `device`, as the methods below."""
        weights = self._read(ModelPart.T2V, dtype, device, prefix=_UNET_PREFIX)
        return _filled(without_weights(KeyFrameUNet, self.config.t2v), weights)

    def interpolation_unet(self, dtype: torch.dtype, device: torch.device) -> InterpolationUNet:
        """The interpolation network."""
        weights = self._read(ModelPart.INTERPOLATION, dtype, device, prefix=_UNET_PREFIX)
        return _filled(without_weights(InterpolationUNet, self.config.interpolation), weights)

    def image_movq(self, dtype: torch.dtype, device: torch.device) -> MoVQ:
        """The image autoencoder."""
        weights = self._read(ModelPart.IMAGE_MOVQ, dtype, device)
        return _filled(without_weights(MoVQ, self.config.image_movq), weights)

    def video_movq(self, dtype: torch.dtype, device: torch.device) -> MoVQ:
        """The video autoencoder."""
        weights = self._read(ModelPart.VIDEO_MOVQ, dtype, device)
        return _filled(without_weights(MoVQ, self.config.video_movq), weights)

    def null_embedding(self, part: ModelPart, device: torch.device) -> Tensor:
        """(context_dim) what the U-Net `part` is given instead of a prompt, in float32."""
        records = self._checked(part)
        return read_tensor(records[_NULL_EMBEDDING]).to(device, torch.float32)

    def text_encoder(self, dtype: torch.dtype, device: torch.device) -> TextEncoder:
        """The text encoder; its matrices stay in 8 bit if they are."""
        network = build_text_encoder(
            self.config, self.folder.text_encoder_config, in_8bit=self._text_encoder_8bit
        )
        weights: dict[str, Tensor] = {}
        for name, record in self._checked(ModelPart.TEXT_ENCODER).items():
            tensor = read_tensor(record)
            if self._text_encoder_8bit and is_quantized(name) and tensor.is_floating_point():
                tensor, scales = quantize_rows(tensor)
                weights[scales_of(name)] = scales.to(device)
            weights[name] = tensor.to(device, dtype if tensor.is_floating_point() else tensor.dtype)
        projection = self._read(
            ModelPart.TEXT_PROJECTIONS, dtype, device, prefix=_PROJECTIONS[0] + "."
        )
        weights.update({f"projection.{name}": tensor for name, tensor in projection.items()})
        return _filled(network, weights)

    def _read(
        self, part: ModelPart, dtype: torch.dtype, device: torch.device, *, prefix: str = ""
    ) -> dict[str, Tensor]:
        return {
            name.removeprefix(prefix): read_tensor(record).to(device, dtype)
            for name, record in self._checked(part).items()
            if name.startswith(prefix)
        }

    def _checked(self, part: ModelPart) -> dict[str, TensorRecord]:
        """The tensors of a file, after a look that they are those of this model."""
        records = self.folder.tensors(part)
        if part not in self._parts_checked:
            expected = expected_shapes(part, self.folder)
            if part is ModelPart.TEXT_ENCODER and self.folder.is_prepared:
                for name in filter(is_quantized, list(expected)):
                    expected[scales_of(name)] = expected[name][:1]
            file = next(iter(records.values())).file if records else self.folder.path
            check_tensors(part, records, expected, file)
            self._parts_checked.add(part)
        return records


def _filled(network: NetworkT, weights: Mapping[str, Tensor]) -> NetworkT:
    network.load_state_dict(dict(weights), strict=True, assign=True)
    return network.eval().requires_grad_(requires_grad=False)
