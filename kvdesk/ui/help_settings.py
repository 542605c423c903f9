"""What each setting does, with clips of the demo model that differ in nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from engine.api import Fps, Motion
from kvdesk.form_fields import field_help, field_label, fps_text, motion_text
from kvdesk.ui.help_parts import paragraph, pictures_table, topic

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

_IN_WORDS = (
    "negative_prompt",
    "picture",
    "size",
    "key_frame_guidance",
    "image_guidance",
    "interpolation_guidance",
    "sampler",
    "interpolation_steps",
)
"""Settings that a line says enough of."""


def settings_section() -> list[QWidget]:
    """The settings that show best in pictures, and then the others."""
    translate = QCoreApplication.translate
    widgets: list[QWidget] = [
        paragraph(
            translate(
                "Help",
                "Each strip is a clip of the demo model from its beginning to its end, made with "
                "the same prompt and the same seed. The real model draws other things, but its "
                "settings pull the same way.",
            )
        )
    ]
    for field, words, rows in (_motion(), _smoothness(), _guidance(), _steps(), _seed(), _noise()):
        widgets += [topic(field_label(field), words), pictures_table(rows)]
    return widgets + [topic(field_label(field), field_help(field)) for field in _IN_WORDS]


_Group = tuple[str, str, list[tuple[str, str, str]]]


def _motion() -> _Group:
    translate = QCoreApplication.translate
    seen = (
        translate("Help", "The triangle hardly changes."),
        translate("Help", "The triangle grows a little."),
        translate("Help", "The triangle grows by half."),
        translate("Help", "The triangle grows to nearly twice its size."),
    )
    rows = [
        (motion_text(motion), f"motion-{number}", seen[number - 1])
        for number, motion in enumerate(Motion, start=1)
    ]
    words = translate(
        "Help",
        "How much moves. “A yellow triangle growing on a black background”: the more motion, the "
        "further it gets in the same time. Much motion costs sharpness.",
    )
    return "motion", words, rows


def _smoothness() -> _Group:
    translate = QCoreApplication.translate
    words = translate(
        "Help",
        "How many frames a second has. Both strips show the same two seconds. At 2 a second each "
        "frame stands for half a second; at 8, frames are put in between, and the clip takes "
        "longer to make. A draft can be made smooth later and stays the same clip.",
    )
    rows = [
        (fps_text(Fps.LOW), "fps-1", translate("Help", "The triangle grows in four leaps.")),
        (fps_text(Fps.MEDIUM), "fps-2", translate("Help", "The triangle grows in small steps.")),
    ]
    return "fps", words, rows


def _guidance() -> _Group:
    translate = QCoreApplication.translate
    words = translate(
        "Help",
        "How strongly the prompt pulls on the clip. Too little, and the clip forgets what was "
        "asked for; too much, and shapes and colours become harsh. Change it in small steps.",
    )
    rows = [
        ("0", "guidance-1", translate("Help", "The triangle turns into something round.")),
        ("3", "guidance-2", translate("Help", "The triangle grows as it should.")),
        ("15", "guidance-3", translate("Help", "The triangle has steps and jagged edges.")),
    ]
    return "prompt_guidance", words, rows


def _steps() -> _Group:
    translate = QCoreApplication.translate
    words = translate(
        "Help",
        "How often the clip is refined. The time grows with the steps. Beyond some number nothing "
        "gets better; which one depends on the model and the sampler.",
    )
    rows = [
        ("2", "steps-1", translate("Help", "A pale triangle on a gray ground.")),
        ("4", "steps-2", translate("Help", "A clear triangle on a black ground.")),
        ("20", "steps-3", translate("Help", "Nearly the same triangle.")),
    ]
    return "steps", words, rows


def _seed() -> _Group:
    translate = QCoreApplication.translate
    words = translate(
        "Help",
        "Where chance begins. What the prompt leaves open, chance decides: these are three clips "
        "of “a triangle”. The same seed and settings give the same clip again. Lock it to try "
        "what another setting does.",
    )
    rows = [
        ("1", "seed-1", translate("Help", "A purple triangle on black.")),
        ("2", "seed-2", translate("Help", "A purple triangle on dark blue, which shrinks.")),
        ("3", "seed-3", translate("Help", "A purple triangle on gray.")),
    ]
    return "seed", words, rows


def _noise() -> _Group:
    translate = QCoreApplication.translate
    words = translate(
        "Help",
        "How much noise is put over the first picture before it is set in motion. More lets the "
        "clip depart from it further, and lose its details. In the demo model it is hardly seen; "
        "the motion map beside Generate shows what it does with yours.",
    )
    rows = [
        ("0", "noise-1", translate("Help", "The triangle grows.")),
        ("900", "noise-2", translate("Help", "The triangle grows in nearly the same way.")),
    ]
    return "noise_augmentation", words, rows
