"""Writes files in the official layout, of any size, filled with random numbers, in little memory.

torch lays out the archives itself, with holes where the numbers go; these are then filled in, with
their checksums.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch

from engine.checkpoint.networks import without_weights
from engine.checkpoint.safetensors_writer import TensorSpec, TensorStream, write_safetensors
from engine.checkpoint.zip_archive import read_directory
from engine.config import ModelConfig
from engine.models.interpolation_unet import InterpolationUNet
from engine.models.key_frame_unet import KeyFrameUNet
from engine.models.movq import MoVQ

TESTS = Path(__file__).parents[1]
ARCHIVES = ("t2v", "interpolation", "movq", "video_movq", "t5_projections")
SHARD_BYTES = 5e9
# Of the real encoder; what it lacks are the defaults of T5. Its decoder is not written.
FLAN_UL2 = {
    "architectures": ["T5EncoderModel"],
    "model_type": "t5",
    "d_model": 4096,
    "d_ff": 16384,
    "d_kv": 256,
    "num_heads": 16,
    "num_layers": 32,
    "vocab_size": 32128,
    "feed_forward_proj": "gated-silu",
    "relative_attention_num_buckets": 32,
    "relative_attention_max_distance": 128,
    "layer_norm_epsilon": 1e-06,
    "tie_word_embeddings": False,
}

_POOL = 2**22
_GAIN = 0.5  # below one: what the layers make of a picture must not grow from layer to layer
_DIRECTORY_ENTRY = struct.Struct("<4s12xI8xHHH8xI")
_DESCRIPTOR = struct.Struct("<4sI")


@dataclass(frozen=True, slots=True)
class Layout:
    """A model's files: `archives` holds for each `.pt` file names (nested) to shape and type."""

    configs: dict
    text_encoder_config: dict
    archives: dict[str, dict]
    text_encoder: dict[str, tuple[list[int], str]]

    @property
    def official_bytes(self) -> int:
        tensors = [*self.text_encoder.values()]
        for contents in self.archives.values():
            tensors += flattened(contents).values()
        return sum(num_bytes(*tensor) for tensor in tensors)


def full_layout() -> Layout:
    """The true sizes."""
    released = TESTS / "kandinsky_1_1"
    manifest = json.loads((released / "manifest.json").read_text())
    configs = json.loads((released / "configs.json").read_text())
    null = ([configs["text_encoder"]["context_dim"]], "float16")
    projection = manifest["t5_projections.pt"]["projection_base"]
    return Layout(
        configs=configs,
        text_encoder_config=FLAN_UL2,
        archives={
            **{
                name: {"unet": manifest[f"{name}.pt"]["unet"], "null_embedding": null}
                for name in ("t2v", "interpolation")
            },
            **{name: manifest[f"{name}.pt"]["state_dict"] for name in ("movq", "video_movq")},
            "t5_projections": {
                "projection_base": projection,
                "projection_interpolation": projection,
            },
        },
        text_encoder=t5_tensors(FLAN_UL2),
    )


def toy_layout() -> Layout:
    """A small model of the same kinds of files."""
    goldens = TESTS / "goldens"
    configs = json.loads((goldens / "configs.json").read_text())
    text_encoder_config = json.loads((goldens / "text_encoder_config.json").read_text())
    config = ModelConfig.from_json(configs)

    def tensors(network: torch.nn.Module, dtype: str) -> dict:
        return {name: (list(tensor.shape), dtype) for name, tensor in network.state_dict().items()}

    def unet(network: type, sizes: object) -> dict:
        null = ([config.text.context_dim], "float16")
        unet = tensors(without_weights(network, sizes), "float16")
        return {"unet": unet, "null_embedding": null}

    width = config.text.context_dim
    projection = {
        "0.weight": ([width, text_encoder_config["d_model"]], "float32"),
        "1.weight": ([width], "float32"),
        "1.bias": ([width], "float32"),
    }
    return Layout(
        configs=configs,
        text_encoder_config=text_encoder_config,
        archives={
            "t2v": unet(KeyFrameUNet, config.t2v),
            "interpolation": unet(InterpolationUNet, config.interpolation),
            "movq": tensors(without_weights(MoVQ, config.image_movq), "float32"),
            "video_movq": tensors(without_weights(MoVQ, config.video_movq), "float32"),
            "t5_projections": {
                "projection_base": projection,
                "projection_interpolation": projection,
            },
        },
        text_encoder=t5_tensors(text_encoder_config),
    )


def t5_tensors(config: dict) -> dict[str, tuple[list[int], str]]:
    """The tensors of a gated T5 encoder, in the order of the released files."""
    width, inner = config["d_model"], config["num_heads"] * config["d_kv"]
    shapes = {"shared.weight": [config["vocab_size"], width]}
    for block in range(config["num_layers"]):
        attention = f"encoder.block.{block}.layer.0"
        feed_forward = f"encoder.block.{block}.layer.1"
        shapes |= {f"{attention}.SelfAttention.{name}.weight": [inner, width] for name in "qkv"}
        shapes[f"{attention}.SelfAttention.o.weight"] = [width, inner]
        if block == 0:
            buckets = [config["relative_attention_num_buckets"], config["num_heads"]]
            shapes[f"{attention}.SelfAttention.relative_attention_bias.weight"] = buckets
        shapes[f"{attention}.layer_norm.weight"] = [width]
        shapes |= {
            f"{feed_forward}.DenseReluDense.{name}.weight": [config["d_ff"], width]
            for name in ("wi_0", "wi_1")
        }
        shapes[f"{feed_forward}.DenseReluDense.wo.weight"] = [width, config["d_ff"]]
        shapes[f"{feed_forward}.layer_norm.weight"] = [width]
    shapes["encoder.final_layer_norm.weight"] = [width]
    return {name: (shape, "bfloat16") for name, shape in shapes.items()}


def write_small_files(folder: Path, layout: Layout) -> None:
    """Everything but weights."""
    encoder = folder / "text_encoder"
    shutil.copytree(TESTS / "goldens" / "tokenizer", encoder, dirs_exist_ok=True)
    (folder / "configs.json").write_text(json.dumps(layout.configs))
    (encoder / "config.json").write_text(json.dumps(layout.text_encoder_config))


def write_archive(path: Path, contents: dict) -> None:
    """What `torch.save` makes of random tensors."""
    with torch.serialization.skip_data():
        torch.save(_empty(contents), path)
    directory = {member.name.partition("/")[2]: member for member in read_directory(path)}
    checksums: dict[str, int] = {}
    with path.open("r+b") as file:
        for index, (name, (shape, dtype)) in enumerate(flattened(contents).items()):
            member = directory[f"data/{index}"]
            file.seek(member.offset)
            checksum = 0
            for chunk in random_bytes(name, shape, dtype):
                file.write(chunk)
                checksum = zlib.crc32(chunk, checksum)
            assert file.tell() == member.offset + member.size
            # Behind the numbers torch repeats the checksum and the sizes.
            signature, _ = _DESCRIPTOR.unpack(file.read(_DESCRIPTOR.size))
            assert signature == b"PK\x07\x08"
            file.seek(member.offset + member.size)
            file.write(_DESCRIPTOR.pack(signature, checksum))
            checksums[member.name] = checksum
    _write_checksums(path, checksums)


def _write_checksums(path: Path, checksums: dict[str, int]) -> None:
    """Put `checksums` into the archive's directory."""
    with zipfile.ZipFile(path) as archive:
        position = archive.start_dir
        count = len(archive.infolist())
    with path.open("r+b") as file:
        for _ in range(count):
            file.seek(position)
            entry = _DIRECTORY_ENTRY.unpack(file.read(_DIRECTORY_ENTRY.size))
            signature, _, name_bytes, extra_bytes, comment_bytes, _ = entry
            assert signature == b"PK\x01\x02"
            name = file.read(name_bytes).decode()
            if name in checksums:
                file.seek(position + 16)
                file.write(struct.pack("<I", checksums[name]))
            position += _DIRECTORY_ENTRY.size + name_bytes + extra_bytes + comment_bytes


def write_text_encoder(folder: Path, tensors: dict[str, tuple[list[int], str]]) -> None:
    """Shards of safetensors and their index."""
    shards: list[dict] = [{}]
    for name, tensor in tensors.items():
        taken = sum(num_bytes(*other) for other in shards[-1].values())
        if shards[-1] and taken + num_bytes(*tensor) > SHARD_BYTES:
            shards.append({})
        shards[-1][name] = tensor
    weight_map: dict[str, str] = {}
    for index, shard in enumerate(shards):
        file = folder / f"model-{index + 1:05}-of-{len(shards):05}.safetensors"
        weight_map |= dict.fromkeys(shard, file.name)
        _write_shard(file, shard)
    index_text = json.dumps({"weight_map": weight_map})
    (folder / "model.safetensors.index.json").write_text(index_text)


def _write_shard(file: Path, shard: dict) -> None:
    def stream(name: str, shape: list[int], dtype: str) -> TensorStream:
        spec = TensorSpec(name=name, dtype=dtype, shape=tuple(shape))
        return TensorStream(specs=(spec,), chunks=lambda: random_bytes(name, shape, dtype))

    write_safetensors(file, [stream(name, *it) for name, it in shard.items()], lambda _: None)


def flattened(contents: dict, prefix: str = "") -> dict[str, tuple[list[int], str]]:
    """Nested names joined with ".", in the order in which torch stores the tensors."""
    tensors: dict[str, tuple[list[int], str]] = {}
    for name, value in contents.items():
        if isinstance(value, dict):
            tensors |= flattened(value, f"{prefix}{name}.")
        else:
            tensors[prefix + name] = value
    return tensors


def num_bytes(shape: list[int], dtype: str) -> int:
    return math.prod(shape) * getattr(torch, dtype).itemsize


def random_bytes(name: str, shape: list[int], dtype: str):
    """The bytes of a tensor: 1 for the scales of norms, else noise; the same for the same name."""
    pool = _pool()
    left = math.prod(shape)
    is_norm = len(shape) == 1 and name.endswith("weight")
    spread = _spread(name, shape)
    starts = random.Random(name)
    while left:
        count = min(left, _POOL)
        start = starts.randrange(_POOL)
        numbers = pool[start : start + count]
        numbers = torch.ones(count) if is_norm else numbers * spread
        yield numbers.to(getattr(torch, dtype)).view(torch.uint8).numpy().tobytes()
        left -= count


def _spread(name: str, shape: list[int]) -> float:
    if name == "shared.weight":
        return 1.0
    return 0.02 if len(shape) < 2 else _GAIN / math.sqrt(math.prod(shape[1:]))


@cache
def _pool() -> torch.Tensor:
    """Noise that all tensors are cut from: drawing 19 billion numbers takes minutes."""
    noise = torch.randn(_POOL, generator=torch.Generator().manual_seed(0))
    return torch.cat([noise, noise])


def _empty(contents: dict) -> dict:
    """Tensors whose memory nobody touches, so that they take none."""
    return {
        name: _empty(value)
        if isinstance(value, dict)
        else torch.empty(value[0], dtype=getattr(torch, value[1]))
        for name, value in contents.items()
    }
