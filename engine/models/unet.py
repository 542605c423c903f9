"""What both U-Nets share: the plan of their levels, and the way through them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.models.conditions import (
    BatchLayout,
    LoopConditions,
    ModulationTable,
    PromptStates,
    StepConditions,
)
from engine.models.layers import (
    AttentionBlock,
    AttentionPooling,
    ConditionalGroupNorm,
    TextContext,
    TimeEmbedding,
)
from engine.models.resnet import Resample, ResNetBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from engine.config import UNetConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPlan:
    """One level of a U-Net, on its way down or on its way up.

    Attributes:
        blocks: in and out channels of each block's two halves, and what the block's resampling
            half does to the resolution: the last one of the second halves on the way down, the
            first one of the first halves on the way up.
    """

    config: UNetConfig
    blocks: tuple[BlockPlan, ...]
    attention_channels: int
    has_cross_attention: bool
    has_self_attention: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPlan:
    """Channels and resampling of the two ResNet blocks around a cross attention."""

    in_channels: int
    middle_channels: int
    out_channels: int
    in_resample: Resample = Resample.NONE
    out_resample: Resample = Resample.NONE


def down_plans(config: UNetConfig) -> list[LevelPlan]:
    """The levels on the way down, finest first."""
    plans: list[LevelPlan] = []
    widths = _level_widths(config)
    for level, (narrow, wide) in enumerate(widths):
        is_last = level == len(widths) - 1
        num_blocks = config.num_blocks[level]
        blocks = tuple(
            BlockPlan(
                in_channels=narrow if index == 0 else wide,
                middle_channels=wide,
                out_channels=wide,
                out_resample=(
                    Resample.DOWN if index == num_blocks - 1 and not is_last else Resample.NONE
                ),
            )
            for index in range(num_blocks)
        )
        plans.append(_plan(config, level, blocks, attention_channels=narrow))
    return plans


def up_plans(config: UNetConfig) -> list[LevelPlan]:
    """The levels on the way up, coarsest first."""
    plans: list[LevelPlan] = []
    widths = _level_widths(config)
    for level, (narrow, wide) in reversed(list(enumerate(widths))):
        is_coarsest = level == len(widths) - 1
        num_blocks = config.num_blocks[level]
        joined = wide if is_coarsest else 2 * wide  # with the skip of the way down
        inputs = [joined, *(wide for _ in range(num_blocks - 1))]
        blocks = tuple(
            BlockPlan(
                in_channels=in_channels,
                middle_channels=in_channels,
                out_channels=narrow if index == num_blocks - 1 else wide,
                in_resample=Resample.UP if index == 0 and not is_coarsest else Resample.NONE,
            )
            for index, in_channels in enumerate(inputs)
        )
        plans.append(_plan(config, level, blocks, attention_channels=narrow))
    return plans


def _level_widths(config: UNetConfig) -> list[tuple[int, int]]:
    widths = [config.init_channels, *(config.model_channels * mult for mult in config.dim_mult)]
    return list(pairwise(widths))


def _plan(
    config: UNetConfig, level: int, blocks: tuple[BlockPlan, ...], *, attention_channels: int
) -> LevelPlan:
    return LevelPlan(
        config=config,
        blocks=blocks,
        attention_channels=attention_channels,
        has_cross_attention=config.add_cross_attention[level],
        has_self_attention=config.add_self_attention[level],
    )


def attention_block(
    plan: LevelPlan, channels: int, *, context_dim: int | None = None
) -> AttentionBlock:
    """A transformer block of the level's sizes; with `context_dim` it attends to the prompt."""
    return AttentionBlock(
        channels,
        plan.config.time_embed_dim,
        context_dim=context_dim,
        groups=plan.config.groups,
        head_dim=plan.config.head_dim,
        expansion_ratio=plan.config.expansion_ratio,
    )


def convolutions_and_attention(
    plan: LevelPlan, block: BlockPlan, *, over_groups: bool = False
) -> tuple[ResNetBlock, AttentionBlock | None, ResNetBlock]:
    """The two ResNet blocks of a block, and the attention to the prompt between them if any."""

    def resnet_block(in_channels: int, out_channels: int, resample: Resample) -> ResNetBlock:
        return ResNetBlock(
            in_channels,
            out_channels,
            plan.config.time_embed_dim,
            groups=plan.config.groups,
            compression_ratio=plan.config.compression_ratio,
            resample=resample,
            over_groups=over_groups,
        )

    attention = None
    if plan.has_cross_attention:
        attention = attention_block(
            plan, block.middle_channels, context_dim=plan.config.context_dim
        )
    return (
        resnet_block(block.in_channels, block.middle_channels, block.in_resample),
        attention,
        resnet_block(block.middle_channels, block.out_channels, block.out_resample),
    )


class Level(nn.Module):
    """The layers at one resolution, on the way down or on the way up."""

    def layers(self, step: StepConditions) -> Iterator[nn.Module]:
        """Modules that take x (B C H W) and `step` to the next x, one after the other.

        They come one by one so that who calls them can let go of each result before the next.
        """
        raise NotImplementedError


class UNet(nn.Module):
    """Embeddings, first and last layer, and the two ladders of levels with their skips.

    Conditions are computed first, for all steps of a loop (`conditions` of the subclasses); then
    `denoise` is asked once for every step. Both work in the type of the weights.
    """

    def __init__(
        self,
        config: UNetConfig,
        *,
        down_level: Callable[[LevelPlan], Level],
        up_level: Callable[[LevelPlan], Level],
    ) -> None:
        super().__init__()
        self.to_time_embed = self.embedding(config)
        self.feature_pooling = AttentionPooling(
            config.time_embed_dim, config.context_dim, config.head_dim
        )
        self.in_layer = self.first_layer(config)
        self.down_samples = nn.ModuleList(down_level(plan) for plan in down_plans(config))
        self.up_samples = nn.ModuleList(up_level(plan) for plan in up_plans(config))
        self.out_layer = nn.Sequential(
            nn.GroupNorm(config.groups, config.init_channels),
            nn.SiLU(inplace=True),
            nn.Conv2d(config.init_channels, config.out_channels, kernel_size=3, padding=1),
        )
        for place, norm in enumerate(self._norms()):
            norm.place = place
        for place, block in enumerate(self._prompt_blocks()):
            block.place = place

    @staticmethod
    def embedding(config: UNetConfig) -> TimeEmbedding:
        """An embedding of a number, in the network's sizes."""
        return TimeEmbedding(config.init_channels, config.time_embed_dim)

    @staticmethod
    def first_layer(config: UNetConfig) -> nn.Conv2d:
        """A layer from the input's channels to the first level's."""
        return nn.Conv2d(config.num_channels, config.init_channels, kernel_size=3, padding=1)

    def denoise(self, x: Tensor, step: StepConditions) -> Tensor:
        """Predict what the network predicts, for one step.

        Args:
            x: (B num_channels H W) noisy latents and what is known of the clip, in any type.
            step: of this network's conditions, for as many pictures.

        Returns:
            (B out_channels H W) in the type of the weights.

        Raises:
            ValueError: `step` is for another number of pictures.
        """
        if len(x) != len(step.layout.rows):
            raise ValueError(f"{len(x)} pictures, and conditions for {len(step.layout.rows)}")
        x = self.input_layer(step)(x.to(self._dtype))
        skips: list[Tensor] = []
        # All layers run in this frame: a function between would keep its input alive.
        for depth, level in enumerate(self.down_samples):
            assert isinstance(level, Level)
            if depth > 0:
                skips.append(x)
            for layer in level.layers(step):
                x = layer(x, step)
        for depth, level in enumerate(self.up_samples):
            assert isinstance(level, Level)
            if depth > 0:
                x = torch.cat([x, skips.pop()], dim=1)
            for layer in level.layers(step):
                x = layer(x, step)
        return self.out_layer(x)

    def input_layer(self, step: StepConditions) -> nn.Module:  # noqa: ARG002 - subclasses look
        """The layer that `denoise` begins with."""
        return self.in_layer

    def loop_conditions(
        self,
        embed: Tensor,
        frame_embed: Tensor | None,
        text: TextContext,
        layout: BatchLayout,
        *,
        table_device: torch.device | None,
    ) -> LoopConditions:
        """What follows from the embeddings and the prompts, for all steps.

        Args:
            embed: (S R embed_dim).
            frame_embed: (S (R F) embed_dim); None leaves out the layers that see frames.
            text: R prompts.
            layout: of the batch in phase 2.
            table_device: where scales and shifts are kept; None: where the network is.
        """
        norms = [norm for norm in self._norms() if frame_embed is not None or not norm.sees_frames]
        table = ModulationTable(
            norms,
            num_steps=embed.shape[0],
            num_rows=embed.shape[1],
            num_frame_rows=0 if frame_embed is None else frame_embed.shape[1],
            dtype=embed.dtype,
            device=table_device or embed.device,
        )
        for norm in norms:
            table.put(norm.place, norm.context_mlp(frame_embed if norm.sees_frames else embed))
        tokens = text.tokens.to(embed.dtype)
        prompts = [
            PromptStates(
                key=block.attention.to_key(tokens),
                value=block.attention.to_value(tokens),
                mask=text.mask,
            )
            for block in self._prompt_blocks()
        ]
        return LoopConditions(table=table, prompts=prompts, layout=layout)

    @property
    def _dtype(self) -> torch.dtype:
        # Of a weight that stays when the large ones come and go.
        return next(self.out_layer.parameters()).dtype

    def _norms(self) -> list[ConditionalGroupNorm]:
        return [module for module in self.modules() if isinstance(module, ConditionalGroupNorm)]

    def _prompt_blocks(self) -> list[AttentionBlock]:
        return [
            module
            for module in self.modules()
            if isinstance(module, AttentionBlock) and module.place is not None
        ]
