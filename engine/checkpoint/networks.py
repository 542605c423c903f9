"""The networks of a model, built from its configuration and filled from its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import torch
from torch import Tensor, nn

from engine.checkpoint.eight_bit import scales_of as scales_of_unet
from engine.checkpoint.folder import ModelFolder, ModelPart
from engine.checkpoint.manifest import check_tensors
from engine.checkpoint.quantize import is_quantized, scales_of
from engine.checkpoint.tensors import read_tensor
from engine.checkpoint.text_encoder_source import TABLE
from engine.config import ModelConfig
from engine.errors import ModelFileError
from engine.memory.weights import EightBitTensor, FileTensor, QuantizedOnTheWay, WeightSource
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.movq import MoVQ

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.checkpoint.tensors import TensorRecord
    from engine.memory.weights import Weight
    from engine.models.text_encoder import TextEncoder

NetworkT = TypeVar("NetworkT", bound=nn.Module)
LoadedT = TypeVar("LoadedT", bound=nn.Module, covariant=True)
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
    from transformers import T5Config  # two seconds, for who has to do with this network alone

    from engine.models.text_encoder import TextEncoder

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
        sizes = text_encoder.encoder.config
        # The one tensor of the file that is no weight of the network: its rows are read as needed.
        return {TABLE: (sizes.vocab_size, sizes.d_model)} | {
            f"encoder.{name}": shape for name, shape in _shapes(text_encoder.encoder).items()
        }
    projection = _shapes(text_encoder.projection)
    return {
        f"{label}.{name}": shape for label in _PROJECTIONS for name, shape in projection.items()
    }


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadableNetwork(Generic[LoadedT]):
    """A network on the meta device, and where its weights are.

    Attributes:
        part: the file of its weights.
        network: with the types that the weights will have. It computes once a
            `engine.memory.residency.Residency` has given it weights.
        source: reads them.
    """

    part: ModelPart
    network: LoadedT
    source: WeightSource


class NetworkLoader:
    """The networks of one model folder. Nothing is read but what the files say of themselves."""

    def __init__(self, folder: ModelFolder, *, text_encoder_8bit: bool = False) -> None:
        """`text_encoder_8bit` is for official folders; a prepared one is in 8 bit already.

        Raises:
            UnsupportedModel: the model's configuration asks for what is not built.
        """
        self.folder = folder
        self.config = ModelConfig.from_json(folder.configs)
        self.text_encoder_8bit = text_encoder_8bit or folder.is_prepared
        self._parts_checked: set[ModelPart] = set()

    @property
    def text_fingerprint(self) -> str:
        """SHA-256 in hexadecimal and more: the same as long as prompts are encoded the same."""
        made_8bit = self.text_encoder_8bit and not self.folder.is_prepared
        return self.folder.fingerprint + (" in 8 bit" if made_8bit else "")

    def key_frame_unet(
        self, dtype: torch.dtype, *, in_8bit: bool = False
    ) -> LoadableNetwork[KeyFrameUNet]:
        """The key-frame network in `dtype`, its large weights in 8 bit if so wanted.

        Raises:
            ModelFileError: a file is damaged or foreign, or has no 8-bit weights.
        """
        network = without_weights(KeyFrameUNet, self.config.t2v)
        return _loadable(ModelPart.T2V, network, self._unet(ModelPart.T2V, dtype, in_8bit=in_8bit))

    def interpolation_unet(
        self, dtype: torch.dtype, *, in_8bit: bool = False
    ) -> LoadableNetwork[InterpolationUNet]:
        """The interpolation network, as `key_frame_unet`."""
        part = ModelPart.INTERPOLATION
        network = without_weights(InterpolationUNet, self.config.interpolation)
        return _loadable(part, network, self._unet(part, dtype, in_8bit=in_8bit))

    def image_movq(self, dtype: torch.dtype) -> LoadableNetwork[MoVQ]:
        """The image autoencoder in `dtype`.

        Raises:
            ModelFileError: its file is damaged or foreign.
        """
        part = ModelPart.IMAGE_MOVQ
        network = without_weights(MoVQ, self.config.image_movq)
        return _loadable(part, network, _in_type(self._checked(part), dtype))

    def video_movq(self, dtype: torch.dtype) -> LoadableNetwork[MoVQ]:
        """The video autoencoder, as `image_movq`."""
        part = ModelPart.VIDEO_MOVQ
        network = without_weights(MoVQ, self.config.video_movq)
        return _loadable(part, network, _in_type(self._checked(part), dtype))

    def null_embedding(self, part: ModelPart, device: torch.device) -> Tensor:
        """(context_dim) what the U-Net `part` is given instead of a prompt, in float32."""
        records = self._checked(part)
        return read_tensor(records[_NULL_EMBEDDING]).to(device, torch.float32)

    def text_encoder(self, dtype: torch.dtype) -> LoadableNetwork[TextEncoder]:
        """The text encoder, its values in `dtype`; its matrices stay in 8 bit if they are.

        Raises:
            ModelFileError: a file is damaged or foreign.
        """
        network = build_text_encoder(
            self.config, self.folder.text_encoder_config, in_8bit=self.text_encoder_8bit
        )
        as_stored = network.weights_of_any_type()
        weights: dict[str, Weight] = {}
        for name, record in self._checked(ModelPart.TEXT_ENCODER).items():
            stored = getattr(torch, record.dtype)
            if self.text_encoder_8bit and is_quantized(name) and stored.is_floating_point:
                quantized = QuantizedOnTheWay(record)
                weights[name], weights[scales_of(name)] = quantized.rows, quantized.scales
            else:
                keeps_type = name in as_stored or not stored.is_floating_point
                weights[name] = FileTensor(record=record, dtype=stored if keeps_type else dtype)
        projection = _without_prefix(
            self._checked(ModelPart.TEXT_PROJECTIONS), _PROJECTIONS[0] + "."
        )
        for name, weight in _in_type(projection, dtype).items():
            weights[f"projection.{name}"] = weight
        return _loadable(ModelPart.TEXT_ENCODER, network, weights)

    def token_table(self) -> TensorRecord:
        """(vocabulary C) where the text encoder's token embeddings are.

        Raises:
            ModelFileError: the file is damaged or foreign.
        """
        return self._checked(ModelPart.TEXT_ENCODER)[TABLE]

    def _unet(self, part: ModelPart, dtype: torch.dtype, *, in_8bit: bool) -> dict[str, Weight]:
        exact = self._checked(part)
        if not in_8bit:
            return _in_type(_without_prefix(exact, _UNET_PREFIX), dtype)
        records = self.folder.tensors_8bit(part)
        if records is None:
            raise ModelFileError(
                f"The model in {self.folder.path} has no 8-bit weights of the {part.label}. "
                "Prepare it again with 8-bit weights, or use the exact ones."
            )
        expected = {name: record.shape for name, record in exact.items()}
        for name, record in records.items():
            if record.dtype == "int8":
                name_of_scales = scales_of_unet(name)
                scales = records.get(name_of_scales)
                expected[name_of_scales] = record.shape[:1] if scales is None else scales.shape
        check_tensors(part, records, expected, next(iter(records.values())).file)
        return _in_type(_without_prefix(records, _UNET_PREFIX), dtype)

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


def _without_prefix(records: Mapping[str, TensorRecord], prefix: str) -> dict[str, TensorRecord]:
    return {
        name.removeprefix(prefix): record
        for name, record in records.items()
        if name.startswith(prefix)
    }


def _in_type(records: Mapping[str, TensorRecord], dtype: torch.dtype) -> dict[str, Weight]:
    """The weights of `records`, in `dtype` at work; some may be stored in 8 bit with scales."""
    weights: dict[str, Weight] = {}
    for name, record in records.items():
        scales = records.get(scales_of_unet(name))
        if scales is None:
            weights[name] = FileTensor(record=record, dtype=dtype)
        else:
            weights[name] = EightBitTensor(
                rows=FileTensor(record=record, dtype=torch.int8),
                scales=FileTensor(record=scales, dtype=torch.float32),
                dtype=dtype,
            )
    return weights


def _loadable(
    part: ModelPart, network: LoadedT, weights: Mapping[str, Weight]
) -> LoadableNetwork[LoadedT]:
    network.eval().requires_grad_(requires_grad=False)
    return LoadableNetwork(part=part, network=network, source=WeightSource(network, weights))
