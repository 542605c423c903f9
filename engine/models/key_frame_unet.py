"""The `t2v` U-Net: it draws the key frame, and from a key frame the twelve base frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from engine.models.temporal import FrameAttentionBlock, TemporalResNetBlock
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


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoConditions:
    """What the video path is told of the clip. The batch is (clips frames), frames in a row.

    Attributes:
        num_frames: frames of each clip in the batch.
        position: (B) each frame's place in its clip, from 0.
        noise_augmentation: (B) diffusion time of the noise on the key frame; None: not told.
        motion_score: (B) how much is to move; None: not told.
    """

    num_frames: int
    position: Tensor
    noise_augmentation: Tensor | None = None
    motion_score: Tensor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conditions:
    """Embeddings for the levels; `frames` is None on the image path."""

    time: Tensor
    text: TextContext
    frames: Tensor | None
    num_frames: int


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

    def first(self, x: Tensor, conditions: _Conditions) -> Tensor:
        return self[0](x, conditions.time)

    def attend(self, x: Tensor, conditions: _Conditions) -> Tensor:
        if not self.has_cross_attention:
            return x
        return self[1](x, conditions.time, conditions.text)

    def second(self, x: Tensor, conditions: _Conditions) -> Tensor:
        return self[2](x, conditions.time)

    def first_temporal(self, x: Tensor, conditions: _Conditions) -> Tensor:
        return self._temporal(3, x, conditions)

    def second_temporal(self, x: Tensor, conditions: _Conditions) -> Tensor:
        return self._temporal(4, x, conditions)

    def _temporal(self, slot: int, x: Tensor, conditions: _Conditions) -> Tensor:
        if conditions.frames is None:
            return x
        return self[slot](x, conditions.frames, conditions.num_frames)


class _Level(nn.Module):
    """The attention blocks of a level; its subclasses say in which order things run."""

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

    def attend_in_frames(self, x: Tensor, conditions: _Conditions) -> Tensor:
        if self.self_attention_block is None:
            return x
        return self.self_attention_block(x, conditions.time)

    def attend_over_frames(self, x: Tensor, conditions: _Conditions) -> Tensor:
        if self.temporal_attention_block is None or conditions.frames is None:
            return x
        return self.temporal_attention_block(x, conditions.frames, conditions.num_frames)


class _DownLevel(_Level):
    def __init__(self, plan: LevelPlan) -> None:
        super().__init__(plan)
        self.resnet_attn_blocks = nn.ModuleList(
            _Block(plan, block, temporal_channels=block.out_channels) for block in plan.blocks
        )

    def forward(self, x: Tensor, conditions: _Conditions) -> Tensor:
        x = self.attend_in_frames(x, conditions)
        x = self.attend_over_frames(x, conditions)
        for block in self.resnet_attn_blocks:
            assert isinstance(block, _Block)
            x = block.first(x, conditions)
            x = block.first_temporal(x, conditions)
            x = block.attend(x, conditions)
            x = block.second(x, conditions)
            x = block.second_temporal(x, conditions)
        return x


class _UpLevel(_Level):
    def __init__(self, plan: LevelPlan) -> None:
        super().__init__(plan)
        self.resnet_attn_blocks = nn.ModuleList(
            _Block(plan, block, temporal_channels=block.middle_channels) for block in plan.blocks
        )

    def forward(self, x: Tensor, conditions: _Conditions) -> Tensor:
        for block in self.resnet_attn_blocks:
            assert isinstance(block, _Block)
            x = block.first_temporal(x, conditions)
            x = block.first(x, conditions)
            x = block.attend(x, conditions)
            x = block.second_temporal(x, conditions)
            x = block.second(x, conditions)
        x = self.attend_over_frames(x, conditions)
        return self.attend_in_frames(x, conditions)


class KeyFrameUNet(UNet):
    """One network with two paths: pictures (no layer looks along time), and clips."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config, down_level=_DownLevel, up_level=_UpLevel)
        self.to_temporal_embed = self.embedding(config)
        self.image_in_layer = self.first_layer(config)
        self.temporal_noise_aug_time_encoding = self.embedding(config)
        self.temporal_motion_score_encoding = self.embedding(config)

    def forward(
        self, x: Tensor, time: Tensor, text: TextContext, *, video: VideoConditions | None
    ) -> Tensor:
        """Predict the noise in `x`.

        Args:
            x: (B 9 H W) noisy latents (4), the key frame's latents (4), and its mask (1).
            time: (B) diffusion time, 0 to 999.
            text: the prompts, B of them.
            video: None takes the image path.

        Returns:
            (B 4 H W) the noise.
        """
        conditions = _Conditions(
            time=self.feature_pooling(self.to_time_embed(time), text),
            text=text,
            frames=None,
            num_frames=1,
        )
        # PARITY: pictures and clips have first layers of their own. The official code tells them
        # apart by the size of the batch; here the caller says which path it takes.
        if video is None:
            x = self.image_in_layer(x)
        else:
            x = self.in_layer(x)
            conditions = _Conditions(
                time=conditions.time,
                text=text,
                frames=conditions.time + self._frame_embedding(video),
                num_frames=video.num_frames,
            )
        return self.through_levels(x, lambda level, states: level(states, conditions))

    def _frame_embedding(self, video: VideoConditions) -> Tensor:
        embedding = self.to_temporal_embed(video.position)
        if video.noise_augmentation is not None:
            embedding = embedding + self.temporal_noise_aug_time_encoding(video.noise_augmentation)
        if video.motion_score is not None:
            embedding = embedding + self.temporal_motion_score_encoding(video.motion_score)
        return embedding
