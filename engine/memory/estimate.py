"""How much memory a clip needs, as far as that can be told without making it. No torch here.

What a network's layers hold for a moment is scaled from the released networks, whose values were
counted once; it is an estimate, on graphics cards planned and not measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from engine.api import LATENT_SCALE, NUM_BASE_FRAMES
from engine.checkpoint.folder import ModelPart
from engine.checkpoint.tensors import ITEM_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.api import GenerateRequest
    from engine.checkpoint.tensors import TensorRecord
    from engine.config import ModelConfig

KEEP_BYTES = 1 << 30
"""As in `engine.memory.networks_in_use`, which needs torch."""

PROCESS_BYTES = 500_000_000
"""What a process takes on the CPU that has loaded its libraries and made a clip of the smallest
size: measured, and rounded up. A graphics card has nothing of that in its memory."""

# Of the released networks, at the sizes that they are made for: bytes in float16 for the U-Nets,
# in float32 for the decoders.
_RELEASED_WIDTH = 384
_RELEASED_MOVQ_WIDTH = 256
_PICTURE_PIXELS = 1024 * 1024
_FRAME_PIXELS = 512 * 512
_KEY_FRAME_BYTES = 2.1e9
_BASE_FRAMES_BYTES = 2.5e9
_INTERPOLATION_BYTES_A_GROUP = 1.5e9 / 11  # of three frames between two
_PICTURE_DECODE_BYTES = 10.7e9
_FRAME_DECODE_BYTES = 10.7e9 / 4
# Of these, a decoder's attention takes what grows with the square of the area, whatever the width:
# the products of every latent with every other one, before and after the softmax.
_ATTENTION_BYTES_A_PAIR = 2 * 4
_DECODE_CHUNK = 4

_UNETS = (ModelPart.T2V, ModelPart.INTERPOLATION)


class DeviceKind(Enum):
    """What an estimate is for: U-Nets are float32 on the one and float16 on the other."""

    CPU = 4
    GRAPHICS_CARD = 2

    @property
    def unet_item_bytes(self) -> int:
        """Bytes of a number in a U-Net."""
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBytes:
    """The weights of a part: in its file, and on a device. The text has its projection in it."""

    stored: int
    on_device: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """A network at work, the one before it that is still held, and bytes of values in between."""

    part: ModelPart
    values: float
    also_held: ModelPart | None = None


def part_bytes(
    tensors: Mapping[ModelPart, Mapping[str, TensorRecord]], kind: DeviceKind
) -> dict[ModelPart, PartBytes]:
    """The bytes of every part of a model whose files hold `tensors`."""
    sizes: dict[ModelPart, PartBytes] = {}
    for part, records in tensors.items():
        item_bytes = kind.unet_item_bytes if part in _UNETS else 4
        sizes[part] = PartBytes(
            stored=sum(record.num_bytes for record in records.values()),
            on_device=sum(_device_bytes(record, item_bytes) for record in records.values()),
        )
    return sizes


def needed_bytes(
    request: GenerateRequest,
    config: ModelConfig,
    parts: Mapping[ModelPart, PartBytes],
    kind: DeviceKind,
) -> int:
    """The most memory that the clip of `request` needs at once on a device, in bytes.

    Args:
        request: the clip.
        config: of the model.
        parts: see `part_bytes`.
        kind: of the device. For the CPU the process itself counts too.
    """
    most = 0.0
    loaded: set[ModelPart] = set()
    for use in _uses(request, config, kind):
        if use.part not in loaded:
            stored = sum(parts[part].stored for part in {use.part, *loaded})
            loaded = {use.part} if stored > KEEP_BYTES else {use.part, *loaded}
        held = loaded | ({use.also_held} if use.also_held is not None else set())
        weights = sum(parts[part].on_device for part in held)
        if ModelPart.TEXT_ENCODER in held:
            weights += parts[ModelPart.TEXT_PROJECTIONS].on_device
        most = max(most, weights + use.values)
    return math.ceil(most) + (PROCESS_BYTES if kind is DeviceKind.CPU else 0)


def _uses(request: GenerateRequest, config: ModelConfig, kind: DeviceKind) -> list[_Use]:
    """The networks in the order in which they work."""
    pixels = request.size.width * request.size.height
    unet_values = kind.unet_item_bytes / DeviceKind.GRAPHICS_CARD.unet_item_bytes
    t2v = unet_values * config.t2v.model_channels / _RELEASED_WIDTH
    interpolation = unet_values * config.interpolation.model_channels / _RELEASED_WIDTH
    picture = 4 * pixels / _PICTURE_PIXELS  # the key frame has twice the clip's sides
    image_width = config.image_movq.ch
    uses = [_Use(part=ModelPart.TEXT_ENCODER, values=0)]
    if request.picture is None:
        uses += [
            _Use(part=ModelPart.T2V, values=_KEY_FRAME_BYTES * picture * t2v),
            _Use(
                part=ModelPart.IMAGE_MOVQ,
                values=_movq_bytes(_PICTURE_DECODE_BYTES, 4 * pixels, _PICTURE_PIXELS, image_width),
                also_held=ModelPart.T2V,
            ),
        ]
    base = _BASE_FRAMES_BYTES * pixels / _FRAME_PIXELS * t2v
    # Encoding goes through as many layers of the same width as decoding does.
    encoding = _movq_bytes(_PICTURE_DECODE_BYTES, pixels, _PICTURE_PIXELS, image_width)
    uses += [
        _Use(part=ModelPart.IMAGE_MOVQ, values=encoding),
        _Use(part=ModelPart.T2V, values=base),
    ]
    num_frames = NUM_BASE_FRAMES
    for _ in range(request.fps.interpolation_passes):
        group = _INTERPOLATION_BYTES_A_GROUP * pixels / _FRAME_PIXELS * interpolation
        uses.append(_Use(part=ModelPart.INTERPOLATION, values=(num_frames - 1) * group))
        num_frames = 4 * num_frames - 3
    chunk = math.ceil(num_frames / max(1, num_frames // _DECODE_CHUNK))
    frame = _movq_bytes(_FRAME_DECODE_BYTES, pixels, _FRAME_PIXELS, config.video_movq.ch)
    values = chunk * frame + _frames_bytes(num_frames, pixels)
    return [*uses, _Use(part=ModelPart.VIDEO_MOVQ, values=values)]


def _movq_bytes(released_bytes: float, pixels: int, released_pixels: int, width: int) -> float:
    """What a picture takes on its way through a MoVQ that is `width` channels wide."""
    attention, released_attention = (
        _ATTENTION_BYTES_A_PAIR * (area / LATENT_SCALE**2) ** 2
        for area in (pixels, released_pixels)
    )
    layers = (released_bytes - released_attention) * pixels / released_pixels
    return layers * width / _RELEASED_MOVQ_WIDTH + attention


def _frames_bytes(num_frames: int, pixels: int) -> int:
    """The latents of all frames, in float32."""
    return num_frames * 4 * 4 * pixels // LATENT_SCALE**2


def _device_bytes(record: TensorRecord, item_bytes: int) -> int:
    """Whole numbers stay as they are, everything else takes the network's type."""
    num_items = record.num_bytes // ITEM_BYTES[record.dtype]
    return num_items * (item_bytes if "float" in record.dtype else ITEM_BYTES[record.dtype])
