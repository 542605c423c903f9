"""The demo model's sizes, in the layout of the official `configs.json`, and its networks."""

from __future__ import annotations

from typing import Any

from transformers import T5Config

from engine.config import ModelConfig

_UNET: dict[str, Any] = {
    "model_channels": 64,
    "init_channels": 64,
    "time_embed_dim": 64,
    "context_dim": 64,
    "groups": 8,
    "head_dim": 16,
    "expansion_ratio": 2,
    "compression_ratio": 2,
    # One level: the official layout stores skips behind the down-sampling, so that a second
    # level loses the fine detail that the small latents are made of.
    "dim_mult": [1],
    "num_blocks": [2],
    "add_cross_attention": [True],
    "add_self_attention": [True],
}
_MOVQ: dict[str, Any] = {
    "double_z": False,
    "z_channels": 4,
    "resolution": 64,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 32,
    "ch_mult": [1, 1, 2, 3],
    "num_res_blocks": 1,
    "attn_resolutions": [],
    "dropout": 0.0,
}
CONFIGS: dict[str, Any] = {
    "text_encoder": {
        "tokens_length": 24,
        "context_dim": 64,
        "weights_path": "text_encoder",
        "low_cpu_mem_usage": True,
        "load_in_8bit": False,
        "load_in_4bit": False,
    },
    "image_movq": {"configs": _MOVQ},
    "video_movq": {
        "configs": {
            **_MOVQ,
            # Narrower: three quarters of a temporal decoder's weights are at the coarsest level.
            "ch_mult": [1, 1, 2, 2],
            "temporal": True,
            "temporal_attention_block": True,
        }
    },
    "t2v": {
        "configs": {
            **_UNET,
            "num_channels": 9,
            "out_channels": 4,
            "noise_augmentation": True,
            "motion_score": True,
        }
    },
    "interpolation": {"configs": {**_UNET, "num_channels": 20, "out_channels": 12}},
}
MODEL_CONFIG = ModelConfig.from_json(CONFIGS)


def t5_config(vocabulary_size: int) -> T5Config:
    """The text encoder's sizes: two layers, 64 wide."""
    return T5Config(
        vocab_size=vocabulary_size,
        d_model=64,
        d_kv=16,
        d_ff=128,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
        is_encoder_decoder=False,
        use_cache=False,
        pad_token_id=0,
        eos_token_id=1,
    )
