"""The folder of a T5 text encoder, as `transformers` writes it, and the files in it that count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.checkpoint.json_file import json_object, read_json_object
from engine.checkpoint.tensors import TensorRecord, index_safetensors
from engine.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

TOKENIZER_FILES = (
    "tokenizer.json",
    "spiece.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
"""The files of a tokenizer; the first or the second must be there, the others need not."""

TABLE = "encoder.embed_tokens.weight"
"""The name that the table of token embeddings has here."""

_SHARED_TABLE = "shared.weight"

WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""What the weights, or the index of several files of them, may be called: the first counts."""


def find_text_encoder(
    model: Path, configs: Mapping[str, object], gone: Collection[str] = ()
) -> Path:
    """The folder of the text encoder of the official files in `model`.

    It is the one that `configs.json` names where there is one, else `text_encoder`. The files in it
    that are named in `gone` need not be there.

    Raises:
        ModelFileError: there is neither, or a file is missing in it.
    """
    config_file = model / "configs.json"
    options = json_object(configs.get("text_encoder"), config_file, "text_encoder")
    weights_path = options.get("weights_path")
    named = model / weights_path if isinstance(weights_path, str) and weights_path else None
    folder = named if named is not None and named.is_dir() else model / "text_encoder"
    if not folder.is_dir() and not gone:
        raise ModelFileError(
            f"{model} has no text encoder: put the files of {weights_path} (config.json, the "
            "tokenizer and the weights) into a folder text_encoder beside the other files."
        )
    if not (folder / "config.json").is_file() and "config.json" not in gone:
        raise ModelFileError(f"The text encoder in {folder} lacks config.json.")
    if not any((folder / name).is_file() or name in gone for name in TOKENIZER_FILES[:2]):
        raise ModelFileError(
            f"The text encoder in {folder} lacks its tokenizer: tokenizer.json or spiece.model."
        )
    return folder


def weight_files(folder: Path, gone: Collection[str] = ()) -> tuple[Path, ...]:
    """The files in `folder` that hold weights of the encoder, all safetensors or all `.bin`.

    Those that are named in `gone` need not be there.

    Raises:
        ModelFileError: there are none, or one that is needed is missing.
    """
    for name in WEIGHT_FILES:
        file = folder / name
        if file.is_file():
            return _shards(file, gone) if name.endswith(".json") else (file,)
    weights_gone = sorted(set(gone) - {"config.json", *TOKENIZER_FILES})
    if weights_gone:
        return tuple(folder / name for name in weights_gone)
    raise ModelFileError(
        f"The text encoder in {folder} has no weights: none of {', '.join(WEIGHT_FILES)} is there."
    )


def shard_names(index: Path, contents: Mapping[str, object]) -> list[str]:
    """The files that `index` names for weights of the encoder; a decoder's are left aside.

    Args:
        index: for what goes wrong.
        contents: of that file, parsed.

    Raises:
        ModelFileError: it names none, or something that is no file beside it.
    """
    weight_map = json_object(contents.get("weight_map"), index, "weight_map")
    wanted = {file for name, file in weight_map.items() if _is_of_encoder(name)}
    names = sorted(name for name in wanted if isinstance(name, str))
    if not names or len(names) != len(wanted):
        raise ModelFileError(f"{index} names no file that holds a T5 encoder.")
    for name in names:
        if name in {"", ".", ".."} or set(name) & set("/\\:"):
            raise ModelFileError(f"{index} names {name!r}, which is not a file beside it.")
    return names


def _shards(index: Path, gone: Collection[str]) -> tuple[Path, ...]:
    names = shard_names(index, read_json_object(index))
    missing = [name for name in names if name not in gone and not index.with_name(name).is_file()]
    if missing:
        raise ModelFileError(
            f"The text encoder in {index.parent} lacks {len(missing)} of {len(names)} files that "
            f"{index.name} names, the first {missing[0]}. Download them."
        )
    return tuple(index.with_name(name) for name in names)


def encoder_tensors(
    folder: Path, archives: Mapping[Path, Mapping[str, TensorRecord]]
) -> dict[str, TensorRecord]:
    """The tensors of the encoder in `folder`, under the names that they have here.

    Args:
        folder: the text encoder's.
        archives: an index of those `weight_files` that are `.bin` files.

    Raises:
        ModelFileError: a file cannot be read or is damaged.
    """
    tensors: dict[str, TensorRecord] = {}
    for file in weight_files(folder):
        records = archives[file] if file in archives else index_safetensors(file)
        tensors.update((name, record) for name, record in records.items() if _is_of_encoder(name))
    # A tied table is stored once, under either name, or twice and the same.
    shared = tensors.pop(_SHARED_TABLE, None)
    if shared is not None and TABLE not in tensors:
        tensors = {TABLE: shared, **tensors}
    return tensors


def _is_of_encoder(name: str) -> bool:
    return name == _SHARED_TABLE or name.startswith("encoder.")
