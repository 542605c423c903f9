"""What the fake worker answers to questions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import fake_getting
from fake_clip import planned_steps, read_info
from fake_pictures import frame_rows, write_png

from engine.api import (
    NUM_BASE_FRAMES,
    ClipDefaults,
    ClipInfo,
    ClipPlanned,
    CountTokens,
    DescribeDownload,
    DescribeMachine,
    DeviceInfo,
    ExportPredicted,
    FrameSize,
    GenerateRequest,
    GuidanceScales,
    ListModels,
    MachineDescribed,
    ModelInfo,
    ModelsListed,
    OpenPicture,
    OpenVideo,
    PictureOpened,
    PlanClip,
    PlannedStage,
    PredictExport,
    Sampler,
    SamplingSettings,
    Stage,
    TokensCounted,
    VideoOpened,
    frame_path,
    from_json,
    to_json,
)
from engine.errors import PictureError, VideoFileError

if TYPE_CHECKING:
    from fake_worker import Script

    from engine.api import DownloadDescribed

TOKEN_LIMIT = 128

EXAMPLES = (
    "a red circle moving to the right on a dark blue background",
    "a yellow circle growing on a black background",
    "a blue triangle moving up on a gray background",
)
DEMO = ModelInfo(
    name="demo",
    folder="demo",
    description="A toy that shows how the application works: one coloured shape.",
    text_encoder_8bit=False,
    size_multiple=8,
    defaults=ClipDefaults(
        size=FrameSize(width=64, height=64),
        sampling=SamplingSettings(sampler=Sampler.DPM_SOLVER, steps=20, interpolation_steps=10),
        guidance=GuidanceScales(key_frame=8.0, prompt=4.0, image=3.0),
        examples=EXAMPLES,
    ),
)
STEP_COSTS = {
    Stage.TEXT: 0.0,
    Stage.KEY_FRAME: 7.0,
    Stage.BASE_FRAMES: 36.5,
    Stage.INTERPOLATION: 27.0,
    Stage.DECODE: 22.7,
}


class Answers:
    """The answers to questions."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def answer(self, question):
        return {
            ListModels: self._models,
            DescribeMachine: self._machine,
            PlanClip: self._plan,
            CountTokens: self._tokens,
            OpenPicture: self._picture,
            OpenVideo: self._video,
            PredictExport: self._prediction,
            DescribeDownload: self._download,
        }[type(question)](question)

    def _models(self, _question: ListModels) -> ModelsListed:
        others = [from_json(ModelInfo, {**to_json(DEMO), **other}) for other in self._script.models]
        if self._script.big_model:
            description = "ü\u2028🦄" * self._script.big_model
            others.append(replace(DEMO, name="big", description=description))
        if self._script.released:
            others.append(fake_getting.released_model(DEMO))
        return ModelsListed(models=(DEMO, *others))

    def _download(self, question: DescribeDownload) -> DownloadDescribed:
        return fake_getting.describe(question, self._script)

    def _machine(self, _question: DescribeMachine) -> MachineDescribed:
        script = self._script
        device = DeviceInfo(
            name=script.device,
            label=script.device_label,
            total_bytes=script.total_bytes,
            free_bytes=script.free_bytes,
        )
        return MachineDescribed(
            devices=(device,),
            total_bytes=script.total_bytes,
            free_bytes=script.free_bytes,
            card_without_torch=script.card_without_torch,
        )

    def _plan(self, question: PlanClip) -> ClipPlanned:
        request, script = question.request, self._script
        area = request.size.width * request.size.height / 512**2
        stages = tuple(
            PlannedStage(
                stage=stage,
                num_steps=steps,
                cost=STEP_COSTS[stage] * steps * area,
                seconds=script.planned_seconds,
            )
            for stage, steps in planned_steps(request).items()
        )
        needed = script.needed_bytes
        if needed is None:
            needed = round(area * request.fps.num_frames * (40 << 20)) + (512 << 20)
        if question.eight_bit:
            needed //= 2
        return ClipPlanned(
            stages=stages,
            fits=needed <= script.free_bytes,
            needed_bytes=needed,
            free_bytes=script.free_bytes,
            device=question.device or script.device,
        )

    def _tokens(self, question: CountTokens) -> TokensCounted:
        return TokensCounted(count=len(question.text.split()) + 1, limit=TOKEN_LIMIT)

    def _picture(self, question: OpenPicture) -> PictureOpened:
        from PIL import Image, ImageOps, UnidentifiedImageError

        try:
            with Image.open(question.path) as opened:
                picture = ImageOps.exif_transpose(opened).convert("RGB")
        except (OSError, UnidentifiedImageError) as error:
            raise PictureError(
                f"{Path(question.path).name} is not a picture that can be opened. "
                "Choose a JPEG, PNG or WebP file.",
                detail=repr(error),
            ) from error
        width, height = picture.size
        picture.thumbnail((512, 512))
        Path(question.preview).parent.mkdir(parents=True, exist_ok=True)
        picture.save(question.preview, "PNG")
        return PictureOpened(width=width, height=height, path=question.preview)

    def _video(self, question: OpenVideo) -> VideoOpened:
        if not Path(question.path).is_file():
            raise VideoFileError(f"{Path(question.path).name} is not there any more.")
        size = FrameSize(width=64, height=64)
        for index in range(NUM_BASE_FRAMES):
            path = frame_path(question.folder, NUM_BASE_FRAMES, index)
            write_png(path, frame_rows(0, size, index / (NUM_BASE_FRAMES - 1)))
        request = self._script.video
        return VideoOpened(
            folder=question.folder,
            num_frames=NUM_BASE_FRAMES,
            width=size.width,
            height=size.height,
            frames_per_second=2.0,
            request=None if request is None else from_json(GenerateRequest, request),
        )

    def _prediction(self, question: PredictExport) -> ExportPredicted:
        info = read_info(Path(question.folder))
        save = question.save
        size = predicted_bytes(info, save)
        while question.max_bytes and size > question.max_bytes and save.crf < 51:
            save = replace(save, crf=save.crf + 1, webp_quality=max(0, save.webp_quality - 2))
            size = predicted_bytes(info, save)
        return ExportPredicted(num_bytes=size, save=save)


def predicted_bytes(info: ClipInfo, save) -> int:
    size = info.request.size
    width = save.width or size.width
    pixels = width * round(size.height * width / size.width) * max(1, info.num_frames)
    ending = Path(save.path).suffix.lower()
    bytes_per_pixel = {".mp4": 0.4 * 0.88**save.crf, ".webp": 0.002 * save.webp_quality}
    return 500 + round(pixels * bytes_per_pixel.get(ending, 0.5))
