"""What people read for a model: its name, or words for the one that comes along."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from engine.api import DEMO_MODEL

if TYPE_CHECKING:
    from engine.api import ModelInfo


def model_label(name: str) -> str:
    """The model `name` as it is shown."""
    if name == DEMO_MODEL:
        return QCoreApplication.translate("Models", "Demo model")
    return name


def model_description(model: ModelInfo) -> str:
    """What a model draws, in a sentence; a model's own words are in the language of its maker."""
    if model.name == DEMO_MODEL:
        return QCoreApplication.translate(
            "Models",
            "A toy that shows how the application works: one coloured shape on a plain "
            "background. The real model draws anything.",
        )
    return model.description
