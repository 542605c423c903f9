"""What tests of the form's widgets start from: two models, a form, a picture."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QUndoStack

from engine.api import ClipDefaults, FrameSize, ModelInfo
from kvdesk.form import Form, PictureChoice
from kvdesk.prompt_history import PromptHistory
from kvdesk.ui.compose_panel import ComposePanel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BIG = ModelInfo(
    name="big",
    folder="",
    description="the large one",
    text_encoder_8bit=True,
    size_multiple=64,
    defaults=ClipDefaults(examples=("a red circle", "two blue squares")),
)
SMALL = replace(
    BIG, name="small", size_multiple=8, defaults=ClipDefaults(size=FrameSize(width=96, height=96))
)


@contextmanager
def a_form(folder: Path, model: ModelInfo | None = BIG) -> Iterator[tuple[Form, QUndoStack]]:
    stack = QUndoStack()
    form = Form(folder / "form.json", stack)
    if model is not None:
        form.use_model(model)
    yield form, stack
    form.flush()
    # A stack tells of its end too, and Python may have ended the form first.
    stack.indexChanged.disconnect()


@contextmanager
def a_panel(folder: Path) -> Iterator[ComposePanel]:
    with a_form(folder) as (form, stack):
        made = ComposePanel(form, PromptHistory(folder / "prompts.json"))
        made.form, made.stack, made.folder = form, stack, folder
        made.set_models([BIG, SMALL])
        made.resize(360, 800)
        made.show()
        yield made


def make_picture(folder: Path, width: int = 1200, height: int = 800) -> PictureChoice:
    preview = folder / f"preview-{width}-{height}.png"
    image = QImage(width // 4, height // 4, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkCyan)
    assert image.save(str(preview))
    return PictureChoice(path="chosen.png", width=width, height=height, preview=str(preview))
