"""Runs the jobs of a worker or of the command line: make a clip, save it, prepare a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import Finished, GenerateRequest, SaveRequest, Stage, to_json
from engine.checkpoint.folder import ModelFolder, locate_model
from engine.checkpoint.networks import NetworkLoader
from engine.checkpoint.preparation_process import prepare_in_process
from engine.clip_job import ClipJob, begin_clip, existing_clip, first_picture, is_finished
from engine.clip_run import ClipRun
from engine.context_cache import ContextCache, contexts_folder
from engine.errors import InvalidRequest
from engine.export import fit_frames, save_fitted
from engine.memory.device import Device
from engine.model_check import check_model
from engine.picture_opening import open_picture
from engine.pipeline import Pipeline
from engine.progress import Progress, planned_work
from engine.video_io import check_output_space, frame_order, prepare_output

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from engine.api import Event, Prepare, Prepared

    OnEvent = Callable[[Event], None]
    IsCancelled = Callable[[], bool]


class JobRunner:
    """Runs one job at a time and keeps the model of the last one open for the next."""

    def __init__(self) -> None:
        self._opened: tuple[Path, str, Device] | None = None
        self._pipeline: Pipeline | None = None

    def generate(
        self,
        request: GenerateRequest,
        save: SaveRequest,
        *,
        model: str,
        device_name: str | None,
        memory_bytes: int | None = None,
        eight_bit: bool = False,
        on_event: OnEvent,
        is_cancelled: IsCancelled,
    ) -> list[Path]:
        """Make a clip and save it; the last event is `Finished`.

        `memory_bytes` limits the memory of the graphics card, or of this process on the CPU.
        `eight_bit` allows 8-bit weights where no others fit.

        Returns:
            The files that were written, videos before sidecars.

        Raises:
            EngineError: what stopped it, `Cancelled` included. Nothing is left behind.
        """
        prepare_output(Path(save.path), overwrite=save.overwrite)
        width, height = request.size.width, request.size.height
        if save.width is not None:
            width, height = save.width, height * save.width // width
        check_output_space(Path(save.path), request.fps.num_frames, width, height)
        picture = None
        if request.picture is not None:
            picture = open_picture(
                Path(request.picture.path), background=request.picture.background
            )
        opened, device = chosen(model, device_name)
        opened.check_size(request.size)
        check_model(
            opened, request, eight_bit=eight_bit, on_event=on_event, is_cancelled=is_cancelled
        )
        pipeline = self._pipeline_of(opened, device)
        progress = Progress(
            planned_work(request, saves_file=True), on_event=on_event, is_cancelled=is_cancelled
        )
        pipeline.limit_memory(memory_bytes)
        frames = ClipRun(pipeline, request, picture, progress, allow_8bit=eight_bit).frames()
        written = _save(frames, save, request, progress)
        on_event(Finished(num_frames=len(frames), seconds=progress.seconds, output=str(written[0])))
        return written

    def make_clip(
        self,
        request: GenerateRequest,
        folder: Path,
        *,
        model: str,
        device_name: str | None,
        until: Stage | None,
        eight_bit: bool = False,
        on_event: OnEvent,
        is_cancelled: IsCancelled,
    ) -> None:
        """Make a clip in `folder`, or go on with the one that is there; at the end `Finished`.

        A clip that is finished already takes no time. With `until`, the work ends after that
        stage, and the same call without it goes on from there.

        Raises:
            InvalidRequest: `folder` has another clip, or the request does not fit the model.
            EngineError: what stopped it, `Cancelled` included. What is done is kept in `folder`.
        """
        opened, device = chosen(model, device_name)
        opened.check_size(request.size)
        clip = existing_clip(folder, request, opened)
        if clip is not None and is_finished(clip, request, until):
            clip.remove_temporaries()
            clip.save(replace(clip.info, request=request))
            clip.remove_superseded()
            num_frames = request.fps.num_frames
            on_event(Finished(num_frames=num_frames, seconds=0.0, output=str(folder)))
            return
        picture = first_picture(request, clip)
        check_model(
            opened,
            request,
            until=until,
            eight_bit=eight_bit,
            on_event=on_event,
            is_cancelled=is_cancelled,
        )
        pipeline = self._pipeline_of(opened, device)
        job = ClipJob(
            clip or begin_clip(folder, request, opened, device),
            request,
            until=until,
            eight_bit=eight_bit,
            preview_map=opened.preview_map(),
            on_event=on_event,
            is_cancelled=is_cancelled,
        )
        job.run(pipeline, picture)

    def free_memory(self) -> None:
        """Give the model's memory back; the next job loads it again."""
        if self._opened is not None and self._pipeline is not None:
            device = self._opened[2]
            self._pipeline.networks.close()
            self._pipeline = self._opened = None
            device.release_unused()

    def _pipeline_of(self, folder: ModelFolder, device: Device) -> Pipeline:
        wanted = (folder.path.resolve(), folder.fingerprint, device)
        if self._pipeline is None or self._opened != wanted:
            self.free_memory()  # the old model's goes before the new one's comes
            self._pipeline = Pipeline(
                NetworkLoader(folder), device, contexts=ContextCache(contexts_folder())
            )
            self._opened = wanted
        return self._pipeline


def chosen(model: str, device_name: str | None) -> tuple[ModelFolder, Device]:
    """The model, opened, and the device; None is the best there is.

    Raises:
        ModelNotFound: there is no such model.
        ModelFileError: a file of it is missing or damaged.
        DeviceError: there is no such device.
    """
    device = Device.best() if device_name is None else Device.named(device_name)
    return ModelFolder.open(locate_model(model)), device


def _save(
    frames: list[Image.Image], save: SaveRequest, request: GenerateRequest, progress: Progress
) -> list[Path]:
    fitted = fit_frames(frames, save, frames_per_second=request.fps.frames_per_second)
    num_frames = len(frame_order(len(fitted.frames), save.playback))
    with progress.stage(Stage.SAVE, num_frames) as step_done:
        return save_fitted(fitted, save, request=to_json(request), on_frame=step_done)


def prepare(command: Prepare, *, on_event: OnEvent, is_cancelled: IsCancelled) -> Prepared:
    """Prepare a model; `on_event` is not told the end, which is returned.

    Raises:
        EngineError: what stopped it. What was prepared so far is kept and taken up again.
    """
    # The folder's name becomes the model's, in a file of UTF-8.
    destination = command.destination
    if "\0" in destination or any("\ud800" <= letter <= "\udfff" for letter in destination):
        raise InvalidRequest(f"{destination!r} cannot be the name of a model's folder.")
    return prepare_in_process(
        Path(command.source),
        Path(destination),
        eight_bit=command.eight_bit,
        delete_originals=command.delete_originals,
        on_progress=on_event,
        is_cancelled=is_cancelled,
    )
