"""Answers to what a worker is asked while it works: models, memory, tokens, files.

Torch is waited for only where an answer needs it.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from engine.api import (
    ClipPlanned,
    CountTokens,
    DescribeMachine,
    ListModels,
    ModelsListed,
    OpenPicture,
    OpenVideo,
    PictureOpened,
    PlanClip,
    PlannedStage,
    PredictExport,
    TokensCounted,
)
from engine.checkpoint.folder import ModelFolder, ModelPart, find_models, locate_model
from engine.checkpoint.official import OfficialFolder
from engine.config import ModelConfig
from engine.errors import PictureError
from engine.export_size import predict_clip_export
from engine.files import publish, temporary_beside
from engine.machine import CPU, describe_machine, free_main_memory
from engine.memory.estimate import DeviceKind, needed_bytes, part_bytes
from engine.pictures import open_picture
from engine.progress import planned_work
from engine.prompt_tokens import count_tokens
from engine.video_frames import open_video

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.api import Event, Question
    from engine.checkpoint.tensors import TensorRecord
    from engine.memory.estimate import PartBytes
    from engine.torch_loading import TorchLoading

PREVIEW_SIDE = 1024
"""The most pixels that a side of an opened picture's preview has."""

_KEPT_MODELS = 4


class Lane(StrEnum):
    """Questions of one lane are answered in order; no lane waits for another."""

    QUICK = "quick"
    MACHINE = "machine"
    """May wait for torch, in the first seconds of a process."""
    FILES = "files"


def lane_of(question: Question) -> Lane:
    """Where `question` waits for its turn."""
    match question:
        case ListModels() | CountTokens():
            return Lane.QUICK
        case DescribeMachine() | PlanClip():
            return Lane.MACHINE
        case OpenPicture() | OpenVideo() | PredictExport():
            return Lane.FILES


def answer(question: Question, loading: TorchLoading, *, is_cancelled: Callable[[], bool]) -> Event:
    """The answer to `question`.

    Raises:
        Cancelled: `is_cancelled` said so.
        EngineError: there is no answer.
    """
    match question:
        case ListModels():
            return ModelsListed(models=tuple(find_models()))
        case DescribeMachine():
            loading.wait_for_torch()
            return describe_machine()
        case PlanClip():
            return _plan(question, loading)
        case CountTokens():
            folder = ModelFolder.open(locate_model(question.model))
            config = ModelConfig.from_json(folder.configs)
            count = count_tokens(question.text, folder.tokenizer_folder)
            return TokensCounted(count=count, limit=config.text.tokens_length)
        case OpenPicture():
            return _open_picture(Path(question.path), Path(question.preview))
        case OpenVideo():
            return open_video(Path(question.path), Path(question.folder), is_cancelled=is_cancelled)
        case PredictExport():
            return predict_clip_export(
                Path(question.folder),
                question.save,
                max_bytes=question.max_bytes,
                is_cancelled=is_cancelled,
            )


def _plan(question: PlanClip, loading: TorchLoading) -> ClipPlanned:
    request = question.request
    folder = ModelFolder.open(locate_model(question.model))
    folder.check_size(request.size)
    device, kind, free_bytes = _device(question.device, loading)
    parts = _part_bytes(folder.path.resolve(), folder.fingerprint, kind)
    return ClipPlanned(
        stages=tuple(
            PlannedStage(stage=work.stage, num_steps=work.num_steps, cost=work.cost)
            for work in planned_work(request, saves_file=False)
        ),
        needed_bytes=needed_bytes(request, ModelConfig.from_json(folder.configs), parts, kind),
        free_bytes=free_bytes,
        device=device,
    )


def _device(name: str | None, loading: TorchLoading) -> tuple[str, DeviceKind, int]:
    """The name of the device, what kind it is, and its free bytes. Waits for torch if need be."""
    if name != CPU:
        loading.wait_for_torch()
        from engine.memory.device import Device

        device = Device.best() if name is None else Device.named(name)
        free_bytes = device.free_bytes
        if free_bytes is not None:
            return device.name, DeviceKind.GRAPHICS_CARD, free_bytes
    return CPU, DeviceKind.CPU, free_main_memory()


@lru_cache(maxsize=_KEPT_MODELS)
def _part_bytes(path: Path, _fingerprint: str, kind: DeviceKind) -> dict[ModelPart, PartBytes]:
    folder = ModelFolder.open(path)

    def tensors(part: ModelPart) -> dict[str, TensorRecord]:
        # Comparing gigabytes with their checksums is for the job; here only sizes count.
        return folder.index(part) if isinstance(folder, OfficialFolder) else folder.tensors(part)

    return part_bytes({part: tensors(part) for part in ModelPart}, kind)


def _open_picture(path: Path, preview: Path) -> PictureOpened:
    picture = open_picture(path)
    width, height = picture.size
    picture.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    try:
        preview.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(preview) as temporary:
            picture.save(temporary, "PNG")
            publish(temporary, preview, overwrite=True)
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise PictureError(
            f"The picture could be read, but a small copy of it could not be written: {error}. "
            "Free some space on the disk.",
            detail=repr(error),
        ) from error
    return PictureOpened(width=width, height=height, path=str(preview))
