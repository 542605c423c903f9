"""Runs the jobs of a worker or of the command line: make a clip, prepare a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.api import Finished, GenerateRequest, Prepared, SaveRequest, Stage, to_json
from engine.checkpoint.folder import ModelFolder, locate_model
from engine.checkpoint.networks import NetworkLoader, expected_shapes
from engine.checkpoint.prepare import prepare_model
from engine.errors import InvalidRequest
from engine.memory.device import Device
from engine.pictures import open_picture
from engine.pipeline import Pipeline
from engine.progress import Progress, planned_work
from engine.video_io import SaveSettings, frame_order, prepare_output, save_video

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from engine.api import Event

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
        on_event: OnEvent,
        is_cancelled: IsCancelled,
    ) -> list[Path]:
        """Make a clip and save it; the last event is `Finished`.

        Returns:
            The files that were written, videos before sidecars.

        Raises:
            EngineError: what stopped it, `Cancelled` included. Nothing is left behind.
        """
        path = Path(save.path)
        settings = SaveSettings(
            frames_per_second=request.fps.frames_per_second,
            crf=save.crf,
            webp_quality=save.webp_quality,
            playback=save.playback,
            overwrite=save.overwrite,
        )
        prepare_output(path, overwrite=save.overwrite)
        picture = None
        if request.picture is not None:
            picture = open_picture(
                Path(request.picture.path), background=request.picture.background
            )
        pipeline = self._open(model, device_name)
        progress = Progress(
            planned_work(request, saves_file=True), on_event=on_event, is_cancelled=is_cancelled
        )
        frames = pipeline.generate(request, picture, progress)
        written = _save(frames, path, settings, request, progress)
        on_event(Finished(num_frames=len(frames), seconds=progress.seconds, output=str(written[0])))
        return written

    def _open(self, model: str, device_name: str | None) -> Pipeline:
        device = Device.best() if device_name is None else Device.named(device_name)
        folder = ModelFolder.open(locate_model(model))
        wanted = (folder.path.resolve(), folder.fingerprint, device)
        if self._pipeline is None or self._opened != wanted:
            self._pipeline = None  # the old model's memory goes before the new one's comes
            device.release_unused()
            self._pipeline = Pipeline(NetworkLoader(folder), device)
            self._opened = wanted
        return self._pipeline


def _save(
    frames: list[Image.Image],
    path: Path,
    settings: SaveSettings,
    request: GenerateRequest,
    progress: Progress,
) -> list[Path]:
    num_frames = len(frame_order(len(frames), settings.playback))
    with progress.stage(Stage.SAVE, num_frames) as step_done:
        return save_video(frames, path, settings, request=to_json(request), on_frame=step_done)


def prepare(source: str, destination: str, *, on_event: OnEvent, is_cancelled: IsCancelled) -> None:
    """Prepare a model; the last event is `Prepared`.

    Raises:
        EngineError: what stopped it. What was prepared so far is kept and taken up again.
    """
    # The folder's name becomes the model's, in a file of UTF-8.
    if "\0" in destination or any("\ud800" <= letter <= "\udfff" for letter in destination):
        raise InvalidRequest(f"{destination!r} cannot be the name of a model's folder.")
    prepare_model(
        Path(source),
        Path(destination),
        expected=expected_shapes,
        on_progress=on_event,
        is_cancelled=is_cancelled,
    )
    on_event(Prepared(folder=destination))
