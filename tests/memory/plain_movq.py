"""The MoVQ written down plainly: whole pictures, the networks' own weights, torch's functions."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F


class PlainMoVQ:
    def __init__(self, config, weights):
        self.config = config
        self.weights = weights

    def encode(self, pictures):
        x = self._conv("encoder.conv_in", pictures, padding=1)
        for level in range(len(self.config.ch_mult)):
            for index in range(self.config.num_res_blocks):
                x = self._block(f"encoder.down.{level}.block.{index}", x)
                x = self._attention(f"encoder.down.{level}.attn.{index}", x)
            if level < len(self.config.ch_mult) - 1:
                padded = F.pad(x, (0, 1, 0, 1))
                x = self._conv(f"encoder.down.{level}.downsample.conv", padded, stride=2)
        x = self._middle("encoder.mid", x)
        x = self._conv("encoder.conv_out", F.silu(self._norm("encoder.norm_out", x)), padding=1)
        return self._conv("quant_conv", x)

    def decode(self, latents):
        x = self._conv("post_quant_conv", latents)
        x = self._conv("decoder.conv_in", x, padding=1)
        x = self._middle("decoder.mid", x, latents)
        for level in reversed(range(len(self.config.ch_mult))):
            for index in range(self.config.num_res_blocks + 1):
                x = self._block(f"decoder.up.{level}.block.{index}", x, latents)
                x = self._attention(f"decoder.up.{level}.attn.{index}", x, latents)
                x = self._frame_attention(f"decoder.up.{level}.temporal_attn.{index}", x)
            if level > 0:
                doubled = F.interpolate(x, scale_factor=2.0, mode="nearest")
                x = self._conv(f"decoder.up.{level}.upsample.conv", doubled, padding=1)
        normed = self._norm("decoder.norm_out", x, latents)
        return self._conv("decoder.conv_out", F.silu(normed), padding=1)

    def _has(self, name):
        return any(key.startswith(f"{name}.") for key in self.weights)

    def _conv(self, name, x, **options):
        return F.conv2d(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], **options)

    def _norm(self, name, x, latents=None):
        weight, bias = (self.weights[f"{name}.norm_layer.{kind}"] for kind in ("weight", "bias"))
        x = F.group_norm(x, 32, weight, bias, eps=1e-6)
        if latents is None:
            return x
        spread = F.interpolate(latents, size=x.shape[-2:], mode="nearest")
        return x * self._conv(f"{name}.conv_y", spread) + self._conv(f"{name}.conv_b", spread)

    def _over_frames(self, name, x, gate):
        if not self._has(name):
            return x
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        out = F.conv3d(x.transpose(0, 1)[None], weight, bias, padding=1)[0].transpose(0, 1)
        return torch.lerp(x, out, self.weights[gate])

    def _block(self, name, x, latents=None):
        out = x
        for half in (1, 2):
            out = F.silu(self._norm(f"{name}.norm{half}", out, latents))
            out = self._conv(f"{name}.conv{half}", out, padding=1)
            projection, gate = f"{name}.temporal_projection{half}", f"{name}.temporal_merge{half}"
            out = self._over_frames(projection, out, gate)
        if self._has(f"{name}.nin_shortcut"):
            x = self._conv(f"{name}.nin_shortcut", x)
        return x + out

    def _middle(self, name, x, latents=None):
        x = self._block(f"{name}.block_1", x, latents)
        x = self._attention(f"{name}.attn_1", x, latents)
        x = self._frame_attention(f"{name}.temporal_attn_1", x)
        return self._block(f"{name}.block_2", x, latents)

    def _attention(self, name, x, latents=None):
        if not self._has(name):
            return x
        # PARITY: the first frame's latents for all.
        first = None if latents is None else latents[:1].expand(len(x), -1, -1, -1)
        normed = self._norm(f"{name}.norm", x, first)
        out = self._attended(name, normed, lambda y: y.flatten(2).transpose(1, 2))
        return x + self._conv(f"{name}.proj_out", out.transpose(1, 2).reshape(x.shape))

    def _frame_attention(self, name, x):
        if not self._has(name):
            return x
        frames, channels, height, width = x.shape
        normed = self._norm(f"{name}.norm", x)
        out = self._attended(name, normed, lambda y: y.flatten(2).permute(2, 0, 1))
        out = out.permute(1, 2, 0).reshape(frames, channels, height, width)
        return x + self._conv(f"{name}.proj_out", out)

    def _attended(self, name, x, sequences):
        query, key, value = (sequences(self._conv(f"{name}.{kind}", x)) for kind in "qkv")
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        return scores.softmax(dim=-1) @ value
