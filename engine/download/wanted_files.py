"""Which files of which repositories make up the official model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.checkpoint.folder import ModelPart
from engine.checkpoint.official import CONFIGS_FILE
from engine.checkpoint.text_encoder_source import TOKENIZER_FILES, WEIGHT_FILES, shard_names
from engine.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Buffer

MODEL_REPOSITORY = "ai-forever/KandinskyVideo_1_1"
ENCODER_REPOSITORY = "google/flan-ul2"
ENCODER_ONLY_REPOSITORY = "mrsteyk/flan-ul2-encoder"

TEXT_ENCODER_FOLDER = "text_encoder"
_CONFIG_FILE = "config.json"


class Hasher(Protocol):
    """What is fed with bytes and says what they come to; `hashlib` makes such things."""

    def update(self, data: Buffer, /) -> None:
        """Feed it with `data`."""
        ...

    def hexdigest(self) -> str:
        """What all of it comes to, in hexadecimal."""
        ...


class ChecksumKind(StrEnum):
    """How a checksum is made: of the contents, or as git names what is in its own storage."""

    SHA256 = "sha256"
    GIT_BLOB = "git_blob"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checksum:
    """What a file's contents come to; `digest` is in hexadecimal."""

    kind: ChecksumKind
    digest: str

    def hasher(self, size: int) -> Hasher:
        """What is to be fed with the `size` bytes of a file to give `digest`."""
        if self.kind is ChecksumKind.SHA256:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """A file of a repository in the state `commit`."""

    repository: str
    commit: str
    path: str
    size: int
    checksum: Checksum


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """A file that belongs to the model, under `name` in its folder, "/" between folders."""

    name: str
    source: HubFile

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.source.size


def model_files(listing: Mapping[str, HubFile]) -> list[WantedFile]:
    """The files of the model's own repository, the smallest first.

    Raises:
        DownloadError: `listing` lacks one.
    """
    archives = [f"{part}.pt" for part in ModelPart if part is not ModelPart.TEXT_ENCODER]
    return _by_size(
        [_wanted(listing, name, name, MODEL_REPOSITORY) for name in (CONFIGS_FILE, *archives)]
    )


def encoder_files(
    listing: Mapping[str, HubFile],
    spare: Mapping[str, HubFile],
    repository: str,
    read_index: Callable[[HubFile], dict[str, object]],
) -> list[WantedFile]:
    """The files of the text encoder, without those that hold a decoder only.

    Args:
        listing: of the repository with the weights.
        spare: has what belongs to the same encoder and that repository may lack: its configuration
            and its tokenizer.
        repository: the name, for what goes wrong.
        read_index: gives the contents of a small file of JSON.

    Raises:
        DownloadError: a file that is needed is not there.
        ModelFileError: the index of the weights is not one.
    """
    weights = next((name for name in WEIGHT_FILES if name in listing), None)
    if weights is None:
        raise _missing(WEIGHT_FILES[0], repository)
    names = [weights]
    if weights.endswith(".json"):
        names += shard_names(Path(weights), read_index(listing[weights]))
    has_tokenizer = any(name in listing for name in TOKENIZER_FILES[:2])
    tokenizer = listing if has_tokenizer else spare
    small = [
        _wanted(tokenizer, name, f"{TEXT_ENCODER_FOLDER}/{name}", repository)
        for name in TOKENIZER_FILES
        if name in tokenizer
    ]
    if not any(file.source.path in TOKENIZER_FILES[:2] for file in small):
        raise _missing(TOKENIZER_FILES[0], repository)
    config = listing if _CONFIG_FILE in listing else spare
    small.append(_wanted(config, _CONFIG_FILE, f"{TEXT_ENCODER_FOLDER}/{_CONFIG_FILE}", repository))
    large = [_wanted(listing, name, f"{TEXT_ENCODER_FOLDER}/{name}", repository) for name in names]
    return [*small, *large]


def _wanted(listing: Mapping[str, HubFile], path: str, name: str, repository: str) -> WantedFile:
    if path not in listing:
        raise _missing(path, repository)
    return WantedFile(name=name, source=listing[path])


def _missing(path: str, repository: str) -> DownloadError:
    return DownloadError(
        f"The repository {repository} has no {path}: it has changed, or the server has another one "
        "of that name. Try another server, or look for a newer kvdesk."
    )


def _by_size(files: list[WantedFile]) -> list[WantedFile]:
    return sorted(files, key=lambda file: file.size)
