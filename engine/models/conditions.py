"""What a U-Net is told besides the noisy latents, computed for all steps before the first.

Scales and shifts of the normalisations and the prompt's keys and values depend on the time step,
the prompt, the frame and a few numbers, and not on the latents. So they are computed beforehand
(phase 1), and the network itself (phase 2) only looks them up.

Shapes: S steps; R distinct contexts ("rows"), each a prompt with its own numbers; F pictures of a
branch (frames of a clip, groups of the interpolation, or 1); B = (branches F) pictures of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Self

import torch
from einops import rearrange

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from engine.models.layers import ConditionalGroupNorm


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLayout:
    """How the batch of phase 2 is made up: (branches F), the pictures of a branch in a row.

    Attributes:
        branch_rows: (branches) the context of each branch.
        num_frames: pictures of each branch.
        rows: (B) row of the normalisations that do not see which frame it is.
        frame_rows: (B) row of those that do; None where no layer looks along the frames.
        group_mask: (B) 1 where a picture may look at the other groups of its branch, 0 where it
            may not; None where there are no groups.
    """

    branch_rows: Tensor
    num_frames: int
    rows: Tensor
    frame_rows: Tensor | None
    group_mask: Tensor | None

    @classmethod
    def of_branches(
        cls,
        branch_rows: Tensor,
        num_frames: int,
        *,
        sees_frames: bool = False,
        group_mask: Tensor | None = None,
    ) -> Self:
        """The layout of branches that have the contexts `branch_rows` (branches).

        Args:
            branch_rows: integers from 0 to R - 1.
            num_frames: pictures of each branch.
            sees_frames: whether there are rows for every frame of every context.
            group_mask: (R) one number for each context.
        """
        rows = branch_rows.repeat_interleave(num_frames)
        frame = torch.arange(num_frames, device=rows.device).repeat(len(branch_rows))
        return cls(
            branch_rows=branch_rows,
            num_frames=num_frames,
            rows=rows,
            frame_rows=rows * num_frames + frame if sees_frames else None,
            group_mask=None if group_mask is None else group_mask[rows],
        )

    @property
    def num_branches(self) -> int:
        """Guidance branches in the batch."""
        return self.branch_rows.shape[0]

    def branch(self, index: int) -> BatchLayout:
        """The layout of one of the branches alone."""
        pictures = slice(index * self.num_frames, (index + 1) * self.num_frames)
        return BatchLayout(
            branch_rows=self.branch_rows[index : index + 1],
            num_frames=self.num_frames,
            rows=self.rows[pictures],
            frame_rows=None if self.frame_rows is None else self.frame_rows[pictures],
            group_mask=None if self.group_mask is None else self.group_mask[pictures],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptStates:
    """What the pixels attend to in one layer: (R N C) each, with the mask (R N) of the prompts."""

    key: Tensor
    value: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class StepConditions:
    """All that phase 2 is told in one step.

    Attributes:
        modulations: by the place of the normalisation in its network: (rows 2C) scale and shift.
        prompts: keys and values by the place of the layer that attends to the prompt.
        layout: of the batch.
    """

    modulations: Mapping[int, Tensor]
    prompts: Sequence[PromptStates]
    layout: BatchLayout

    def modulation(self, norm: ConditionalGroupNorm) -> Tensor:
        """(B 2C) scale and shift of every picture, for `norm`."""
        rows = self.layout.frame_rows if norm.sees_frames else self.layout.rows
        assert rows is not None
        return self.modulations[norm.place].index_select(0, rows)

    def prompt(self, place: int) -> PromptStates:
        """Keys and values (branches N C) of every branch, for the attention at `place`."""
        states, rows = self.prompts[place], self.layout.branch_rows
        return PromptStates(
            key=states.key.index_select(0, rows),
            value=states.value.index_select(0, rows),
            mask=states.mask.index_select(0, rows),
        )

    def branch(self, index: int) -> StepConditions:
        """The same for one of the branches alone."""
        return replace(self, layout=self.layout.branch(index))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """Where the values of one normalisation lie in a row of the table."""

    begin: int
    end: int
    num_rows: int


class ModulationTable:
    """Scale and shift of all normalisations for all steps, in one tensor (S values).

    It may lie in another memory than the network: then one step of it is one copy.
    """

    def __init__(
        self,
        norms: Sequence[ConditionalGroupNorm],
        *,
        num_steps: int,
        num_rows: int,
        num_frame_rows: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        """An empty table with room for `norms`."""
        rows = [num_frame_rows if norm.sees_frames else num_rows for norm in norms]
        sizes = (
            count * 2 * norm.norm.num_channels for count, norm in zip(rows, norms, strict=True)
        )
        edges = pairwise(accumulate(sizes, initial=0))
        self._spans = {
            norm.place: _Span(begin=begin, end=end, num_rows=count)
            for norm, count, (begin, end) in zip(norms, rows, edges, strict=True)
        }
        num_values = max((span.end for span in self._spans.values()), default=0)
        self._values = torch.empty((num_steps, num_values), dtype=dtype, device=device)

    @property
    def places(self) -> frozenset[int]:
        """The normalisations that it has values for."""
        return frozenset(self._spans)

    @property
    def step_bytes(self) -> int:
        """Of the values of one step."""
        return self._values.shape[1] * self._values.element_size()

    def put(self, place: int, modulation: Tensor) -> None:
        """Keep `modulation` (S rows 2C) of the normalisation at `place`."""
        span = self._spans[place]
        self._values[:, span.begin : span.end] = rearrange(modulation, "s r c -> s (r c)")

    def at(self, step_index: int, device: torch.device) -> dict[int, Tensor]:
        """(rows 2C) for each place in a step, all views of one copy on `device`."""
        values = self._values[step_index].to(device)
        return {
            place: rearrange(values[span.begin : span.end], "(r c) -> r c", r=span.num_rows)
            for place, span in self._spans.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopConditions:
    """All that phase 2 is told in all steps of a loop.

    Attributes:
        table: scales and shifts of every step.
        prompts: keys and values, the same in every step.
        layout: of the batch.
    """

    table: ModulationTable
    prompts: Sequence[PromptStates]
    layout: BatchLayout

    @property
    def step_bytes(self) -> int:
        """Of the scales and shifts of one step."""
        return self.table.step_bytes

    @property
    def fixed_bytes(self) -> int:
        """Of what stays with the network throughout the loop."""
        layout = self.layout
        tensors = [layout.branch_rows, layout.rows, layout.frame_rows, layout.group_mask]
        tensors += [states.mask for states in self.prompts[:1]]  # all layers share the mask
        tensors += [part for states in self.prompts for part in (states.key, states.value)]
        return sum(tensor.nbytes for tensor in tensors if tensor is not None)

    def at(self, step_index: int) -> StepConditions:
        """What step `step_index`, from 0, is told, where the network is."""
        return StepConditions(
            modulations=self.table.at(step_index, self.layout.rows.device),
            prompts=self.prompts,
            layout=self.layout,
        )
