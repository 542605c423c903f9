"""How the fake worker makes a clip: a real folder, of pictures that cost nothing."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fake_pictures import frame_rows, write_png

from engine.api import (
    CHECKPOINTS_FOLDER,
    CLIP_FILE,
    CLIP_FORMAT,
    KEY_FRAME_FILE,
    NUM_BASE_FRAMES,
    PICTURE_FILE,
    STRIP_FILE,
    STRIP_HEIGHT,
    ClipInfo,
    Finished,
    Fps,
    FrameSize,
    GenerateRequest,
    KeyFrameReady,
    MakeClip,
    PreviewReady,
    Stage,
    StageFinished,
    StageSeconds,
    StageStarted,
    StepDone,
    frame_path,
    from_json,
    to_json,
)
from engine.errors import ClipError, PictureError

if TYPE_CHECKING:
    from fake_worker import FakeWorker, Script

PREVIEW_FILE = "preview.png"
PROGRESS_FILE = "fake.json"
FINGERPRINT = "fa" * 32
PREVIEW_SIDE = 8  # as one latent of the real ones is


class ClipMaker:
    """Makes one clip, or goes on with it."""

    def __init__(self, worker: FakeWorker, script: Script, command: MakeClip) -> None:
        self._worker = worker
        self._script = script
        self._job = command.job
        self._until = command.until
        self._eight_bit = command.eight_bit
        self._folder = Path(command.folder)
        self._request = command.request
        self._info = self._open_or_begin(command)
        self._done = self._read_progress()  # steps of each stage that lie behind
        self._plan = planned_steps(self._request)
        self._seconds = {entry.stage: entry.seconds for entry in self._info.seconds}

    def make(self) -> None:
        began = time.monotonic()
        for stage in self._stages():
            stage_began = time.monotonic()
            self._run_stage(stage)
            seconds = time.monotonic() - stage_began
            self._worker.send(self._job, StageFinished(stage=stage, seconds=seconds))
            self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds
            self._finish_stage(stage)
            if stage is self._until:
                break
        self._worker.send(
            self._job,
            Finished(
                num_frames=self._info.num_frames,
                seconds=time.monotonic() - began,
                output=str(self._folder),
            ),
        )

    def _stages(self) -> list[Stage]:
        """Those that are not done; none where all frames are there."""
        if self._info.num_frames == self._request.fps.num_frames:
            return []
        missing = [stage for stage, steps in self._plan.items() if self._steps_done(stage) < steps]
        # A worker that was killed may have drawn all frames, and not said yet that it has.
        return missing or [Stage.DECODE]

    def _steps_done(self, stage: Stage) -> int:
        return min(self._done.get(self._progress_key(stage), 0), self._plan[stage])

    def _progress_key(self, stage: Stage) -> str:
        # Frames are decoded for each smoothness anew; interpolation goes on with its second pass.
        return f"{stage}{self._request.fps.num_frames}" if stage is Stage.DECODE else stage

    def _run_stage(self, stage: Stage) -> None:
        num_steps = self._plan[stage]
        first = self._steps_done(stage)
        if stage is Stage.BASE_FRAMES and self._request.picture is not None and not first:
            self._keep_key_frame(is_drawn=False)
        self._worker.send(self._job, StageStarted(stage=stage, num_steps=num_steps))
        self._worker.step(self._job, stage, 0)
        for step in range(first + 1, num_steps + 1):
            self._worker.step(self._job, stage, step, eight_bit=self._eight_bit)
            if stage is Stage.DECODE:
                self._decode(step - 1)
            elif stage is not Stage.TEXT and self._script.previews:
                self._preview(stage, step)
            self._done[self._progress_key(stage)] = step
            self._write_progress()
            left = self._seconds_left(stage, step)
            done = StepDone(stage=stage, step=step, num_steps=num_steps, seconds_left=left)
            self._worker.send(self._job, done)

    def _seconds_left(self, stage: Stage, step: int) -> float:
        stages = list(self._plan)
        later = stages[stages.index(stage) + 1 :]
        steps = self._plan[stage] - step
        return (steps + sum(self._plan[stage] for stage in later)) * self._script.step_seconds

    def _finish_stage(self, stage: Stage) -> None:
        if stage is Stage.KEY_FRAME:
            self._keep_key_frame(is_drawn=True)
        elif stage is Stage.DECODE:
            self._finish_clip()
        self._save()

    def _keep_key_frame(self, *, is_drawn: bool) -> None:
        size = self._request.size
        if is_drawn:  # the real one is drawn twice as large
            size = FrameSize(width=2 * size.width, height=2 * size.height)
        path = self._folder / KEY_FRAME_FILE
        write_png(path, frame_rows(self._request.seed, size, 0.0))
        self._save(has_key_frame=is_drawn)
        self._worker.send(self._job, KeyFrameReady(path=str(path)))

    def _preview(self, stage: Stage, step: int) -> None:
        count = 1 if stage is Stage.KEY_FRAME else NUM_BASE_FRAMES
        small = FrameSize(width=PREVIEW_SIDE, height=PREVIEW_SIDE)
        frames = [
            frame_rows(self._request.seed, small, index / (NUM_BASE_FRAMES - 1))
            for index in range(count)
        ]
        path = self._folder / PREVIEW_FILE
        write_png(path, [b"".join(rows) for rows in zip(*frames, strict=True)])
        self._worker.send(
            self._job, PreviewReady(stage=stage, step=step, path=str(path), num_frames=count)
        )

    def _decode(self, index: int) -> None:
        count = self._request.fps.num_frames
        path = frame_path(self._folder / CHECKPOINTS_FOLDER, count, index)
        write_png(path, frame_rows(self._request.seed, self._request.size, index / (count - 1)))

    def _finish_clip(self) -> None:
        count = self._request.fps.num_frames
        decoded = frame_path(self._folder / CHECKPOINTS_FOLDER, count, 0).parent
        if decoded.exists():
            for old in self._folder.glob("frames_*"):
                shutil.rmtree(old)
            decoded.replace(frame_path(self._folder, count, 0).parent)
        self._write_strip(count)
        (self._folder / PREVIEW_FILE).unlink(missing_ok=True)
        self._info = replace(self._info, num_frames=count)

    def _write_strip(self, count: int) -> None:
        from PIL import Image

        step = (count - 1) // (NUM_BASE_FRAMES - 1)
        size = self._request.size
        scale = min(1.0, STRIP_HEIGHT / size.height)
        width, height = round(size.width * scale), round(size.height * scale)
        strip = Image.new("RGB", (width * NUM_BASE_FRAMES, height))
        for number in range(NUM_BASE_FRAMES):
            with Image.open(frame_path(self._folder, count, number * step)) as frame:
                strip.paste(frame.resize((width, height)), (number * width, 0))
        strip.save(self._folder / STRIP_FILE, "JPEG")

    # The files that say how far it is.

    def _open_or_begin(self, command: MakeClip) -> ClipInfo:
        request = command.request
        if (self._folder / CLIP_FILE).is_file():
            info = read_info(self._folder)
            if replace(info.request, fps=request.fps) != request:
                raise ClipError("The folder holds a clip that was made from something else.")
            return replace(info, request=request, eight_bit=info.eight_bit or command.eight_bit)
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / CHECKPOINTS_FOLDER).mkdir(exist_ok=True)
        if request.picture is not None:
            self._keep_picture(Path(request.picture.path))
        info = ClipInfo(
            format_version=CLIP_FORMAT,
            request=request,
            model=command.model,
            model_fingerprint=FINGERPRINT,
            kvdesk_version="fake",
            device=command.device or self._script.device,
            created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            eight_bit=command.eight_bit,
        )
        write_json(self._folder / CLIP_FILE, to_json(info))
        return info

    def _keep_picture(self, source: Path) -> None:
        from PIL import Image

        try:
            with Image.open(source) as picture:
                picture.convert("RGB").save(self._folder / PICTURE_FILE, "PNG")
        except OSError as error:
            raise PictureError(f"{source.name} cannot be opened.", detail=repr(error)) from error

    def _save(self, **changes: object) -> None:
        seconds = tuple(StageSeconds(stage=s, seconds=t) for s, t in self._seconds.items())
        self._info = replace(self._info, seconds=seconds, **changes)
        write_json(self._folder / CLIP_FILE, to_json(self._info))

    def _read_progress(self) -> dict[str, int]:
        path = self._folder / CHECKPOINTS_FOLDER / PROGRESS_FILE
        return json.loads(path.read_text()) if path.is_file() else {}

    def _write_progress(self) -> None:
        write_json(self._folder / CHECKPOINTS_FOLDER / PROGRESS_FILE, self._done)


def planned_steps(request: GenerateRequest) -> dict[Stage, int]:
    """The stages that a request runs through, with their steps."""
    steps: dict[Stage, int] = {Stage.TEXT: 1}
    if request.picture is None:
        steps[Stage.KEY_FRAME] = request.sampling.steps
    steps[Stage.BASE_FRAMES] = request.sampling.steps
    if request.fps is not Fps.LOW:
        passes = request.fps.interpolation_passes
        steps[Stage.INTERPOLATION] = passes * request.sampling.interpolation_steps
    steps[Stage.DECODE] = request.fps.num_frames
    return steps


def read_info(folder: Path) -> ClipInfo:
    try:
        return from_json(ClipInfo, json.loads((folder / CLIP_FILE).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ClipError(f"There is no clip in {folder}.") from error


def write_json(path: Path, data) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(data), encoding="utf-8")
    partial.replace(path)
