"""The noise schedule of training, and how time steps are drawn and weighed.

The schedule is the one that the engine samples with: `squaredcos_cap_v2` betas, rescaled to no
signal at all at the last step (Lin et al., 2024).
"""

from __future__ import annotations

import torch
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from einops import rearrange
from torch import Tensor

_HIGHEST_WEIGHT = 300.0
NUM_TIMES = 1000
_LAST_TIME = 990  # behind it there is next to no signal left

SIGNAL_PART: Tensor = DDPMScheduler(
    num_train_timesteps=NUM_TIMES, beta_schedule="squaredcos_cap_v2", rescale_betas_zero_snr=True
).alphas_cumprod
"""(1000) the part of the variance at each time step that is signal."""


def random_times(count: int, generator: torch.Generator, *, late: int, late_part: float) -> Tensor:
    """(B) time steps, of which `late_part` are not before `late`.

    Late in the schedule the noisy input shows little, so that prompt and picture decide.
    """
    lates = torch.randint(late, _LAST_TIME + 1, (count,), generator=generator)
    anywhere = torch.randint(0, _LAST_TIME + 1, (count,), generator=generator)
    is_late = torch.rand(count, generator=generator) < late_part
    return torch.where(is_late, lates, anywhere)


def add_noise(clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """`clean` (B ...) with `noise` of the same shape at `times` (B)."""
    signal = SIGNAL_PART[times].reshape(-1, *(1 for _ in clean.shape[1:]))
    return signal.sqrt() * clean + (1 - signal).sqrt() * noise


def noise_loss(predicted: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """Squared error of the noise (B C H W), weighed towards an error of the clean latents.

    The plain loss hardly sees what the prompt changes: late in the schedule nearly all of the
    input is noise, and an error of the clean latents is divided by hundreds.
    """
    weight = (1 / SIGNAL_PART[times]).clamp(max=_HIGHEST_WEIGHT)
    error = (predicted - noise).square().mean(dim=(1, 2, 3))
    return (weight * error).mean()


def velocity(clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """What `v_prediction` predicts (Salimans and Ho, 2022), for (B C H W) at `times` (B)."""
    signal = rearrange(SIGNAL_PART[times], "b -> b 1 1 1")
    return signal.sqrt() * noise - (1 - signal).sqrt() * clean
