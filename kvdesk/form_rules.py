"""What a model thinks of the form's values: sizes, presets, problems and cautions.

Texts are in the language of the moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QCoreApplication

from engine.api import Fps, FrameSize, ModelInfo, Sampler, SamplingSettings
from kvdesk.form_fields import (
    FIELDS,
    GUIDANCE_FIELDS,
    field_help,
    field_label,
    field_text,
    field_value,
    fps_text,
    motion_text,
    sampler_text,
)

if TYPE_CHECKING:
    from kvdesk.form import FormValues, PictureChoice

__all__ = [
    "FIELDS",
    "Preset",
    "Problem",
    "field_help",
    "field_label",
    "field_text",
    "field_value",
    "find_cautions",
    "find_problems",
    "fps_text",
    "motion_text",
    "preset_changes",
    "preset_of",
    "preset_text",
    "sampler_text",
    "size_presets",
    "size_step",
]

_SMALL_MODEL_PIXELS = 256
_SIZE_STEP = 64
_WIDE_RATIO = 5 / 3
_MAX_AREA = 1.5  # of the model's own
_MIN_AREA = 0.5
_MAX_RATIO = 2
_MAX_NOISE = 200
_FEW_STEPS = 10
_MANY_STEPS = 100
_QUICK_STEPS = 20
# Where guidance is off: below it, a clip is pushed away from what it should keep to.
_GUIDANCE_OFF = {
    "key_frame_guidance": 0.0,
    "prompt_guidance": 1.0,
    "image_guidance": 1.0,
    "interpolation_guidance": 0.0,
}


class Preset(StrEnum):
    """How much time a clip may take."""

    QUICK = "quick"
    STANDARD = "standard"
    SMOOTH = "smooth"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a person should know about the value of a field, in a sentence."""

    field: str
    text: str


def size_step(model: ModelInfo) -> int:
    """What the sides of a clip of `model` are multiples of, in pixels."""
    if _is_small(model):
        return model.size_multiple
    return math.lcm(_SIZE_STEP, model.size_multiple)


def size_presets(model: ModelInfo) -> dict[str, FrameSize]:
    """The sizes to choose from: "square" is the model's own, "wide" and "tall" have its area."""
    own = model.defaults.size
    step = size_step(model)
    area = own.width * own.height
    short = max(step, round(math.sqrt(area / _WIDE_RATIO) / step) * step)
    long = max(short + step, round(math.sqrt(area * _WIDE_RATIO) / step) * step)
    return {
        "square": own,
        "wide": FrameSize(width=long, height=short),
        "tall": FrameSize(width=short, height=long),
    }


def preset_text(preset: Preset) -> str:
    """What `preset` is called."""
    return {
        Preset.QUICK: QCoreApplication.translate("Form", "Quick look"),
        Preset.STANDARD: QCoreApplication.translate("Form", "Standard"),
        Preset.SMOOTH: QCoreApplication.translate("Form", "Smooth"),
    }[preset]


def preset_changes(preset: Preset, model: ModelInfo) -> dict[str, object]:
    """What `preset` sets: the smoothness and the sampling, by their attributes' names."""
    usual = model.defaults.sampling
    if preset is Preset.QUICK:
        return {"fps": Fps.LOW, "sampling": _quick_sampling(usual)}
    return {"fps": Fps.MEDIUM if preset is Preset.STANDARD else Fps.HIGH, "sampling": usual}


def preset_of(values: FormValues, model: ModelInfo) -> Preset | None:
    """The preset that `values` are those of, or None."""
    current = {"fps": values.fps, "sampling": values.sampling}
    return next((each for each in Preset if preset_changes(each, model) == current), None)


def find_problems(values: FormValues, model: ModelInfo | None) -> list[Problem]:
    """What has to be put right before a clip can be made."""
    found: list[Problem] = []
    if model is None:
        text = QCoreApplication.translate(
            "Form", "There is no model yet. It takes a moment after the start."
        )
        found.append(Problem(field="model", text=text))
    if not values.prompt.strip() and values.picture is None:
        text = QCoreApplication.translate("Form", "Say what the clip shows, or add a picture.")
        found.append(Problem(field="prompt", text=text))
    if model is not None:
        step = size_step(model)
        if values.size.width % step or values.size.height % step:
            text = QCoreApplication.translate(
                "Form", "Width and height must be multiples of {step} pixels."
            ).format(step=step)
            found.append(Problem(field="size", text=text))
    return found


def find_cautions(values: FormValues, model: ModelInfo | None) -> list[Problem]:
    """What is allowed but unlike what `model` was trained on; at most one for each field."""
    if model is None:
        return []
    reasons = {
        "picture": _picture_caution(values.picture, values.size),
        "size": _size_caution(values.size, model),
        "noise_augmentation": _noise_caution(values.noise_augmentation),
        **{field: _guidance_caution(values, model, field) for field in GUIDANCE_FIELDS},
        "steps": _steps_caution(
            values.sampling.steps, fewest=min(_FEW_STEPS, model.defaults.sampling.steps)
        ),
        "interpolation_steps": _steps_caution(values.sampling.interpolation_steps, fewest=1),
    }
    return [Problem(field=field, text=text) for field, text in reasons.items() if text]


def _is_small(model: ModelInfo) -> bool:
    size = model.defaults.size
    return max(size.width, size.height) < _SMALL_MODEL_PIXELS


def _quick_sampling(usual: SamplingSettings) -> SamplingSettings:
    if usual.sampler is Sampler.DDPM:
        # It draws new noise at every step and needs many; a solver of higher order does not.
        steps = min(_QUICK_STEPS, usual.steps)
        return replace(usual, sampler=Sampler.DPM_SOLVER, steps=steps)
    return replace(usual, steps=min(usual.steps, max(_FEW_STEPS, usual.steps // 2)))


def _picture_caution(picture: PictureChoice | None, size: FrameSize) -> str:
    if picture is None or not picture.is_opened:
        return ""
    width, height = float(picture.width), float(picture.height)
    if picture.crop is not None:
        width = picture.crop.right - picture.crop.left
        height = picture.crop.bottom - picture.crop.top
    # Half a pixel is lost where a crop is moved by hand.
    if width > size.width - 1 and height > size.height - 1:
        return ""
    return QCoreApplication.translate(
        "Form", "The picture is smaller than the clip, so it is enlarged."
    )


def _size_caution(size: FrameSize, model: ModelInfo) -> str:
    own = model.defaults.size
    area = size.width * size.height / (own.width * own.height)
    if size == own:
        return ""
    if _is_small(model):
        return QCoreApplication.translate(
            "Form",
            "This model was trained on {width} × {height} pixels only.",
        ).format(width=own.width, height=own.height)
    if area > _MAX_AREA:
        return QCoreApplication.translate(
            "Form", "Larger than what the model was trained on: things may repeat."
        )
    if area < _MIN_AREA:
        return QCoreApplication.translate(
            "Form", "Smaller than what the model was trained on: things may fall apart."
        )
    if max(size.width, size.height) > _MAX_RATIO * min(size.width, size.height):
        return QCoreApplication.translate(
            "Form", "More oblong than what the model was trained on: things may repeat."
        )
    return ""


def _noise_caution(noise_augmentation: int) -> str:
    if noise_augmentation <= _MAX_NOISE:
        return ""
    return QCoreApplication.translate(
        "Form", "Above {limit} the clip leaves its first picture behind."
    ).format(limit=_MAX_NOISE)


def _guidance_caution(values: FormValues, model: ModelInfo, field: str) -> str:
    scale = cast("float", field_value(values, field))
    usual = cast("float", getattr(model.defaults.guidance, GUIDANCE_FIELDS[field]))
    if scale < _GUIDANCE_OFF[field]:
        return QCoreApplication.translate("Form", "Below {limit} it pushes the other way.").format(
            limit=f"{_GUIDANCE_OFF[field]:g}"
        )
    if scale > max(2 * usual, 1.0):
        return QCoreApplication.translate(
            "Form", "More than twice the usual {usual}: colours may become harsh."
        ).format(usual=f"{usual:g}")
    return ""


def _steps_caution(steps: int, *, fewest: int) -> str:
    if steps < fewest:
        return QCoreApplication.translate(
            "Form", "With fewer than {limit} steps the clip looks rough."
        ).format(limit=fewest)
    if steps > _MANY_STEPS:
        return QCoreApplication.translate(
            "Form", "More than {limit} steps take longer and look no better."
        ).format(limit=_MANY_STEPS)
    return ""
