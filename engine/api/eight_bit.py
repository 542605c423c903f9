"""What 8-bit weights of the two U-Nets cost: measured when a model is prepared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EightBitReport:
    """The error and the size of both U-Nets in 8 bit, against the weights of the model's files.

    A layer whose error would be too large is kept as it is; the errors are those of the others.

    Attributes:
        num_layers: layers that were measured.
        num_exact: how many of them are kept as they are.
        worst_cosine: the smallest cosine between a layer's weight and what 8 bit makes of it.
        mean_relative_error: the mean of the layers' errors: what is lost, as a part of the weight.
        bytes_before: all weights of both networks.
        bytes_after: the same in 8 bit, with the scales and with all that is kept as it is.
    """

    num_layers: int
    num_exact: int
    worst_cosine: float
    mean_relative_error: float
    bytes_before: int
    bytes_after: int
