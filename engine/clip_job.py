"""Makes the clip of a folder, or goes on with it: its stages, with checkpoints and previews."""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine import __version__
from engine.api import (
    CLIP_FORMAT,
    KEY_FRAME_FILE,
    NUM_BASE_FRAMES,
    VIDEO_FILE,
    ClipInfo,
    Finished,
    KeyFrameReady,
    PreviewReady,
    SaveRequest,
    Stage,
    StageFinished,
    StageSeconds,
    StageStarted,
    to_json,
)
from engine.api.files import temporary_beside
from engine.clip import PREVIEW_FILE, ClipFolder, without_fps
from engine.clip_checkpoints import FolderCheckpoints
from engine.clip_points import Point
from engine.clip_run import ClipRun
from engine.clip_space import check_clip_space
from engine.errors import ClipError, DiskFull, InvalidRequest, VideoFileError
from engine.export import save_frames
from engine.picture_opening import open_picture
from engine.progress import Progress, planned_work

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image
    from torch import Tensor

    from engine.api import Event, GenerateRequest
    from engine.checkpoint.folder import ModelFolder
    from engine.memory.device import Device
    from engine.pipeline import Pipeline
    from engine.preview import PreviewMap

log = logging.getLogger(__name__)

SECONDS_BETWEEN_PREVIEWS = 0.2


def existing_clip(path: Path, request: GenerateRequest, model: ModelFolder) -> ClipFolder | None:
    """The clip in the folder `path`, which must be one of `request` and `model`; None if none is.

    Raises:
        ClipError: it is damaged, or a newer kvdesk wrote it.
        InvalidRequest: it is another clip.
    """
    if not ClipFolder.is_at(path):
        return None
    clip = ClipFolder.open(path)
    if without_fps(clip.info.request) != without_fps(request):
        raise InvalidRequest(
            f"The clip in {path} was made with other settings, and only its number of frames can "
            "be changed. Choose another folder."
        )
    if clip.info.model_fingerprint != model.fingerprint:
        raise InvalidRequest(
            f'The clip in {path} was made with the model "{clip.info.model}" as it was then, '
            f'which is not the "{model.info.name}" that was named. Make a new clip in another '
            "folder."
        )
    return clip


def is_finished(clip: ClipFolder, request: GenerateRequest, until: Stage | None) -> bool:
    """Whether nothing of `request` is left to do."""
    wants_frames = until in (None, Stage.DECODE, Stage.SAVE)
    return wants_frames and clip.has_frames(request.fps.num_frames)


def first_picture(request: GenerateRequest, clip: ClipFolder | None) -> Image.Image | None:
    """The upright picture that a clip begins with; None where none is needed, or none any more.

    Raises:
        PictureError: it cannot be read.
    """
    if request.picture is None:
        return None
    kept = None
    if clip is not None:
        if FolderCheckpoints(clip).load(Point.KEY_FRAME) is not None:
            return None
        kept = clip.picture()
    return kept or open_picture(Path(request.picture.path), background=request.picture.background)


def begin_clip(
    path: Path, request: GenerateRequest, model: ModelFolder, device: Device
) -> ClipFolder:
    """Begin the clip of `request` in the folder `path`.

    Raises:
        ClipError: the disk refuses.
    """
    info = ClipInfo(
        format_version=CLIP_FORMAT,
        request=request,
        model=model.info.name,
        model_fingerprint=model.fingerprint,
        kvdesk_version=__version__,
        device=str(device.torch_device),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    return ClipFolder.create(path, info)


class ClipJob:
    """One run of the stages that a clip still needs."""

    def __init__(
        self,
        clip: ClipFolder,
        request: GenerateRequest,
        *,
        until: Stage | None,
        eight_bit: bool,
        preview_map: PreviewMap | None,
        on_event: Callable[[Event], None],
        is_cancelled: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clip = clip
        self._request = request
        self._until = until
        self._eight_bit = eight_bit
        self._preview_map = preview_map
        self._on_event = on_event
        self._is_cancelled = is_cancelled
        self._clock = clock
        self._seconds = {item.stage: item.seconds for item in clip.info.seconds}
        self._running: tuple[Stage, float] | None = None
        self._previewed: Stage | None = None
        self._next_preview = 0.0
        self._key_frame_is_told = False

    def run(self, pipeline: Pipeline, picture: Image.Image | None) -> None:
        """Do what is left; the last event is `Finished`.

        Raises:
            EngineError: what stopped it, `Cancelled` included. What is done is kept.
        """
        clip, request = self._clip, self._request
        clip.remove_temporaries()
        check_clip_space(clip.path, request, self._until)
        clip.save(
            replace(
                clip.info,
                request=request,
                device=str(pipeline.device.torch_device),
                eight_bit=clip.info.eight_bit or self._eight_bit,
            )
        )
        if picture is not None and clip.picture() is None:
            clip.keep_picture(picture)
        if clip.info.has_key_frame:
            self._tell_key_frame()
        progress = Progress(
            planned_work(request, saves_file=False, until=self._until),
            on_event=self._pass_on,
            is_cancelled=self._is_cancelled,
            clock=self._clock,
        )
        run = ClipRun(
            pipeline,
            request,
            picture,
            progress,
            allow_8bit=self._eight_bit,
            checkpoints=FolderCheckpoints(clip),
            on_look=self._look,
            on_key_frame=self._keep_key_frame,
        )
        try:
            frames = run.frames(self._until)
        except BaseException:
            with contextlib.suppress(ClipError, DiskFull):  # it must not hide what went wrong
                self._save_seconds()
            raise
        if frames:
            self._write_video(frames)
            clip.finish(replace(clip.info, num_frames=len(frames)), frames)
        self._on_event(
            Finished(
                num_frames=num_frames_at(self._until, request),
                seconds=progress.seconds,
                output=str(clip.path),
            )
        )

    def _write_video(self, frames: list[Image.Image]) -> None:
        path = self._clip.path / VIDEO_FILE
        rate = self._request.fps.frames_per_second
        save = SaveRequest(path=str(path), overwrite=True)
        try:
            save_frames(frames, save, frames_per_second=rate, request=to_json(self._request))
        except VideoFileError as error:  # the frames are what counts, and they are whole
            log.warning("%s", error.message)

    def _pass_on(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self._running = (event.stage, self._clock())
        elif isinstance(event, StageFinished):
            self._save_seconds()
        self._on_event(event)

    def _save_seconds(self) -> None:
        """Add the time of the stage that ran until now."""
        if self._running is not None:
            stage, begin = self._running
            self._running = None
            self._seconds[stage] = self._seconds.get(stage, 0.0) + self._clock() - begin
            seconds = tuple(
                StageSeconds(stage=stage, seconds=round(seconds, 3))
                for stage, seconds in self._seconds.items()
            )
            self._clip.save(replace(self._clip.info, seconds=seconds))

    def _keep_key_frame(self, picture: Image.Image) -> None:
        if self._key_frame_is_told:
            return
        self._clip.keep_key_frame(picture)
        self._clip.save(replace(self._clip.info, has_key_frame=True))
        self._tell_key_frame()

    def _tell_key_frame(self) -> None:
        path = self._clip.path / KEY_FRAME_FILE
        if path.is_file():
            self._key_frame_is_told = True
            self._on_event(KeyFrameReady(path=str(path)))

    def _look(self, stage: Stage, step: int, latents: Tensor) -> None:
        """Show what a step expects, unless the last look was a moment ago."""
        if self._preview_map is None:
            return
        now = self._clock()
        if now < self._next_preview and stage is self._previewed:
            return
        path = self._clip.path / PREVIEW_FILE
        try:
            with temporary_beside(path) as temporary:
                self._preview_map.row(latents).save(temporary, "PNG")
                temporary.replace(path)  # not synced: after a crash it is worth nothing
        except OSError as error:  # on Windows also while somebody reads the one before
            log.info("no preview: %s", error)
            return
        self._previewed, self._next_preview = stage, now + SECONDS_BETWEEN_PREVIEWS
        self._on_event(
            PreviewReady(stage=stage, step=step, path=str(path), num_frames=len(latents))
        )


def num_frames_at(until: Stage | None, request: GenerateRequest) -> int:
    """Frames that there are, drawn or not, when the stage `until` of `request` is done."""
    if until is Stage.TEXT:
        return 0
    if until is Stage.KEY_FRAME:
        return 1
    return NUM_BASE_FRAMES if until is Stage.BASE_FRAMES else request.fps.num_frames
