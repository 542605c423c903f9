"""A model is a folder: with the official files, or prepared from them. Both are read through here.

Opening a folder reads its small files only, and does not import torch.
"""

from __future__ import annotations

import contextlib
import logging
from abc import ABC, abstractmethod
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import engine
from engine.api import DEMO_MODEL, RELEASED_MODEL, ClipDefaults, ModelInfo, models_folder
from engine.checkpoint.json_file import read_json_object
from engine.checkpoint.model_json import MODEL_FILE, PREPARATION_FILE
from engine.checkpoint.progress import ByteProgress
from engine.errors import EngineError, InvalidRequest, ModelFileError, ModelNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from engine.api import FrameSize, PrepareProgress
    from engine.checkpoint.checked_files import CheckableFile
    from engine.checkpoint.tensors import TensorRecord
    from engine.preview import PreviewMap

log = logging.getLogger(__name__)


class ModelPart(StrEnum):
    """The files of weights that a model is made of, by their names without the ending."""

    T2V = "t2v"
    INTERPOLATION = "interpolation"
    IMAGE_MOVQ = "movq"
    VIDEO_MOVQ = "video_movq"
    TEXT_PROJECTIONS = "t5_projections"
    TEXT_ENCODER = "text_encoder"

    @property
    def label(self) -> str:
        """What the part is, in words."""
        return {
            "t2v": "key-frame network",
            "interpolation": "interpolation network",
            "movq": "image decoder",
            "video_movq": "video decoder",
            "t5_projections": "text projections",
            "text_encoder": "text encoder",
        }[self.value]


def check_multiple(size: FrameSize, multiple: int) -> None:
    """Check that the sides of a clip are multiples of so many pixels.

    Raises:
        InvalidRequest: a side is none.
    """
    if size.width % multiple or size.height % multiple:
        raise InvalidRequest(
            f"The width and height must be multiples of {multiple} for this model, not {size}."
        )


class ModelFolder(ABC):
    """A model's folder; `open` tells which kind it is.

    Attributes:
        path: the folder.
        is_prepared: whether it has kvdesk's own layout.
        configs: the parsed `configs.json`.
        info: the model as a list of models shows it.
        text_encoder_config: the parsed `config.json` of the text encoder.
        tokenizer_folder: where the tokenizer's files are.
        fingerprint: SHA-256 in hexadecimal; the same as long as the model is.
    """

    is_prepared: bool

    def __init__(
        self,
        *,
        path: Path,
        configs: dict[str, object],
        info: ModelInfo,
        text_encoder_config: dict[str, object],
        tokenizer_folder: Path,
        fingerprint: str,
    ) -> None:
        self.path = path
        self.configs = configs
        self.info = info
        self.text_encoder_config = text_encoder_config
        self.tokenizer_folder = tokenizer_folder
        self.fingerprint = fingerprint

    @staticmethod
    def open(path: Path) -> ModelFolder:
        """Open the model in the folder `path`.

        Raises:
            ModelNotFound: there is no folder, or nothing of a model in it.
            ModelFileError: a file is missing, damaged or of the wrong size.
            UnsupportedModel: `configs.json` asks for what is not built.
        """
        # Both are made of this class.
        from engine.checkpoint.official import OfficialFolder
        from engine.checkpoint.prepared import PreparedFolder

        if not path.is_dir():
            raise ModelNotFound(f"There is no model in {path}: it is not a folder.")
        if (path / MODEL_FILE).is_file():
            return PreparedFolder(path)
        if (path / PREPARATION_FILE).is_file():
            raise ModelFileError(
                f"The preparation of the model in {path} is not finished. Prepare it again into "
                "the same folder: it goes on where it stopped."
            )
        return OfficialFolder(path)

    def check_size(self, size: FrameSize) -> None:
        """Check that the networks can make clips of this size.

        Raises:
            InvalidRequest: a side is not a multiple of what they need.
        """
        check_multiple(size, self.info.size_multiple)

    @abstractmethod
    def tensors(self, part: ModelPart) -> dict[str, TensorRecord]:
        """Every tensor of `part` by its name, found when first asked for.

        Of official files all contents are compared with their checksums before, unless they
        were already; that takes as long as reading them.

        Raises:
            ModelFileError: a file of the part is damaged or foreign.
        """

    def tensors_8bit(self, part: ModelPart) -> dict[str, TensorRecord] | None:
        """As `tensors`, of a U-Net in 8 bit; None where the model has no such file.

        A weight that is int8 has a second tensor beside it, float32, of the weight's name and
        "_scale": their product is the weight.

        Raises:
            ModelFileError: the file is damaged.
        """
        del part
        return None

    def preview_map(self) -> PreviewMap | None:
        """What makes pictures of latents without a decoder; None where the model has none.

        Raises:
            ModelFileError: its file is damaged.
        """
        return None

    @abstractmethod
    def checkable_files(
        self, parts: Collection[ModelPart], *, in_8bit: bool
    ) -> list[CheckableFile]:
        """The files that work with `parts` reads and that have checksums.

        These are SHA-256 of all files where the folder is prepared, and the CRC-32 in `.pt` files
        where it is not. With `in_8bit` the U-Nets' 8-bit files are among them, where there are any.
        """

    def verify(self, on_progress: Callable[[PrepareProgress], None]) -> None:
        """Read everything and compare it with its checksums, whatever was compared before.

        Raises:
            ModelFileError: a file is damaged; the message names it.
        """
        files = self.checkable_files(tuple(ModelPart), in_8bit=True)
        progress = ByteProgress(sum(file.size for file in files), on_progress)
        for file in files:
            file.check(progress.of(file.name))


def resources_folder() -> Path:
    """Where what comes with this program lies."""
    return Path(engine.__file__).parents[1] / "resources"


def demo_folder() -> Path:
    """Where the built-in demo model lies."""
    return resources_folder() / "demo_model"


def find_models() -> list[ModelInfo]:
    """The models that can be used: the demo where there is one, then the prepared ones by name.

    A folder that cannot be used is left out, and logged.
    """
    candidates = [demo_folder()]
    if models_folder().is_dir():
        candidates += sorted(models_folder().iterdir())
    found: list[ModelInfo] = []
    for folder in candidates:
        if not (folder / MODEL_FILE).is_file():
            continue
        try:
            found.append(ModelFolder.open(folder).info)
        except EngineError as error:
            log.warning("%s", error.message)
    return found


def released_folder() -> Path:
    """Where what comes with this program of the released model lies: its configurations."""
    return resources_folder() / "kandinsky_1_1"


def released_model() -> ModelInfo:
    """The released model as a list shows it before it is there."""
    # It is made of what is in this module.
    from engine.checkpoint.official import CONFIGS_FILE, size_multiple

    return ModelInfo(
        name=RELEASED_MODEL,
        folder=str(models_folder() / RELEASED_MODEL),
        description="Kandinsky Video 1.1, which has to be fetched and prepared first.",
        text_encoder_8bit=True,
        size_multiple=size_multiple(read_json_object(released_folder() / CONFIGS_FILE)),
        defaults=ClipDefaults(),
        is_ready=False,
    )


def list_models() -> list[ModelInfo]:
    """As `find_models`; last the released model, as long as it still has to be prepared."""
    found = find_models()
    is_there = any(info.name == RELEASED_MODEL for info in found)
    return found if is_there else [*found, released_model()]


def locate_model(name_or_path: str | None) -> Path:
    """The folder of a model: the demo for "demo" or None, else a prepared model's name or a path.

    Raises:
        ModelNotFound: there is no such model.
    """
    if name_or_path is None or name_or_path == DEMO_MODEL:
        if (demo_folder() / MODEL_FILE).is_file():
            return demo_folder()
        raise ModelNotFound(
            f"The demo model is missing in {demo_folder()}. Install kvdesk again, or name a model."
        )
    is_name = name_or_path not in {"", ".", ".."} and Path(name_or_path).name == name_or_path
    prepared = models_folder() / name_or_path
    path = Path(name_or_path).expanduser()
    with contextlib.suppress(OSError):  # a name that no file can have names no model
        if is_name and (prepared / MODEL_FILE).is_file():
            return prepared
        if name_or_path and path.is_dir():
            return path
    if name_or_path == RELEASED_MODEL:
        raise ModelNotFound(
            f"{RELEASED_MODEL} is not prepared yet. Fetch its files with kvdesk download, and "
            f'prepare them with: kvdesk prepare DOWNLOAD_FOLDER "{prepared}"'
        )
    raise ModelNotFound(
        f"There is no model {name_or_path[:200]!r}: neither a folder of that name nor a prepared "
        f"model in {models_folder()}."
    )
