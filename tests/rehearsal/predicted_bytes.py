"""Compares what dry runs predict with what the allocator sees, on random networks and shapes.

    python tests/rehearsal/predicted_bytes.py --shapes 500 [--seed 0] [--json FILE]

Every shape is a small network of random sizes on one of the product's ways through it: prompts,
pictures, clips, interpolation, encoding, decoding. The same code runs once on the meta device and
once on the CPU under PyTorch's profiler, whose memory events tell the bytes that were really alive.
Ends with 1 where a prediction is more than 3 % above them or more than 1 % under them.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from transformers import T5Config

from engine.checkpoint.folder import ModelPart
from engine.config import MoVQConfig, UNetConfig
from engine.denoisers import (
    BaseFrameDenoiser,
    GuidedText,
    InterpolationDenoiser,
    KeyFrameDenoiser,
)
from engine.memory.device_kind import DeviceKind
from engine.memory.dry_run import dry_run
from engine.memory.plan import Variant
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.layers import TextContext
from engine.models.movq import MoVQ
from engine.models.text_encoder import TextEncoder

MOST_OVER = 0.03
MOST_UNDER = 0.01

Work = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One way through one network.

    Attributes:
        name: what it is, for people.
        part: the network's place in a model.
        build: makes the network on the default device, and the pass through it, with all inputs.
        ready: makes a pass out of the network; its inputs stay alive with it.
    """

    name: str
    part: ModelPart
    build: Callable[[], nn.Module]
    ready: Callable[[nn.Module], Work]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Bytes of values that were alive at once, as a dry run says and as they were."""

    name: str
    predicted: int
    live: int

    @property
    def error(self) -> float:
        """Of the prediction, relative to what was; positive where it was too high."""
        return (self.predicted - self.live) / self.live

    @property
    def holds(self) -> bool:
        """Whether the prediction is as good as a plan needs it."""
        return -MOST_UNDER <= self.error <= MOST_OVER


def compared(shape: Shape) -> Comparison:
    """Predict, run, and compare."""
    with torch.device("meta"):
        network = shape.build().eval().requires_grad_(False)
        work = shape.ready(network)
    trace = dry_run(
        work,
        network,
        kind=DeviceKind.CPU,
        name=shape.name,
        part=shape.part,
        variant=Variant(),
        repeats=1,
    )
    network = network.to_empty(device="cpu")
    for weight in (*network.parameters(), *network.buffers()):
        weight.zero_()  # what the numbers are does not matter
    return Comparison(
        name=shape.name, predicted=trace.values_bytes, live=most_alive(shape.ready(network))
    )


def most_alive(work: Work) -> int:
    """Most bytes that were alive at once while `work` ran, of those that came in it."""
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        result = work()
    del result
    kineto = seen.profiler.kineto_results  # pyright: ignore[reportOptionalMemberAccess]
    events = [event for event in kineto.events() if event.name() == "[memory]"]
    alive = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        alive += event.nbytes()
        most = max(most, alive)
    return most


def random_shape(seed: int) -> Shape:
    """The shape of a number. Each of the ways comes as often as the others."""
    rng = random.Random(seed)
    ways = (_key_frame, _base_frames, _interpolation, _encode, _decode, _decode_chunk, _prompt)
    return ways[seed % len(ways)](rng)


def _unet_config(rng: random.Random, *, num_channels: int, out_channels: int) -> UNetConfig:
    levels = rng.choice((2, 3))
    head_dim = rng.choice((8, 16, 32))
    width = rng.choice((32, 64, 96))
    attends = tuple(level > 0 and rng.random() < 0.8 for level in range(levels))
    return UNetConfig(
        model_channels=width,
        init_channels=rng.choice((32, 64)),
        num_channels=num_channels,
        out_channels=out_channels,
        time_embed_dim=rng.choice((64, 128)),
        context_dim=rng.choice((32, 64, 96)),
        groups=rng.choice((8, 16)),
        head_dim=head_dim,
        expansion_ratio=rng.choice((2, 4)),
        compression_ratio=2,
        dim_mult=tuple(rng.choice((1, 2)) for _ in range(levels)),
        num_blocks=tuple(rng.choice((2, 2, 3)) for _ in range(levels)),
        add_cross_attention=attends,
        add_self_attention=attends,
    )


def _text(rng: random.Random, context_dim: int) -> Callable[[], GuidedText]:
    num_tokens = rng.randint(3, 90)

    def make() -> GuidedText:
        prompt = TextContext(
            tokens=torch.zeros(1, num_tokens, context_dim),
            mask=torch.ones(1, num_tokens, dtype=torch.bool),
            length=torch.full((1,), num_tokens),
        )
        null_embedding = torch.zeros(context_dim)
        return GuidedText(
            prompt=prompt, without_prompt=GuidedText.unprompted(prompt, null_embedding)
        )

    return make


def _sides(rng: random.Random, *, most: int) -> tuple[int, int]:
    """Height and width of latents that three levels can halve."""
    return 4 * rng.randint(1, most // 4), 4 * rng.randint(1, most // 4)


def _times(rng: random.Random) -> list[int]:
    return rng.sample(range(1000), rng.randint(1, 3))


def _phase(rng: random.Random) -> str:
    return rng.choice(("prepare", "together", "together", "one by one"))


def _denoising(
    denoiser: KeyFrameDenoiser | BaseFrameDenoiser | InterpolationDenoiser,
    phase: str,
    latents: Tensor,
    time: int,
) -> Work:
    if phase == "prepare":
        return denoiser.prepare

    def prepare_and_step() -> object:
        denoiser.prepare()
        return denoiser(latents, time)

    denoiser.branches_together = phase == "together"
    return prepare_and_step


def _key_frame(rng: random.Random) -> Shape:
    config = _unet_config(rng, num_channels=9, out_channels=4)
    text, sides, times, phase = (
        _text(rng, config.context_dim),
        _sides(rng, most=48),
        _times(rng),
        _phase(rng),
    )

    def ready(network: nn.Module) -> Work:
        assert isinstance(network, KeyFrameUNet)
        denoiser = KeyFrameDenoiser(network, text(), times)
        return _denoising(denoiser, phase, torch.zeros(1, 4, *sides), times[0])

    return Shape(
        name=f"key frame, {phase}, {sides}, {config}",
        part=ModelPart.T2V,
        build=lambda: KeyFrameUNet(config),
        ready=ready,
    )


def _base_frames(rng: random.Random) -> Shape:
    config = _unet_config(rng, num_channels=9, out_channels=4)
    text, sides, times, phase = (
        _text(rng, config.context_dim),
        _sides(rng, most=24),
        _times(rng),
        _phase(rng),
    )
    num_frames = rng.randint(1, 7)

    def ready(network: nn.Module) -> Work:
        assert isinstance(network, KeyFrameUNet)
        denoiser = BaseFrameDenoiser(
            network,
            text(),
            torch.zeros(1, 4, *sides),
            times,
            num_frames=num_frames,
            motion_score=5,
            noise_augmentation=20,
        )
        return _denoising(denoiser, phase, torch.zeros(num_frames, 4, *sides), times[0])

    return Shape(
        name=f"base frames, {phase}, {num_frames} x {sides}, {config}",
        part=ModelPart.T2V,
        build=lambda: KeyFrameUNet(config),
        ready=ready,
    )


def _interpolation(rng: random.Random) -> Shape:
    config = _unet_config(rng, num_channels=20, out_channels=12)
    text, sides, times, phase = (
        _text(rng, config.context_dim),
        _sides(rng, most=24),
        _times(rng),
        _phase(rng),
    )
    num_frames = rng.randint(2, 6)

    def ready(network: nn.Module) -> Work:
        assert isinstance(network, InterpolationUNet)
        denoiser = InterpolationDenoiser(
            network, text(), torch.zeros(num_frames, 4, *sides), times, skip_frames=3
        )
        latents = torch.zeros(num_frames - 1, 12, *sides)
        return _denoising(denoiser, phase, latents, times[0])

    return Shape(
        name=f"interpolation, {phase}, {num_frames} x {sides}, {config}",
        part=ModelPart.INTERPOLATION,
        build=lambda: InterpolationUNet(config),
        ready=ready,
    )


def _movq_config(rng: random.Random, *, temporal: bool) -> MoVQConfig:
    return MoVQConfig(
        z_channels=4,
        resolution=64,
        in_channels=3,
        out_ch=3,
        ch=rng.choice((32, 64)),
        ch_mult=rng.choice(((1, 2, 2, 4), (1, 1, 2, 2), (1, 2, 2, 3))),
        num_res_blocks=rng.choice((1, 2)),
        attn_resolutions=(8,),
        temporal=temporal,
    )


def _strip_rows(rng: random.Random) -> int | None:
    return rng.choice((None, 8, 13, 16, 32, 40))


def _movq_shape(
    rng: random.Random, name: str, num_frames: int, *, temporal: bool, encodes: bool
) -> Shape:
    config = _movq_config(rng, temporal=temporal)
    height, width, strip_rows = rng.randint(1, 10), rng.randint(1, 10), _strip_rows(rng)

    def ready(network: nn.Module) -> Work:
        assert isinstance(network, MoVQ)
        if encodes:
            pictures = torch.zeros(num_frames, 3, 8 * height, 8 * width)
            return lambda: network.encode(pictures, strip_rows=strip_rows)
        latents = torch.zeros(num_frames, 4, height, width)
        return lambda: network.decode(latents, strip_rows=strip_rows)

    return Shape(
        name=f"{name}, {num_frames} x {height} x {width}, strips of {strip_rows}, {config}",
        part=ModelPart.VIDEO_MOVQ if temporal else ModelPart.IMAGE_MOVQ,
        build=lambda: MoVQ(config),
        ready=ready,
    )


def _encode(rng: random.Random) -> Shape:
    return _movq_shape(rng, "encode", rng.randint(1, 2), temporal=False, encodes=True)


def _decode(rng: random.Random) -> Shape:
    return _movq_shape(rng, "decode", rng.randint(1, 2), temporal=False, encodes=False)


def _decode_chunk(rng: random.Random) -> Shape:
    return _movq_shape(rng, "decode chunk", rng.randint(1, 5), temporal=True, encodes=False)


def _prompt(rng: random.Random) -> Shape:
    config = T5Config(
        d_model=rng.choice((64, 128)),
        d_kv=rng.choice((16, 32)),
        d_ff=rng.choice((128, 200, 384)),
        num_layers=rng.randint(1, 3),
        num_heads=rng.choice((2, 4)),
        vocab_size=104,
        feed_forward_proj="gated-gelu",
    )
    num_tokens, context_dim, in_8bit = rng.randint(4, 128), rng.choice((32, 64)), rng.random() < 0.5

    def ready(network: nn.Module) -> Work:
        assert isinstance(network, TextEncoder)
        embeds = torch.zeros(1, num_tokens, config.d_model)
        mask = torch.ones(1, num_tokens, dtype=torch.int64, device="cpu")  # its values are read
        return lambda: network(embeds, mask)

    return Shape(
        name=f"prompt, {num_tokens} tokens, 8 bit: {in_8bit}, {config.to_diff_dict()}",
        part=ModelPart.TEXT_ENCODER,
        build=lambda: TextEncoder(config, context_dim, in_8bit=in_8bit),
        ready=ready,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="number of the first shape")
    parser.add_argument("--json", type=Path, help="where to write all comparisons")
    arguments = parser.parse_args()
    found: list[Comparison] = []
    for seed in range(arguments.seed, arguments.seed + arguments.shapes):
        comparison = compared(random_shape(seed))
        found.append(comparison)
        if not comparison.holds:
            print(
                f"{seed}: {comparison.error:+.1%} ({comparison.predicted} against "
                f"{comparison.live}) {comparison.name}"
            )
    _print_table(found)
    if arguments.json is not None:
        arguments.json.write_text(
            json.dumps([[each.name, each.predicted, each.live] for each in found], indent=1)
        )
    return 0 if all(comparison.holds for comparison in found) else 1


def _print_table(found: list[Comparison]) -> None:
    ways = Counter(comparison.name.split(",")[0] for comparison in found)
    print(f"{'':14} {'shapes':>6} {'lowest':>8} {'highest':>8} {'outside':>8}")
    for way in (*ways, "all"):
        errors = [each for each in found if way == "all" or each.name.startswith(f"{way},")]
        print(
            f"{way:14} {len(errors):6} {min(each.error for each in errors):+8.2%} "
            f"{max(each.error for each in errors):+8.2%} "
            f"{sum(not each.holds for each in errors):8}"
        )


if __name__ == "__main__":
    sys.exit(main())
