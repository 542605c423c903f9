"""A folder with the official files, as they are downloaded."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING

from engine.api import LATENT_SCALE, ClipDefaults, ModelInfo
from engine.checkpoint.already_prepared import OF_ENCODER, AlreadyPrepared
from engine.checkpoint.checked_files import CheckableFile, CheckedFiles
from engine.checkpoint.folder import ModelFolder, ModelPart
from engine.checkpoint.json_file import read_json_object
from engine.checkpoint.model_json import TEXT_ENCODER_CONFIG_FILE
from engine.checkpoint.resumable_file import digest_file
from engine.checkpoint.tensors import unreadable
from engine.checkpoint.text_encoder_source import (
    TOKENIZER_FILES,
    encoder_tensors,
    find_text_encoder,
    weight_files,
)
from engine.checkpoint.torch_archive import index_archives
from engine.checkpoint.zip_archive import check_contents
from engine.config import ModelConfig
from engine.errors import ModelFileError, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Mapping, Sequence
    from pathlib import Path

    from engine.api import PrepareProgress
    from engine.checkpoint.tensors import TensorRecord

CONFIGS_FILE = "configs.json"

_ARCHIVED_PARTS = tuple(part for part in ModelPart if part is not ModelPart.TEXT_ENCODER)


class OfficialFolder(ModelFolder):
    """Five `.pt` files, `configs.json`, and the text encoder in a folder of its own.

    Attributes:
        text_encoder_folder: where the text encoder's files are.
        already: what was prepared of them; of that they need not be there any more.
    """

    is_prepared = False

    def __init__(self, path: Path, already: AlreadyPrepared | None = None) -> None:
        self.already = already or AlreadyPrepared(folder=path, files={}, sources={})
        names = [CONFIGS_FILE, *(f"{part}.pt" for part in _ARCHIVED_PARTS)]
        _check_presence(path, names, self.already.sources)
        configs = read_json_object(self.already.stand_in(path / CONFIGS_FILE, CONFIGS_FILE))
        prepared = [name for name in self.already.sources if name.startswith(OF_ENCODER)]
        gone = [name.removeprefix(OF_ENCODER) for name in prepared]
        self.text_encoder_folder = find_text_encoder(path, configs, gone)
        self._text_encoder_files = weight_files(self.text_encoder_folder, gone)
        encoder_config = self.text_encoder_folder / "config.json"
        self._archives: Mapping[Path, Mapping[str, TensorRecord]] | None = None
        self._checked: dict[ModelPart, dict[str, TensorRecord]] = {}
        beside_weights = ["config.json", *TOKENIZER_FILES]
        files = [
            *(path / name for name in names),
            *(self.text_encoder_folder / name for name in beside_weights),
            *self._text_encoder_files,
        ]
        super().__init__(
            path=path,
            configs=configs,
            info=ModelInfo(
                name=path.resolve().name,
                folder=str(path),
                description="The official files, not prepared.",
                text_encoder_8bit=False,
                size_multiple=size_multiple(configs),
                defaults=ClipDefaults(),
            ),
            text_encoder_config=read_json_object(
                self.already.stand_in(encoder_config, TEXT_ENCODER_CONFIG_FILE)
            ),
            tokenizer_folder=self.text_encoder_folder,
            fingerprint=_fingerprint([file for file in files if file.is_file()]),
        )

    def files(self, part: ModelPart) -> tuple[Path, ...]:
        """The files that the weights of `part` are in."""
        if part is ModelPart.TEXT_ENCODER:
            return self._text_encoder_files
        return (self.path / f"{part}.pt",)

    def sources(self) -> dict[str, Path]:
        """The files that are there, by the names that a prepared folder gives them.

        The weights come first, then what is small, and last what says where the others are.
        """
        folder = self.text_encoder_folder
        weights = [file for part in _ARCHIVED_PARTS for file in self.files(part)]
        small = (*TOKENIZER_FILES, "config.json")
        found = {
            **{file.name: file for file in weights},
            **{f"{OF_ENCODER}{file.name}": file for file in self._text_encoder_files},
            **{f"{OF_ENCODER}{name}": folder / name for name in small},
            CONFIGS_FILE: self.path / CONFIGS_FILE,
        }
        return {name: file for name, file in found.items() if file.is_file()}

    def index(self, part: ModelPart) -> dict[str, TensorRecord]:
        """As `tensors`, without comparing the contents with their checksums."""
        archives = self._index_archives()
        if part is ModelPart.TEXT_ENCODER:
            return encoder_tensors(self.text_encoder_folder, archives)
        return dict(archives[self.path / f"{part}.pt"])

    def tensors(self, part: ModelPart) -> dict[str, TensorRecord]:
        """See `ModelFolder.tensors`."""
        if part not in self._checked:
            records = self.index(part)
            checked = CheckedFiles()
            files = checked.unchecked(self.checkable_files([part], in_8bit=False))
            if files:
                checked.check(files, lambda _: None)
            self._checked[part] = records
        return self._checked[part]

    def checkable_files(
        self, parts: Collection[ModelPart], *, in_8bit: bool
    ) -> list[CheckableFile]:
        """See `ModelFolder.checkable_files`. There are no 8-bit files here."""
        del in_8bit
        return [
            CheckableFile(
                name=file.name,
                path=file,
                size=_size_of(file),
                sha256=None,
                check=partial(check_source, file),
            )
            for part in parts
            for file in self.files(part)
        ]

    def verify(self, on_progress: Callable[[PrepareProgress], None]) -> None:
        """See `ModelFolder.verify`; that all files can be indexed is found out as well."""
        for part in ModelPart:
            self.index(part)
        super().verify(on_progress)

    def _index_archives(self) -> Mapping[Path, Mapping[str, TensorRecord]]:
        """All archives at once: each process that reads them starts with seconds of imports."""
        if self._archives is None:
            files = [file for part in ModelPart for file in self.files(part) if file.is_file()]
            self._archives = index_archives([file for file in files if _is_archive(file)])
        return self._archives


def check_source(file: Path, on_bytes: Callable[[int], None]) -> str:
    """Read all of `file`, compare it with the checksums in it if it has any, give its SHA-256.

    Raises:
        ModelFileError: it cannot be read or is damaged.
    """
    if _is_archive(file):
        return check_contents(file, on_bytes)
    return digest_file(file, on_bytes).sha256


def _check_presence(path: Path, names: Sequence[str], gone: Container[str]) -> None:
    missing = [name for name in names if name not in gone and not (path / name).is_file()]
    if len(missing) == len(names):
        raise ModelNotFound(
            f"There is no model in {path}: neither the model.json of a prepared model nor the "
            f"official files ({', '.join(names)})."
        )
    if missing:
        raise ModelFileError(
            f"The model in {path} is not complete: {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing. Download what is missing."
        )


def size_multiple(configs: Mapping[str, object]) -> int:
    """What the width and the height of a clip must be multiples of, in pixels.

    Raises:
        UnsupportedModel: `configs` asks for what is not built.
    """
    return LATENT_SCALE * ModelConfig.from_json(configs).latent_multiple


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise unreadable(file, error) from error


def _is_archive(file: Path) -> bool:
    return file.suffix in {".pt", ".bin"}


def _fingerprint(files: Sequence[Path]) -> str:
    try:
        states = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    except OSError as error:
        raise unreadable(files[0].parent, error) from error
    return hashlib.sha256(json.dumps(states).encode()).hexdigest()
