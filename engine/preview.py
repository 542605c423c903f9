"""Pictures of latents without a decoder: a linear map, good enough to see where a clip goes.

Every latent of four channels becomes one pixel, so a preview has an eighth of the clip's size.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from engine.api import LATENT_SCALE, from_json, to_json
from engine.errors import MessageError

if TYPE_CHECKING:
    from torch import Tensor

PREVIEW_BYTES = 512
"""The size of the map's file: known before the map is, and the same for all models."""

_DECIMALS = 4  # finer than 8 bit, and coarser than what another machine computes differently
_LATENT_CHANNELS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewMap:
    """Latents to red, green and blue from 0 to 1: `matrix` has a row for each latent channel."""

    matrix: tuple[tuple[float, float, float], ...]
    bias: tuple[float, float, float]

    def row(self, latents: Tensor) -> Image.Image:
        """Latents (F 4 h w) as F pictures side by side, w x h each."""
        channels_last = latents.detach().float().cpu().numpy().transpose(0, 2, 3, 1)
        colours = channels_last @ np.array(self.matrix) + np.array(self.bias)
        pixels = (np.nan_to_num(colours).clip(0, 1) * 255).round().astype(np.uint8)
        return Image.fromarray(np.concatenate(list(pixels), axis=1))

    def to_bytes(self) -> bytes:
        """The map as JSON in `PREVIEW_BYTES`."""
        text = json.dumps(to_json(self)).encode()
        return text.ljust(PREVIEW_BYTES - 1) + b"\n"

    @staticmethod
    def from_json(data: object, *, where: str) -> PreviewMap:
        """The map that `to_bytes` wrote, parsed.

        Raises:
            MessageError: `data` is something else.
        """
        preview_map = from_json(PreviewMap, data, where=where)
        if len(preview_map.matrix) != _LATENT_CHANNELS:
            raise MessageError(
                f"{where}.matrix must have {_LATENT_CHANNELS} items, not {len(preview_map.matrix)}."
            )
        return preview_map


def fit_preview_map(latents: np.ndarray, pictures: np.ndarray) -> PreviewMap:
    """The map with the least squared error.

    Args:
        latents: (N 4 h w) of an encoder.
        pictures: (N 3 8h 8w) that it was given, -1 to 1.

    Raises:
        ValueError: a value is not a number.
    """
    count, _, height, width = latents.shape
    # Axes: picture, channel, row of cells, row in the cell, column of cells, column in the cell.
    cells = pictures.reshape(count, 3, height, LATENT_SCALE, width, LATENT_SCALE).mean(axis=(3, 5))
    colours = (cells.transpose(0, 2, 3, 1).reshape(-1, 3).astype(np.float64) + 1) / 2
    inputs = latents.transpose(0, 2, 3, 1).reshape(-1, _LATENT_CHANNELS).astype(np.float64)
    inputs = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
    if not np.isfinite(inputs).all():
        raise ValueError("a latent is not a number")
    solution = np.linalg.lstsq(inputs, colours, rcond=None)[0].round(_DECIMALS)
    *matrix, bias = [(float(red), float(green), float(blue)) for red, green, blue in solution]
    return PreviewMap(matrix=tuple(matrix), bias=bias)


def sample_pictures(count: int, side: int) -> np.ndarray:
    """Pictures (count 3 side side), -1 to 1, of every colour: gradients with patches on them."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, side, dtype=np.float32)
    rows, columns = np.meshgrid(ramp, ramp, indexing="ij")
    pictures = np.empty((count, 3, side, side), np.float32)
    for picture in pictures:
        from_colour, to_colour = rng.uniform(-1, 1, (2, 3, 1, 1))
        share = rows if rng.random() < 0.5 else columns
        picture[:] = from_colour + (to_colour - from_colour) * share
        for _ in range(6):
            top, left = rng.uniform(-0.2, 0.8, 2)
            height, width = rng.uniform(0.2, 0.6, 2)
            is_inside = (abs(rows - top - height / 2) < height / 2) & (
                abs(columns - left - width / 2) < width / 2
            )
            picture[:, is_inside] = rng.uniform(-1, 1, (3, 1))
    return pictures
