"""Puts the trained networks into a prepared model's folder, by way of the official layout."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import torch
from networks import CONFIGS, t5_config
from safetensors.torch import save_file
from text_and_unet import TOKENIZER
from word_tokenizer import save_tokenizer
from world import CLIP_PIXELS

from engine.api import ClipDefaults, FrameSize, GuidanceScales, Sampler, SamplingSettings
from engine.checkpoint.networks import expected_shapes
from engine.checkpoint.prepare import prepare_model
from engine.preview import fit_preview_map

if TYPE_CHECKING:
    from pathlib import Path

    from dataset import Encoded
    from torch import Tensor, nn
    from train_interpolation import Interpolation
    from train_unet import TextToVideo

    from engine.models.movq import MoVQ
    from engine.preview import PreviewMap

DESCRIPTION = (
    "A toy that shows how the application works: one coloured shape on a plain background, "
    "64 pixels wide. The real model draws anything."
)
EXAMPLES = (
    "a red circle moving to the right on a dark blue background",
    "a yellow triangle growing on a black background",
    "a blue triangle moving up on a gray background",
)
DEFAULTS = ClipDefaults(
    size=FrameSize(width=CLIP_PIXELS, height=CLIP_PIXELS),
    sampling=SamplingSettings(sampler=Sampler.DPM_SOLVER, steps=20, interpolation_steps=10),
    guidance=GuidanceScales(key_frame=2.0, prompt=3.0, image=2.0),
    examples=EXAMPLES,
)


def export_model(
    work: Path,
    destination: Path,
    *,
    unet: TextToVideo,
    interpolation: Interpolation,
    image_movq: MoVQ,
    video_movq: MoVQ,
    clips: Encoded,
) -> None:
    """Write the model's folder anew.

    Args:
        work: where the official layout is put together.
        destination: the prepared folder; replaced where there is one.
        unet: key-frame U-Net, text encoder and null embedding.
        interpolation: interpolation U-Net and null embedding.
        image_movq: for pictures.
        video_movq: for clips.
        clips: what the map for previews is fitted to.
    """
    official = work / "official"
    _write_official(official, unet, interpolation, image_movq, video_movq)
    shutil.rmtree(destination, ignore_errors=True)
    prepare_model(
        official,
        destination,
        expected=expected_shapes,
        on_progress=lambda _: None,
        is_cancelled=lambda: False,
        name="demo",
        description=DESCRIPTION,
        defaults=DEFAULTS,
        preview_map=_preview_map(clips),
    )


def _write_official(
    folder: Path,
    unet: TextToVideo,
    interpolation: Interpolation,
    image_movq: MoVQ,
    video_movq: MoVQ,
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    encoder_folder = folder / "text_encoder"
    encoder_folder.mkdir(parents=True)
    (folder / "configs.json").write_text(
        json.dumps(CONFIGS, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    for name, model in (("t2v", unet), ("interpolation", interpolation)):
        null = model.null.null_embedding.detach().half()
        torch.save({"unet": _half(model.unet), "null_embedding": null}, folder / f"{name}.pt")
    torch.save(_half(image_movq), folder / "movq.pt")
    torch.save(_half(video_movq), folder / "video_movq.pt")
    projection = _half(unet.text_encoder.projection)
    projections = {"projection_base": projection, "projection_interpolation": projection}
    torch.save(projections, folder / "t5_projections.pt")
    config = t5_config(TOKENIZER.get_vocab_size()).to_dict()
    config["architectures"] = ["T5EncoderModel"]
    (encoder_folder / "config.json").write_text(
        json.dumps(config, indent=1) + "\n", encoding="utf-8", newline="\n"
    )
    weights = {f"encoder.{key}": value for key, value in _half(unet.text_encoder.encoder).items()}
    save_file(weights, encoder_folder / "model.safetensors")
    save_tokenizer(TOKENIZER, encoder_folder)


def _half(network: nn.Module) -> dict[str, Tensor]:
    return {key: value.half().contiguous() for key, value in network.state_dict().items()}


def _preview_map(clips: Encoded) -> PreviewMap:
    """Fitted to this world's own pictures, which have few of all colours."""
    count = 300
    pictures = np.concatenate(
        [scene.render(num_frames=1, pixels=CLIP_PIXELS) for scene in clips.scenes[:count]]
    )
    latents = clips.latents[:count, 0].float().numpy()
    return fit_preview_map(latents, pictures.transpose(0, 3, 1, 2) * 2 - 1)
