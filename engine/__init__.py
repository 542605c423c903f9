"""Kandinsky Video 1.1 on one consumer GPU, or on no GPU at all.

Importing this package does not import torch: everything heavy is loaded by the calls that need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from engine.python_api import VideoPipeline

__version__ = "0.1.0"
__all__ = ["__version__", "get_T2V_pipeline"]


def get_T2V_pipeline(  # noqa: N802 - the name that the official code gives it
    device_map: str, model: str | Path | None = None, *, text_encoder_8bit: bool = False
) -> VideoPipeline:
    """Open a model and return an object that makes videos when it is called.

    Args:
        device_map: "cpu", "cuda", or "cuda:N".
        model: a prepared model's folder, or a folder with the official files; the built-in demo
            model where it is left out.
        text_encoder_8bit: hold the text encoder of an official folder in 8 bit. A prepared
            folder's text encoder is in 8 bit already.

    Raises:
        EngineError: the folder or the device cannot be used; the message says why.
    """
    from engine.environment import settle_environment

    settle_environment()
    from engine.python_api import VideoPipeline  # torch is imported here and not before

    return VideoPipeline.open(device_map, model, text_encoder_8bit=text_encoder_8bit)
