"""The MoVQ autoencoders: pictures to latents and back, and chunks of latents to frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from engine.models.movq_layers import (
    Downsample,
    MoVQAttentionBlock,
    MoVQFrameAttentionBlock,
    MoVQResNetBlock,
    SpatialNorm,
    Upsample,
)
from engine.models.strips import StripConv, chunk_of, pictures_of

if TYPE_CHECKING:
    from engine.config import MoVQConfig
    from engine.models.strips import Chunk


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

    def forward(self, x: Chunk, latents: Tensor | None = None) -> Chunk:
        x = _attended(self.block_1(x, latents), self.attn_1, latents)
        if self.temporal_attn_1 is not None:
            x = _attended(x, self.temporal_attn_1)
        return self.block_2(x, latents)


def _attended(x: Chunk, attention: nn.Module, latents: Tensor | None = None) -> Chunk:
    """Every pixel may see every other, so attention has the whole of a picture, which is small."""
    rows = x[0].rows
    return chunk_of(attention(pictures_of(x), latents), rows)


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

    def forward(self, x: Chunk) -> Chunk:
        for index, block in enumerate(self.block):
            x = block(x)
            if self.attn:
                x = _attended(x, self.attn[index])
        return x if self.downsample is None else self.downsample(x)


class _Encoder(nn.Module):
    def __init__(self, config: MoVQConfig) -> None:
        super().__init__()
        channels = [config.ch, *(config.ch * mult for mult in config.ch_mult)]
        self.conv_in = StripConv(config.in_channels, config.ch)
        self.down = nn.ModuleList(
            _EncoderLevel(channels[level], channels[level + 1], config, level=level)
            for level in range(len(config.ch_mult))
        )
        self.mid = _Middle(channels[-1])
        self.norm_out = SpatialNorm(channels[-1])
        self.conv_out = StripConv(channels[-1], config.z_channels)

    def forward(self, pictures: Tensor, strip_rows: int | None = None) -> Tensor:
        x = self.conv_in(chunk_of(pictures, strip_rows))
        for level in self.down:
            x = level(x)
        x = self.mid(x)
        norms = self.norm_out.over_each(x)
        return pictures_of(self.conv_out(x, [norm.activated for norm in norms]))


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

    def forward(self, x: Chunk, latents: Tensor) -> Chunk:
        for index, block in enumerate(self.block):
            x = block(x, latents)
            if self.attn:
                x = _attended(x, self.attn[index], latents)
            if self.temporal_attn:
                x = _attended(x, self.temporal_attn[index])
        return x if self.upsample is None else self.upsample(x)


class _Decoder(nn.Module):
    def __init__(self, config: MoVQConfig) -> None:
        super().__init__()
        mults = config.ch_mult
        coarsest = config.ch * mults[-1]
        self.conv_in = StripConv(config.z_channels, coarsest)
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
        self.conv_out = StripConv(finest, config.out_ch)

    def forward(self, x: Tensor, latents: Tensor, strip_rows: int | None = None) -> Tensor:
        coarsest_rows = None if strip_rows is None else strip_rows << (len(self.up) - 1)
        frames = self.mid(self.conv_in(chunk_of(x, coarsest_rows)), latents)
        for level in reversed(self.up):
            frames = level(frames, latents)
        norms = self.norm_out.over_each(frames, latents)
        return pictures_of(self.conv_out(frames, [norm.activated for norm in norms]))


class MoVQ(nn.Module):
    """An autoencoder with 4 latent channels at an eighth of the size.

    With `config.temporal` its decoder takes a chunk of a clip and looks over the chunk's frames;
    otherwise every picture of the batch stands for itself.

    It works in the type of its weights. With `strip_rows` its convolutions work on as many rows of
    the picture at once, and coarser levels on as many more as their rows are shorter; None is the
    whole height. Strips need less memory and give the same but for rounding.
    """

    def __init__(self, config: MoVQConfig) -> None:
        super().__init__()
        self.encoder = _Encoder(config)
        self.quant_conv = nn.Conv2d(config.z_channels, config.z_channels, kernel_size=1)
        self.post_quant_conv = nn.Conv2d(config.z_channels, config.z_channels, kernel_size=1)
        self.decoder = _Decoder(config)

    def encode(self, pictures: Tensor, *, strip_rows: int | None = None) -> Tensor:
        """(B 3 H W) in [-1, 1] to latents (B 4 H/8 W/8), in float32 at least."""
        pictures = pictures.to(self.quant_conv.weight.dtype)
        return _exact(self.quant_conv(self.encoder(pictures, strip_rows)))

    def decode(self, latents: Tensor, *, strip_rows: int | None = None) -> Tensor:
        """Latents (B 4 h w) to pictures (B 3 8h 8w), about in [-1, 1]; a batch is a chunk.

        The pictures are float32 at least.
        """
        latents = latents.to(self.post_quant_conv.weight.dtype)
        return _exact(self.decoder(self.post_quant_conv(latents), latents, strip_rows))


def _exact(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))
