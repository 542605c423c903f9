"""The fields of the form: their names, what they hold, and the words for both.

Texts are in the language of the moment.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from engine.api import Fps, FrameSize, GenerateRequest, Motion, PictureRequest, Sampler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kvdesk.form import FormValues

FIELDS = (
    "prompt",
    "negative_prompt",
    "picture",
    "size",
    "fps",
    "motion",
    "noise_augmentation",
    "key_frame_guidance",
    "prompt_guidance",
    "image_guidance",
    "interpolation_guidance",
    "seed",
    "steps",
    "interpolation_steps",
    "sampler",
    "model",
)
"""The names of everything that decides what a clip shows, in the order of the form."""

GUIDANCE_FIELDS = {
    "key_frame_guidance": "key_frame",
    "prompt_guidance": "prompt",
    "image_guidance": "image",
    "interpolation_guidance": "interpolation",
}
"""Fields of the form that are attributes of its guidance, under other names."""
DIGIT_GAP = "\N{NARROW NO-BREAK SPACE}"
"""What is between groups of digits, in every language."""
SAMPLING_FIELDS = ("steps", "interpolation_steps", "sampler")


def field_value(source: GenerateRequest | FormValues, field: str) -> object:
    """The value of `field`, the same for a request and for the form's values that make it.

    A request does not know its model: that is "".
    """
    if field in GUIDANCE_FIELDS:
        return getattr(source.guidance, GUIDANCE_FIELDS[field])
    if field in SAMPLING_FIELDS:
        return getattr(source.sampling, field)
    if field == "model" and isinstance(source, GenerateRequest):
        return ""
    if field == "picture" and not isinstance(source, GenerateRequest):
        return source.picture and source.picture.to_request()
    return getattr(source, field)


def with_values(values: FormValues, changes: Mapping[str, object]) -> FormValues:
    """`values` with `changes`, which may name fields or attributes of `FormValues`.

    Raises:
        InvalidRequest: a value is out of its range.
        TypeError: there is no field of that name.
    """
    own = dict(changes)
    guidance = {GUIDANCE_FIELDS[name]: own.pop(name) for name in changes if name in GUIDANCE_FIELDS}
    sampling = {name: own.pop(name) for name in changes if name in SAMPLING_FIELDS}
    values = replace(values, **own)
    return replace(
        values,
        guidance=replace(values.guidance, **guidance),
        sampling=replace(values.sampling, **sampling),
    )


def field_label(field: str) -> str:
    """What `field` is called."""
    labels = {
        "prompt": QCoreApplication.translate("Form", "Prompt"),
        "negative_prompt": QCoreApplication.translate("Form", "Negative prompt"),
        "picture": QCoreApplication.translate("Form", "Picture"),
        "size": QCoreApplication.translate("Form", "Size"),
        "fps": QCoreApplication.translate("Form", "Smoothness"),
        "motion": QCoreApplication.translate("Form", "Motion"),
        "noise_augmentation": QCoreApplication.translate("Form", "Noise augmentation"),
        "key_frame_guidance": QCoreApplication.translate("Form", "Key frame guidance"),
        "prompt_guidance": QCoreApplication.translate("Form", "Prompt guidance"),
        "image_guidance": QCoreApplication.translate("Form", "Image guidance"),
        "interpolation_guidance": QCoreApplication.translate("Form", "In-between guidance"),
        "seed": QCoreApplication.translate("Form", "Seed"),
        "steps": QCoreApplication.translate("Form", "Steps"),
        "interpolation_steps": QCoreApplication.translate("Form", "In-between steps"),
        "sampler": QCoreApplication.translate("Form", "Sampler"),
        "model": QCoreApplication.translate("Form", "Model"),
    }
    return labels[field]


def field_help(field: str) -> str:
    """What `field` does, in a line."""
    lines = {
        "prompt": QCoreApplication.translate("Form", "What the clip shows."),
        "negative_prompt": QCoreApplication.translate("Form", "What the clip keeps away from."),
        "picture": QCoreApplication.translate(
            "Form", "The clip begins with it. Without one, it is drawn from the prompt."
        ),
        "size": QCoreApplication.translate("Form", "Width and height of the clip, in pixels."),
        "fps": QCoreApplication.translate(
            "Form", "How smoothly the clip runs. It lasts about as long in any case."
        ),
        "motion": QCoreApplication.translate("Form", "How much moves in the clip."),
        "noise_augmentation": QCoreApplication.translate(
            "Form", "How freely the clip departs from its first picture."
        ),
        "key_frame_guidance": QCoreApplication.translate(
            "Form", "How closely the first picture keeps to the prompt."
        ),
        "prompt_guidance": QCoreApplication.translate(
            "Form", "How closely the clip keeps to the prompt."
        ),
        "image_guidance": QCoreApplication.translate(
            "Form", "How closely the clip keeps to its first picture."
        ),
        "interpolation_guidance": QCoreApplication.translate(
            "Form", "How closely the frames in between keep to the prompt."
        ),
        "seed": QCoreApplication.translate(
            "Form", "Where chance begins. The same seed and settings give the same clip."
        ),
        "steps": QCoreApplication.translate(
            "Form", "How often the picture is refined. More steps take longer."
        ),
        "interpolation_steps": QCoreApplication.translate(
            "Form", "How often the frames in between are refined."
        ),
        "sampler": QCoreApplication.translate(
            "Form", "The way of refining. DPM-Solver++ and UniPC need fewer steps."
        ),
        "model": QCoreApplication.translate("Form", "What draws the clip."),
    }
    return lines[field]


def field_text(source: GenerateRequest | FormValues, field: str) -> str:
    """The value of `field` as a person reads it."""
    value = field_value(source, field)
    if field == "seed" and isinstance(value, int):
        return seed_text(value)
    if isinstance(value, FrameSize):
        return QCoreApplication.translate("Form", "{width} × {height}").format(
            width=value.width, height=value.height
        )
    if isinstance(value, Fps):
        return fps_text(value)
    if isinstance(value, Motion):
        return motion_text(value)
    if isinstance(value, Sampler):
        return sampler_text(value)
    if isinstance(value, PictureRequest):
        return _picture_text(value)
    if isinstance(value, float):
        return f"{value:g}"
    if value is None or value == "":
        return QCoreApplication.translate("Form", "none")
    return str(value)


def seed_text(seed: int) -> str:
    """The digits of `seed` in groups of three, which no line breaks apart."""
    return f"{seed:,}".replace(",", DIGIT_GAP)


def fps_text(fps: Fps) -> str:
    """How smooth a clip of `fps` is."""
    if fps is Fps.LOW:
        text = QCoreApplication.translate("Form", "{number} frames a second (draft)")
    else:
        text = QCoreApplication.translate("Form", "{number} frames a second")
    return text.format(number=fps.frames_per_second)


def motion_text(motion: Motion) -> str:
    """How much moves."""
    return {
        Motion.LOW: QCoreApplication.translate("Form", "low"),
        Motion.MEDIUM: QCoreApplication.translate("Form", "medium"),
        Motion.HIGH: QCoreApplication.translate("Form", "high"),
        Motion.EXTREME: QCoreApplication.translate("Form", "extreme"),
    }[motion]


def sampler_text(sampler: Sampler) -> str:
    """The name of `sampler`, which is the same in every language."""
    return {
        Sampler.DDPM: "DDPM",
        Sampler.DPM_SOLVER: "DPM-Solver++",
        Sampler.UNIPC: "UniPC",
        Sampler.DDIM: "DDIM",
    }[sampler]


def _picture_text(picture: PictureRequest) -> str:
    name = Path(picture.path).name
    if picture.crop is None:
        return name
    crop = picture.crop
    return QCoreApplication.translate("Form", "{name}, {width} × {height} of it").format(
        name=name, width=round(crop.right - crop.left), height=round(crop.bottom - crop.top)
    )
