"""A folder that kvdesk has prepared: safetensors that load fast, and checksums of everything."""

from __future__ import annotations

import stat
from functools import partial
from typing import TYPE_CHECKING

from engine.api import ModelInfo
from engine.checkpoint.checked_files import CheckableFile
from engine.checkpoint.eight_bit_report import (
    EIGHT_BIT_FILE,
    EIGHT_BIT_FILES,
    EIGHT_BIT_PARTS,
    eight_bit_name,
    read_eight_bit_report,
)
from engine.checkpoint.folder import ModelFolder, ModelPart, demo_folder
from engine.checkpoint.json_file import read_json_object
from engine.checkpoint.model_json import (
    MODEL_FILE,
    TEXT_ENCODER_CONFIG_FILE,
    TOKENIZER_FOLDER,
    model_fingerprint,
    read_model_file,
)
from engine.checkpoint.official import CONFIGS_FILE, size_multiple
from engine.checkpoint.resumable_file import digest_file
from engine.checkpoint.tensors import index_safetensors
from engine.checkpoint.text_encoder_source import TOKENIZER_FILES
from engine.errors import MessageError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from engine.checkpoint.model_json import FileEntry, ModelFile
    from engine.checkpoint.tensors import TensorRecord
    from engine.preview import PreviewMap

PREVIEW_MAP_FILE = "preview.json"
_READ_AT_ONCE = (CONFIGS_FILE, TEXT_ENCODER_CONFIG_FILE, EIGHT_BIT_FILE)


def weights_name(part: ModelPart) -> str:
    """The name of the file that the weights of `part` are in."""
    return f"{part}.safetensors"


class PreparedFolder(ModelFolder):
    """A folder with `model.json`.

    Attributes:
        model: the parsed `model.json`.
        eight_bit: what was measured of the U-Nets in 8 bit; None where nothing was.
    """

    is_prepared = True

    def __init__(self, path: Path) -> None:
        self.model = read_model_file(path)
        self._tensors: dict[ModelPart, dict[str, TensorRecord]] = {}
        _check_names(path, self.model)
        for entry in self.model.files:
            _check_size(path, entry)
            if entry.name in _READ_AT_ONCE:
                check_entry(path, entry, lambda _: None)
        names = {entry.name for entry in self.model.files}
        self.eight_bit = read_eight_bit_report(path) if EIGHT_BIT_FILE in names else None
        configs = read_json_object(path / CONFIGS_FILE)
        super().__init__(
            path=path,
            configs=configs,
            info=ModelInfo(
                name=self.model.name,
                folder=str(path),
                description=self.model.description,
                text_encoder_8bit=True,
                size_multiple=size_multiple(configs),
                defaults=self.model.defaults,
                unets_8bit=names.issuperset(map(eight_bit_name, EIGHT_BIT_PARTS)),
                error_8bit=None if self.eight_bit is None else self.eight_bit.mean_relative_error,
            ),
            text_encoder_config=read_json_object(path / TEXT_ENCODER_CONFIG_FILE),
            tokenizer_folder=path / TOKENIZER_FOLDER,
            fingerprint=model_fingerprint(path, without=EIGHT_BIT_FILES),
        )

    def tensors(self, part: ModelPart) -> dict[str, TensorRecord]:
        """See `ModelFolder.tensors`."""
        if part not in self._tensors:
            self._tensors[part] = index_safetensors(self.path / weights_name(part))
        return self._tensors[part]

    def tensors_8bit(self, part: ModelPart) -> dict[str, TensorRecord] | None:
        """See `ModelFolder.tensors_8bit`."""
        name = eight_bit_name(part)
        if name not in {entry.name for entry in self.model.files}:
            return None
        return index_safetensors(self.path / name)

    def preview_map(self) -> PreviewMap | None:
        """See `ModelFolder.preview_map`."""
        if PREVIEW_MAP_FILE not in {entry.name for entry in self.model.files}:
            return None  # prepared before there were previews
        from engine.preview import PreviewMap  # numpy, which opening a folder does not need

        path = self.path / PREVIEW_MAP_FILE
        try:
            return PreviewMap.from_json(read_json_object(path), where=PREVIEW_MAP_FILE)
        except MessageError as error:
            raise ModelFileError(
                f"{path} is damaged: {error.message} {_remedy(self.path, PREVIEW_MAP_FILE)}"
            ) from error

    def checkable_files(
        self, parts: Collection[ModelPart], *, in_8bit: bool
    ) -> list[CheckableFile]:
        """See `ModelFolder.checkable_files`. What is small is read whatever the work is."""
        unused = {weights_name(part) for part in ModelPart if part not in parts}
        for part in EIGHT_BIT_PARTS:
            if not in_8bit or part not in parts:
                unused.add(eight_bit_name(part))
        return [
            CheckableFile(
                name=entry.name,
                path=self.path / entry.name,
                size=entry.size,
                sha256=entry.sha256,
                check=partial(check_entry, self.path, entry),
            )
            for entry in self.model.files
            if entry.name not in unused
        ]


def check_entry(folder: Path, entry: FileEntry, on_bytes: Callable[[int], None]) -> str:
    """Read the file of `entry` in the prepared `folder`, and compare it with its SHA-256.

    Returns:
        That SHA-256.

    Raises:
        ModelFileError: it is missing or damaged; the message says what replaces it.
    """
    _check_size(folder, entry)
    sha256 = digest_file(folder / entry.name, on_bytes).sha256
    if sha256 != entry.sha256:
        raise ModelFileError(
            f"{folder / entry.name} is damaged: it holds something else than when the model was "
            f"prepared. {_remedy(folder, entry.name)}",
            detail=f"its SHA-256 is {sha256}, and was {entry.sha256}",
        )
    return sha256


def _check_names(path: Path, model: ModelFile) -> None:
    names = {entry.name for entry in model.files}
    needed = [CONFIGS_FILE, TEXT_ENCODER_CONFIG_FILE, *(weights_name(part) for part in ModelPart)]
    missing = [name for name in needed if name not in names]
    tokenizers = [f"{TOKENIZER_FOLDER}/{name}" for name in TOKENIZER_FILES[:2]]
    if not names.intersection(tokenizers):
        missing.append(tokenizers[0])
    if missing:
        raise ModelFileError(
            f"{path / MODEL_FILE} does not name {', '.join(missing)}. Prepare the model again."
        )


def _check_size(folder: Path, entry: FileEntry) -> None:
    file = folder / entry.name
    try:
        state = file.stat()
    except OSError as error:
        raise ModelFileError(
            f"The prepared model lacks {file}. {_remedy(folder, entry.name)}", detail=repr(error)
        ) from error
    # Reading what is no file, such as a pipe, may take for ever.
    if not stat.S_ISREG(state.st_mode) or state.st_size != entry.size:
        raise ModelFileError(
            f"{file} is damaged: it has {state.st_size} bytes, and had {entry.size} when the model "
            f"was prepared. {_remedy(folder, entry.name)}"
        )


def _remedy(folder: Path, name: str) -> str:
    """What to do about a damaged file of a prepared folder."""
    if folder.resolve() == demo_folder().resolve():
        return "Install kvdesk again."
    return (
        f'Run `kvdesk prepare OFFICIAL_FOLDER "{folder}"`, which makes this file anew and leaves '
        f"the others as they are. It is made of {_origin(name)} of the official files: where that "
        "is gone, download it again."
    )


def _origin(name: str) -> str:
    """The official file that the file `name` of a prepared folder is made of."""
    part = name.partition(".")[0]
    of_encoder = (TEXT_ENCODER_CONFIG_FILE, f"{ModelPart.TEXT_ENCODER}.", f"{TOKENIZER_FOLDER}/")
    if name.startswith(of_encoder):
        return "the text encoder"
    if name == PREVIEW_MAP_FILE:
        return f"{ModelPart.IMAGE_MOVQ}.pt"
    if name == EIGHT_BIT_FILE:
        return " and ".join(f"{part}.pt" for part in EIGHT_BIT_PARTS)
    return f"{part}.pt" if part in set(ModelPart) else name
