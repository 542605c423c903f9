"""Seconds, executed FLOPs and the share of this machine's peak for each stage.

    python tests/benchmarks/stages.py [--size 128] [--repeat 3]

The networks have a middle size and random weights. The peaks are those of one large matrix
product and one large 3x3 convolution, measured between the stages of the same run, because a
shared machine is never the same twice.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from engine.config import MoVQConfig, UNetConfig
from engine.denoisers import (
    BaseFrameDenoiser,
    GuidedText,
    InterpolationDenoiser,
    KeyFrameDenoiser,
)
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.layers import TextContext
from engine.models.movq import MoVQ

if TYPE_CHECKING:
    from collections.abc import Callable

NUM_TOKENS = 28
SIZES = {
    "model_channels": 96,
    "init_channels": 48,
    "time_embed_dim": 384,
    "context_dim": 512,
    "groups": 16,
    "head_dim": 32,
    "expansion_ratio": 4,
    "compression_ratio": 2,
    "dim_mult": (1, 2, 4, 8),
    "num_blocks": (3, 3, 3, 3),
    "add_cross_attention": (False, True, True, True),
    "add_self_attention": (False, True, True, True),
}
MOVQ_SIZES = {
    "z_channels": 4,
    "resolution": 256,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 64,
    "ch_mult": (1, 2, 2, 4),
    "num_res_blocks": 2,
    "attn_resolutions": (32,),
}


def stages(pixels: int) -> dict[str, Callable[[], object]]:
    """One step of each stage for a clip of `pixels` x `pixels`, as the pipeline runs it."""
    side = pixels // 8
    context_dim = SIZES["context_dim"]
    text = TextContext(
        tokens=torch.randn(1, NUM_TOKENS, context_dim),
        mask=torch.ones(1, NUM_TOKENS, dtype=torch.bool),
        length=torch.tensor([NUM_TOKENS]),
    )
    guided = GuidedText(
        prompt=text, without_prompt=GuidedText.unprompted(text, torch.randn(context_dim))
    )
    t2v = KeyFrameUNet(UNetConfig(num_channels=9, out_channels=4, **SIZES)).eval()
    interpolation = InterpolationUNet(UNetConfig(num_channels=20, out_channels=12, **SIZES)).eval()
    image_movq = MoVQ(MoVQConfig(**MOVQ_SIZES)).eval()
    video_movq = MoVQ(MoVQConfig(**MOVQ_SIZES, temporal=True)).eval()

    picture = torch.randn(1, 4, 2 * side, 2 * side)
    frames = torch.randn(12, 4, side, side)
    times = range(0, 1000, 20)
    key_frame = KeyFrameDenoiser(t2v, guided, times)
    base = BaseFrameDenoiser(
        t2v, guided, frames[:1], times, num_frames=12, motion_score=10, noise_augmentation=20
    )
    between = InterpolationDenoiser(interpolation, guided, frames, times[::5], skip_frames=3)
    for denoiser in (key_frame, base, between):
        denoiser.prepare()
    groups = torch.randn(11, 12, side, side)
    return {
        "key frame, conditions": key_frame.prepare,
        "key frame, one step": lambda: key_frame(picture, 500),
        "key frame, decode": lambda: image_movq.decode(picture),
        "base frames, conditions": base.prepare,
        "base frames, one step": lambda: base(frames, 500),
        "interpolation, conditions": between.prepare,
        "interpolation, one step": lambda: between(groups, 500),
        "decode, 4 frames": lambda: video_movq.decode(frames[:4]),
    }


def peaks() -> dict[str, Callable[[], object]]:
    """What the machine does best: work without any overhead around it."""
    matrix = torch.randn(2048, 2048)
    states, weight = torch.randn(4, 192, 64, 64), torch.randn(192, 192, 3, 3)
    return {
        "peak: matrix product 2048": lambda: matrix @ matrix,
        "peak: convolution 3x3, 192 channels": lambda: F.conv2d(states, weight, padding=1),
    }


def measure(work: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Median seconds of `work`, and its FLOPs."""
    with FlopCounterMode(display=False) as counter:
        work()
    seconds: list[float] = []
    for _ in range(repeat):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds), counter.get_total_flops()


@torch.no_grad()
def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=128, help="of the clip; a multiple of 64")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    torch.manual_seed(0)

    peak_work = peaks()
    peak_rates: dict[str, list[float]] = {name: [] for name in peak_work}

    def measure_peaks() -> None:
        for name, work in peak_work.items():
            seconds, flops = measure(work, options.repeat)
            peak_rates[name].append(flops / seconds)

    rows: list[tuple[str, float, float]] = []
    measure_peaks()
    for name, work in stages(options.size).items():
        rows.append((name, *measure(work, options.repeat)))
        measure_peaks()

    rates = {name: statistics.median(values) for name, values in peak_rates.items()}
    print(f"{options.size}x{options.size}, {torch.get_num_threads()} threads, float32")
    print(f"{'stage':38}{'seconds':>9}{'GFLOP':>9}{'GFLOP/s':>9}" + "  share of matrix, conv. peak")
    for name, seconds, flops in rows:
        rate = flops / seconds
        shares = "".join(f"{rate / peak:8.0%}" for peak in rates.values())
        print(f"{name:38}{seconds:9.3f}{flops / 1e9:9.1f}{rate / 1e9:9.1f}{shares}")
    for name, rate in rates.items():
        print(f"{name:38}{'':18}{rate / 1e9:9.1f}")


if __name__ == "__main__":
    main()
