"""`kvdesk plan`: what a clip takes on a device, before it is made and before there are weights."""

from __future__ import annotations

import gc
import json
import math
from typing import TYPE_CHECKING

from engine.api import LATENT_SCALE, RELEASED_MODEL, ClipDefaults, Fps, FrameSize, GenerateRequest
from engine.errors import InvalidRequest, ModelNotFound

if TYPE_CHECKING:
    import argparse

    from engine.memory.cards import Card
    from engine.memory.clip_plan import ClipPlan
    from engine.memory.device_kind import DeviceKind
    from engine.memory.model_sizes import ModelSizes

_SIMULATED = "simulated:"
_COMMON_CARD = "RTX 3060"  # whose speed is taken where --vram is said, and no card is there
_GB = 10**9
_DESKTOP_BYTES = 10**9
"""Of a card's memory: for the desktop, other programs, and the driver's own needs."""


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Add what can be said behind `kvdesk plan`."""
    add = parser.add_argument
    add("--model", default=RELEASED_MODEL, metavar="FOLDER|NAME", help=f"default: {RELEASED_MODEL}")
    add("--width", type=int, metavar="W", help="in pixels; default: the model's own")
    add("--height", type=int, metavar="H")
    add("--fps", choices=[fps.value for fps in Fps], default="low", help="12, 45 or 177 frames")
    add("--vram", type=gigabytes, metavar="GB", help="of the card that may be used")
    add("--ram", type=gigabytes, metavar="GB", help="main memory that may be used")
    add("--device", metavar="D", help="cuda, cpu or simulated:NAME, such as simulated:RTX 3060")
    add("--json", action="store_true")
    parser.set_defaults(run=run_plan)


def run_plan(options: argparse.Namespace) -> None:
    """Plan a clip, and print the plan.

    Raises:
        EngineError: there is no such model or device, or the size does not fit the model.
    """
    # Looking for garbage among all that is imported would take a quarter of the time.
    was_on = gc.isenabled()
    gc.disable()
    try:
        _plan(options)
    finally:
        gc.freeze()  # nor at the end of the process, which would take half a second
        if was_on:
            gc.enable()


def _plan(options: argparse.Namespace) -> None:
    from engine.checkpoint.folder import check_multiple
    from engine.machine import PROCESS_BYTES
    from engine.memory.clip_plan import plan_clip
    from engine.memory.clip_traces import keeping_tracer
    from engine.memory.device_kind import DeviceKind
    from engine.memory.feeder import MOST_STAGING_BYTES, main_memory_budget
    from engine.memory.host_cache import HOST_CACHE_BYTES
    from engine.memory.trace_beside import trace_text_beside

    sizes, defaults, fingerprint = _model(options.model)
    size = FrameSize(
        width=defaults.size.width if options.width is None else options.width,
        height=defaults.size.height if options.height is None else options.height,
    )
    check_multiple(size, LATENT_SCALE * sizes.config.latent_multiple)
    request = GenerateRequest(
        prompt="", seed=0, size=size, fps=Fps(options.fps), sampling=defaults.sampling
    )
    card, kind, budget = _device(options.device, options.vram, fingerprint)
    on_cpu = kind is DeviceKind.CPU
    if on_cpu and options.ram is not None:
        budget = main_memory_budget(options.ram)
    tracer = keeping_tracer(sizes, kind)
    trace_text_beside(tracer)
    plan = plan_clip(tracer, request, budget_bytes=budget, card=card)
    streams = any(each.ring_bytes for stage in plan.stages for each in stage.passes)
    kept = HOST_CACHE_BYTES if streams else 0
    # On a processor the tables of the steps are among what is planned.
    values = plan.peak_bytes if on_cpu else plan.table_bytes + kept
    host_bytes = PROCESS_BYTES + MOST_STAGING_BYTES + values
    fits = plan.fits and (options.ram is None or host_bytes <= options.ram)
    if options.json:
        print(json.dumps(_to_json(plan, fits=fits, host_bytes=host_bytes)))
    else:
        print(f"{size}, {request.fps.num_frames} frames on {card.name}, planned")
        _print_table(plan)
        verdict = "It fits." if fits else "It does not fit."
        print(f"Main memory: {host_bytes / _GB:.2f} GB. {verdict}")


def gigabytes(text: str) -> int:
    """A positive number of GB in bytes.

    Raises:
        ValueError: it is none, which `argparse` tells the person.
    """
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return int(value * _GB)


def _model(name: str) -> tuple[ModelSizes, ClipDefaults, str]:
    """The sizes of a model, its defaults, and its fingerprint where it has files."""
    from engine.checkpoint.folder import ModelFolder, locate_model
    from engine.memory.model_sizes import released_sizes, sizes_of

    try:
        folder = ModelFolder.open(locate_model(name))
    except ModelNotFound:
        if name != RELEASED_MODEL:
            raise
        return released_sizes(), ClipDefaults(), ""
    from engine.checkpoint.networks import NetworkLoader

    return sizes_of(NetworkLoader(folder)), folder.info.defaults, folder.fingerprint


def _device(name: str | None, vram: int | None, fingerprint: str) -> tuple[Card, DeviceKind, int]:
    """The device, which kind it is, and the bytes of it that may be used."""
    from engine.machine import CPU
    from engine.memory.cards import CARDS, card_named
    from engine.memory.device import Device
    from engine.memory.device_kind import DeviceKind
    from engine.memory.ladder import usable_bytes
    from engine.memory.speeds import Speeds

    if name is None and vram is not None and Device.best().name == CPU:
        return card_named(_COMMON_CARD), DeviceKind.GRAPHICS_CARD, vram
    if name is not None and name.startswith(_SIMULATED):
        wanted = name.removeprefix(_SIMULATED)
        card = card_named(wanted)
        if card not in CARDS:
            known = ", ".join(card.name for card in CARDS)
            raise InvalidRequest(f'There is no card "{wanted}" in the table. There are: {known}.')
        budget = vram or usable_bytes(card.memory_bytes - _DESKTOP_BYTES)
        return card, DeviceKind.GRAPHICS_CARD, budget
    device = Device.best() if name is None else Device.named(name)
    free = usable_bytes(device.free_bytes)
    return Speeds(device, fingerprint).card, device.kind, vram or free


def _to_json(plan: ClipPlan, *, fits: bool, host_bytes: int) -> dict[str, object]:
    return {
        "fits": fits,
        "peak_bytes": plan.peak_bytes,
        "host_bytes": host_bytes,
        "stages": [
            {
                "name": stage.name,
                "peak_bytes": stage.peak_bytes,
                "resident_bytes": stage.resident_bytes,
                "streamed_bytes": stage.streamed_bytes,
                "flops": stage.flops,
                "seconds": stage.seconds if math.isfinite(stage.seconds) else None,
            }
            for stage in plan.stages
        ],
    }


def _print_table(plan: ClipPlan) -> None:
    print(f"{'':18}{'peak GB':>9}{'resident':>10}{'streamed':>10}{'TFLOP':>9}{'seconds':>9}")
    for stage in plan.stages:
        gigabytes = "".join(
            f"{num_bytes / _GB:{width}.2f}"
            for num_bytes, width in (
                (stage.peak_bytes, 9),
                (stage.resident_bytes, 10),
                (stage.streamed_bytes, 10),
            )
        )
        seconds = f"{stage.seconds:9.1f}" if stage.fits else " too large"
        print(f"{stage.name:18}{gigabytes}{stage.flops / 1e12:9.1f}{seconds}")
    seconds = sum(stage.seconds for stage in plan.stages)
    total = f"{seconds:38.1f}" if plan.fits else ""
    print(f"{'together':18}{plan.peak_bytes / _GB:9.2f}{total}")
