"""Deterministic weights for the golden networks.

Every parameter is drawn from its own stream, keyed by the state-dict key, so
two implementations that use the same keys and shapes hold the same weights
without shipping a checkpoint.
"""

from __future__ import annotations

import zlib

import numpy as np


def golden_weight(key: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """The float32 value of the parameter `key` in the golden network `seed`."""
    rng = np.random.Generator(np.random.PCG64([seed, zlib.crc32(key.encode())]))
    size = int(np.prod(shape))
    if size == 1:  # gates that merge a temporal branch
        value = 0.3 + 0.4 * rng.random(shape)
    elif len(shape) == 1 and key.endswith(("weight", "conv_y.bias")):
        value = 1.0 + 0.1 * rng.standard_normal(shape)
    elif len(shape) == 1:
        value = 0.05 * rng.standard_normal(shape)
    else:
        gain = 0.05 if key.startswith("out_layer.") else 0.8
        value = gain * rng.standard_normal(shape) * float(np.prod(shape[1:])) ** -0.5
    return value.astype(np.float32)
