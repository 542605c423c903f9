"""The denoising loop: one for key frames, base frames and interpolation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from engine.diffusion.guidance import Guidance
    from engine.diffusion.solvers import Solver


class Denoiser(Protocol):
    """A network with its conditions, asked for every branch of the guidance."""

    def __call__(self, latents: Tensor, time: int) -> Tensor:
        """Latents (B C H W) at a diffusion time to predictions (branches B C H W)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step that was just done.

    Attributes:
        number: from 1 to `num_steps`.
        num_steps: of the loop.
        latents: (B C H W) after the step.
        clean_latents: (B C H W) estimate of where the loop will end, for previews.
    """

    number: int
    num_steps: int
    latents: Tensor
    clean_latents: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopState:
    """All that a loop needs to go on later, and to end with the same result."""

    steps_done: int
    latents: Tensor
    generator: Tensor
    history: dict[str, Tensor]

    def to_tensors(self) -> dict[str, Tensor]:
        """The state as named tensors, as a safetensors file takes them."""
        return {
            "steps_done": torch.tensor(self.steps_done),
            "latents": self.latents,
            "generator": self.generator,
            **{f"history.{name}": tensor for name, tensor in self.history.items()},
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The state that `to_tensors` made `tensors` from."""
        prefix = "history."
        return cls(
            steps_done=int(tensors["steps_done"]),
            latents=tensors["latents"],
            generator=tensors["generator"],
            history={
                name.removeprefix(prefix): tensor
                for name, tensor in tensors.items()
                if name.startswith(prefix)
            },
        )


class DenoisingLoop:
    """From noise to latents; can be stopped between steps, saved, and continued.

    To cancel, raise from `on_step`.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        solver: Solver,
        guidance: Guidance,
        *,
        latents: Tensor,
        generator: torch.Generator,
    ) -> None:
        """Begin with `latents` (B C H W) of noise; `generator` belongs to the whole clip."""
        self._denoiser = denoiser
        self._solver = solver
        self._guidance = guidance
        self._generator = generator
        self._timesteps = solver.timesteps
        self._latents = latents
        self._steps_done = 0

    @property
    def num_steps(self) -> int:
        """Steps from the beginning to the end."""
        return len(self._timesteps)

    @property
    def is_done(self) -> bool:
        """Whether no step is left."""
        return self._steps_done == self.num_steps

    @property
    def latents(self) -> Tensor:
        """(B C H W) after the steps so far."""
        return self._latents

    def run(self, on_step: Callable[[Step], None] | None = None) -> Tensor:
        """Do the steps that are left, and return the latents (B C H W)."""
        while not self.is_done:
            step = self.step()
            if on_step is not None:
                on_step(step)
        return self._latents

    def step(self) -> Step:
        """Do the next step. A loop whose step failed goes on with `restore` only."""
        index = self._steps_done
        branches = self._denoiser(self._latents, self._timesteps[index])
        # Reduced precision ends here: solvers compute and draw noise in float32 on every device.
        prediction = self._guidance.combine(branches.float())
        self._latents, clean_latents = self._solver.step(
            prediction, index, self._latents, self._generator
        )
        self._steps_done += 1
        return Step(
            number=self._steps_done,
            num_steps=self.num_steps,
            latents=self._latents,
            clean_latents=clean_latents,
        )

    def state(self) -> LoopState:
        """A copy of where the loop is now."""
        return LoopState(
            steps_done=self._steps_done,
            latents=self._latents.clone(),
            generator=self._generator.get_state(),
            history=self._solver.history(),
        )

    def restore(self, state: LoopState) -> None:
        """Go on from `state`, which a loop of the same making gave."""
        self._steps_done = state.steps_done
        self._latents = state.latents.clone()
        self._generator.set_state(state.generator)
        self._solver.restore(state.history, state.steps_done)
