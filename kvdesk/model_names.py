"""What people read for a model: its name, or words for the one that comes along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from engine.api import DEMO_MODEL, RELEASED_MODEL

if TYPE_CHECKING:
    from engine.api import ModelInfo


def model_label(name: str) -> str:
    """The model `name` as it is shown."""
    if name == DEMO_MODEL:
        return QCoreApplication.translate("Models", "Demo model")
    return "Kandinsky 1.1" if name == RELEASED_MODEL else name


def model_choice(model: ModelInfo) -> str:
    """A model as it is offered; one that is not there yet can be chosen for clips that wait."""
    label = model_label(model.name)
    if model.is_ready:
        return label
    return QCoreApplication.translate("Models", "{model} (not here yet)").format(model=label)


def model_description(model: ModelInfo) -> str:
    """What a model draws, in a sentence; a model's own words are in the language of its maker."""
    if model.name == DEMO_MODEL:
        return QCoreApplication.translate(
            "Models",
            "A toy that shows how the application works: one coloured shape on a plain "
            "background. The real model draws anything.",
        )
    if model.name == RELEASED_MODEL and not model.is_ready:
        return QCoreApplication.translate(
            "Models",
            "The real model: it draws anything. It is not on this computer yet; clips that are "
            "added wait for it.",
        )
    return model.description
