"""`configs.json` as frozen dataclasses, one for each network.

The file names more options than the released model uses. Only the released behaviour is built:
an option with any other value is refused by its name, never ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from engine.errors import UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Mapping

JsonMap = dict[str, Any]

# Options that exist in the official code, with the one value that the released model has.
_T2V_FIXED: JsonMap = {"noise_augmentation": True, "motion_score": True}
_INTERPOLATION_FIXED: JsonMap = {
    "temporal": True,
    "temporal_type": "conv3D",
    "time_downsample": [False],
    "use_perturbation_time_embed": True,
    "merge_perturbation_time_with_diffusion_time": True,
    "merge_perturbation_time_with_context": False,
    "pass_skip_frames": True,
    "add_new_temporal_params": False,
    "add_temporal_attention": True,
}
_MOVQ_FIXED: JsonMap = {
    "double_z": False,
    "dropout": 0.0,
    "temporal_kernel_size": [3, 3, 3],
    "temporal_conv_padding": [1, 1, 1],
    "resamp_with_conv": True,
    "give_pre_end": False,
    "add_conv": False,
    "temporal_mid_blocks": True,
    "flicker_augmentation": False,
    "build_3D_decoder": False,
    "temporal_blocks": False,
}
_TEXT_FIXED: JsonMap = {"load_in_8bit": False, "load_in_4bit": False}

_REQUIRED_BY_T2V = ("noise_augmentation", "motion_score")  # off where they are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class UNetConfig:
    """Sizes of a U-Net. The four tuples have one entry for each level, finest first."""

    model_channels: int
    init_channels: int
    num_channels: int
    out_channels: int
    time_embed_dim: int
    context_dim: int
    groups: int
    head_dim: int
    expansion_ratio: int
    compression_ratio: int
    dim_mult: tuple[int, ...]
    num_blocks: tuple[int, ...]
    add_cross_attention: tuple[bool, ...]
    add_self_attention: tuple[bool, ...]

    def __post_init__(self) -> None:
        per_level = ("dim_mult", "num_blocks", "add_cross_attention", "add_self_attention")
        lengths = {name: len(getattr(self, name)) for name in per_level}
        if len(set(lengths.values())) != 1 or not self.dim_mult:
            raise UnsupportedModel(f"A U-Net has one entry for each level in every list: {lengths}")
        if min(self.num_blocks) < 2:
            raise UnsupportedModel(f"A level has at least 2 blocks: num_blocks = {self.num_blocks}")
        widths = [self.model_channels * mult for mult in self.dim_mult]
        compressed = [width // self.compression_ratio for width in widths]
        for channels in (self.init_channels, *widths, *compressed):
            if not channels or channels % self.groups:
                raise UnsupportedModel(
                    f"{channels} channels cannot be normalised in {self.groups} groups."
                )

    @property
    def num_levels(self) -> int:
        """Levels of resolution; each but the last halves the side."""
        return len(self.dim_mult)

    @property
    def latent_multiple(self) -> int:
        """What the sides of the latents must be multiples of."""
        return 2 ** (self.num_levels - 1)

    @classmethod
    def from_json(cls, data: Mapping[str, Any], fixed: JsonMap, network: str) -> Self:
        """Read the `configs` of a U-Net; `fixed` has the options that cannot be chosen.

        Raises:
            UnsupportedModel: a name is unknown or missing, or has a value that is not built.
        """
        return cls(**_read(data, cls.__dataclass_fields__, fixed, network))


@dataclass(frozen=True, slots=True, kw_only=True)
class MoVQConfig:
    """Sizes of a MoVQ. `ch_mult` has one entry for each level, finest first."""

    z_channels: int
    resolution: int
    in_channels: int
    out_ch: int
    ch: int
    ch_mult: tuple[int, ...]
    num_res_blocks: int
    attn_resolutions: tuple[int, ...]
    temporal: bool = False

    @classmethod
    def from_json(cls, data: Mapping[str, Any], network: str) -> Self:
        """Read the `configs` of a MoVQ.

        Raises:
            UnsupportedModel: a name is unknown or missing, or has a value that is not built.
        """
        values = dict(data)
        has_temporal_attention = values.pop("temporal_attention_block", False)
        if has_temporal_attention != values.get("temporal", False):
            raise UnsupportedModel(
                f"{network}: temporal_attention_block is {has_temporal_attention}, but temporal is "
                f"{values.get('temporal', False)}; both or neither are supported."
            )
        return cls(**_read(values, cls.__dataclass_fields__, _MOVQ_FIXED, network))


@dataclass(frozen=True, slots=True, kw_only=True)
class TextConfig:
    """Sizes of the prompt's encoding; the encoder itself has a configuration of its own."""

    tokens_length: int
    context_dim: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """All networks of one model."""

    t2v: UNetConfig
    interpolation: UNetConfig
    image_movq: MoVQConfig
    video_movq: MoVQConfig
    text: TextConfig

    @property
    def latent_multiple(self) -> int:
        """What the height and the width of a clip's latents must be multiples of."""
        return max(self.t2v.latent_multiple, self.interpolation.latent_multiple)

    @classmethod
    def from_json(cls, configs: Mapping[str, Any]) -> Self:
        """Read the parsed `configs.json`.

        Raises:
            UnsupportedModel: a network is missing or is not one that the released model has.
        """
        networks = ("t2v", "interpolation", "image_movq", "video_movq", "text_encoder")
        for network in networks:
            if not isinstance(configs.get(network), dict):
                raise UnsupportedModel(f"configs.json lacks {network!r}.")
        sizes = {name: dict[str, Any](configs[name].get("configs", {})) for name in networks}
        for name in _REQUIRED_BY_T2V:
            sizes["t2v"].setdefault(name, False)
        text = dict(cast("JsonMap", configs["text_encoder"]))
        for loading_option in ("weights_path", "low_cpu_mem_usage"):
            text.pop(loading_option, None)
        return cls(
            t2v=UNetConfig.from_json(sizes["t2v"], _T2V_FIXED, "t2v"),
            interpolation=UNetConfig.from_json(
                sizes["interpolation"], _INTERPOLATION_FIXED, "interpolation"
            ),
            image_movq=MoVQConfig.from_json(sizes["image_movq"], "image_movq"),
            video_movq=MoVQConfig.from_json(sizes["video_movq"], "video_movq"),
            text=TextConfig(
                **_read(text, TextConfig.__dataclass_fields__, _TEXT_FIXED, "text_encoder")
            ),
        )


def _read(
    data: Mapping[str, Any], fields: Mapping[str, Any], fixed: JsonMap, network: str
) -> JsonMap:
    values: JsonMap = {}
    for name, value in data.items():
        if name in fields:
            values[name] = tuple(cast("list[Any]", value)) if isinstance(value, list) else value
        elif name not in fixed:
            raise UnsupportedModel(f"{network} has an option that is not known: {name!r}.")
        elif not _same(value, fixed[name]):
            raise UnsupportedModel(
                f"{network}: {name} = {value!r} is not supported; "
                f"the released model has {fixed[name]!r}."
            )
    required = [name for name, field in fields.items() if field.type != "bool"]
    missing = [name for name in required if name not in values]
    if missing:
        raise UnsupportedModel(f"{network} lacks {', '.join(missing)}.")
    return values


def _same(value: object, released: object) -> bool:
    if released == [False]:  # one flag for each level
        return isinstance(value, list) and not any(cast("list[object]", value))
    return value == released
