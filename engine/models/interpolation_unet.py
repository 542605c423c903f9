"""The `interpolation` U-Net: three frames between every two neighbours of a clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor, nn

from engine.models.conditions import BatchLayout, LoopConditions, StepConditions
from engine.models.temporal import GroupAttentionBlock
from engine.models.unet import (
    Level,
    LevelPlan,
    UNet,
    attention_block,
    convolutions_and_attention,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.config import UNetConfig
    from engine.models.layers import TextContext
    from engine.models.unet import BlockPlan

_NUM_SKIP_FRAMES = 20  # entries of the table that `skip_frames` looks up


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupConditions:
    """What the network is told of the groups, in R contexts: one for each guidance branch.

    Attributes:
        num_groups: groups of each branch.
        mask: (R) 1 where a branch may look at its neighbouring groups, 0 where it may not.
        perturbation_time: (R) diffusion time of noise on the two known frames.
        skip_frames: (R) frames of the finished clip that lie between two of these, 0 to 19.
    """

    num_groups: int
    mask: Tensor
    perturbation_time: Tensor
    skip_frames: Tensor


class _Block(nn.ModuleList):
    """ResNet block, cross attention, ResNet block; the convolutions look across the groups."""

    def __init__(self, plan: LevelPlan, block: BlockPlan) -> None:
        self.has_cross_attention = plan.has_cross_attention
        # A slot may be empty: the place in the list is part of the checkpoint's keys.
        super().__init__(convolutions_and_attention(plan, block, over_groups=True))  # pyright: ignore[reportArgumentType]

    def layers(self) -> Iterator[nn.Module]:
        """The layers in their order, without an empty slot."""
        yield self[0]
        if self.has_cross_attention:
            yield self[1]
        yield self[2]


class _Level(Level):
    def __init__(self, plan: LevelPlan) -> None:
        super().__init__()
        self.self_attention_block = None
        self.temporal_attention_block = None
        if plan.has_self_attention:
            self.self_attention_block = attention_block(plan, plan.attention_channels)
            self.temporal_attention_block = GroupAttentionBlock(
                plan.attention_channels,
                plan.config.time_embed_dim,
                groups=plan.config.groups,
                head_dim=plan.config.head_dim,
                expansion_ratio=plan.config.expansion_ratio,
            )
        self.resnet_attn_blocks = nn.ModuleList(_Block(plan, block) for block in plan.blocks)

    def attentions(self) -> Iterator[nn.Module]:
        for block in (self.self_attention_block, self.temporal_attention_block):
            if block is not None:
                yield block

    def convolutions(self) -> Iterator[nn.Module]:
        for block in self.resnet_attn_blocks:
            assert isinstance(block, _Block)
            yield from block.layers()


class _DownLevel(_Level):
    def layers(self, step: StepConditions) -> Iterator[nn.Module]:  # noqa: ARG002 - one path
        yield from self.attentions()
        yield from self.convolutions()


class _UpLevel(_Level):
    def layers(self, step: StepConditions) -> Iterator[nn.Module]:  # noqa: ARG002 - one path
        yield from self.convolutions()
        yield from self.attentions()


class InterpolationUNet(UNet):
    """Predicts, for every group, the velocity of three frames between two known ones."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config, down_level=_DownLevel, up_level=_UpLevel)
        self.perturbation_to_time_embed = self.embedding(config)
        self.time_embed_merge = nn.Parameter(torch.zeros(1))
        self.skip_merge = nn.Parameter(torch.zeros(1))
        self.skip_embeddings = nn.Embedding(_NUM_SKIP_FRAMES, config.time_embed_dim)

    def conditions(
        self,
        times: Tensor,
        text: TextContext,
        *,
        groups: GroupConditions,
        table_device: torch.device | None = None,
    ) -> LoopConditions:
        """Phase 1: what `denoise` is told in every step.

        Args:
            times: (S R) diffusion times, 0 to 999, of S steps and R contexts.
            text: the prompts of the contexts.
            groups: how the batch is made up: a branch for each context.
            table_device: where scales and shifts are kept; None: where the network is.
        """
        embed = torch.lerp(
            self.to_time_embed(times),
            self.perturbation_to_time_embed(groups.perturbation_time[None]),
            self.time_embed_merge,  # PARITY: this gate interpolates ...
        )
        # PARITY: ... while this one adds.
        embed = embed + self.skip_merge * self.skip_embeddings(groups.skip_frames)
        branch_rows = torch.arange(times.shape[1], device=times.device)
        return self.loop_conditions(
            self.feature_pooling(embed, text),
            None,
            text,
            BatchLayout.of_branches(branch_rows, groups.num_groups, group_mask=groups.mask),
            table_device=table_device,
        )

    def forward(
        self, x: Tensor, time: Tensor, text: TextContext, *, groups: GroupConditions
    ) -> Tensor:
        """Predict the velocity (Salimans and Ho, 2022) of the frames in `x`, in both phases.

        Args:
            x: ((R G) 20 H W) latents of the known frame before (4), of the three noisy frames
                (12), and of the known frame after (4).
            time: (R) diffusion time, 0 to 999.
            text: R prompts.
            groups: how the batch is made up.

        Returns:
            ((R G) 12 H W) the velocity of the three frames.
        """
        times = rearrange(time, "r -> 1 r")
        return self.denoise(x, self.conditions(times, text, groups=groups).at(0))
