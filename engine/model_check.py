"""Compares the files that a clip needs with their checksums, before the first step of the clip.

Each file once: what was compared before and has not changed since takes no time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.api import CheckProgress, Stage
from engine.checkpoint.checked_files import CheckedFiles
from engine.checkpoint.folder import ModelPart
from engine.errors import Cancelled
from engine.progress import planned_work

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.api import Event, GenerateRequest
    from engine.checkpoint.folder import ModelFolder

_PARTS = {
    Stage.TEXT: {ModelPart.TEXT_ENCODER, ModelPart.TEXT_PROJECTIONS},
    Stage.KEY_FRAME: {ModelPart.T2V, ModelPart.IMAGE_MOVQ},
    Stage.BASE_FRAMES: {ModelPart.T2V, ModelPart.IMAGE_MOVQ},
    Stage.INTERPOLATION: {ModelPart.INTERPOLATION},
    Stage.DECODE: {ModelPart.VIDEO_MOVQ},
}
"""What a stage reads of a model."""

_SILENT_SECONDS = 1.0
_SECONDS_BETWEEN = 0.1


def check_model(
    folder: ModelFolder,
    request: GenerateRequest,
    *,
    until: Stage | None = None,
    eight_bit: bool = False,
    on_event: Callable[[Event], None] = lambda _: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Compare the files that `request` needs of a model with their checksums.

    Args:
        folder: the model.
        request: what will be made.
        until: the last stage that will be; None for the whole clip.
        eight_bit: whether 8-bit weights may be used.
        on_event: told how far it is, where it takes longer than a second.
        is_cancelled: asked after every few megabytes.

    Raises:
        ModelFileError: a file is damaged; the message names it and says what replaces it.
        Cancelled: by `is_cancelled`.
    """
    work = planned_work(request, saves_file=False, until=until)
    parts: set[ModelPart] = set().union(*(_PARTS[item.stage] for item in work))
    checked = CheckedFiles()
    files = checked.unchecked(folder.checkable_files(parts, in_8bit=eight_bit))
    if not files:
        return
    total_bytes = sum(file.size for file in files)
    done_bytes = 0
    tell_at = time.monotonic() + _SILENT_SECONDS

    def on_bytes(count: int) -> None:
        nonlocal done_bytes, tell_at
        if is_cancelled():
            raise Cancelled
        done_bytes += count
        now = time.monotonic()
        if now >= tell_at:
            tell_at = now + _SECONDS_BETWEEN
            on_event(CheckProgress(done_bytes=done_bytes, total_bytes=total_bytes))

    checked.check(files, on_bytes)
