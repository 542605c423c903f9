"""The `t2v` U-Net: it draws the key frame, and from a key frame the twelve base frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor, nn

from engine.models.conditions import BatchLayout, LoopConditions, StepConditions
from engine.models.temporal import FrameAttentionBlock, TemporalResNetBlock
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


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoConditions:
    """What the video path is told of the clips, R contexts of them.

    Attributes:
        num_frames: frames of each clip.
        noise_augmentation: (R) diffusion time of the noise on the key frame; None: not told.
        motion_score: (R) how much is to move; None: not told.
    """

    num_frames: int
    noise_augmentation: Tensor | None = None
    motion_score: Tensor | None = None


def _sees_frames(step: StepConditions) -> bool:
    """Whether it is a step of the video path."""
    return step.layout.frame_rows is not None


class _Block(nn.ModuleList):
    """ResNet block, cross attention, ResNet block, and a temporal block for each of the two."""

    def __init__(self, plan: LevelPlan, block: BlockPlan, *, temporal_channels: int) -> None:
        self.has_cross_attention = plan.has_cross_attention
        temporal_blocks = (
            TemporalResNetBlock(
                temporal_channels,
                plan.config.time_embed_dim,
                groups=plan.config.groups,
                compression_ratio=plan.config.compression_ratio,
            )
            for _ in range(2)
        )
        # A slot may be empty: the place in the list is part of the checkpoint's keys.
        super().__init__((*convolutions_and_attention(plan, block), *temporal_blocks))  # pyright: ignore[reportArgumentType]

    def layers(self, *order: int) -> Iterator[nn.Module]:
        """The layers in the slots `order`, without an empty one."""
        for slot in order:
            if slot != _ATTENTION or self.has_cross_attention:
                yield self[slot]


_FIRST, _ATTENTION, _SECOND, _FIRST_TEMPORAL, _SECOND_TEMPORAL = range(5)
_OF_PICTURES = (_FIRST, _ATTENTION, _SECOND)
_DOWN_ORDER = (_FIRST, _FIRST_TEMPORAL, _ATTENTION, _SECOND, _SECOND_TEMPORAL)
_UP_ORDER = (_FIRST_TEMPORAL, _FIRST, _ATTENTION, _SECOND_TEMPORAL, _SECOND)


class _Level(Level):
    """The blocks of a level; its subclasses say in which order things run."""

    def __init__(self, plan: LevelPlan) -> None:
        super().__init__()
        self.self_attention_block = (
            attention_block(plan, plan.attention_channels) if plan.has_self_attention else None
        )
        self.temporal_attention_block = (
            FrameAttentionBlock(
                plan.attention_channels,
                plan.config.time_embed_dim,
                groups=plan.config.groups,
                head_dim=plan.config.head_dim,
                expansion_ratio=plan.config.expansion_ratio,
            )
            if plan.has_self_attention
            else None
        )

    def _in_blocks(self, step: StepConditions, video_order: tuple[int, ...]) -> Iterator[nn.Module]:
        blocks = self.resnet_attn_blocks
        assert isinstance(blocks, nn.ModuleList)
        for block in blocks:
            assert isinstance(block, _Block)
            yield from block.layers(*(video_order if _sees_frames(step) else _OF_PICTURES))


class _DownLevel(_Level):
    def __init__(self, plan: LevelPlan) -> None:
        super().__init__(plan)
        self.resnet_attn_blocks = nn.ModuleList(
            _Block(plan, block, temporal_channels=block.out_channels) for block in plan.blocks
        )

    def layers(self, step: StepConditions) -> Iterator[nn.Module]:
        if self.self_attention_block is not None:
            yield self.self_attention_block
        if self.temporal_attention_block is not None and _sees_frames(step):
            yield self.temporal_attention_block
        yield from self._in_blocks(step, _DOWN_ORDER)


class _UpLevel(_Level):
    def __init__(self, plan: LevelPlan) -> None:
        super().__init__(plan)
        self.resnet_attn_blocks = nn.ModuleList(
            _Block(plan, block, temporal_channels=block.middle_channels) for block in plan.blocks
        )

    def layers(self, step: StepConditions) -> Iterator[nn.Module]:
        yield from self._in_blocks(step, _UP_ORDER)
        if self.temporal_attention_block is not None and _sees_frames(step):
            yield self.temporal_attention_block
        if self.self_attention_block is not None:
            yield self.self_attention_block


class KeyFrameUNet(UNet):
    """One network with two paths: pictures (no layer looks along time), and clips."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config, down_level=_DownLevel, up_level=_UpLevel)
        self.to_temporal_embed = self.embedding(config)
        self.image_in_layer = self.first_layer(config)
        self.temporal_noise_aug_time_encoding = self.embedding(config)
        self.temporal_motion_score_encoding = self.embedding(config)

    def conditions(
        self,
        times: Tensor,
        text: TextContext,
        *,
        video: VideoConditions | None,
        branch_rows: Tensor | None = None,
        table_device: torch.device | None = None,
    ) -> LoopConditions:
        """Phase 1: what `denoise` is told in every step.

        Args:
            times: (S R) diffusion times, 0 to 999, of S steps and R contexts.
            text: the prompts of the contexts.
            video: None takes the image path, with one picture a branch.
            branch_rows: (branches) which context each branch has; None: a branch for each.
            table_device: where scales and shifts are kept; None: where the network is.
        """
        if branch_rows is None:
            branch_rows = torch.arange(times.shape[1], device=times.device)
        embed = self.feature_pooling(self.to_time_embed(times), text)
        return self.loop_conditions(
            embed,
            None if video is None else self._frame_embed(embed, video),
            text,
            BatchLayout.of_branches(
                branch_rows,
                1 if video is None else video.num_frames,
                sees_frames=video is not None,
            ),
            table_device=table_device,
        )

    def forward(
        self, x: Tensor, time: Tensor, text: TextContext, *, video: VideoConditions | None
    ) -> Tensor:
        """Predict the noise in `x`: both phases, for one step.

        Args:
            x: ((R F) 9 H W) noisy latents (4), the key frame's latents (4), and its mask (1).
            time: (R) diffusion time, 0 to 999.
            text: R prompts.
            video: None takes the image path, where F is 1.

        Returns:
            ((R F) 4 H W) the noise.
        """
        times = rearrange(time, "r -> 1 r")
        return self.denoise(x, self.conditions(times, text, video=video).at(0))

    def input_layer(self, step: StepConditions) -> nn.Module:
        """The first layer of the path."""
        # PARITY: pictures and clips have first layers of their own. The official code tells them
        # apart by the size of the batch; here the conditions say which path it is.
        return self.in_layer if _sees_frames(step) else self.image_in_layer

    def _frame_embed(self, embed: Tensor, video: VideoConditions) -> Tensor:
        """(S R embed_dim) to (S (R F) embed_dim)."""
        position = torch.arange(video.num_frames, device=embed.device)
        frame = rearrange(self.to_temporal_embed(position[None]), "1 f e -> 1 1 f e")
        if video.noise_augmentation is not None:
            told = self.temporal_noise_aug_time_encoding(video.noise_augmentation[None])
            frame = frame + rearrange(told, "1 r e -> 1 r 1 e")
        if video.motion_score is not None:
            told = self.temporal_motion_score_encoding(video.motion_score[None])
            frame = frame + rearrange(told, "1 r e -> 1 r 1 e")
        return rearrange(rearrange(embed, "s r e -> s r 1 e") + frame, "s r f e -> s (r f) e")
