"""The MoVQ autoencoders: pictures to latents and back, and chunks of latents to frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

from engine.models.movq_layers import (
    Downsample,
    MoVQAttentionBlock,
    MoVQFrameAttentionBlock,
    MoVQResNetBlock,
    SpatialNorm,
    Upsample,
)

if TYPE_CHECKING:
    from engine.config import MoVQConfig


class _Middle(nn.Module):
    """The coarsest blocks; the frame attention is there in a temporal decoder only."""

    def __init__(
        self, channels: int, *, latent_channels: int | None = None, temporal: bool = False
    ) -> None:
        super().__init__()
        self.block_1 = MoVQResNetBlock(
            channels, channels, latent_channels=latent_channels, temporal=temporal
        )
        self.attn_1 = MoVQAttentionBlock(channels, latent_channels)
        self.temporal_attn_1 = (
            MoVQFrameAttentionBlock(channels, latent_channels) if temporal else None
        )
        self.block_2 = MoVQResNetBlock(
            channels, channels, latent_channels=latent_channels, temporal=temporal
        )

    def forward(self, x: Tensor, latents: Tensor | None = None) -> Tensor:
        x = self.attn_1(self.block_1(x, latents), latents)
        if self.temporal_attn_1 is not None:
            x = self.temporal_attn_1(x)
        return self.block_2(x, latents)


class _EncoderLevel(nn.Module):
    """ResNet blocks, each with attention behind it where the level has any, then half the size."""

    def __init__(
        self, in_channels: int, out_channels: int, config: MoVQConfig, *, level: int
    ) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            MoVQResNetBlock(in_channels if index == 0 else out_channels, out_channels)
            for index in range(config.num_res_blocks)
        )
        attends = config.resolution >> level in config.attn_resolutions
        self.attn = nn.ModuleList(MoVQAttentionBlock(out_channels) for _ in self.block if attends)
        is_last = level == len(config.ch_mult) - 1
        self.downsample = None if is_last else Downsample(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        for index, block in enumerate(self.block):
            x = block(x)
            if self.attn:
                x = self.attn[index](x)
        return x if self.downsample is None else self.downsample(x)


class _Encoder(nn.Module):
    def __init__(self, config: MoVQConfig) -> None:
        super().__init__()
        channels = [config.ch, *(config.ch * mult for mult in config.ch_mult)]
        self.conv_in = nn.Conv2d(config.in_channels, config.ch, kernel_size=3, padding=1)
        self.down = nn.ModuleList(
            _EncoderLevel(channels[level], channels[level + 1], config, level=level)
            for level in range(len(config.ch_mult))
        )
        self.mid = _Middle(channels[-1])
        self.norm_out = SpatialNorm(channels[-1])
        self.conv_out = nn.Conv2d(channels[-1], config.z_channels, kernel_size=3, padding=1)

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.conv_in(pictures)
        for level in self.down:
            x = level(x)
        return self.conv_out(F.silu(self.norm_out(self.mid(x))))


class _DecoderLevel(nn.Module):
    """ResNet blocks with their attention, then double the size unless it is the finest level."""

    def __init__(
        self, in_channels: int, out_channels: int, config: MoVQConfig, *, level: int
    ) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            MoVQResNetBlock(
                in_channels if index == 0 else out_channels,
                out_channels,
                latent_channels=config.z_channels,
                temporal=config.temporal,
            )
            for index in range(config.num_res_blocks + 1)
        )
        attends = config.resolution >> level in config.attn_resolutions
        self.attn = nn.ModuleList(
            MoVQAttentionBlock(out_channels, config.z_channels) for _ in self.block if attends
        )
        self.temporal_attn = nn.ModuleList(
            MoVQFrameAttentionBlock(out_channels, config.z_channels)
            for _ in self.attn
            if config.temporal
        )
        self.upsample = None if level == 0 else Upsample(out_channels)

    def forward(self, x: Tensor, latents: Tensor) -> Tensor:
        for index, block in enumerate(self.block):
            x = block(x, latents)
            if self.attn:
                x = self.attn[index](x, latents)
            if self.temporal_attn:
                x = self.temporal_attn[index](x)
        return x if self.upsample is None else self.upsample(x)


class _Decoder(nn.Module):
    def __init__(self, config: MoVQConfig) -> None:
        super().__init__()
        mults = config.ch_mult
        coarsest = config.ch * mults[-1]
        self.conv_in = nn.Conv2d(config.z_channels, coarsest, kernel_size=3, padding=1)
        self.mid = _Middle(coarsest, latent_channels=config.z_channels, temporal=config.temporal)
        self.up = nn.ModuleList(
            _DecoderLevel(
                config.ch * mults[min(level + 1, len(mults) - 1)],
                config.ch * mults[level],
                config,
                level=level,
            )
            for level in range(len(mults))
        )
        finest = config.ch * mults[0]
        self.norm_out = SpatialNorm(finest, config.z_channels)
        self.conv_out = nn.Conv2d(finest, config.out_ch, kernel_size=3, padding=1)

    def forward(self, x: Tensor, latents: Tensor) -> Tensor:
        x = self.mid(self.conv_in(x), latents)
        for level in reversed(self.up):
            x = level(x, latents)
        return self.conv_out(F.silu(self.norm_out(x, latents)))


class MoVQ(nn.Module):
    """An autoencoder with 4 latent channels at an eighth of the size.

    With `config.temporal` its decoder takes a chunk of a clip and looks over the chunk's frames;
    otherwise every picture of the batch stands for itself.
    """

    def __init__(self, config: MoVQConfig) -> None:
        super().__init__()
        self.encoder = _Encoder(config)
        self.quant_conv = nn.Conv2d(config.z_channels, config.z_channels, kernel_size=1)
        self.post_quant_conv = nn.Conv2d(config.z_channels, config.z_channels, kernel_size=1)
        self.decoder = _Decoder(config)

    def encode(self, pictures: Tensor) -> Tensor:
        """(B 3 H W) in [-1, 1] to latents (B 4 H/8 W/8)."""
        return self.quant_conv(self.encoder(pictures))

    def decode(self, latents: Tensor) -> Tensor:
        """Latents (B 4 h w) to pictures (B 3 8h 8w), about in [-1, 1]; a batch is a chunk."""
        return self.decoder(self.post_quant_conv(latents), latents)
