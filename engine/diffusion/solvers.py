"""The solvers of `diffusers`, set up as the released networks were trained."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, cast

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

from engine.api import Sampler

if TYPE_CHECKING:
    from torch import Tensor


class Prediction(Enum):
    """What a network predicts, and which time steps it is asked at."""

    NOISE = ("epsilon", "leading")
    VELOCITY = ("v_prediction", "trailing")


# Solvers remember these between their steps, each some of them. (The place in the list of time
# steps is set by `set_begin_index`.)
_HISTORY = ("model_outputs", "timestep_list", "lower_order_nums", "last_sample", "this_order")


def _training_schedule(prediction: Prediction) -> dict[str, Any]:
    prediction_type, timestep_spacing = prediction.value
    return {
        "num_train_timesteps": 1000,
        "beta_schedule": "squaredcos_cap_v2",
        "rescale_betas_zero_snr": True,
        "thresholding": True,
        "dynamic_thresholding_ratio": 0.995,
        "prediction_type": prediction_type,
        "timestep_spacing": timestep_spacing,
    }


def _ddpm(prediction: Prediction) -> DDPMScheduler:
    return DDPMScheduler(**_training_schedule(prediction), variance_type="fixed_small_log")


class Solver:
    """One of the four samplers with its steps; from noise to latents in `num_steps` steps."""

    def __init__(self, sampler: Sampler, prediction: Prediction, num_steps: int) -> None:
        schedule = _training_schedule(prediction)
        scheduler: Any
        if sampler is Sampler.DDPM:
            scheduler = _ddpm(prediction)
        elif sampler is Sampler.DDIM:
            scheduler = DDIMScheduler(**schedule)
        elif sampler is Sampler.DPM_SOLVER:
            scheduler = DPMSolverMultistepScheduler(**schedule, solver_order=2)
        else:
            scheduler = UniPCMultistepScheduler(**schedule, solver_order=2)
        self._scheduler = scheduler
        self._draws_noise = sampler is Sampler.DDPM
        scheduler.set_timesteps(num_steps)

    @property
    def timesteps(self) -> list[int]:
        """Diffusion times in the order they are visited. May be fewer than were asked for."""
        return [int(time) for time in self._scheduler.timesteps]

    def step(
        self, prediction: Tensor, index: int, latents: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """One denoising step.

        Args:
            prediction: (B C H W) of the network, at the time step `index`.
            index: which time step, from 0; steps come one after the other.
            latents: (B C H W) at that time.
            generator: drawn from by DDPM only, once in every step but the last.

        Returns:
            The latents at the next time, and the estimate of the clean ones.
        """
        noise_source = {"generator": generator} if self._draws_noise else {}
        output = self._scheduler.step(
            prediction, self._scheduler.timesteps[index], latents, **noise_source
        )
        clean = getattr(output, "pred_original_sample", None)
        if clean is None:  # the multistep solvers keep their estimates of the clean latents
            clean = self._scheduler.model_outputs[-1]
        return output.prev_sample, clean

    def history(self) -> dict[str, Tensor]:
        """What the solver remembers of its steps so far, by name."""
        tensors: dict[str, Tensor] = {}
        for name in _HISTORY:
            value = getattr(self._scheduler, name, None)
            items = cast("list[Any]", value) if isinstance(value, list) else [value]
            for place, item in enumerate(items):
                if item is not None:
                    tensors[f"{name}.{place}"] = torch.as_tensor(item).clone()
        return tensors

    def restore(self, history: dict[str, Tensor], index: int) -> None:
        """Go on behind step `index` - 1 with the `history` that was taken there."""
        for name in _HISTORY:
            value = getattr(self._scheduler, name, None)
            if isinstance(value, list):
                places = range(len(cast("list[Any]", value)))
                restored = [history.get(f"{name}.{place}") for place in places]
                setattr(self._scheduler, name, restored)
            elif f"{name}.0" in history:
                tensor = history[f"{name}.0"]
                setattr(self._scheduler, name, tensor if tensor.ndim else int(tensor))
        if hasattr(self._scheduler, "set_begin_index"):
            self._scheduler.set_begin_index(index)


def add_noise(latents: Tensor, noise: Tensor, time: int) -> Tensor:
    """`latents` (B C H W) with `noise` of the same shape at the diffusion time 0 to 999."""
    # The schedule of training, whatever solver runs: this is a condition, not a step.
    return _ddpm(Prediction.NOISE).add_noise(latents, noise, cast("Any", torch.tensor([time])))
