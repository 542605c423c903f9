"""What every training here shares: steps, learning rate, averaged weights, checkpoints, the log."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_AVERAGE_DECAY = 0.998
_WARM_UP_STEPS = 100
_LOG_EVERY = 25
_SAVE_EVERY = 500
_SLOW_FACTOR = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One training: its name, its steps, its highest learning rate and its seed."""

    name: str
    steps: int
    rate: float
    seed: int


def train(
    network: nn.Module,
    loss_of_step: Callable[[int, torch.Generator], dict[str, Tensor]],
    plan: Plan,
    work: Path,
    *,
    parameters: list[nn.Parameter] | None = None,
    slow: nn.Module | None = None,
) -> nn.Module:
    """Train `network` by `loss_of_step`, or go on where an earlier call was stopped.

    Where processes were joined by `torch.distributed`, each draws its own batches and all take the
    same steps. On two cores that beats one process with two threads by far.

    Args:
        network: what is trained and kept; it ends with its averaged weights.
        loss_of_step: gives the step's losses by name for a generator that depends on the step
            alone; their sum is what is minimised.
        plan: how long and how fast.
        work: folder of the checkpoint and of the log.
        parameters: what changes; everything in `network` if left out.
        slow: a part of `network` that learns at a twentieth of the rate.

    Returns:
        `network`, in evaluation mode.
    """
    trained = [p for p in parameters or network.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(_rate_groups(trained, slow), lr=plan.rate, betas=(0.9, 0.99))
    average = {key: value.detach().clone() for key, value in network.state_dict().items()}
    checkpoint = work / f"{plan.name}.pt"
    start = 0
    if checkpoint.exists():
        saved: dict[str, Any] = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        average, start = saved["average"], saved["step"]
    network.train()
    began = time.monotonic()
    sums: dict[str, float] = {}
    for step in range(start, plan.steps):
        generator = torch.Generator().manual_seed(_seed_of(plan, step))
        losses = loss_of_step(step, generator)
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * group["factor"] * _rate_part(step, plan.steps)
        optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        _share_gradients(trained)
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        _add_to_average(average, network, step)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + float(value.detach())
        if (step + 1) % _LOG_EVERY == 0 and _rank() == 0:
            line = {name: round(value / _LOG_EVERY, 5) for name, value in sums.items()}
            seconds = round(time.monotonic() - began)
            _log(work, {"stage": plan.name, "step": step + 1, "seconds": seconds, **line})
        if (step + 1) % _LOG_EVERY == 0:
            sums = {}
        if _rank() == 0 and ((step + 1) % _SAVE_EVERY == 0 or step + 1 == plan.steps):
            _save(checkpoint, network, optimizer, average, step + 1)
    network.load_state_dict(average)
    return network.eval()


def _rate_groups(trained: list[nn.Parameter], slow: nn.Module | None) -> list[dict[str, Any]]:
    slow_ids = {id(parameter) for parameter in slow.parameters()} if slow is not None else set()
    fast = [parameter for parameter in trained if id(parameter) not in slow_ids]
    groups: list[dict[str, Any]] = [{"params": fast, "factor": 1.0}]
    if slow is not None:
        groups.append({"params": list(slow.parameters()), "factor": _SLOW_FACTOR})
    return groups


def _rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def _seed_of(plan: Plan, step: int) -> int:
    return (plan.seed * 1_000_003 + step) * 16 + _rank()


def _share_gradients(parameters: list[nn.Parameter]) -> None:
    """Replace every gradient by its average over the processes."""
    if not dist.is_initialized():
        return
    for parameter in parameters:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    joined = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(joined)
    joined /= dist.get_world_size()
    parts = joined.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def _rate_part(step: int, steps: int) -> float:
    """Up in a line, then down to nothing along half a cosine."""
    warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
    return warm * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def _add_to_average(average: dict[str, Tensor], network: nn.Module, step: int) -> None:
    weight = 1 - min(_AVERAGE_DECAY, (step + 1) / (step + 10))
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if value.is_floating_point():
                average[key].lerp_(value, weight)


def _save(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
    step: int,
) -> None:
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "network": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "average": average,
            "step": step,
        },
        partial,
    )
    partial.replace(path)


def _log(work: Path, line: dict[str, Any]) -> None:
    with (work / "training_log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(line, flush=True)
