"""Trains the demo model from nothing and writes its folder. May be stopped and started again.

    python packaging/demo_model/train.py --work FOLDER

Two processes of one thread each take the same steps on batches of their own: the networks are so
small that two threads in one process mostly wait for each other.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from collections.abc import Callable

    from train_interpolation import Interpolation
    from train_unet import TextToVideo

    from engine.models.movq import MoVQ

MOVQ_STEPS = 950
UNET_PICTURE_STEPS = 900
UNET_STEPS = 20500
INTERPOLATION_STEPS = 1000
DECODER_PICTURE_STEPS = 500
DECODER_STEPS = 700
_NUM_PROCESSES = 2


def movq_of(work: Path) -> MoVQ:
    """The image MoVQ, trained or read."""
    from train_movq import train_movq

    return train_movq(work, steps=MOVQ_STEPS)


def unet_of(work: Path) -> TextToVideo:
    """The key-frame U-Net with its text encoder, trained or read."""
    from dataset import encoded_clips, encoded_pictures
    from train_unet import train_unet

    movq = movq_of(work)
    return train_unet(
        work,
        encoded_pictures(work, movq),
        encoded_clips(work, movq),
        picture_steps=UNET_PICTURE_STEPS,
        steps=UNET_STEPS,
    )


def interpolation_of(work: Path) -> Interpolation:
    """The interpolation U-Net, trained or read."""
    from dataset import encoded_fine_clips, encoded_smooth_clips
    from train_interpolation import train_interpolation

    movq = movq_of(work)
    return train_interpolation(
        work,
        encoded_smooth_clips(work, movq),
        encoded_fine_clips(work, movq),
        unet_of(work).text_encoder,
        steps=INTERPOLATION_STEPS,
    )


def video_movq_of(work: Path) -> MoVQ:
    """The temporal MoVQ, trained or read."""
    from train_movq import train_temporal_movq

    return train_temporal_movq(
        work, movq_of(work), picture_steps=DECODER_PICTURE_STEPS, steps=DECODER_STEPS
    )


def encode_data(work: Path) -> None:
    """Encode what the U-Nets are trained on, once, in this process alone."""
    import dataset

    movq = movq_of(work)
    for encode in (
        dataset.encoded_pictures,
        dataset.encoded_clips,
        dataset.encoded_smooth_clips,
        dataset.encoded_fine_clips,
    ):
        encode(work, movq)


def _export(work: Path, destination: Path) -> None:
    from dataset import encoded_clips
    from export import export_model

    image_movq = movq_of(work)
    export_model(
        work,
        destination,
        unet=unet_of(work),
        interpolation=interpolation_of(work),
        image_movq=image_movq,
        video_movq=video_movq_of(work),
        clips=encoded_clips(work, image_movq),
    )


def _in_processes(stage: Callable[[Path], object], work: Path) -> None:
    meeting_point = work / f"{stage.__name__}.processes"
    meeting_point.unlink(missing_ok=True)
    mp.spawn(_process, (stage, work, str(meeting_point)), nprocs=_NUM_PROCESSES)
    meeting_point.unlink(missing_ok=True)


def _process(rank: int, stage: Callable[[Path], object], work: Path, meeting_point: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting_point}", rank=rank, world_size=_NUM_PROCESSES
    )
    stage(work)
    dist.destroy_process_group()


STAGES = {
    "movq": lambda work: _in_processes(movq_of, work),
    "data": encode_data,
    "unet": lambda work: _in_processes(unet_of, work),
    "interpolation": lambda work: _in_processes(interpolation_of, work),
    "decoder": lambda work: _in_processes(video_movq_of, work),
}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="checkpoints, data and the log")
    parser.add_argument("--out", type=Path, default=ROOT / "resources" / "demo_model")
    parser.add_argument("--stage", choices=[*STAGES, "export"], help="this one alone")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for name in [options.stage] if options.stage else [*STAGES, "export"]:
        if name == "export":
            _export(options.work, options.out)
        else:
            STAGES[name](options.work)


if __name__ == "__main__":
    main()
