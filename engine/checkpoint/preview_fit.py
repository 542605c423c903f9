"""Fits a model's map for previews to its own image encoder, in little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.checkpoint.folder import ModelPart
from engine.checkpoint.networks import without_weights
from engine.checkpoint.tensors import read_tensor
from engine.config import ModelConfig
from engine.errors import ModelFileError
from engine.models.movq import MoVQ
from engine.preview import fit_preview_map, sample_pictures

if TYPE_CHECKING:
    from engine.checkpoint.official import OfficialFolder
    from engine.preview import PreviewMap

_PICTURES = 16
_SIDE = 128  # a second or two on a processor, and large enough for the encoder's normalisation


def fit_to_encoder(official: OfficialFolder) -> PreviewMap:
    """The map from latents to colours that fits the image encoder of `official` best.

    Raises:
        ModelFileError: the encoder cannot be read, or gives no numbers.
    """
    encoder = without_weights(MoVQ, ModelConfig.from_json(official.configs).image_movq)
    weights = {
        name: read_tensor(record).float()
        for name, record in official.index(ModelPart.IMAGE_MOVQ).items()
        if name.startswith(("encoder.", "quant_conv."))
    }
    encoder.load_state_dict(weights, strict=False, assign=True)  # the decoder stays away
    pictures = sample_pictures(_PICTURES, _SIDE)
    with torch.no_grad():
        latents = [encoder.encode(torch.from_numpy(picture)[None]).numpy() for picture in pictures]
    try:
        return fit_preview_map(np.concatenate(latents), pictures)
    except ValueError as error:
        file = official.files(ModelPart.IMAGE_MOVQ)[0]
        raise ModelFileError(
            f"{file} is damaged: its encoder makes of a picture what is no numbers. Download it "
            "again.",
            detail=str(error),
        ) from error
