"""The two passes of a denoising loop, traced: the conditions of all steps, and a step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

import torch

from engine.memory.plan import PassTrace, Variant
from engine.memory.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from engine.checkpoint.folder import ModelPart
    from engine.denoisers import LoopDenoiser
    from engine.memory.pass_tracer import PassTracer

_TRACED_STEPS = (1, 2)
_REMEMBERED_STEPS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopTraces:
    """The two passes of a denoising loop, each with the ways to do it in order of preference.

    Attributes:
        conditions: what is computed once for all steps.
        steps: the network itself.
    """

    conditions: Ways
    steps: Ways

    @property
    def table_bytes(self) -> int:
        """Bytes of the scales and shifts of all steps, in main memory."""
        return self.conditions[0].table_bytes


class LoopTracer:
    """Traces one loop. What its denoiser prepares is there only where something is traced."""

    def __init__(
        self,
        passes: PassTracer,
        name: str,
        part: ModelPart,
        denoiser_of: Callable[[int], LoopDenoiser],
        latents: Tensor,
        *,
        num_steps: int,
    ) -> None:
        """A loop of `num_steps` over `latents`.

        Args:
            passes: does the dry runs.
            name: of the stage.
            part: the network.
            denoiser_of: makes a denoiser for a number of steps.
            latents: what the loop works on, on the meta device.
            num_steps: of the loop.
        """
        self._passes = passes
        self._name = name
        self._part = part
        self._denoiser_of = denoiser_of
        self._latents = latents
        self._num_steps = num_steps

    def traces(self) -> LoopTraces:
        """The ways to do both passes, each traced when somebody looks at it."""
        part, passes = self._part, self._passes
        # A model that is small is never in 8 bit: all its weights stay.
        has_8bit = passes.sizes.eight_bit_bytes.get(part) is not None and not passes.is_small
        variants = [
            Variant(branches_together=together, is_8bit=in_8bit)
            for in_8bit in ((False, True) if has_8bit else (False,))
            for together in (True, False)
        ]
        shape = (tuple(self._latents.shape), self._num_steps)
        conditions = partial(
            passes.trace_once, f"{self._name} conditions", shape, Variant(), self._conditions
        )
        steps = [
            partial(passes.trace_once, self._name, shape, variant, partial(self._step, variant))
            for variant in variants
        ]
        return LoopTraces(conditions=Ways([conditions]), steps=Ways(steps))

    @cached_property
    def _denoiser(self) -> LoopDenoiser:
        """For few steps, with its conditions."""
        denoiser = self._denoiser_of(_TRACED_STEPS[0])
        with self._passes.lock, torch.no_grad():
            denoiser.prepare()
        return denoiser

    def _step(self, variant: Variant) -> PassTrace:
        denoiser, latents, num_steps = self._denoiser, self._latents, self._num_steps
        conditions = denoiser.conditions
        # Latents and what the step begins with; and what a solver remembers of the steps before:
        # for each of the last two, its prediction and what it made of it.
        held = (2 + 2 * min(num_steps - 1, _REMEMBERED_STEPS)) * latents.nbytes
        held += conditions.fixed_bytes
        held += conditions.step_bytes * (1 if self._passes.is_on_card else num_steps)
        together = variant.branches_together
        return self._passes.trace(
            self._name,
            self._part,
            variant,
            lambda: denoiser(latents, 0) if together else denoiser.branch(latents, 0, 0),
            repeats=num_steps * (1 if together else denoiser.num_branches),
            held_bytes=held,
        )

    def _conditions(self) -> PassTrace:
        """The pass that computes the conditions of all steps.

        Every step adds the same, so few of them are enough to know.
        """
        few, more = (self._denoiser_of(count) for count in _TRACED_STEPS)
        traces = [
            self._passes.trace(
                f"{self._name} conditions",
                self._part,
                Variant(),
                denoiser.prepare,
                repeats=1,
                held_bytes=0,
            )
            for denoiser in (few, more)
        ]
        self._denoiser = few
        step_bytes = few.conditions.step_bytes
        others = self._num_steps - _TRACED_STEPS[0]
        # On a card the table of all steps is in main memory.
        table = step_bytes if self._passes.is_on_card else 0
        uses = tuple(
            replace(
                use,
                flops=use.flops + others * (then.flops - use.flops),
                moved_bytes=use.moved_bytes + others * (then.moved_bytes - use.moved_bytes),
                live_bytes=use.live_bytes
                - _TRACED_STEPS[0] * table
                + others * (then.live_bytes - use.live_bytes - table),
            )
            for use, then in zip(*(trace.uses for trace in traces), strict=True)
        )
        return replace(traces[0], uses=uses, table_bytes=step_bytes * self._num_steps)
