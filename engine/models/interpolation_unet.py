"""The `interpolation` U-Net: three frames between every two neighbours of a clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.models.temporal import GroupAttentionBlock, GroupLayout
from engine.models.unet import (
    LevelPlan,
    UNet,
    attention_block,
    convolutions_and_attention,
)

if TYPE_CHECKING:
    from engine.config import UNetConfig
    from engine.models.layers import TextContext
    from engine.models.unet import BlockPlan

_NUM_SKIP_FRAMES = 20  # entries of the table that `skip_frames` looks up


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupConditions:
    """What the network is told of the groups. The batch is (branches groups), groups in a row.

    Attributes:
        num_groups: groups of each guidance branch.
        mask: (B) 1 where a branch may look at its neighbouring groups, 0 where it may not.
        perturbation_time: (B) diffusion time of noise on the two known frames.
        skip_frames: (B) frames of the finished clip that lie between two of these, 0 to 19.
    """

    num_groups: int
    mask: Tensor
    perturbation_time: Tensor
    skip_frames: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conditions:
    time: Tensor
    text: TextContext
    layout: GroupLayout


class _Block(nn.ModuleList):
    """ResNet block, cross attention, ResNet block; the convolutions look across the groups."""

    def __init__(self, plan: LevelPlan, block: BlockPlan) -> None:
        self.has_cross_attention = plan.has_cross_attention
        # A slot may be empty: the place in the list is part of the checkpoint's keys.
        super().__init__(convolutions_and_attention(plan, block, over_groups=True))  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor, conditions: _Conditions) -> Tensor:
        x = self[0](x, conditions.time, conditions.layout)
        if self.has_cross_attention:
            x = self[1](x, conditions.time, conditions.text)
        return self[2](x, conditions.time, conditions.layout)


class _Level(nn.Module):
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

    def attend(self, x: Tensor, conditions: _Conditions) -> Tensor:
        if self.self_attention_block is None or self.temporal_attention_block is None:
            return x
        x = self.self_attention_block(x, conditions.time)
        return self.temporal_attention_block(x, conditions.time, conditions.layout)

    def convolve(self, x: Tensor, conditions: _Conditions) -> Tensor:
        for block in self.resnet_attn_blocks:
            x = block(x, conditions)
        return x


class _DownLevel(_Level):
    def forward(self, x: Tensor, conditions: _Conditions) -> Tensor:
        return self.convolve(self.attend(x, conditions), conditions)


class _UpLevel(_Level):
    def forward(self, x: Tensor, conditions: _Conditions) -> Tensor:
        return self.attend(self.convolve(x, conditions), conditions)


class InterpolationUNet(UNet):
    """Predicts, for every group, the velocity of three frames between two known ones."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config, down_level=_DownLevel, up_level=_UpLevel)
        self.perturbation_to_time_embed = self.embedding(config)
        self.time_embed_merge = nn.Parameter(torch.zeros(1))
        self.skip_merge = nn.Parameter(torch.zeros(1))
        self.skip_embeddings = nn.Embedding(_NUM_SKIP_FRAMES, config.time_embed_dim)

    def forward(
        self, x: Tensor, time: Tensor, text: TextContext, *, groups: GroupConditions
    ) -> Tensor:
        """Predict the velocity (Salimans and Ho, 2022) of the frames in `x`.

        Args:
            x: (B 20 H W) latents of the known frame before (4), of the three noisy frames (12),
                and of the known frame after (4).
            time: (B) diffusion time, 0 to 999.
            text: the prompts, B of them.
            groups: how the batch is made up.

        Returns:
            (B 12 H W) the velocity of the three frames.
        """
        embed = torch.lerp(
            self.to_time_embed(time),
            self.perturbation_to_time_embed(groups.perturbation_time),
            self.time_embed_merge,  # PARITY: this gate interpolates ...
        )
        # PARITY: ... while this one adds.
        embed = embed + self.skip_merge * self.skip_embeddings(groups.skip_frames)
        conditions = _Conditions(
            time=self.feature_pooling(embed, text),
            text=text,
            layout=GroupLayout(num_branches=x.shape[0] // groups.num_groups, mask=groups.mask),
        )
        return self.through_levels(
            self.in_layer(x), lambda level, states: level(states, conditions)
        )
