"""The engine as Python code uses it: the call of the official code, with more to choose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from PIL import Image

from engine.api import (
    Finished,
    Fps,
    FrameSize,
    GenerateRequest,
    GuidanceScales,
    Motion,
    PictureRequest,
    Sampler,
    SamplingSettings,
    draw_seed,
)
from engine.checkpoint.folder import ModelFolder, locate_model
from engine.checkpoint.networks import NetworkLoader
from engine.clip_run import ClipRun
from engine.errors import InvalidRequest
from engine.memory.device import Device
from engine.model_check import check_model
from engine.picture_opening import open_picture
from engine.pictures import to_upright_rgb
from engine.pipeline import Pipeline
from engine.progress import Progress, planned_work

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

    from engine.api import Event

    ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


class VideoPipeline:
    """A model that is ready: call it with a prompt to get the frames of a clip.

    Attributes:
        request: the last clip's request, with the seed that was drawn if none was given.
    """

    def __init__(self, folder: ModelFolder, device: Device, *, text_encoder_8bit: bool) -> None:
        self.request: GenerateRequest | None = None
        self._folder = folder
        self._defaults = folder.info.defaults
        self._device = device
        self._loader = NetworkLoader(folder, text_encoder_8bit=text_encoder_8bit)
        self._pipeline: Pipeline | None = None

    @classmethod
    def open(
        cls, device: str, model: str | Path | None = None, *, text_encoder_8bit: bool = False
    ) -> Self:
        """See `engine.get_T2V_pipeline`."""
        folder = ModelFolder.open(locate_model(None if model is None else str(model)))
        return cls(folder, Device.named(device), text_encoder_8bit=text_encoder_8bit)

    def __call__(
        self,
        prompt: str,
        negative_prompt: str | None = None,
        image: Image.Image | str | Path | None = None,
        width: int | None = None,
        height: int | None = None,
        fps: str = "low",
        motion: str = "medium",
        key_frame_guidance_scale: float | None = None,
        guidance_weight_prompt: float | None = None,
        guidance_weight_image: float | None = None,
        interpolation_guidance_scale: float | None = None,
        noise_augmentation: int = 20,
        *,
        seed: int | None = None,
        steps: int | None = None,
        interpolation_steps: int | None = None,
        sampler: str | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> list[Image.Image]:
        """Make a clip.

        Numbers that are left out are the model's own: of the released model 512x512, guidance
        5.0 / 5.0 / 2.0 / 0.5, and 50 steps of "ddpm" with 10 for interpolation.

        Args:
            prompt: what the clip shows.
            negative_prompt: what it must not show.
            image: a picture, or the path of one, to begin with; any size, mode and orientation.
            width: of the frames, in pixels; a multiple of 64 for the released model.
            height: likewise.
            fps: "low" (12 frames), "medium" (45) or "high" (177).
            motion: "low", "medium", "high" or "extreme".
            key_frame_guidance_scale: pull of the prompt on the first picture; 0 is none.
            guidance_weight_prompt: pull of the prompt on the clip; 1 is none.
            guidance_weight_image: pull of the picture on the clip; 1 is none.
            interpolation_guidance_scale: pull on the frames in between; 0 is none.
            noise_augmentation: 0 to 999; more lets the clip leave the picture further.
            seed: the same seed gives the same clip; drawn if left out, see `request`.
            steps: of the key frame and of the base frames.
            interpolation_steps: of each interpolation pass.
            sampler: "ddpm", "dpm++", "unipc" or "ddim".
            on_event: told of every stage and step; raise `engine.errors.Cancelled` from it to stop.

        Returns:
            The frames.

        Raises:
            EngineError: the message says what is wrong and what to do.
        """
        defaults = self._defaults
        guidance = defaults.guidance
        request = GenerateRequest(
            prompt=prompt,
            negative_prompt=negative_prompt or "",
            # Only says that there is a picture: it is opened here already.
            picture=None if image is None else PictureRequest(path=_name_of(image)),
            seed=draw_seed() if seed is None else seed,
            size=FrameSize(
                width=_or(width, defaults.size.width), height=_or(height, defaults.size.height)
            ),
            fps=_choice(Fps, "fps", fps),
            motion=_choice(Motion, "motion", motion),
            noise_augmentation=noise_augmentation,
            guidance=GuidanceScales(
                key_frame=_or(key_frame_guidance_scale, guidance.key_frame),
                prompt=_or(guidance_weight_prompt, guidance.prompt),
                image=_or(guidance_weight_image, guidance.image),
                interpolation=_or(interpolation_guidance_scale, guidance.interpolation),
            ),
            sampling=SamplingSettings(
                sampler=_choice(Sampler, "sampler", sampler or defaults.sampling.sampler),
                steps=_or(steps, defaults.sampling.steps),
                interpolation_steps=_or(interpolation_steps, defaults.sampling.interpolation_steps),
            ),
        )
        self.request = request
        on_event = on_event or _ignore
        check_model(self._folder, request, on_event=on_event)
        self._pipeline = self._pipeline or Pipeline(self._loader, self._device)
        progress = Progress(
            planned_work(request, saves_file=False),
            on_event=on_event,
            is_cancelled=lambda: False,
        )
        frames = ClipRun(self._pipeline, request, _opened(image), progress).frames()
        on_event(Finished(num_frames=len(frames), seconds=progress.seconds, output=""))
        return frames


NumberT = TypeVar("NumberT", int, float)


def _or(given: NumberT | None, default: NumberT) -> NumberT:
    return default if given is None else given


def _choice(choices: type[ChoiceT], name: str, given: str) -> ChoiceT:
    try:
        return choices(given)
    except ValueError:
        known = ", ".join(f'"{choice}"' for choice in choices)
        raise InvalidRequest(f'{name} must be one of {known}, not "{given}".') from None


def _name_of(image: Image.Image | str | Path) -> str:
    return str(getattr(image, "filename", "")) if isinstance(image, Image.Image) else str(image)


def _opened(image: Image.Image | str | Path | None) -> Image.Image | None:
    if image is None:
        return None
    if isinstance(image, Image.Image):
        return to_upright_rgb(image)
    return open_picture(Path(image))


def _ignore(_event: Event) -> None:
    pass
