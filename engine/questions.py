"""Answers to what a worker is asked while it works: models, memory, tokens, files.

Torch is waited for only where an answer needs it.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from engine.api import (
    RELEASED_MODEL,
    ClipPlanned,
    CountTokens,
    DescribeDownload,
    DescribeMachine,
    DownloadModel,
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
from engine.api.files import publish, temporary_beside
from engine.checkpoint.folder import (
    ModelFolder,
    check_multiple,
    list_models,
    locate_model,
    released_model,
)
from engine.config import ModelConfig
from engine.download.process import describe_download
from engine.errors import ModelNotFound, PictureError
from engine.export_size import predict_clip_export
from engine.machine import PROCESS_BYTES, describe_machine
from engine.memory.device_kind import DeviceKind
from engine.picture_opening import open_picture
from engine.progress import planned_work
from engine.prompt_tokens import count_tokens
from engine.video_frames import open_video

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.api import Aside, Event, Question
    from engine.memory.clip_plan import StagePlan
    from engine.memory.clip_traces import ClipTracer
    from engine.progress import StageWork
    from engine.torch_loading import TorchLoading

PREVIEW_SIDE = 1024
"""The most pixels that a side of an opened picture's preview has."""


class Lane(StrEnum):
    """Questions of one lane are answered in order; no lane waits for another."""

    QUICK = "quick"
    MACHINE = "machine"
    """May wait for torch, in the first seconds of a process."""
    FILES = "files"
    NETWORK = "network"
    DOWNLOAD = "download"
    """Hours; what comes here is work, and runs beside all other."""


def lane_of(question: Aside) -> Lane:
    """Where `question` waits for its turn."""
    match question:
        case ListModels() | CountTokens():
            return Lane.QUICK
        case DescribeMachine() | PlanClip():
            return Lane.MACHINE
        case OpenPicture() | OpenVideo() | PredictExport():
            return Lane.FILES
        case DescribeDownload():
            return Lane.NETWORK
        case DownloadModel():
            return Lane.DOWNLOAD


def answer(question: Question, loading: TorchLoading, *, is_cancelled: Callable[[], bool]) -> Event:
    """The answer to `question`.

    Raises:
        Cancelled: `is_cancelled` said so.
        EngineError: there is no answer.
    """
    match question:
        case ListModels():
            return ModelsListed(models=tuple(list_models()))
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
        case DescribeDownload():
            return describe_download(question, is_cancelled=is_cancelled)
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
    folder = _folder_of(question.model)
    check_multiple(request.size, (folder.info if folder else released_model()).size_multiple)
    loading.wait_for_all()
    from engine.checkpoint.networks import NetworkLoader
    from engine.memory.clip_plan import plan_clip
    from engine.memory.clip_traces import tracer_of
    from engine.memory.device import Device
    from engine.memory.ladder import free_needed, usable_bytes
    from engine.memory.speeds import Speeds

    device = Device.best() if question.device is None else Device.named(question.device)
    plan = plan_clip(
        tracer_of(NetworkLoader(folder), device.kind) if folder else _released_tracer(device.kind),
        request,
        budget_bytes=usable_bytes(device.free_bytes),
        card=Speeds(device, folder.fingerprint if folder else "").card,
        allow_8bit=question.eight_bit,
    )
    # Where it does not fit, a person wants to know how much has to be free.
    needed_bytes = plan.peak_bytes if plan.fits else free_needed(plan.peak_bytes)
    # A person compares with what the computer has; there the process itself counts too.
    process_bytes = PROCESS_BYTES if device.kind is DeviceKind.CPU else 0
    return ClipPlanned(
        stages=tuple(
            _planned_stage(work, [stage for stage in plan.stages if stage.stage is work.stage])
            for work in planned_work(request, saves_file=False)
        ),
        fits=plan.fits,
        needed_bytes=needed_bytes + process_bytes,
        free_bytes=device.free_bytes + process_bytes,
        device=device.name,
    )


def _folder_of(model: str) -> ModelFolder | None:
    """The model's folder; None for the released model where that is not prepared yet."""
    try:
        return ModelFolder.open(locate_model(model))
    except ModelNotFound:
        if model != RELEASED_MODEL:
            raise
        return None


@cache
def _released_tracer(kind: DeviceKind) -> ClipTracer:
    """What the networks of the released model do, without any of its files."""
    from engine.memory.clip_traces import keeping_tracer
    from engine.memory.model_sizes import released_sizes

    return keeping_tracer(released_sizes(), kind)


def _planned_stage(work: StageWork, plans: Sequence[StagePlan]) -> PlannedStage:
    fits = all(plan.fits for plan in plans)
    return PlannedStage(
        stage=work.stage,
        num_steps=work.num_steps,
        cost=work.cost,
        seconds=sum(plan.seconds for plan in plans) if fits else None,
        peak_bytes=max(plan.peak_bytes for plan in plans),
    )


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
